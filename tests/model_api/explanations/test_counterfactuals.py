"""What would change it: every answer is asked of scikit-learn's own estimator again, and of the limits one by one."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes
from starlette.testclient import TestClient

from model_api.artifact import Artifact
from model_api.errors import InvalidRequest, Unsupported
from model_api.examples import breast_cancer, diabetes, loans, wine
from model_api.explanations.counterfactuals import CASE_HOLDS, counterfactuals
from model_api.explanations.question import Question, question_of
from model_api.loading import LoadedModel, load_version
from model_api.runtimes import Output
from model_api.runtimes.selection import Choice, ChosenPredictor
from model_api.signature import Columns
from model_api.trust import Trust

Ask = Callable[..., Question]
EXAMPLES: Mapping[str, Any] = {"breast-cancer": breast_cancer, "wine": wine, "loans": loans, "diabetes": diabetes}
LOADERS: Mapping[str, Callable[[], Any]] = {
    "breast-cancer": breast_cancer.load_data,
    "wine": wine.load_data,
    "loans": loans.load_data,
    "diabetes": partial(load_diabetes, return_X_y=True, as_frame=True, scaled=False),
}
KEYS = {"wanted", "found", "counterfactuals", "why_none", "approximation"}
ITEM_KEYS = {"instance", "changes", "prediction", "probabilities", "effort", "distance_percentile"}


@pytest.fixture(scope="module")
def rent(published_small_models: Path) -> LoadedModel:
    return load_version(published_small_models / "rent" / "1", Trust())


def re_predicted(name: str, instances: list[dict[str, Any]]) -> list[Any]:
    """Ask the estimator that was published, fitted anew."""
    X, y = LOADERS[name]()
    estimator = EXAMPLES[name].estimator().fit(X, y)
    columns = {c: pd.Series([np.nan if row[c] is None else row[c] for row in instances], dtype=object) for c in X}
    frame = pd.DataFrame({c: column.astype(X[c].dtype) for c, column in columns.items()})
    predicted: list[Any] = estimator.predict(frame).tolist()
    return predicted


@pytest.mark.parametrize("name", ["breast-cancer", "wine", "loans"])
def test_every_answer_is_valid_for_the_estimator_itself(question: Ask, name: str) -> None:
    said, wanted = [], []
    for row in range(0, 100, 9):
        asked = question(name, row)
        classes = asked.subject.target.classes
        now = asked.output.labels
        assert now is not None
        goal = classes[(int(now[0]) + 1) % len(classes)]
        answer = counterfactuals(question(name, row, options={"class": goal}))
        assert answer.keys() == KEYS
        assert 1 <= answer["found"] == len(answer["counterfactuals"]) <= 3
        assert all(item.keys() == ITEM_KEYS for item in answer["counterfactuals"])
        assert all(item["prediction"] == goal for item in answer["counterfactuals"])
        said += [item["instance"] for item in answer["counterfactuals"]]
        wanted += [goal] * answer["found"]
    assert re_predicted(name, said) == wanted


def test_a_number_is_brought_below_a_bound(question: Ask) -> None:
    answer = counterfactuals(question("diabetes", 0, options={"at_most": 120}))
    assert answer["wanted"] == {"output": None, "unit": "points", "at_most": 120.0}
    assert answer["found"] == 3
    predicted = re_predicted("diabetes", [item["instance"] for item in answer["counterfactuals"]])
    assert all(number <= 120 for number in predicted)
    assert [item["prediction"] for item in answer["counterfactuals"]] == pytest.approx(predicted, rel=1e-9)


def test_answers_come_by_effort_and_change_different_things(question: Ask) -> None:
    answer = counterfactuals(question("diabetes", 3, options={"at_most": 100, "count": 5}))
    efforts = [item["effort"] for item in answer["counterfactuals"]]
    assert efforts == sorted(efforts)
    assert answer["found"] == 5
    changed = [frozenset(change["feature"] for change in item["changes"]) for item in answer["counterfactuals"]]
    assert len(set(changed)) >= 3


def test_changes_effort_and_instance_say_the_same(question: Ask) -> None:
    asked = question("loans", 5, options={"class": "defaulted"})
    spreads = dict(zip(asked.subject.signature.names, asked.subject.spreads, strict=True))
    for item in counterfactuals(asked)["counterfactuals"]:
        effort = 0.0
        for change in item["changes"]:
            assert asked.row[change["feature"]] == change["from"] != change["to"] == item["instance"][change["feature"]]
            numbers = isinstance(change["to"], float) or type(change["to"]) is int
            effort += abs(change["to"] - change["from"]) / spreads[change["feature"]] if numbers else 1
        changed = {change["feature"] for change in item["changes"]}
        assert {name: value for name, value in item["instance"].items() if name not in changed} == {
            name: value for name, value in asked.row.items() if name not in changed
        }
        assert item["effort"] == pytest.approx(effort)
        assert 0 <= item["distance_percentile"] <= 1
        assert sum(item["probabilities"].values()) == pytest.approx(1)


def limits_for(asked: Question, random: np.random.Generator) -> dict[str, Any]:
    """Draw locks, ranges and directions for a case."""
    names = random.permutation([feature.name for feature in asked.features]).tolist()
    columns = asked.model.artifact.reference.columns
    ranges: dict[str, Any] = {}
    for feature in asked.features:
        if feature.name in names[2:5]:
            known = sorted({value for value in columns[feature.name] if value is not None}, key=str)
            drawn = random.choice(np.array(known, dtype=object), 2).tolist()
            ordered = feature.type in {"number", "integer"}
            ranges[feature.name] = sorted(drawn) if ordered else drawn
    directions = {f.name: str(random.choice(["up", "down"])) for f in asked.features if f.name in names[4:7]}
    numbers = {f.name for f in asked.features if f.type in {"number", "integer"}}
    return {"locked": names[:2], "ranges": ranges, "directions": {n: d for n, d in directions.items() if n in numbers}}


@pytest.mark.parametrize("name", ["breast-cancer", "wine", "loans", "corners"])
def test_locks_ranges_and_directions_are_always_kept(question: Ask, name: str) -> None:
    random, found = np.random.default_rng(1), 0
    for row in range(25):
        asked = question(name, row)
        labels = asked.output.labels
        assert labels is not None
        wanted = asked.subject.target.classes[int(labels[0]) - 1]
        limits = limits_for(asked, random)
        answer = counterfactuals(question(name, row, options={"class": wanted, **limits}))
        found += answer["found"]
        assert answer["found"] or answer["why_none"]
        for item in answer["counterfactuals"]:
            require_kept(asked.row, item["instance"], limits)
    assert found > 5


def require_kept(before: Mapping[str, Any], after: dict[str, Any], limits: dict[str, Any]) -> None:
    for name in limits["locked"]:
        assert after[name] == before[name]
    for name, allowed in limits["ranges"].items():
        if after[name] is None:
            assert before[name] is None
        elif isinstance(after[name], str | bool):
            assert after[name] in allowed
        else:
            assert allowed[0] <= after[name] <= allowed[1]
    for name, word in limits["directions"].items():
        if after[name] != before[name]:
            assert (after[name] > before[name]) == (word == "up")


def test_one_number_moves_just_as_far_as_a_linear_model_asks_for(question: Ask) -> None:
    """The model is y = 5 + 2a − 3b + 0.5c; where only `a` may change it must come to (y − 5 + 3b − 0.5c) / 2."""
    asked = question("line", 4)
    (now,) = np.asarray(asked.output.numbers).tolist()
    row: dict[str, Any] = dict(asked.row)
    needed = (now + 1 - 5 + 3 * row["b"] - 0.5 * row["c"]) / 2
    options = {"at_least": now + 1, "locked": ["b", "c", "idle"]}
    (item,) = counterfactuals(question("line", 4, options=options))["counterfactuals"]
    (change,) = item["changes"]
    assert change["feature"] == "a"
    assert needed <= change["to"] <= needed + 0.01 + 1e-9
    assert change["to"] == round(change["to"], 3)  # as exact as the data


def test_whole_numbers_stay_whole_and_others_are_rounded(question: Ask) -> None:
    answer = counterfactuals(question("loans", 8, options={"class": "defaulted", "count": 10}))
    moved = [change for item in answer["counterfactuals"] for change in item["changes"]]
    assert all(type(change["to"]) is int for change in moved if change["feature"] in {"age", "open_loans", "term"})
    amounts = [change["to"] for change in moved if change["feature"] in {"amount", "yearly_income"}]
    assert all(amount % 100 == 0 for amount in amounts)


def test_what_is_unknown_stays_unknown(question: Ask) -> None:
    unknown = {"yearly_income": None, "employment": None}
    answer = counterfactuals(question("loans", 5, options={"class": "defaulted"}, changed=unknown))
    assert answer["found"]
    for item in answer["counterfactuals"]:
        assert item["instance"]["yearly_income"] is None
        assert item["instance"]["employment"] is None


def test_what_is_unknown_becomes_known_if_that_is_the_only_way(rent: LoadedModel) -> None:
    case = {"area": 70.5, "rooms": 3, "furnished": True, "district": "south", "balcony": None}
    now = float(np.asarray(question_of(rent, case, {}, 5000).output.numbers)[0])
    locked = ["area", "rooms", "furnished", "district"]
    bounds = [{"at_least": now + 0.2}, {"at_most": now - 0.2}]
    answers = [counterfactuals(question_of(rent, case, {**bound, "locked": locked}, 5000)) for bound in bounds]
    found = [item for answer in answers for item in answer["counterfactuals"]]
    assert found
    assert all([change["feature"] for change in item["changes"]] == ["balcony"] for item in found)
    assert all(item["changes"][0]["from"] is None and item["effort"] == 1 for item in found)


def test_a_text_is_left_alone_where_something_else_will_do(question: Ask) -> None:
    asked = question("mixed", 0)
    now = float(np.asarray(asked.output.numbers)[0])
    answer = counterfactuals(question("mixed", 0, options={"at_least": now + 15, "count": 5}))
    assert answer["found"]
    assert all(item["instance"]["wish"] == asked.row["wish"] for item in answer["counterfactuals"])


def test_one_of_several_outputs_may_be_wanted(question: Ask) -> None:
    asked = question("pair", 0)
    now = np.asarray(asked.output.numbers)[0]
    options = {"output": "weight", "at_most": float(now[1]) - 2}
    answer = counterfactuals(question("pair", 0, options=options))
    assert answer["wanted"] == {"output": "weight", "unit": None, "at_most": options["at_most"]}
    assert answer["found"]
    assert all(item["prediction"]["weight"] <= options["at_most"] for item in answer["counterfactuals"])


def test_a_model_without_probabilities_is_asked_for_its_class(question: Ask) -> None:
    asked = question("labels", 0)
    answer = counterfactuals(asked)
    assert answer["found"]
    (now,) = np.asarray(asked.output.labels).tolist()
    wanted = asked.subject.target.classes[1 - now]
    assert answer["wanted"] == {"class": wanted}
    assert all(item["prediction"] == wanted for item in answer["counterfactuals"])
    assert all(item["probabilities"] is None for item in answer["counterfactuals"])
    with pytest.raises(InvalidRequest, match="the option threshold needs probabilities"):
        counterfactuals(question("labels", 0, options={"threshold": 0.5}))


def test_a_case_that_is_as_wanted_is_said_to_be_so(question: Ask) -> None:
    now = float(np.asarray(question("line", 0).output.numbers)[0])
    answer = counterfactuals(question("line", 0, options={"at_least": now - 1}))
    assert (answer["found"], answer["counterfactuals"], answer["why_none"]) == (0, [], CASE_HOLDS)


def test_a_lock_that_stands_in_the_way_is_named(question: Ask) -> None:
    """One more takes 0.5 of `a`, a third of `b`, but 2 of `c`: more than any row has."""
    now = float(np.asarray(question("line", 4).output.numbers)[0])
    options = {"at_least": now + 1, "locked": ["a", "b", "c"], "directions": {"idle": "up"}}
    answer = counterfactuals(question("line", 4, options=options))
    assert answer["found"] == 0
    assert answer["why_none"].startswith("nothing within the limits is as wanted (the nearest prediction is ")
    assert answer["why_none"].endswith("without the lock of a or the lock of b there would be something")


def test_limits_that_stand_in_the_way_together_are_told_by_their_kind(question: Ask) -> None:
    most = float(np.asarray(question("line").subject.reference_output.numbers).max())
    low = int(np.asarray(question("line").subject.reference_output.numbers).argmin())
    options = {"at_least": most - 1, "locked": ["a", "b", "c"]}
    answer = counterfactuals(question("line", low, options=options))
    assert answer["why_none"].endswith("without the locks there would be something")


def test_what_no_case_comes_to_is_said_to_be_out_of_reach(question: Ask) -> None:
    answer = counterfactuals(question("line", 0, options={"at_least": 1e9}))
    assert answer["why_none"].startswith("no case was found for which the model says so (the nearest prediction is ")
    answer = counterfactuals(question("line", 0, options={"at_least": 1e9, "locked": ["a"]}))
    assert answer["why_none"].startswith("neither within the limits nor without them was a case found")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"locked": ["a"], "ranges": {"a": [50, 60]}}, "a may not be changed, and its value is not in the range"),
        ({"directions": {"a": "down"}, "ranges": {"a": [50, 60]}}, "the range of a has no value on the side"),
    ],
)
def test_limits_that_exclude_each_other_are_named(question: Ask, limits: dict[str, Any], reason: str) -> None:
    answer = counterfactuals(question("line", 0, options={"at_least": 100, **limits}))
    assert answer["found"] == 0
    assert answer["why_none"].startswith(reason)


@pytest.mark.parametrize(("count", "message"), [(0, "from 1 to 10, not 0"), (2.5, "from 1 to 10, not 2.5")])
def test_an_impossible_count_is_refused(question: Ask, count: float, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"the option count must be a whole number {message}"):
        counterfactuals(question("line", 0, options={"at_least": 100, "count": count}))


def test_a_version_without_data_is_told_so(question: Ask) -> None:
    asked = question("line", 0)
    bare = question("bare", dict(asked.row), options={"at_least": 100})
    with pytest.raises(Unsupported, match="published without data"):
        counterfactuals(bare)


class Slow:
    """A model that takes its time for every row: a probability of its three numbers."""

    def __init__(self, milliseconds: float, probability: Callable[[Any], Any]) -> None:
        self._seconds = milliseconds / 1000
        self._probability = probability
        self.rows = 0

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances."""
        X = np.array([columns[name] for name in ("links", "capitals", "length")], dtype=float).T
        self.rows += len(X)
        time.sleep(self._seconds * len(X))
        shares = self._probability(X)
        return Output(labels=(shares > 0.5).astype(np.intp), probabilities=np.column_stack([1 - shares, shares]))


def asked_slowly(folder: Path, slow: Slow, milliseconds: float, budget: float) -> Question:
    timings = {"slow": {"one_row_us": milliseconds * 1000, "thousand_rows_ms": milliseconds * 1000}}
    predictor = ChosenPredictor(Choice("slow", "slow", timings), slow, slow)
    model = LoadedModel(Artifact(folder), predictor)
    return question_of(model, {"links": -1.0, "capitals": -1.0, "length": -1.0}, {"class": 1}, budget)


def sigmoid(X: Any) -> Any:
    return 1 / (1 + np.exp(-4 * (X.sum(axis=1) - 1)))


def test_a_slow_model_is_asked_about_fewer_rows_and_that_is_said(published_small_models: Path) -> None:
    slow = Slow(1, sigmoid)
    asked_slowly(published_small_models / "spam" / "1", slow, 1, 250)  # the subject is made before the time counts
    asked = asked_slowly(published_small_models / "spam" / "1", slow, 1, 250)
    slow.rows = 0
    answer = counterfactuals(asked)
    assert asked.budget.milliseconds < 400  # of which 250 are allowed; machines stumble
    assert slow.rows < 250
    assert answer["found"]
    assert answer["approximation"]["why"].startswith("there was no time for all")
    assert 0 < answer["approximation"]["looked_at"] < 250
    assert all(item["prediction"] == 1 for item in answer["counterfactuals"])


def test_an_answer_in_time_is_no_approximation(question: Ask) -> None:
    assert counterfactuals(question("wine", 0, options={"class": "cultivar 2"}))["approximation"] is None


def test_a_prediction_on_the_edge_of_two_classes_is_no_answer(published_small_models: Path) -> None:
    """Another way of adding up could turn a tie, and then the answer would be wrong."""
    steps = Slow(0, lambda X: np.where(X[:, 0] > 2, 0.9, np.where(X[:, 0] > 0, 0.5 + 1e-12, 0.1)))
    answer = counterfactuals(asked_slowly(published_small_models / "spam" / "1", steps, 0.001, 5000))
    assert all(item["instance"]["links"] > 2 for item in answer["counterfactuals"])


def test_it_is_answered_over_http(client: TestClient, applicant: dict[str, Any]) -> None:
    options = {"class": "defaulted", "locked": ["age"], "count": 2}
    response = client.post("/models/loans/explanations/counterfactuals", json={"data": applicant, "options": options})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["found"] == len(answer["counterfactuals"]) == 2
    instances = [item["instance"] for item in answer["counterfactuals"]]
    again = client.post("/models/loans/predict", json={"data": instances}).json()
    assert again["prediction"] == ["defaulted", "defaulted"]


def test_a_limit_that_is_no_limit_is_refused_over_http(client: TestClient, applicant: dict[str, Any]) -> None:
    options = {"class": "defaulted", "locked": ["agee"]}
    response = client.post("/models/loans/explanations/counterfactuals", json={"data": applicant, "options": options})
    assert response.status_code == 422
    assert "did you mean age?" in response.text
