"""Plain values become the frame that an estimator was fitted on: names, order, dtypes and marks of the missing."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.linear_model import LinearRegression

from model_api.publishing.reference_sample import plain_columns
from model_api.publishing.signature_inference import infer_signature
from model_api.runtimes.frames import layout_of, to_frame, to_matrix
from model_api.signature import Columns
from tests.model_api.zoo import ZOO

MOMENTS = np.array(["2020-01-01T10:00", "NaT", "1999-12-31T23:59:59.5"], dtype="datetime64[us]")
COLUMNS: dict[str, Any] = {
    "float64": np.array([1.5, np.nan, -0.0]),
    "float32": np.array([1.5, np.nan, 0.1], dtype="float32"),
    "float16": np.array([1.5, np.nan, 0.1], dtype="float16"),
    "Float64": pd.array([1.5, None, 0.1], dtype="Float64"),
    "Float32": pd.array([1.5, None, 0.1], dtype="Float32"),
    "int64": np.array([1, -2, 2**53 - 1]),
    "int32": np.array([1, -2, 3], dtype="int32"),
    "int8": np.array([1, -128, 127], dtype="int8"),
    "uint8": np.array([0, 1, 255], dtype="uint8"),
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "Int8": pd.array([1, None, -3], dtype="Int8"),
    "UInt16": pd.array([1, None, 3], dtype="UInt16"),
    "bool": np.array([True, False, True]),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "objects with None": pd.Series(["a", None, ""], dtype=object),
    "objects with NaN": pd.Series(["a", np.nan, "été"], dtype=object),
    "objects without gaps": pd.Series(["a", "b", "a"], dtype=object),
    "truths with None": pd.Series([True, None, False], dtype=object),
    "str": pd.array(["a", None, "b"], dtype="str"),
    "string": pd.array(["a", None, "b"], dtype="string"),
    "string of arrow": pd.array(["a", None, "b"], dtype="string[pyarrow]"),
    "category": pd.Categorical(["b", None, "a"]),
    "category in an order": pd.Categorical(["S", None, "L"], categories=["L", "M", "S"], ordered=True),
    "category out of order": pd.Categorical(["z", "a", "z"], categories=["z", "a", "m"]),
    "category of whole numbers": pd.Categorical([3, None, 1]),
    "category of numbers": pd.Categorical([0.5, None, 1.0]),
    "category of truths": pd.Categorical([True, None, False]),
    "category of objects": pd.Categorical(["a", "b", None], categories=pd.Index(["a", "b"], dtype=object)),
    "moments": MOMENTS,
    "moments in nanoseconds": MOMENTS.astype("datetime64[ns]"),
    "days": np.array(["2020-01-01", "NaT", "2024-02-29"], dtype="datetime64[s]"),
    "moments in a zone": pd.Series(MOMENTS).dt.tz_localize("Europe/Amsterdam"),
    "moments in UTC": pd.Series(MOMENTS).dt.tz_localize("UTC"),
    "moments beside UTC": pd.Series(MOMENTS).dt.tz_localize("UTC+02:00"),
}


def plain(X: pd.DataFrame) -> Columns:
    """Give a frame's values as a caller would send them."""
    signature = infer_signature(LinearRegression(), X, pd.Series(np.zeros(len(X))), {}, {})
    return plain_columns(X, signature)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back_as_it_was(name: str) -> None:
    X = pd.DataFrame({"x": COLUMNS[name]})
    layout = json.loads(json.dumps(layout_of(X)))  # as it is read from a manifest

    assert_frame_equal(to_frame(plain(X), layout), X)


@pytest.mark.parametrize("name", COLUMNS)
def test_values_are_plain_json_on_the_way(name: str) -> None:
    columns = plain(pd.DataFrame({"x": COLUMNS[name]}))

    assert json.loads(json.dumps(columns, allow_nan=False)) == columns


def test_all_columns_come_back_side_by_side_in_their_order() -> None:
    X = pd.DataFrame({name: COLUMNS[name] for name in reversed(COLUMNS)})
    columns = dict(sorted(plain(X).items()))

    assert_frame_equal(to_frame(columns, layout_of(X)), X)


@pytest.mark.parametrize(
    ("categories", "ordered", "unknown"),
    [
        (["a", "b"], False, "z"),
        (["a", "b"], True, "z"),
        (["a", "b"], False, ""),
        ([1, 2], False, 3),
        ([1, 2], False, "1"),
    ],
)
def test_a_level_that_was_never_seen_is_missing_to_the_estimator(
    categories: list[Any], ordered: bool, unknown: Any
) -> None:
    X = pd.DataFrame({"x": pd.Categorical(categories, categories=categories, ordered=ordered)})

    given = to_frame({"x": [unknown, categories[0]]}, layout_of(X))

    assert given["x"].isna().tolist() == [True, False]
    assert given["x"].dtype == X["x"].dtype


def test_levels_of_a_text_column_are_passed_on_even_when_they_were_never_seen() -> None:
    X = pd.DataFrame({"x": ["a", "b"]})

    assert to_frame({"x": ["never seen"]}, layout_of(X))["x"].tolist() == ["never seen"]


def test_a_frame_of_plain_numbers_is_one_block() -> None:
    case = ZOO["ridge"]

    frame = to_frame(case.columns, case.layout)

    assert_frame_equal(frame, case.frame)
    assert frame.to_numpy().base is not None  # a view: nothing is copied


def test_a_matrix_holds_nan_where_a_value_is_missing() -> None:
    layout = [{"name": "b", "dtype": "float64"}, {"name": "a", "dtype": "bool"}]

    matrix = to_matrix({"a": [True, False], "b": [None, 2]}, layout)

    assert matrix.dtype == np.float64
    assert np.array_equal(matrix, np.array([[np.nan, 1], [2, 0]]), equal_nan=True)


def test_no_rows_are_an_empty_frame_of_the_same_columns() -> None:
    X = pd.DataFrame({"x": COLUMNS["float64"], "level": COLUMNS["category"], "when": COLUMNS["moments in a zone"]})

    given = to_frame({"x": [], "level": [], "when": []}, layout_of(X))

    assert given.dtypes.to_dict() == X.dtypes.to_dict()
    assert len(given) == 0


def test_a_layout_says_what_json_can_say() -> None:
    X = pd.DataFrame({name: COLUMNS[name] for name in ("float64", "str", "objects with None", "category in an order")})

    assert layout_of(X) == [
        {"name": "float64", "dtype": "float64"},
        {"name": "str", "dtype": "str"},
        {"name": "objects with None", "dtype": "object", "missing": "none"},
        {
            "name": "category in an order",
            "dtype": "category",
            "levels": ["L", "M", "S"],
            "of": "str",
            "ordered": True,
        },
    ]


def test_moments_of_several_precisions_are_read_together() -> None:
    layout = [{"name": "x", "dtype": "datetime64[us]"}]

    given = to_frame({"x": ["2024-02-29", "2024-02-29T10:00", "2024-02-29T10:00:00.000001", None]}, layout)

    assert given["x"].isna().tolist() == [False, False, False, True]
    assert given["x"][2] == pd.Timestamp("2024-02-29T10:00:00.000001")


def test_a_moment_with_an_offset_is_shown_in_the_zone_of_training() -> None:
    layout = [{"name": "x", "dtype": "datetime64[us, America/New_York]"}]

    given = to_frame({"x": ["2024-07-01T12:00:00+00:00"]}, layout)

    assert given["x"][0].isoformat() == "2024-07-01T08:00:00-04:00"
