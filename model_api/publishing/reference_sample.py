"""Up to 1,000 real training rows that stay with the artifact."""

from typing import Any

import numpy as np
import pandas as pd

from model_api.artifact import Reference
from model_api.publishing.signature_inference import plain, plain_value
from model_api.signature import Columns, Signature

SIZE = 1000
SEED = 0


def sample(X: pd.DataFrame, y: Any, signature: Signature) -> Reference:
    """Draw up to `SIZE` rows at random, keeping their order."""
    rows = np.arange(len(X))
    if len(X) > SIZE:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, SIZE, replace=False))
    return Reference(plain_columns(X.iloc[rows], signature), plain_target(y.iloc[rows], signature))


def plain_columns(X: pd.DataFrame, signature: Signature) -> Columns:
    """Turn a frame into plain Python values, as a caller would send them."""
    return {feature.name: [plain_value(value, feature) for value in X[feature.name]] for feature in signature.features}


def plain_target(y: Any, signature: Signature) -> list[Any]:
    """Turn the true values into plain ones: numbers, classes, or with several outputs a number for each by name."""
    names = signature.target.outputs
    if names:
        return [dict(zip(names, map(float, row), strict=True)) for row in y.to_numpy().tolist()]
    column = y.iloc[:, 0] if isinstance(y, pd.DataFrame) else y
    return [plain(value) if signature.target.classes else float(value) for value in column]
