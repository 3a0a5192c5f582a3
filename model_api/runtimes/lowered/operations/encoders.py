"""Categories → numbers, by looking each value up."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes.lowered.operations.making import Matrix, Raw, plain, raw_columns

Levels = Sequence[Sequence[Any]]


class OneHot:
    """One column for each level: 1 where a value is that level, else 0."""

    def __init__(
        self, *, levels: Levels, places: Sequence[Sequence[int]], unknown: Sequence[int], columns: int
    ) -> None:
        """`levels`: of each input; `places`: their output columns, -1 for none; `unknown`: that of other values."""
        self._tables = [dict(zip(known, place, strict=True)) for known, place in zip(levels, places, strict=True)]
        self._unknown = list(unknown)
        self._width = columns

    def __call__(self, source: Matrix | Raw) -> Matrix:
        """Encode n values of each input as n × columns."""
        columns = raw_columns(source)
        rows = len(columns[0])
        result = np.zeros((rows, self._width))
        for column, table, unknown in zip(columns, self._tables, self._unknown, strict=True):
            if rows == 1:
                place = table.get(column[0], unknown)
                if place >= 0:
                    result[0, place] = 1.0
                continue
            places = np.array([table.get(value, unknown) for value in column], dtype=np.int64)
            known = places >= 0
            result[np.flatnonzero(known), places[known]] = 1.0
        return result


class Lookup:
    """One number for each value, from a table."""

    def __init__(
        self, *, inputs: Sequence[int], levels: Levels, values: Sequence[Sequence[float]], unknown: Sequence[float]
    ) -> None:
        """For each output: number of its input, that input's levels, their numbers, and that of any other value."""
        self._inputs = list(inputs)
        self._tables = [dict(zip(known, found, strict=True)) for known, found in zip(levels, values, strict=True)]
        self._unknown = [np.nan if value is None else value for value in unknown]

    def __call__(self, source: Matrix | Raw) -> Matrix:
        """Encode n values as n × outputs."""
        columns = raw_columns(source)
        found = [
            [table.get(value, unknown) for value in columns[place]]
            for place, table, unknown in zip(self._inputs, self._tables, self._unknown, strict=True)
        ]
        return np.array(found, dtype=np.float64).T


def fill_raw(columns: Raw, *, values: Sequence[Any], missing: Any = None) -> Raw:
    """Put a value for each column where one is missing; None as value leaves the column as it is."""
    return [
        [value if found == missing else found for found in column] if value is not None else column
        for column, value in zip(columns, values, strict=True)
    ]


def missing_raw(columns: Raw, *, chosen: npt.NDArray[np.int64], missing: Any = None) -> Matrix:
    """Tell by 1 and 0 where a value is missing in some columns."""
    return np.array([[value == missing for value in columns[place]] for place in chosen], dtype=np.float64).T


OPERATIONS: dict[str, Any] = {
    "one_hot": OneHot,
    "lookup": Lookup,
    "fill_raw": plain(fill_raw),
    "missing_raw": plain(missing_raw),
}
