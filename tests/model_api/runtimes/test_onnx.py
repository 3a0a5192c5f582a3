"""A converted pipeline, run: what goes in for each kind of input, and what comes out of each kind of output."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from model_api.errors import ArtifactError
from model_api.runtimes.onnx import OnnxPredictor, load, session_of

DOUBLE, FLOAT, INT, TEXT = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def model(nodes: list[Any], inputs: dict[str, tuple[int, int]], outputs: dict[str, int], **others: Any) -> bytes:
    """Give the bytes of a graph; each input with its type and width."""
    ins = [helper.make_tensor_value_info(name, kind, [None, width]) for name, (kind, width) in inputs.items()]
    outs = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()]
    graph = helper.make_graph(nodes, "g", ins, outs, **others)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    made.ir_version = 9
    data: bytes = made.SerializeToString()
    return data


def echo(kind: int, width: int = 2) -> bytes:
    """Give back the one input."""
    return model([helper.make_node("Identity", ["X"], ["y"])], {"X": (kind, width)}, {"y": kind})


def by_column() -> bytes:
    """Double the number, and give the text back beside it."""
    nodes = [helper.make_node("Add", ["size", "size"], ["y"]), helper.make_node("Identity", ["city"], ["z"])]
    return model(nodes, {"size": (DOUBLE, 1), "city": (TEXT, 1)}, {"y": DOUBLE, "z": TEXT})


def classifier(labels: list[Any]) -> bytes:
    """Say the same labels for every row."""
    kind = TEXT if isinstance(labels[0], str) else INT
    values = [label.encode() if kind == TEXT else label for label in labels]
    constant = helper.make_tensor("label", kind, [len(labels)], values)
    nodes = [helper.make_node("Identity", ["X"], ["p"]), helper.make_node("Identity", ["label"], ["l"])]
    return model(nodes, {"X": (DOUBLE, 2)}, {"p": DOUBLE, "l": kind}, initializer=[constant])


def predictor(
    data: bytes, features: list[str], outputs: dict[str, str], classes: tuple[Any, ...] = ()
) -> OnnxPredictor:
    return OnnxPredictor(session_of(data), features, outputs, classes)


@pytest.mark.parametrize("kind", [DOUBLE, FLOAT])
def test_all_features_go_in_as_one_matrix_in_their_order(kind: int) -> None:
    found = predictor(echo(kind), ["b", "a"], {"numbers": "y"}).predict({"a": [1, 2.5], "b": [True, None]})

    assert found.numbers is not None
    assert found.numbers.dtype == np.float64
    assert np.array_equal(found.numbers, np.array([[1, 1], [np.nan, 2.5]]), equal_nan=True)


def test_features_go_in_one_by_one_where_the_inputs_have_their_names() -> None:
    found = predictor(by_column(), ["city", "size"], {"numbers": "y"}).predict(
        {"city": ["ams", None, "été"], "size": [1, None, 2.5]}
    )

    assert found.numbers is not None
    assert np.array_equal(found.numbers, np.array([2, np.nan, 5]), equal_nan=True)


def test_a_missing_text_goes_in_as_nothing() -> None:
    asked = OnnxPredictor(session_of(by_column()), ["city", "size"], {"numbers": "y"}, ())

    fed = asked._feed({"city": ["ams", None], "size": [1, 2]})  # noqa: SLF001 -- the texts do not come out again

    assert fed["city"].tolist() == [["ams"], [""]]


def test_one_number_a_row_comes_as_a_row_of_numbers() -> None:
    found = predictor(echo(DOUBLE, 1), ["a"], {"numbers": "y"}).predict({"a": [1, 2]})

    assert found.numbers is not None
    assert found.numbers.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("labels", "classes"), [(["yes", "no"], ("no", "yes")), ([7, 3], (3, 7)), ([1, 0], (False, True))]
)
def test_labels_come_as_positions_among_the_classes(labels: list[Any], classes: tuple[Any, ...]) -> None:
    asked = predictor(classifier(labels), ["a", "b"], {"labels": "l", "probabilities": "p"}, classes)

    found = asked.predict({"a": [0.25, 1], "b": [0.75, 0]})

    assert found.labels is not None
    assert found.labels.tolist() == [1, 0]
    assert found.probabilities is not None
    assert found.probabilities.tolist() == [[0.25, 0.75], [1, 0]]


def test_a_pipeline_without_probabilities_gives_labels_alone() -> None:
    found = predictor(classifier(["a", "b"]), ["x", "y"], {"labels": "l"}, ("a", "b")).predict(
        {"x": [0, 0], "y": [1, 1]}
    )

    assert (found.numbers, found.probabilities) == (None, None)


def test_a_label_that_is_no_class_is_no_answer() -> None:
    asked = predictor(classifier(["a", "z"]), ["x", "y"], {"labels": "l"}, ("a", "b"))

    with pytest.raises(KeyError, match="z"):
        asked.predict({"x": [0, 0], "y": [1, 1]})


def test_an_input_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"an input of an unknown type: tensor\(bool\)"):
        predictor(echo(TensorProto.BOOL), ["a", "b"], {"numbers": "y"})


def test_inputs_that_are_not_the_features_are_refused() -> None:
    with pytest.raises(ArtifactError, match="has the inputs size, city, which are not the features"):
        predictor(by_column(), ["a", "b"], {"numbers": "y"})


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x00" * 50, echo(DOUBLE)[:-20]])
def test_what_onnx_runtime_cannot_read_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(ArtifactError, match="ONNX Runtime refuses the file") as refusal:
        session_of(data)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("outputs", [None, [], "numbers", {"code": "y"}, {"numbers": "y", "__class__": "y"}])
def test_outputs_that_say_nothing_known_are_refused(outputs: Any) -> None:
    with pytest.raises(ArtifactError, match="not described as a pipeline"):
        load(lambda _: echo(DOUBLE), ["a", "b"], outputs, ())


def test_a_pipeline_is_loaded_from_its_file() -> None:
    found = load({"pipeline.onnx": echo(DOUBLE)}.__getitem__, ["a", "b"], {"numbers": "y"}, ()).predict(
        {"a": [1], "b": [2]}
    )

    assert found.numbers is not None
    assert found.numbers.tolist() == [[1, 2]]
