"""How good the model is on rows it has not seen: metrics, curves, slices, importance, and scores for its intervals."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model_api import conformal
from model_api.artifact import ScoreGroups
from model_api.publishing.quality.curves import curves_of
from model_api.publishing.quality.importance import importance_of
from model_api.publishing.quality.metrics import headline_of, metrics_of
from model_api.publishing.quality.slices import slices_of
from model_api.publishing.quality.unseen import Table, Unseen, answers_for_unseen
from model_api.publishing.reference_sample import plain_columns
from model_api.runtimes import Predictor
from model_api.signature import Signature, Target

MOST_SCORES = 5000
"""Conformal scores that are kept; of more, as many evenly spaced quantiles."""


@dataclass(frozen=True)
class Calibration:
    """What intervals are made of."""

    scores: list[list[float]]
    """Conformal scores, ascending, one list for each number of a prediction; empty where there can be none."""
    groups: list[ScoreGroups | None]
    """Of each number of a prediction the scores by its size, where that makes a difference."""

    def to_dict(self) -> dict[str, Any]:
        """Give its form in a version, which tells of groups only where there are some."""
        if not any(self.groups):
            return {"scores": self.scores}
        return {"scores": self.scores, "groups": [group and asdict(group) for group in self.groups]}


@dataclass(frozen=True)
class Assessment:
    """What was found."""

    quality: dict[str, Any]
    """Method, metrics, curves, slices and importance."""
    calibration: Calibration

    @property
    def scores(self) -> list[list[float]]:
        """The conformal scores of all rows."""
        return self.calibration.scores


def assess(
    estimator: Any, signature: Signature, training: Table, held_out: Table | None, predictor: Predictor
) -> Assessment:
    """Assess on held-out rows where there are some, else by cross-validation; `predictor` answers as `estimator`."""
    target = signature.target
    unseen = answers_for_unseen(estimator, target, training, held_out)
    X, y = held_out or training
    quality = {
        "method": unseen.method,
        "honest": unseen.honest,
        "rows": len(unseen),
        "headline": headline_of(target),
        "metrics": metrics_of(unseen, target),
        "curves": curves_of(unseen, target),
        "slices": slices_of(unseen, signature),
        "importance": importance_of(predictor, signature, plain_columns(X, signature), y.to_numpy().tolist()),
    }
    return Assessment(quality, calibrate(unseen, target))


def calibrate(unseen: Unseen, target: Target) -> Calibration:
    """Measure how wrong the model is; nothing where it had seen the rows, or tells no probabilities."""
    count = len(target.outputs) or 1
    if not unseen.honest or (target.classes and unseen.probabilities is None):
        return Calibration([[] for _ in range(count)], [None] * count)
    if unseen.probabilities is not None:
        return Calibration([_thinned(conformal.classification_scores(unseen.true, unseen.probabilities))], [None])
    columns = list(zip(*(numbers.T for numbers in unseen.numbers), strict=True))
    return Calibration(
        [_thinned(conformal.regression_scores(true, predicted)) for true, predicted in columns],
        [_thinned_groups(conformal.groups_by_size(true, predicted)) for true, predicted in columns],
    )


def _thinned_groups(groups: ScoreGroups | None) -> ScoreGroups | None:
    return groups and ScoreGroups(groups.edges, tuple(tuple(_thinned(own)) for own in groups.scores))


def _thinned(scores: Any) -> list[float]:
    """Keep at most MOST_SCORES, so that every quantile stays where it was, or a little on the careful side."""
    if len(scores) > MOST_SCORES:
        scores = np.quantile(scores, np.linspace(0, 1, MOST_SCORES), method="higher")
    return [float(score) for score in scores]
