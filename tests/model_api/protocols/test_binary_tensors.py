"""Tensors as bytes after the JSON: read, written, and never trusted about their sizes."""

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from model_api.protocols.binary_tensors import HEADER
from model_api.protocols.tensors import FORMATS
from tests.model_api.protocols.conftest import Sample

Json = dict[str, Any]
NUMPY = {"FP64": "<f8", "INT64": "<i8", "BOOL": "?"}


def texts(values: list[str]) -> bytes:
    return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)


def input_of(name: str, datatype: str, data: bytes, shape: list[int]) -> tuple[Json, bytes]:
    parameters = {"binary_data_size": len(data)}
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": parameters}, data


def post(client: TestClient, model: str, inputs: list[tuple[Json, bytes]], **more: Any) -> Any:
    text = json.dumps({"inputs": [head for head, _ in inputs], **more}).encode()
    content = text + b"".join(data for _, data in inputs)
    return client.post(f"/v2/models/{model}/infer", content=content, headers={HEADER: str(len(text))})


def outputs_of(answer: Any) -> dict[str, Any]:
    """Part an answer into its outputs, as a client does."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/octet-stream"
    length = int(answer.headers[HEADER])
    document, rest = json.loads(answer.content[:length]), answer.content[length:]
    found = {}
    for output in document["outputs"]:
        if "data" in output:
            found[output["name"]] = output["data"]
            continue
        size = output["parameters"]["binary_data_size"]
        piece, rest = rest[:size], rest[size:]
        found[output["name"]] = np.frombuffer(piece, FORMATS[output["datatype"]]).tolist()
    assert not rest
    return found


@pytest.fixture
def columns(flats: Sample) -> list[tuple[Json, bytes]]:
    """The columns of `rent`, each as its bytes; a missing number is NaN."""
    found, shape = [], [len(flats.rows)]
    for name, datatype in (("area", "FP64"), ("rooms", "INT64"), ("furnished", "BOOL"), ("balcony", "FP64")):
        values = np.array([np.nan if v is None else v for v in flats.columns[name]], NUMPY[datatype])
        found.append(input_of(name, datatype, values.tobytes(), shape))
    return [*found, input_of("district", "BYTES", texts(flats.columns["district"]), shape)]


def test_columns_of_bytes_are_read(small_client: TestClient, flats: Sample, columns: list[tuple[Json, bytes]]) -> None:
    answer = post(small_client, "rent", columns)

    assert answer.json()["outputs"][0]["data"] == pytest.approx(flats.predictions, rel=1e-12)


def test_bytes_and_json_may_be_mixed(
    small_client: TestClient, flats: Sample, columns: list[tuple[Json, bytes]]
) -> None:
    rooms: Json = {"name": "rooms", "shape": [20], "datatype": "INT64", "data": flats.columns["rooms"]}

    answer = post(small_client, "rent", [columns[0], (rooms, b""), *columns[2:]])

    assert answer.json()["outputs"][0]["data"] == pytest.approx(flats.predictions, rel=1e-12)


@pytest.mark.parametrize("how", ["the request", "the output"])
def test_outputs_come_as_bytes_when_they_are_asked_for(small_client: TestClient, mails: Sample, how: str) -> None:
    table = input_of("t", "FP64", np.array(mails.matrix).tobytes(), [20, 3])
    names = [{"name": "predict"}, {"name": "predict_proba"}]
    asked: Json = {"outputs": [{**name, "parameters": {"binary_data": True}} for name in names]}
    if how == "the request":
        asked = {"outputs": names, "parameters": {"binary_data_output": True}}

    found = outputs_of(post(small_client, "spam", [table], **asked))

    assert found["predict"] == mails.predictions
    assert found["predict_proba"] == pytest.approx([p for row in mails.probabilities for p in row.values()], rel=1e-12)


def test_an_output_may_be_excepted_from_bytes(small_client: TestClient, mails: Sample) -> None:
    table = input_of("t", "FP64", np.array(mails.matrix).tobytes(), [20, 3])
    names = [{"name": "predict", "parameters": {"binary_data": False}}, {"name": "predict_proba"}]

    answer = post(small_client, "spam", [table], outputs=names, parameters={"binary_data_output": True})

    assert outputs_of(answer)["predict"] == mails.predictions
    assert b'"data":[' in answer.content


def test_words_are_written_with_their_lengths(odd_client: TestClient) -> None:
    table = input_of("t", "FP64", np.array([[3.0, 0], [-3, 0]]).tobytes(), [2, 2])

    answer = post(odd_client, "words", [table], parameters={"binary_data_output": True})

    assert answer.content.endswith(texts(["up:hill", "down"]))


@pytest.mark.parametrize("datatype", [name for name in FORMATS if name != "BOOL"])
def test_every_kind_of_number_is_read(odd_client: TestClient, datatype: str) -> None:
    data = np.array([1, 2, 3], FORMATS[datatype]).tobytes()

    answer = post(odd_client, "line", [input_of("x", datatype, data, [3, 1])])

    assert answer.json()["outputs"][0]["data"] == pytest.approx([2, 4, 6], abs=1e-9)


def test_a_body_may_be_nothing_but_the_bytes_of_the_only_input(odd_client: TestClient) -> None:
    data = np.array([1.0, 2.0]).tobytes()

    answer = odd_client.post("/v2/models/line/infer", content=data, headers={HEADER: "0"})

    assert answer.json()["outputs"][0]["data"] == pytest.approx([2, 4], abs=1e-9)


EIGHT = struct.pack("<d", 1.0)
BAD: dict[str, tuple[list[tuple[Json, bytes]], str]] = {
    "a size that is too small": ([input_of("x", "FP64", EIGHT[:7], [1])], "needs 8 bytes of FP64, not 7"),
    "a size that is too large": ([input_of("x", "FP64", EIGHT * 2, [1])], "needs 8 bytes of FP64, not 16"),
    "a size beyond the body": (
        [({"name": "x", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 2**62}}, EIGHT)],
        "8 bytes are left",
    ),
    "a size below zero": (
        [({"name": "x", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": -8}}, EIGHT)],
        "a number of bytes, not -8",
    ),
    "a size that is true": (
        [({"name": "x", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": True}}, EIGHT)],
        "a number of bytes, not True",
    ),
    "bytes that belong to nobody": (
        [({"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]}, EIGHT)],
        "8 bytes after the JSON belong to no input",
    ),
    "data and bytes": (
        [({**input_of("x", "FP64", EIGHT, [1])[0], "data": [1.0]}, EIGHT)],
        "send no data",
    ),
    "a shape that overflows": ([input_of("x", "FP64", EIGHT, [2**60 + 2, 4])], "overflow"),
    "a shape of many rows and few bytes": ([input_of("x", "FP64", EIGHT, [2**40])], "not 8"),
    "words that end within a length": ([input_of("x", "BYTES", b"\1\0", [1])], "within the length"),
    "words that end within an element": (
        [input_of("x", "BYTES", struct.pack("<I", 2**32 - 1) + b"a", [1])],
        "1 are left",
    ),
    "words that are not UTF-8": ([input_of("x", "BYTES", struct.pack("<I", 1) + b"\xff", [1])], "not UTF-8"),
    "fewer words than the shape has": ([input_of("x", "BYTES", texts(["a"]), [2])], "has 2 elements, its data 1"),
    "a truth of 2": ([input_of("x", "BOOL", b"\2", [1])], "one byte, 0 or 1"),
    "a NaN where none may be": ([input_of("x", "FP32", np.float32("nan").tobytes(), [1])], "x is missing"),
    "an infinite number": ([input_of("x", "FP64", np.float64("-inf").tobytes(), [1])], "x is out of the range"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(odd_client: TestClient, refused: Callable[..., Json], name: str) -> None:
    inputs, words = BAD[name]

    refused(post(odd_client, "line", inputs), 400, words)


@pytest.mark.parametrize("header", ["99999999999", "-1", "abc", "1e2", "", "٣", "9" * 500, "3"])
def test_a_length_of_the_json_that_cannot_be_is_refused(
    odd_client: TestClient, refused: Callable[..., Json], header: str
) -> None:
    answer = odd_client.post("/v2/models/line/infer", content=b'{"a"', headers={HEADER.encode(): header.encode()})

    refused(answer, 400)


def test_raw_bytes_are_only_for_models_with_one_input(small_client: TestClient, refused: Callable[..., Json]) -> None:
    refused(small_client.post("/v2/models/rent/infer", content=EIGHT, headers={HEADER: "0"}), 400, "this one has 5")


def test_raw_bytes_that_are_no_whole_elements_are_refused(odd_client: TestClient, refused: Callable[..., Json]) -> None:
    refused(odd_client.post("/v2/models/line/infer", content=EIGHT[:5], headers={HEADER: "0"}), 400, "whole elements")
