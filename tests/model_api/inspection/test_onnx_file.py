"""An ONNX file is looked into, not loaded; what no server of ours would write is refused with the reason."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model_api.errors import ArtifactError
from model_api.inspection import onnx_file
from model_api.inspection.onnx_file import look_into
from model_api.publishing.compiling.onnx_pipeline import convert
from model_api.publishing.lowering.ensembles import Split, TreeEnsemble
from tests.model_api.zoo import LOWERED, ZOO

NAME = "trees-0.onnx"
DOUBLE = TensorProto.DOUBLE


def trees() -> Any:
    """Give a file as lowering writes it: two trees, the first of three inner nodes."""
    built = TreeEnsemble(1)
    built.add_tree(0, [Split(0, 1, 2, 0.5), Split(1, 3, 4, 0.1), Split(2, 5, 6, 0.9)], {3: 1.0, 4: 2.0, 5: 3.0, 6: 4.0})
    built.add_tree(0, [Split(0, 1, 2, 0.5)], {1: 10.0, 2: 20.0})
    return onnx.load_from_string(built.to_onnx(3))


def graph_of(
    nodes: list[Any], initializers: list[Any] | None = None, domain: str = "ai.onnx.ml", opset: int = 5
) -> Any:
    """Give a model of one input x and one output y."""
    ends = [helper.make_tensor_value_info(name, DOUBLE, [None, 3]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], initializer=initializers or [])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(domain, opset)]
    return helper.make_model(graph, opset_imports=opsets)


def add(**attributes: Any) -> Any:
    return helper.make_node("Add", ["x", "x"], ["y"], **attributes)


def tensor(**fields: Any) -> Any:
    made = numpy_helper.from_array(np.zeros(3), "weights")
    for name, value in fields.items():
        if name == "dims":
            del made.dims[:]
            made.dims.extend(value)
        else:
            setattr(made, name, value)
    return made


def elsewhere(made: Any) -> Any:
    """Say that a tensor's numbers are in another file."""
    entry = made.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return made


@pytest.mark.parametrize("name", LOWERED)
def test_every_file_of_every_plan_of_the_zoo_is_let_in(name: str) -> None:
    files = {file: data for file, data in ZOO[name].plan.items() if file.endswith(".onnx")}

    for file, data in files.items():
        assert look_into(data, file).operators == ["TreeEnsemble"]


@pytest.mark.parametrize(
    "name", ["ridge", "logistic regression of named classes", "support vectors", "tree", "perceptrons", "soft votes"]
)
def test_a_converted_pipeline_is_let_in(name: str) -> None:
    case = ZOO[name]
    if name == "soft votes":  # skl2onnx has no converter for these votes
        case = ZOO["bagging on some features"]

    found = look_into(convert(case.fitted, case.layout, single=True).data, "pipeline.onnx")

    assert found.producer == "skl2onnx"
    assert found.opsets["ai.onnx"] <= 18


def test_a_file_says_what_it_holds() -> None:
    assert look_into(trees().SerializeToString(), NAME) == onnx_file.OnnxFile(
        operators=["TreeEnsemble"], opsets={"ai.onnx": 18, "ai.onnx.ml": 5}, producer="", inputs=["x"], outputs=["y"]
    )


@pytest.mark.parametrize("data", [b"", b"text", b"PK\x03\x04" * 5, b"\x80\x04N.", trees().SerializeToString()[:-40]])
def test_what_is_no_onnx_file_is_refused(data: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"trees-0\.onnx is not an ONNX file"):
        look_into(data, NAME)


def with_functions() -> Any:
    model = graph_of([add()])
    model.functions.append(helper.make_function("", "f", ["a"], ["b"], [], [helper.make_opsetid("", 18)]))
    return model


def branch() -> Any:
    inner = helper.make_graph([], "inner", [], [])
    return helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)


def branches() -> Any:
    node = add()
    node.attribute.append(onnx.AttributeProto(name="many", type=onnx.AttributeProto.GRAPHS))
    node.attribute[0].graphs.append(helper.make_graph([], "inner", [], []))
    return node


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: graph_of([]), "it computes nothing"),
        (lambda: graph_of([add()], domain="com.microsoft"), "operators of the unknown domain 'com.microsoft'"),
        (lambda: graph_of([add()], domain="x" * 300), "the unknown domain 'x{64}'$"),
        (lambda: graph_of([add(domain="evil.ops")]), "uses the custom operator 'Add'"),
        (lambda: graph_of([add(domain="com.microsoft")]), "uses the custom operator 'Add'"),
        (lambda: graph_of([add()], opset=6), "is of opset 6 of ai.onnx.ml, newer than 5"),
        (lambda: graph_of([add()], domain="ai.onnx", opset=26), "is of opset 26 of ai.onnx, newer than 25"),
        (with_functions, "holds functions of its own"),
        (lambda: graph_of([branch()]), "uses 'If', which holds a graph of its own"),
        (lambda: graph_of([branches()]), "uses 'Add', which holds a graph of its own"),
        (lambda: graph_of([add()], [elsewhere(tensor())]), "keeps the tensor 'weights' in another file"),
        (lambda: graph_of([add()], [tensor(data_location=1)]), "keeps the tensor 'weights' in another file"),
        (lambda: graph_of([add(value=elsewhere(tensor()))]), "keeps the tensor 'weights' in another file"),
        (lambda: graph_of([add()], [tensor(dims=[2**20, 2**20])]), "a tensor of the size 1048576×1048576"),
        (lambda: graph_of([add()], [tensor(dims=[2**62, 2**62])]), "a tensor of the size"),
        (lambda: graph_of([add()], [tensor(dims=[-1, 3])]), "a tensor of the size -1×3"),
        (lambda: graph_of([add()], [tensor(dims=[-3, -(2**40)])]), "a tensor of the size"),
        (lambda: graph_of([add(value=tensor(dims=[2**40]))]), "a tensor of the size"),
    ],
    ids=[
        *("nothing", "domain", "long domain", "custom", "custom of Microsoft's", "newer trees", "newer operators"),
        *("functions", "subgraph", "subgraphs", "external", "external by place", "external constant", "huge"),
        *("beyond counting", "negative", "twice negative", "huge constant"),
    ],
)
def test_what_is_made_to_do_harm_is_refused(model: Callable[[], Any], reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        look_into(model().SerializeToString(), NAME)


def test_too_many_operators_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "MOST_NODES", 2)

    with pytest.raises(ArtifactError, match="more than 2 operators"):
        look_into(graph_of([add()] * 3).SerializeToString(), NAME)


def damaged(attribute: str, place: int | None, value: int) -> bytes:
    """Change one number of a list of the trees, or with no place cut the list to `value` numbers."""
    model = trees()
    (found,) = (a for a in model.graph.node[0].attribute if a.name == attribute)
    if place is None:
        del found.ints[value:]
    else:
        found.ints[place] = value
    data: bytes = model.SerializeToString()
    return data


NODE = "holds a tree that numbers a node that is not there"
LENGTHS = "holds trees whose lists are of different lengths"


@pytest.mark.parametrize(
    ("attribute", "place", "value", "reason"),
    [
        ("nodes_truenodeids", 0, 4, NODE),
        ("nodes_falsenodeids", 0, 10**9, NODE),
        ("nodes_truenodeids", 0, -1, NODE),
        ("nodes_truenodeids", 0, 0, NODE),
        ("nodes_falsenodeids", 0, 0, NODE),
        ("nodes_trueleafs", 2, 0, NODE),
        ("nodes_trueleafs", 3, 0, NODE),
        ("nodes_truenodeids", 1, 6, NODE),
        ("nodes_falsenodeids", 3, -1, NODE),
        ("nodes_truenodeids", None, 3, LENGTHS),
        ("nodes_falseleafs", None, 0, LENGTHS),
        ("nodes_featureids", None, 3, LENGTHS),
        ("tree_roots", 0, 4, "begins at a node that is not there"),
        ("tree_roots", 1, -1, "begins at a node that is not there"),
        ("nodes_featureids", 1, -1, "numbers a feature or a leaf that is not there"),
        ("leaf_targetids", None, 5, f"{NODE}|a leaf that is not there"),
    ],
    ids=[
        *("child beyond", "child far beyond", "child below", "itself", "itself again", "an earlier one", "back again"),
        *("leaf beyond", "leaf below", "too few children", "no leaves said", "too few features", "root beyond"),
        *("root below", "negative feature", "too few leaves"),
    ],
)
def test_a_tree_that_numbers_what_is_not_there_is_refused(
    attribute: str, place: int | None, value: int, reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason):
        look_into(damaged(attribute, place, value), NAME)


def test_leaves_without_weights_are_refused() -> None:
    model = trees()
    (weights,) = (a for a in model.graph.node[0].attribute if a.name == "leaf_weights")
    weights.t.CopyFrom(numpy_helper.from_array(np.zeros(2), "leaf_weights"))

    with pytest.raises(ArtifactError, match="a leaf that is not there"):
        look_into(model.SerializeToString(), NAME)


def without_features(model: Any) -> None:
    node = model.graph.node[0]
    kept = [attribute for attribute in node.attribute if attribute.name != "nodes_featureids"]
    del node.attribute[:]
    node.attribute.extend(kept)


def without_nodes(model: Any) -> None:
    for attribute in model.graph.node[0].attribute:
        if attribute.name.startswith(("nodes_", "tree_")):
            del attribute.ints[:]


def without_weights(model: Any) -> None:
    (weights,) = (a for a in model.graph.node[0].attribute if a.name == "leaf_weights")
    weights.ClearField("t")


@pytest.mark.parametrize("change", [without_features, without_nodes, without_weights])
def test_trees_without_their_lists_are_refused(change: Callable[[Any], None]) -> None:
    model = trees()
    change(model)

    with pytest.raises(ArtifactError):
        look_into(model.SerializeToString(), NAME)


def test_a_sparse_tensor_in_another_file_is_refused() -> None:
    held = numpy_helper.from_array(np.zeros(1, np.float64), "weights")
    entry = held.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    tensor = onnx.SparseTensorProto(values=held, indices=numpy_helper.from_array(np.zeros(1, np.int64)), dims=[3])
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 3]) for name in ("x", "y")]
    node = helper.make_node("Add", ["x", "weights"], ["y"])
    model = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], sparse_initializer=[tensor]))
    model.opset_import[0].version = 18

    with pytest.raises(ArtifactError):
        look_into(model.SerializeToString(), "pipeline.onnx")
