"""The plan while it is being written: nodes, arrays and files."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_api.runtimes.frames import Layout
from model_api.runtimes.lowered import DTYPES, FORMAT

COLUMNS = -1
"""The input that stands for the columns of the instances."""
NUMERIC = ("float", "int", "uint", "Float", "Int", "UInt", "bool")
"""What the names of dtypes begin with whose values scikit-learn computes with as numbers."""


class Unlowerable(Exception):
    """An estimator, or a setting of it, that has no plan; the message says which."""


@dataclass(frozen=True)
class Node:
    """The result of one operation."""

    number: int
    """Its place in the plan."""
    width: int
    """Columns of the result."""
    raw: bool = False
    """Whether it is columns of plain values rather than a matrix."""


@dataclass(frozen=True)
class Frame:
    """Some columns of the data frame that the estimator was fitted on, not yet turned into numbers."""

    layout: Layout

    @property
    def width(self) -> int:
        """How many columns."""
        return len(self.layout)

    def take(self, indexes: Sequence[int]) -> "Frame":
        """Give some of the columns."""
        return Frame([self.layout[index] for index in indexes])


Source = Frame | Node


class Graph:
    """Collects nodes in the order in which they are to be computed."""

    def __init__(self) -> None:
        self._nodes: list[dict[str, Any]] = []
        self._arrays: list[dict[str, Any]] = []
        self._blob = bytearray()
        self._sources: dict[tuple[bool, tuple[str, ...]], Node] = {}
        self._widest = 1
        self.files: dict[str, bytes] = {}

    def add(self, operation: str, *inputs: Node, width: int, raw: bool = False, **parameters: Any) -> Node:
        """Add an operation on earlier nodes; arrays among the parameters are kept apart."""
        return self._append(operation, [node.number for node in inputs], width, raw, parameters)

    def _append(self, operation: str, inputs: list[int], width: int, raw: bool, parameters: dict[str, Any]) -> Node:
        kept = {name: self._kept(value) for name, value in parameters.items()}
        self._nodes.append({"op": operation, "in": inputs, **kept})
        self._widest = max(self._widest, width)
        return Node(len(self._nodes) - 1, width, raw)

    def need(self, cells: int) -> None:
        """Say how many numbers an operation holds for one instance, where it is more than its result."""
        self._widest = max(self._widest, cells)

    def keep_file(self, name: str, data: bytes) -> dict[str, str]:
        """Keep a file beside the plan; gives what to pass as parameter."""
        self.files[name] = data
        return {"file": name}

    def node(self, source: Source) -> Node:
        """Give a source as a node: a matrix when all its columns are numbers, else plain values."""
        if isinstance(source, Node):
            return source
        names = tuple(column["name"] for column in source.layout)
        raw = not all(column["dtype"].startswith(NUMERIC) for column in source.layout)
        if any(column["dtype"].startswith("datetime64") for column in source.layout):
            raise Unlowerable("dates reach a step that a plan has no operation for")
        if (raw, names) not in self._sources:
            single = [i for i, column in enumerate(source.layout) if column["dtype"] == "float32" and not raw]
            options = {"features": list(names), **({"single": single} if single else {})}
            self._sources[raw, names] = self._append("raw" if raw else "numbers", [COLUMNS], len(names), raw, options)
        return self._sources[raw, names]

    def matrix(self, source: Source) -> Node:
        """Give a source as a matrix."""
        node = self.node(source)
        return self.add("as_numbers", node, width=node.width) if node.raw else node

    def join(self, nodes: Sequence[Node]) -> Node:
        """Put nodes side by side."""
        filled = [node for node in nodes if node.width]
        if len(filled) == 1:
            return filled[0]
        width = sum(node.width for node in filled)
        if all(not node.raw for node in filled):
            return self.add("join", *filled, width=width)
        if all(node.raw for node in filled):
            return self.add("join_raw", *filled, width=width, raw=True)
        raise Unlowerable("a step puts numbers and plain values side by side")

    def document(self, outputs: dict[str, Node | None]) -> tuple[bytes, bytes]:
        """Give the plan and its arrays as the bytes of their files."""
        places = {name: node.number if node else None for name, node in outputs.items()}
        whole = {"format": FORMAT, **places, "width": self._widest, "arrays": self._arrays, "nodes": self._nodes}
        return (json.dumps(whole, ensure_ascii=False) + "\n").encode(), bytes(self._blob)

    def _kept(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return {"array": self._keep_array(value)}
        if isinstance(value, list):
            return [self._kept(item) for item in value]
        return value.item() if isinstance(value, np.generic) else value

    def _keep_array(self, array: "np.ndarray[Any, Any]") -> int:
        if array.dtype.kind in "iub":
            array = array.astype(np.int64)
        elif str(array.dtype) not in DTYPES:
            array = array.astype(np.float64)
        self._blob.extend(b"\0" * (-len(self._blob) % 8))
        self._arrays.append({"dtype": str(array.dtype), "shape": list(array.shape), "offset": len(self._blob)})
        self._blob.extend(np.ascontiguousarray(array).tobytes())
        return len(self._arrays) - 1


def plain_level(level: Any) -> Any:
    """Turn an encoder's level into a plain value; what is missing becomes None."""
    if isinstance(level, np.generic):
        level = level.item()
    missing = level is None or (isinstance(level, float) and math.isnan(level)) or type(level).__name__ == "NAType"
    return None if missing else level
