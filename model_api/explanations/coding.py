"""Cases as rows of numbers, one a feature, and back to the values that a model takes.

A number stands for itself, a date for its day, a moment for its second, true for 1; a category or a text stands for
its place among those that are known. NaN is missing. Thousands of rows are mixed and changed in NumPy that way.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes import Floats
from model_api.signature import Columns, Feature
from model_api.values import Value

NUMBERS = ("number", "integer")
NAMED = ("category", "text", "boolean")
"""Types whose values are looked up in a list."""
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- moments without a zone are told apart from those with one by the feature
EPOCH_UTC = EPOCH.replace(tzinfo=UTC)


class Coding:
    """Turns values into numbers, and back."""

    def __init__(self, features: Sequence[Feature], levels: Sequence[Sequence[Value]]) -> None:
        """`levels`: for each feature the values that are looked up, none for other types."""
        self.features = tuple(features)
        self.levels = tuple(tuple(known) for known in levels)
        self._places = [{_key(value): float(place) for place, value in enumerate(known)} for known in self.levels]

    @classmethod
    def of(cls, features: Sequence[Feature], columns: Columns) -> "Coding":
        """Know the levels of the signature, and those that occur in some columns."""
        return cls(features, [_levels(feature, columns[feature.name]) for feature in features])

    def including(self, row: Mapping[str, Value]) -> "Coding":
        """Know the values of one more case: a category may be a new one, and a text mostly is."""
        new = {
            place: row[feature.name]
            for place, feature in enumerate(self.features)
            if feature.type in NAMED
            and row[feature.name] is not None
            and _key(row[feature.name]) not in self._places[place]
        }
        if not new:
            return self
        return Coding(
            self.features, [(*known, new[place]) if place in new else known for place, known in enumerate(self.levels)]
        )

    def codes(self, columns: Columns) -> Floats:
        """Give n cases, in columns, as n × features."""
        coded = np.empty((len(next(iter(columns.values()), ())), len(self.features)))
        for place, feature in enumerate(self.features):
            coded[:, place] = [self.code(place, value) for value in columns[feature.name]]
        return coded

    def code(self, place: int, value: Value) -> float:
        """Give the number that stands for a value of a feature; NaN for one that is missing."""
        if value is None:
            return np.nan
        kind = self.features[place].type
        if kind in NAMED:
            return self._places[place][_key(value)]
        if kind == "date":
            return float(date.fromisoformat(str(value)).toordinal())
        if kind == "datetime":
            return _seconds(str(value))
        return float(value)

    def value(self, place: int, code: float) -> Value:
        """Give the value that a number stands for."""
        return self.values(place, np.array([code]))[0]

    def values(self, place: int, codes: Floats) -> list[Value]:
        """Give the values that n numbers stand for, as plain Python objects; None for NaN."""
        feature = self.features[place]
        return [None if code != code else self._plain(place, feature, code) for code in codes.tolist()]  # noqa: PLR0124 -- NaN

    def _plain(self, place: int, feature: Feature, code: float) -> Value:
        if feature.type in NAMED:
            return self.levels[place][int(code)]
        if feature.type == "date":
            return date.fromordinal(round(code)).isoformat()
        if feature.type == "datetime":
            return ((EPOCH_UTC if feature.zone else EPOCH) + timedelta(seconds=code)).isoformat()
        return round(code) if feature.type == "integer" else code

    def columns(self, codes: Floats, *, arrays: bool = False) -> Columns:
        """Give n × features codes as the columns that a model takes.

        `arrays`: leave numbers in arrays, with NaN for missing, for a model that was seen to take them so.
        """
        columns: dict[str, Any] = {}
        for place, feature in enumerate(self.features):
            column = codes[:, place]
            if arrays and feature.type in NUMBERS:
                columns[feature.name] = column
            elif feature.type in NAMED and len(column) > len(self.levels[place]):
                columns[feature.name] = self._looked_up(place, column)
            else:
                columns[feature.name] = self.values(place, column)
        return columns

    def _looked_up(self, place: int, column: Floats) -> list[Value]:
        table = np.empty(len(self.levels[place]) + 1, dtype=object)
        table[:-1] = self.levels[place]
        table[-1] = None
        found: list[Value] = table[np.where(np.isnan(column), -1, column).astype(np.intp)].tolist()
        return found


def same(codes: Floats, others: Any) -> npt.NDArray[np.bool_]:
    """Tell where codes are as others, of a shape that goes with theirs; what is missing is as what is missing."""
    equal: npt.NDArray[np.bool_] = (codes == others) | (np.isnan(codes) & np.isnan(others))
    return equal


def _key(value: Value) -> tuple[bool, Value]:
    """Tell True from 1, which are the same to a dictionary."""
    return isinstance(value, bool), value


def _levels(feature: Feature, column: Sequence[Value]) -> list[Value]:
    if feature.type == "boolean":
        return [False, True]
    if feature.type not in NAMED:
        return []
    known: dict[Any, Value] = {_key(level): level for level in feature.categories}
    for value in column:
        if value is not None:
            known.setdefault(_key(value), value)
    return list(known.values())


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment - (EPOCH_UTC if moment.tzinfo else EPOCH)).total_seconds()
