"""A plan from its files to its answers: in one piece or in several, and refused when it is no plan."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from model_api.errors import ArtifactError
from model_api.runtimes import lowered
from model_api.runtimes.lowered import ARRAYS, PLAN, load
from model_api.runtimes.lowered.operations import OPERATIONS
from model_api.signature import Columns
from tests.model_api.zoo import LOWERED, ZOO, rows

SUM: dict[str, Any] = {
    "format": 1,
    "arrays": [{"dtype": "float64", "shape": [2], "offset": 0}],
    "nodes": [
        {"op": "numbers", "in": [-1], "features": ["a", "b"]},
        {"op": "multiply", "in": [0], "value": {"array": 0}},
    ],
    "numbers": 1,
    "labels": None,
    "probabilities": None,
    "width": 2,
}
"""a and twice b."""
BLOB = np.array([1.0, 2.0]).tobytes()
COLUMNS: Columns = {"a": [1, 2, None], "b": [10, 20, 30]}


def read_from(document: Any, blob: bytes = BLOB, **others: bytes) -> Callable[[str], bytes]:
    files = {PLAN: json.dumps(document).encode(), ARRAYS: blob, **others}

    def read(name: str) -> bytes:
        if name not in files:
            raise ArtifactError(f"{name} is not listed")
        return files[name]

    return read


def changed(**parts: Any) -> dict[str, Any]:
    return {**SUM, **parts}


def with_node(*nodes: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    return changed(nodes=[SUM["nodes"][0], *nodes], **parts)


def test_a_plan_is_computed_node_by_node() -> None:
    output = load(read_from(SUM)).predict(COLUMNS)

    assert output.labels is None
    assert output.numbers is not None
    assert output.numbers[:2].tolist() == [[1, 20], [2, 40]]
    assert np.isnan(output.numbers[2, 0])


def test_one_number_a_row_comes_as_a_row_of_numbers() -> None:
    weights = {"op": "take", "in": [1], "columns": {"array": 1}}
    arrays = [*SUM["arrays"], {"dtype": "int64", "shape": [1], "offset": 16}]
    document = changed(nodes=[*SUM["nodes"], weights], arrays=arrays, numbers=2)

    output = load(read_from(document, BLOB + np.array([1]).tobytes())).predict(COLUMNS)

    assert output.numbers is not None
    assert output.numbers.tolist() == [20, 40, 60]


def test_no_rows_give_no_answers() -> None:
    output = load(read_from(SUM)).predict({"a": [], "b": []})

    assert output.numbers is not None
    assert output.numbers.shape == (0, 2)


def test_one_can_look_at_what_a_node_holds() -> None:
    predictor = load(read_from(SUM))

    assert predictor.trace(rows(COLUMNS, 0, 1), 0).tolist() == [[1, 10]]
    assert predictor.trace(rows(COLUMNS, 0, 1), 1).tolist() == [[1, 20]]


def test_arithmetic_beyond_the_range_of_a_float_is_no_warning() -> None:
    output = load(read_from(SUM)).predict({"a": [1.7e308], "b": [1.7e308]})

    assert output.numbers is not None
    assert output.numbers.tolist() == [[1.7e308, np.inf]]


@pytest.mark.parametrize(
    "name",
    ["ridge", "two numbers", "forest", "hard votes", "support vectors", "people by histograms", "counted words"],
)
def test_many_rows_are_computed_in_pieces_that_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = ZOO[name]
    columns = rows(case.columns, 0, 100)
    whole = load(case.plan.__getitem__).predict(columns)
    width = json.loads(case.plan[PLAN])["width"]
    monkeypatch.setattr(lowered, "CELLS", 7 * width)

    pieces = load(case.plan.__getitem__).predict(columns)

    for part in ("numbers", "labels", "probabilities"):
        given, expected = getattr(pieces, part), getattr(whole, part)
        assert (given is None) == (expected is None)
        if expected is not None:
            assert given == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_plan_wider_than_all_cells_is_computed_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowered, "CELLS", 1)

    output = load(read_from(SUM)).predict(rows(COLUMNS, 0, 2))

    assert output.numbers is not None
    assert output.numbers.tolist() == [[1, 20], [2, 40]]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (changed(format=2), "of another format than 1"),
        (changed(format="1"), "of another format than 1"),
        ({name: value for name, value in SUM.items() if name != "format"}, "format"),
        ({name: value for name, value in SUM.items() if name != "width"}, "width"),
        ({name: value for name, value in SUM.items() if name != "labels"}, "labels"),
        ([], "is not a plan"),
        (None, "is not a plan"),
        (3, "is not a plan"),
        (changed(nodes=None), "is not a plan"),
        (changed(nodes=[3]), "is not a plan"),
        (changed(arrays=[3]), "is not a plan"),
        (changed(width="wide"), "is not a plan"),
        (with_node({"op": "exec", "in": [0]}), "exec"),
        (with_node({"op": "__import__", "in": [0]}), "__import__"),
        (with_node({"op": ["add"], "in": [0]}), "is not a plan"),
        (with_node({"in": [0]}), "op"),
        (with_node({"op": "rectify"}), "in"),
        (with_node({"op": "rectify", "in": 0}), "is not a plan"),
        (with_node({"op": "rectify", "in": ["x"]}), "is not a plan"),
        (with_node({"op": "rectify", "in": [1]}), "node 1 has inputs"),
        (with_node({"op": "rectify", "in": [5]}), "node 1 has inputs"),
        (with_node({"op": "rectify", "in": [-2]}), "node 1 has inputs"),
        (with_node({"op": "multiply", "in": [0], "value": {"array": 1}}), "IndexError"),
        (with_node({"op": "multiply", "in": [0], "value": {"array": "0"}}), "is not a plan"),
        (with_node({"op": "trees", "in": [0], "ensemble": {"file": "../x"}, "single": True}), "it names the file"),
        (with_node({"op": "trees", "in": [0], "ensemble": {"file": "x.bin"}, "single": True}), "it names the file"),
        (with_node({"op": "trees", "in": [0], "ensemble": {"file": "x.onnx"}, "single": True}), "not listed"),
        (with_node({"op": "trees", "in": [0], "ensemble": "text", "single": True}), "ONNX Runtime refuses"),
        (with_node({"op": "one_hot", "in": [0], "levels": 3}), "is not a plan"),
        (
            with_node({"op": "one_hot", "in": [0], "levels": [["a"]], "places": [[]], "unknown": [], "columns": 1}),
            "is not a plan",
        ),
        (with_node({"op": "counts", "in": [0], "pattern": "(a+)+$"}), "is not a plan"),
    ],
)
def test_a_document_that_is_no_plan_is_refused(document: Any, reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        load(read_from(document))


@pytest.mark.parametrize(
    "described",
    [
        {"dtype": "float64", "shape": [3], "offset": 0},
        {"dtype": "float64", "shape": [2], "offset": 8},
        {"dtype": "float64", "shape": [2], "offset": -8},
        {"dtype": "float64", "shape": [-2], "offset": 0},
        {"dtype": "float64", "shape": [2**40], "offset": 0},
        {"dtype": "object", "shape": [2], "offset": 0},
        {"dtype": "O", "shape": [2], "offset": 0},
        {"dtype": "complex128", "shape": [1], "offset": 0},
        {"dtype": "float64", "shape": 2, "offset": 0},
        {"dtype": "float64", "shape": ["x"], "offset": 0},
        {"dtype": "float64", "offset": 0},
        {},
    ],
)
def test_an_array_that_is_not_in_the_blob_is_refused(described: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError):
        load(read_from(changed(arrays=[described])))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"null", b"[[[[", b"[" * 100_000, b"\x80\x04N.", b'{"format": 1}', b"\x00" * 100]
)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"plan\.json"):
        load({PLAN: data, ARRAYS: b""}.__getitem__)


def test_a_file_that_is_missing_is_refused() -> None:
    with pytest.raises(ArtifactError):
        load(dict[str, bytes]().__getitem__)


def test_the_zoo_uses_every_operation_but_one() -> None:
    plans = [json.loads(ZOO[name].plan[PLAN]) for name in LOWERED]

    used = {node["op"] for plan in plans for node in plan["nodes"]}

    assert set(OPERATIONS) == used


@pytest.mark.parametrize(
    ("array", "width"),
    [
        ({"dtype": "float64", "shape": [2**40, 2**40], "offset": 0}, 2),
        ({"dtype": "float64", "shape": [2], "offset": 2**70}, 2),
        ({"dtype": "float64", "shape": [1], "offset": 0}, float("inf")),
    ],
    ids=["shape", "offset", "width"],
)
def test_a_plan_with_numbers_beyond_counting_is_refused(array: dict[str, Any], width: float) -> None:
    document = {"format": 1, "arrays": [array], "nodes": [], "width": width}
    files = {
        PLAN: json.dumps({**document, "numbers": 0, "labels": None, "probabilities": None}).encode(),
        ARRAYS: b"\0" * 8,
    }

    with pytest.raises(ArtifactError):
        load(files.__getitem__)
