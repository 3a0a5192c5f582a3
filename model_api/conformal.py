"""How sure: conformal intervals and prediction sets from the scores of training rows the model had not seen.

Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005); the scores come from cross-validation
(publishing/quality.py), so coverage is close to what is stated, not guaranteed for each single case.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes import Floats

Integers = npt.NDArray[np.integer[Any]]


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
