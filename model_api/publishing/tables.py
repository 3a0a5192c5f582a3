"""What people pass as data → a data frame and true values with names."""

from typing import Any

import numpy as np
import pandas as pd

from model_api.publishing.quality.unseen import Table


def as_table(X: Any, y: Any) -> Table:
    """Give features as a data frame and true values as a series or frame, both numbered from 0.

    Raises ValueError when there is not one true value for each row, or names are not unique.
    """
    if y is None:
        raise ValueError("there are features without true values: give both, X and y")
    frame = X.copy(deep=False) if isinstance(X, pd.DataFrame) else _named(np.asarray(X))
    frame.columns = [str(name) for name in frame.columns]
    if not frame.columns.is_unique:
        raise ValueError("two columns have the same name")
    true = y if isinstance(y, pd.Series | pd.DataFrame) else _values(np.asarray(y))
    if len(frame) != len(true):
        raise ValueError(f"there are {len(frame)} rows and {len(true)} true values")
    if len(frame) == 0:
        raise ValueError("there are no rows")
    if bool(np.asarray(pd.isna(true)).any()):
        raise ValueError("a true value is missing")
    return frame.reset_index(drop=True), true.reset_index(drop=True)


def _named(array: Any) -> pd.DataFrame:
    if array.ndim != 2:
        raise ValueError(f"features must be a table, not an array of {array.ndim} dimensions")
    return pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])


def _values(array: Any) -> Any:
    if array.ndim == 1:
        return pd.Series(array, name="target")
    if array.ndim == 2 and array.shape[1] == 1:
        return pd.Series(array[:, 0], name="target")
    return pd.DataFrame(array, columns=[f"y{i}" for i in range(array.shape[1])])
