"""Whether the answer stays the same when values are a little different."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from model_api import conformal
from model_api.errors import InvalidRequest, Unsupported
from model_api.explanations.question import Question
from model_api.explanations.robustness import COUNT, robustness
from model_api.inference import Options, predict_columns
from model_api.loading import LoadedModel
from model_api.signature import Feature
from tests.model_api.explanations.made_up import YES_OR_NO, MadeUp, number

Loaded = Callable[[str], LoadedModel]
Ask = Callable[..., Question]
EVEN = np.linspace(-50, 50, 1001).round(2).tolist()
SPREAD = float(np.std(EVEN))


def test_it_is_asked_over_http(client: TestClient, applicant: dict[str, Any]) -> None:
    body = {"data": applicant, "options": {"percent": 10}}
    answer = client.post("/models/loans/explanations/robustness", json=body).json()

    assert answer["unit"] == "probability"
    assert 0 <= answer["share"] <= 1


def sensitive(answer: dict[str, Any]) -> dict[str, float]:
    name = "share_kept_when_only_it_is_disturbed"
    return {item["feature"]: item[name] for item in answer["most_sensitive"]}


@pytest.mark.parametrize(("part", "expected"), [(-0.5, 0.75), (0.0, 0.5), (0.3, 0.65), (0.9, 0.95)])
def test_the_share_is_that_of_an_even_disturbance(part: float, expected: float) -> None:
    model = MadeUp(lambda columns: columns["x"] + 0 * columns["z"])
    threshold = 10.0 - part * 0.05 * SPREAD  # the part of the disturbances down that leaves it at least the threshold
    asked = model.question(
        {"x": EVEN, "z": EVEN},
        {"x": 10.0, "z": 1.0},
        [number("x", step=0.0001), number("z")],
        {"threshold": threshold, "count": 5000},
    )
    answer = robustness(asked)

    assert answer["share"] == pytest.approx(expected, abs=0.03)
    assert answer["kept"] + answer["changed"] == answer["count"] == 5000
    assert answer["kept"] / 5000 == answer["share"]
    assert sensitive(answer) == {"x": pytest.approx(expected, abs=0.03)}


def test_whole_numbers_move_by_at_least_one() -> None:
    model = MadeUp(lambda columns: columns["n"])
    table = {"n": [1, 2, 3, 4]}
    answer = robustness(model.question(table, {"n": 3}, [Feature("n", "integer", step=1)], {"threshold": 3}))

    assert sorted(set(np.concatenate([np.asarray(columns["n"]) for columns in model.asked]).tolist())) == [2, 3, 4]
    assert sensitive(answer) == {"n": pytest.approx(2 / 3)}
    assert answer["share"] == pytest.approx(2 / 3, abs=0.07)


@pytest.mark.parametrize(("own", "low", "high"), [(50.0, 45.0, 50.0), (-50.0, -50.0, -45.0), (60.0, 55.0, 65.0)])
def test_a_value_stays_in_the_training_range_if_it_is_in_it(own: float, low: float, high: float) -> None:
    model = MadeUp(lambda columns: columns["x"])
    asked = model.question({"x": EVEN}, {"x": own}, [number("x")], {"threshold": 0.0, "percent": 500 / SPREAD})
    robustness(asked)

    moved = np.concatenate([np.asarray(columns["x"]) for columns in model.asked])
    assert (moved.min(), moved.max()) == (pytest.approx(low, abs=0.2), pytest.approx(high, abs=0.2))
    assert moved.min() >= low - 1e-9
    assert moved.max() <= high + 1e-9


def test_what_has_no_order_stays_and_what_is_unknown_stays_unknown() -> None:
    model = MadeUp(lambda columns: np.zeros(len(columns["c"])))
    table: dict[str, list[Any]] = {
        "c": ["a", "b", "a", "b"],
        "b": [True, False, True, False],
        "t": ["one", "two", "three", "four"],
        "d": ["2024-01-01", "2024-02-01", "2024-03-01", "2024-12-31"],
        "u": [None, None, None, None],
    }
    features = [
        Feature("c", "category", categories=("a", "b")),
        Feature("b", "boolean"),
        Feature("t", "text"),
        Feature("d", "date"),
        number("u", missing_allowed=True),
    ]
    case: dict[str, Any] = {"c": "a", "b": True, "t": "two", "d": "2024-02-01", "u": None}
    answer = robustness(model.question(table, case, features, {"threshold": 0.5, "percent": 10}))

    columns = model.asked[-1]
    assert all(set(columns[name]) == {case[name]} for name in ("c", "b", "t", "u"))
    moved = {date.fromisoformat(str(day)) - date(2024, 2, 1) for day in columns["d"]}
    assert len(moved) > 10
    assert max(moved).days == int(0.1 * np.std([date.fromisoformat(day).toordinal() for day in table["d"]]))
    assert answer["unknown"] == []  # nobody knows what it could be


def test_the_same_question_has_the_same_answer(question: Ask) -> None:
    first, second = (robustness(question("loans", 4, options={"percent": 20})) for _ in range(2))

    assert first == second


def test_no_disturbance_changes_nothing(question: Ask) -> None:
    answer = robustness(question("loans", 4, options={"percent": 0}))

    assert (answer["share"], answer["changed"], answer["most_sensitive"]) == (1.0, 0, [])
    assert "nothing was disturbed" in answer["approximation"]["why"]


def test_without_a_threshold_a_number_may_move_as_far_as_its_interval(loaded: Loaded, question: Ask) -> None:
    model = loaded("diabetes")
    columns = model.artifact.reference.columns
    first = {name: values[:1] for name, values in columns.items()}
    interval = predict_columns(model, first, [[]], Options(coverage=0.9))[0].interval
    assert interval is not None
    answer = robustness(question("diabetes", options={"percent": 30}))

    assert answer["within"] == pytest.approx((interval["high"] - interval["low"]) / 2)
    assert answer["within"] != conformal.margin(model.artifact.calibration[0], 0.9), "it depends on the number"
    assert (answer["threshold"], answer["decision"]) == (None, None)
    assert answer["share"] == 1.0
    assert robustness(question("diabetes", options={"percent": 30, "threshold": 206.0}))["within"] is None


def test_a_class_that_is_sure_stays_and_one_that_hardly_won_does_not(loaded: Loaded, question: Ask) -> None:
    model = loaded("breast-cancer")
    probabilities = model.predictor.predict(model.artifact.reference.columns).probabilities
    assert probabilities is not None
    sure, unsure = (int(place) for place in np.argsort(-probabilities.max(axis=1))[[0, -1]])

    assert robustness(question("breast-cancer", sure))["share"] == 1
    assert robustness(question("breast-cancer", unsure, options={"percent": 20}))["share"] < 1


def test_a_probability_that_is_just_the_threshold_falls_below_it_half_of_the_time(question: Ask) -> None:
    probabilities = question("breast-cancer", 3).output.probabilities
    assert probabilities is not None
    answer = robustness(question("breast-cancer", 3, options={"threshold": float(probabilities[0, 1])}))

    assert answer["decision"] == "at_least"
    assert 0.4 < answer["share"] < 0.6


def test_the_most_sensitive_come_first_and_those_that_change_nothing_are_left_out() -> None:
    model = MadeUp(lambda columns: columns["x"] + 3 * columns["z"] + 0.001 * columns["w"])
    names = ("w", "x", "z")
    asked = model.question(
        dict.fromkeys(names, EVEN), dict.fromkeys(names, 0.0), [number(name) for name in names], {"threshold": -1.0}
    )

    assert list(sensitive(robustness(asked))) == ["z", "x"]


def test_what_is_unknown_takes_the_values_of_the_reference_sample() -> None:
    model = MadeUp(lambda columns: 2 * columns["x"].astype(float) + np.array([len(c or "") for c in columns["c"]]))
    table: dict[str, list[Any]] = {"x": [1.0, 4.0, None, 5.0, 10.0, 10.0], "c": ["a", "bb", "bb", None, "a", "a"]}
    features = [
        number("x", missing_allowed=True),
        Feature("c", "category", categories=("a", "bb"), missing_allowed=True),
    ]
    asked = model.question(table, {"x": 3.0, "c": None}, features, {"threshold": 0.0})
    (unknown,) = robustness(asked)["unknown"]

    scores = [6 + 1, 6 + 2, 6 + 2, 6 + 1, 6 + 1]
    assert unknown["feature"] == "c"
    assert unknown["spread"] == pytest.approx(np.std(scores))
    assert (unknown["low"], unknown["high"]) == (7.0, 8.0)


def test_what_matters_most_of_the_unknown_comes_first(question: Ask) -> None:
    changed = {"area": None, "children": None, "board": None}
    unknown = robustness(question("mixed", 3, options={"threshold": 200.0}, changed=changed))["unknown"]

    assert {item["feature"] for item in unknown} == set(changed)
    spreads = [item["spread"] for item in unknown]
    assert spreads == sorted(spreads, reverse=True)
    assert unknown[0]["feature"] == "area"
    assert all(item["low"] <= item["high"] for item in unknown)


def test_every_embedded_model_answers_in_one_question_for_the_disturbances(question: Ask) -> None:
    for name in ("diabetes", "breast-cancer", "wine", "loans"):
        answer = robustness(question(name, 2))
        assert 0 <= answer["share"] <= 1
        assert answer["count"] == COUNT
        assert 0 < answer["approximation"]["standard_error"] < 0.03

    model = MadeUp(lambda columns: columns["x"] / 100 + 0.5, YES_OR_NO)
    robustness(model.question({"x": EVEN}, {"x": 1.0}, [number("x")]))
    assert len(model.asked) == 1


def test_a_slow_model_is_asked_about_fewer_cases() -> None:
    model = MadeUp(lambda columns: columns["x"])
    asked = model.question(
        {"x": EVEN}, {"x": 1.0}, [number("x")], {"threshold": 0.0}, milliseconds=200, thousand_rows_ms=1000
    )
    answer = robustness(asked)

    assert 10 <= answer["count"] <= 200
    assert "instead of 500, because the model takes long" in answer["approximation"]["why"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("diabetes", {"percent": -1}, "the option percent must be a number from 0 to 100, not -1"),
        ("diabetes", {"percent": "5"}, 'must be a number from 0 to 100, not "5"'),
        ("diabetes", {"count": 5}, "the option count must be a whole number from 10 to 5000, not 5"),
        ("diabetes", {"percents": 5}, "did you mean percent"),
        ("wine", {"threshold": 2}, "the option threshold must be a number from 0 to 1, not 2"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    question: Ask, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        robustness(question(name, options=options))


def test_a_version_without_data_is_refused(question: Ask) -> None:
    with pytest.raises(Unsupported, match="published without data"):
        robustness(question("bare", {"a": 0.1, "b": 0.2, "c": 0.3, "idle": 0.4}))
