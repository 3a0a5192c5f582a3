"""Columns of plain values → the data frame that an estimator was fitted on: same order, dtypes, marks of the missing.

A layout says for each column what JSON can say of it: `{"name": "city", "dtype": "category", "levels": ["ams", "ber"],
"ordered": false}`. Dtypes are those of pandas 2 and 3; `missing` names the mark in a column of objects.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from model_api.signature import Columns
from model_api.values import Value

Layout = Sequence[dict[str, Any]]
OBJECT_MARKS: dict[str, Any] = {"nan": np.nan, "none": None}
PANDAS_HAS_STR = int(pd.__version__.partition(".")[0]) >= 3


def layout_of(X: pd.DataFrame) -> list[dict[str, Any]]:
    """Describe a frame so that `to_frame` can make one like it."""
    return [_describe(str(name), X[name]) for name in X.columns]


def _describe(name: str, column: "pd.Series[Any]") -> dict[str, Any]:
    described: dict[str, Any] = {"name": name, "dtype": str(column.dtype)}
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = column.dtype.categories
        described |= {"levels": levels.tolist(), "of": str(levels.dtype), "ordered": bool(column.dtype.ordered)}
    if column.dtype == object:
        missing = column[column.isna()]
        described["missing"] = "none" if len(missing) and all(value is None for value in missing) else "nan"
    return described


def to_frame(columns: Columns, layout: Layout) -> pd.DataFrame:
    """Build the data frame that the estimator was fitted on."""
    if all(column["dtype"] == "float64" for column in layout):  # one block is ten times faster than many series
        return pd.DataFrame(to_matrix(columns, layout), columns=[column["name"] for column in layout], copy=False)
    return pd.DataFrame({column["name"]: _series(columns[column["name"]], column) for column in layout})


def to_matrix(columns: Columns, layout: Layout) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Build the bare array, n × features; missing is NaN."""
    return np.array([columns[column["name"]] for column in layout], dtype=np.float64).T


def _series(values: list[Value], column: dict[str, Any]) -> "pd.Series[Any]":
    dtype = column["dtype"]
    if dtype in ("float64", "float32"):
        return pd.Series(np.array(values, dtype=dtype))
    if dtype == "category":
        levels = pd.Index(column["levels"], dtype=_portable(column["of"]))
        known = set(column["levels"])  # pandas knows no other levels: to the estimator they are missing
        values = [value if value in known else None for value in values]
        return pd.Series(pd.Categorical(values, categories=levels, ordered=column["ordered"]))
    if dtype == "object":
        mark = OBJECT_MARKS[column["missing"]]
        return pd.Series([mark if value is None else value for value in values], dtype=object)
    if dtype.startswith("datetime64"):
        return _moments(values, dtype)
    if _portable(dtype) == "object":  # pandas 2 reads the dtype "str" as a wish to turn None into "None"
        return pd.Series([np.nan if value is None else value for value in values], dtype=object)
    return pd.Series(values, dtype=dtype)


def _portable(dtype: str) -> str:
    """Give the dtype that stands for pandas 3's `str` in the pandas at hand."""
    return "object" if dtype == "str" and not PANDAS_HAS_STR else dtype


def _moments(values: list[Value], dtype: str) -> "pd.Series[Any]":
    zone = dtype.removesuffix("]").partition(", ")[2]
    texts: Any = values  # the stubs know no list with gaps
    parsed: Any = pd.Series(pd.to_datetime(texts, format="ISO8601", utc=bool(zone)))
    moments: pd.Series[Any] = parsed.dt.tz_convert(zone).astype(dtype) if zone else parsed.astype(dtype)
    return moments
