"""Up to 1,000 real training rows that stay with the artifact; fewer where their texts are long."""

from typing import Any

import numpy as np
import pandas as pd

from model_api.artifact import Reference
from model_api.publishing.signature_inference import plain, plain_value
from model_api.signature import Columns, Signature

SIZE = 1000
SEED = 0
MOST_TEXT = 2_000_000
"""Characters of free text in all rows together, about."""


def sample(X: pd.DataFrame, y: Any, signature: Signature) -> Reference:
    """Draw up to `SIZE` rows at random, keeping their order."""
    rows, size = np.arange(len(X)), min(SIZE, _as_many_as_fit(X, signature))
    if len(X) > size:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, size, replace=False))
    return Reference(plain_columns(X.iloc[rows], signature), plain_target(y.iloc[rows], signature))


def _as_many_as_fit(X: pd.DataFrame, signature: Signature) -> int:
    """Say how many rows of usual length there may be: those who show them fetch all of them at once."""
    texts = [feature.name for feature in signature.features if feature.type == "text"]
    characters = sum(float(X[name].str.len().mean()) for name in texts if X[name].notna().any())
    return max(1, int(MOST_TEXT / characters)) if characters else SIZE


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
