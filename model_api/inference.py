"""The use cases: predict for instances that were sent, or for the data that came with the model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from model_api import conformal
from model_api.artifact import Artifact, Reference
from model_api.conformal import Margins
from model_api.errors import InvalidInstances, Problem, UnusablePrediction
from model_api.loading import LoadedModel
from model_api.runtimes import Floats, Output, Row
from model_api.signature import Checked, Columns, InputWarning
from model_api.values import Value


class Prediction(NamedTuple):
    """One row out."""

    value: Value | dict[str, float]
    """A finite number, several by name, or a class."""
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
    predictions: Sequence[Prediction | list[Problem]]
    """For each instance sent its prediction, or with `report_errors` its problems."""


def predict(model: LoadedModel, instances: Sequence[object], options: Options) -> Answer:
    """Predict for n instances. Raises InvalidInstances or UnusablePrediction."""
    checked = check(model, instances, options)
    output = model.predictor.predict(checked.columns) if checked.good else None
    return answer_of(model, checked, output, options)


def check(model: LoadedModel, instances: Sequence[object], options: Options) -> Checked:
    """Check n instances. Raises InvalidInstances, unless the options want a report."""
    checked = model.artifact.signature.check(instances)
    if checked.problems and not options.report_errors:
        raise InvalidInstances(checked.problems, len(instances))
    return checked


def answer_of(model: LoadedModel, checked: Checked, output: Output | None, options: Options) -> Answer:
    """Put an answer together of a model's output for the good ones among n checked instances."""
    bad = {problem.row for problem in checked.problems}
    answers: list[Prediction | list[Problem]] = [[] for _ in range(len(checked.good) + len(bad))]
    predictions = predictions_of(model, output, checked.warnings, options) if output else []
    for position, prediction in zip(checked.good, predictions, strict=True):
        answers[position] = prediction
    for problem in checked.problems:
        row = answers[problem.row]
        assert isinstance(row, list)
        row.append(problem)
    return Answer(model, answers)


def predict_reference(model: LoadedModel, start: int, limit: int, options: Options) -> tuple[Answer, Reference]:
    """Predict for the rows from `start` on of the data that came with the model, at most `limit` of them."""
    rows = model.artifact.reference.slice(start, start + limit)
    return Answer(model, list(predict_columns(model, rows.columns, [[] for _ in rows.target], options))), rows


def predict_columns(
    model: LoadedModel, columns: Columns, warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    """Predict for n checked instances, given as one list of n values per feature. Raises UnusablePrediction."""
    return predictions_of(model, model.predictor.predict(columns), warnings, options) if warnings else []


def predict_rows(
    model: LoadedModel, rows: Sequence[Row], warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    """Predict for checked instances, each a tuple of its features' values. Raises UnusablePrediction."""
    return predictions_of(model, model.predictor.predict_rows(rows), warnings, options)


def predictions_of(
    model: LoadedModel, output: Output, warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    """Say what a model's output for n instances means. Raises UnusablePrediction."""
    if output.numbers is not None:
        return _numbers(model, output.numbers, warnings, options)
    return _classes(model, output, warnings, options)


def _numbers(
    model: LoadedModel, numbers: Floats, warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    rows = numbers.tolist()
    if not all(map(math.isfinite, chain.from_iterable(rows) if numbers.ndim > 1 else rows)):
        raise UnusablePrediction("the model's prediction for this input is not finite")
    names = model.artifact.signature.target.outputs
    margins = margins_of(model.artifact, options.coverage)
    predictions = []
    for row, row_warnings in zip(rows, warnings, strict=True):
        if names:
            named = dict(zip(names, row, strict=True))
            predictions.append(Prediction(named, None, _intervals(named, margins, options.coverage), row_warnings))
        else:
            predictions.append(Prediction(row, None, _interval(row, margins, options.coverage), row_warnings))
    return predictions


def margins_of(artifact: Artifact, coverage: float) -> list[Margins]:
    """Give the margins of each number of a prediction; none where nothing was calibrated."""
    calibrated = zip(artifact.calibration, artifact.calibration_groups, strict=True)
    return [Margins(scores, groups, coverage) for scores, groups in calibrated]


def _interval(number: float, margins: list[Margins], coverage: float) -> dict[str, Any] | None:
    half = margins[0].at(number) if margins else None
    if half is None:
        return None
    return {"low": number - half, "high": number + half, "coverage": coverage}


def _intervals(numbers: dict[str, float], margins: list[Margins], coverage: float) -> dict[str, Any] | None:
    """Give an interval for each of several numbers; the coverage is that of each by itself."""
    if not margins:
        return None
    found = [margin.at(number) for number, margin in zip(numbers.values(), margins, strict=True)]
    halves = [half for half in found if half is not None]
    if len(halves) < len(numbers):
        return None
    low = {name: number - half for (name, number), half in zip(numbers.items(), halves, strict=True)}
    high = {name: number + half for (name, number), half in zip(numbers.items(), halves, strict=True)}
    return {"low": low, "high": high, "coverage": coverage}


def kept(probabilities: Sequence[float], label: int, limit: float) -> tuple[int, ...]:
    """Give the positions of the classes that the coverage leaves, and of the one that is predicted.

    A model with a threshold of its own may say another than the likeliest.
    """
    left = conformal.prediction_set(probabilities, limit)
    return left if label in left else (*left, label)


def _classes(
    model: LoadedModel, output: Output, warnings: list[list[InputWarning]], options: Options
) -> list[Prediction]:
    assert output.labels is not None
    classes = model.artifact.signature.target.classes
    if output.probabilities is None:
        return [
            Prediction(classes[label], None, None, row_warnings)
            for label, row_warnings in zip(output.labels.tolist(), warnings, strict=True)
        ]
    rows = output.probabilities.tolist()
    if not all(map(math.isfinite, chain.from_iterable(rows))):
        raise UnusablePrediction("the model's probabilities for this input are not finite")
    names = model.artifact.signature.target.class_names
    calibration = model.artifact.calibration
    limit = conformal.margin(calibration[0], options.coverage) if calibration else None
    predictions = []
    for label, row, row_warnings in zip(output.labels.tolist(), rows, warnings, strict=True):
        sure = None
        if limit is not None:
            sure = {"classes": [classes[i] for i in kept(row, label, limit)], "coverage": options.coverage}
        probabilities = dict(zip(names, row, strict=True))
        predictions.append(Prediction(classes[label], probabilities, sure, row_warnings))
    return predictions
