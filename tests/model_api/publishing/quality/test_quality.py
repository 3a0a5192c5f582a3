"""How good a model is on rows that it has not seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC

from model_api.publishing.quality import MOST_SCORES, Assessment, assess
from model_api.publishing.quality.unseen import FOLDS, SEED
from model_api.publishing.signature_inference import infer_signature
from model_api.runtimes.frames import layout_of
from model_api.runtimes.sklearn import SklearnPredictor

Table = tuple[pd.DataFrame, Any]


@pytest.fixture
def table() -> Table:
    """A hundred rows, and a number that depends on them with some noise."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=100), "noise": random.normal(size=100)})
    return X, (3 * X["x"] + random.normal(0, 0.1, 100)).rename("y")


@pytest.fixture
def labels(table: Table) -> Table:
    """The same rows, and whether the number is positive."""
    X, y = table
    return X, pd.Series(np.where(y > 0, "yes", "no"), name="y")


def assessed(estimator: Any, table: Table, held_out: Table | None = None, **target: Any) -> Assessment:
    X, y = table
    fitted = estimator.fit(X, y)
    signature = infer_signature(fitted, X, y, {}, target)
    predictor = SklearnPredictor(fitted, layout_of(X), signature.target.classes)
    return assess(fitted, signature, table, held_out, predictor)


def importances(found: Assessment) -> list[str]:
    return [row["feature"] for row in found.quality["importance"]["features"]]


def test_a_regression_is_measured_by_cross_validation(table: Table) -> None:
    X, y = table
    predicted = cross_val_predict(LinearRegression(), X, y, cv=KFold(FOLDS, shuffle=True, random_state=SEED))

    found = assessed(LinearRegression(), table)

    errors = np.abs(y - predicted)
    assert found.quality["headline"] == "mean_absolute_error"
    assert found.quality["method"] == "10-fold cross-validation on 100 rows"
    assert found.quality["metrics"]["mean_absolute_error"] == pytest.approx(errors.mean())
    assert found.quality["metrics"]["root_mean_squared_error"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert found.quality["metrics"]["r2"] > 0.99
    assert found.scores == [pytest.approx(sorted(errors))]


def test_held_out_rows_go_before_cross_validation(table: Table) -> None:
    X, y = table
    fitted = LinearRegression().fit(X[:60], y[:60])

    found = assessed(
        LinearRegression(), (X[:60], y[:60]), (X[60:].reset_index(drop=True), y[60:].reset_index(drop=True))
    )

    errors = np.abs(y[60:] - fitted.predict(X[60:]))
    assert (found.quality["method"], found.quality["rows"]) == ("40 held-out rows", 40)
    assert found.scores == [pytest.approx(sorted(errors))]


def test_no_row_is_scored_by_a_model_that_has_seen_it() -> None:
    X = pd.DataFrame({"x": np.arange(50.0)})
    y = pd.Series(np.random.default_rng(0).normal(size=50), name="y")

    found = assessed(KNeighborsRegressor(n_neighbors=1), (X, y))

    assert min(found.scores[0]) > 0  # a model that had seen the row would repeat its value


class FitsOnce(LinearRegression):  # type: ignore[misc] # scikit-learn ships no types
    """An estimator that cannot be fitted a second time."""

    fits = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "FitsOnce":
        FitsOnce.fits += 1
        if FitsOnce.fits > 1:
            raise RuntimeError("the data base is gone")
        fitted: FitsOnce = super().fit(X, y, sample_weight)
        return fitted


def test_an_estimator_that_cannot_be_fitted_anew_is_flattered_and_has_no_intervals(table: Table) -> None:
    FitsOnce.fits = 0

    found = assessed(FitsOnce(), table)

    assert found.quality["method"] == "100 rows that it was fitted on, which flatters it"
    assert found.quality["honest"] is False
    assert found.scores == [[]]


def test_the_estimator_that_is_published_is_left_as_it_is(table: Table) -> None:
    X, y = table
    fitted = LinearRegression().fit(X, y)
    before = fitted.coef_.copy()

    assessed(fitted, table)

    assert fitted.coef_.tolist() == before.tolist()


def test_a_model_that_knows_nothing_has_no_merit(table: Table, labels: Table) -> None:
    number = assessed(DummyRegressor(), table)
    label = assessed(DummyClassifier(), labels)

    assert number.quality["metrics"]["r2"] < 0.01
    assert label.quality["metrics"]["balanced_accuracy"] == pytest.approx(0.5)


def test_a_classification_with_two_classes_is_headed_by_its_roc_auc(labels: Table) -> None:
    found = assessed(LogisticRegression(), labels)

    assert found.quality["headline"] == "roc_auc"
    assert set(found.quality["metrics"]) == {
        *("balanced_accuracy", "accuracy", "roc_auc", "average_precision", "brier_score", "log_loss"),
    }
    assert 0.95 < found.quality["metrics"]["roc_auc"] <= 1
    (scores,) = found.scores
    assert len(scores) == 100
    assert 0 <= scores[0] <= scores[-1] <= 1


@pytest.mark.parametrize("positive", ["yes", "no", None])
def test_which_class_is_the_positive_one_does_not_turn_the_roc_auc(labels: Table, positive: str | None) -> None:
    assert assessed(LogisticRegression(), labels, positive=positive).quality["metrics"]["roc_auc"] > 0.95


def test_a_classification_with_three_classes_is_headed_by_its_balanced_accuracy(table: Table) -> None:
    X, y = table
    three = pd.cut(y, [-np.inf, -1, 1, np.inf], labels=["low", "mid", "high"]).astype(str)

    found = assessed(LogisticRegression(), (X, three))

    assert found.quality["headline"] == "balanced_accuracy"
    assert found.quality["metrics"]["roc_auc"] > 0.9
    assert set(found.quality["curves"]["roc"]) == {"low", "mid", "high"}


def test_a_classifier_without_probabilities_has_labels_alone(labels: Table) -> None:
    found = assessed(LinearSVC(), labels)

    assert found.quality["headline"] == "balanced_accuracy"
    assert set(found.quality["metrics"]) == {"balanced_accuracy", "accuracy"}
    assert set(found.quality["curves"]) == {"confusion"}
    assert found.scores == [[]]


def test_a_regression_of_several_numbers_has_scores_for_each(table: Table) -> None:
    X, y = table
    both = pd.DataFrame({"y": y, "minus": -y})

    found = assessed(LinearRegression(), (X, both))

    assert [len(scores) for scores in found.scores] == [100, 100]
    assert set(found.quality["curves"]["residuals"]) == {"y", "minus"}


def test_the_curves_of_a_classification_begin_and_end_where_they_must(labels: Table) -> None:
    curves = assessed(LogisticRegression(), labels).quality["curves"]

    roc, recall = curves["roc"]["yes"], curves["precision_recall"]["yes"]
    assert (roc["false_positive_rate"][0], roc["true_positive_rate"][-1]) == (0, 1)
    assert (recall["recall"][0], recall["precision"][-1]) == (1, 1)
    assert sum(curves["calibration"]["yes"]["rows"]) == 100
    assert np.sum(curves["confusion"]["counts"]) == 100


def test_the_mistakes_of_two_classes_are_counted_at_thresholds(labels: Table) -> None:
    X, y = labels
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    shares = cross_val_predict(LogisticRegression(), X, y, cv=folds, method="predict_proba")

    curves = assessed(LogisticRegression(), labels).quality["curves"]["thresholds"]

    assert list(curves) == ["no", "yes"]
    for place, level in enumerate(curves):
        curve, true, share = curves[level], (y == level).to_numpy(), shares[:, place]
        assert (curve["positives"], curve["negatives"]) == (true.sum(), (~true).sum())
        assert (curve["thresholds"][0], curve["thresholds"][-1]) == (0, 1)
        assert curve["thresholds"] == sorted(set(curve["thresholds"]))
        assert 50 < len(curve["thresholds"]) <= 101
        for threshold, wrong, missed in zip(
            curve["thresholds"], curve["false_positives"], curve["false_negatives"], strict=True
        ):
            assert wrong == (share[~true] >= threshold).sum()
            assert missed == (share[true] < threshold).sum()


def test_a_rare_class_has_thresholds_among_its_own_rows() -> None:
    random = np.random.default_rng(2)
    X = pd.DataFrame({"x": random.normal(size=2000)})
    y = pd.Series(np.where(X["x"] + random.normal(0, 0.3, 2000) > 2.2, "fraud", "fine"), name="y")

    curve = assessed(LogisticRegression(), (X, y), positive="fraud").quality["curves"]["thresholds"]["fraud"]

    assert curve["positives"] < 60
    assert len(set(curve["false_negatives"])) > curve["positives"] / 2


def test_three_classes_have_no_thresholds(table: Table) -> None:
    X, y = table
    three = pd.cut(y, [-np.inf, -1, 1, np.inf], labels=["low", "mid", "high"]).astype(str)

    assert "thresholds" not in assessed(LogisticRegression(), (X, three)).quality["curves"]


def test_the_groups_of_a_category_are_measured_each(table: Table) -> None:
    X, y = table
    grouped = X.assign(group=["a"] * 70 + ["b"] * 25 + ["rare"] * 5)
    pipeline = _on_numbers()

    slices: Sequence[dict[str, Any]] = assessed(pipeline, (grouped, y)).quality["slices"]

    assert [(row["feature"], row["level"], row["rows"]) for row in slices] == [("group", "a", 70), ("group", "b", 25)]
    assert all(0 < row["mean_absolute_error"] < 1 for row in slices)


def _on_numbers() -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline

    return make_pipeline(make_column_transformer(("passthrough", ["x", "noise"])), LinearRegression())


def test_the_feature_that_matters_comes_first_and_noise_is_near_zero(table: Table, labels: Table) -> None:
    for found in (assessed(LinearRegression(), table), assessed(LogisticRegression(), labels)):
        assert importances(found) == ["x", "noise"]
        first, second = (row["mean"] for row in found.quality["importance"]["features"])
        assert first > 10 * abs(second)


def test_many_scores_are_thinned_without_moving_a_quantile() -> None:
    random = np.random.default_rng(1)
    X = pd.DataFrame({"x": random.normal(size=12_000)})
    y = pd.Series(X["x"] + random.normal(size=12_000), name="y")

    (scores,) = assessed(LinearRegression(), (X, y)).scores

    assert len(scores) == MOST_SCORES
    assert np.quantile(scores, 0.9) == pytest.approx(1.645, abs=0.05)  # of |N(0, 1)|


def sized(rows: int, growing: bool) -> Table:
    """Make rows whose number is harder to predict the larger it is, or everywhere the same."""
    random = np.random.default_rng(3)
    X = pd.DataFrame({"x": random.uniform(1, 10, rows)})
    return X, (10 * X["x"] + random.normal(size=rows) * (X["x"] if growing else 5)).rename("y")


def test_scores_are_kept_by_size_where_large_numbers_are_harder_to_predict() -> None:
    found = assessed(LinearRegression(), sized(600, growing=True)).calibration

    (group,) = found.groups
    assert group
    assert [len(scores) for scores in group.scores] == [200, 200, 200]
    assert sorted(score for scores in group.scores for score in scores) == pytest.approx(found.scores[0])
    small, middle, large = (np.quantile(scores, 0.9) for scores in group.scores)
    assert small < middle < large
    assert group.edges == pytest.approx((40, 70), abs=5)
    assert found.to_dict()["groups"] == [{"edges": group.edges, "scores": group.scores}]


def test_scores_are_not_kept_by_size_where_it_makes_no_difference_or_rows_are_few() -> None:
    for rows, growing in ((600, False), (290, True)):
        calibration = assessed(LinearRegression(), sized(rows, growing)).calibration

        assert calibration.groups == [None]
        assert calibration.to_dict() == {"scores": calibration.scores}


def test_a_classification_has_no_scores_by_size(labels: Table) -> None:
    assert set(assessed(LogisticRegression(), labels).calibration.to_dict()) == {"scores"}


def test_each_of_several_numbers_has_scores_by_size_of_its_own() -> None:
    X, y = sized(600, growing=True)
    both = pd.DataFrame({"y": y, "even": 3 * X["x"] + np.random.default_rng(5).normal(size=600)})

    growing, even = assessed(LinearRegression(), (X, both)).calibration.groups

    assert growing
    assert even is None


def test_assessing_twice_gives_the_same(table: Table, labels: Table) -> None:
    assert assessed(LinearRegression(), table) == assessed(LinearRegression(), table)
    assert assessed(LogisticRegression(), labels) == assessed(LogisticRegression(), labels)
