"""Rows in pairs, one on either side of a threshold, found behind scalers and imputers."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

from model_api.publishing.compiling import thresholds
from model_api.publishing.compiling.thresholds import ThresholdRows, threshold_rows
from model_api.publishing.lowering import lower
from model_api.publishing.reference_sample import plain_columns
from model_api.publishing.signature_inference import infer_signature
from model_api.runtimes.frames import layout_of
from model_api.runtimes.lowered import load
from model_api.signature import Columns
from tests.model_api.zoo import ZOO, Case
from tests.model_api.zoo_data import diabetes

ALONE = ["tree", "tree for numbers", "forest", "boosting", "histograms", "two numbers by trees", "extra trees"]


def beside(estimator: Any, X: pd.DataFrame, y: Any) -> ThresholdRows:
    """Fit, lower, and find the rows."""
    estimator.fit(X, y)
    signature = infer_signature(estimator, X, pd.Series(np.asarray(y)), {}, {})
    plan = lower(estimator, layout_of(X)).files
    return threshold_rows(plan, load(plan.__getitem__), signature, plain_columns(X, signature))


def beside_case(case: Case) -> ThresholdRows:
    return threshold_rows(case.plan, case.lowered, case.signature, case.columns)


def count(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def splits_of(tree: Any) -> set[tuple[int, float]]:
    inner = tree.feature >= 0
    return set(zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True))


@pytest.mark.parametrize("step", [FunctionTransformer(), StandardScaler(), MinMaxScaler(), PowerTransformer()], ids=str)
def test_the_two_rows_of_a_pair_lie_on_either_side_of_a_split(step: Any) -> None:
    X, y = diabetes()
    tree = DecisionTreeRegressor(max_depth=6, random_state=0)
    estimator = make_pipeline(step, tree)

    found = beside(estimator, X, y)

    seen = np.asarray(estimator[0].transform(pd.DataFrame(found.columns).astype(float)), dtype=np.float32)
    splits = splits_of(tree.tree_)
    crossed = {
        (feature, threshold)
        for feature, threshold in splits
        if ((seen[::2, feature] <= threshold) & (seen[1::2, feature] > threshold)).any()
    }
    assert crossed == splits
    assert found.tried == found.of == len(splits)


def test_the_two_values_of_a_pair_are_neighbouring_floats() -> None:
    found = beside_case(ZOO["tree behind a scaler"])
    low, high = (pd.DataFrame({n: v[side::2] for n, v in found.columns.items()}) for side in (0, 1))

    neighbours = high == np.nextafter(low.astype(float), np.inf)

    assert found.tried == len(low) > 0
    assert neighbours.any(axis=1).all()


def test_a_single_split_is_met_from_both_sides_by_the_leaves_themselves() -> None:
    X, y = diabetes()
    estimator = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=1))

    found = beside(estimator, X, y)

    (low, high) = estimator.predict(pd.DataFrame(found.columns).astype(float))
    name = X.columns[estimator[-1].tree_.feature[0]]
    below, above = found.columns[name]
    assert low != high
    assert isinstance(below, float)
    assert above == np.nextafter(below, np.inf)


@pytest.mark.parametrize("name", ALONE)
def test_every_split_of_trees_on_plain_numbers_is_tried(name: str) -> None:
    case = ZOO[name]

    found = beside_case(case)

    assert found.tried == found.of > 0
    assert count(found.columns) == 2 * found.tried
    if hasattr(case.fitted, "tree_"):
        assert found.of == len(splits_of(case.fitted.tree_))


def test_all_rows_are_valid_by_the_signature() -> None:
    case = ZOO["people by numbered categories"]
    found = beside_case(case)

    instances = [dict(zip(found.columns, row, strict=True)) for row in zip(*found.columns.values(), strict=True)]

    assert instances
    assert case.signature.check(instances).problems == []


def test_whole_numbers_are_met_on_either_side_by_whole_numbers() -> None:
    X = pd.DataFrame({"rooms": np.arange(1, 41), "area": np.tile([1.0, 2.0], 20)})
    estimator = DecisionTreeRegressor(max_depth=3)

    found = beside(estimator, X, (X["rooms"] > 12) * 5.0 + (X["rooms"] > 30))

    assert {type(value) for value in found.columns["rooms"]} == {int}
    pairs = set(zip(found.columns["rooms"][::2], found.columns["rooms"][1::2], strict=True))
    assert {(12, 13), (30, 31)} <= pairs


def test_splits_are_found_behind_an_imputer_and_beside_encoded_categories() -> None:
    X = pd.DataFrame({"x": [1.0, 2.0, None, 4.0] * 10, "level": ["a", "b"] * 20})
    steps = [("x", make_pipeline(SimpleImputer(), StandardScaler()), ["x"]), ("level", OneHotEncoder(), ["level"])]
    estimator = make_pipeline(ColumnTransformer(steps), DecisionTreeRegressor())

    found = beside(estimator, X, X["x"].fillna(0) + (X["level"] == "a") * 10)

    assert found.of == 3  # two of x and one of the level, which no number decides
    assert found.tried == 2
    assert None not in found.columns["x"]


def test_a_binarizers_threshold_is_met_from_both_sides() -> None:
    X, y = diabetes()

    found = beside(make_pipeline(Binarizer(threshold=100), Ridge()), X[["s1"]], y)

    assert found.columns["s1"] == [100, np.nextafter(100, np.inf)]


def test_what_cannot_be_crossed_is_not_counted_as_tried() -> None:
    case = ZOO["histograms of categories by dtype"]

    found = beside_case(case)

    assert found.tried < found.of  # one splits a boolean


def test_a_plan_without_thresholds_has_no_such_rows() -> None:
    found = beside_case(ZOO["ridge"])

    assert (found.tried, found.of) == (0, 0)
    assert set(found.columns) == set(ZOO["ridge"].signature.names)
    assert count(found.columns) == 0


def test_of_very_many_thresholds_some_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thresholds, "MOST", 50)

    found = beside_case(ZOO["forest"])

    assert found.tried == 50
    assert found.of > 50
    assert found.columns == beside_case(ZOO["forest"]).columns


def test_floats_are_numbered_in_their_order() -> None:
    values = np.array([-np.inf, -1e30, -1.0, -5e-324, 0.0, 5e-324, 1.0, 1e30, np.inf])

    numbers = thresholds._ordered(values)  # noqa: SLF001 -- the search stands on it

    assert (np.diff(numbers) > 0).all()
    assert thresholds._floats(numbers).tolist() == values.tolist()  # noqa: SLF001 -- the exact step to the next number is what matters
    assert thresholds._ordered(np.array([np.nextafter(1.0, 2)]))[0] == numbers[6] + 1  # noqa: SLF001 -- the exact step to the next number is what matters


def test_every_column_of_a_binarizer_has_its_threshold_met() -> None:
    X, y = diabetes()

    found = beside(make_pipeline(Binarizer(threshold=100), Ridge()), pd.concat([X, X.add_prefix("also_")], axis=1), y)

    assert found.of == found.tried == 20


def test_the_two_rows_of_a_pair_lie_on_either_side_of_a_bins_edge() -> None:
    X, y = diabetes()
    estimator = make_pipeline(KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), Ridge())

    found = beside(estimator, X[["bmi"]], y)

    bins = estimator.fit(X[["bmi"]], y)[0].transform(pd.DataFrame(found.columns))
    assert found.tried == 3
    assert bins[::2].tolist() == [[0], [1], [2]]
    assert bins[1::2].tolist() == [[1], [2], [3]]
