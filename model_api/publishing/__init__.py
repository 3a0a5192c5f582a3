"""Estimator + data → artifact: a new immutable version, written aside and put in place in one step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from model_api.artifact import CHAMPION
from model_api.publishing.estimator_file import dump
from model_api.publishing.quality import assess
from model_api.publishing.reference_sample import sample
from model_api.publishing.signature_inference import infer_signature
from model_api.publishing.version_folder import Draft, write_version

__all__ = ["publish"]


def publish(
    estimator: BaseEstimator,
    X: pd.DataFrame,
    y: pd.Series,
    *,
    name: str,
    title: str = "",
    description: str = "",
    features: Mapping[str, Mapping[str, Any]] | None = None,
    target: Mapping[str, Any] | None = None,
    card: str = "",
    synthetic: bool = False,
    models: Path | str = "models",
    alias: str = CHAMPION,
) -> Path:
    """Fit nothing, prove what can be proved, and write `estimator` as a version that can be served.

    `estimator` is fitted on `X` (n rows, a column per feature) and `y` (n values). `features` and `target` add
    what data cannot tell: label, unit, description, group. Publishing the same bytes again makes no new version.
    Returns the version's folder. Raises ValueError when name, data and estimator do not fit together.
    """
    signature = infer_signature(estimator, X, y, features or {}, target or {})
    quality, scores = assess(estimator, X, y, signature.target)
    reference = sample(X, y, signature)
    draft = Draft(
        title=title or name,
        description=description,
        synthetic=synthetic,
        signature=signature,
        estimator=dump(estimator),
        estimator_class=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        dtypes={str(column): str(dtype) for column, dtype in X.dtypes.items()},
        reference=reference,
        quality=quality,
        scores=scores,
        card=card,
    )
    return write_version(Path(models), name, draft, alias)
