"""The operations of a plan, by name. Each is made once, from its parameters, and then called with arrays.

A matrix is n × k in float64, missing is NaN; raw columns are lists of plain values, missing is None.
"""

from collections.abc import Callable
from typing import Any

from model_api.runtimes.lowered.operations import arithmetic, classes, encoders, estimators, scales, text, trees

OPERATIONS: dict[str, Callable[..., Callable[..., Any]]] = {
    **arithmetic.OPERATIONS,
    **classes.OPERATIONS,
    **encoders.OPERATIONS,
    **estimators.OPERATIONS,
    **scales.OPERATIONS,
    **text.OPERATIONS,
    **trees.OPERATIONS,
}
