"""A version beside the champion: what is compared, and by which rule it is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from model_api import gate
from model_api.gate import NoSuchVersion, Report, examine
from model_api.publishing import publish
from model_api.trial import Limits
from model_api.trust import Trust

Table = tuple[pd.DataFrame, Any]
CHAMPION_S, ITS_OWN = "on 200 rows of the champion's reference sample", "on 200 rows of its own reference sample"
pytestmark = pytest.mark.usefixtures("tried_here")


def rows(count: int = 200) -> Table:
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.uniform(0, 10, count), "z": random.uniform(0, 1, count)})
    return X, (3 * X["x"] + random.normal(0, 1, count)).rename("y")


def add(models: Path, estimator: Any, table: Table | None = None, **changes: Any) -> Path:
    X, y = table or rows()
    publish(estimator.fit(X, y), X, y, **{"name": "line", "models": models, "compiled": False, **changes})
    return models / "line"


def compared(model: Path) -> Report:
    return examine(model, "2", "1", Trust(), Limits())


def found(report: Report, rule: str) -> str:
    return next(check.found for check in report.checks if check.rule == rule)


def test_a_model_that_is_as_good_breaks_no_rule(tmp_path: Path) -> None:
    add(tmp_path, LinearRegression())
    report = compared(add(tmp_path, LinearRegression(), title="The same"))

    assert report.broken == []
    assert [check.rule for check in report.checks] == [
        *("it can be served", "it predicts the same thing", "it takes what the champion takes"),
        *("it is as good", "it is not much slower", "it is not much larger"),
    ]
    facts = dict(report.facts)
    assert set(facts) == {f"{what} {where}" for what in ("agreement", "error") for where in (CHAMPION_S, ITS_OWN)}
    assert "shift by +0 on average" in facts[f"agreement {ITS_OWN}"]


def test_a_worse_model_is_refused_with_both_figures(tmp_path: Path) -> None:
    add(tmp_path, LinearRegression())
    report = compared(add(tmp_path, DummyRegressor()))

    assert report.broken == ["it is as good"]
    assert "mean absolute error 7." in found(report, "it is as good")
    assert "the champion's 0.7" in found(report, "it is as good")


def test_a_better_model_passes(tmp_path: Path) -> None:
    add(tmp_path, DummyRegressor())

    assert compared(add(tmp_path, DecisionTreeRegressor(max_depth=5, random_state=0))).broken == []


def test_a_new_required_feature_breaks_the_callers(tmp_path: Path) -> None:
    X, y = rows()
    add(tmp_path, LinearRegression(), (X[["x"]], y))
    report = compared(add(tmp_path, LinearRegression()))

    assert "it takes what the champion takes" in report.broken
    assert "200 of 200 rows are not: z is missing" in found(report, "it takes what the champion takes")


def test_a_category_that_is_not_known_any_more_breaks_the_callers(tmp_path: Path) -> None:
    X, y = rows()
    add(tmp_path, LinearRegression(), (X.assign(z=(X["z"] > 0.5).astype(int)), y), features={"z": {"type": "category"}})
    fewer = X.assign(z=0)
    report = compared(add(tmp_path, LinearRegression(), (fewer, y), features={"z": {"type": "category"}}))

    assert "it takes what the champion takes" in report.broken


def test_another_target_is_refused(tmp_path: Path) -> None:
    X, y = rows()
    add(tmp_path, LinearRegression())
    report = compared(add(tmp_path, LogisticRegression(), (X, pd.Series(np.where(y > 15, "much", "little"), name="y"))))

    assert "it predicts the same thing" in report.broken
    assert report.facts == ()


def test_another_unit_is_another_target(tmp_path: Path) -> None:
    add(tmp_path, LinearRegression(), target={"unit": "kg"})

    assert compared(add(tmp_path, LinearRegression(), target={"unit": "g"})).broken == ["it predicts the same thing"]


def test_a_quality_that_was_never_measured_is_no_quality(tmp_path: Path) -> None:
    model = add(tmp_path, LinearRegression())
    X, y = rows()
    publish(LinearRegression().fit(X, y), name="line", models=tmp_path, target={"name": "y"})

    report = compared(model)

    assert "it is as good" in report.broken
    assert found(report, "it is as good") == "its quality was never measured, because it was published without data"


def test_what_a_champion_without_data_leaves_open_is_said_and_not_held_against_the_candidate(tmp_path: Path) -> None:
    X, y = rows()
    publish(LinearRegression().fit(X, y), name="line", models=tmp_path, target={"name": "y"})
    report = compared(add(tmp_path, LinearRegression()))

    assert report.broken == []
    assert [check.rule for check in report.checks if not check.compared] == [
        *("it takes what the champion takes", "it is as good"),
    ]
    assert "not compared: the champion was published without data" in found(report, "it takes what the champion takes")
    assert "not compared: the champion was published without data" in found(report, "it is as good")


def test_a_much_slower_or_larger_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "SLOW_MS", 0.0)
    monkeypatch.setattr(gate, "SLOWER", 1e-9)
    monkeypatch.setattr(gate, "MUCH_MEMORY", 0)
    monkeypatch.setattr(gate, "HUNGRIER", 1e-9)
    add(tmp_path, LinearRegression())

    report = compared(add(tmp_path, LinearRegression(), title="Another"))

    assert report.broken == ["it is not much slower", "it is not much larger"]


def test_a_moment_in_which_the_machine_was_busy_refuses_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([5000.0, 100.0])
    monkeypatch.setattr(gate, "_one_row_ms", lambda _: next(times))
    add(tmp_path, LinearRegression())

    report = compared(add(tmp_path, LinearRegression(), title="Another"))

    assert report.broken == []
    assert "5e+03" not in found(report, "it is not much slower")


def test_a_version_that_cannot_be_served_is_told_so_and_nothing_else(tmp_path: Path) -> None:
    add(tmp_path, LinearRegression())
    model = add(tmp_path, LinearRegression(), title="Another")
    (model / "2" / "card.md").unlink()

    report = compared(model)

    assert report.broken == ["it can be served"]
    assert found(report, "it can be served") == "card.md cannot be read: No such file or directory"


def test_a_champion_that_cannot_be_loaded_is_nothing_to_compare_with(tmp_path: Path) -> None:
    add(tmp_path, LinearRegression())
    model = add(tmp_path, LinearRegression(), title="Another")
    (model / "1" / "card.md").unlink()

    report = compared(model)

    assert report.broken == []
    assert "there is nothing to compare with" in dict(report.facts)["champion"]


def test_a_version_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    model = add(tmp_path, LinearRegression())

    with pytest.raises(NoSuchVersion, match="line has no version 7; there is 1"):
        examine(model, "7", "1", Trust(), Limits())


def test_agreement_of_classes_is_told_with_the_shift_of_probabilities(tmp_path: Path) -> None:
    X, y = rows()
    labels = pd.Series(np.where(y > 15, "much", "little"), name="y")
    add(tmp_path, LogisticRegression(), (X, labels))
    report = compared(add(tmp_path, LogisticRegression(C=0.5), (X, labels)))

    agreement = dict(report.facts)[f"agreement {ITS_OWN}"]
    assert agreement.startswith("the same class for ")
    assert "probabilities shift by 0.0" in agreement
