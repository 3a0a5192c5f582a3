"""The one shape of errors, and the one table from what went wrong to its status."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from starlette.testclient import TestClient

from model_api import errors
from model_api.app import ModelService
from model_api.errors import ArtifactError, OperatorError, RequestError, ServeryError
from model_api.routes.errors import TABLE

PROBLEM = ["type", "title", "status", "detail", "request_id"]
PROBLEM_WITH_ERRORS = ["type", "title", "status", "detail", "errors", "request_id"]


def leaves(kind: type[ServeryError]) -> set[type[ServeryError]]:
    below = {leaf for child in kind.__subclasses__() for leaf in leaves(child)}
    return below or {kind}


def test_every_error_that_can_reach_a_caller_has_its_status() -> None:
    assert set(TABLE) == leaves(ServeryError) - {ArtifactError} - leaves(OperatorError)
    assert all(status < 500 for kind, (status, _) in TABLE.items() if issubclass(kind, RequestError))


def test_every_error_class_is_in_the_tree_of_the_docstring() -> None:
    names = {name for name, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, ServeryError)}

    assert errors.__doc__ is not None
    assert {name for name in names if name not in errors.__doc__} == set()


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "slug"),
    [
        ("POST", "/predict", b"{", 400, "unreadable-body"),
        ("POST", "/predict", b"3", 422, "invalid-request"),
        ("POST", "/predict", b'{"data": {}}', 422, "invalid-instance"),
        ("GET", "/predict?limit=x", b"", 422, "invalid-request"),
        ("GET", "/models/nobody", b"", 404, "unknown-model"),
        ("GET", "/models/wine/versions/7", b"", 404, "unknown-version"),
        ("GET", "/nowhere", b"", 404, "not-found"),
        ("GET", "/docs/swagger-ui/nowhere.js", b"", 404, "not-found"),
        ("PUT", "/predict", b"", 405, "method-not-allowed"),
    ],
)
def test_every_error_has_the_one_shape(
    client: TestClient, method: str, path: str, content: bytes, status: int, slug: str
) -> None:
    answer = client.request(method, path, content=content)
    problem = answer.json()

    assert answer.status_code == problem["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{slug}"
    assert list(problem) == (PROBLEM_WITH_ERRORS if status == 422 else PROBLEM)
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert problem["title"]
    assert problem["detail"]


def test_an_invalid_instance_lists_all_its_problems_at_once(client: TestClient, patient: dict[str, Any]) -> None:
    sent = patient | {"bmi": "abc", "sex": 3, "weight": 80, "BP": 90} | {"age": None}
    del sent["s1"]

    problem = client.post("/predict", json={"data": sent}).json()

    assert problem["title"] == "The input is not valid"
    assert problem["detail"] == "6 features of row 0 are not valid"
    assert [(error["feature"], error["code"]) for error in problem["errors"]] == [
        ("age", "missing"),
        ("sex", "unknown_category"),
        ("bmi", "not_a_number"),
        ("s1", "missing"),
        ("weight", "unknown_feature"),
        ("BP", "unknown_feature"),
    ]
    assert problem["errors"][2] == {
        "feature": "bmi",
        "code": "not_a_number",
        "message": 'bmi must be a number, not "abc"',
        "expected": "a number, usually 18 to 42.2 kg/m²",
        "value": "abc",
        "row": 0,
    }
    assert problem["errors"][5]["expected"] == "bp"


def test_as_many_problems_are_listed_as_fit(client: TestClient) -> None:
    answer = client.post("/predict", json=[{}] * 10_000)

    assert 20 < len(answer.json()["errors"]) <= 100
    assert len(answer.content) <= 16 * 1024
    assert answer.json()["detail"] == "100000 features in 10000 of 10000 rows are not valid"


@pytest.mark.parametrize(
    "path",
    [
        "/models/nobody",
        "/models/nobody/predict",
        "/models/nobody/versions/1",
        "/models/nobody/versions/1/predict",
        "/models/Diabetes/predict",
        "/models/%2e%2e%2f/predict",
        "/models/..%5c..%5cetc/predict",
        "/models/%00/predict",
        "/models/diabetes%00/predict",
        "/models/%ff/predict",
        f"/models/{'x' * 300}/predict",
    ],
)
def test_an_unknown_model_is_not_found_and_those_that_exist_are_named(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    if answer.json()["type"] == "/problems/unknown-model":  # a slash in a name makes it another address
        assert answer.json()["detail"].endswith("there is breast-cancer, diabetes, loans, wine")
    assert len(answer.text) < 500


@pytest.mark.parametrize(
    "version", ["2", "0", "-1", "01", "1e3", "1.0", "challenger", "Champion", "%00", "%D9%A1", "1%20", "9" * 300]
)
@pytest.mark.parametrize("path", ["/models/wine/versions/{}", "/models/wine/versions/{}/predict"])
def test_an_unknown_version_is_not_found_and_those_that_exist_are_named(
    client: TestClient, path: str, version: str
) -> None:
    answer = client.get(path.format(version))

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-version"
    assert answer.json()["detail"].endswith("there is champion, 1")


def test_a_post_to_an_unknown_model_is_not_found(client: TestClient, patient: dict[str, Any]) -> None:
    assert client.post("/models/nobody/predict", json={"data": patient}).status_code == 404


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/predict", {"GET", "POST"}),
        ("/models/wine/predict", {"GET", "POST"}),
        ("/models/wine/versions/1/predict", {"GET", "POST"}),
        ("/models", {"GET"}),
        ("/models/wine", {"GET"}),
        ("/models/wine/versions/1", {"GET"}),
        ("/health/live", {"GET"}),
        ("/health/ready", {"GET"}),
        ("/docs", {"GET"}),
        ("/docs/swagger-ui/swagger-ui.css", {"GET", "HEAD"}),
        ("/openapi.json", {"GET", "HEAD"}),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_a_method_that_is_not_taken_is_refused_and_all_that_are_taken_are_named(
    client: TestClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert answer.json()["detail"] == f"{method} is not taken here"


def test_an_unexpected_failure_is_told_with_its_request_id_and_without_its_inside(
    client: TestClient,
    service: ModelService,
    patient: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    log_to_stderr: Callable[[Literal["readable", "json"]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("SELECT password FROM /etc/servery")

    log_to_stderr("json")
    monkeypatch.setattr("model_api.inference.predict", explode)
    monkeypatch.setattr("model_api.inference.predict_rows", explode)
    monkeypatch.setattr("model_api.runtimes.selection.ChosenPredictor.predict_one", explode)

    answer = TestClient(service).post("/predict", json={"data": patient}, headers={"X-Request-ID": "quote-me"})

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json() == {
        "type": "/problems/internal-error",
        "title": "The service failed",
        "status": 500,
        "detail": "something failed inside the service; quote the request id to its operator",
        "request_id": "quote-me",
    }
    failed, request = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (failed["event"], failed["request_id"]) == ("failed", "quote-me")
    assert "SELECT password" in failed["exception"]
    assert (request["event"], request["status"]) == ("request", 500)


@pytest.mark.parametrize("path", ["/predict", "/models", "/models/rent", "/models/rent/versions/1"])
def test_a_service_without_models_is_not_ready_and_says_when_to_come_back(
    serving: Callable[..., TestClient], tmp_path: Path, path: str
) -> None:
    empty = serving(tmp_path)

    answer = empty.get(path)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["type"] == "/problems/not-ready"
    assert "publish one, or set MODEL_API_MODELS" in answer.json()["detail"]
