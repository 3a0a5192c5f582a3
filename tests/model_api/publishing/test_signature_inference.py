"""What data and estimator tell of a signature, and what only a person can tell."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from model_api.publishing.signature_inference import infer_signature
from model_api.signature import Feature, Target


def feature(values: object, **described: Any) -> Feature:
    X = pd.DataFrame({"x": values})
    return infer_signature(LinearRegression(), X, pd.Series(np.zeros(len(X))), {"x": described}, {}).features[0]


def target(y: "pd.Series[Any]", **described: Any) -> Target:
    X = pd.DataFrame({"x": np.arange(float(len(y)))})
    numeric = pd.api.types.is_float_dtype(y.dtype)
    estimator = (LinearRegression() if numeric else LogisticRegression()).fit(X, y)
    return infer_signature(estimator, X, y, {}, described).target


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, 2.5], "number"),
        ([1.0, 2.0], "number"),
        (np.array([1, 2], dtype="float32"), "number"),
        ([1, 2], "integer"),
        (np.array([1, 2], dtype="uint8"), "integer"),
        ([True, False], "boolean"),
        (["a", "b"], "category"),
        (pd.Categorical(["a", "b"]), "category"),
        (pd.Categorical([1, 2]), "category"),
        (pd.array(["a", "b"], dtype="string"), "category"),
        (pd.array([1, None], dtype="Int64"), "integer"),
        (pd.array([True, None], dtype="boolean"), "boolean"),
    ],
)
def test_the_type_of_a_feature_comes_from_its_column(values: object, kind: str) -> None:
    assert feature(values).type == kind


@pytest.mark.parametrize("values", [[1 + 2j, 3j], pd.to_timedelta([1, 2], "D")])
def test_a_column_of_another_type_is_refused_by_name(values: object) -> None:
    with pytest.raises(ValueError, match=r"column 'x' has the dtype .* which is not served"):
        feature(values)


def test_a_number_is_described_by_range_precision_and_median() -> None:
    found = feature([18.04, 42.21, 30.1, 25.5])

    assert (found.minimum, found.maximum, found.step, found.default) == (18.04, 42.21, 0.01, 27.8)
    assert found.quantiles == pytest.approx((19.159, 23.635, 27.8, 33.1275, 40.3935))


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.0, 20.0], 1.0),
        ([0.1 + 0.2, 0.3], 0.1),
        ([0.05263, 0.1634], 1e-5),
        ([1 / 3, 2 / 3], 1e-12),
        ([1e9, 2.5], 0.1),
    ],
)
def test_the_precision_is_the_smallest_power_of_ten_that_all_values_share(values: list[float], step: float) -> None:
    assert feature(values).step == step


def test_a_whole_number_has_a_whole_default() -> None:
    found = feature([1, 2, 5, 9])

    assert (found.minimum, found.maximum, found.step) == (1, 9, 1)
    assert type(found.default) is int


@pytest.mark.parametrize(("values", "default"), [([True, True, False], True), ([True, False, False], False)])
def test_a_boolean_defaults_to_the_more_frequent_value(values: list[bool], default: bool) -> None:
    assert feature(values).default is default


def test_a_category_has_sorted_levels_and_the_most_frequent_one_as_default() -> None:
    found = feature(["b", "c", "a", "c"])

    assert (found.categories, found.default) == (("a", "b", "c"), "c")


def test_a_declared_order_of_levels_is_kept() -> None:
    sizes = pd.Categorical(["S", "L", "S"], categories=["S", "M", "L"], ordered=True)

    assert feature(sizes).categories == ("S", "M", "L")


def test_levels_that_are_numbers_are_plain_integers() -> None:
    found = feature([1.0, 2.0, 2.0], type="category")

    assert found.categories == (1, 2)
    assert {type(level) for level in found.categories} == {int}


@pytest.mark.parametrize(
    "values", [[1.0, None, 3.0, 4.0], ["a", None, "b", "b"], pd.array([1, None, 2, 2], dtype="Int64")]
)
def test_missing_values_are_allowed_where_the_data_had_them(values: object) -> None:
    found = feature(values)

    assert (found.missing_allowed, found.missing_rate) == (True, 0.25)


def test_missing_values_are_not_allowed_where_the_data_had_none() -> None:
    assert feature([1.0, 2.0]).missing_allowed is False


def test_what_is_described_goes_before_what_is_inferred() -> None:
    found = feature([0.0, 1.0], type="boolean", label="Smokes", unit="-", default=True, missing_allowed=True)

    assert found == Feature(
        "x", "boolean", label="Smokes", unit="-", default=True, missing_allowed=True, missing_rate=0.0
    )


def test_a_regression_target_is_described_by_its_range() -> None:
    found = target(pd.Series([25.0, 346.0, 100.0], name="progression"), unit="points")

    assert found == Target("progression", "regression", unit="points", minimum=25.0, maximum=346.0)


def test_of_two_classes_the_second_is_the_positive_one_unless_told_otherwise() -> None:
    y = pd.Series(["no", "yes", "no", "yes"], name="smokes")

    assert target(y) == Target("smokes", "binary", classes=("no", "yes"), positive="yes")
    assert target(y, positive="no").positive == "no"


def test_of_three_classes_none_is_the_positive_one() -> None:
    found = target(pd.Series([2, 0, 1, 2]))

    assert found == Target("target", "multiclass", classes=(0, 1, 2))
    assert {type(level) for level in found.classes} == {int}
