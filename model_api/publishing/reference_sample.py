"""Up to 1,000 real training rows that stay with the artifact."""

from typing import Any

import numpy as np
import pandas as pd

from model_api.artifact import Reference
from model_api.signature import Columns, Feature, Signature, Value

SIZE = 1000
SEED = 0


def sample(X: pd.DataFrame, y: pd.Series, signature: Signature) -> Reference:
    """Draw up to `SIZE` rows at random, keeping their order."""
    rows = np.arange(len(X))
    if len(X) > SIZE:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, SIZE, replace=False))
    drawn = X.iloc[rows]
    columns: Columns = {f.name: plain_column(drawn[f.name], f) for f in signature.features}
    return Reference(columns, [_plain(value) for value in y.iloc[rows]])


def plain_column(column: "pd.Series[Any]", feature: Feature) -> list[Value]:
    """Turn a column into plain Python values, as a caller would send them."""
    return [None if pd.isna(value) else feature.parse(_plain(value)) for value in column]


def _plain(value: object) -> Any:
    return value.item() if isinstance(value, np.generic) else value
