"""What may be said of a model, its features and its target: every key, and what it has to be.

People say it when they publish, and a version says it again in its files. Both are looked at here, key by key and then
as a whole, so that whoever reads it later, the dashboard above all, never meets a word where a number should be.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from model_api.signature import NOUNS, ORDERED, Feature, FeatureType, Signature, Target, Task
from model_api.values import Rejected, echo, nearest, quote


@dataclass(frozen=True)
class Fact:
    """What one key has to be."""

    expected: str
    """In words."""
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # a whole number of more than 308 digits
        return False


def _is_level(value: Any) -> bool:
    return isinstance(value, str | bool) or _is_number(value)


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(map(fits, value))


def _or_none(fact: Fact) -> Fact:
    return Fact(fact.expected, lambda value: value is None or fact.fits(value))


def _one_of(words: tuple[str, ...]) -> Fact:
    return Fact(f"one of {', '.join(words)}", lambda value: value in words)


TEXT = Fact("text", _is_text)
FLAG = Fact("true or false", lambda value: isinstance(value, bool))
NUMBER = Fact("a number", _is_number)
LEVEL = Fact("text, a number, true or false", _is_level)
END = Fact("a number or a date", lambda value: isinstance(value, str) or _is_number(value))
LEVELS = Fact("a list of text or numbers", _list_of(_is_level))
TEXTS = Fact("a list of text", _list_of(_is_text))
NUMBERS = Fact("a list of numbers", _list_of(_is_number))
LIST = Fact("a list", _list_of(lambda _: True))
TABLE = Fact("a table", lambda value: isinstance(value, dict))
STEP = Fact("a number above 0", lambda value: _is_number(value) and value > 0)

MODEL: Mapping[str, Fact] = {"title": TEXT, "description": TEXT, "card": TEXT, "synthetic": FLAG}
"""What a person may say of a model."""
FEATURE: Mapping[str, Fact] = {
    "type": _one_of(get_args(FeatureType)),
    "label": TEXT,
    "unit": _or_none(TEXT),
    "description": TEXT,
    "group": _or_none(TEXT),
    "minimum": _or_none(END),
    "maximum": _or_none(END),
    "step": _or_none(STEP),
    "categories": LEVELS,
    "unknown_categories": FLAG,
    "missing_allowed": FLAG,
    "default": _or_none(LEVEL),
    "quantiles": Fact("five numbers or none", lambda value: _list_of(_is_number)(value) and len(value) in (0, 5)),
}
"""What a person may say of a feature."""
TARGET: Mapping[str, Fact] = {
    "name": TEXT,
    "task": _one_of(get_args(Task)),
    "unit": _or_none(TEXT),
    "description": TEXT,
    "classes": LEVELS,
    "positive": _or_none(LEVEL),
    "minimum": _or_none(NUMBER),
    "maximum": _or_none(NUMBER),
}
"""What a person may say of a target."""
WHOLE_FEATURE: Mapping[str, Fact] = {
    **FEATURE,
    "name": TEXT,
    "missing_rate": NUMBER,
    "zone": _or_none(TEXT),
    "guessed": TEXTS,
}
WHOLE_TARGET: Mapping[str, Fact] = {**TARGET, "outputs": TEXTS, "probabilities": FLAG}
QUALITY: Mapping[str, Fact] = {
    "method": TEXT,
    "honest": FLAG,
    "rows": NUMBER,
    "headline": TEXT,
    "metrics": Fact(
        "a table of numbers", lambda value: isinstance(value, dict) and all(map(_is_number, value.values()))
    ),
}
"""What is read of a version's quality; there is more, for people."""
FLATTERED = "fitted on"
"""Stands in the method of an assessment on rows that the model had seen; older versions tell of it only there."""
THRESHOLDS: Mapping[str, Fact] = {
    "positives": NUMBER,
    "negatives": NUMBER,
    "thresholds": NUMBERS,
    "false_positives": NUMBERS,
    "false_negatives": NUMBERS,
}
"""What is read of the mistakes at each threshold of a class; only later versions of two classes tell them."""


def require_facts(what: str, told: Any, known: Mapping[str, Fact]) -> None:
    """Refuse keys that nobody knows, and values that are not what they have to be. Raises ValueError, naming both."""
    if not isinstance(told, Mapping):
        raise ValueError(f"{what} must be a table, not {echo(told)}")
    for key, value in told.items():
        if key not in known:
            near = nearest(str(key), list(known))
            hint = f"; did you mean {near}?" if near else f"; there is {', '.join(known)}"
            raise ValueError(f"{what} has no {str(key)[:64]!r}{hint}")
        if not known[key].fits(value):
            raise ValueError(
                f"{what}: {key} must be {known[key].expected}, not {echo(value)}{_near(known[key], value)}"
            )


def _near(fact: Fact, value: object) -> str:
    words = fact.expected.removeprefix("one of ").split(", ")
    near = nearest(value, words) if isinstance(value, str) and fact.expected.startswith("one of ") else None
    return f" (did you mean {near}?)" if near else ""


def require_described(features: Any, target: Any) -> None:
    """Look at what a person says of features and target. Raises ValueError, naming the key, the value and the rest."""
    if not isinstance(features, Mapping):
        raise ValueError(f"features must be a table with a table for each feature, not {echo(features)}")
    for name, told in features.items():
        require_facts(f"the feature {name}", told, FEATURE)
    require_facts("the target", target, TARGET)


def read_signature(document: Any) -> Signature:
    """Read a signature from its wire form. Raises ValueError, TypeError or KeyError when it is not one."""
    require_facts("the signature", document, {"features": LIST, "target": TABLE})
    for place, feature in enumerate(document["features"]):
        name = feature.get("name") if isinstance(feature, dict) else None
        require_facts(f"the feature {str(name)[:64] if name else f'at place {place}'}", feature, WHOLE_FEATURE)
    require_facts("the target", document["target"], WHOLE_TARGET)
    signature = Signature.from_dict(document)
    require_consistent(signature)
    return signature


def read_quality(document: Any) -> dict[str, Any] | None:
    """Read how good a version is; None when it was never measured. Raises ValueError when that cannot be told."""
    if document is None:
        return None
    whole = _with_honesty(document)
    read = {key: value for key, value in whole.items() if key in QUALITY}
    require_facts("the quality", read, QUALITY)
    if missing := sorted(set(QUALITY) - set(read)):
        raise ValueError(f"the quality has no {missing[0]}")
    if read["headline"] not in read["metrics"]:
        raise ValueError(f"the headline {echo(read['headline'])} is not among its metrics")
    curves = whole.get("curves")
    counted = curves.get("thresholds", {}) if isinstance(curves, Mapping) else {}
    if not isinstance(counted, Mapping):
        raise ValueError(f"the thresholds must be a table with a table for a class, not {echo(counted)}")
    for level, curve in counted.items():
        _require_thresholds(f"the thresholds of {str(level)[:64]}", curve)
    return whole


def _with_honesty(document: Any) -> dict[str, Any]:
    """Add whether the model had not seen the rows, where an older version tells of it only in the method."""
    whole = dict(document)
    return {"honest": FLATTERED not in str(whole.get("method")), **whole}


def _require_thresholds(what: str, curve: Mapping[str, Any]) -> None:
    require_facts(what, curve, THRESHOLDS)
    if missing := sorted(set(THRESHOLDS) - set(curve)):
        raise ValueError(f"{what} have no {missing[0]}")
    counts = {len(curve[key]) for key in ("thresholds", "false_positives", "false_negatives")}
    if len(counts) > 1 or 0 in counts or curve["thresholds"] != sorted(curve["thresholds"]):
        raise ValueError(f"{what} must ascend, with the false positives and the false negatives at each")
    if not curve["positives"] + curve["negatives"] > 0:
        raise ValueError(f"{what} are of no rows")


def require_consistent(signature: Signature) -> None:
    """Refuse facts that contradict each other. Raises ValueError, naming the first."""
    for feature in signature.features:
        _require_feature(feature)
    _require_target(signature.target)


def _require_feature(feature: Feature) -> None:
    what = f"the feature {feature.name}"
    if feature.type == "category" and not feature.categories:
        raise ValueError(f"{what} is a category without categories")
    if feature.zone is not None and feature.type != "datetime":
        raise ValueError(f"{what} has a time zone, and is no datetime")
    low, high = feature.minimum, feature.maximum
    if (low is None) != (high is None):
        raise ValueError(f"{what} has a {'minimum' if high is None else 'maximum'} alone; give both")
    ends = {"minimum": low, "maximum": high} if feature.type in ORDERED else {}
    for key, value in {**ends, "default": feature.default}.items():
        if value is not None and not _can_be(feature, value):
            raise ValueError(f"{what}: {key} must be {_noun(feature)}, not {echo(value)}")
    if ends and low is not None and high is not None and _is_above(low, high):
        raise ValueError(f"{what}: its minimum {echo(low)} is above its maximum {echo(high)}")


def _can_be(feature: Feature, value: Any) -> bool:
    """Tell whether a fact can stand where a value of the feature does; moments are written as values.py writes them."""
    if feature.type in ("number", "integer"):
        return _is_number(value)
    if feature.type == "text":
        return isinstance(value, str)
    try:
        return feature.parse(value) == value or feature.type not in ORDERED
    except Rejected:
        return False


def _is_above(low: Any, high: Any) -> bool:
    return bool(low > high)


def _noun(feature: Feature) -> str:
    if feature.type == "category":
        return f"one of {', '.join(map(quote, feature.categories[:10]))}"
    if feature.type == "datetime":
        return "a date and time such as 2026-11-24T09:30:00" + ("+00:00" if feature.zone else "")
    return "a number" if feature.type == "integer" else NOUNS[feature.type]


def _require_target(target: Target) -> None:
    classes, count = target.classes, len(target.classes)
    if target.task == "regression" and (classes or target.positive is not None):
        raise ValueError("the target is a regression, and has no classes")
    if target.task != "regression" and not classes:
        raise ValueError("the target is a classification, and has no classes")
    if (target.task == "binary") != (count == 2):
        raise ValueError(f"the target has {count} classes, and its task is {target.task}")
    if target.outputs and target.task != "regression":
        raise ValueError("the target is a classification, and has outputs")
    if len(set(target.outputs)) < len(target.outputs):
        raise ValueError("the target names an output twice")
    if target.positive is not None and not _among(target.positive, classes):
        shown = ", ".join(map(quote, classes[:10]))
        raise ValueError(f"the target: positive must be one of its classes, {shown}, not {echo(target.positive)}")


def _among(value: Any, levels: tuple[Any, ...]) -> bool:
    """Tell whether a value is one of the levels; to Python True is 1, to a reader it is not."""
    return any(level == value and isinstance(level, bool) == isinstance(value, bool) for level in levels)
