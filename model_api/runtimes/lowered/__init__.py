"""A model as a short list of array operations: float64 on plain values, no data frame, no scikit-learn.

`plan.json` holds the operations in the order in which they are computed, `plan.bin` the arrays that they use, one
after the other. Ensembles of trees are small ONNX files beside them. All of it is data: no operation runs code or a
pattern that the artifact brings.

    {"format": 1, "arrays": [{"dtype": "float64", "shape": [10], "offset": 0}],
     "nodes": [{"op": "numbers", "in": [-1], "features": ["age", "bmi"]},
               {"op": "subtract", "in": [0], "value": {"array": 0}}],
     "numbers": 1, "labels": null, "probabilities": null, "width": 2}

The input -1 is the columns that a predictor gets; every other input is the number of an earlier node.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from model_api.errors import ArtifactError
from model_api.runtimes import Output, Row
from model_api.runtimes.lowered import single
from model_api.runtimes.lowered.operations import OPERATIONS
from model_api.signature import Columns

FORMAT = 1
PLAN, ARRAYS = "plan.json", "plan.bin"
LOOKED_INTO = ".onnx"
"""What the name of a file that a plan uses ends in: those are looked into before they are loaded."""
DTYPES = ("float64", "float32", "int64")
CELLS = 2_000_000
"""Numbers that one operation may hold at a time: more rows are computed in several pieces."""
Step = tuple[Callable[..., Any], tuple[int, ...]]
"""An operation, and which results it takes."""


class LoweredPredictor:
    """Computes a plan."""

    def __init__(
        self, document: Mapping[str, Any], blob: bytes, read: Callable[[str], bytes], names: Sequence[str] = ()
    ) -> None:
        """Build the operations; `read` gives the bytes of a file that the plan names. Raises ArtifactError.

        `names`: the features in the order of the row that `predict_one` gets.
        """
        if document["format"] != FORMAT:
            raise ArtifactError(f"{PLAN} is of another format than {FORMAT}")
        arrays = [_array(described, blob) for described in document["arrays"]]
        self._steps: list[Step] = []
        self._steps_for_one: list[Step] = []
        for position, node in enumerate(document["nodes"]):
            inputs, parameters = _inputs(position, node), _parameters(node, arrays, read)
            operation = OPERATIONS[node["op"]](**parameters)
            self._steps.append((operation, inputs))
            if names:
                self._steps_for_one.append((single.form_for_one(node, parameters, operation, names), inputs))
        self._numbers, self._labels = document["numbers"], document["labels"]
        self._probabilities = document["probabilities"]
        self._rows = max(1, CELLS // max(1, int(document["width"])))

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances, given as one list of n values per feature; None is missing."""
        rows = len(next(iter(columns.values())))
        if rows <= self._rows:
            return self._piece(columns)
        pieces = [
            self._piece({name: column[start : start + self._rows] for name, column in columns.items()})
            for start in range(0, rows, self._rows)
        ]
        return Output(*(_joined(list(parts)) for parts in zip(*pieces, strict=True)))

    def predict_one(self, row: Row) -> Output:
        """Predict for one instance, the values of its features; None is missing.

        On the event loop only. Raises FloatingPointError where a number becomes too large.
        """
        return self._output(single.with_errors_raised(_results, row, self._steps_for_one))

    def trace(self, columns: Columns, node: int) -> Any:
        """Give what one node holds; for those who look inside, never to serve."""
        with np.errstate(all="ignore"):
            return _results(columns, self._steps[: node + 1])[node]

    def _piece(self, columns: Columns) -> Output:
        with np.errstate(all="ignore"):  # who asks looks at the outcome
            return self._output(_results(columns, self._steps))

    def _output(self, results: list[Any]) -> Output:
        if self._numbers is not None:
            numbers = results[self._numbers]
            return Output(numbers=numbers[:, 0] if numbers.shape[1] == 1 else numbers)
        probabilities = None if self._probabilities is None else results[self._probabilities]
        return Output(labels=results[self._labels], probabilities=probabilities)


def _results(source: Columns | Row, steps: list[Step]) -> list[Any]:
    results: list[Any] = []
    for operation, inputs in steps:
        if len(inputs) == 1:
            (i,) = inputs
            results.append(operation(source if i < 0 else results[i]))
        else:
            results.append(operation(*(source if i < 0 else results[i] for i in inputs)))
    return results


def load(read: Callable[[str], bytes], names: Sequence[str] = ()) -> LoweredPredictor:
    """Load a plan from an artifact's files; `names` are the features, as rows have them. Raises ArtifactError."""
    try:
        return LoweredPredictor(json.loads(read(PLAN)), read(ARRAYS), read, names)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise ArtifactError(f"{PLAN} is not a plan: {type(error).__name__}: {error}") from error


def _array(described: Mapping[str, Any], blob: bytes) -> "np.ndarray[Any, Any]":
    dtype, shape, offset = described["dtype"], [int(n) for n in described["shape"]], int(described["offset"])
    if dtype not in DTYPES or min([*shape, offset, 0]) < 0:
        raise ValueError(f"an array of {dtype} and shape {shape} at {offset}")
    return np.frombuffer(blob, dtype, math.prod(shape), offset).reshape(shape)


def _inputs(position: int, node: Mapping[str, Any]) -> tuple[int, ...]:
    inputs = tuple(int(i) for i in node["in"])
    if not all(-1 <= i < position for i in inputs):
        raise ValueError(f"node {position} has inputs {inputs}")
    return inputs


def _parameters(node: Mapping[str, Any], arrays: list[Any], read: Callable[[str], bytes]) -> dict[str, Any]:
    return {name: _resolved(value, arrays, read) for name, value in node.items() if name not in ("op", "in")}


def _resolved(value: Any, arrays: list[Any], read: Callable[[str], bytes]) -> Any:
    if isinstance(value, dict) and set(value) == {"array"}:
        return arrays[value["array"]]
    if isinstance(value, dict) and set(value) == {"file"}:
        if not value["file"].endswith(LOOKED_INTO):
            raise ValueError(f"it names the file {value['file'][:64]!r}")
        return read(value["file"])
    if isinstance(value, list):
        return [_resolved(item, arrays, read) for item in value]
    return value


def _joined(parts: list[Any]) -> Any:
    return None if parts[0] is None else np.concatenate(parts)
