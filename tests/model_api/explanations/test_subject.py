"""A model as one number for many cases at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_api.errors import UnusablePrediction
from model_api.explanations import subject as subject_module
from model_api.explanations.coding import Coding
from model_api.explanations.question import Question
from model_api.explanations.subject import BACKGROUND, Focus, Subject, subject_of
from model_api.loading import LoadedModel, load_version
from model_api.runtimes import Floats, Output
from model_api.runtimes.selection import Choice, ChosenPredictor
from model_api.signature import Columns, Feature, Signature, Target
from model_api.trust import Trust

Loaded = Callable[[str], LoadedModel]
Ask = Callable[..., Question]
EVERY = ["mixed", "mixed-as-it-is", "line", "corners", "wide", "pair", "labels", "loans", "diabetes"]
NUMBERS = Signature((Feature("a", "number"), Feature("b", "number")), Target("y", "regression"))


class Stub:
    """A model made for a test: a function of its columns."""

    def __init__(self, function: Callable[[Columns], Any]) -> None:
        self._function = function
        self.last: type = object
        """In what its numbers came last."""

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances."""
        self.last = type(columns["a"])
        return Output(numbers=np.asarray(self._function(columns), dtype=np.float64))


def subject_of_stub(stub: Stub, reference: Floats) -> Subject:
    choice = Choice("stub", "stub", {"stub": {"one_row_us": 1.0, "thousand_rows_ms": 1.0}})
    coding = Coding.of(NUMBERS.features, {"a": [], "b": []})
    return Subject(NUMBERS, ChosenPredictor(choice, stub, stub), coding, reference)


def first_number(columns: Columns) -> Any:
    return np.array(columns["a"], dtype=np.float64)


@pytest.mark.parametrize("name", EVERY)
def test_a_model_answers_rows_of_codes_as_it_answers_values(loaded: Loaded, name: str) -> None:
    model = loaded(name)
    subject = subject_of(model)

    plain = model.predictor.predict(model.artifact.reference.columns)

    assert subject.ask(subject.reference).is_same(plain)


def test_a_subject_is_made_once_and_forgotten_with_its_model(published: Callable[[str], Path]) -> None:
    one = load_version(published("line"), Trust())
    other = load_version(published("line"), Trust())

    assert subject_of(one) is subject_of(one)
    assert subject_of(one) is not subject_of(other)


def test_arrays_are_used_where_the_model_answers_the_same() -> None:
    stub = Stub(first_number)
    subject = subject_of_stub(stub, np.ones((20, 2)))

    subject.try_arrays()
    subject.ask(subject.reference)

    assert stub.last is np.ndarray


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda columns: np.full(20, isinstance(columns["a"], list)), id="answers otherwise"),
        pytest.param(lambda columns: [float(value or 0) for value in columns["a"] + []], id="fails"),
        pytest.param(lambda columns: [float(value is None) for value in columns["a"]], id="looks for None"),
    ],
)
def test_arrays_are_not_used_where_it_does_not(function: Callable[[Columns], Any]) -> None:
    reference = np.ones((20, 2))
    reference[3, 0] = np.nan
    stub = Stub(function)
    subject = subject_of_stub(stub, reference)

    subject.try_arrays()
    subject.ask(subject.reference)

    assert stub.last is list


def test_the_background_is_of_the_reference_sample_and_always_the_same(published: Callable[[str], Path]) -> None:
    one = subject_of(load_version(published("diabetes"), Trust()))
    other = subject_of(load_version(published("diabetes"), Trust()))

    assert one.background.shape == (BACKGROUND, one.count)
    assert np.array_equal(one.background, other.background)
    known = {tuple(row) for row in one.reference.tolist()}
    assert all(tuple(row) in known for row in one.background.tolist())


def test_a_small_reference_sample_is_the_background_as_a_whole(loaded: Loaded) -> None:
    subject = subject_of(loaded("line"))

    assert np.array_equal(subject.background, subject.reference)


def test_the_spread_of_a_feature_is_its_standard_deviation(loaded: Loaded) -> None:
    model = loaded("mixed")
    subject = subject_of(model)
    areas: list[Any] = [value for value in model.artifact.reference.columns["area"] if value is not None]

    assert subject.spreads[0] == pytest.approx(np.std(areas))
    assert subject.spreads[3] == 1, "a category has no order"


def test_the_spread_of_a_feature_that_never_changes_is_one() -> None:
    subject = subject_of_stub(Stub(first_number), np.full((20, 2), 7.0))

    assert subject.spreads.tolist() == [1, 1]
    assert subject.spread_of(Focus("number", 0)) == 1


def test_a_case_with_unknown_values_leaves_the_subject_of_others_as_it_is(loaded: Loaded) -> None:
    subject = subject_of(loaded("mixed"))
    row = loaded("mixed").artifact.reference.row(0)

    other = subject.including(row | {"board": "picnic", "wish": "words that nobody wrote before"})

    assert other is not subject
    assert subject.including(row) is subject
    assert other.ask(other.reference).is_same(subject.reference_output)


def test_a_large_question_is_asked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def noted(columns: Columns) -> Any:
        asked.append(len(columns["a"]))
        return first_number(columns)

    subject = subject_of_stub(Stub(noted), np.zeros((3, 2)))
    monkeypatch.setattr(subject_module, "CELLS", 20)

    scores = subject.scores(np.arange(50.0).reshape(25, 2), Focus("number", 0))

    assert asked == [10, 10, 5]
    assert scores.tolist() == np.arange(0.0, 50, 2).tolist()


@pytest.mark.parametrize("answer", [Output(numbers=np.zeros((9, 2))), Output(labels=np.arange(9) % 2)])
def test_the_parts_of_an_answer_are_put_together(monkeypatch: pytest.MonkeyPatch, answer: Output) -> None:
    said = iter([answer.of(slice(0, 4)), answer.of(slice(4, 8)), answer.of(slice(8, 9))])
    subject = subject_of_stub(Stub(first_number), np.zeros((3, 2)))
    monkeypatch.setattr(subject, "_ask", lambda _: next(said))
    monkeypatch.setattr(subject_module, "CELLS", 8)

    assert subject.ask(np.zeros((9, 2))).is_same(answer)


def test_no_rows_have_no_scores(loaded: Loaded) -> None:
    subject = subject_of(loaded("line"))

    assert subject.scores(np.empty((0, 4)), Focus("number", 0)).shape == (0,)


def test_more_rows_are_estimated_to_take_longer(loaded: Loaded) -> None:
    for name in ("line", "mixed-as-it-is"):
        subject = subject_of(loaded(name))
        assert 0 < subject.seconds(1000) < subject.seconds(100_000) < 100


def test_a_prediction_that_is_not_finite_is_refused() -> None:
    subject = subject_of_stub(Stub(lambda columns: first_number(columns) * np.inf), np.ones((20, 2)))

    with pytest.raises(UnusablePrediction, match="not finite"):
        subject.ask(np.ones((1, 2)))


def test_the_number_that_is_looked_at_is_one_output_or_one_class() -> None:
    labels, shares = np.array([1, 0]), np.array([[0.2, 0.8], [0.6, 0.4]])

    assert Focus("number", 0).of(Output(numbers=np.array([1.0, 2.0]))).tolist() == [1, 2]
    assert Focus("number", 1).of(Output(numbers=np.array([[1.0, 2.0], [3.0, 4.0]]))).tolist() == [2, 4]
    assert Focus("probability", 1).of(Output(labels=labels, probabilities=shares)).tolist() == [0.8, 0.4]
    assert Focus("predicted", 1).of(Output(labels=labels)).tolist() == [1, 0]
