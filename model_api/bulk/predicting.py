"""Pieces of a source → what the model says of them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.bulk.checking import Verdict, check_columns, check_instances
from model_api.bulk.plain import plain
from model_api.bulk.sources import Piece
from model_api.errors import Problem, UnusablePrediction
from model_api.loading import LoadedModel
from model_api.runtimes import Output
from model_api.signature import Columns, InputWarning, Signature

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Checked:
    """A piece, checked."""

    start: int
    """Number of its first row, among all."""
    rows: int
    """How many rows it has."""
    columns: Columns
    """Values of the good rows, by feature."""
    good: Rows
    """Which rows are good, counted within the piece."""
    warnings: dict[int, list[InputWarning]]
    """Row within the piece → what its reader should know."""
    problems: list[Problem]
    """Everything wrong with the others; rows are counted among all, in their order."""


@dataclass(frozen=True)
class Scored(Checked):
    """A piece, predicted."""

    output: Output
    """What the model says of the good rows."""


def check(signature: Signature, piece: Piece, start: int) -> Checked:
    """Check a piece whose first row has the number `start`."""
    if piece.columns is None:
        verdict = check_instances(signature, piece.instances)
    else:
        columns = {name: plain(name, column) for name, column in piece.columns.items()}
        verdict = check_columns(signature, columns, piece.rows - len({problem.row for problem in piece.broken}))
    if piece.broken:
        verdict = _spread(verdict, piece)
    problems = [_among_all(problem, start) for problem in verdict.problems]
    return Checked(start, piece.rows, verdict.columns, verdict.good, verdict.warnings, problems)


def _among_all(problem: Problem, start: int) -> Problem:
    """Count a problem's row among all rows, also where its sentence names it."""
    row = start + problem.row
    if problem.code == "not_an_object":
        return replace(problem, row=row, message=problem.message.replace(f"row {problem.row}", f"row {row}", 1))
    return replace(problem, row=row)


def _spread(verdict: Verdict, piece: Piece) -> Verdict:
    """Count rows among those of the piece, where broken ones had been left out."""
    is_sound = np.ones(piece.rows, dtype=bool)
    is_sound[[problem.row for problem in piece.broken]] = False
    places = np.flatnonzero(is_sound)
    moved = [replace(problem, row=int(places[problem.row])) for problem in verdict.problems]
    warnings = {int(places[row]): found for row, found in verdict.warnings.items()}
    problems = sorted([*piece.broken, *moved], key=lambda problem: problem.row)
    return Verdict(verdict.columns, places[verdict.good], warnings, problems)


def predict(model: LoadedModel, checked: Checked, *, report: bool) -> Scored:
    """Predict for the good rows of a piece.

    With `report`, rows for which the model gives no finite number become bad ones; without, they raise
    UnusablePrediction.
    """
    if not len(checked.good):
        return Scored(**vars(checked), output=_nothing(model))
    if not report:
        output = model.predictor.predict(checked.columns)
        if not _finite(output).all():
            raise UnusablePrediction("the model's prediction for this input is not finite")
        return Scored(**vars(checked), output=output)
    usable, output = _usable(model, checked.columns, len(checked.good))
    if usable.all():
        return Scored(**vars(checked), output=output)
    return _without(checked, usable, output)


def _without(checked: Checked, usable: npt.NDArray[np.bool_], output: Output) -> Scored:
    """Make bad rows of those for which the model has no answer."""
    message = "the model's prediction for this input is not finite"
    unusable = [
        Problem(None, "unusable_prediction", message, row=checked.start + row) for row in checked.good[~usable].tolist()
    ]
    good = checked.good[usable]
    return Scored(
        start=checked.start,
        rows=checked.rows,
        columns={},
        good=good,
        warnings={row: found for row, found in checked.warnings.items() if row in set(good.tolist())},
        problems=sorted([*checked.problems, *unusable], key=lambda problem: problem.row),
        output=output,
    )


def _usable(model: LoadedModel, columns: Columns, rows: int) -> tuple[npt.NDArray[np.bool_], Output]:
    """Predict for rows of which some may have no answer: tell which have one, and give theirs."""
    try:
        output = model.predictor.predict(columns)
    except UnusablePrediction:
        if rows == 1:
            return np.array([False]), _nothing(model)
        halves = [
            _usable(model, {name: column[part] for name, column in columns.items()}, part.stop - part.start)
            for part in (slice(0, rows // 2), slice(rows // 2, rows))
        ]
        return np.concatenate([usable for usable, _ in halves]), _joined([part for _, part in halves])
    usable = _finite(output)
    kept: list[Any] = [part if part is None else part[usable] for part in output]
    return usable, Output(*kept)


def _finite(output: Output) -> npt.NDArray[np.bool_]:
    """Tell of which rows the answer is finite."""
    numbers = output.numbers if output.numbers is not None else output.probabilities
    if numbers is None:
        assert output.labels is not None
        return np.ones(len(output.labels), dtype=bool)
    found: Any = np.isfinite(numbers)
    return np.asarray(found if found.ndim == 1 else found.all(axis=1), dtype=bool)


def _joined(outputs: list[Output]) -> Output:
    parts = [[part for part in same if part is not None] for same in zip(*outputs, strict=True)]
    return Output(*(np.concatenate(same) if len(same) == len(outputs) else None for same in parts))


def _nothing(model: LoadedModel) -> Output:
    """Give the answer for no rows."""
    target = model.artifact.signature.target
    if target.classes:
        shares: Any = np.empty((0, len(target.classes))) if target.probabilities else None
        return Output(labels=np.empty(0, dtype=np.intp), probabilities=shares)
    return Output(numbers=np.empty((0, len(target.outputs))) if target.outputs else np.empty(0))
