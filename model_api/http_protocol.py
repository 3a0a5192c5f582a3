"""uvicorn's HTTP protocol with a short cut: plain predictions are answered where their last byte arrives.

No scope, no task, no messages, one write: that is two thirds of what a small request costs. Only what the fast path
answers is answered here; every other request goes uvicorn's own way, as if it had just arrived. Used by
`servery run` and `servery serve`; alone: `uvicorn model_api.main:app --http model_api.http_protocol:Protocol`.
"""

import time
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from model_api.fast_path import MOST_BYTES, Caller, FastPath, Target, turned_away

STATUS, BUSY = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 503 Service Unavailable\r\n"
LAST_CALL_SECONDS = 0.5
"""How long an idle connection stays open when the service ends."""
OWN = (b"content-length", b"x-request-id")
"""Headers that are written by themselves."""


class Pending(NamedTuple):
    """A request whose body is still to come."""

    target: Target
    caller: Caller
    began: float


class Protocol(HttpToolsProtocol):
    """Serves one connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fast_path = _fast_path_of(self.app)
        self._pending: Pending | None = None
        self._body = b""
        self._closing = False
        self._heads: dict[str, tuple[object, bytes]] = {}

    def on_message_begin(self) -> None:
        """Begin a request; what uvicorn prepares for the application is prepared when it goes there."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Decide which way a request goes."""
        self._pending = self._short_cut()
        if self._pending is None:
            self._hand_over()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        if self._pending is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Answer a request that took the short cut."""
        pending, body = self._pending, self._body
        self._pending, self._body = None, b""
        if pending is None:
            super().on_message_complete()
            return
        assert self._fast_path
        if not self._fast_path.has_time():
            self._turn_away(pending)
            return
        answered = self._fast_path.answer(pending.target, body, pending.caller.request_id)
        if answered is None:
            self._hand_over()
            super().on_body(body)
            super().on_message_complete()
            return
        content, rows = answered
        self._write(self._head(pending.target), content, pending, rows)

    def shutdown(self) -> None:
        """Answer one more request, and then close the connection.

        Closed at once, a request that is on its way would be lost, and its caller could not know whether it was done.
        """
        self._closing = True
        if self.cycle is not None and not self.cycle.response_complete:
            super().shutdown()
        else:
            self.loop.call_later(LAST_CALL_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._pending is None and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()

    def _short_cut(self) -> Pending | None:
        """Find who answers; None unless everything about the request is plain and nothing waits before it."""
        if self._fast_path is None or self.parser.get_method() != b"POST" or self.limit_concurrency is not None:
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        if self.flow.write_paused or self.parser.get_http_version() != "1.1" or self.parser.should_upgrade():
            return None
        if b"%" in self.url or b"?" in self.url or not _is_short(self.headers):
            return None
        target = self._fast_path.target(self.root_path + self.url.decode("ascii", "replace"))
        caller = self._fast_path.caller(self.headers) if target else None
        return Pending(target, caller, time.perf_counter()) if target and caller else None

    def _turn_away(self, pending: Pending) -> None:
        """Say that there is no time."""
        problem = turned_away(pending.caller)
        lines = [*self.server_state.default_headers, *problem.raw_headers]
        head = b"".join(b"%s: %s\r\n" % line for line in lines if line[0] not in OWN)
        self._write(BUSY + head, bytes(problem.body), pending, 0)

    def _write(self, head: bytes, content: bytes, pending: Pending, rows: int) -> None:
        """Send an answer in one piece, and note it."""
        keep_alive = self.parser.should_keep_alive() and not self._closing
        last = b"\r\n\r\n" if keep_alive else b"\r\nconnection: close\r\n\r\n"
        request_id = pending.caller.request_id.encode()
        own = b"content-length: %d\r\nx-request-id: %s%s" % (len(content), request_id, last)
        self.transport.write(b"".join((head, own, content)))
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()
        assert self._fast_path
        seconds = time.perf_counter() - pending.began
        self._fast_path.note(self.url.decode("ascii"), pending.target, pending.caller, rows, seconds)

    def _hand_over(self) -> None:
        """Let uvicorn begin with the request."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = expects
        super().on_headers_complete()
        if self._closing and self.cycle:
            self.cycle.keep_alive = False

    def _head(self, target: Target) -> bytes:
        """Write status and the headers that stay the same for a second."""
        defaults = self.server_state.default_headers
        made_with, head = self._heads.get(target.label, (None, b""))
        if made_with is not defaults:
            head = STATUS + b"".join(b"%s: %s\r\n" % header for header in defaults + target.headers)
            self._heads[target.label] = defaults, head
        return head


def _is_short(headers: list[tuple[bytes, bytes]]) -> bool:
    """Tell whether a body has a stated length, and not too long a one."""
    lengths = [value for name, value in headers if name == b"content-length"]
    return len(lengths) == 1 and len(lengths[0]) < 8 and lengths[0].isdigit() and int(lengths[0]) <= MOST_BYTES


def _fast_path_of(app: Any) -> FastPath | None:
    """Find the fast path of an application, under what uvicorn wraps around it."""
    while app is not None:
        found = getattr(app, "fast_path", None)
        if isinstance(found, FastPath):
            return found
        app = getattr(app, "app", None)
    return None
