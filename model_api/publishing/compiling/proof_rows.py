"""The rows on which a compiled form must equal the estimator: real ones, and at least 10,000 drawn around them."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.signature import Columns, Feature, Signature
from model_api.values import Value

SEED = 0
MIXED, SHAKEN, STRETCHED, GAPPED = 4000, 3000, 2000, 1500
"""Rows drawn in each way: see `drawn`."""
NEVER_SEEN = ("never seen", "-", "ünbekannt 未知", "0")
"""Levels that no training data had; those that it does have are left out."""
TEXTS = ("", " ", "The end.", "ÉTÉ été 2026 😀", "a " * 200)
Random = np.random.Generator


def drawn(signature: Signature, real: Columns) -> Columns:
    """Draw rows around the real ones, n ≥ 10,000, always the same for the same data.

    Mixed: each value from another real row. Shaken: real rows, their numbers moved by up to a tenth of the spread, or
    by the smallest step there is. Stretched: numbers from far outside the range. Gapped: values missing and levels
    never seen, wherever the signature lets them pass.
    """
    random = np.random.default_rng(SEED)
    count = len(next(iter(real.values())))
    parts = [
        {f.name: _mixed(random, real[f.name], MIXED) for f in signature.features},
        _rows(real, random.integers(0, count, SHAKEN)),
        _rows(real, random.integers(0, count, STRETCHED)),
        _rows(real, random.integers(0, count, GAPPED)),
    ]
    for feature in signature.features:
        spread = _Spread.of(feature, real[feature.name])
        parts[1][feature.name] = [_shaken(random, spread, value) for value in parts[1][feature.name]]
        parts[2][feature.name] = [_stretched(random, spread, value) for value in parts[2][feature.name]]
        parts[3][feature.name] = [_gapped(random, spread, value) for value in parts[3][feature.name]]
    return joined(parts)


class _Spread:
    """How a feature's real values lie."""

    def __init__(self, feature: Feature, low: float, high: float, known: list[Value]) -> None:
        self.feature = feature
        self.low, self.high = low, high
        self.known = known
        self.whole = feature.type == "integer"
        self.strangers = [level for level in NEVER_SEEN if level not in feature.categories]

    @classmethod
    def of(cls, feature: Feature, values: list[Value]) -> "_Spread":
        known: list[Value] = [value for value in values if value is not None]
        if feature.type in ("number", "integer") and known:
            numbers = [float(value) for value in values if value is not None]
            return cls(feature, min(numbers), max(numbers), known)
        return cls(feature, 0.0, 0.0, known)

    def number(self, value: float) -> float | int:
        """Give a number that the feature takes."""
        return round(value) if self.whole else value


def _shaken(random: Random, spread: _Spread, value: Value) -> Value:
    if value is None or random.random() < 0.3:
        return value
    shake = {
        "number": _shaken_number,
        "integer": _shaken_number,
        "date": lambda *_: _moved(str(value), int(random.integers(-40, 40))),
        "datetime": lambda *_: _moved(str(value), int(random.integers(-40, 40))),
        "boolean": lambda *_: bool(random.random() < 0.5),
        "text": lambda *_: _shuffled(random, str(value)),
    }.get(spread.feature.type)
    return shake(random, spread, value) if shake else value


def _shaken_number(random: Random, spread: _Spread, value: Any) -> Value:
    if not spread.whole and random.random() < 0.2:
        return float(np.nextafter(value, random.choice([-np.inf, np.inf])))
    return spread.number(value + random.normal() * 0.1 * (spread.high - spread.low))


def _stretched(random: Random, spread: _Spread, value: Value) -> Value:
    if spread.feature.type not in ("number", "integer") or random.random() < 0.4:
        return value
    width = (spread.high - spread.low) or max(1.0, abs(spread.high))
    choices = (spread.low, spread.high, 0, spread.low - width * random.random() * 3)
    return spread.number(float((*choices, spread.high + width * random.random() * 3)[random.integers(5)]))


def _gapped(random: Random, spread: _Spread, value: Value) -> Value:
    feature = spread.feature
    if feature.missing_allowed and random.random() < 0.25:
        return None
    if feature.unknown_categories and spread.strangers and random.random() < 0.25:
        return str(random.choice(spread.strangers))
    if feature.type == "text" and random.random() < 0.25:
        return str(random.choice(TEXTS))
    return value


def _mixed(random: Random, values: list[Value], count: int) -> list[Value]:
    return [values[place] for place in random.integers(0, len(values), count)]


def _moved(moment: str, days: int) -> str:
    try:
        return (datetime.fromisoformat(moment) + timedelta(days=days)).isoformat()[: len(moment)]
    except OverflowError:
        return moment


def _shuffled(random: Random, text: str) -> str:
    words = text.split(" ")
    random.shuffle(words)
    return " ".join(words[: int(random.integers(0, len(words) + 1))])


def joined(parts: list[Columns]) -> Columns:
    """Put rows one after the other."""
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def _rows(columns: Columns, places: npt.NDArray[Any]) -> Columns:
    chosen = places.tolist()
    return {name: [column[place] for place in chosen] for name, column in columns.items()}


def rows_of(columns: Columns, places: Any) -> Columns:
    """Give some rows, by their places."""
    return _rows(columns, np.asarray(places))
