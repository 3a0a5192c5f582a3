"""Is the model as good for each group? One row of the table for each level of each category."""

from typing import Any

import numpy as np
import pandas as pd

from model_api.publishing.quality.metrics import headline_of, metrics_of
from model_api.publishing.quality.unseen import Unseen
from model_api.publishing.signature_inference import plain
from model_api.signature import Signature

FEWEST = 20
"""Rows below which a group tells nothing."""
MOST_LEVELS = 20
"""Levels of one feature that are listed, the most frequent ones."""


def slices_of(unseen: Unseen, signature: Signature) -> list[dict[str, Any]]:
    """Give for each group its rows and the headline metric there; None where the metric has no meaning."""
    headline = headline_of(signature.target)
    table = []
    for feature in signature.features:
        if feature.type not in ("category", "boolean"):
            continue
        column = unseen.X[feature.name]
        for level in column.value_counts(dropna=False).index[:MOST_LEVELS]:
            missing = bool(pd.isna(level))
            rows = (column.isna() if missing else (column == level).fillna(value=False)).to_numpy(dtype=bool)
            if rows.sum() < FEWEST:
                continue
            value = metrics_of(unseen.take(rows), signature.target).get(headline)
            written = None if value is None or not np.isfinite(value) else value
            named = None if missing else plain(level)
            table.append({"feature": feature.name, "level": named, "rows": int(rows.sum()), headline: written})
    return table
