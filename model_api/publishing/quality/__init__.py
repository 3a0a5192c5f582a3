"""How good the model is on rows it has not seen: metrics, curves, slices, importance, and scores for its intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from model_api import conformal
from model_api.publishing.quality.curves import curves_of
from model_api.publishing.quality.importance import importance_of
from model_api.publishing.quality.metrics import headline_of, metrics_of
from model_api.publishing.quality.slices import slices_of
from model_api.publishing.quality.unseen import Table, Unseen, answers_for_unseen
from model_api.publishing.reference_sample import plain_columns
from model_api.runtimes import Predictor
from model_api.signature import Signature

MOST_SCORES = 5000
"""Conformal scores that are kept; of more, as many evenly spaced quantiles."""


@dataclass(frozen=True)
class Assessment:
    """What was found."""

    quality: dict[str, Any]
    """Method, metrics, curves, slices and importance."""
    scores: list[list[float]]
    """Conformal scores, ascending, one list for each number of a prediction; empty where there can be none."""


def assess(
    estimator: Any, signature: Signature, training: Table, held_out: Table | None, predictor: Predictor
) -> Assessment:
    """Assess on held-out rows where there are some, else by cross-validation; `predictor` answers as `estimator`."""
    target = signature.target
    unseen = answers_for_unseen(estimator, target, training, held_out)
    X, y = held_out or training
    quality = {
        "method": unseen.method,
        "rows": len(unseen),
        "headline": headline_of(target),
        "metrics": metrics_of(unseen, target),
        "curves": curves_of(unseen, target),
        "slices": slices_of(unseen, signature),
        "importance": importance_of(predictor, signature, plain_columns(X, signature), y.to_numpy().tolist()),
    }
    return Assessment(quality, _scores(unseen, target.outputs or ("",), classifies=bool(target.classes)))


def _scores(unseen: Unseen, outputs: tuple[str, ...], *, classifies: bool) -> list[list[float]]:
    if not unseen.honest or (classifies and unseen.probabilities is None):
        return [[] for _ in outputs]
    if unseen.probabilities is not None:
        return [_thinned(conformal.classification_scores(unseen.true, unseen.probabilities))]
    true, predicted = unseen.numbers
    return [_thinned(conformal.regression_scores(true[:, i], predicted[:, i])) for i in range(len(outputs))]


def _thinned(scores: Any) -> list[float]:
    """Keep at most MOST_SCORES, so that every quantile stays where it was, or a little on the careful side."""
    if len(scores) > MOST_SCORES:
        scores = np.quantile(scores, np.linspace(0, 1, MOST_SCORES), method="higher")
    return [float(score) for score in scores]
