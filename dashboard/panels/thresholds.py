"""The number that a prediction is compared with, unless a person sets another: the middle of what is usual."""

import math

import numpy as np

from dashboard.errors import ModelServiceError
from dashboard.panels import Case
from dashboard.records import number_of

FINE = 100
"""What part of the predictions' spread a threshold is rounded to."""


def usual_threshold(case: Case) -> float:
    """Give the median of the predictions for the reference rows, rounded; if these are not to be had, the case's own.

    Raises InvalidInstance or ModelServiceError.
    """
    output = case.asked.get("output") or next(iter(case.model.signature.target.outputs), None)
    try:
        known = [number_of(value, output) for value in case.client.all_reference(case.model).prediction]
    except (ModelServiceError, KeyError):  # KeyError: no such output, which the model service is going to say
        known = []
    if not known:
        return _own(case, output)
    with np.errstate(over="ignore"):
        return short(float(np.median(known)), float(np.std(known)))


def short(number: float, spread: float) -> float:
    """Leave out the digits below a hundredth of a spread; where there is none, leave the number as it is."""
    if not 0 < spread < math.inf:
        return number
    return round(number, -math.floor(math.log10(spread / FINE)))


def _own(case: Case, output: str | None) -> float:
    prediction = case.predict().prediction
    if isinstance(prediction, dict) and output not in prediction:
        output = next(iter(prediction))
    return number_of(prediction, output)
