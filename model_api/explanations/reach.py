"""Which cases can be reached from one under limits, how far they are, and which values a person would write."""

import math
from functools import cached_property

import numpy as np
import numpy.typing as npt

from model_api.explanations.coding import NAMED, same
from model_api.explanations.grids import CLOCK, rounded
from model_api.explanations.subject import Subject
from model_api.explanations.wishes import Limits, Truths
from model_api.runtimes import Floats
from model_api.signature import Feature

FINE = 50
"""Parts of a feature's spread that tell values apart well enough: nobody is asked to write more digits."""
GRID = np.linspace(0, 1, 17)
"""Quantiles of the reference sample that are tried of a number or a date."""


class Reach:
    """The cases that differ from one in what may be changed, as rows of codes.

    A value that is known never becomes unknown. One that is unknown stays so, and a text stays the same, unless `free`.
    """

    def __init__(self, subject: Subject, case: Floats, limits: Limits, *, free: bool = False) -> None:
        self._subject = subject
        self.case = case
        self.limits = limits
        types = [feature.type for feature in subject.signature.features]
        unknown = np.isnan(case)
        self.named = np.array([kind in NAMED for kind in types])
        self.low, self.high = self._bounds()
        self.kept = np.array([place in limits.locked for place in range(subject.count)])
        self.kept |= unknown & np.array([place in limits.directions for place in range(subject.count)])
        if not free:
            text = np.array([kind == "text" and place not in limits.levels for place, kind in enumerate(types)])
            self.kept |= unknown | text

    def _bounds(self) -> tuple[Floats, Floats]:
        low, high = np.full(len(self.case), -np.inf), np.full(len(self.case), np.inf)
        for place, (smallest, largest) in self.limits.spans.items():
            low[place], high[place] = smallest, largest
        for place, sign in self.limits.directions.items():
            bound, outer = (low, max) if sign > 0 else (high, min)
            if not np.isnan(self.case[place]):
                bound[place] = outer(bound[place], self.case[place])
        return low, high

    @cached_property
    def conflict(self) -> int | None:
        """Place of a feature whose limits cannot be kept at once; None where there is none."""
        for place in range(len(self.case)):
            code = self.case[place]
            if self.low[place] > self.high[place]:
                return place
            if self.kept[place] and not np.isnan(code) and not self._allows(place, code):
                return place
        return None

    def _allows(self, place: int, code: float) -> bool:
        levels = self.limits.levels.get(place)
        return bool(self.low[place] <= code <= self.high[place]) and (levels is None or code in levels)

    @cached_property
    def base(self) -> Floats:
        """The case with as little changed as the limits ask for: what candidates are drawn back to."""
        base = np.clip(self.case, self.low, self.high)
        for place, levels in self.limits.levels.items():
            if not np.isnan(base[place]) and base[place] not in levels:
                base[place] = self._commonest(place, levels)
        return base

    def _commonest(self, place: int, levels: frozenset[float]) -> float:
        column = self._subject.reference[:, place]
        return max(sorted(levels), key=lambda level: int((column == level).sum()))

    def project(self, rows: Floats) -> Floats:
        """Give n rows with what is not allowed replaced by what is nearest to it, or by the case's own."""
        rows = np.where(np.isnan(rows) | self.kept, self.base, np.clip(rows, self.low, self.high))
        for place, levels in self.limits.levels.items():
            column = rows[:, place]
            allowed = np.isin(column, list(levels)) | np.isnan(column)
            rows[:, place] = np.where(allowed, column, self.base[place])
        return rows

    def holds(self, row: Floats) -> bool:
        """Tell whether a row keeps every limit."""
        unknown = np.isnan(row)
        if (unknown & ~np.isnan(self.case)).any() or (self.kept & ~same(row, self.case)).any():
            return False
        return all(unknown[place] or self._allows(place, code) for place, code in enumerate(row))

    def moved(self, rows: Floats) -> Truths:
        """Tell what in n rows is not as in the base, n × features."""
        return ~same(rows, self.base)

    def efforts(self, rows: Floats) -> Floats:
        """Give for n rows the effort of each change, n × features: in spreads, 1 where there is no distance."""
        return self.apart(rows, self.case)

    def apart(self, rows: Floats, row: Floats) -> Floats:
        """Give how far the features of n rows are from those of one, n × features: in spreads, 1 where not in order."""
        apart = np.abs(rows - row) / self._subject.spreads
        return np.where(same(rows, row), 0.0, np.where(self.named | np.isnan(apart), 1.0, apart))

    @cached_property
    def units(self) -> Floats:
        """The unit of each feature's values; 1 where they have no order."""
        pairs = zip(self._subject.signature.features, self._subject.spreads, strict=True)
        return np.array([unit_of(feature, spread) for feature, spread in pairs])

    def written(self, values: Floats, places: npt.NDArray[np.intp]) -> Floats:
        """Round values of the features at some places, of the same shape, to what a person would write."""
        return rounded(values, self.units[places])

    def values(self, place: int) -> Floats:
        """Give the values of a feature that are worth trying, ascending, without the base's own."""
        column = self._subject.reference[:, place]
        column = column[~np.isnan(column)]
        if self.kept[place] or not len(column):
            return np.empty(0)
        if self.named[place]:
            found = np.array(sorted(self.limits.levels.get(place, range(len(self._subject.coding.levels[place])))))
        else:
            found = np.quantile(column, GRID)
            found = np.clip(self.written(found, np.full(len(found), place)), self.low[place], self.high[place])
        return np.unique(found[found != self.base[place]])


def unit_of(feature: Feature, spread: float) -> float:
    """Give the unit in which a person would write a value: that of the training values, or a coarser one that does."""
    if feature.type in NAMED or feature.type == "date":
        return 1.0
    if feature.type == "datetime":
        return max((unit for unit in CLOCK if unit <= spread / FINE), default=1.0)
    step = max(feature.step or 0.0, 1.0 if feature.type == "integer" else 0.0)
    return max(step, 10.0 ** math.floor(math.log10(spread / FINE)))
