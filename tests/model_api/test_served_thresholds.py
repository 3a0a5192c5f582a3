"""The threshold that is served for a version: decided on the command line, written down, told to whoever asks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from model_api.errors import ArtifactError
from model_api.folders import HISTORY, move_alias, read_history
from model_api.loading import load_version
from model_api.registry import Registry
from model_api.served_thresholds import (
    CannotDecide,
    ServedThreshold,
    decide,
    has_threshold,
    in_words,
    misplaced,
    read_thresholds,
)
from model_api.signature import Target
from model_api.trust import Trust

SPAM = Target("spam", "binary", classes=(0, 1), positive=1)
DECIDED = {"threshold": 0.3, "class": 1, "at": "2026-11-29T02:00:00.000+00:00", "by": "the board"}
MAIL = {"links": 0.5, "capitals": 0.1, "length": 0.2}


@pytest.fixture
def spam(small_models: Path) -> Path:
    """The folder of a model of two classes."""
    return small_models / "spam"


def write(model: Path, table: Any) -> None:
    (model / "decisions.json").write_text(json.dumps(table))


def test_nothing_is_decided_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_thresholds(tmp_path) == {}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write(tmp_path, {"1": DECIDED})

    (decided,) = read_thresholds(tmp_path).values()

    assert decided == ServedThreshold(0.3, 1, str(DECIDED["at"]), "the board")
    assert decided.as_table() == DECIDED


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"champion": DECIDED}, "'champion' is not the number of a version"),
        ({"1": {**DECIDED, "threshold": 1.5}}, "the threshold must be from 0 to 1, not 1.5"),
        ({"1": {**DECIDED, "threshold": "0.5"}}, 'threshold must be a number, not "0.5"'),
        ({"1": {**DECIDED, "threshold": True}}, "threshold must be a number, not true"),
        ({"1": {**DECIDED, "cost": 3}}, "version 1 has no 'cost'"),
        ({"1": {**DECIDED, "by": None}}, "by must be text"),
        ({"1": {"threshold": 0.5, "class": 1, "at": ""}}, "version 1 has no by"),
        ({"1": 0.5}, "version 1 must be a table, not 0.5"),
        ([], ""),
        (3, ""),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: Any, words: str) -> None:
    write(tmp_path, table)

    with pytest.raises(ArtifactError, match=f"decisions.json is not a table of decisions: .*{words}"):
        read_thresholds(tmp_path)


def test_a_threshold_is_decided_for_the_positive_class_and_written_down(spam: Path) -> None:
    number, decided = decide(spam, "1", 0.25, "ann")

    assert number == "1"
    assert decided
    assert (decided.threshold, decided.level, decided.by) == (0.25, 1, "ann")
    assert read_thresholds(spam) == {"1": decided}
    (line,) = [line for line in map(json.loads, (spam / HISTORY).read_text().splitlines()) if "decided" in line]
    assert {**line, "at": ""} == {"at": "", "decided": "1", "threshold": 0.25, "before": None, "by": "ann"}


def test_a_version_may_be_named_by_its_alias(spam: Path) -> None:
    assert decide(spam, "champion", 0.5)[0] == "1"


def test_a_threshold_is_decided_anew_or_taken_away(spam: Path) -> None:
    decide(spam, "1", 0.25)
    decide(spam, "1", 0.75)
    assert read_thresholds(spam)["1"].threshold == 0.75

    assert decide(spam, "1", None) == ("1", None)

    assert read_thresholds(spam) == {}
    lines = [line for line in map(json.loads, (spam / HISTORY).read_text().splitlines()) if "decided" in line]
    assert [(line["before"], line["threshold"]) for line in lines] == [(None, 0.25), (0.25, 0.75), (0.75, None)]


def test_other_versions_keep_theirs(spam: Path) -> None:
    write(spam, {"7": DECIDED})

    decide(spam, "1", 0.5)

    assert {number: decided.threshold for number, decided in read_thresholds(spam).items()} == {"1": 0.5, "7": 0.3}


def test_that_something_was_decided_is_no_move_of_an_alias(spam: Path) -> None:
    before = read_history(spam)

    decide(spam, "1", 0.5)

    assert read_history(spam) == before


@pytest.mark.parametrize(
    ("version", "threshold", "words"),
    [
        ("2", 0.5, "spam has no version '2'; there is champion, 1"),
        ("1", 1.5, "a threshold is a probability from 0 to 1, not 1.5"),
        ("1", float("nan"), "a threshold is a probability from 0 to 1, not nan"),
        ("1", None, "spam, version 1, has no threshold that could be taken away"),
    ],
)
def test_what_cannot_be_decided_is_refused(spam: Path, version: str, threshold: float | None, words: str) -> None:
    with pytest.raises(CannotDecide, match=words):
        decide(spam, version, threshold)
    assert not (spam / "decisions.json").exists()


def test_a_model_of_numbers_has_no_threshold(small_models: Path) -> None:
    with pytest.raises(CannotDecide, match="rent, version 1, predicts a number: a threshold is for two classes"):
        decide(small_models / "rent", "1", 0.5)


@pytest.mark.parametrize(
    ("target", "has"),
    [
        (SPAM, True),
        (Target("y", "binary", classes=("a", "b"), probabilities=False), False),
        (Target("y", "multiclass", classes=("a", "b", "c")), False),
        (Target("y", "regression"), False),
    ],
)
def test_two_classes_with_probabilities_have_a_threshold(target: Target, has: bool) -> None:
    assert has_threshold(target) == has


def test_a_threshold_of_a_class_that_is_not_looked_for_is_named() -> None:
    odd = ServedThreshold(0.3, "defaulted", "", "")

    (problem,) = misplaced({"1": odd, "2": odd, "3": ServedThreshold(0.3, 1, "", "")}, {"1": SPAM, "3": SPAM})

    assert problem == (
        'decisions.json has a threshold of version 1 for the class "defaulted", which is not the one that this version '
        "looks for; it is not used"
    )


def test_what_is_decided_is_said_in_a_sentence() -> None:
    decided = ServedThreshold(0.3, "defaulted", "", "")

    assert in_words("2", decided) == 'version 2 is to be taken for "defaulted" from a probability of 0.3 on'
    assert in_words("2", None) == "version 2 has no threshold any more"


@pytest.fixture
def registry(small_models: Path) -> Registry:
    """The two small models, served."""
    registry = Registry(small_models, load_version=lambda folder: load_version(folder, Trust()))
    registry.load()
    return registry


def served(registry: Registry) -> float | None:
    entry = registry.entry("spam")
    return entry.served_threshold(entry.resolve("champion"))


def test_a_service_notices_what_is_decided(registry: Registry, spam: Path) -> None:
    assert served(registry) is None

    decide(spam, "1", 0.3)
    registry.refresh()
    assert served(registry) == 0.3

    decide(spam, "1", None)
    registry.refresh()
    assert served(registry) is None


def test_a_table_that_cannot_be_read_leaves_what_was_decided_and_is_a_problem(registry: Registry, spam: Path) -> None:
    decide(spam, "1", 0.3)
    registry.refresh()

    (spam / "decisions.json").write_text("{")
    registry.refresh()

    assert served(registry) == 0.3
    (problem,) = registry.entry("spam").problems
    assert problem.startswith("decisions.json is not a table of decisions")


def test_a_threshold_of_another_class_is_not_used_and_is_a_problem(registry: Registry, spam: Path) -> None:
    write(spam, {"1": {**DECIDED, "class": 0}})

    registry.refresh()

    assert served(registry) is None
    (problem,) = registry.entry("spam").problems
    assert "for the class 0, which is not the one" in problem


def test_it_is_told_of_the_model_of_the_version_and_to_who_decides(
    small_models: Path, spam: Path, serving: Callable[..., TestClient]
) -> None:
    write(spam, {"1": DECIDED})
    move_alias(spam, "trial", "1")
    client = serving(small_models)

    assert client.get("/models/spam").json()["decisions"] == {"1": DECIDED}
    assert client.get("/models/rent").json()["decisions"] == {}
    assert client.get("/models/spam/versions/trial").json()["decision"] == DECIDED
    assert client.get("/models/rent/versions/1").json()["decision"] is None
    for place in ("spam", "spam/versions/1"):
        answer = client.post(f"/models/{place}/explanations/decisions", json={"data": MAIL})
        assert answer.status_code == 200
        told = answer.json()["served"]
        assert (told["threshold"], told["class"]) == (0.3, 1)
        assert told["cost"] == pytest.approx((told["false_positives"] + told["false_negatives"]) / 60)


def test_a_model_of_numbers_says_that_nothing_is_to_be_decided(
    small_models: Path, serving: Callable[..., TestClient], flat: dict[str, Any]
) -> None:
    answer = serving(small_models).post("/models/rent/explanations/decisions", json={"data": flat})

    assert answer.status_code == 501
    assert "models of two classes" in answer.json()["detail"]
