"""One log line a request, written a few at a time: writing each by itself would cost a third of a fast prediction.

A line is what structlog would write, and is cut from a line that structlog wrote once. Lines wait for `SOON` seconds at
most, or until there are `MANY`. The counts of Prometheus wait with them: whoever reads those of a process gets all of
them, and of other workers' all but the last moment's.
"""

import asyncio
import operator
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from model_api.logs import renderer
from model_api.metrics import Access, Metrics
from model_api.telemetry import Finished, Telemetry

SOON, MANY = 0.05, 64
MARKS = ("~at~", "~path~", "-1.5", "~model~", "-2", "~trace~", "~id~", "-3")
"""What stands for the values of a line: those of an Access in its order, and the status."""


class AccessLog:
    """Notes requests; used on the event loop only."""

    def __init__(
        self, log_format: Literal["readable", "json"], metrics: Metrics, stream: TextIO | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:  # fmt: skip
        self._stream = stream
        self._telemetry = telemetry
        self._metrics = metrics
        self._waiting: list[Access] = []
        self._timer: asyncio.TimerHandle | None = None
        self._templates = {traced: _template(log_format, traced=traced) for traced in (False, True)}
        self._second, self._prefix = -1, ""
        metrics.before_reading = self.flush

    def note(self, access: Access) -> None:
        """Remember one request."""
        self._waiting.append(access)
        if len(self._waiting) >= MANY:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SOON, self.flush)

    def flush(self) -> None:
        """Write and count everything that waits."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            stream = self._stream or sys.stderr
            stream.write("".join(map(self._line, waiting)))
            stream.flush()
            self._metrics.count_accesses(waiting)
        if self._telemetry:
            for access in waiting:
                self._telemetry.record(_finished(access))

    def _line(self, access: Access) -> str:
        template, order = self._templates[bool(access.traceparent)]
        at, path, seconds, model, rows, traceparent, request_id, _ = access
        values = (
            self._moment(at),
            path,
            round(seconds * 1000, 2),
            model,
            rows,
            traceparent,
            request_id,
            200 if rows else 503,
        )
        line: str = template % order(values)
        return line

    def _moment(self, at: float) -> str:
        second = int(at)
        if second != self._second:
            self._second, self._prefix = second, datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._prefix}.{int((at - second) * 1e6):06d}Z"


def _finished(access: Access) -> Finished:
    at, path, seconds, model, rows, traceparent, request_id, stages = access
    return Finished("POST", path, 200 if rows else 503, at, seconds, model, rows, traceparent, request_id, stages)


def _template(log_format: Literal["readable", "json"], *, traced: bool) -> tuple[str, Callable[[Any], Any]]:
    """Let structlog write a line of stand-ins; gives it with places for values, and what puts values in their order."""
    standing: dict[str, Any] = {"method": "POST", "path": "~path~", "status": -3, "ms": -1.5, "model": "~model~"}
    standing |= {"rows": -2, **({"traceparent": "~trace~"} if traced else {}), "request_id": "~id~"}
    event = {**standing, "event": "request", "level": "info", "timestamp": "~at~"}
    line = renderer(log_format)(None, "info", event)
    assert isinstance(line, str)
    line = line.replace("%", "%%") + "\n"
    found = sorted((line.index(mark), number) for number, mark in enumerate(MARKS) if mark in line)
    for mark in MARKS:
        line = line.replace(mark, "%s")
    return line, operator.itemgetter(*(number for _, number in found))
