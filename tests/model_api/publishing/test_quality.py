"""How good a model is on rows that it has not seen."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor

from model_api.publishing.quality import FOLDS, SEED, assess
from model_api.signature import Target

NUMBER = Target("y", "regression")
LABEL = Target("y", "binary", classes=("no", "yes"), positive="yes")


@pytest.fixture
def table() -> tuple[pd.DataFrame, "pd.Series[Any]"]:
    """A hundred rows, and a number that depends on them with some noise."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=100)})
    return X, 3 * X["x"] + random.normal(0, 0.1, 100)


def test_a_regression_is_measured_by_cross_validation(table: tuple[pd.DataFrame, "pd.Series[Any]"]) -> None:
    X, y = table
    predicted = cross_val_predict(LinearRegression(), X, y, cv=KFold(FOLDS, shuffle=True, random_state=SEED))

    quality, scores = assess(LinearRegression(), X, y, NUMBER)

    errors = np.abs(y - predicted)
    assert quality["headline"] == "mean_absolute_error"
    assert quality["method"] == "10-fold cross-validation on 100 rows"
    assert quality["metrics"]["mean_absolute_error"] == pytest.approx(errors.mean())
    assert quality["metrics"]["root_mean_squared_error"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert quality["metrics"]["r2"] > 0.99
    assert scores == pytest.approx(sorted(errors))


def test_no_row_is_scored_by_a_model_that_has_seen_it() -> None:
    X = pd.DataFrame({"x": np.arange(50.0)})
    y = pd.Series(np.random.default_rng(0).normal(size=50))

    _, scores = assess(KNeighborsRegressor(n_neighbors=1).fit(X, y), X, y, NUMBER)

    assert min(scores) > 0  # a model that had seen the row would repeat its value


def test_the_estimator_that_is_published_is_left_as_it_is(table: tuple[pd.DataFrame, "pd.Series[Any]"]) -> None:
    X, y = table
    fitted = LinearRegression().fit(X, y)
    before = fitted.coef_.copy()

    assess(fitted, X, y, NUMBER)

    assert fitted.coef_.tolist() == before.tolist()


def test_a_model_that_knows_nothing_has_no_merit(table: tuple[pd.DataFrame, "pd.Series[Any]"]) -> None:
    X, y = table
    labels = pd.Series(np.where(y > 0, "yes", "no"))

    number, _ = assess(DummyRegressor(), X, y, NUMBER)
    label, _ = assess(DummyClassifier(), X, labels, LABEL)

    assert number["metrics"]["r2"] < 0.01
    assert label["metrics"]["balanced_accuracy"] == pytest.approx(0.5)


def test_a_classification_with_two_classes_is_headed_by_its_roc_auc(
    table: tuple[pd.DataFrame, "pd.Series[Any]"],
) -> None:
    X, y = table

    quality, scores = assess(LogisticRegression(), X, pd.Series(np.where(y > 0, "yes", "no")), LABEL)

    assert quality["headline"] == "roc_auc"
    assert set(quality["metrics"]) == {"balanced_accuracy", "accuracy", "roc_auc", "log_loss"}
    assert 0.95 < quality["metrics"]["roc_auc"] <= 1
    assert len(scores) == 100
    assert 0 <= scores[0] <= scores[-1] <= 1


def test_which_class_is_the_positive_one_does_not_turn_the_roc_auc(
    table: tuple[pd.DataFrame, "pd.Series[Any]"],
) -> None:
    X, y = table
    labels = pd.Series(np.where(y > 0, "yes", "no"))

    for positive in ("yes", "no", None):
        target = Target("y", "binary", classes=("no", "yes"), positive=positive)
        assert assess(LogisticRegression(), X, labels, target)[0]["metrics"]["roc_auc"] > 0.95


def test_a_classification_with_three_classes_is_headed_by_its_balanced_accuracy(
    table: tuple[pd.DataFrame, "pd.Series[Any]"],
) -> None:
    X, y = table
    labels = pd.cut(y, [-np.inf, -1, 1, np.inf], labels=["low", "mid", "high"]).astype(str)

    quality, _ = assess(LogisticRegression(), X, labels, Target("y", "multiclass", classes=("high", "low", "mid")))

    assert quality["headline"] == "balanced_accuracy"
    assert quality["metrics"]["roc_auc"] > 0.9


def test_assessing_twice_gives_the_same(table: tuple[pd.DataFrame, "pd.Series[Any]"]) -> None:
    X, y = table

    labels = pd.Series(np.where(y > 0, "yes", "no"))

    assert assess(LinearRegression(), X, y, NUMBER) == assess(LinearRegression(), X, y, NUMBER)
    assert assess(LogisticRegression(), X, labels, LABEL) == assess(LogisticRegression(), X, labels, LABEL)
