"""/v1: rows and columns, versions and labels, and both dialects of what a model tells of itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.model_api.protocols.conftest import Sample

Refused = Callable[..., dict[str, Any]]
PATHS = (
    "/v1/models/rent:predict",
    "/v1/models/rent/versions/1:predict",
    "/v1/models/rent/labels/champion:predict",
)


@pytest.mark.parametrize("path", PATHS)
def test_instances_are_answered_with_predictions(small_client: TestClient, flats: Sample, path: str) -> None:
    answer = small_client.post(path, json={"instances": flats.rows})

    assert answer.json() == {"predictions": pytest.approx(flats.predictions, rel=1e-12)}
    assert answer.headers["Servery-Model"] == "rent/1"


def test_instances_may_be_lists_in_the_order_of_training(small_client: TestClient, flats: Sample) -> None:
    answer = small_client.post(PATHS[0], json={"instances": flats.matrix, "signature_name": "serving_default"})

    assert answer.json()["predictions"] == pytest.approx(flats.predictions, rel=1e-12)


@pytest.mark.parametrize("nested", [False, True])
def test_columns_are_answered_with_outputs(small_client: TestClient, flats: Sample, nested: bool) -> None:
    columns = {name: [[v] for v in values] if nested else values for name, values in flats.columns.items()}

    answer = small_client.post(PATHS[0], json={"inputs": columns})

    assert answer.json() == {"outputs": pytest.approx(flats.predictions, rel=1e-12)}


def test_inputs_may_be_one_table(small_client: TestClient, mails: Sample) -> None:
    answer = small_client.post("/v1/models/spam:predict", json={"inputs": mails.matrix})

    assert answer.json() == {"outputs": mails.predictions}


def test_a_bare_nan_is_missing_and_a_body_needs_no_content_type(small_client: TestClient, flats: Sample) -> None:
    body = json.dumps({"instances": flats.rows}).replace("null", "NaN").encode()

    assert small_client.post(PATHS[0], content=body).json()["predictions"] == pytest.approx(
        flats.predictions, rel=1e-12
    )


def test_a_model_with_one_feature_takes_bare_values(odd_client: TestClient) -> None:
    answer = odd_client.post("/v1/models/line:predict", json={"instances": [1, 2.5]})

    assert answer.json()["predictions"] == pytest.approx([2, 5], abs=1e-9)


def test_several_numbers_keep_their_names(odd_client: TestClient) -> None:
    (prediction,) = odd_client.post("/v1/models/both:predict", json={"instances": [[3, 1]]}).json()["predictions"]

    assert prediction == {"sum": pytest.approx(4), "difference": pytest.approx(2)}


def test_probabilities_have_a_signature_of_their_own(small_client: TestClient, mails: Sample) -> None:
    body = {"instances": mails.rows, "signature_name": "predict_proba"}

    shares = small_client.post("/v1/models/spam:predict", json=body).json()["predictions"]

    assert shares == [pytest.approx(list(row.values()), rel=1e-12) for row in mails.probabilities]


def test_classify_tells_every_class_with_its_score(small_client: TestClient, mails: Sample) -> None:
    context, *_ = ({"links": row["links"]} for row in mails.rows)
    examples = [{name: value for name, value in mails.rows[0].items() if name != "links"}]

    body = small_client.post("/v1/models/spam:classify", json={"context": context, "examples": examples}).json()

    assert body == {"result": [[[label, pytest.approx(share)] for label, share in mails.probabilities[0].items()]]}


def test_regress_tells_numbers(small_client: TestClient, flats: Sample) -> None:
    body = small_client.post("/v1/models/rent:regress", json={"examples": flats.rows}).json()

    assert body == {"result": pytest.approx(flats.predictions, rel=1e-12)}


@pytest.mark.parametrize("path", ["/v1/models/rent", "/v1/models/rent/versions/1", "/v1/models/rent/labels/champion"])
def test_a_model_tells_its_state_in_both_dialects(small_client: TestClient, path: str) -> None:
    status = {"error_code": "OK", "error_message": ""}

    assert small_client.get(path).json() == {
        "name": "rent",
        "ready": True,
        "model_version_status": [{"version": "1", "state": "AVAILABLE", "status": status}],
    }


def test_the_root_tells_that_the_process_answers(small_client: TestClient) -> None:
    assert small_client.get("/").json() == {"status": "alive"}


def test_all_models_are_listed(small_client: TestClient) -> None:
    assert small_client.get("/v1/models").json() == {"models": ["rent", "spam"]}


def test_a_version_that_cannot_be_served_says_why(serving: Callable[..., TestClient], small_models: Path) -> None:
    broken = small_models / "rent" / "2"
    broken.mkdir()
    (broken / "manifest.json").write_text("{")

    states = serving(small_models).get("/v1/models/rent").json()["model_version_status"]

    assert [(state["version"], state["state"]) for state in states] == [("2", "END"), ("1", "AVAILABLE")]
    assert "manifest" in states[0]["status"]["error_message"]


def test_metadata_describe_the_signature(small_client: TestClient) -> None:
    body = small_client.get("/v1/models/spam/metadata").json()
    signature = body["metadata"]["signature_def"]["signature_def"]["serving_default"]

    assert body["model_spec"] == {"name": "spam", "signature_name": "", "version": "1"}
    assert {name: tensor["dtype"] for name, tensor in signature["inputs"].items()} == dict.fromkeys(
        ("links", "capitals", "length"), "DT_DOUBLE"
    )
    assert signature["outputs"]["predict"]["dtype"] == "DT_INT64"
    assert signature["outputs"]["predict_proba"]["tensor_shape"]["dim"][1]["size"] == "2"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/models/nobody:predict", "rent"),
        ("/v1/models/rent/versions/7:predict", "champion"),
        ("/v1/models/rent/labels/1:predict", "no label '1'; there is champion"),
        ("/v1/models/rent/labels/steady:predict", "no label 'steady'"),
    ],
)
def test_what_is_unknown_is_not_found(
    small_client: TestClient, flats: Sample, refused: Refused, path: str, words: str
) -> None:
    refused(small_client.post(path, json={"instances": flats.rows}), 404, words)


BAD: dict[str, tuple[str, Any, int, str]] = {
    "both": ("predict", {"instances": [[1]], "inputs": [[1]]}, 400, "either"),
    "neither": ("predict", {}, 400, "either"),
    "no rows": ("predict", {"instances": []}, 400, "at least 1"),
    "an object for rows": ("predict", {"instances": {"x": 1}}, 400, "must be an array"),
    "a row that is too long": ("predict", {"instances": [[1], [1, 2]]}, 400, "row 1 has 2 values"),
    "a row that is text": ("predict", {"instances": ["abc"]}, 400, 'x must be a number, not "abc"'),
    "a row that is null": ("predict", {"instances": [None]}, 400, "x is missing"),
    "an unknown feature": ("predict", {"instances": [{"x": 1, "X2": 1}]}, 400, "X2 is not a feature"),
    "an unknown column": ("predict", {"inputs": {"y": [1]}}, 400, "y is no feature"),
    "a column that is a number": ("predict", {"inputs": {"x": 1}}, 400, "the column x must be an array"),
    "text for columns": ("predict", {"inputs": "x"}, 400, "must be an array"),
    "another signature": ("predict", {"instances": [[1]], "signature_name": "other"}, 400, "there is serving_default"),
    "a signature that is a list": ("predict", {"instances": [[1]], "signature_name": []}, 400, "no signature_name"),
    "probabilities of a number": (
        "predict",
        {"instances": [[1]], "signature_name": "predict_proba"},
        400,
        "gives probabilities",
    ),
    "classes of a number": ("classify", {"examples": [{"x": 1}]}, 400, "use predict"),
    "no examples": ("regress", {}, 400, '"examples" must be an array'),
    "a context that is text": ("regress", {"examples": [{}], "context": "x"}, 400, '"context" must be'),
    "an explanation": ("explain", {"instances": [[1]]}, 501, "not explained"),
    "another call": ("predictify", {"instances": [[1]]}, 400, "there is predict, classify, regress"),
    "an array": ("predict", [[1]], 400, "must be a JSON object"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(odd_client: TestClient, refused: Refused, name: str) -> None:
    call, body, status, words = BAD[name]

    refused(odd_client.post(f"/v1/models/line:{call}", json=body), status, words)


def test_numbers_of_a_classification_are_refused(small_client: TestClient, mails: Sample, refused: Refused) -> None:
    refused(small_client.post("/v1/models/spam:regress", json={"examples": mails.rows}), 400, "use classify")


def test_another_content_type_is_refused(small_client: TestClient, refused: Refused) -> None:
    refused(small_client.post(PATHS[0], content=b"{}", headers={"Content-Type": "text/plain"}), 415, "'text/plain'")
