"""An ONNX file, looked into but not loaded: its operators, its tensors and the numbering of its trees."""

import math
from dataclasses import dataclass
from typing import Any

from model_api.errors import ArtifactError

DOMAINS = {"": 25, "ai.onnx": 25, "ai.onnx.ml": 5}
"""Families of operators that may occur, and the newest version of each."""
MOST_NODES = 100_000
MOST_CELLS = 2**28
"""Numbers in one tensor."""


@dataclass(frozen=True)
class OnnxFile:
    """What an ONNX file says of itself."""

    operators: list[str]
    opsets: dict[str, int]
    producer: str
    inputs: list[str]
    outputs: list[str]


def look_into(data: bytes, name: str) -> OnnxFile:
    """Tell what is in an ONNX file. Raises ArtifactError when it is none, or is made to do harm."""
    import onnx  # only where a file is inspected: a serving process does without it

    try:
        model = onnx.load_from_string(data)
    except Exception as error:  # protobuf has several classes of its own for what it cannot parse
        raise ArtifactError(f"{name} is not an ONNX file") from error
    if not model.graph.node:
        raise ArtifactError(f"{name} is not an ONNX file: it computes nothing")
    _require_known_operators(model, name)
    for tensor in _tensors(model.graph):
        _require_held(tensor, name)
    for node in model.graph.node:
        if node.op_type == "TreeEnsemble":
            try:
                _require_sound_trees(onnx, node, name)
            except (KeyError, ValueError, TypeError, IndexError) as error:
                raise ArtifactError(f"{name} holds trees without all of their lists ({error})") from error
    return OnnxFile(
        operators=sorted({node.op_type for node in model.graph.node}),
        opsets={opset.domain or "ai.onnx": opset.version for opset in model.opset_import},
        producer=model.producer_name[:80],
        inputs=[value.name for value in model.graph.input],
        outputs=[value.name for value in model.graph.output],
    )


def _require_known_operators(model: Any, name: str) -> None:
    for opset in model.opset_import:
        if opset.domain not in DOMAINS:
            raise ArtifactError(f"{name} uses operators of the unknown domain {opset.domain[:64]!a}")
        if opset.version > DOMAINS[opset.domain]:
            family = opset.domain or "ai.onnx"
            raise ArtifactError(f"{name} is of opset {opset.version} of {family}, newer than {DOMAINS[opset.domain]}")
    if len(model.graph.node) > MOST_NODES or model.functions:
        raise ArtifactError(f"{name} holds functions of its own, or more than {MOST_NODES:,} operators")
    for node in model.graph.node:
        if node.domain not in DOMAINS:
            raise ArtifactError(f"{name} uses the custom operator {node.op_type[:64]!a}")
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise ArtifactError(f"{name} uses {node.op_type[:64]!a}, which holds a graph of its own")


def _tensors(graph: Any) -> list[Any]:
    attributes = [attribute for node in graph.node for attribute in node.attribute]
    sparse = [*graph.sparse_initializer, *(tensor for a in attributes for tensor in a.sparse_tensors)]
    sparse += [attribute.sparse_tensor for attribute in attributes if attribute.HasField("sparse_tensor")]
    dense = [*graph.initializer, *(tensor for attribute in attributes for tensor in attribute.tensors)]
    dense += [attribute.t for attribute in attributes if attribute.HasField("t")]
    return dense + [part for tensor in sparse for part in (tensor.values, tensor.indices, tensor)]


def _require_held(tensor: Any, name: str) -> None:
    if getattr(tensor, "external_data", None) or getattr(tensor, "data_location", 0) == 1:
        raise ArtifactError(f"{name} keeps the tensor {tensor.name[:64]!a} in another file")
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MOST_CELLS:
        raise ArtifactError(f"{name} has a tensor of the size {'×'.join(map(str, tensor.dims))}")


def _require_sound_trees(onnx: Any, node: Any, name: str) -> None:
    """Children come after their parent: so every number is there, and no path is endless."""
    attributes = {attribute.name: attribute for attribute in node.attribute}
    nodes, leaves = len(attributes["nodes_featureids"].ints), len(attributes["leaf_targetids"].ints)
    for side in ("true", "false"):
        ids, ends = attributes[f"nodes_{side}nodeids"].ints, attributes[f"nodes_{side}leafs"].ints
        if len(ids) != nodes or len(ends) != nodes:
            raise ArtifactError(f"{name} holds trees whose lists are of different lengths")
        for parent, (child, is_leaf) in enumerate(zip(ids, ends, strict=True)):
            if not (0 <= child < leaves if is_leaf else parent < child < nodes):
                raise ArtifactError(f"{name} holds a tree that numbers a node that is not there")
    if not all(0 <= root < nodes for root in attributes["tree_roots"].ints):
        raise ArtifactError(f"{name} holds a tree that begins at a node that is not there")
    weights = onnx.numpy_helper.to_array(attributes["leaf_weights"].t)
    if min(attributes["nodes_featureids"].ints) < 0 or len(weights) != leaves:
        raise ArtifactError(f"{name} holds a tree that numbers a feature or a leaf that is not there")
