"""Aliases moved by people: through the gate, by force, and back again."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from model_api.folders import read_aliases, read_history
from model_api.promotion import Refused, demote, promote, rollback
from model_api.publishing import publish

pytestmark = pytest.mark.usefixtures("tried_here")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with a champion, another as good as it, and a worse one."""
    X = pd.DataFrame({"x": np.arange(60.0)})
    y = (2 * X["x"] + np.random.default_rng(0).normal(size=60)).rename("y")
    for estimator, title in (
        (LinearRegression(), "first"),
        (LinearRegression(), "second"),
        (DummyRegressor(), "worse"),
    ):
        publish(estimator.fit(X, y), X, y, name="line", title=title, models=tmp_path, compiled=False)
    return tmp_path / "line"


def moves(model: Path) -> list[tuple[Any, ...]]:
    return [(move["from"], move["to"], move["by"]) for move in read_history(model)]


def test_a_version_that_passes_becomes_the_champion(model: Path) -> None:
    report = promote(model, "2")

    assert report.broken == []
    assert read_aliases(model) == {"champion": "2"}
    assert moves(model) == [(None, "1", "publish"), ("1", "2", "promote")]


def test_a_worse_version_is_refused_and_the_champion_stays(model: Path) -> None:
    with pytest.raises(
        Refused, match="line, version 3, does not become the champion: it is not true that it is as good"
    ):
        promote(model, "3")

    assert read_aliases(model) == {"champion": "1"}
    assert moves(model) == [(None, "1", "publish"), ("1", "3", "promote")]
    last = read_history(model)[-1]
    assert (last["refused"], last["broken"]) == (True, ["it is as good"])


def test_what_was_refused_is_nothing_to_go_back_to(model: Path) -> None:
    promote(model, "2")
    with pytest.raises(Refused):
        promote(model, "3")

    assert rollback(model) == ("2", "1")


def test_the_refusal_carries_the_whole_report(model: Path) -> None:
    with pytest.raises(Refused) as refusal:
        promote(model, "3")

    assert refusal.value.report is not None
    assert refusal.value.report.broken == ["it is as good"]


def test_force_promotes_it_and_is_written_down(model: Path) -> None:
    promote(model, "3", force=True)

    assert read_aliases(model) == {"champion": "3"}
    last = read_history(model)[-1]
    assert (last["forced"], last["broken"]) == (True, ["it is as good"])


def test_force_that_was_not_needed_is_none(model: Path) -> None:
    promote(model, "2", force=True)

    assert read_history(model)[-1]["forced"] is False


def test_a_challenger_may_be_worse_but_not_broken(model: Path) -> None:
    promote(model, "3", alias="challenger")
    assert read_aliases(model) == {"champion": "1", "challenger": "3"}

    (model / "2" / "card.md").unlink()
    with pytest.raises(Refused, match="it is not true that it can be served"):
        promote(model, "2", alias="challenger")


@pytest.mark.parametrize("alias", ["", "1", "Champion", "../x", "a b"])
def test_an_alias_that_cannot_be_asked_for_is_refused(model: Path, alias: str) -> None:
    with pytest.raises(Refused, match="cannot be an alias"):
        promote(model, "2", alias=alias)


def test_a_rollback_goes_back_one_step_each_time(model: Path) -> None:
    promote(model, "2")
    promote(model, "3", force=True)

    assert rollback(model) == ("3", "2")
    assert rollback(model) == ("2", "1")
    with pytest.raises(Refused, match="line has no earlier champion to go back to"):
        rollback(model)
    assert read_aliases(model) == {"champion": "1"}


def test_a_promotion_after_a_rollback_can_be_taken_back_too(model: Path) -> None:
    promote(model, "2")
    rollback(model)
    promote(model, "3", force=True)

    assert rollback(model) == ("3", "1")


def test_a_rollback_is_of_one_alias(model: Path) -> None:
    promote(model, "2")
    promote(model, "3", alias="challenger")

    with pytest.raises(Refused, match="no earlier challenger"):
        rollback(model, "challenger")
    assert rollback(model) == ("2", "1")
    assert read_aliases(model)["challenger"] == "3"


def test_a_version_that_is_gone_cannot_be_gone_back_to(model: Path) -> None:
    promote(model, "2")
    (model / "1").rename(model.parent / "elsewhere")

    with pytest.raises(Refused, match="had version 1 as its champion before, which is not there any more"):
        rollback(model)


def test_half_a_line_in_the_history_is_no_harm(model: Path) -> None:
    promote(model, "2")
    with (model / "history.jsonl").open("a") as file:
        file.write('{"alias": "champi')

    assert rollback(model) == ("2", "1")


def test_an_alias_is_taken_away_and_cannot_be_gone_back_to(model: Path) -> None:
    promote(model, "2", alias="challenger")

    assert demote(model, "challenger") == "2"
    assert read_aliases(model) == {"champion": "1"}
    promote(model, "3", alias="challenger")
    with pytest.raises(Refused, match="line has no earlier challenger to go back to"):
        rollback(model, "challenger")


def test_an_alias_that_answers_is_not_taken_away(model: Path) -> None:
    with pytest.raises(Refused, match="the champion cannot be taken away, because it answers"):
        demote(model, "champion")
    promote(model, "2", alias="challenger")
    (model / "traffic.json").write_text('{"shadow": "challenger"}')

    with pytest.raises(Refused, match="the challenger of line gets requests: say servery challenge line --off first"):
        demote(model, "challenger")
