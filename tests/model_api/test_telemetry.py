"""Requests as spans."""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from model_api import app
from model_api.app import create_app
from model_api.settings import Settings, WrongSetting
from model_api.telemetry import Telemetry

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[ReadableSpan, ...]]:
    """The spans that were made, of services with telemetry."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(app, "open_telemetry", lambda: Telemetry(SimpleSpanProcessor(exporter)))
    return exporter.get_finished_spans


@pytest.fixture
def client(spans: object, published_small_models: Path, serving: Callable[..., TestClient]) -> TestClient:
    """A service with telemetry."""
    return serving(published_small_models, telemetry=True)


def only(spans: tuple[ReadableSpan, ...], path: str) -> ReadableSpan:
    (span,) = [span for span in spans if (span.attributes or {})["url.path"] == path]
    return span


@pytest.mark.parametrize("options", [{}, {"options": {"coverage": 0.8}}])
def test_a_prediction_is_a_span_of_the_callers_trace(
    client: TestClient, spans: Callable[[], tuple[ReadableSpan, ...]], flat: dict[str, Any], options: dict[str, Any]
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "r-7"}
    client.post("/predict", json={"data": [flat, flat], **options}, headers=headers)
    client.get("/metrics")  # what waits is written first

    span = only(spans(), "/predict")
    assert span.name == "POST /predict"
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    said = dict(span.attributes or {})
    assert said["http.response.status_code"] == 200
    assert (said["servery.model"], said["servery.version"], said["servery.rows"]) == ("rent", "1", 2)
    assert said["servery.request_id"] == "r-7"
    assert isinstance(said["servery.predict_seconds"], float)
    assert span.start_time is not None
    assert span.end_time is not None
    assert 0 < span.end_time - span.start_time < 10**10


def test_a_page_that_does_not_exist_gives_no_name_to_a_span(
    client: TestClient, spans: Callable[[], tuple[ReadableSpan, ...]]
) -> None:
    client.get("/secret/7")

    assert only(spans(), "/secret/7").name == "GET"


def test_a_failure_is_marked(
    client: TestClient,
    spans: Callable[[], tuple[ReadableSpan, ...]],
    flat: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("model_api.inference.predict", explode)
    client.post("/predict", json={"data": flat, "options": {"coverage": 0.8}})

    assert not only(spans(), "/predict").status.is_ok


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes what is sent to it; gives its address and what it got."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_are_sent_where_the_variables_say(
    collector: tuple[str, list[bytes]],
    published_small_models: Path,
    flat: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, got = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "rents")
    settings = Settings(models=str(published_small_models), allowed_hosts=("testserver",), telemetry=True)

    with TestClient(create_app(settings)) as client:
        client.post("/predict", json={"data": flat})

    (resource,) = ExportTraceServiceRequest.FromString(got[0]).resource_spans
    assert "rents" in [attribute.value.string_value for attribute in resource.resource.attributes]
    assert [span.name for span in resource.scope_spans[0].spans] == ["POST /predict"]


def test_without_the_extra_the_service_says_what_to_install(
    published_small_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)

    with pytest.raises(WrongSetting, match=r"pip install 'servery\[otel\]'"):
        create_app(Settings(models=str(published_small_models), telemetry=True))
