"""From an artifact's bytes to a predictor, and from columns to the frame that the estimator knows."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_api.artifact import Artifact
from model_api.errors import ArtifactError, UnusablePrediction
from model_api.runtimes.sklearn import SklearnPredictor, load, to_frame
from model_api.signature import Columns
from model_api.trust import REVIEWED_TYPES, Trust


def test_a_frame_has_the_columns_and_dtypes_of_the_fit_in_their_order() -> None:
    dtypes = {"age": "int64", "income": "float64", "owner": "bool", "job": "str", "city": "object"}
    columns: Columns = {
        "city": ["Köln", None],
        "job": ["clerk", None],
        "owner": [True, False],
        "income": [1.5, None],
        "age": [40, 50],
    }

    frame = to_frame(columns, dtypes)

    assert list(frame.columns) == list(dtypes)
    assert frame.dtypes.astype(str).to_dict() == dtypes
    assert frame["income"].tolist()[0] == 1.5
    assert frame.isna().sum().to_dict() == {"age": 0, "income": 1, "owner": 0, "job": 1, "city": 1}


def test_a_frame_of_numbers_only_is_the_same_made_the_fast_way() -> None:
    columns: Columns = {"b": [1, 2.5], "a": [None, True]}

    frame = to_frame(columns, {"a": "float64", "b": "float64"})

    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [np.nan, 1.0], "b": [1.0, 2.5]}))


def test_a_frame_of_one_row_has_one_row() -> None:
    assert to_frame({"a": [1.0], "b": [2.0], "c": [3.0]}, dict.fromkeys("abc", "float64")).shape == (1, 3)


def test_a_category_dtype_keeps_its_column(published_small_models: Path) -> None:
    frame = to_frame({"a": ["x", None]}, {"a": "category"})

    assert isinstance(frame["a"].dtype, pd.CategoricalDtype)


X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})


def test_a_regressor_gives_numbers() -> None:
    predictor = SklearnPredictor(LinearRegression().fit(X, X["x"] * 2 + 1), {"x": "float64"})

    output = predictor.predict({"x": [10, 20]})

    assert output.probabilities is None
    assert output.numbers is not None
    assert output.numbers.tolist() == pytest.approx([21, 41])


def test_a_regressor_that_was_fitted_on_a_column_vector_gives_numbers_in_a_row() -> None:
    predictor = SklearnPredictor(LinearRegression().fit(X, X[["x"]]), {"x": "float64"})

    output = predictor.predict({"x": [10, 20]})

    assert output.numbers is not None
    assert output.numbers.shape == (2,)


def test_a_classifier_gives_probabilities() -> None:
    predictor = SklearnPredictor(LogisticRegression().fit(X, [0, 0, 1, 1]), {"x": "float64"})

    output = predictor.predict({"x": [-100, 100]})

    assert output.numbers is None
    assert output.probabilities is not None
    assert output.probabilities.tolist() == [pytest.approx([1, 0]), pytest.approx([0, 1])]


def test_a_value_beyond_the_models_arithmetic_is_an_unusable_prediction() -> None:
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X / 1e6, X["x"])

    with pytest.raises(UnusablePrediction, match="may be too large"):
        SklearnPredictor(pipeline, {"x": "float64"}).predict({"x": [1e308]})


def test_an_overflow_is_no_warning_on_the_console() -> None:
    predictor = SklearnPredictor(LinearRegression().fit(X, X["x"] * 1e10), {"x": "float64"})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output = predictor.predict({"x": [1e308]})

    assert output.numbers is not None
    assert np.isinf(output.numbers).all()


def test_the_embedded_models_hold_only_reviewed_types(models_folder: Path) -> None:
    for version in models_folder.glob("*/1"):
        assert load(Artifact(version), trust=Trust())


def test_every_reviewed_type_says_why_it_is_let_in() -> None:
    assert all(len(reason) > 10 for reason in REVIEWED_TYPES.values())
    assert not any(name.startswith(("os", "posix", "subprocess", "builtins", "operator")) for name in REVIEWED_TYPES)


def test_all_types_that_are_not_trusted_are_named(models_with_neighbours: Path) -> None:
    version = Artifact(models_with_neighbours / "neighbours" / "1")

    with pytest.raises(ArtifactError) as refusal:
        load(version, trust=Trust())
    names = str(refusal.value).rpartition(": ")[2].split(", ")

    assert len(names) == 2
    with pytest.raises(ArtifactError, match=f"not trusted: {names[1]}$"):
        load(version, trust=Trust((names[0],)))
    assert load(version, trust=Trust(tuple(names)))


@pytest.mark.parametrize("data", [b"", b"text", b"PK\x03\x04", b"\x80\x04N."])
def test_a_file_that_is_no_skops_file_is_refused(
    small_models: Path, reseal: Callable[[Path, str, bytes], None], data: bytes
) -> None:
    version = small_models / "rent" / "1"
    reseal(version, "estimator.skops", data)

    with pytest.raises(ArtifactError, match=r"estimator\.skops cannot be read"):
        load(Artifact(version), trust=Trust())


def test_a_loaded_estimator_predicts_its_reference_rows(published_small_models: Path, flat: dict[str, Any]) -> None:
    version = Artifact(published_small_models / "rent" / "1")

    output = load(version, trust=Trust()).predict(version.reference.columns)

    assert output.numbers is not None
    errors = np.abs(output.numbers - np.array(version.reference.target, dtype=np.float64))
    assert errors.mean() < 30
