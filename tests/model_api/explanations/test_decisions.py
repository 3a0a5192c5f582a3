"""Where to draw the line: mistakes are counted on rows that were held out, and the cheapest threshold is found."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from model_api.errors import InvalidRequest, Unsupported
from model_api.examples import breast_cancer
from model_api.explanations.decisions import decisions
from model_api.explanations.question import Question
from model_api.runtimes import Floats

Ask = Callable[..., Question]
POSITIVE = "malignant"


@pytest.fixture(scope="module")
def held_out() -> tuple[Any, Floats]:
    """Whether each tumour is malignant, and how probable a model that had not seen it found that."""
    X, y = breast_cancer.load_data()
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    shares = cross_val_predict(breast_cancer.estimator(), X, y, cv=folds, method="predict_proba")
    return (y == POSITIVE).to_numpy(), shares[:, sorted(y.unique()).index(POSITIVE)]


def answer(
    question: Ask, served: float | None = None, row: int = 0, *, level: str = POSITIVE, **options: Any
) -> dict[str, Any]:
    asked = question("breast-cancer", row, options={"class": level, **options})
    return decisions(replace(asked, served_threshold=served))


def mistakes(true: Any, share: Floats, threshold: float) -> tuple[int, int]:
    said = share >= threshold
    return int((said & ~true).sum()), int((~said & true).sum())


def test_the_mistakes_at_each_threshold_are_those_of_a_cross_validation(
    question: Ask, held_out: tuple[Any, Floats]
) -> None:
    true, share = held_out

    found = answer(question)

    assert (found["positives"], found["negatives"]) == (true.sum(), (~true).sum())
    assert len(found["points"]) <= 101
    for point in found["points"]:
        wrong, missed = mistakes(true, share, point["threshold"])
        assert (point["false_positives"], point["false_negatives"]) == (wrong, missed)
        assert point["flagged"] == pytest.approx((share >= point["threshold"]).mean())
        assert point["cost"] == pytest.approx((wrong + missed) / len(true))


def test_the_thresholds_ascend_from_flagging_all_to_flagging_hardly_any(question: Ask) -> None:
    points = answer(question)["points"]

    assert all(one["threshold"] < other["threshold"] for one, other in pairwise(points))
    assert all(one["flagged"] >= other["flagged"] for one, other in pairwise(points))
    assert (points[0]["threshold"], points[0]["false_negatives"], points[0]["flagged"]) == (0, 0, 1)
    assert points[-1]["threshold"] == 1


@pytest.mark.parametrize(("wrong_costs", "missed_costs"), [(1, 1), (1, 20), (20, 1), (0.25, 3), (1, 0), (0, 1)])
def test_the_best_threshold_is_as_cheap_as_any_that_could_be_chosen(
    question: Ask, held_out: tuple[Any, Floats], wrong_costs: float, missed_costs: float
) -> None:
    true, share = held_out
    every = [mistakes(true, share, threshold) for threshold in [0.0, *share.tolist(), 1.1]]
    cheapest = min(wrong_costs * wrong + missed_costs * missed for wrong, missed in every) / len(true)

    found = answer(question, cost_false_positive=wrong_costs, cost_false_negative=missed_costs)

    assert found["best"] in found["points"]
    assert found["best"]["cost"] == min(point["cost"] for point in found["points"])
    assert cheapest <= found["best"]["cost"] <= cheapest + 2 * max(wrong_costs, missed_costs) / len(true)


def test_the_dearer_it_is_to_miss_one_the_lower_the_threshold(question: Ask) -> None:
    best = [answer(question, cost_false_negative=cost)["best"]["threshold"] for cost in (0.02, 1, 50)]

    assert best[0] > best[1] > best[2]


def test_of_thresholds_that_cost_the_same_the_middle_one_is_the_best(question: Ask) -> None:
    found = answer(question, cost_false_positive=0, cost_false_negative=0)

    assert found["best"] == found["points"][len(found["points"]) // 2]


@pytest.mark.parametrize("capacity", [0.05, 0.2, 0.36, 1])
def test_no_more_cases_are_flagged_than_there_is_capacity_for(question: Ask, capacity: float) -> None:
    found = answer(question, capacity=capacity, cost_false_negative=100)

    allowed = [point["cost"] for point in found["points"] if point["flagged"] <= capacity]
    assert found["best"]["flagged"] <= capacity
    assert found["best"]["cost"] == min(allowed)
    assert found["why_none"] is None


def test_a_capacity_that_every_threshold_exceeds_is_said_to_be_too_small(
    question: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = {
        "positives": 5,
        "negatives": 5,
        "thresholds": [0.0, 1.0],
        "false_positives": [5, 1],
        "false_negatives": [0, 1],
    }
    count(question, monkeypatch, {POSITIVE: curve})

    found = answer(question, capacity=0.4)

    assert found["best"] is None
    assert found["why_none"] == "each threshold flags more than 0.4 of the held-out rows"
    assert (found["case"]["decision"], found["case"]["margin"]) == (None, None)
    assert "to do so would cost 0.5 per case" in found["approximation"]["why"]


@pytest.mark.parametrize(("wrong_costs", "is_told"), [(1, False), (5, False), (7, True)])
def test_it_says_when_to_take_nobody_would_cost_less_than_any_threshold(
    question: Ask, monkeypatch: pytest.MonkeyPatch, wrong_costs: float, is_told: bool
) -> None:
    curve = {
        "positives": 5,
        "negatives": 5,
        "thresholds": [0.0, 1.0],
        "false_positives": [5, 1],  # one is as probable as can be, and yet no positive
        "false_negatives": [0, 0],
    }
    count(question, monkeypatch, {POSITIVE: curve})

    found = answer(question, cost_false_positive=wrong_costs)

    assert found["best"]["cost"] == wrong_costs / 10
    assert (found["approximation"] is not None) == is_told
    assert not is_told or found["approximation"]["why"].endswith("to do so would cost 0.5 per case")


def count(question: Ask, monkeypatch: pytest.MonkeyPatch, thresholds: Mapping[str, Any] | None) -> None:
    """Let the version say something else of its thresholds."""
    artifact = question("breast-cancer").model.artifact
    assert artifact.quality
    curves = {name: curve for name, curve in artifact.quality["curves"].items() if name != "thresholds"}
    curves |= {} if thresholds is None else {"thresholds": thresholds}
    monkeypatch.setitem(vars(artifact), "quality", {**artifact.quality, "curves": curves})


@pytest.mark.parametrize("row", range(0, 60, 7))
def test_the_case_is_on_the_side_where_its_probability_is(question: Ask, row: int) -> None:
    found = answer(question, row=row)

    output = question("breast-cancer", row).output
    assert output.probabilities is not None
    probability = output.probabilities[0, 1]
    assert (found["class"], found["unit"]) == (POSITIVE, "probability")
    assert found["case"]["probability"] == probability
    assert found["case"]["margin"] == probability - found["best"]["threshold"]
    assert found["case"]["decision"] == (POSITIVE if found["case"]["margin"] >= 0 else "benign")


def test_the_other_class_is_looked_at_where_it_is_asked_for(question: Ask, held_out: tuple[Any, Floats]) -> None:
    true, share = held_out

    found = answer(question, level="benign", cost_false_negative=3)

    assert (found["class"], found["positives"], found["negatives"]) == ("benign", (~true).sum(), true.sum())
    for point in found["points"][1:-1]:
        # `>`: what is written with six digits can be on either side of one minus the other
        near = np.isclose(1 - share, point["threshold"], atol=1e-9).sum()
        wrong, missed = mistakes(~true, 1 - share, point["threshold"])
        assert abs(point["false_positives"] - wrong) + abs(point["false_negatives"] - missed) <= near
    assert found["case"]["decision"] == ("benign" if found["case"]["margin"] >= 0 else POSITIVE)


def test_it_says_how_the_held_out_answers_were_made(question: Ask) -> None:
    found = answer(question)

    assert found["method"] == "10-fold cross-validation on 569 rows"
    assert found["approximation"] is None
    assert found["served"] is None


def test_a_served_threshold_that_was_counted_is_told_with_its_cost(question: Ask) -> None:
    some = answer(question, cost_false_negative=7)["points"][40]

    found = answer(question, some["threshold"], cost_false_negative=7)

    assert found["served"] == {"class": POSITIVE, **some}
    assert found["approximation"] is None


def test_a_served_threshold_between_two_is_said_to_be_approximate(question: Ask) -> None:
    points = answer(question)["points"]
    before, after = next(pair for pair in pairwise(points) if pair[1]["flagged"] < pair[0]["flagged"])
    middle = (before["threshold"] + after["threshold"]) / 2

    found = answer(question, middle)

    assert found["served"]["threshold"] == middle
    for key in ("false_positives", "false_negatives", "flagged", "cost"):
        assert found["served"][key] == pytest.approx((before[key] + after[key]) / 2)
    assert found["approximation"]["why"].startswith("the served threshold lies between two at which mistakes were")


def test_a_served_threshold_is_of_the_positive_class_also_for_who_looks_at_the_other(question: Ask) -> None:
    threshold = answer(question)["points"][60]["threshold"]
    point = answer(question, threshold, cost_false_positive=5, cost_false_negative=2)["served"]

    served = answer(question, threshold, level="benign", cost_false_positive=2, cost_false_negative=5)["served"]

    assert (served["class"], served["threshold"]) == (POSITIVE, threshold)
    assert (served["false_positives"], served["false_negatives"]) == (
        point["false_negatives"],
        point["false_positives"],
    )
    assert served["cost"] == point["cost"]
    assert served["flagged"] == pytest.approx(1 - point["flagged"])


@pytest.mark.parametrize("name", ["diabetes", "wine", "labels", "pair"])
def test_it_is_for_two_classes_with_probabilities(question: Ask, name: str) -> None:
    with pytest.raises(Unsupported, match="models of two classes that tell how probable each is"):
        decisions(question(name))


def test_a_version_that_did_not_count_mistakes_says_so(question: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    count(question, monkeypatch, None)

    with pytest.raises(Unsupported, match="were not counted when this version was published; publish it anew"):
        answer(question)


def test_a_version_without_data_says_so(question: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(question("breast-cancer").model.artifact), "quality", None)

    with pytest.raises(Unsupported, match="was published without data"):
        answer(question)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cost_false_positive": -1}, r"cost_false_positive must be a number from 0 to 1e\+12, not -1"),
        ({"cost_false_negative": "much"}, 'cost_false_negative must be a number .*, not "much"'),
        ({"cost_false_negative": True}, "cost_false_negative must be a number .*, not true"),
        ({"cost_false_negative": 10**400}, "cost_false_negative must be a number"),
        ({"capacity": 1.5}, r"capacity must be a number from 0 to 1, not 1\.5"),
        ({"capacity": float("nan")}, "capacity must be a number from 0 to 1"),
        ({"class": "unsure"}, 'class must be one of the classes, .*, not "unsure"'),
        ({"cost": 3}, "there is no option 'cost' here"),
    ],
)
def test_an_option_is_refused_by_its_name_its_value_and_what_was_expected(
    question: Ask, options: Mapping[str, Any], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        decisions(question("breast-cancer", options=options))


def test_unless_told_otherwise_a_mistake_costs_one_and_the_positive_class_is_looked_at(question: Ask) -> None:
    assert decisions(question("breast-cancer")) == answer(question, cost_false_positive=1, cost_false_negative=1)


def test_costs_and_capacity_that_are_null_are_the_usual_ones(question: Ask) -> None:
    found = answer(question, cost_false_positive=None, cost_false_negative=None, capacity=None)

    assert found == answer(question)
