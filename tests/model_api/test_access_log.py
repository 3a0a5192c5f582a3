"""The lines of fast predictions: as structlog writes them, a few at a time, and counted with them."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from model_api import access_log
from model_api.access_log import AccessLog
from model_api.loading import LoadedModel
from model_api.metrics import Access, Metrics
from model_api.registry import Registry

LogToStderr = Callable[[Literal["readable", "json"]], None]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    """Counts of a service without models."""

    def never(version: Path) -> LoadedModel:
        raise AssertionError(version)

    return Metrics(Registry(tmp_path, load_version=never))


@pytest.fixture
def stream() -> io.StringIO:
    """Where lines go."""
    return io.StringIO()


def access(model: str = "rent/1", rows: int = 2, trace: str = "", at: float = 1790000000.25) -> Access:
    return Access(at, "/models/rent/predict", 0.0012345, model, rows, trace, "r-1")


def noted(log: AccessLog, *accesses: Access, then: float = 0.0) -> None:
    """Note requests on an event loop, and let some seconds pass."""

    async def run() -> None:
        for each in accesses:
            log.note(each)
        await asyncio.sleep(then)

    asyncio.run(run())


@pytest.mark.parametrize("trace", ["", TRACE])
@pytest.mark.parametrize("log_format", ["readable", "json"])
def test_a_line_is_what_structlog_would_have_written(
    metrics: Metrics,
    stream: io.StringIO,
    log_to_stderr: LogToStderr,
    capsys: pytest.CaptureFixture[str],
    log_format: Literal["readable", "json"],
    trace: str,
) -> None:
    log_to_stderr(log_format)
    traced: dict[str, Any] = {"traceparent": trace} if trace else {}
    structlog.stdlib.get_logger("model_api.access").info(
        "request", method="POST", path="/models/rent/predict", status=200, ms=1.23, model="rent/1", rows=2,
        **traced, request_id="r-1",
    )  # fmt: skip
    expected = capsys.readouterr().err

    log = AccessLog(log_format, metrics, stream)
    noted(log, access(trace=trace))
    log.flush()

    if log_format == "json":
        found, wanted = json.loads(stream.getvalue()), json.loads(expected)
        assert {**found, "timestamp": ""} == {**wanted, "timestamp": ""}
        assert found["timestamp"] == "2026-09-21T14:13:20.250000Z"
    else:
        assert stream.getvalue().split(maxsplit=1)[1] == expected.split(maxsplit=1)[1]
        assert stream.getvalue().split()[0] == "2026-09-21T14:13:20.250000Z"


def test_lines_are_written_soon(metrics: Metrics, stream: io.StringIO) -> None:
    log = AccessLog("json", metrics, stream)

    noted(log, access(), access(), then=access_log.SOON * 4)

    assert len(stream.getvalue().splitlines()) == 2


def test_many_lines_are_written_at_once(metrics: Metrics, stream: io.StringIO) -> None:
    log = AccessLog("json", metrics, stream)

    noted(log, *[access() for _ in range(access_log.MANY + 1)])

    assert len(stream.getvalue().splitlines()) == access_log.MANY


def test_whoever_reads_the_counts_gets_all_of_them(metrics: Metrics, stream: io.StringIO) -> None:
    log = AccessLog("json", metrics, stream)
    noted(log, access(), access("rent/2", 5), access("rent/1", 3))

    families = text_string_to_metric_families(metrics.exposition().decode())
    samples = {(s.name, s.labels.get("version"), s.labels.get("le")): s.value for f in families for s in f.samples}

    assert samples["servery_requests_total", "1", None] == 2
    assert samples["servery_rows_total", "1", None] == 5
    assert samples["servery_rows_total", "2", None] == 5
    assert samples["servery_request_seconds_bucket", "1", "0.002"] == 2
    assert samples["servery_request_seconds_bucket", "1", "0.001"] == 0
    assert len(stream.getvalue().splitlines()) == 3
