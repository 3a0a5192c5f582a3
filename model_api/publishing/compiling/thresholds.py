"""Rows on and just beside every threshold of a plan: where a tree splits, a bin begins, a number becomes a one.

A threshold lies somewhere inside the plan, behind scalers and imputers. For each the two neighbouring floats of one
raw feature are found between which the value crosses it, by bisection over all floats.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from model_api.publishing.compiling.proof_rows import joined
from model_api.runtimes.lowered import PLAN, LoweredPredictor
from model_api.signature import Columns, Signature

MOST = 50_000
"""Thresholds that are tried; of more, as many at random."""
HALVINGS = 66
"""A float has 64 bits."""
FAR = 1e30
"""Where the search begins, on either side of zero."""
SEED = 0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Crossing:
    """One value that decides something."""

    node: int
    """Which node of the plan holds the value that is compared."""
    column: int
    threshold: float
    single: bool = False
    """Whether the value is rounded to float32 before it is compared."""
    begins: bool = False
    """Whether the threshold itself lies on the upper side, as the edge of a bin does."""


@dataclass(frozen=True)
class ThresholdRows:
    """What was found."""

    columns: Columns
    """Rows in pairs: just on the lower side of a threshold, and just on the upper side."""
    tried: int
    """Thresholds that these rows are about."""
    of: int
    """Thresholds that there are."""


def threshold_rows(
    plan: dict[str, bytes], predictor: LoweredPredictor, signature: Signature, real: Columns
) -> ThresholdRows:
    """Find the rows. Thresholds on what no single number of the input decides are not among those tried."""
    random = np.random.default_rng(SEED)
    search = _Search(predictor, signature, real, random)
    crossings = _crossings(plan, search.width)
    chosen = crossings
    if len(crossings) > MOST:
        chosen = [crossings[i] for i in np.sort(random.choice(len(crossings), MOST, replace=False))]
    parts = [
        part
        for node in sorted({crossing.node for crossing in chosen})
        for part in search.rows_beside([crossing for crossing in chosen if crossing.node == node])
    ]
    columns = joined(parts) if parts else {feature.name: [] for feature in signature.features}
    return ThresholdRows(columns, len(next(iter(columns.values()))) // 2, len(crossings))


def _crossings(plan: dict[str, bytes], width: Callable[[int], int]) -> list[Crossing]:
    """List all thresholds; `width` tells how many columns a node has."""
    document = json.loads(plan[PLAN])
    blob = plan["plan.bin"]
    found: list[Crossing] = []
    for node in document["nodes"]:
        source = node["in"][0]
        if node["op"] == "trees":
            splits = _splits(plan[node["ensemble"]["file"]])
            found += [Crossing(source, column, value, node["single"]) for column, value in splits]
        elif node["op"] == "bins":
            for column, edges in enumerate(node["edges"]):
                described = document["arrays"][edges["array"]]
                count = described["shape"][0]
                values = np.frombuffer(blob, "float64", count, described["offset"])
                found += [Crossing(source, column, float(edge), begins=True) for edge in values]
        elif node["op"] == "binarize":
            found += [Crossing(source, column, node["threshold"]) for column in range(width(source))]
    return sorted(set(found), key=lambda c: (c.node, c.column, c.threshold))


def _splits(data: bytes) -> set[tuple[int, float]]:
    (node,) = onnx.load_from_string(data).graph.node
    attributes = {attribute.name: attribute for attribute in node.attribute}
    splits = onnx.numpy_helper.to_array(attributes["nodes_splits"].t).tolist()
    modes = onnx.numpy_helper.to_array(attributes["nodes_modes"].t).tolist()
    features = attributes["nodes_featureids"].ints
    return {
        (feature, split) for feature, split, mode in zip(features, splits, modes, strict=True)
        if mode == 0 and np.isfinite(split)
    }  # fmt: skip


class _Search:
    """Looks for the raw numbers beside a threshold, by what the plan makes of them."""

    def __init__(
        self, predictor: LoweredPredictor, signature: Signature, real: Columns, random: np.random.Generator
    ) -> None:
        self._predictor, self._real, self._random = predictor, real, random
        self._numbers = [f for f in signature.features if f.type in ("number", "integer")]
        self._whole = {f.name for f in self._numbers if f.type == "integer"}
        self._names = signature.names
        self._count = len(next(iter(real.values())))
        gaps = [sum(real[name][row] is None for name in self._names) for row in range(min(self._count, 1000))]
        row = int(np.argmin(gaps))
        self._base = {name: real[name][row] for name in self._names}

    def width(self, node: int) -> int:
        """Count the columns of a node; none when it is no matrix."""
        traced = self._predictor.trace({name: [value] for name, value in self._base.items()}, node)
        return int(traced.shape[1]) if isinstance(traced, np.ndarray) and traced.ndim == 2 else 0

    def rows_beside(self, crossings: list[Crossing]) -> list[Columns]:
        """Give rows in pairs for thresholds of one node, feature by feature."""
        owners = self._owners(crossings[0].node)
        parts = []
        for name in sorted({owners[c.column] for c in crossings if c.column in owners}):
            pairs = self._bisect(name, [c for c in crossings if owners.get(c.column) == name])
            if pairs is not None:
                parts.append(self._rows(name, *pairs))
        return parts

    def _rows(self, name: str, low: Floats, high: Floats) -> Columns:
        """Put the values into real rows."""
        if name in self._whole:
            low, high = np.floor(low), np.floor(low) + 1
        values: list[Any] = np.stack([low, high], axis=1).ravel().tolist()
        places = self._random.integers(0, self._count, len(values)).tolist()
        rows = {other: [self._real[other][place] for place in places] for other in self._names}
        rows[name] = [int(value) for value in values] if name in self._whole else values
        return rows

    def _owners(self, node: int) -> dict[int, str]:
        """Tell which column of a node moves with which number alone, and steadily upwards."""
        moved: dict[int, list[str]] = {}
        for feature in self._numbers:
            if feature.minimum is None or feature.maximum is None:
                continue
            values = self._traced(feature.name, np.linspace(float(feature.minimum), float(feature.maximum), 9), node)
            if values is None:
                return {}
            for column in np.flatnonzero((values[0] != values).any(axis=0)):
                rises = bool((np.diff(values[:, column]) >= 0).all())
                moved.setdefault(int(column), []).append(feature.name if rises else "")
        return {column: names[0] for column, names in moved.items() if len(names) == 1 and names[0]}

    def _bisect(self, name: str, crossings: list[Crossing]) -> tuple[Floats, Floats] | None:
        """Find for each threshold the largest float whose value is still on its lower side, and the next one."""
        limits = np.array([c.threshold for c in crossings])
        single, begins = np.array([c.single for c in crossings]), np.array([c.begins for c in crossings])
        columns = np.array([c.column for c in crossings])
        low, high = _ordered(np.full(len(limits), -FAR)), _ordered(np.full(len(limits), FAR))
        for _ in range(HALVINGS):
            middle = low // 2 + high // 2 + (low % 2 + high % 2) // 2  # their sum would overflow
            values = self._traced(name, _floats(middle), crossings[0].node)
            if values is None:
                return None
            compared = values[np.arange(len(columns)), columns]
            with np.errstate(over="ignore"):  # the search begins far outside of float32
                compared = np.where(single, compared.astype(np.float32).astype(np.float64), compared)
            below = np.where(begins, compared < limits, compared <= limits)
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        found, above = _floats(low), _floats(high)
        reached = (np.abs(found) < FAR / 2) & (np.abs(above) < FAR / 2)  # a clipped column may never cross
        return found[reached], above[reached]

    def _traced(self, name: str, values: Floats, node: int) -> Floats | None:
        """Give what a node holds for the base row with other values of one feature."""
        columns: Columns = {key: [value] * len(values) for key, value in self._base.items()}
        columns[name] = values.tolist()
        traced = self._predictor.trace(columns, node)
        return traced if isinstance(traced, np.ndarray) and traced.ndim == 2 else None


def _ordered(values: Floats) -> npt.NDArray[np.int64]:
    """Number the floats so that neighbours have neighbouring numbers."""
    bits = values.view(np.int64)
    return np.where(bits >= 0, bits, np.int64(-(2**63)) - bits)


def _floats(numbers: npt.NDArray[np.int64]) -> Floats:
    bits = np.where(numbers >= 0, numbers, np.int64(-(2**63)) - numbers)
    return np.ascontiguousarray(bits).view(np.float64)
