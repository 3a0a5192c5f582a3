"""How sure: conformal intervals and prediction sets from the scores of training rows the model had not seen.

Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005); the scores come from cross-validation
(publishing/quality), so coverage is close to what is stated, not guaranteed for each single case. Where large numbers
are predicted better or worse than small ones, each third of them has scores of its own (Mondrian: chapter 4 there).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.artifact import ScoreGroups
from model_api.runtimes import Floats

Integers = npt.NDArray[np.integer[Any]]
GROUPS = 3
"""Groups of predicted numbers, alike in rows."""
FEWEST_ROWS = 100
"""Calibration rows of a group: its own margin would otherwise be less sure than the one of all is wrong."""
DIFFERENT, AT = 1.25, 0.9
"""By which factor the margins of groups have to differ at this coverage, to be worth it."""


def margin(scores: Sequence[float], coverage: float) -> float | None:
    """Give the score that a new case stays under with probability `coverage`.

    `scores`: n calibration scores, ascending. None when n is too small for this coverage: the smallest sufficient
    n is coverage / (1 - coverage).
    """
    rank = math.ceil((len(scores) + 1) * coverage)
    return scores[rank - 1] if 1 <= rank <= len(scores) else None


def regression_scores(true: Floats, predicted: Floats) -> Floats:
    """Give the absolute errors, in the target's unit, n of them, ascending."""
    return np.sort(np.abs(true - predicted))


class Margins:
    """How far the truth may be from a predicted number at one coverage."""

    def __init__(self, scores: Sequence[float], groups: ScoreGroups | None, coverage: float) -> None:
        """`scores`: of all calibration rows, ascending; `groups`: the same by the size of the prediction."""
        self.usual = margin(scores, coverage)
        """The margin of all; None where there are too few scores for this coverage."""
        self.varies = groups is not None and self.usual is not None
        """Whether it depends on the predicted number."""
        self._edges: tuple[float, ...] = ()
        self._halves = [self.usual]
        if groups is not None and self.usual is not None:
            self._edges = groups.edges
            self._halves = [_of_group(own, coverage, self.usual) for own in groups.scores]

    def at(self, number: float) -> float | None:
        """Give the margin of one predicted number."""
        return self._halves[bisect_right(self._edges, number)]

    def of(self, numbers: Floats) -> Floats | float:
        """Give the margins of n predicted numbers, or the one of all of them; there has to be one."""
        assert self.usual is not None
        if not self.varies:
            return self.usual
        margins: Floats = np.array(self._halves)[np.searchsorted(self._edges, numbers, side="right")]
        return margins


def _of_group(scores: Sequence[float], coverage: float, usual: float) -> float:
    """Give the margin of a group; one that is too small for this coverage has the usual one, or its largest score."""
    own = margin(scores, coverage)
    return max(usual, scores[-1]) if own is None else own


def groups_by_size(true: Floats, predicted: Floats) -> ScoreGroups | None:
    """Group n calibration rows by the predicted number; None where the data does not support it or makes no difference.

    Each group has at least `FEWEST_ROWS` rows, and their margins differ.
    """
    edges = np.quantile(predicted, np.arange(1, GROUPS) / GROUPS)
    places = np.searchsorted(edges, predicted, side="right")
    scores = [regression_scores(true[places == group], predicted[places == group]).tolist() for group in range(GROUPS)]
    if min(map(len, scores)) < FEWEST_ROWS:
        return None
    margins = [half for half in (margin(own, AT) for own in scores) if half is not None]
    if max(margins) <= DIFFERENT * min(margins):
        return None
    return ScoreGroups(tuple(edges.tolist()), tuple(map(tuple, scores)))


def classification_scores(true: Integers, probabilities: Floats) -> Floats:
    """Give one minus the probability of the true class, n of them, ascending.

    `true`: n positions of classes; `probabilities`: n × k.
    """
    return np.sort(1 - probabilities[np.arange(len(true)), true])


def prediction_set(probabilities: Sequence[float], limit: float) -> tuple[int, ...]:
    """Give the positions of the classes that the coverage leaves, likeliest first; the likeliest is always in.

    `probabilities`: of all classes; `limit`: the margin of the calibration.
    """
    likeliest_first = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)
    return tuple(i for i in likeliest_first if 1 - probabilities[i] <= limit) or (likeliest_first[0],)
