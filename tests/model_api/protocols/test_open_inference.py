"""/v2: what it tells, what it takes, and that nothing that is sent makes it fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from model_api.folders import move_alias
from tests.model_api.protocols.conftest import Sample

Json = dict[str, Any]
Refused = Callable[..., Json]
INFER = "/v2/models/rent/infer"
DATATYPES = {"area": "FP64", "rooms": "INT64", "furnished": "BOOL", "district": "BYTES", "balcony": "FP64"}


def column_inputs(sample: Sample, *, nested: bool = False) -> list[Json]:
    """One input a feature, of shape [n] or [n, 1]."""
    count = len(sample.rows)
    return [
        {
            "name": name,
            "shape": [count, 1] if nested else [count],
            "datatype": DATATYPES[name],
            "data": [[value] for value in values] if nested else values,
        }
        for name, values in sample.columns.items()
    ]


def table_input(sample: Sample, *, nested: bool = False, datatype: str = "FP64") -> Json:
    """All features as one input."""
    rows = sample.matrix
    data = rows if nested else [value for row in rows for value in row]
    return {"name": "input-0", "shape": [len(rows), len(rows[0])], "datatype": datatype, "data": data}


def infer(client: TestClient, model: str, **body: Any) -> Any:
    return client.post(f"/v2/models/{model}/infer", content=json.dumps(body).encode())


def values_of(answer: Any, output: str = "predict") -> list[Any]:
    assert answer.status_code == 200, answer.text
    (found,) = (item for item in answer.json()["outputs"] if item["name"] == output)
    assert np.prod(found["shape"]) == len(found["data"])
    return list(found["data"])


# What the server tells of itself


def test_the_server_tells_that_it_lives_and_is_ready(small_client: TestClient) -> None:
    assert small_client.get("/v2/health/live").json() == {"live": True}
    assert small_client.get("/v2/health/ready").json() == {"live": True, "ready": True}


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_names_its_extensions(small_client: TestClient, path: str) -> None:
    told = small_client.get(path).json()

    assert told["name"] == "servery"
    assert {"binary_tensor_data", "classification", "statistics", "model_repository"} == set(told["extensions"])


def test_a_server_without_models_is_not_ready(serving: Callable[..., TestClient], tmp_path: Path) -> None:
    client = serving(tmp_path)

    answer = client.get("/v2/health/ready")

    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.headers["Retry-After"] == "1"
    assert "no model" in answer.json()["error"]
    assert client.get("/v2/models/rent/ready").status_code == 503
    assert client.get("/v2/health/live").status_code == 200
    assert client.post("/v2/repository/index").json() == []


# What it tells of models


@pytest.mark.parametrize("path", ["/v2/models/rent", "/v2/models/rent/versions/1", "/v2/models/rent/versions/champion"])
def test_a_model_tells_its_inputs_and_outputs(small_client: TestClient, path: str) -> None:
    answer = small_client.get(path)

    assert answer.headers["Servery-Model"] == "rent/1"
    assert answer.json() == {
        "name": "rent",
        "versions": ["1"],
        "platform": "scikit-learn",
        "inputs": [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in DATATYPES.items()],
        "outputs": [{"name": "predict", "datatype": "FP64", "shape": [-1]}],
    }


def test_the_outputs_of_a_classification_are_classes_and_probabilities(
    small_client: TestClient, odd_client: TestClient
) -> None:
    told = [small_client.get("/v2/models/spam").json(), odd_client.get("/v2/models/words").json()]

    assert [model["outputs"][0]["datatype"] for model in told] == ["INT64", "BYTES"]
    assert told[0]["outputs"][1] == {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]}


def test_whole_numbers_that_may_be_missing_are_floats(client: TestClient) -> None:
    datatypes = {item["name"]: item["datatype"] for item in client.get("/v2/models/loans").json()["inputs"]}

    assert datatypes["defaulted_before"] == "FP64"
    assert datatypes["home_owner"] == "BOOL"


@pytest.mark.parametrize("path", ["/v2/models/rent/ready", "/v2/models/rent/versions/1/ready"])
def test_a_loaded_model_is_ready(small_client: TestClient, path: str) -> None:
    assert small_client.get(path).json() == {"name": "rent", "ready": True}


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/v2/models/nobody", "rent"),
        ("GET", "/v2/models/nobody/ready", "rent"),
        ("GET", "/v2/models/nobody/stats", "rent"),
        ("POST", "/v2/models/nobody/infer", "rent"),
        ("GET", "/v2/models/rent/versions/7", "champion"),
        ("GET", "/v2/models/rent/versions/7/ready", "champion"),
        ("POST", "/v2/models/rent/versions/-1/infer", "champion"),
        ("POST", "/v2/models/rent/versions/1e3/infer", "champion"),
        ("POST", "/v2/models/rent/versions/one/infer", "champion"),
        ("POST", "/v2/repository/models/nobody/load", "rent"),
        ("POST", "/v2/repository/models/nobody/unload", "rent"),
        ("GET", "/v2/nowhere", "docs"),
    ],
)
def test_what_is_unknown_is_not_found(
    small_client: TestClient, refused: Refused, method: str, path: str, words: str
) -> None:
    refused(small_client.request(method, path), 404, words)


def test_a_method_that_is_not_taken_is_told_in_the_words_of_the_protocol(
    small_client: TestClient, refused: Refused
) -> None:
    refused(small_client.get(INFER), 405, "GET is not taken here")


# Inference


@pytest.mark.parametrize("nested", [False, True])
def test_one_input_a_feature_is_taken_flat_and_nested(small_client: TestClient, flats: Sample, nested: bool) -> None:
    answer = infer(small_client, "rent", inputs=column_inputs(flats, nested=nested))

    assert values_of(answer) == pytest.approx(flats.predictions, rel=1e-12)
    assert answer.headers["Servery-Model"] == "rent/1"


def test_inputs_may_come_in_any_order(small_client: TestClient, flats: Sample) -> None:
    answer = infer(small_client, "rent", inputs=column_inputs(flats)[::-1], parameters={"content_type": "pd"})

    assert values_of(answer) == pytest.approx(flats.predictions, rel=1e-12)


@pytest.mark.parametrize("nested", [False, True])
def test_one_table_is_taken_flat_and_nested(small_client: TestClient, mails: Sample, nested: bool) -> None:
    answer = infer(small_client, "spam", inputs=[table_input(mails, nested=nested)])

    assert values_of(answer) == mails.predictions
    assert answer.json()["outputs"][0]["datatype"] == "INT64"


def test_a_table_of_text_is_read_as_a_form_would_be(small_client: TestClient, flats: Sample) -> None:
    rows = [["" if value is None else str(value).lower() for value in row] for row in flats.matrix]
    table = {"name": "table", "shape": [len(rows), 5], "datatype": "BYTES", "data": rows}

    assert values_of(infer(small_client, "rent", inputs=[table])) == pytest.approx(flats.predictions, rel=1e-12)


@pytest.mark.parametrize("token", ["NaN", "null"])
def test_a_missing_value_is_written_as_nan_or_as_null(small_client: TestClient, flats: Sample, token: str) -> None:
    body = json.dumps({"inputs": column_inputs(flats)}).replace("null", token)
    assert token in body

    answer = small_client.post(INFER, content=body.encode())

    assert values_of(answer) == pytest.approx(flats.predictions, rel=1e-12)


def test_a_feature_that_may_be_missing_may_be_left_out(small_client: TestClient, flats: Sample) -> None:
    inputs = [item for item in column_inputs(flats) if item["name"] != "balcony"]

    assert len(values_of(infer(small_client, "rent", inputs=inputs))) == len(flats.rows)


def test_an_answer_names_version_and_id(small_client: TestClient, flats: Sample) -> None:
    body = infer(small_client, "rent", id="42", inputs=column_inputs(flats)).json()

    assert (body["model_name"], body["model_version"], body["id"]) == ("rent", "1", "42")
    assert "id" not in infer(small_client, "rent", inputs=column_inputs(flats)).json()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/octet-stream"},
        {"X-Request-Id": "7"},
    ],
)
def test_a_body_needs_no_content_type(small_client: TestClient, flats: Sample, headers: dict[str, str]) -> None:
    content = json.dumps({"inputs": column_inputs(flats)}).encode()

    assert small_client.post(INFER, content=content, headers=headers).status_code == 200


def test_the_outputs_that_are_asked_for_come_in_that_order(small_client: TestClient, mails: Sample) -> None:
    names = ["predict_proba", "predict"]
    answer = infer(small_client, "spam", inputs=[table_input(mails)], outputs=[{"name": name} for name in names])

    assert [output["name"] for output in answer.json()["outputs"]] == names
    assert answer.json()["outputs"][0]["shape"] == [len(mails.rows), 2]
    shares = [share for row in mails.probabilities for share in row.values()]
    assert values_of(answer, "predict_proba") == pytest.approx(shares, rel=1e-12)


def test_several_numbers_are_the_columns_of_one_output(odd_client: TestClient) -> None:
    table = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 5]}

    answer = infer(odd_client, "both", inputs=[table])

    assert answer.json()["outputs"][0]["shape"] == [2, 2]
    assert values_of(answer) == pytest.approx([3, -1, 8, -2], abs=1e-9)


@pytest.mark.parametrize("shape", [[3], [3, 1]])
@pytest.mark.parametrize("name", ["x", "input-0"])
def test_a_model_with_one_feature_takes_a_column(odd_client: TestClient, name: str, shape: list[int]) -> None:
    table = {"name": name, "shape": shape, "datatype": "INT32", "data": [1, 2, 3]}

    answer = infer(odd_client, "line", inputs=[table])

    if name == "x" or len(shape) == 2:
        assert values_of(answer) == pytest.approx([2, 4, 6], abs=1e-9)
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/v2/models/rent/versions/1/infer", "/v2/models/rent/versions/champion/infer"])
def test_a_version_may_be_named_by_number_or_alias(small_client: TestClient, flats: Sample, path: str) -> None:
    assert small_client.post(path, json={"inputs": column_inputs(flats)}).status_code == 200


# Classification


def test_the_best_classes_are_told_with_their_probabilities(odd_client: TestClient) -> None:
    outputs = [{"name": "predict_proba", "parameters": {"classification": 2}}]
    table = {"name": "t", "shape": [1, 2], "datatype": "FP64", "data": [2.0, 0.0]}

    first, second = values_of(infer(odd_client, "words", inputs=[table], outputs=outputs), "predict_proba")

    assert first.split(":", 2)[1:] == ["1", "up:hill"]
    assert second.split(":", 2)[1:] == ["0", "down"]
    assert float(first.split(":")[0]) > 0.5 > float(second.split(":")[0])


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (2, 2), (99, 2)])
def test_no_more_classes_are_told_than_there_are(
    small_client: TestClient, mails: Sample, asked: int, given: int
) -> None:
    outputs = [{"name": "predict", "parameters": {"classification": asked}}]

    (output,) = infer(small_client, "spam", inputs=[table_input(mails)], outputs=outputs).json()["outputs"]

    assert (output["datatype"], output["shape"]) == ("BYTES", [len(mails.rows), given])


# Statistics


def test_requests_and_rows_are_counted_for_each_version(
    serving: Callable[..., TestClient], published_small_models: Path, flats: Sample
) -> None:
    client = serving(published_small_models)
    for _ in range(3):
        assert infer(client, "rent", inputs=column_inputs(flats)).status_code == 200
    assert infer(client, "rent", inputs=[]).status_code == 400

    (counts,) = client.get("/v2/models/rent/versions/1/stats").json()["model_stats"]

    assert (counts["name"], counts["version"]) == ("rent", "1")
    assert (counts["inference_count"], counts["execution_count"]) == (3 * len(flats.rows), 3)
    assert counts["last_inference"] > 1_700_000_000_000
    times = counts["inference_stats"]
    assert times["success"]["count"] == 3
    assert times["fail"]["count"] == 1
    parts = ("queue", "compute_input", "compute_infer", "compute_output")
    assert sum(times[part]["ns"] for part in parts) == times["success"]["ns"]


@pytest.mark.parametrize("path", ["/v2/models/stats", "/v2/models/rent/stats"])
def test_statistics_are_told_of_versions_that_did_nothing(
    serving: Callable[..., TestClient], published_small_models: Path, path: str
) -> None:
    counts = serving(published_small_models).get(path).json()["model_stats"]

    assert [item["name"] for item in counts] == (["rent", "spam"] if "rent" not in path else ["rent"])
    assert counts[0]["inference_count"] == 0


# Repository


def test_the_index_tells_the_state_of_every_version(serving: Callable[..., TestClient], small_models: Path) -> None:
    (small_models / "rent" / "1" / "manifest.json").write_text("{")
    client = serving(small_models)

    index = client.post("/v2/repository/index").json()

    assert [(item["name"], item["version"], item["state"]) for item in index] == [
        ("rent", "1", "UNAVAILABLE"),
        ("spam", "1", "READY"),
    ]
    assert "manifest" in index[0]["reason"]
    assert [item["name"] for item in client.post("/v2/repository/index", json={"ready": True}).json()] == ["spam"]


def test_loading_looks_at_the_folder_at_once(serving: Callable[..., TestClient], small_models: Path) -> None:
    client = serving(small_models, poll_seconds=0)
    (small_models / "rent").rename(small_models / "flats")

    answer = client.post("/v2/repository/models/rent/load")
    index = client.post("/v2/repository/index").json()

    assert answer.status_code == 200
    assert {item["name"] for item in index} == {"flats", "rent", "spam"}


def test_nobody_unloads_a_model_over_http(small_client: TestClient, refused: Refused) -> None:
    refused(small_client.post("/v2/repository/models/rent/unload"), 501, "nobody can unload it")

    assert small_client.get("/v2/models/rent/ready").status_code == 200


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"ready": 1}', b"\xff"])
def test_an_index_that_is_asked_for_oddly_is_refused(small_client: TestClient, refused: Refused, body: bytes) -> None:
    refused(small_client.post("/v2/repository/index", content=body), 400)


# Bad input; most of it is family V of tests/model_api/corpus


def one(**changes: Any) -> Json:
    """One input of `line`, with something changed; None takes a key away."""
    item = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1.0, 2.0], **changes}
    return {key: value for key, value in item.items() if value is not None}


def test_every_bad_value_is_named_in_text_and_in_the_problem(
    small_client: TestClient, flats: Sample, refused: Refused
) -> None:
    inputs = column_inputs(flats)
    inputs[1]["data"] = [2.0, 1.5, *inputs[1]["data"][2:]]
    inputs[1]["datatype"] = "FP64"
    inputs[2]["data"] = [None, *inputs[2]["data"][1:]]

    problem = refused(infer(small_client, "rent", inputs=inputs), 400, "rooms must be a whole number", "furnished")

    assert [(error["row"], error["feature"]) for error in problem["errors"]] == [(0, "furnished"), (1, "rooms")]


def test_more_rows_than_allowed_are_refused(
    serving: Callable[..., TestClient], odd_models: Path, refused: Refused
) -> None:
    client = serving(odd_models, max_rows=3)

    for name in ("x", "table"):
        item = one(name=name, shape=[4, 1], data=[1.0] * 4)
        refused(infer(client, "line", inputs=[item]), 400, "4 instances are more than the 3")


def test_a_body_that_is_too_long_is_refused(
    serving: Callable[..., TestClient], odd_models: Path, refused: Refused
) -> None:
    client = serving(odd_models, max_body_bytes=1024)

    refused(client.post("/v2/models/line/infer", content=b" " * 1025), 413, "1024")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=latin-1"])
def test_another_content_type_is_refused(odd_client: TestClient, refused: Refused, kind: str) -> None:
    refused(odd_client.post("/v2/models/line/infer", content=b"{}", headers={"Content-Type": kind}), 415, "not taken")


def test_a_moved_alias_answers_by_another_version(
    serving: Callable[..., TestClient], small_models: Path, flats: Sample
) -> None:
    client = serving(small_models)
    move_alias(small_models / "rent", "steady", "1")
    client.post("/v2/repository/models/rent/load")

    assert (
        client.post("/v2/models/rent/versions/steady/infer", json={"inputs": column_inputs(flats)}).status_code == 200
    )
