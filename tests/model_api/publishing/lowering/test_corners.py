"""Settings of steps and estimators that are rarely used: their plans are right, or there is none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import StackingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from model_api.publishing.lowering import Unlowerable, lower
from model_api.publishing.reference_sample import plain_columns
from tests.model_api.zoo import Case, mixed
from tests.model_api.zoo_data import Table, cancer, diabetes, people, wine


def assert_plan_is_right(estimator: Any, table: Table, *, asked: pd.DataFrame | None = None) -> None:
    case = Case(estimator, lambda: table)
    columns = case.columns if asked is None else plain_columns(asked, case.signature)
    expected, given = case.reference.predict(columns), case.lowered.predict(columns)
    if expected.labels is not None:
        assert given.labels is not None
        assert given.labels.tolist() == expected.labels.tolist()
    for part in ("numbers", "probabilities"):
        theirs, ours = getattr(expected, part), getattr(given, part)
        assert theirs is None or np.abs(ours - theirs).max() <= 1e-9 * (np.std(theirs) if part == "numbers" else 1)


def shuffled(X: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame({name: random.permutation(X[name]) for name in X})


def test_weights_of_a_column_transformer_count() -> None:
    X, _ = diabetes()
    steps = [("a", StandardScaler(), list(X.columns[:5])), ("b", MinMaxScaler(), list(X.columns[5:]))]
    weighted = ColumnTransformer(steps, transformer_weights={"a": 2.0})

    assert_plan_is_right(make_pipeline(weighted, KNeighborsRegressor()), diabetes())


def test_rare_levels_are_numbered_together_beside_missing_ones() -> None:
    encoder = OrdinalEncoder(min_frequency=60, handle_unknown="use_encoded_value", unknown_value=-1)
    encoder.set_params(encoded_missing_value=-2)

    assert_plan_is_right(mixed(LogisticRegression(), categories=encoder), people())


def test_what_no_classifier_wants_has_no_shares() -> None:
    X, _ = wine()

    assert_plan_is_right(OneVsRestClassifier(DecisionTreeClassifier(random_state=0)), wine(), asked=shuffled(X))


def test_the_positive_class_of_a_tuned_threshold_may_be_0() -> None:
    scoring = make_scorer(f1_score, pos_label=0)
    X, y = cancer()
    X = X.iloc[:, :4]

    assert_plan_is_right(
        TunedThresholdClassifierCV(make_pipeline(StandardScaler(), LogisticRegression(C=1e-3)), scoring=scoring, cv=3),
        (X, y),
        asked=shuffled(X),
    )


def test_quadratic_discriminants_of_two_classes_have_one_decision() -> None:
    X, y = cancer()
    X = X.iloc[:, :4]

    assert_plan_is_right(CalibratedClassifierCV(QuadraticDiscriminantAnalysis(reg_param=0.1), cv=3), (X, y))


def test_a_stack_on_the_classes_of_fitted_members_gets_the_classes_themselves() -> None:
    X, y = wine()
    member = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y * 10 + 5)
    estimator = StackingClassifier([("line", member)], cv="prefit", stack_method="predict").fit(X, y * 10 + 5)
    case = Case(estimator, lambda: (X, y * 10 + 5))
    object.__setattr__(case, "fitted", estimator)  # it is not to be fitted anew

    assert case.lowered.predict(case.columns).labels.tolist() == case.reference.predict(case.columns).labels.tolist()  # type: ignore[union-attr] # both have labels


def test_an_imputer_that_looks_for_nan_leaves_none_alone() -> None:
    random = np.random.default_rng(0)
    level = pd.Series(random.choice(["a", "b", "c"], 200), dtype=object)
    level[::7] = None
    X = pd.DataFrame({"level": level, "x": random.random(200)})
    steps = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("level", steps, ["level"])], remainder="passthrough")

    assert_plan_is_right(make_pipeline(columns, Ridge()), (X, (level == "a") * 1.0 + X["x"]))


def test_numbers_in_float32_do_not_round_those_beside_them() -> None:
    X, y = diabetes()
    random = np.random.default_rng(0)
    frame = X.assign(age=X["age"].astype("float32"), noise=random.random(len(X)))

    assert_plan_is_right(make_pipeline(StandardScaler(), Ridge()), (frame, y))


@pytest.mark.parametrize(
    ("estimator", "kind", "reason"),
    [
        (KNeighborsRegressor(metric_params={"w": np.arange(1.0, 11.0)}), "float64", "with parameters of its own"),
        (make_pipeline(FunctionTransformer(np.square), Ridge()), "int16", "columns of int16"),
        (make_pipeline(FunctionTransformer(np.reciprocal), Ridge()), "int64", "calls reciprocal on columns of int64"),
    ],
    ids=["weighted distances", "squares that wrap around", "reciprocals of whole numbers"],
)
def test_what_a_plan_would_get_wrong_has_none(estimator: Any, kind: Any, reason: str) -> None:
    X, y = diabetes()
    case = Case(estimator, lambda: (X.astype(kind), y))

    with pytest.raises(Unlowerable, match=reason):
        lower(case.fitted, case.layout)
