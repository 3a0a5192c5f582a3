"""Short answers are those of the whole contract, byte by byte."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model_api import inference, wire
from model_api.inference import Answer, Options
from model_api.loading import LoadedModel, load_version
from model_api.runtimes import Output
from model_api.short_answers import ShortAnswers
from model_api.trust import Trust

ID = "r-1"


@pytest.fixture(scope="module")
def rent(published_small_models: Path) -> LoadedModel:
    """A regression."""
    return load_version(published_small_models / "rent" / "1", Trust())


@pytest.fixture(scope="module")
def spam(published_small_models: Path) -> LoadedModel:
    """A classification."""
    return load_version(published_small_models / "spam" / "1", Trust())


def whole(model: LoadedModel, output: Output, coverage: float = 0.9) -> bytes:
    """Write an answer as the contract does."""
    predictions = inference.predictions_of(model, output, [[]], Options(coverage=coverage))
    return wire.encode(wire.answer(Answer(model, predictions), "prediction", ID, single=True))


@pytest.mark.parametrize("number", [0.0, -0.0, 1.5, 1e16, 1e-7, 123456789.123, -1e300, 5e-324])
def test_a_number_is_written_as_ever(rent: LoadedModel, number: float) -> None:
    output = Output(numbers=np.array([number]))

    assert ShortAnswers(rent, Options()).write(output, ID) == whole(rent, output)


@pytest.fixture
def sized(small_models: Path, reseal: Callable[[Path, str, bytes], None]) -> LoadedModel:
    """A regression whose large numbers have wider intervals."""
    groups = [{"edges": [400.0, 900.0], "scores": [[1.5] * 20, [20.5] * 20, [300.25] * 20]}]
    calibration = {"scores": [[1.5] * 20 + [20.5] * 20 + [300.25] * 20], "groups": groups}
    reseal(small_models / "rent" / "1", "calibration.json", json.dumps(calibration).encode())
    return load_version(small_models / "rent" / "1", Trust())


@pytest.mark.parametrize("number", [-1e300, 399.99, 400.0, 900.0, 1e16])
@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.97, 0.999])
def test_a_number_is_written_as_ever_with_the_interval_of_its_size(
    sized: LoadedModel, number: float, coverage: float
) -> None:
    output = Output(numbers=np.array([number]))

    assert ShortAnswers(sized, Options(coverage=coverage)).write(output, ID) == whole(sized, output, coverage)


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_what_is_not_finite_is_left_to_the_whole_contract_whatever_its_size(sized: LoadedModel, number: float) -> None:
    assert ShortAnswers(sized, Options()).write(Output(numbers=np.array([number])), ID) is None


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_what_is_not_finite_is_left_to_the_whole_contract(rent: LoadedModel, number: float) -> None:
    assert ShortAnswers(rent, Options()).write(Output(numbers=np.array([number])), ID) is None


@pytest.mark.parametrize("share", [0.0, 1.0, 0.5, 0.25, 1e-17, 0.999])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_a_class_is_written_as_ever(spam: LoadedModel, share: float, label: int, coverage: float) -> None:
    output = Output(labels=np.array([label]), probabilities=np.array([[share, 1 - share]]))
    answers = ShortAnswers(spam, Options(coverage=coverage))

    assert answers.write(output, ID) == whole(spam, output, coverage)
    assert answers.write(output, ID) == whole(spam, output, coverage)


def test_a_share_that_is_no_number_is_left_to_the_whole_contract(spam: LoadedModel) -> None:
    output = Output(labels=np.array([0]), probabilities=np.array([[math.nan, 0.5]]))

    assert ShortAnswers(spam, Options()).write(output, ID) is None


def test_a_name_may_hold_what_formats_text(published_small_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_version(published_small_models / "rent" / "1", Trust())
    monkeypatch.setattr(type(model), "name", property(lambda _: "100%b %s %"))

    written = ShortAnswers(model, Options()).write(Output(numbers=np.array([2.5])), ID)

    assert written is not None
    assert json.loads(written)["model"] == "100%b %s %"
    assert json.loads(written)["prediction"] == 2.5


def test_sets_of_classes_are_kept_up_to_a_number(spam: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_api.short_answers.MOST_SETS", 0)
    output = Output(labels=np.array([1]), probabilities=np.array([[0.25, 0.75]]))

    assert ShortAnswers(spam, Options()).write(output, ID) == whole(spam, output)
