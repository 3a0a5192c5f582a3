"""Contributions: they add up, and are Shapley values as they are defined, written down here once more."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from math import factorial
from typing import Any, cast

import numpy as np
import pytest

from model_api.errors import InvalidRequest, Unsupported
from model_api.explanations import budget as budget_module
from model_api.explanations import contributions as module
from model_api.explanations.budget import Budget
from model_api.explanations.coding import Coding
from model_api.explanations.contributions import contributions, contributions_of
from model_api.explanations.question import Question
from model_api.explanations.subject import Focus, Subject
from model_api.runtimes import Floats, Output
from model_api.runtimes.selection import Choice, ChosenPredictor
from model_api.signature import Columns, Feature, Signature, Target
from model_api.values import percent
from model_api.wire import encode

Ask = Callable[..., Question]
Worth = dict[frozenset[int], float]
NUMBER = Focus("number", 0)


def of(answer: dict[str, Any]) -> dict[str, float]:
    """Give the contributions of an answer by feature."""
    return {item["feature"]: item["contribution"] for item in answer["contributions"]}


def errors_of(answer: dict[str, Any]) -> dict[str, float]:
    return {item["feature"]: item["error"] for item in answer["contributions"]}


def worths(question: Question, focus: Focus) -> Worth:
    """Ask for the mean prediction where each set of features is the case's, and the others are of the background.

    The model is asked with plain values, past everything that is tested here.
    """
    subject, names = question.subject, question.subject.signature.names
    background = subject.coding.columns(subject.background)
    rows, found = len(subject.background), {}
    for number in range(2 ** len(names)):
        taken = frozenset(place for place in range(len(names)) if number >> place & 1)
        columns = {
            name: [question.row[name]] * rows if place in taken else background[name]
            for place, name in enumerate(names)
        }
        found[taken] = float(focus.of(question.model.predictor.predict(columns)).mean())
    return found


def by_orders(worth: Worth, names: list[str]) -> dict[str, float]:
    """Give Shapley values: what each feature changes at its turn, on average over all orders."""
    total = dict.fromkeys(names, 0.0)
    for order in permutations(range(len(names))):
        for turn, place in enumerate(order):
            total[names[place]] += worth[frozenset(order[: turn + 1])] - worth[frozenset(order[:turn])]
    return {name: value / factorial(len(names)) for name, value in total.items()}


def by_sets(worth: Worth, names: list[str]) -> dict[str, float]:
    """Give the same in the other form of the definition, for more features: each set has its weight."""
    count, found = len(names), dict.fromkeys(names, 0.0)
    for taken, value in worth.items():
        size = len(taken)
        for place, name in enumerate(names):
            if place not in taken:
                weight = factorial(size) * factorial(count - size - 1) / factorial(count)
                found[name] += weight * (worth[taken | {place}] - value)
    return found


def close(values: dict[str, float], scale: float = 1.0) -> Any:
    return pytest.approx(values, rel=0, abs=1e-9 * scale)


class Made:
    """A model made for a test: a function of n × features numbers, and a clock that it moves on."""

    def __init__(self, function: Callable[[Floats], Any], seconds_a_row: float = 0.0, seconds_a_call: float = 0.0):
        self._function = function
        self._a_row, self._a_call = seconds_a_row, seconds_a_call
        self.now = 0.0

    def perf_counter(self) -> float:
        """Give the time in seconds."""
        return self.now

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances."""
        table = np.array(list(columns.values()), dtype=np.float64).T
        self.now += self._a_call + self._a_row * len(table)
        return Output(numbers=np.asarray(self._function(table), dtype=np.float64))

    def question(self, case: Floats, reference: Floats, milliseconds: float = 600_000) -> Question:
        """Ask about a case."""
        names = [f"f{place}" for place in range(len(case))]
        signature = Signature(tuple(Feature(name, "number") for name in names), Target("y", "regression"))
        one, many = self._a_call + self._a_row, self._a_call / 1000 + self._a_row
        choice = Choice("made", "made", {"made": {"one_row_us": one * 1e6, "thousand_rows_ms": many * 1e6}})
        coding = Coding.of(signature.features, {name: [] for name in names})
        subject = Subject(signature, ChosenPredictor(choice, self, self), coding, reference)
        row = dict(zip(names, case.tolist(), strict=True))
        return Question(cast("Any", None), subject, row, case, {}, Budget(milliseconds))


def found(made: Made, case: Floats, reference: Floats) -> module.Contributions:
    question = made.question(case, reference)
    return contributions_of(question, NUMBER, float(NUMBER.of(question.output)[0]))


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let orders be drawn where every coalition could be asked about."""
    monkeypatch.setattr(module, "MOST_EXACT", 0)


@pytest.mark.parametrize(
    "name", ["mixed", "mixed-as-it-is", "line", "corners", "wide", "pair", "labels", "diabetes", "wine", "loans"]
)
@pytest.mark.parametrize("milliseconds", [250, 10])
def test_contributions_add_up_to_the_prediction(question: Ask, name: str, milliseconds: int) -> None:
    for row in (0, 7, 11):
        asked = question(name, row, milliseconds=milliseconds)
        answer = contributions(asked)
        total = answer["base"] + sum(of(answer).values())
        spread = asked.subject.spread_of(asked.focus())
        assert total == pytest.approx(answer["prediction"], rel=1e-9, abs=1e-9 * spread)
        assert encode(answer), "it can be sent"


def test_base_and_prediction_are_those_of_the_model(question: Ask) -> None:
    for name in ("mixed", "mixed-as-it-is", "pair"):
        asked = question(name, 5)
        answer = contributions(asked)
        focus, subject = asked.focus(), asked.subject
        background = asked.model.predictor.predict(subject.coding.columns(subject.background))
        case = asked.model.predictor.predict({name: [value] for name, value in asked.row.items()})
        assert answer["background_rows"] == len(subject.background)
        assert answer["base"] == pytest.approx(float(focus.of(background).mean()), rel=1e-12)
        assert answer["prediction"] == pytest.approx(float(focus.of(case)[0]), rel=1e-12)


def test_every_feature_is_listed_with_its_value_and_the_largest_first(question: Ask) -> None:
    asked = question("mixed", 5, changed={"area": None})
    answer = contributions(asked)

    assert {item["feature"]: item["value"] for item in answer["contributions"]} == dict(asked.row)
    sizes = [abs(item["contribution"]) for item in answer["contributions"]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_linear_model_gives_weight_times_distance_from_the_mean(question: Ask) -> None:
    weights = {"a": 2.0, "b": -3.0, "c": 0.5, "idle": 0.0}
    for row in range(5):
        asked = question("line", row)
        answer = contributions(asked)
        means = dict(zip(weights, asked.subject.background.mean(axis=0).tolist(), strict=True))
        expected = {name: weight * (asked.row[name] - means[name]) for name, weight in weights.items()}
        assert of(answer) == close(expected)
        assert answer["method"] == "additive"
        assert answer["approximation"] is None
        assert set(errors_of(answer).values()) == {0}


def test_each_of_several_outputs_has_contributions_of_its_own(question: Ask) -> None:
    for place, output in enumerate(("height", "weight")):
        asked = question("pair", 3, options={"output": output})
        means = dict(zip(asked.row, asked.subject.background.mean(axis=0).tolist(), strict=True))
        usual = [dict(asked.row), *({**asked.row, name: mean} for name, mean in means.items())]
        columns = {name: [row[name] for row in usual] for name in asked.row}
        numbers = asked.model.predictor.predict(columns).numbers
        assert numbers is not None
        answer = contributions(asked)
        assert answer["output"] == output
        assert answer["prediction"] == pytest.approx(numbers[0, place])
        expected = numbers[0, place] - numbers[1:, place]
        assert of(answer) == close(dict(zip(means, expected.tolist(), strict=True)), 100)


@pytest.mark.parametrize("level", ["far", "high", "low"])
def test_four_features_have_the_values_that_all_their_orders_give(question: Ask, level: str) -> None:
    for row in (0, 1, 2):
        asked = question("corners", row, options={"class": level})
        answer = contributions(asked)
        expected = by_orders(worths(asked, asked.focus()), asked.subject.signature.names)
        assert answer["class"] == level
        assert answer["method"] == "exact"
        assert of(answer) == close(expected)
        assert set(errors_of(answer).values()) == {0}


def test_the_classes_contributions_cancel_out(question: Ask) -> None:
    answers = [contributions(question("corners", 4, options={"class": level})) for level in ("far", "high", "low")]

    total = {name: sum(of(answer)[name] for answer in answers) for name in of(answers[0])}
    assert total == close(dict.fromkeys(total, 0.0))
    assert sum(answer["prediction"] for answer in answers) == pytest.approx(1)


@pytest.mark.parametrize("name", ["mixed", "mixed-as-it-is"])
@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"area": None, "children": None, "board": None}, id="missing values"),
        pytest.param({"board": "picnic", "wish": "words that nobody wrote before"}, id="never seen"),
    ],
)
def test_every_type_of_feature_has_the_value_of_the_definition(question: Ask, name: str, changed: Any) -> None:
    asked = question(name, 5, changed=changed)
    answer = contributions(asked)
    expected = by_sets(worths(asked, NUMBER), asked.subject.signature.names)

    assert answer["method"] == "exact"
    assert of(answer) == close(expected, asked.subject.spread_of(NUMBER))


def test_the_two_forms_of_the_definition_agree(question: Ask) -> None:
    asked = question("corners")
    worth, names = worths(asked, asked.focus()), asked.subject.signature.names

    assert by_sets(worth, names) == close(by_orders(worth, names))


def test_a_label_without_probabilities_is_explained_as_whether_it_is_said(question: Ask) -> None:
    for level in ("no", "yes"):
        asked = question("labels", 2, options={"class": level})
        answer = contributions(asked)
        assert answer["unit"] == "predicted"
        assert answer["prediction"] in (0, 1)
        assert of(answer) == close(by_orders(worths(asked, asked.focus()), asked.subject.signature.names))


@pytest.mark.parametrize(
    ("name", "row"), [("mixed", 5), ("mixed", 9), ("corners", 1), ("corners", 2), ("diabetes", 4), ("diabetes", 12)]
)
def test_sampled_values_lie_within_four_standard_errors(question: Ask, sampled: None, name: str, row: int) -> None:
    asked = question(name, row)
    focus = asked.focus()
    if name == "diabetes":  # whatever the embedded model is: here orders are drawn
        answer = module._sampled(asked, focus, asked.subject.background, 0.0)  # noqa: SLF001 -- a budget of nothing cannot be asked for
        values = dict(zip(asked.subject.signature.names, answer.values.tolist(), strict=True))
        errors = dict(zip(asked.subject.signature.names, answer.errors.tolist(), strict=True))
    else:
        wire = contributions(asked)
        assert wire["method"] == "sampled"
        values, errors = of(wire), errors_of(wire)
    exact = by_sets(worths(asked, focus), asked.subject.signature.names)

    for feature, value in values.items():
        assert abs(value - exact[feature]) <= 4 * errors[feature] + 1e-9, feature
    assert max(errors.values()) <= module.ENOUGH * asked.subject.spread_of(focus)


def test_standard_errors_are_as_large_as_the_errors(sampled: None) -> None:
    random = np.random.default_rng(11)
    reference = random.normal(size=(40, 5))
    made = Made(lambda t: t[:, 0] * t[:, 1] * 2 + t[:, 2] * np.sin(t[:, 3] + t[:, 4]) + t[:, 0] * (t[:, 4] > 0))
    scores = []
    for case in random.normal(size=(40, 5)):
        drawn = found(made, case, reference)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "MOST_EXACT", 10)
            exact = found(made, case, reference)
        assert (drawn.method, exact.method) == ("sampled", "exact")
        uncertain = drawn.errors > 1e-6  # an order and its reverse together are exact where features act in pairs
        scores += ((drawn.values - exact.values)[uncertain] / drawn.errors[uncertain]).tolist()

    assert len(scores) >= 100
    assert 0.7 < float(np.sqrt(np.mean(np.square(scores)))) < 1.4


def test_a_sampled_answer_says_so_and_how_exact_it_is(question: Ask, sampled: None) -> None:
    asked = question("mixed", 5)
    answer = contributions(asked)

    largest = max(errors_of(answer).values())
    assert answer["approximation"]["largest_error"] == largest > 0
    assert "orders of the features were sampled" in answer["approximation"]["why"]
    assert percent(largest / asked.subject.spread_of(NUMBER), 1) in answer["approximation"]["why"]


def test_the_same_question_has_the_same_answer(question: Ask, sampled: None) -> None:
    assert contributions(question("corners", 3)) == contributions(question("corners", 3))


def test_thirty_features_are_told_apart_by_sampling(question: Ask) -> None:
    asked = question("wide", {f"f{i:02}": 1.5 for i in range(30)}, milliseconds=10_000)
    answer = contributions(asked)

    assert answer["method"] == "sampled"
    assert {item["feature"] for item in answer["contributions"][:3]} == {"f00", "f01", "f02"}
    assert max(errors_of(answer).values()) <= module.ENOUGH * asked.subject.spread_of(NUMBER)


WEIGHTS = np.array([0.3, -1.7, 0.0, 2.9])
IGNORING: dict[str, Callable[[Floats], Any]] = {
    "additive": lambda t: t @ WEIGHTS + 0.1,
    "exact": lambda t: t[:, 0] * t[:, 1] * 0.7 + t[:, 3] / 3,
}


@pytest.mark.parametrize("method", ["additive", "exact", "sampled"])
def test_a_feature_that_the_model_ignores_gets_exactly_nothing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if method == "sampled":
        monkeypatch.setattr(module, "MOST_EXACT", 0)
    reference = np.random.default_rng(2).normal(size=(90, 4))
    made = Made(IGNORING.get(method, IGNORING["exact"]))
    for case in reference[:10] + 0.123:
        answer = found(made, case, reference)
        assert answer.method == method
        assert answer.values[2] == 0
        assert np.all(answer.values[[0, 1, 3]] != 0)


def test_dates_that_a_model_passes_over_get_exactly_nothing(question: Ask) -> None:
    values = of(contributions(question("mixed", 5, changed={"day": "2019-01-01", "booked": "2019-01-01T00:00:00"})))

    assert values["day"] == values["booked"] == values["arrival"] == 0


def test_dates_that_a_model_uses_get_something(question: Ask) -> None:
    answers = [of(contributions(question("mixed-as-it-is", row))) for row in range(3)]

    assert all(answer["day"] != 0 or answer["booked"] != 0 for answer in answers)
    assert all(answer["arrival"] == 0 for answer in answers)


def test_a_feature_that_has_the_same_value_everywhere_gets_nothing() -> None:
    reference = np.random.default_rng(2).normal(size=(50, 3))
    reference[:, 1] = 2.0
    answer = found(Made(lambda t: t[:, 0] * t[:, 1] * t[:, 2]), np.array([1.0, 2.0, 3.0]), reference)

    assert answer.values[1] == 0


def test_missing_is_the_same_as_missing() -> None:
    reference = np.random.default_rng(2).normal(size=(50, 3))
    reference[:, 1] = np.nan
    made = Made(lambda t: t[:, 0] * t[:, 2] + np.where(np.isnan(t[:, 1]), 5, t[:, 1]))

    assert found(made, np.array([1.0, np.nan, 3.0]), reference).values[1] == 0
    assert found(made, np.array([1.0, 7.0, 3.0]), reference).values[1] == pytest.approx(2)


@pytest.mark.parametrize("most_exact", [10, 0])
def test_two_features_that_are_alike_get_alike(monkeypatch: pytest.MonkeyPatch, most_exact: int) -> None:
    monkeypatch.setattr(module, "MOST_EXACT", most_exact)
    reference = np.random.default_rng(2).normal(size=(60, 3))
    reference[:, 1] = reference[:, 0]
    answer = found(Made(lambda t: np.maximum(t[:, 0] + t[:, 1], t[:, 2])), np.array([1.0, 1.0, 0.5]), reference)

    difference = abs(answer.values[0] - answer.values[1])
    assert difference <= (1e-12 if most_exact else 4 * np.hypot(*answer.errors[:2]))
    assert answer.values[0] > 0


def test_what_adds_up_only_on_the_whole_is_not_taken_for_additive() -> None:
    """One at a time nothing changes, and all together nothing does, but a with b does, and a with c."""
    answer = found(Made(lambda t: t[:, 0] * t[:, 1] - t[:, 0] * t[:, 2]), np.ones(3), np.zeros((20, 3)))

    assert answer.method == "exact"
    assert answer.values.tolist() == pytest.approx([0, 0.5, -0.5])


def test_an_unknown_option_is_refused(question: Ask) -> None:
    with pytest.raises(InvalidRequest, match="there is no option 'threshold' here; there is class, output"):
        contributions(question("corners", options={"threshold": 0.5}))


def test_a_version_without_data_is_refused(question: Ask) -> None:
    with pytest.raises(Unsupported, match="published without data"):
        contributions(question("bare", {"a": 1, "b": 2, "c": 3, "idle": 0}))


SLOW = {
    "a fast one": (2e-6, 0.0),
    "a compiled forest": (2e-5, 0.0),
    "a forest in scikit-learn": (2e-5, 5e-3),
    "neighbours": (2e-4, 1e-3),
}


@pytest.mark.parametrize("features", [6, 30])
@pytest.mark.parametrize("milliseconds", [250, 1000])
@pytest.mark.parametrize("kind", SLOW)
def test_a_slow_model_has_a_coarser_answer_in_time(
    monkeypatch: pytest.MonkeyPatch, kind: str, milliseconds: int, features: int
) -> None:
    made = Made(lambda t: np.sin(t[:, 0] * t[:, 1]) + t[:, 2] * t[:, 3] + t.max(axis=1), *SLOW[kind])
    asked = made.question(np.full(features, 0.7), np.random.default_rng(1).normal(size=(500, features)))
    asked.subject.spread_of(NUMBER)  # as after the first case
    monkeypatch.setattr(budget_module, "time", made)
    began = made.now

    answer = contributions(replace(asked, budget=Budget(milliseconds)))

    assert made.now - began <= milliseconds / 1000
    assert answer["background_rows"] >= module.FEWEST
    assert answer["base"] + sum(of(answer).values()) == pytest.approx(answer["prediction"], abs=1e-9)
    coarse = answer["method"] == "sampled" or answer["background_rows"] < len(asked.subject.background)
    assert (answer["approximation"] is not None) == coarse


def test_fewer_background_rows_are_said_to_be_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(lambda t: t[:, 0] * t[:, 1], 1e-3)
    asked = made.question(np.array([1.0, 2.0]), np.random.default_rng(1).normal(size=(500, 2)))
    asked.subject.spread_of(NUMBER)
    monkeypatch.setattr(budget_module, "time", made)

    answer = contributions(replace(asked, budget=Budget(250)))

    assert module.FEWEST <= answer["background_rows"] < 100
    assert f"there was time for {answer['background_rows']} of 100 background rows" in answer["approximation"]["why"]


def test_the_embedded_models_are_explained_in_little_more_than_the_time_there_is(question: Ask) -> None:
    for name in ("diabetes", "breast-cancer", "wine", "loans", "mixed-as-it-is"):
        contributions(question(name, milliseconds=250))  # what is done once for a model is done
        began = time.perf_counter()
        contributions(question(name, 1, milliseconds=250))
        assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(("name", "method"), [("line", "additive"), ("corners", "exact"), ("wide", "sampled")])
def test_only_rounding_is_left_for_the_largest_contribution(question: Ask, name: str, method: str) -> None:
    for row in range(5):
        asked = question(name, row, milliseconds=250)
        focus = asked.focus()

        found = contributions_of(asked, focus, float(focus.of(asked.output)[0]))

        assert found.method == method
        assert abs(found.remainder) <= 1e-9 * asked.subject.spread_of(focus)
