"""Is a compiled form equal to the estimator? Compared on every row, one by one and in batches of several sizes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.errors import UnusablePrediction
from model_api.publishing.compiling.proof_rows import rows_of
from model_api.runtimes import Output, Predictor
from model_api.signature import Columns

BATCHES = (1, 2, 7, 64, 1000)
SECONDS = 0.25
"""What the comparison with one size of batch may take: of a slow form, as many rows as that allows, at least FEWEST."""
FEWEST = 300
REFERENCE_BATCH = 500
ALONE, TOLERANCE_ALONE = 40, 1e-6
"""Rows that are asked about alone, and how much the answer may differ: arithmetic may take another order."""
MOST_REASON = 500
"""Characters of what an estimator says itself."""
LOOKING_SECONDS = 20.0
"""Rows that the estimator itself refuses are looked for one by one, for so long; then whole batches are left out."""


@dataclass(frozen=True)
class Expected:
    """Rows, and what the estimator says of them."""

    columns: Columns
    output: Output
    scale: float | list[float]
    """Size below which differences are measured against it: the spread of each number, 1 for probabilities."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class Verdict:
    """Whether a form equals the estimator."""

    proved: bool
    largest_difference: float
    """Of all numbers, relative."""
    reason: str = ""
    """Why it does not."""
    worst: dict[str, Any] | None = None
    """The row that shows it best: instance, expected and given."""


class _Different(Exception):
    def __init__(self, row: int, expected: Any, given: Any, difference: float, batch: int) -> None:
        super().__init__()
        self.row, self.expected, self.given = row, expected, given
        self.difference, self.batch = difference, batch


def expect(estimator: Predictor, columns: Columns) -> tuple[Expected | None, int]:
    """Ask the estimator about rows; gives also how many are left out, because it refuses them or those beside them."""
    kept: list[int] = []
    outputs: list[Output] = []
    deadline = time.monotonic() + LOOKING_SECONDS
    total = len(next(iter(columns.values())))
    for start in range(0, total, REFERENCE_BATCH):
        batch = range(start, min(start + REFERENCE_BATCH, total))
        for places, output in _accepted(estimator, columns, batch, deadline):
            kept += places
            outputs.append(output)
    if not kept:
        return None, total
    output = _concatenated(outputs)
    scale = 1.0 if output.numbers is None else _scale(output.numbers)
    return Expected(rows_of(columns, kept), output, scale), total - len(kept)


def _scale(numbers: npt.NDArray[np.float64]) -> Any:
    """Give the spread of each output, between its quartiles: rows far outside of the training data do not widen it.

    Where half of the numbers are one, their usual size stands for it.
    """
    low, high = np.quantile(numbers, (0.25, 0.75), axis=0)
    sizes = np.abs(numbers)
    usual = np.nanmedian(np.where(sizes > 0, sizes, np.nan), axis=0) if (sizes > 0).any() else 1.0
    return np.where(high > low, high - low, np.nan_to_num(usual, nan=1.0)).tolist()


def _accepted(estimator: Predictor, columns: Columns, places: range, deadline: float) -> Iterator[tuple[range, Output]]:
    """Give the answers for those rows that the estimator takes, halving a batch until the others are found."""
    output = _answer(estimator, rows_of(columns, places))
    if output:
        yield places, output
        return
    if len(places) == 1 or time.monotonic() > deadline:
        return
    middle = len(places) // 2
    yield from _accepted(estimator, columns, places[:middle], deadline)
    yield from _accepted(estimator, columns, places[middle:], deadline)


def _answer(estimator: Predictor, columns: Columns) -> Output | None:
    try:
        output = estimator.predict(columns)
    except Exception:  # noqa: BLE001 -- whatever an estimator raises for odd rows, these rows prove nothing
        return None
    return output if _finite(output) else None


def why_no_answer(estimator: Predictor, columns: Columns) -> str:
    """Say why an estimator gives no answer for a row: in its own words, where it raised something."""
    try:
        estimator.predict(columns)
    except Exception as error:  # noqa: BLE001 -- whatever it raises is the reason
        cause = error.__cause__ if isinstance(error, UnusablePrediction) and error.__cause__ else error
        return f"{type(cause).__name__}: {' '.join(str(cause).split())[:MOST_REASON]}"
    return "what it gives is not a finite number"


def _finite(output: Output) -> bool:
    return all(part is None or bool(np.isfinite(part).all()) for part in (output.numbers, output.probabilities))


def _concatenated(outputs: list[Output]) -> Output:
    def whole(part: str) -> Any:
        found = [getattr(output, part) for output in outputs]
        return None if found[0] is None else np.concatenate(found)

    return Output(whole("numbers"), whole("labels"), whole("probabilities"))


def compare(predictor: Predictor, expected: Expected, tolerance: float) -> Verdict:
    """Compare a form with the estimator on all rows, in batches of each size."""
    largest = 0.0
    try:
        for size in (*BATCHES, len(expected)):
            largest = max(largest, _compare_in_batches(predictor, expected, size, tolerance))
    except _Different as found:
        instance = {name: column[found.row] for name, column in expected.columns.items()}
        what = f"{found.given} instead of {found.expected}"
        reason = f"it gives {what} for a row (in a batch of {found.batch})"
        worst = {"instance": instance, "expected": found.expected, "given": found.given}
        return Verdict(False, found.difference, reason, worst)
    except UnusablePrediction as error:
        return Verdict(False, largest, f"it refuses a row that the estimator takes: {error}")
    except Exception as error:  # noqa: BLE001 -- a form that fails in any way is not used
        return Verdict(False, largest, f"it fails: {type(error).__name__}: {str(error)[:200]}")
    return Verdict(True, largest)


def require_each_row_alone(estimator: Predictor, expected: Expected) -> None:
    """Show that an answer does not depend on the rows beside it. Raises ValueError when it does."""
    places = np.random.default_rng(0).permutation(len(expected))[:ALONE].tolist()
    try:
        for place in places:
            given = estimator.predict({name: column[place : place + 1] for name, column in expected.columns.items()})
            _difference(given, expected, range(place, place + 1), 1, TOLERANCE_ALONE)
    except _Different as found:
        raise ValueError(
            f"the estimator's answer for a row depends on the rows beside it: {found.given} alone, {found.expected} "
            "among others. Such a model cannot be served; is a step fitted anew each time it predicts?"
        ) from found


def _compare_in_batches(predictor: Predictor, expected: Expected, size: int, tolerance: float) -> float:
    # Of this process's own time: what else a machine does must not change what is compared, nor what is written of it.
    largest, began = 0.0, time.process_time()
    order = range(0, len(expected), size)
    if size == 1:  # should time run out, the rows that were tried are of every kind
        order = range(0, len(expected), 1)
        starts: Any = np.random.default_rng(0).permutation(len(expected)).tolist()
    else:
        starts = order
    for done, start in enumerate(starts):
        if done * size >= FEWEST and time.process_time() - began > SECONDS:
            break
        places = range(start, min(start + size, len(expected)))
        given = predictor.predict(
            {name: column[places.start : places.stop] for name, column in expected.columns.items()}
        )
        largest = max(largest, _difference(given, expected, places, size, tolerance))
    return largest


def _difference(given: Output, expected: Expected, places: range, size: int, tolerance: float) -> float:
    """Give the largest relative difference; raises _Different when there is a greater one, or another label."""
    rows = slice(places.start, places.stop)
    largest = 0.0
    true = expected.output
    for part in ("numbers", "probabilities"):
        theirs, ours = getattr(true, part), getattr(given, part)
        if (theirs is None) != (ours is None):
            raise _Different(places.start, part, "nothing" if ours is None else part, np.inf, size)
        if theirs is None:
            continue
        if ours.shape != theirs[rows].shape:
            raise _Different(places.start, list(theirs[rows].shape), list(ours.shape), np.inf, size)
        relative = np.abs(ours - theirs[rows]) / np.maximum(np.abs(theirs[rows]), expected.scale)
        relative = np.where(np.isnan(relative), np.inf, relative)
        row = int(np.unravel_index(relative.argmax(), relative.shape)[0])
        largest = max(largest, float(relative.max()))
        if largest > tolerance:
            found = places.start + row
            raise _Different(found, _plain(theirs[found]), _plain(ours[row]), largest, size)
    if true.labels is not None:
        if given.labels is None:
            raise _Different(places.start, "a class", "none", np.inf, size)
        _require_labels(given.labels, true.labels[rows], places, size)
    return largest


def _require_labels(ours: npt.NDArray[Any], theirs: npt.NDArray[Any], places: range, size: int) -> None:
    other = np.flatnonzero(ours != theirs)
    if len(other):
        row = int(other[0])
        expected, given = f"class {int(theirs[row])}", f"class {int(ours[row])}"
        raise _Different(places.start + row, expected, given, np.inf, size)


def _plain(value: Any) -> Any:
    return value.tolist()
