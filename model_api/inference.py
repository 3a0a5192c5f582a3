"""The use cases: predict for instances that were sent, or for the data that came with the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_api import conformal
from model_api.artifact import Reference
from model_api.errors import InvalidInstances, Problem, UnusablePrediction
from model_api.loading import LoadedModel
from model_api.runtimes import Output
from model_api.signature import Columns, InputWarning, Value


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row out."""

    value: Value
    """A finite number, or a class."""
    probabilities: dict[str, float] | None
    """Classification: probability by class."""
    interval: dict[str, Any] | None
    """What the stated coverage leaves: `low` and `high`, or `classes`."""
    warnings: list[InputWarning]
    """What the reader should know about the instance."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may ask for beside the predictions."""

    coverage: float = 0.9
    """Probability that the interval should hold the true value, between 0 and 1."""
    report_errors: bool = False
    """Score the good rows and report the bad ones, rather than refusing all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The predictions of one request, and who made them."""

    model: LoadedModel
    """The version that answered."""
    predictions: list[Prediction | list[Problem]]
    """For each instance sent its prediction, or with `report_errors` its problems."""


def predict(model: LoadedModel, instances: Sequence[object], options: Options) -> Answer:
    """Predict for n instances. Raises InvalidInstances or UnusablePrediction."""
    checked = model.artifact.signature.check(instances)
    if checked.problems and not options.report_errors:
        raise InvalidInstances(checked.problems, len(instances))
    answers: list[Prediction | list[Problem]] = [[] for _ in instances]
    for position, prediction in zip(
        checked.good, _predict_columns(model, checked.columns, checked.warnings, options), strict=True
    ):
        answers[position] = prediction
    for problem in checked.problems:
        row = answers[problem.row]
        assert isinstance(row, list)
        row.append(problem)
    return Answer(model, answers)


def predict_reference(model: LoadedModel, start: int, limit: int, options: Options) -> tuple[Answer, Reference]:
    """Predict for the rows from `start` on of the data that came with the model, at most `limit` of them."""
    rows = model.artifact.reference.slice(start, start + limit)
    return Answer(model, list(_predict_columns(model, rows.columns, [[] for _ in rows.target], options))), rows


def _predict_columns(
    model: LoadedModel, columns: Columns, warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    if not warnings:
        return []
    output = model.predictor.predict(columns)
    if output.probabilities is None:
        return _numbers(model, output, warnings, options)
    return _classes(model, output, warnings, options)


def _numbers(
    model: LoadedModel, output: Output, warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    assert output.numbers is not None
    if not np.isfinite(output.numbers).all():
        raise UnusablePrediction("the model's prediction for this input is not finite")
    half = conformal.margin(model.artifact.calibration, options.coverage)
    predictions = []
    for number, row_warnings in zip(output.numbers.tolist(), warnings, strict=True):
        sure = half is not None and {
            "low": number - half,
            "high": number + half,
            "coverage": options.coverage,
        }
        predictions.append(Prediction(number, None, sure or None, row_warnings))
    return predictions


def _classes(
    model: LoadedModel, output: Output, warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    assert output.probabilities is not None
    if not np.isfinite(output.probabilities).all():
        raise UnusablePrediction("the model's probabilities for this input are not finite")
    artifact = model.artifact
    classes = artifact.signature.target.classes
    names = [str(level) for level in classes]
    predictions = []
    for row, row_warnings in zip(output.probabilities, warnings, strict=True):
        kept = conformal.prediction_set(row, classes, artifact.calibration, options.coverage)
        sure = None if kept is None else {"classes": kept, "coverage": options.coverage}
        probabilities = dict(zip(names, row.tolist(), strict=True))
        predictions.append(Prediction(classes[int(row.argmax())], probabilities, sure, row_warnings))
    return predictions
