"""What the steps of a pipeline know of the features, without their data."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from model_api.publishing.estimator_knowledge import FeatureKnowledge, features_known_to
from tests.model_api.zoo import ZOO
from tests.model_api.zoo_data import diabetes

X = pd.DataFrame({"x": [0.0, 2.0, 4.0, 6.0, 8.0], "y": [10.0, 10.0, 10.0, 20.0, 50.0]})
TRUE = [0.0, 1.0, 2.0, 3.0, 5.0]
TEXTS = pd.DataFrame({"city": ["b", "a", "b", None, "c"], "x": X["x"], "note": ["good film", "bad", "a b", "c", "d"]})
NOTHING = FeatureKnowledge()


def known(*steps: Any, frame: pd.DataFrame = X) -> dict[str, FeatureKnowledge]:
    return features_known_to(make_pipeline(*steps, Ridge()).fit(frame, TRUE))


def by_column(step: Any, columns: Any = ("city",)) -> FeatureKnowledge:
    chosen = columns if isinstance(columns, str) else list(columns)
    transformer = ColumnTransformer([("step", step, chosen)])
    return known(transformer, frame=TEXTS)["city" if not isinstance(columns, str) else columns]


def test_a_bare_estimator_knows_the_names_alone() -> None:
    assert features_known_to(Ridge().fit(X, TRUE)) == {"x": NOTHING, "y": NOTHING}


def test_features_without_names_are_numbered() -> None:
    assert features_known_to(Ridge().fit(X.to_numpy(), TRUE)) == {"x0": NOTHING, "x1": NOTHING}


def test_an_estimator_that_was_not_fitted_knows_nothing() -> None:
    assert features_known_to(Ridge()) == {}


@pytest.mark.parametrize(
    ("scaler", "low", "high", "typical", "exact"),
    [
        (StandardScaler(), 4 - 2 * np.sqrt(8), 4 + 2 * np.sqrt(8), 4, False),
        (StandardScaler(with_std=False), 2, 6, 4, False),
        (RobustScaler(), 4 - 2 * 4, 4 + 2 * 4, 4, False),
        (MinMaxScaler(), 0, 8, 4, True),
        (KBinsDiscretizer(2, strategy="uniform"), 0, 8, 4, True),
        (QuantileTransformer(n_quantiles=5), 0, 8, 4, True),
    ],
    ids=str,
)
def test_a_scaler_knows_where_values_lie(scaler: Any, low: float, high: float, typical: float, exact: bool) -> None:
    found = known(scaler)["x"]

    assert (found.low, found.high, found.typical) == pytest.approx((low, high, typical))
    assert found.exact is exact


@pytest.mark.parametrize(
    "scaler", [StandardScaler(with_mean=False, with_std=False), RobustScaler(with_centering=False)], ids=str
)
def test_a_scaler_that_does_not_centre_knows_nothing(scaler: Any) -> None:
    assert known(scaler)["x"] == NOTHING


def test_an_imputer_fills_gaps_and_knows_a_typical_value() -> None:
    found = known(SimpleImputer(strategy="median"))

    assert found == {
        "x": FeatureKnowledge(typical=4, fills_gaps=True),
        "y": FeatureKnowledge(typical=10, fills_gaps=True),
    }


def test_what_an_earlier_step_says_goes_before_what_a_later_one_says() -> None:
    found = known(SimpleImputer(strategy="median"), StandardScaler())["y"]

    assert (found.typical, found.fills_gaps) == (10, True)
    assert (found.low, found.high) == pytest.approx((20 - 2 * np.sqrt(240), 20 + 2 * np.sqrt(240)))


def test_steps_after_the_columns_were_changed_are_not_asked() -> None:
    assert known(PolynomialFeatures(), MinMaxScaler()) == {"x": NOTHING, "y": NOTHING}


@pytest.mark.parametrize("encoder", [OneHotEncoder(), TargetEncoder(target_type="continuous")], ids=str)
def test_an_encoder_knows_the_levels_and_not_what_is_missing(encoder: Any) -> None:
    found = by_column(encoder)

    assert found.categories == ("a", "b", "c")
    assert not found.ordered


@pytest.mark.parametrize(
    ("categories", "levels", "ordered"),
    [("auto", ("a", "b", "c"), False), ([["c", "a", "b", np.nan]], ("c", "a", "b"), True)],
)
def test_levels_that_a_person_ordered_are_told_apart(categories: Any, levels: tuple[str, ...], ordered: bool) -> None:
    found = by_column(OrdinalEncoder(categories=categories, encoded_missing_value=-1))

    assert (found.categories, found.ordered) == (levels, ordered)


def test_levels_behind_an_imputer_are_known_too() -> None:
    found = by_column(make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()))

    assert found == FeatureKnowledge(categories=("a", "b", "c"), typical="b", fills_gaps=True)


def test_levels_that_are_numbers_are_plain_numbers() -> None:
    found = known(ColumnTransformer([("step", OneHotEncoder(), ["y"])]))["y"]

    assert found.categories == (10, 20, 50)
    assert {type(level) for level in found.categories} == {float}


@pytest.mark.parametrize("step", [CountVectorizer(), TfidfVectorizer(), make_pipeline(CountVectorizer())], ids=str)
def test_what_a_vectoriser_reads_is_text(step: Any) -> None:
    assert by_column(step, "note") == FeatureKnowledge(text=True)


def test_columns_that_no_step_takes_are_unknown() -> None:
    found = known(ColumnTransformer([("x", MinMaxScaler(), ["x"]), ("y", "drop", ["y"])], remainder="drop"))

    assert found["x"].exact
    assert found["y"] == NOTHING


def test_columns_may_be_named_by_place_and_by_slice() -> None:
    steps = ColumnTransformer([("first", MinMaxScaler(), [0]), ("rest", SimpleImputer(), slice(1, None))])

    found = known(steps)

    assert found["x"].exact
    assert found["y"].fills_gaps


def test_trees_split_within_the_range_of_the_data() -> None:
    found = features_known_to(DecisionTreeRegressor().fit(X[["x"]], TRUE))["x"]

    assert found == FeatureKnowledge(low=1, high=7, typical=4)


@pytest.mark.parametrize("name", ["boosting for numbers", "boosting of three classes"])
def test_the_trees_of_boosting_are_asked_together(name: str) -> None:
    case = ZOO[name]

    for feature, found in features_known_to(case.fitted).items():
        if found.low is not None:
            assert found.high is not None
            assert case.frame[feature].min() <= found.low <= found.high <= case.frame[feature].max()


@pytest.mark.parametrize(
    "wrapped",
    [
        GridSearchCV(make_pipeline(MinMaxScaler(), Ridge()), {"ridge__alpha": [1.0]}, cv=2),
        FixedThresholdClassifier(make_pipeline(MinMaxScaler(), LogisticRegression()), threshold=0.5),
    ],
    ids=["search", "threshold"],
)
def test_what_is_inside_of_another_estimator_is_asked(wrapped: Any) -> None:
    true = np.array([0, 0, 1, 1, 1]) if isinstance(wrapped, FixedThresholdClassifier) else TRUE

    assert features_known_to(wrapped.fit(X, true))["x"].exact


@pytest.mark.parametrize("name", ZOO)
def test_what_is_known_of_the_zoo_is_true_of_its_data(name: str) -> None:
    case = ZOO[name]

    for feature, found in features_known_to(case.fitted).items():
        column = case.frame[feature]
        if found.categories:
            assert set(column.dropna()) <= set(found.categories)
        if found.exact:
            assert (found.low, found.high) == (column.min(), column.max())
        if found.fills_gaps and column.isna().any():
            assert found.typical is not None


def test_a_forest_knows_ranges_from_its_splits() -> None:
    frame, true = diabetes()
    found = features_known_to(RandomForestRegressor(5, random_state=0).fit(frame, true))["bmi"]

    assert found.low is not None
    assert found.high is not None
    assert frame["bmi"].min() <= found.low < found.high <= frame["bmi"].max()


@pytest.mark.parametrize("later", [MinMaxScaler(), KBinsDiscretizer(3, strategy="uniform")], ids=str)
def test_a_guess_stays_a_guess_when_a_later_step_is_sure(later: Any) -> None:
    found = features_known_to(make_pipeline(StandardScaler(), later, Ridge()).fit(*diabetes()))["age"]

    assert not found.exact


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(MaxAbsScaler(), DecisionTreeRegressor(max_depth=9)),
        VotingRegressor(
            [(name, make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=9))) for name in ("a", "b")]
        ),
    ],
    ids=["behind a scaler that tells nothing", "inside of two pipelines"],
)
def test_splits_of_scaled_numbers_say_nothing_of_the_numbers(estimator: Any) -> None:
    frame, true = diabetes()
    found = features_known_to(estimator.fit(frame, true))["age"]

    assert found.low is None or (found.low >= frame["age"].min() and found.high is not None and found.high > 2)
