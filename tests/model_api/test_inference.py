"""The use cases, with a predictor that says what the test wants it to say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_api.artifact import Artifact
from model_api.errors import InvalidInstances, UnusablePrediction
from model_api.inference import Options, Prediction, predict, predict_reference
from model_api.loading import LoadedModel
from model_api.runtimes import Output
from model_api.runtimes.selection import Choice, ChosenPredictor
from model_api.signature import Columns

CHOICE = Choice("fake", "fake", {})


class FakePredictor:
    """Answers with one output for every row, and remembers what it was asked."""

    def __init__(self, row: float | list[float]) -> None:
        self.row = row
        self.asked: list[Columns] = []

    def predict(self, columns: Columns) -> Output:
        self.asked.append(columns)
        count = len(next(iter(columns.values())))
        if isinstance(self.row, list):
            shares = np.array([self.row] * count)
            return Output(labels=shares.argmax(axis=1), probabilities=shares)
        return Output(numbers=np.array([self.row] * count))


def rent(models: Path, number: float = 700.0) -> tuple[LoadedModel, FakePredictor]:
    predictor = FakePredictor(number)
    return LoadedModel(Artifact(models / "rent" / "1"), ChosenPredictor(CHOICE, predictor, predictor)), predictor


def spam(models: Path, probabilities: list[float]) -> LoadedModel:
    predictor = FakePredictor(probabilities)
    return LoadedModel(Artifact(models / "spam" / "1"), ChosenPredictor(CHOICE, predictor, predictor))


def only(predictions: Sequence[Any]) -> Prediction:
    (prediction,) = predictions
    assert isinstance(prediction, Prediction)
    return prediction


MAIL = {"links": 1, "capitals": 0, "length": "0.5"}


def test_the_model_gets_checked_values_in_the_order_of_its_features(
    published_small_models: Path, flat: dict[str, Any]
) -> None:
    model, predictor = rent(published_small_models)

    predict(model, [dict(reversed(flat.items())) | {"rooms": "2", "balcony": None}, flat], Options())

    (columns,) = predictor.asked
    assert list(columns) == ["area", "rooms", "furnished", "district", "balcony"]
    assert columns["rooms"] == [2, 3]
    assert columns["balcony"] == [None, 4.5]


def test_a_number_comes_with_an_interval_around_it(published_small_models: Path, flat: dict[str, Any]) -> None:
    model, _ = rent(published_small_models)
    (scores,) = model.artifact.calibration

    prediction = only(predict(model, [flat], Options(coverage=0.8)).predictions)

    half = scores[48]  # the 49th of 60: ceil(61 × 0.8)
    assert prediction.value == 700.0
    assert prediction.interval == {"low": 700.0 - half, "high": 700.0 + half, "coverage": 0.8}
    assert prediction.probabilities is None


def test_there_is_no_interval_where_calibration_is_too_small(
    published_small_models: Path, flat: dict[str, Any]
) -> None:
    number, _ = rent(published_small_models)
    label = spam(published_small_models, [0.5, 0.5])

    assert only(predict(number, [flat], Options(coverage=0.99)).predictions).interval is None
    assert only(predict(label, [MAIL], Options(coverage=0.99)).predictions).interval is None


@pytest.mark.parametrize(("probabilities", "label"), [([0.3, 0.7], 1), ([0.7, 0.3], 0), ([0.5, 0.5], 0)])
def test_the_prediction_is_the_likeliest_class(
    published_small_models: Path, probabilities: list[float], label: int
) -> None:
    prediction = only(predict(spam(published_small_models, probabilities), [MAIL], Options()).predictions)

    assert prediction.value == label
    assert prediction.probabilities == {"0": probabilities[0], "1": probabilities[1]}
    assert prediction.interval is not None
    assert prediction.interval["classes"][0] == label


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_never_given(
    published_small_models: Path, flat: dict[str, Any], number: float
) -> None:
    model, _ = rent(published_small_models, number)

    with pytest.raises(UnusablePrediction, match="not finite"):
        predict(model, [flat], Options())


def test_probabilities_that_are_not_finite_are_never_given(published_small_models: Path) -> None:
    with pytest.raises(UnusablePrediction, match="not finite"):
        predict(spam(published_small_models, [np.nan, 1.0]), [MAIL], Options())


def test_one_bad_row_refuses_all_and_nothing_is_predicted(published_small_models: Path, flat: dict[str, Any]) -> None:
    model, predictor = rent(published_small_models)

    with pytest.raises(InvalidInstances, match="1 feature of row 7 is not valid") as refusal:
        predict(model, [flat] * 7 + [flat | {"area": "x"}] + [flat] * 2, Options())

    assert [(problem.row, problem.feature) for problem in refusal.value.problems] == [(7, "area")]
    assert predictor.asked == []


def test_bad_rows_are_counted_in_the_refusal(published_small_models: Path, flat: dict[str, Any]) -> None:
    model, _ = rent(published_small_models)

    with pytest.raises(InvalidInstances, match="3 features in 2 of 3 rows are not valid"):
        predict(model, [flat | {"area": "x", "rooms": "y"}, flat, flat | {"extra": 1}], Options())


def test_with_reporting_the_good_rows_are_predicted_and_the_order_is_kept(
    published_small_models: Path, flat: dict[str, Any]
) -> None:
    model, predictor = rent(published_small_models)

    rows = [flat | {"area": 1}, {}, flat | {"area": 3}, None, flat | {"area": 5}]
    answers = predict(model, rows, Options(report_errors=True)).predictions

    assert [isinstance(answer, Prediction) for answer in answers] == [True, False, True, False, True]
    assert predictor.asked[0]["area"] == [1.0, 3.0, 5.0]
    reported = answers[1]
    assert isinstance(reported, list)
    assert [problem.feature for problem in reported] == ["area", "rooms", "furnished", "district"]


def test_with_reporting_the_model_is_not_asked_when_every_row_is_bad(published_small_models: Path) -> None:
    model, predictor = rent(published_small_models)

    answers = predict(model, [{}, 3], Options(report_errors=True)).predictions

    assert [isinstance(answer, list) for answer in answers] == [True, True]
    assert predictor.asked == []


def test_each_row_carries_its_own_warnings(published_small_models: Path, flat: dict[str, Any]) -> None:
    model, _ = rent(published_small_models)

    rows = [flat, flat | {"area": 1000, "balcony": None}, flat | {"district": "west"}]
    answers = predict(model, rows, Options()).predictions

    codes = [[w.code for w in answer.warnings] for answer in answers if isinstance(answer, Prediction)]
    assert codes == [[], ["outside_training_range", "missing"], ["unknown_category"]]


@pytest.mark.parametrize(("start", "limit", "count"), [(0, 5, 5), (58, 5, 2), (60, 5, 0), (10**9, 5, 0), (0, 1000, 60)])
def test_the_reference_rows_are_predicted_page_by_page(
    published_small_models: Path, start: int, limit: int, count: int
) -> None:
    model, _ = rent(published_small_models)

    answer, rows = predict_reference(model, start, limit, Options())

    assert len(answer.predictions) == len(rows) == count
    assert rows == model.artifact.reference.slice(start, start + count)
