"""Requests as spans of OpenTelemetry, for who follows a request through several services: the extra `otel`.

A span is made after its request was answered, from what the log line says too, so a fast prediction pays nothing for
it while its caller waits. Where spans go, and how many, is told by OpenTelemetry's own variables, such as
`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME` and `OTEL_TRACES_SAMPLER`.
"""

import os
from typing import TYPE_CHECKING, NamedTuple

from model_api.settings import WrongSetting
from model_api.stages import Stages

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

SERVICE = "servery-model-api"


class Finished(NamedTuple):
    """A request that was answered."""

    method: str
    path: str
    status: int
    at: float
    """When it ended, in seconds since 1970."""
    seconds: float
    """How long it took."""
    model: str
    """Who answered, as name/version; may be empty."""
    rows: int
    traceparent: str
    """The trace that the caller is part of; may be empty."""
    request_id: str
    stages: Stages


class Telemetry:
    """Makes spans."""

    def __init__(self, processor: "SpanProcessor") -> None:
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider

        name = os.environ.get("OTEL_SERVICE_NAME") or SERVICE
        self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("model_api")

    def record(self, request: Finished) -> None:
        """Make the span of a request."""
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {"traceparent": request.traceparent} if request.traceparent else {}
        ended = int(request.at * 1e9)
        span = self._tracer.start_span(
            f"{request.method} {request.path}" if request.model else request.method,  # a path that is served, no other
            TraceContextTextMapPropagator().extract(carrier),
            SpanKind.SERVER,
            _attributes(request),
            start_time=ended - int(request.seconds * 1e9),
        )
        if request.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def close(self) -> None:
        """Send what waits to be sent."""
        self._provider.shutdown()


def open_telemetry() -> Telemetry:
    """Make spans that are sent by OTLP over HTTP. Raises WrongSetting where the extra is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise WrongSetting(
            "MODEL_API_TELEMETRY is true, and OpenTelemetry is not installed: pip install 'servery[otel]'"
        ) from error
    return Telemetry(BatchSpanProcessor(OTLPSpanExporter()))


def _attributes(request: Finished) -> dict[str, str | int | float]:
    """Name what is known of a request, by the conventions of OpenTelemetry where there are any."""
    attributes: dict[str, str | int | float] = {
        "http.request.method": request.method,
        "url.path": request.path,
        "http.response.status_code": request.status,
        "servery.request_id": request.request_id,
    }
    if request.model:
        name, _, version = request.model.partition("/")
        attributes |= {"servery.model": name, "servery.version": version, "servery.rows": request.rows}
    return attributes | {
        f"servery.{stage}_seconds": seconds
        for stage, seconds in zip(Stages._fields, request.stages, strict=True)
        if seconds
    }
