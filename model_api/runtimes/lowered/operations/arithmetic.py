"""Sources, and arithmetic on a matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.runtimes.lowered.operations.making import Matrix, Raw, plain, product
from model_api.signature import Columns

FUNCTIONS = {
    "abs": np.abs,
    "cbrt": np.cbrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "negative": np.negative,
    "reciprocal": np.reciprocal,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "square": np.square,
    "tanh": np.tanh,
}
"""NumPy functions that a FunctionTransformer may name."""


def numbers(columns: Columns, *, features: Sequence[str], single: Sequence[int] = ()) -> Matrix:
    """Take features as a matrix; `single`: columns that the estimator got in float32."""
    # Row by row in memory, as rows come: BLAS adds up in another order for the other layout.
    matrix = np.ascontiguousarray(np.array([columns[name] for name in features], dtype=np.float64).T)
    for column in single:
        matrix[:, column] = matrix[:, column].astype(np.float32)
    return matrix


def raw(columns: Columns, *, features: Sequence[str]) -> Raw:
    """Take features as they are."""
    return [columns[name] for name in features]


def as_numbers(columns: Raw) -> Matrix:
    """Turn raw columns that hold numbers into a matrix."""
    return np.array(columns, dtype=np.float64).T


def subtract(x: Matrix, *, value: Matrix) -> Matrix:
    """Subtract a value from each column."""
    return x - value


def add(x: Matrix, *, value: Matrix) -> Matrix:
    """Add a value to each column."""
    return x + value


def multiply(x: Matrix, *, value: Matrix) -> Matrix:
    """Multiply each column with a value."""
    return x * value


def divide(x: Matrix, *, value: Matrix) -> Matrix:
    """Divide each column by a value."""
    return x / value


def clip(x: Matrix, *, low: float, high: float) -> Matrix:
    """Keep values between two others."""
    return np.clip(x, low, high)


def matmul(x: Matrix, *, weights: Matrix) -> Matrix:
    """Multiply with a k × m matrix."""
    return product(x, weights)


def take(x: Matrix | Raw, *, columns: npt.NDArray[np.int64]) -> Matrix | Raw:
    """Take some columns, in the order given."""
    return [x[column] for column in columns] if isinstance(x, list) else x[:, columns]


def join(*blocks: Matrix) -> Matrix:
    """Put matrices side by side."""
    return np.concatenate(blocks, axis=1)


def join_raw(*blocks: Raw) -> Raw:
    """Put raw columns side by side."""
    return [column for block in blocks for column in block]


def total(*blocks: Matrix) -> Matrix:
    """Add matrices up, one after the other, as scikit-learn adds up the members of an ensemble."""
    result = blocks[0].copy()
    for block in blocks[1:]:
        result += block
    return result


def average(*blocks: Matrix, weights: Matrix) -> Matrix:
    """Give the weighted mean of matrices."""
    return np.average(np.array(blocks), axis=0, weights=weights)


def constant(x: Matrix | Raw, *, value: Matrix) -> Matrix:
    """Give the same row for every instance."""
    rows = len(x[0]) if isinstance(x, list) else len(x)
    return np.repeat(value.reshape(1, -1), rows, axis=0)


def function(x: Matrix, *, name: str) -> Matrix:
    """Apply a function to every value."""
    result: Matrix = FUNCTIONS[name](x)
    return result


def products(x: Matrix, *, factors: npt.NDArray[np.int64]) -> Matrix:
    """Multiply columns: `factors` is terms × degree, each the number of a column, or k for one."""
    extended = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    result = extended[:, factors[:, 0]]
    for degree in range(1, factors.shape[1]):
        result = result * extended[:, factors[:, degree]]
    return result


OPERATIONS: dict[str, Any] = {
    operation.__name__: plain(operation)
    for operation in (
        *(numbers, raw, as_numbers, subtract, add, multiply, divide, clip, matmul, take, join, join_raw),
        *(total, average, constant, function, products),
    )
}
