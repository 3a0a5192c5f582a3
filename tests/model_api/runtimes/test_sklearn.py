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
from model_api.runtimes.sklearn import SklearnPredictor, load
from model_api.trust import REVIEWED_TYPES, Trust

X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
LAYOUT = [{"name": "x", "dtype": "float64"}]


def test_a_regressor_gives_numbers() -> None:
    predictor = SklearnPredictor(LinearRegression().fit(X, X["x"] * 2 + 1), LAYOUT)

    output = predictor.predict({"x": [10, 20]})

    assert output.probabilities is None
    assert output.numbers is not None
    assert output.numbers.tolist() == pytest.approx([21, 41])


def test_a_regressor_that_was_fitted_on_a_column_vector_gives_numbers_in_a_row() -> None:
    predictor = SklearnPredictor(LinearRegression().fit(X, X[["x"]]), LAYOUT)

    output = predictor.predict({"x": [10, 20]})

    assert output.numbers is not None
    assert output.numbers.shape == (2,)


def test_a_classifier_gives_probabilities() -> None:
    predictor = SklearnPredictor(LogisticRegression().fit(X, [0, 0, 1, 1]), LAYOUT, (0, 1))

    output = predictor.predict({"x": [-100, 100]})

    assert output.numbers is None
    assert output.probabilities is not None
    assert output.probabilities.tolist() == [pytest.approx([1, 0]), pytest.approx([0, 1])]


def test_a_value_beyond_the_models_arithmetic_is_an_unusable_prediction() -> None:
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X / 1e6, X["x"])

    with pytest.raises(UnusablePrediction, match="may be too large"):
        SklearnPredictor(pipeline, LAYOUT).predict({"x": [1e308]})


def test_an_overflow_is_no_warning_on_the_console() -> None:
    predictor = SklearnPredictor(LinearRegression().fit(X, X["x"] * 1e10), LAYOUT)

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


def test_a_type_that_is_not_trusted_is_named(models_with_binarize: Path) -> None:
    version = Artifact(models_with_binarize / "binary" / "1")

    with pytest.raises(ArtifactError, match=r"not trusted: sklearn\.preprocessing\._data\.binarize$"):
        load(version, trust=Trust())
    assert load(version, trust=Trust(("sklearn.preprocessing._data.binarize",)))


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


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 300), ("int8", -200), ("Int8", 300), ("int64", None)])
def test_a_value_that_a_columns_dtype_cannot_hold_is_the_callers_to_mend(dtype: Any, value: Any) -> None:
    frame = pd.DataFrame({"x": pd.Series([1, 2, 3]).astype(dtype)})
    predictor = SklearnPredictor(
        LinearRegression().fit(frame.astype(float), [0, 1, 2]), [{"name": "x", "dtype": dtype}]
    )

    with pytest.raises(UnusablePrediction):
        predictor.predict({"x": [value]})
