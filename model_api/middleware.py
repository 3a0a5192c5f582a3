"""What every request gets: a host check, a request id, security headers, one log line, and never a bare 500."""

import itertools
import re
import secrets
import time
from collections.abc import Collection, Iterable
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_api.metrics import Metrics
from model_api.routes.errors import problem_response
from model_api.stages import Stages
from model_api.telemetry import Finished, Telemetry

NOTHING = Stages()
REQUEST_ID = re.compile(r"[!-~]{1,128}", re.ASCII)
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Sent unless the route says otherwise."""

log = structlog.stdlib.get_logger("model_api.access")


class RequestMiddleware:
    """Wraps the whole application; plain ASGI, because it is on the way of every prediction."""

    def __init__(
        self, app: ASGIApp, allowed_hosts: Iterable[str], metrics: Metrics, telemetry: Telemetry | None = None
    ) -> None:
        self._app = app
        self._telemetry = telemetry
        self._metrics = metrics
        self._hosts = {host.lower() for host in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), state)
            await send(message)

        try:
            hosts = headers.getlist("host")
            if len(hosts) == 1 and knows_host(hosts[0], self._hosts):
                await self._app(scope, receive, send_with_headers)
            else:
                refusal = problem_response(
                    400, "unknown-host", "this service is not called by that host name", request_id, path=scope["path"]
                )
                await refusal(scope, receive, send_with_headers)
        except Exception:
            log.exception("failed", path=scope["path"], request_id=request_id)
            if not status:
                await _internal_error(request_id, scope["path"])(scope, receive, send_with_headers)
        finally:
            self._note(scope, headers, state, status, time.perf_counter() - began)

    def _note(self, scope: Scope, headers: Headers, state: dict[str, Any], status: int, seconds: float) -> None:
        """Count a request, write its line, and make its span."""
        if "rows" in state:
            self._metrics.count(state["model"], status, state["rows"], seconds, _stages(state))
        if scope["path"].startswith("/health/"):  # asked every second by whoever watches
            return
        method, path, trace = scope["method"], scope["path"], _trace(headers)
        log.info(
            "request",
            method=method,
            path=path,
            status=status,
            ms=round(seconds * 1000, 2),
            **{key: state[key] for key in ("model", "rows") if key in state},
            **trace,
            request_id=state["request_id"],
        )
        if self._telemetry:
            who = (state.get("model", ""), state.get("rows", 0), trace.get("traceparent", ""), state["request_id"])
            self._telemetry.record(Finished(method, path, status, time.time(), seconds, *who, _stages(state)))


def knows_host(host: str, known: Collection[str]) -> bool:
    """Tell whether a Host header names one of the hosts under which the service may be called."""
    name = host.lower()
    if not name.endswith("]"):
        name = re.sub(r":[0-9]{1,5}$", "", name)
    return name in known or "*" in known


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else new_request_id()


_START, _COUNT = secrets.token_hex(8), itertools.count()


def new_request_id() -> str:
    """Make an id that no other process makes: a random start and a number."""
    return f"{_START}{next(_COUNT):016x}"


def _trace(headers: Headers) -> dict[str, str]:
    """Give the trace that the caller is part of, if it names one (W3C Trace Context)."""
    given = headers.get("traceparent", "")
    return {"traceparent": given} if TRACEPARENT.fullmatch(given) else {}


def _add_headers(headers: MutableHeaders, state: dict[str, Any]) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers["X-Request-ID"] = state["request_id"]
    if "model" in state:
        headers["Servery-Model"] = state["model"]
    if "stopwatch" in state:
        headers["Server-Timing"] = state["stopwatch"].stages.server_timing()


def _stages(state: dict[str, Any]) -> Stages:
    return state["stopwatch"].stages if "stopwatch" in state else NOTHING


def _internal_error(request_id: str, path: str) -> ASGIApp:
    detail = "something failed inside the service; quote the request id to its operator"
    return problem_response(500, "internal-error", detail, request_id, path=path)
