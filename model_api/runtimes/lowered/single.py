"""Operations for one row: what the general ones give, to the last bit, without what they do to be general.

A matrix of one row is so small that NumPy spends its time on deciding what to do: broadcasting a vector over it costs
three times the subtraction, and telling that no value is infinite more than a tree does. So parameters are put into
shape once, and what is one number is computed as one. Results that are not finite raise FloatingPointError where
`with_errors_raised` runs the operations: who asked for one row then asks in the general way.
"""

import contextvars
import operator
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from model_api.runtimes import Row
from model_api.runtimes.lowered.operations import classes
from model_api.runtimes.lowered.operations.making import Matrix, Operation, Raw
from model_api.runtimes.lowered.operations.trees import Trees

_context = contextvars.copy_context()
_context.run(np.seterr, over="raise", divide="raise", invalid="ignore", under="ignore")  # NaN is a missing value
with_errors_raised = _context.run
"""Calls a function where overflow is an error; not for two threads at a time. `np.errstate` costs 20 × more."""


def _source(node: Mapping[str, Any], names: Sequence[str]) -> Operation:
    places = [names.index(name) for name in node["features"]]
    return _raw(places) if node["op"] == "raw" else _numbers(places, len(names), node.get("single", ()))


def _numbers(places: Sequence[int], width: int, in_float32: Sequence[int]) -> Operation:
    pack, shape = struct.Struct(f"{len(places)}d").pack, (1, len(places))
    pick = _picker(places, width)

    def take(row: Row) -> Matrix:
        values = pick(row)
        try:
            return np.ndarray(shape, np.float64, pack(*values))
        except struct.error:  # something is missing
            return np.array([values], dtype=np.float64)

    def take_rounded(row: Row) -> Matrix:
        matrix = take(row).copy()
        for column in in_float32:
            matrix[:, column] = matrix[:, column].astype(np.float32)
        return matrix

    return take_rounded if in_float32 else take


def _raw(places: Sequence[int]) -> Operation:
    return lambda row: [[row[place]] for place in places]


def _picker(places: Sequence[int], width: int) -> Callable[[Row], Sequence[Any]]:
    if list(places) == list(range(width)):
        return lambda row: row
    if len(places) == 1:
        return operator.itemgetter(slice(places[0], places[0] + 1))
    return operator.itemgetter(*places)


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[..., Operation]:
    def make(*, value: Matrix) -> Operation:
        other = value.item() if value.size == 1 else value.reshape(1, -1)
        return lambda x: compute(x, other)

    return make


def _matmul(*, weights: Matrix) -> Operation:
    return lambda x: x.dot(weights)


def _fill(*, value: Matrix, missing: float | None = None) -> Operation | None:
    if missing is not None:
        return None
    other = value.reshape(1, -1)
    return lambda x: np.where(np.isnan(x), other, x)


def _fill_raw(*, values: Sequence[Any], missing: Any = None) -> Operation:
    def fill(columns: Raw) -> Raw:
        return [
            [value] if found == missing and value is not None else [found]
            for (found,), value in zip(columns, values, strict=True)
        ]

    return fill


def _sigmoid() -> Operation:
    def sigmoid(x: Matrix) -> Matrix:
        if x.size > 1:
            return classes.sigmoid(x)
        score = x.item()
        small = np.exp(-abs(score)).item()  # NumPy's, which differs from math.exp in the last bit
        return np.array([[1 / (1 + small) if score >= 0 else small / (1 + small)]])

    return sigmoid


def _pair() -> Operation:
    def pair(x: Matrix) -> Matrix:
        share = x.item(0)
        return np.array([[1 - share, share]])

    return pair


def _above(*, threshold: float = 0.0) -> Operation:
    yes, no = np.array([1], dtype=np.intp), np.array([0], dtype=np.intp)
    return lambda x: yes if x.item(0) > threshold else no


MAKERS: Mapping[str, Callable[..., Operation | None]] = {
    "subtract": _arithmetic(operator.sub),
    "add": _arithmetic(operator.add),
    "multiply": _arithmetic(operator.mul),
    "divide": _arithmetic(operator.truediv),
    "matmul": _matmul,
    "fill": _fill,
    "fill_raw": _fill_raw,
    "sigmoid": _sigmoid,
    "pair": _pair,
    "above": _above,
}
"""Operation → what makes its form for one row from its parameters; None where these are out of the ordinary."""


def form_for_one(
    node: Mapping[str, Any], parameters: Mapping[str, Any], general: Operation, names: Sequence[str]
) -> Operation:
    """Give the form of a node's operation for one row whose features are `names`, or the general one."""
    if list(node["in"]) == [-1]:
        return _source(node, names)
    if isinstance(general, Trees):
        return general.one
    maker = MAKERS.get(node["op"])
    return (maker(**parameters) if maker else None) or general
