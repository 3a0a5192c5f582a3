"""Predictions → columns: `prediction`, `probability_…`, `interval_…`, `warnings` and, if asked for, `error`.

The numbers and sets are those of inference.py, computed for whole columns.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api import conformal
from model_api.artifact import ScoreGroups
from model_api.bulk.arrow import pa
from model_api.bulk.predicting import Scored
from model_api.conformal import Margins
from model_api.runtimes import Floats, Output
from model_api.signature import Target
from model_api.values import Level


class Results:
    """Makes columns of the predictions of one model."""

    def __init__(
        self, target: Target, calibration: Sequence[Sequence[float]], groups: Sequence[ScoreGroups | None],
        coverage: float, *, report: bool,
    ) -> None:  # fmt: skip
        """`calibration` and `groups` are the artifact's.

        `report`: whether there is a column for what is wrong with rows that have no prediction.
        """
        self.target, self.coverage, self._report = target, coverage, report
        self._scores: Sequence[float] = calibration[0] if calibration and target.classes else []
        margins = [] if target.classes else [Margins(*own, coverage) for own in zip(calibration, groups, strict=True)]
        known = [margin for margin in margins if margin.usual is not None]
        self._margins = known if len(known) == max(1, len(target.outputs)) else []
        self._level = _type_of(target.classes)
        self.schema = pa.schema(list(self._fields()))

    def _fields(self) -> Iterator[tuple[str, Any]]:
        if self.target.classes:
            yield "prediction", self._level
            if self.target.probabilities:
                yield from ((f"probability_{level}", pa.float64()) for level in self.target.classes)
            yield "interval_classes", pa.list_(self._level)
        else:
            for part in ("prediction", "interval_low", "interval_high"):
                yield from ((f"{part}{tail}", pa.float64()) for tail in self._tails())
        yield "warnings", pa.string()
        if self._report:
            yield "error", pa.string()

    def _tails(self) -> list[str]:
        """What the names of columns end in, where one prediction is several numbers."""
        return [f"_{name}" for name in self.target.outputs] or [""]

    def batch(self, scored: Scored) -> Any:
        """Give the columns of a piece, a row for each row; those without a prediction are empty."""
        predicted = list(self._classes(scored.output) if self.target.classes else self._numbers(scored.output))
        if len(scored.good) < scored.rows:
            places = np.full(scored.rows, -1)
            places[scored.good] = np.arange(len(scored.good))
            taken = pa.array(places, mask=places < 0)
            predicted = [column.take(taken) for column in predicted]
        told = [_warnings(scored)] + ([_errors(scored)] if self._report else [])
        return pa.RecordBatch.from_arrays([*predicted, *told], schema=self.schema)

    def _numbers(self, output: Output) -> Iterator[Any]:
        assert output.numbers is not None
        numbers = output.numbers.T if output.numbers.ndim == 2 else output.numbers[None]
        yield from map(pa.array, numbers)
        for sign in (-1, 1):
            for place, column in enumerate(numbers):
                if self._margins:
                    yield pa.array(column + sign * self._margins[place].of(column))
                else:
                    yield pa.nulls(len(column), pa.float64())

    def _classes(self, output: Output) -> Iterator[Any]:
        assert output.labels is not None
        levels = pa.array(list(map(self._as_level, self.target.classes)), self._level)
        yield levels.take(pa.array(output.labels))
        shares = output.probabilities
        if self.target.probabilities:
            for place in range(len(levels)):
                if shares is None:
                    yield pa.nulls(len(output.labels), pa.float64())
                else:
                    yield pa.array(np.ascontiguousarray(shares[:, place]))
        limit = conformal.margin(self._scores, self.coverage)
        if shares is None or limit is None:
            yield pa.nulls(len(output.labels), pa.list_(self._level))
        else:
            yield _sets(levels, shares, output.labels, limit)

    def _as_level(self, level: Level) -> Any:
        return str(level) if pa.types.is_string(self._level) else level


def _type_of(classes: Sequence[Level]) -> Any:
    if all(isinstance(level, int) and not isinstance(level, bool) for level in classes):
        return pa.int64()
    return pa.float64() if all(isinstance(level, float) for level in classes) else pa.string()


def _sets(levels: Any, shares: Floats, labels: npt.NDArray[np.intp], limit: float) -> Any:
    """Give the classes that the coverage leaves, likeliest first, and last a label that is none of them."""
    rows = np.arange(len(shares))
    likeliest_first = np.argsort(-shares, axis=1, kind="stable")
    kept = 1 - shares <= limit
    empty = ~kept.any(axis=1)
    kept[rows[empty], likeliest_first[empty, 0]] = True
    forced = ~kept[rows, labels]
    order = np.argsort(_with_last(-shares, rows[forced], labels[forced]), axis=1, kind="stable")
    kept[rows[forced], labels[forced]] = True
    chosen = np.take_along_axis(kept, order, axis=1)
    offsets = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), levels.take(pa.array(order[chosen])))


def _with_last(keys: Floats, rows: Any, labels: Any) -> Floats:
    keys[rows, labels] = np.inf
    return keys


def _warnings(scored: Scored) -> Any:
    texts: list[str | None] = [None] * scored.rows
    for row, found in scored.warnings.items():
        texts[row] = "; ".join(warning.message for warning in found)
    return pa.array(texts, pa.string())


def _errors(scored: Scored) -> Any:
    texts: list[str | None] = [None] * scored.rows
    for problem in scored.problems:
        before = texts[problem.row - scored.start]
        texts[problem.row - scored.start] = f"{before}; {problem.message}" if before else problem.message
    return pa.array(texts, pa.string())
