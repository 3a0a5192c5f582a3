"""/invocations in all of MLflow's formats, and the small routes beside it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from model_api import __version__
from tests.model_api.protocols.conftest import Sample

Refused = Callable[..., dict[str, Any]]


def split_of(sample: Sample) -> dict[str, Any]:
    return {"columns": list(sample.columns), "data": sample.matrix, "index": list(range(len(sample.rows)))}


FORMATS: dict[str, Callable[[Sample], dict[str, Any]]] = {
    "split": lambda sample: {"dataframe_split": split_of(sample)},
    "split without columns": lambda sample: {"dataframe_split": {"data": sample.matrix}},
    "records": lambda sample: {"dataframe_records": sample.rows},
    "instances of objects": lambda sample: {"instances": sample.rows},
    "instances of lists": lambda sample: {"instances": sample.matrix},
    "inputs of columns": lambda sample: {"inputs": sample.columns},
    "inputs of nested columns": lambda sample: {"inputs": {k: [[v] for v in c] for k, c in sample.columns.items()}},
    "inputs of a table": lambda sample: {"inputs": sample.matrix},
    "params beside": lambda sample: {"dataframe_split": split_of(sample), "params": {"temperature": 1}},
    "params that are null": lambda sample: {"dataframe_records": sample.rows, "params": None},
}


@pytest.mark.parametrize("missing", ["null", "NaN"])
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_answered_alike(small_client: TestClient, flats: Sample, kind: str, missing: str) -> None:
    body = json.dumps(FORMATS[kind](flats)).replace("null", missing).encode()

    answer = small_client.post("/invocations", content=body)

    assert answer.json() == {"predictions": pytest.approx(flats.predictions, rel=1e-12)}
    assert answer.headers["Servery-Model"] == "rent/1"


def test_columns_come_in_any_order_and_strange_ones_are_left_out(small_client: TestClient, flats: Sample) -> None:
    names = [*list(flats.columns)[::-1], "customer"]
    data = [[*row[::-1], "c-7"] for row in flats.matrix]
    columns = {name: [row[place] for row in data] for place, name in enumerate(names)}
    records = [dict(zip(names, row, strict=True)) for row in data]

    for body in (
        {"dataframe_split": {"columns": names, "data": data}},
        {"dataframe_records": records},
        {"inputs": columns},
    ):
        answer = small_client.post("/invocations", json=body)
        assert answer.json() == {"predictions": pytest.approx(flats.predictions, rel=1e-12)}


def test_a_strange_column_that_looks_like_an_absent_feature_is_not_left_out(
    small_client: TestClient, flats: Sample, refused: Refused
) -> None:
    rows = [{("Balcony" if name == "balcony" else name): value for name, value in row.items()} for row in flats.rows]

    for body in ({"dataframe_records": rows}, {"inputs": {name: [row[name] for row in rows] for name in rows[0]}}):
        refused(small_client.post("/invocations", json=body), 400, "Balcony", "did you mean balcony?")


def test_several_numbers_are_answered_as_records(serving: Callable[..., TestClient], odd_models: Path) -> None:
    client = serving(odd_models, default_model="both")

    (prediction,) = client.post("/invocations", json={"inputs": [[3, 1]]}).json()["predictions"]

    assert prediction == {"sum": pytest.approx(4), "difference": pytest.approx(2)}


# text/csv


def table_of(sample: Sample, *, header: bool) -> bytes:
    lines = [list(sample.columns)] if header else []
    lines += [["" if cell is None else cell for cell in row] for row in sample.matrix]
    return "\r\n".join(",".join(map(str, line)) for line in lines).encode()


@pytest.mark.parametrize("kind", ["text/csv", "text/csv; charset=utf-8", 'Text/CSV;charset="UTF-8"'])
@pytest.mark.parametrize("header", [True, False])
def test_a_table_is_read_with_a_header_and_without(
    small_client: TestClient, flats: Sample, kind: str, header: bool
) -> None:
    answer = small_client.post("/invocations", content=table_of(flats, header=header), headers={"Content-Type": kind})

    assert answer.json() == {"predictions": pytest.approx(flats.predictions, rel=1e-12)}


@pytest.mark.parametrize(("parameter", "header"), [("present", True), ("absent", False)])
def test_the_content_type_may_tell_of_the_header(
    small_client: TestClient, flats: Sample, refused: Refused, parameter: str, header: bool
) -> None:
    kind = {"Content-Type": f"text/csv; header={parameter}"}

    right = small_client.post("/invocations", content=table_of(flats, header=header), headers=kind)
    wrong = small_client.post("/invocations", content=table_of(flats, header=not header), headers=kind)

    assert right.status_code == 200
    refused(wrong, 400)


def test_who_asks_for_csv_gets_a_line_a_prediction(small_client: TestClient, flats: Sample) -> None:
    answer = small_client.post("/invocations", json={"instances": flats.rows}, headers={"Accept": "text/csv"})

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [float(line) for line in answer.text.splitlines()] == pytest.approx(flats.predictions, rel=1e-12)


# Parquet

PARQUET = {"Content-Type": "application/vnd.apache.parquet"}


def parquet_of(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def test_a_parquet_file_is_read(small_client: TestClient, flats: Sample) -> None:
    frame = pd.DataFrame(flats.rows).assign(customer="c-7").set_index("rooms", drop=False)

    answer = small_client.post("/invocations", content=parquet_of(frame), headers=PARQUET)

    assert answer.json() == {"predictions": pytest.approx(flats.predictions, rel=1e-12)}


@pytest.mark.parametrize("body", [b"", b"PAR1", b"x" * 100])
def test_what_is_no_parquet_file_is_refused(small_client: TestClient, refused: Refused, body: bytes) -> None:
    refused(small_client.post("/invocations", content=body, headers=PARQUET), 400, "Parquet")


def test_a_parquet_file_with_a_bad_column_is_refused(small_client: TestClient, flats: Sample, refused: Refused) -> None:
    frame = pd.DataFrame(flats.rows).assign(area="big")

    refused(small_client.post("/invocations", content=parquet_of(frame), headers=PARQUET), 400, "area must be a number")
    refused(
        small_client.post("/invocations", content=parquet_of(frame.drop(columns="area")), headers=PARQUET),
        400,
        "area is missing; got",
    )


# What is wrong

BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "an array": (b"[]", "must be a JSON object"),
    "no format": (b'{"data": []}', "exactly one of"),
    "two formats": (b'{"inputs": [], "instances": []}', "it has 2 of them"),
    "a format and a strange key": (b'{"inputs": [[1]], "input": 1}', "unknown key input"),
    "params that are a list": (b'{"inputs": [[1]], "params": [1]}', '"params" must be an object'),
    "split that is a list": (b'{"dataframe_split": [1]}', 'must be an object with "columns" and "data"'),
    "split without data": (b'{"dataframe_split": {"columns": ["x"]}}', 'must be an object with "columns" and "data"'),
    "split with a strange key": (b'{"dataframe_split": {"data": [[1]], "dtype": 1}}', "unknown key dtype"),
    "split with data that is no list": (b'{"dataframe_split": {"data": 3}}', "must be an array"),
    "split with a column twice": (
        b'{"dataframe_split": {"columns": ["x", "x"], "data": [[1, 2]]}}',
        "each of them once",
    ),
    "split with a number for a column": (b'{"dataframe_split": {"columns": [0], "data": [[1]]}}', "must be names"),
    "split with a short row": (b'{"dataframe_split": {"columns": ["x"], "data": [[1], []]}}', "row 1 of the data"),
    "split with a row that is an object": (b'{"dataframe_split": {"columns": ["x"], "data": [{"x": 1}]}}', "row 0"),
    "split without rows": (b'{"dataframe_split": {"columns": ["x"], "data": []}}', "at least 1 instance"),
    "split without the column": (
        b'{"dataframe_split": {"columns": ["q"], "data": [[1]]}}',
        "x is missing; got nothing",
    ),
    "records that are an object": (b'{"dataframe_records": {"x": 1}}', "must be an array"),
    "records that are numbers": (b'{"dataframe_records": [null]}', "x is missing"),
    "no records": (b'{"dataframe_records": []}', "at least 1 instance"),
    "a bad value": (b'{"dataframe_records": [{"x": 1}, {"x": "a"}]}', 'x must be a number, not "a"'),
    "a truth for a number": (b'{"dataframe_records": [{"x": true}]}', "x must be a number, not true"),
    "a missing value": (b'{"inputs": [[NaN]]}', "x is missing"),
    "an infinite value": (b'{"inputs": [[-Infinity]]}', "x is out of the range"),
    "inputs that are text": (b'{"inputs": "x"}', "must be an array"),
    "columns without values": (b'{"inputs": {"x": []}}', "at least 1 instance"),
    "columns that are numbers": (b'{"inputs": {"x": 3}}', "the column x must be an array"),
}


@pytest.fixture(scope="module")
def line(odd_models: Path, request: pytest.FixtureRequest) -> TestClient:
    """A service whose default model is `line`: it was published first."""
    client: TestClient = request.getfixturevalue("odd_client")
    return client


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_in_mlflow_s_words(line: TestClient, refused: Refused, name: str) -> None:
    body, words = BAD[name]

    problem = refused(line.post("/invocations", content=body), 400, words)

    assert problem["error_code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/octet-stream",
        "application/json; format=pandas-split",
        "application/json; charset=latin-1",
        "text/csv; charset=utf-16",
        "text/csv; delimiter=tab",
    ],
)
def test_another_content_type_is_refused(line: TestClient, refused: Refused, kind: str) -> None:
    refused(line.post("/invocations", content=b"x", headers={"Content-Type": kind}), 415, "not taken")


def test_too_many_rows_and_bytes_are_refused(
    serving: Callable[..., TestClient], odd_models: Path, refused: Refused
) -> None:
    client = serving(odd_models, max_rows=2, max_body_bytes=2000)
    csv = {"Content-Type": "text/csv"}

    bodies: list[dict[str, Any]] = [{"inputs": [[1]] * 3}, {"inputs": {"x": [1] * 3}}, {"dataframe_records": [{}] * 3}]
    for body in bodies:
        refused(client.post("/invocations", json=body), 400, "3 instances are more than the 2")
    refused(client.post("/invocations", content=b"1\n" * 3, headers=csv), 400, "than the 2")
    refused(client.post("/invocations", content=b"1\n" * 300, headers=csv), 400, "than the 2")
    problem = refused(client.post("/invocations", content=b"1\n" * 1001, headers=csv), 413, "2000")
    assert problem["error_code"] == "BAD_REQUEST"


# The small routes


def test_a_service_with_models_answers_pings(small_client: TestClient) -> None:
    assert small_client.get("/ping").json() == {"ping": "pong"}
    assert small_client.get("/health").text == "\n"
    assert small_client.get("/version").text == __version__


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_a_service_without_models_is_not_found(serving: Callable[..., TestClient], tmp_path: Path, path: str) -> None:
    answer = serving(tmp_path).get(path)

    assert answer.status_code == 404
    assert "no model" in answer.json()["detail"]


def test_a_service_whose_models_are_broken_is_unavailable(
    serving: Callable[..., TestClient], small_models: Path, refused: Refused
) -> None:
    for name in ("rent", "spam"):
        (small_models / name / "1" / "manifest.json").write_text("{")
    client = serving(small_models)

    assert client.get("/ping").status_code == 503
    problem = refused(client.post("/invocations", json={"inputs": [[1]]}), 503, "could be loaded")
    assert problem["error_code"] == "TEMPORARILY_UNAVAILABLE"


def test_a_ping_is_a_get(small_client: TestClient) -> None:
    assert small_client.post("/ping").status_code == 405
    assert small_client.get("/invocations").status_code == 405
