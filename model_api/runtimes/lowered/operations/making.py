"""What the modules of operations share."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Raw = list[list[Any]]
Operation = Callable[..., Any]


def plain(function: Operation) -> Callable[..., Operation]:
    """Make an operation of a function that takes its inputs by place and its parameters by name."""

    def make(**parameters: Any) -> Operation:
        return partial(function, **parameters) if parameters else function

    return make


def raw_columns(source: Matrix | Raw) -> Raw:
    """Give columns of plain values, whatever comes in."""
    if isinstance(source, list):
        return source
    return [[None if value != value else value for value in column] for column in source.T.tolist()]  # noqa: PLR0124 -- NaN alone differs from itself


def product(x: Matrix, weights: Matrix) -> Matrix:
    """Multiply n × k with k × m, each row for itself: what it gives for a row does not depend on the rows beside it.

    Of n rows at once, BLAS adds up in another order than of one, and the last bits differ.
    """
    rows: Matrix = np.ascontiguousarray(x)[:, None, :] @ weights
    return rows[:, 0, :]
