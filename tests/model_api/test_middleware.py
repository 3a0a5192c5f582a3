"""What every request gets, whatever answers it."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from model_api.app import ModelService
from model_api.loading import LoadedModel
from model_api.metrics import Metrics
from model_api.middleware import HEADERS, RequestMiddleware
from model_api.registry import Registry

LogToStderr = Callable[[Literal["readable", "json"]], None]

PATHS = [
    ("GET", "/predict?limit=1", 200),
    ("POST", "/predict", 400),
    ("GET", "/models/nobody", 404),
    ("GET", "/nowhere", 404),
    ("DELETE", "/predict", 405),
    ("GET", "/health/live", 200),
    ("GET", "/docs", 200),
    ("GET", "/docs/swagger-ui/swagger-ui.css", 200),
    ("GET", "/openapi.json", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
def test_every_answer_carries_the_security_headers(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert [name for name in HEADERS if name not in answer.headers] == []


@pytest.mark.parametrize("path", ["/predict", "/models", "/health/ready", "/nowhere"])
def test_answers_are_not_kept_by_caches(client: TestClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "!~", "x" * 128]
)
@pytest.mark.parametrize(("method", "path", "status"), PATHS)
def test_a_request_id_is_echoed(client: TestClient, given: str, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] == given


def test_a_request_id_is_in_the_body_of_predictions_and_problems(client: TestClient, patient: dict[str, Any]) -> None:
    headers = {"X-Request-ID": "quote-me"}

    for answer in (
        client.get("/predict", headers=headers),
        client.post("/predict", json={"data": patient}, headers=headers),
        client.post("/predict", json={"data": {}}, headers=headers),
        client.get("/nowhere", headers=headers),
    ):
        assert answer.json()["request_id"] == "quote-me"


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"x" * 129,
        b"x" * 10_000,
        b"two words",
        b"tab\there",
        b"\xc3\xa9",
        b"a\x7fb",
        b"a\x1b[31mb",
        b"a\r\nX-Evil: 1",
    ],
)
def test_a_request_id_that_is_unprintable_or_too_long_is_replaced(client: TestClient, given: bytes) -> None:
    answer = client.get("/health/live", headers={b"X-Request-ID": given})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert "X-Evil" not in answer.headers


def test_every_request_gets_an_id_of_its_own(client: TestClient) -> None:
    assert len({client.get("/health/live").headers["X-Request-ID"] for _ in range(20)}) == 20


@pytest.mark.parametrize("host", ["testserver", "TESTSERVER", "testserver:8001", "testserver:1"])
def test_a_known_host_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "testserver.evil.example", "eviltestserver", "testserver@evil.example", "127.0.0.1"),
        *("testserver:", "testserver:x", "testserver:999999", "testserver:80:80", "[::1]", "testserver."),
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/docs", "/health/live", "/nowhere", "/openapi.json"])
def test_an_unknown_host_is_refused(client: TestClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/unknown-host"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("host", ["localhost", "localhost:8001", "127.0.0.1:8001", "[::1]", "[::1]:8001"])
def test_the_service_may_be_called_by_loopback_names(
    serving: Callable[..., TestClient], published_small_models: Path, host: str
) -> None:
    loopback = serving(published_small_models, allowed_hosts=("127.0.0.1", "localhost", "[::1]", "testserver"))

    assert loopback.get("/health/live", headers={"Host": host}).status_code == 200


def test_a_star_allows_every_host(serving: Callable[..., TestClient], published_small_models: Path) -> None:
    anybody = serving(published_small_models, allowed_hosts=("*",))

    assert anybody.get("/health/live", headers={"Host": "anything.example"}).status_code == 200


@pytest.fixture
def one_road(client: TestClient, service: ModelService) -> TestClient:
    """The same guest, asking once: what `client` asks of both roads leaves two lines."""
    return TestClient(service, raise_server_exceptions=False)


def access_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Give the access lines among the JSON lines of the log."""
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["event"] == "request"]


def test_health_checks_leave_no_line(
    client: TestClient, log_to_stderr: LogToStderr, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("json")

    client.get("/health/live")
    client.get("/health/ready")

    assert access_lines(capsys) == []


@pytest.mark.parametrize(("method", "path", "status"), [row for row in PATHS if "health" not in row[1]])
def test_every_other_request_leaves_one_line(
    one_road: TestClient,
    log_to_stderr: LogToStderr,
    capsys: pytest.CaptureFixture[str],
    method: str,
    path: str,
    status: int,
) -> None:
    log_to_stderr("json")

    one_road.request(method, path, headers={"X-Request-ID": "r1"})

    (line,) = access_lines(capsys)
    assert (line["method"], line["path"], line["status"]) == (method, path.partition("?")[0], status)
    assert line["request_id"] == "r1"
    assert line["ms"] >= 0


def test_the_line_of_a_prediction_names_the_model_and_counts_the_rows(
    serving: Callable[..., TestClient],
    published_small_models: Path,
    log_to_stderr: LogToStderr,
    capsys: pytest.CaptureFixture[str],
    flat: dict[str, Any],
) -> None:
    client = serving(published_small_models, log_format="json")
    log_to_stderr("json")

    client.post("/predict", json=[flat] * 3)
    client.post("/predict", json=[flat] * 2, headers={"X-Request-Timeout": "30"})
    client.get("/metrics")
    client.get("/models/spam/predict?limit=7")

    lines = [line for line in access_lines(capsys) if "model" in line]
    assert sorted((line["model"], line["rows"]) for line in lines) == [("rent/1", 2), ("rent/1", 3), ("spam/1", 7)]


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("given", "logged"),
    [(TRACE, TRACE), ("", None), ("x" * 10_000, None), (f"{TRACE} forged", None), (TRACE.upper(), None)],
)
def test_the_line_names_the_trace_that_the_caller_is_part_of(
    client: TestClient,
    log_to_stderr: LogToStderr,
    capsys: pytest.CaptureFixture[str],
    given: str,
    logged: str | None,
) -> None:
    log_to_stderr("json")

    client.get("/models", headers={"traceparent": given})

    (line,) = access_lines(capsys)
    assert line.get("traceparent") == logged


SECRET = "s3cr3t"
NUMBER = 31.4159265


@pytest.mark.parametrize("log_format", ["json", "readable"])
def test_no_input_value_is_ever_logged(
    one_road: TestClient,
    log_to_stderr: LogToStderr,
    capsys: pytest.CaptureFixture[str],
    patient: dict[str, Any],
    log_format: Literal["readable", "json"],
) -> None:
    client = one_road
    one_road.get("/metrics")  # so that nothing waits
    capsys.readouterr()
    log_to_stderr(log_format)

    client.post("/predict", json={"data": patient | {"bmi": SECRET, SECRET: SECRET}})
    client.post("/predict", json={"data": patient | {"bmi": NUMBER}})
    client.post("/predict", json={"data": [patient | {"bmi": SECRET}], "options": {"on_error": "report"}})
    client.post("/predict", content=SECRET)
    client.post("/predict", json={SECRET: SECRET})
    client.get("/predict", params=patient | {"bmi": NUMBER})
    client.get("/predict", params={SECRET: SECRET})
    client.get("/metrics")

    logged = capsys.readouterr()
    assert logged.err.count("request_id") == 8
    assert SECRET not in logged.err + logged.out
    assert str(NUMBER) not in logged.err + logged.out


@pytest.mark.parametrize("log_format", ["json", "readable"])
@pytest.mark.parametrize(
    "path", ["/x%0aINFO%20forged", "/x%0d%0aforged", "/%1b[31mred", "/%00", "/%e2%80%ae", "/%c2%85"]
)
def test_a_path_cannot_forge_a_line_or_colour_the_terminal(
    client: TestClient,
    log_to_stderr: LogToStderr,
    capsys: pytest.CaptureFixture[str],
    log_format: Literal["readable", "json"],
    path: str,
) -> None:
    log_to_stderr(log_format)

    client.get(path)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()


def no_metrics() -> Metrics:
    def never(version: Path) -> LoadedModel:
        raise AssertionError(version)

    return Metrics(Registry(Path("nowhere"), load_version=never))


def call(app: RequestMiddleware, scope: dict[str, Any]) -> list[Message]:
    """Call an ASGI application by hand, and give what it sent."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


HTTP = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"testserver")]}


def test_a_failure_before_the_answer_is_an_internal_error() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("/etc/servery: the inside")

    start, body = call(RequestMiddleware(broken, ["testserver"], no_metrics()), dict(HTTP))

    assert start["status"] == 500
    assert b"the inside" not in body["body"]


def test_a_failure_after_the_answer_has_begun_does_not_begin_another() -> None:
    async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("too late")

    sent = call(RequestMiddleware(breaks_off, ["testserver"], no_metrics()), dict(HTTP))

    assert [message.get("status") for message in sent] == [200]


def test_what_is_not_http_is_passed_on() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    call(RequestMiddleware(app, [], no_metrics()), {"type": "lifespan"})

    assert seen == ["lifespan"]
