"""How good the model is on rows it has not seen: cross-validated metrics, and the scores for its intervals."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

from model_api import conformal
from model_api.runtimes import Floats
from model_api.signature import Target

FOLDS = 10
SEED = 0


def assess(
    estimator: BaseEstimator, X: pd.DataFrame, y: "pd.Series[Any]", target: Target
) -> tuple[dict[str, Any], list[float]]:
    """Cross-validate; give the metrics and the conformal scores, ascending.

    `X`: n rows; `y`: n values. The published estimator is fitted on all rows; each score comes from a copy that
    did not see the row.
    """
    fresh = clone(estimator)
    method = f"{FOLDS}-fold cross-validation on {len(X):,} rows"
    if target.classes:
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
        probabilities = cross_val_predict(fresh, X, y, cv=folds, method="predict_proba")
        true = pd.Categorical(y, categories=list(target.classes)).codes
        scores = conformal.classification_scores(true, probabilities)
        found = _classification(true, probabilities, target)
    else:
        predicted = cross_val_predict(fresh, X, y, cv=KFold(FOLDS, shuffle=True, random_state=SEED))
        scores = conformal.regression_scores(y.to_numpy(dtype=np.float64), predicted)
        found = _regression(y.to_numpy(dtype=np.float64), predicted)
    return {"method": method, "rows": len(X), **found}, [float(score) for score in scores]


def _regression(true: Floats, predicted: Floats) -> dict[str, Any]:
    return {
        "headline": "mean_absolute_error",
        "metrics": {
            "mean_absolute_error": float(metrics.mean_absolute_error(true, predicted)),
            "root_mean_squared_error": float(metrics.root_mean_squared_error(true, predicted)),
            "r2": float(metrics.r2_score(true, predicted)),
        },
    }


def _classification(true: conformal.Integers, probabilities: Floats, target: Target) -> dict[str, Any]:
    predicted = probabilities.argmax(axis=1)
    positive = target.classes.index(target.positive) if target.positive in target.classes else 1
    if len(target.classes) == 2:
        auc = metrics.roc_auc_score(true == positive, probabilities[:, positive])
    else:
        auc = metrics.roc_auc_score(true, probabilities, multi_class="ovr")
    return {
        "headline": "roc_auc" if len(target.classes) == 2 else "balanced_accuracy",
        "metrics": {
            "balanced_accuracy": float(metrics.balanced_accuracy_score(true, predicted)),
            "accuracy": float(metrics.accuracy_score(true, predicted)),
            "roc_auc": float(auc),
            "log_loss": float(metrics.log_loss(true, probabilities)),
        },
    }
