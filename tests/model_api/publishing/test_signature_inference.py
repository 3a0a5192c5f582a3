"""What data and estimator tell of a signature, and what only a person can tell."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.svm import LinearSVC

from model_api.publishing.signature_inference import infer_signature, plain_value
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


@pytest.mark.parametrize(
    ("texts", "kind", "minimum", "maximum", "default"),
    [
        (["2024-02-29", "2020-01-01", "2022-06-15"], "date", "2020-01-01", "2024-02-29", "2022-06-15"),
        (["2024-02-29", None, "2020-01-01"], "date", "2020-01-01", "2024-02-29", "2024-02-29"),
        (["2024-02-29T10:00", "2020-01-01T00:00"], "datetime", "2020-01-01T00:00:00", "2024-02-29T10:00:00", None),
        (["2024-02-29T10:00:00.5"], "datetime", "2024-02-29T10:00:00.500000", "2024-02-29T10:00:00.500000", None),
    ],
)
def test_a_moment_without_a_zone_is_a_date_when_no_row_has_a_time(
    texts: list[str | None], kind: str, minimum: str, maximum: str, default: str | None
) -> None:
    found = feature(np.array([text or "NaT" for text in texts], dtype="datetime64[us]"))

    assert (found.type, found.minimum, found.maximum, found.zone) == (kind, minimum, maximum, None)
    assert found.default == (default or maximum)
    assert found.missing_allowed is (None in texts)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam"])
def test_a_moment_in_a_zone_is_described_in_utc_and_keeps_its_zone(zone: str) -> None:
    moments = pd.Series(pd.to_datetime(["2024-07-01T00:00", "2024-01-01T00:00"])).dt.tz_localize(zone)

    found = feature(moments)

    assert (found.type, found.zone) == ("datetime", zone)
    hour = "00" if zone == "UTC" else "23"
    assert str(found.minimum).endswith(f"T{hour}:00:00+00:00")
    assert found.parse("2024-01-01T00:00") == found.minimum


def test_a_moment_beside_a_fixed_offset_is_taken_without_one() -> None:
    found = feature(pd.to_datetime(["2024-01-01T00:00+02:00", "2024-01-02T10:00+02:00"]))

    assert (found.type, found.zone, found.minimum) == ("datetime", "UTC+02:00", "2023-12-31T22:00:00+00:00")
    assert found.parse("2024-01-01T12:00") == "2024-01-01T10:00:00+00:00"


def test_a_moment_of_training_is_what_a_caller_would_send() -> None:
    moments = pd.Series(np.array(["2024-07-01T10:30", "NaT"], dtype="datetime64[us]")).dt.tz_localize(
        "Europe/Amsterdam"
    )
    found = feature(moments)

    assert plain_value(moments[0], found) == "2024-07-01T08:30:00+00:00"
    assert plain_value(moments[1], found) is None


REVIEWS = pd.DataFrame({"note": ["good film", "bad film", "good", "bad"] * 3, "x": np.arange(12.0)})


@pytest.mark.parametrize("columns", ["note", ["note"]], ids=["by a vectoriser", "by an encoder"])
def test_what_a_vectoriser_reads_is_text_and_what_an_encoder_reads_is_a_category(columns: Any) -> None:
    step = TfidfVectorizer() if columns == "note" else OneHotEncoder()
    estimator = make_pipeline(ColumnTransformer([("note", step, columns)]), Ridge()).fit(REVIEWS, REVIEWS["x"])

    found = infer_signature(estimator, REVIEWS, REVIEWS["x"], {}, {}).features[0]

    assert found.type == ("text" if columns == "note" else "category")
    assert found.default == ("good film" if columns == "note" else "bad")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"a review, number {i}" for i in range(60)], "text"),
        ([f"code {i}" for i in range(40)], "category"),
        ([f"code {i % 55}" for i in range(300)], "category"),
        (["a", "b", "c" * 101], "text"),
        (["a", "b", "c" * 100], "category"),
    ],
    ids=["nearly all different", "few", "many, but each often", "a long one", "a short one"],
)
def test_texts_that_are_long_or_nearly_all_different_are_no_category(values: list[str], kind: str) -> None:
    assert feature(values).type == kind


def test_very_many_levels_that_an_encoder_knows_are_a_category_all_the_same() -> None:
    X = pd.DataFrame({"zip": [f"{i:05}" for i in range(80)]})
    estimator = make_pipeline(ColumnTransformer([("zip", OneHotEncoder(), ["zip"])]), Ridge()).fit(X, np.arange(80.0))

    found = infer_signature(estimator, X, pd.Series(np.arange(80.0)), {}, {}).features[0]

    assert (found.type, len(found.categories)) == ("category", 80)


@pytest.mark.parametrize(
    ("values", "kind", "default"),
    [
        (["a", None, "b", "b"], "category", "b"),
        (["a", np.nan, "b", "b"], "category", "b"),
        ([True, None, True, False], "boolean", True),
        ([None, False, False, True], "boolean", False),
    ],
)
def test_a_column_of_objects_is_known_by_what_it_holds(values: list[Any], kind: str, default: Any) -> None:
    found = feature(pd.Series(values, dtype=object))

    assert (found.type, found.default, found.missing_allowed) == (kind, default, True)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([1, None, 2], "int"),
        ([1.5, "a"], "float, str"),
        ([pd.Timestamp("2024-01-01")], "Timestamp"),
        ([b"a"], "bytes"),
        ([[1]], "list"),
    ],
)
def test_a_column_of_other_objects_is_refused_with_advice(values: list[Any], named: str) -> None:
    with pytest.raises(ValueError, match=rf"column 'x' holds {named}; give it a dtype of its own"):
        feature(pd.Series(values, dtype=object))


@pytest.mark.parametrize("values", [np.array([np.nan]), pd.array([None], dtype="Int64"), pd.Categorical([None])])
def test_a_column_without_any_value_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="column 'x' holds no value at all"):
        feature(values)


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        (["high", "low", "medium"], ("low", "medium", "high")),
        (["10+", "<2", "2-9"], ("<2", "2-9", "10+")),
        (pd.Categorical(["high", "low"]), ("low", "high")),
        (pd.Categorical(["b", "a"], categories=["b", "a"]), ("b", "a")),
        (pd.Categorical(["low", "high"], categories=["high", "low"], ordered=True), ("high", "low")),
        (pd.Categorical(["b"], categories=["a", "b", "c"]), ("a", "b", "c")),
        (pd.Categorical([10, 9]), (9, 10)),
        (pd.Categorical([0.5, 2.0]), (0.5, 2)),
    ],
)
def test_levels_stand_in_a_sensible_order_unless_somebody_gave_them_another(values: Any, categories: Any) -> None:
    assert feature(values).categories == categories


@pytest.mark.parametrize(
    ("given", "categories"),
    [
        ([["L", "S", "M"]], ("L", "S", "M")),
        ("auto", ("S", "M", "L")),
        ([["L", "S", "M", "XXL"]], ("L", "S", "M", "XXL")),
    ],
)
def test_an_order_that_somebody_gave_an_encoder_is_kept(given: Any, categories: tuple[str, ...]) -> None:
    X = pd.DataFrame({"size": ["M", "S", "L", "S"]})
    encoder = ColumnTransformer([("size", OrdinalEncoder(categories=given), ["size"])])
    estimator = make_pipeline(encoder, Ridge()).fit(X, [1.0, 2.0, 3.0, 4.0])

    assert infer_signature(estimator, X, pd.Series([1.0]), {}, {}).features[0].categories == categories


@pytest.mark.parametrize("classes", [[True, False], np.array([True, False])])
def test_classes_may_be_true_and_false(classes: Any) -> None:
    found = target(pd.Series(classes, name="smokes"))

    assert found == Target("smokes", "binary", classes=(False, True), positive=True)
    assert {type(level) for level in found.classes} == {bool}


def test_several_numbers_are_named_by_their_columns() -> None:
    X = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    y = pd.DataFrame({"rent": [10.0, 20.0, 15.0], "costs": [1.0, -2.0, 3.0]})

    found = infer_signature(LinearRegression().fit(X, y), X, y, {}, {"unit": "€"}).target

    assert found == Target(
        "rent and costs", "regression", unit="€", outputs=("rent", "costs"), minimum=-2.0, maximum=20.0
    )


def test_one_number_in_a_frame_is_one_number() -> None:
    X, y = pd.DataFrame({"x": [1.0, 2.0]}), pd.DataFrame({"rent": [10.0, 20.0]})

    assert infer_signature(LinearRegression().fit(X, y), X, y, {}, {}).target == Target(
        "rent", "regression", minimum=10.0, maximum=20.0
    )


def test_a_classifier_of_several_targets_is_refused() -> None:
    X = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0]})
    y = pd.DataFrame({"a": [0, 1, 0, 1, 0], "b": [1, 1, 0, 0, 1]})

    with pytest.raises(ValueError, match="a classifier of several targets is not served"):
        infer_signature(KNeighborsClassifier(2).fit(X, y), X, y, {}, {})


@pytest.mark.parametrize("estimator", [LinearSVC(), RidgeClassifier()], ids=str)
def test_a_classifier_without_probabilities_says_so(estimator: Any) -> None:
    X, y = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}), pd.Series(["a", "a", "b", "b"], name="kind")

    found = infer_signature(estimator.fit(X, y), X, y, {}, {}).target

    assert (found.classes, found.probabilities) == (("a", "b"), False)


LEVELS = pd.DataFrame({"level": ["a", "b", None, "b"] * 5, "size": [1.0, 2.0, 3.0, 4.0] * 5})
LABELS = pd.Series(["no", "yes", "no", "yes"] * 5)


@pytest.mark.parametrize(
    ("step", "tolerant"),
    [
        (OneHotEncoder(handle_unknown="ignore"), True),
        (OneHotEncoder(handle_unknown="error"), False),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2), True),
        (OrdinalEncoder(encoded_missing_value=-2), False),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="warn")), True),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=-2), False),
        ("drop", True),
    ],
    ids=["ignored", "refused", "numbered", "refused when numbered", "warned about", "not a number", "not looked at"],
)
def test_whether_a_level_may_be_unknown_is_found_out_by_asking(step: Any, tolerant: bool) -> None:
    columns = ColumnTransformer([("level", step, ["level"])], remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression()).fit(LEVELS, LABELS)

    found = infer_signature(estimator, LEVELS, LABELS, {}, {}).features[0]

    assert found.unknown_categories is tolerant


def test_an_unknown_level_of_a_category_column_is_missing_to_its_estimator() -> None:
    X = LEVELS.astype({"level": "category"})
    estimator = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2, categorical_features="from_dtype")

    assert infer_signature(estimator.fit(X, LABELS), X, LABELS, {}, {}).features[0].unknown_categories


def test_what_is_said_of_unknown_levels_is_not_asked() -> None:
    columns = ColumnTransformer([("level", OneHotEncoder(), ["level"])], remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression()).fit(LEVELS, LABELS)
    described = {"level": {"unknown_categories": True}}

    assert infer_signature(estimator, LEVELS, LABELS, described, {}).features[0].unknown_categories


def test_levels_that_are_numbers_are_never_unknown() -> None:
    X = pd.DataFrame({"level": pd.Categorical([1, 2, 1, 2])})
    columns = ColumnTransformer([("level", OneHotEncoder(handle_unknown="ignore"), ["level"])])
    estimator = make_pipeline(columns, Ridge()).fit(X, [1.0, 2.0, 3.0, 4.0])

    assert not infer_signature(estimator, X, pd.Series([1.0]), {}, {}).features[0].unknown_categories


@pytest.mark.parametrize("dtype", [object, "str", "string"])
def test_a_column_of_objects_without_any_value_is_refused_with_that_reason(dtype: Any) -> None:
    X = pd.DataFrame({"x": pd.Series([None, None], dtype=dtype)})

    with pytest.raises(ValueError, match="holds no value at all"):
        infer_signature(LinearRegression(), X, pd.Series([0.0, 1.0]), {}, {})


@pytest.mark.parametrize(
    "level",
    [pd.cut(pd.Series([1, 2, 3, 4]), 2), pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02"])).astype("category")],
    ids=["intervals", "moments"],
)
def test_categories_that_json_does_not_have_are_refused_with_a_reason(level: Any) -> None:
    X = pd.DataFrame({"x": level})

    with pytest.raises(ValueError, match="column 'x'"):
        infer_signature(LinearRegression(), X, pd.Series(np.zeros(len(X))), {}, {})
