"""A signature without data: what the estimator knows, and guesses that say that they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from model_api.artifact import Artifact
from model_api.inference import Options, predict
from model_api.loading import load_version
from model_api.publishing import publish
from model_api.publishing.without_data import guess_signature, stand_in_rows
from model_api.signature import Feature, Signature
from model_api.trust import Trust
from tests.model_api.zoo import ZOO

X = pd.DataFrame(
    {"x": [0.0, 2.0, 4.0, 6.0, 8.0], "size": ["L", "S", "M", "S", "S"], "note": ["a b", "cd", "", "ef", "g"]}
)
TRUE = [0.0, 1.0, 2.0, 3.0, 5.0]


def signature_of(estimator: Any, **features: dict[str, Any]) -> Signature:
    return guess_signature(estimator, features, {})[0]


def feature_of(first: Any, /, **described: Any) -> Feature:
    """Give the feature x of a pipeline that begins with a step."""
    features = {"x": described} if described else {}
    (feature,) = signature_of(make_pipeline(first, Ridge()).fit(X[["x"]], TRUE), **features).features
    return feature


def by_column(step: Any, column: str) -> Feature:
    transformer = ColumnTransformer([("step", step, column if column == "note" else [column])])
    signature = signature_of(make_pipeline(transformer, Ridge()).fit(X, TRUE))
    return next(feature for feature in signature.features if feature.name == column)


def test_of_a_bare_estimator_nearly_all_is_guessed() -> None:
    (feature,) = signature_of(Ridge().fit(X[["x"]], TRUE)).features

    assert feature == Feature(
        "x", "number", step=1e-6, default=0, guessed=("type", "step", "minimum", "maximum", "default")
    )


def test_what_a_scaler_knows_for_sure_is_no_guess() -> None:
    found = feature_of(MinMaxScaler())

    assert (found.minimum, found.maximum, found.default) == (0, 8, 4)
    assert found.guessed == ("type", "step")


def test_a_range_from_a_spread_is_a_guess() -> None:
    found = feature_of(StandardScaler())

    assert found.minimum == pytest.approx(4 - 2 * np.sqrt(8))
    assert found.guessed == ("type", "step", "minimum", "maximum")


def test_gaps_are_allowed_where_an_imputer_fills_them() -> None:
    assert feature_of(SimpleImputer()).missing_allowed
    assert not feature_of(MinMaxScaler()).missing_allowed


def test_levels_come_from_an_encoder_in_a_sensible_order() -> None:
    found = by_column(OneHotEncoder(), "size")

    assert found == Feature("size", "category", categories=("S", "M", "L"), default="L", guessed=("default",))


def test_the_most_frequent_level_is_the_default_where_an_imputer_knows_it() -> None:
    found = by_column(make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), "size")

    assert (found.default, found.guessed, found.missing_allowed) == ("S", (), True)


def test_what_a_vectoriser_reads_is_text() -> None:
    assert by_column(TfidfVectorizer(token_pattern=r"(?u)\b\w+\b"), "note") == Feature(
        "note", "text", default="", guessed=("default",)
    )


def test_what_a_person_says_goes_before_every_guess() -> None:
    found = feature_of(
        MinMaxScaler(), type="integer", minimum=-5, maximum=5, step=1, default=1, unit="m", quantiles=[1, 2, 3, 4, 5]
    )

    assert found == Feature(
        "x", "integer", minimum=-5, maximum=5, step=1, default=1, unit="m", quantiles=(1, 2, 3, 4, 5), guessed=()
    )


def test_a_description_of_a_feature_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="described features that the data does not have: y"):
        signature_of(Ridge().fit(X[["x"]], TRUE), y={"unit": "m"})


def test_an_estimator_that_does_not_say_how_many_features_it_has_is_refused() -> None:
    with pytest.raises(ValueError, match="publish it with its data"):
        signature_of(Ridge())


@pytest.mark.parametrize(
    ("true", "classes"),
    [(["b", "a", "b", "a", "a"], ("a", "b")), ([1, 0, 1, 0, 0], (0, 1)), ([2.0, 0, 1, 0, 0], (0, 1, 2))],
)
def test_the_classes_are_those_of_the_estimator(true: Any, classes: tuple[Any, ...]) -> None:
    estimator = LogisticRegression().fit(X[["x"]], true)

    target = guess_signature(estimator, {}, {"name": "grade", "description": "How good"})[0].target

    assert (target.name, target.description, target.classes) == ("grade", "How good", classes)
    assert target.task == ("binary" if len(classes) == 2 else "multiclass")


def test_several_numbers_of_a_forest_are_named() -> None:
    case = ZOO["two numbers by trees"]

    assert signature_of(case.fitted).target.outputs == ("y0", "y1")


@pytest.mark.parametrize("name", ["people", "ridge", "counted words", "people by numbered categories"])
def test_the_rows_that_stand_in_are_valid_and_the_estimator_answers_for_them(name: str) -> None:
    case = ZOO[name]
    signature, layout = guess_signature(case.fitted, {}, {})

    rows = stand_in_rows(signature)

    instances = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    assert len(instances) == 200
    assert signature.check(instances).problems == []
    assert [column["name"] for column in layout] == signature.names
    assert rows == stand_in_rows(signature)


def test_the_rows_that_stand_in_lie_within_the_range() -> None:
    rows = stand_in_rows(signature_of(make_pipeline(MinMaxScaler(), Ridge()).fit(X[["x"]], TRUE)))

    given = np.array(rows["x"], dtype=float)
    assert given.min() >= 0
    assert given.max() <= 8
    assert len(set(rows["x"])) > 100


def test_whole_numbers_stand_in_as_whole_numbers() -> None:
    signature = signature_of(make_pipeline(MinMaxScaler(), Ridge()).fit(X[["x"]], TRUE), x={"type": "integer"})

    assert {type(value) for value in stand_in_rows(signature)["x"]} == {int}


def test_a_truth_stands_in_as_a_truth() -> None:
    signature = signature_of(Ridge().fit(X[["x"]], TRUE), x={"type": "boolean"})

    assert {type(value) for value in stand_in_rows(signature)["x"]} == {bool}


@pytest.mark.parametrize("kind", ["date", "datetime", "text"])
def test_a_type_that_the_estimator_cannot_mean_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"x is a number to the estimator, and .* cannot be described as a {kind}"):
        signature_of(Ridge().fit(X[["x"]], TRUE), x={"type": kind})


def test_an_ordered_encoder_is_asked_in_its_columns_dtype() -> None:
    transformer = ColumnTransformer(
        [("size", OrdinalEncoder(categories=[["S", "M", "L"]]), ["size"])], remainder=MinMaxScaler()
    )
    estimator = make_pipeline(transformer, Ridge()).fit(X[["size", "x"]], TRUE)

    signature, layout = guess_signature(estimator, {}, {})

    assert signature.features[0].categories == ("S", "M", "L")
    assert [column["dtype"] for column in layout] == ["str", "float64"]


@pytest.mark.parametrize(
    ("estimator", "instance"),
    [
        (LinearRegression().fit(X[["x"]], TRUE), {"x": 100}),
        (make_pipeline(StandardScaler(), LogisticRegression()).fit(X[["x"]], [0, 0, 1, 1, 1]), {"x": 100}),
        (
            make_pipeline(
                ColumnTransformer([("size", OneHotEncoder(), ["size"])], remainder="passthrough"), Ridge(alpha=0.1)
            ).fit(X[["size", "x"]], TRUE),
            {"x": 1, "size": "M"},
        ),
    ],
    ids=["numbers", "classes", "levels"],
)
def test_a_model_without_data_is_published_and_served(tmp_path: Path, estimator: Any, instance: dict[str, Any]) -> None:
    version = publish(estimator, name="bare", models=tmp_path, compiled=False)

    loaded = load_version(version, Trust())
    answer = predict(loaded, [instance], Options()).predictions[0]

    expected = estimator.predict(pd.DataFrame([instance])[list(loaded.artifact.signature.names)])[0]
    assert not isinstance(answer, list)
    assert answer.value == pytest.approx(expected)
    assert Artifact(version).quality is None


def test_a_number_may_be_described_as_a_yes_or_no_or_as_numbered_levels() -> None:
    asked = feature_of(MinMaxScaler(), type="boolean")
    level = feature_of(MinMaxScaler(), type="category", categories=[1, 2, 3])

    assert (asked.default, asked.minimum, asked.guessed) == (False, None, ("default",))
    assert (level.default, level.categories, level.minimum) == (1, (1, 2, 3), None)


@pytest.mark.parametrize("told", ["date", "datetime", "text", "category"])
def test_a_type_that_the_estimator_cannot_mean_is_refused_by_name(told: str) -> None:
    with pytest.raises(ValueError, match=f"x is a number to the estimator, and without data .* described as a {told}"):
        feature_of(MinMaxScaler(), type=told)


def test_yes_or_no_stands_in_as_both() -> None:
    signature = signature_of(make_pipeline(MinMaxScaler(), Ridge()).fit(X[["x"]], TRUE), x={"type": "boolean"})

    assert set(stand_in_rows(signature)["x"]) == {True, False}


@pytest.mark.parametrize(
    "estimator", [LinearRegression(), make_pipeline(StandardScaler(), Ridge())], ids=["alone", "last"]
)
def test_several_numbers_are_found_by_asking(estimator: Any) -> None:
    two = np.stack([TRUE, TRUE], axis=1)

    assert signature_of(estimator.fit(X[["x"]], two)).target.outputs == ("y0", "y1")
