"""uvicorn's HTTP protocol with a short cut: plain predictions are answered where their last byte arrives.

No scope, no task, no messages, one write: that is two thirds of what a small request costs. Only what the fast path
answers is answered here; every other request goes uvicorn's own way, as if it had just arrived. Used by
`servery run` and `servery serve`; alone: `uvicorn model_api.main:app --http model_api.http_protocol:Protocol`.

A client sends the same head with every request, but for its length. A head that was answered here once is known by its
bytes and not parsed again: parsed again, it could only come out the same.

It is also where slow clients are parted with, for uvicorn waits for ever: see `_watch`.
"""

import sys
import time
from itertools import chain
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from model_api.admission import TICKET, Ticket
from model_api.fast_path import NOT_DONE, Answered, Caller, FastPath, Head, Target, turned_away
from model_api.middleware import HEADERS, new_request_id
from model_api.routes.errors import problem_response

STATUS, BUSY = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 503 Service Unavailable\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
LAST_CALL_SECONDS = 0.5
"""How long an idle connection stays open when the service ends."""
RECEIPT_SECONDS = 10.0
"""How long a request may take to arrive; a long one gets a second more for each `SLOWEST` bytes of its body."""
SLOWEST = 2**15
WATCH_SECONDS = 2.0
"""How often it is looked whether a client is too slow."""
SEND_SECONDS = 30.0
"""How long a client may read nothing of its answer."""
OWN = (b"content-length", b"server-timing", b"x-request-id")
"""Headers that are written by themselves."""
TIMING = b"server-timing: queue;dur=0.000, parse;dur=%.3f, predict;dur=%.3f, encode;dur=%.3f\r\n"
OWN_LINES = b"content-length: %d\r\n" + TIMING + b"x-request-id: %b%b%b"
EACH_TIME = (b"x-request-id", b"traceparent", b"x-request-timeout")
"""Headers by which a head is another one with every request."""
END = b"\r\n\r\n"
LONGEST_ADDRESS, LONGEST_HEADERS, MOST_HEADERS, MOST_CHUNKS = 2**13, 2**16, 100, 2**16
"""Bytes of an address and of all headers, and how many headers and pieces of a body a request may have."""
LONGEST_HEAD, MOST_HEADS = 2048, 1000
"""Bytes of a head that is remembered, and how many are."""


NOBODY = Caller("0" * 32, "")
NO_TIME = bytes(turned_away(NOBODY).body).split(NOBODY.request_id.encode())
"""The answer to a request for which there is no time, before and after its request id."""


class Pending(NamedTuple):
    """A request whose body is still to come."""

    target: Target
    caller: Caller
    began: float


VERSIONS = ("1.0", "1.1")


class NotTaken(Exception):
    """A request has more of something than is taken, or is of a form that is not."""

    def __init__(self, status: int, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail


class Protocol(HttpToolsProtocol):
    """Serves one connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fast_path = _fast_path_of(self.app) if self.limit_concurrency is None else None
        self._pending: Pending | None = None
        self._body = bytearray()
        self._ticket: Ticket | None = None
        """Lets the request that is handed over into the application."""
        self._raw = b""
        """What arrived last, if it began with a request."""
        self._between = True
        """No request is being received."""
        self._head_marker: object = None
        """The request whose head is being received."""
        self._head_bytes = self._chunks = 0
        """Bytes of it that came after the first ones, and pieces of the body."""
        self._closing = False
        self._arriving_since = self.loop.time()
        self._quiet_since = self._arriving_since + RECEIPT_SECONDS - self.timeout_keep_alive
        self._arrived = 0
        """Bytes of the body that is being received."""
        self._unsent = 0
        """Bytes that the client had not taken when it was last looked at."""
        self._unsent_since = 0.0

    def connection_made(self, transport: Any) -> None:
        """Begin to serve, and to watch that it goes on."""
        super().connection_made(transport)
        self._watching = self.loop.call_later(WATCH_SECONDS, self._watch)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go."""
        self._watching.cancel()
        if self._ticket:
            self._ticket.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer a request whose head is known; parse everything else."""
        if self._between and self._fast_path and not self._has_work():
            end = data.find(END) + len(END)
            head = self._fast_path.heads.get(data[:end])
            if head and len(data) - end == head.length and self._answer_known(self._fast_path, head, data[end:]):
                return
            self._raw = data
        else:
            self._raw = b""
        began = self._head_marker
        super().data_received(data)
        if began is not None and began is self._head_marker:
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_HEADERS + LONGEST_ADDRESS and not self.transport.is_closing():
                self._refuse(_too_long_headers())

    def on_message_begin(self) -> None:
        """Begin a request; what uvicorn prepares for the application is prepared when it goes there."""
        self._between = False
        self._arriving_since, self._arrived = self.loop.time(), 0
        self._head_marker, self._head_bytes, self._chunks = object(), 0, 0
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Decide which way a request goes. Raises NotTaken."""
        self._head_marker = None
        _require_known_form(self.parser.get_http_version(), self.headers)
        if len(self.url) > LONGEST_ADDRESS:
            raise NotTaken(414, "address-too-long", f"the address is longer than {LONGEST_ADDRESS} bytes")
        if len(self.headers) > MOST_HEADERS or sum(map(len, chain.from_iterable(self.headers))) > LONGEST_HEADERS:
            raise _too_long_headers()
        self._pending = self._short_cut()
        if self._pending is None:
            self._hand_over()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._arrived += len(body)
        if self._pending is None:
            super().on_body(body)
        else:
            self._body += body

    def on_chunk_header(self) -> None:
        """Count the pieces of a body. Raises NotTaken."""
        self._chunks += 1
        if self._chunks > MOST_CHUNKS:
            raise NotTaken(413, "body-too-large", f"the body comes in more than {MOST_CHUNKS} chunks")

    def send_400_response(self, msg: str) -> None:
        """Tell what was raised while a request was parsed, or that it is no HTTP, and close the connection."""
        raised = sys.exc_info()[1]
        cause = raised.__context__ if raised else None
        if isinstance(cause, NotTaken):
            self._refuse(cause)
        elif self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _refuse(self, error: NotTaken) -> None:
        """Tell that something is not taken, if no answer has begun, and close the connection."""
        self.logger.warning("%s", error.detail)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            request_id = new_request_id()
            headers = {**HEADERS, "X-Request-ID": request_id, "Connection": "close"}
            problem = problem_response(error.status, error.slug, error.detail, request_id, headers=headers)
            lines = [*self.server_state.default_headers, *problem.raw_headers]
            head = STATUS_LINE[error.status] + b"".join(b"%s: %s\r\n" % line for line in lines)
            self.transport.write(head + b"\r\n" + bytes(problem.body))
        self.transport.close()

    def on_message_complete(self) -> None:
        """Answer a request that took the short cut."""
        self._between = True
        pending, body = self._pending, bytes(self._body)
        self._pending, self._body = None, bytearray()
        if pending is None:
            super().on_message_complete()
            return
        assert self._fast_path
        keep_alive, path = self.parser.should_keep_alive(), self.root_path + self.url.decode("ascii")
        if not self._answer(self._fast_path, pending, body, path, keep_alive=keep_alive):
            self._hand_over()
            super().on_body(body)
            super().on_message_complete()
        elif keep_alive:
            self._remember(self._fast_path, path, body)

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

    def _has_work(self) -> bool:
        """Tell whether something has to be done before a request that arrives now, or after it."""
        return (self.cycle is not None and not self.cycle.response_complete) or self.flow.write_paused or self._closing

    def _answer_known(self, fast_path: FastPath, head: Head, body: bytes) -> bool:
        """Answer a request whose head is known."""
        target = fast_path.target(head.path)
        if target is None:
            return False
        self._unset_keepalive_if_required()
        pending = Pending(target, Caller(new_request_id(), ""), time.perf_counter())
        return self._answer(fast_path, pending, body, head.path, keep_alive=True)

    def _remember(self, fast_path: FastPath, path: str, body: bytes) -> None:
        """Know the head next time, if it says nothing that changes, and the parser too saw its end where it is."""
        raw = self._raw
        end = raw.find(END) + len(END)
        if end <= LONGEST_HEAD and raw[end:] == body and not any(name in EACH_TIME for name, _ in self.headers):
            if len(fast_path.heads) >= MOST_HEADS:
                fast_path.heads.clear()
            fast_path.heads[raw[:end]] = Head(path, len(body))

    def _short_cut(self) -> Pending | None:
        """Find who answers; None unless everything about the request is plain and nothing waits before it."""
        if self._fast_path is None or self.parser.get_method() != b"POST":
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        if self.flow.write_paused or self.parser.get_http_version() != "1.1" or self.parser.should_upgrade():
            return None
        if b"%" in self.url or b"?" in self.url or not self._fast_path.takes(self.headers):
            return None
        target = self._fast_path.target(self.root_path + self.url.decode("ascii", "replace"))
        caller = self._fast_path.caller(self.headers) if target else None
        return Pending(target, caller, time.perf_counter()) if target and caller else None

    def _answer(self, fast_path: FastPath, pending: Pending, body: bytes, path: str, *, keep_alive: bool) -> bool:
        """Answer, or turn away for lack of time or room; False when the application has to answer."""
        if self._ticket:  # let in a moment ago, by a head that was known
            return False
        target, caller, began = pending
        has_time = fast_path.has_time()
        answered = fast_path.answer(target, body, caller.request_id) if has_time else None
        self._ticket = fast_path.admit(target, body) if has_time and answered is None else None
        if self._ticket:
            return False
        head, answered = (self._head(fast_path, target), answered) if answered else self._turned_away(fast_path, caller)
        self._write(head, answered, caller, keep_alive=keep_alive and not self._closing)
        fast_path.note(path, target, caller, time.perf_counter() - began, answered)
        return True

    def _turned_away(self, fast_path: FastPath, caller: Caller) -> tuple[bytes, Answered]:
        """Say that there is no time; what is said is put together once, for nobody has time for that either."""
        defaults = self.server_state.default_headers
        made_with, head = fast_path.first_lines.get("", (None, b""))
        if made_with is not defaults:
            lines = [*defaults, *turned_away(NOBODY).raw_headers]
            head = BUSY + b"".join(b"%s: %s\r\n" % line for line in lines if line[0] not in OWN)
            fast_path.first_lines[""] = defaults, head
        return head, NOT_DONE._replace(content=caller.request_id.encode().join(NO_TIME))

    def _write(self, head: bytes, answered: Answered, caller: Caller, *, keep_alive: bool) -> None:
        """Send an answer in one piece."""
        content, _, stages = answered
        _, parse, predict, encode = stages
        last = END if keep_alive else b"\r\nconnection: close\r\n\r\n"
        own = OWN_LINES % (
            *(len(content), 1000 * parse, 1000 * predict, 1000 * encode),
            *(caller.request_id.encode(), last, content),
        )
        self.transport.write(head + own)
        if not keep_alive:
            self.transport.close()
        self.server_state.total_requests += 1
        self._quiet_since = self.loop.time()

    def on_response_complete(self) -> None:
        """Note the time since when it is quiet, and go on with what waits."""
        self._quiet_since = self.loop.time()
        super().on_response_complete()

    def _hand_over(self) -> None:
        """Let uvicorn begin with the request."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = expects
        if self._ticket:
            self.scope[TICKET], self._ticket = self._ticket, None  # type: ignore[literal-required] # a key of our own
        super().on_headers_complete()
        if self._closing and self.cycle:
            self.cycle.keep_alive = False

    def _head(self, fast_path: FastPath, target: Target) -> bytes:
        """Write status and the headers that stay the same for a second."""
        defaults = self.server_state.default_headers
        made_with, head = fast_path.first_lines.get(target.label, (None, b""))
        if made_with is not defaults:
            head = STATUS + b"".join(b"%s: %s\r\n" % header for header in defaults + target.headers)
            fast_path.first_lines[target.label] = defaults, head
        return head

    def _watch(self) -> None:
        """Part with a client that keeps the connection for nothing; look again soon."""
        now = self.loop.time()
        if self.transport.is_closing():
            return
        if self._sends_too_slowly(now):
            self._part(TOO_SLOW)
        elif self._is_quiet(now) or self._reads_nothing(now):
            self._part(b"")
        else:
            self._watching = self.loop.call_later(WATCH_SECONDS, self._watch)

    def _sends_too_slowly(self, now: float) -> bool:
        allowed = RECEIPT_SECONDS + self._arrived / SLOWEST
        return not (self._between or self.flow.read_paused) and now - self._arriving_since > allowed

    def _is_quiet(self, now: float) -> bool:
        return self._between and not self._has_work() and now - self._quiet_since > self.timeout_keep_alive

    def _reads_nothing(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent < self._unsent:
            self._unsent_since = now
        self._unsent = unsent
        return unsent > 0 and now - self._unsent_since > SEND_SECONDS

    def _part(self, last_words: bytes) -> None:
        """Close the connection, without waiting for what the client does not take."""
        if self.cycle is not None and not self.cycle.response_complete:
            last_words = b"" if self.cycle.response_started else last_words
            self.cycle.disconnected = True  # the application learns that its caller has left
            self.cycle.message_event.set()
        if last_words:
            self.transport.write(last_words)
            self.transport.close()
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


def _too_long_headers() -> NotTaken:
    detail = f"the headers are more than {MOST_HEADERS}, or longer than {LONGEST_HEADERS} bytes"
    return NotTaken(431, "headers-too-long", detail)


def _require_known_form(version: str, headers: list[tuple[bytes, bytes]]) -> None:
    """Refuse what would be read otherwise than it was meant: another HTTP, and a body in another coding.

    Raises NotTaken (RFC 9110 §15.6.6, RFC 9112 §6.1).
    """
    if version not in VERSIONS:
        raise NotTaken(505, "http-version", f"HTTP/{version} is not spoken here; HTTP/1.1 is")
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and [coding.strip().lower() for coding in codings] != [b"chunked"]:
        raise NotTaken(501, "transfer-encoding", "a body is taken as it is or in chunks, in no other transfer coding")


def _fast_path_of(app: Any) -> FastPath | None:
    """Find the fast path of an application, under what uvicorn wraps around it."""
    while app is not None:
        found = getattr(app, "fast_path", None)
        if isinstance(found, FastPath):
            return found
        app = getattr(app, "app", None)
    return None
