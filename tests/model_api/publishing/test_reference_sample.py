"""The rows that stay with the artifact."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

from model_api.artifact import Reference
from model_api.publishing.reference_sample import SIZE, sample
from model_api.publishing.signature_inference import infer_signature


def sample_of(X: pd.DataFrame, y: "pd.Series[Any]") -> Reference:
    return sample(X, y, infer_signature(LinearRegression(), X, y, {}, {}))


def test_a_small_table_is_kept_whole_and_in_order() -> None:
    X = pd.DataFrame({"x": [3.0, 1.0, 2.0]}, index=[7, 8, 9])

    assert sample_of(X, X["x"] * 10) == Reference({"x": [3.0, 1.0, 2.0]}, [30.0, 10.0, 20.0])


def test_of_a_large_table_a_thousand_rows_are_drawn_without_repetition() -> None:
    X = pd.DataFrame({"x": np.arange(5000)})

    drawn = sample_of(X, X["x"] * 10)

    values = [value for value in drawn.columns["x"] if isinstance(value, int)]
    assert len(set(values)) == len(drawn) == SIZE == 1000
    assert values == sorted(values)
    assert drawn.target == [value * 10 for value in values]
    assert sample_of(X, X["x"] * 10) == drawn


def test_the_rows_are_plain_values_as_a_caller_would_send_them() -> None:
    X = pd.DataFrame(
        {
            "number": [1.5, np.nan],
            "integer": np.array([1, 2], dtype="int32"),
            "boolean": [True, False],
            "text": ["a", None],
            "category": pd.Categorical(["x", "y"]),
        }
    )

    drawn = sample_of(X, pd.Series(np.array([1, 2], dtype="int64")))

    assert [drawn.row(0), drawn.row(1)] == [
        {"number": 1.5, "integer": 1, "boolean": True, "text": "a", "category": "x"},
        {"number": None, "integer": 2, "boolean": False, "text": None, "category": "y"},
    ]
    kinds = {type(value) for column in drawn.columns.values() for value in column} | {type(drawn.target[0])}
    assert kinds <= {int, float, bool, str, type(None)}
