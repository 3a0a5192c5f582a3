"""The usual metrics of a task."""

import numpy as np
from sklearn import metrics

from model_api.publishing.quality.unseen import Unseen
from model_api.signature import Target


def headline_of(target: Target) -> str:
    """Name the metric that stands for the others."""
    if not target.classes:
        return "mean_absolute_error"
    return "roc_auc" if len(target.classes) == 2 and target.probabilities else "balanced_accuracy"


def metrics_of(unseen: Unseen, target: Target) -> dict[str, float]:
    """Give all metrics of the task."""
    return _of_classes(unseen, target) if target.classes else _of_numbers(unseen)


def _of_numbers(unseen: Unseen) -> dict[str, float]:
    true, predicted = unseen.numbers
    return {
        "mean_absolute_error": float(metrics.mean_absolute_error(true, predicted)),
        "median_absolute_error": float(np.median(np.abs(true - predicted))),
        "root_mean_squared_error": float(metrics.root_mean_squared_error(true, predicted)),
        "r2": float(metrics.r2_score(true, predicted)),
    }


def _of_classes(unseen: Unseen, target: Target) -> dict[str, float]:
    found = {
        "balanced_accuracy": float(_balanced_accuracy(unseen)),
        "accuracy": float(metrics.accuracy_score(unseen.true, unseen.said)),
    }
    shares = unseen.probabilities
    present = len(np.unique(unseen.true))
    if shares is None or present < len(target.classes):
        return found
    if len(target.classes) == 2:
        place = target.positive_place
        positive = unseen.true == place
        found |= {
            "roc_auc": float(metrics.roc_auc_score(positive, shares[:, place])),
            "average_precision": float(metrics.average_precision_score(positive, shares[:, place])),
            "brier_score": float(np.mean((shares[:, place] - positive) ** 2)),
        }
    else:
        found["roc_auc"] = float(metrics.roc_auc_score(unseen.true, shares, multi_class="ovr"))
    return {**found, "log_loss": float(metrics.log_loss(unseen.true, shares, labels=range(shares.shape[1])))}


def _balanced_accuracy(unseen: Unseen) -> float:
    """Give the mean over the classes of the share that is found; classes without rows do not count."""
    right = unseen.true == unseen.said
    return float(np.mean([right[unseen.true == label].mean() for label in np.unique(unseen.true)]))
