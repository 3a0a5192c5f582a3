"""POST …/predict straight on ASGI, for requests with nothing unusual about them; all others go to the application.

The application's routes are the contract. This road answers only what they would answer with 200, by the same
functions, and hands over everything else with the body unread: odd headers, odd bodies, errors, challengers, many rows.
FastAPI's own way of a request costs ten times what this one does.
"""

import math
import re
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_api import inference, wire
from model_api.access_log import AccessLog
from model_api.admission import TICKET, Admission, Ticket
from model_api.artifact import CHAMPION
from model_api.decoding import Decoder, Decoders, rows_at_most
from model_api.errors import ServeryError
from model_api.inference import Answer, Options
from model_api.loading import LoadedModel
from model_api.metrics import Access
from model_api.middleware import HEADERS, TRACEPARENT, knows_host, new_request_id
from model_api.plain_rows import seconds_of
from model_api.registry import Registry
from model_api.routes.errors import RETRY_AFTER, problem_response
from model_api.runtimes.selection import MANY
from model_api.short_answers import ShortAnswers
from model_api.stages import Stages

PATH = re.compile(r"(?:/models/([^/]+)(?:/versions/([^/]+))?)?/predict")
JSON, ANY = b"application/json", b"*/*"
JSON_TYPES = frozenset({JSON, b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
ODD = frozenset({b"content-encoding", b"transfer-encoding", b"expect"})
"""Headers that the application has to deal with."""
PLAIN_ID = re.compile(rb"[0-9A-Za-z._-]{1,128}", re.ASCII)
"""Request ids that need no escaping anywhere."""
LONG_ENOUGH = re.compile(rb"[1-9][0-9]{0,5}(\.[0-9]{1,9})?|0\.[1-9][0-9]{0,8}", re.ASCII)
"""Deadlines, in seconds, of a tenth of one and more: what is answered here meets them. Others are the application's."""
MOST_BYTES = 2**16
"""Of a body that is parsed here; longer ones are parsed in a thread, by the application."""
BEGIN_BYTES = 2048
"""Of a body, by which it is estimated how many rows it has."""
LONGEST_SECONDS = 0.002
"""Work that is expected to take longer is done in a thread, by the application."""
MOST_PATHS = 1000
"""Paths, and host names, that are remembered."""
PLAIN = Options()


class Clerk(NamedTuple):
    """What is made once for a version, so that its requests are answered quickly."""

    model: LoadedModel
    decoder: Decoder
    """Reads bodies for it."""
    short: ShortAnswers
    """Writes its answers to one instance."""
    seconds: float
    """How long one instance takes; infinite where it is not predicted here."""


class Target(NamedTuple):
    """Who answers at a path."""

    clerk: Clerk
    label: str
    """Name and version, as name/version."""
    headers: list[tuple[bytes, bytes]]
    """Headers of all its answers."""


class Caller(NamedTuple):
    """What a request's headers say."""

    request_id: str
    trace: str
    """The trace that the caller is part of; may be empty."""


class Head(NamedTuple):
    """What a head says that is known by its bytes: a plain request on a connection that is kept."""

    path: str
    length: int
    """Bytes of its body."""


class Answered(NamedTuple):
    """An answer."""

    content: bytes
    rows: int
    """How many instances it is about."""
    stages: Stages


NOT_DONE = Answered(b"", 0, Stages())
"""What is noted of a request that was turned away."""


class FastPath:
    """Finds who answers, reads the headers, and answers; http_protocol.py and the class below bring it requests."""

    def __init__(
        self, registry: Registry, decoders: Decoders, access: AccessLog, admission: Admission, *,
        allowed_hosts: Iterable[str], max_bytes: int, not_ours: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self._registry = registry
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._known_hosts: dict[bytes, bool] = {}
        self._decoders = decoders
        self._max_bytes = max_bytes
        self._not_ours = frozenset(not_ours)
        """Paths that are another protocol's, though they look like ours."""
        self._access = access
        self.admission = admission
        self.has_time = admission.has_time
        self.heads: dict[bytes, Head] = {}
        """Heads that the application's checks have passed; kept by http_protocol.py."""
        self.first_lines: dict[str, tuple[object, bytes]] = {}
        """For each version how its answers begin in this second, and from what headers that was made; likewise."""
        self._snapshot: object = None
        self._targets: dict[str, Target | None] = {}
        self._clerks: dict[str, Clerk] = {}

    def target(self, path: str) -> Target | None:
        """Find who answers at a path; None when the application has to say."""
        if self._registry.snapshot is not self._snapshot:  # the folder was looked at again
            used = {target.label for target in self._targets.values() if target}
            self._snapshot, self._targets = self._registry.snapshot, {}
            self._clerks = {label: clerk for label, clerk in self._clerks.items() if label in used}
        try:
            return self._targets[path]
        except KeyError:
            target = self._found(path)
            if len(self._targets) < MOST_PATHS:
                self._targets[path] = target
            return target

    def takes(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Tell whether a body has a stated length, and not too long a one."""
        lengths = [value for name, value in headers if name == b"content-length"]
        return (
            len(lengths) == 1 and len(lengths[0]) < 20 and lengths[0].isdigit() and int(lengths[0]) <= self._max_bytes
        )

    def caller(self, headers: list[tuple[bytes, bytes]]) -> Caller | None:
        """Read the headers; None when the application has to deal with them."""
        found = dict(headers)
        if len(found) < len(headers) or not ODD.isdisjoint(found) or found.get(b"content-type", JSON) not in JSON_TYPES:
            return None
        if found.get(b"accept", ANY) not in (ANY, JSON):  # a table is wanted
            return None
        if b"x-request-timeout" in found and not LONG_ENOUGH.fullmatch(found[b"x-request-timeout"]):
            return None
        if not self._knows_host(found.get(b"host", b"")):
            return None
        trace = found[b"traceparent"].decode("latin-1") if b"traceparent" in found else ""
        trace = trace if trace and TRACEPARENT.fullmatch(trace) else ""
        given = found.get(b"x-request-id")
        if given is None:
            return Caller(new_request_id(), trace)
        return Caller(given.decode(), trace) if PLAIN_ID.fullmatch(given) else None

    def admit(self, target: Target, body: bytes) -> Ticket | None:
        """Let a request into the application; None when it has no room, or the line for a thread is too long."""
        return self.admission.admit(self._seconds_in_thread(target.clerk.model, body))

    def _seconds_in_thread(self, model: LoadedModel, body: bytes) -> float:
        """Estimate how long a thread will work for a request; none where requests are predicted together.

        Of a long body only the beginning is looked at: who is turned away should cost as little as possible.
        """
        begin = body[:BEGIN_BYTES]
        rows = max(1, min(self._decoders.max_rows, rows_at_most(begin) * len(body) // max(1, len(begin))))
        return 0.0 if model.predictor.goes_together and rows < MANY else seconds_of(model, rows)

    def answer(self, target: Target, body: bytes, request_id: str) -> Answered | None:
        """Answer a body; None when the application has to."""
        try:
            clerk = target.clerk
            if clerk.seconds > LONGEST_SECONDS or len(body) > MOST_BYTES or _seems_long(clerk, body):
                return None
            return self._answer_one(clerk, body, request_id) or self._answer_some(clerk, body, request_id)
        except Exception:  # noqa: BLE001 -- whatever it is, the application meets it too, and says so
            return None

    def _answer_one(self, clerk: Clerk, body: bytes, request_id: str) -> Answered | None:
        """Answer for one instance about which there is nothing to say."""
        began = time.perf_counter()
        row = clerk.decoder.decode_one(body)
        if row is None:
            return None
        parsed = time.perf_counter()
        self.admission.spend(clerk.seconds)
        output = clerk.model.predictor.predict_one(row)
        predicted = time.perf_counter()
        content = clerk.short.write(output, request_id)
        if content is None:
            return None
        stages = Stages(0.0, parsed - began, predicted - parsed, time.perf_counter() - predicted)
        return Answered(content, 1, stages)

    def _answer_some(self, clerk: Clerk, body: bytes, request_id: str) -> Answered | None:
        began = time.perf_counter()
        asked = clerk.decoder.decode(body)
        seconds = 0.0 if asked is None else clerk.model.predictor.seconds(len(asked.rows))
        if asked is None or seconds > LONGEST_SECONDS:
            return None
        parsed = time.perf_counter()
        self.admission.spend(seconds)
        predictions = inference.predict_rows(clerk.model, asked.rows, asked.warnings, PLAIN)
        predicted = time.perf_counter()
        answer = wire.answer(Answer(clerk.model, predictions), asked.key, request_id, single=asked.single)
        content = wire.encode(answer)
        stages = Stages(0.0, parsed - began, predicted - parsed, time.perf_counter() - predicted)
        return Answered(content, len(predictions), stages)

    def note(self, path: str, target: Target, caller: Caller, seconds: float, answered: Answered) -> None:
        """Log and count a request that was answered."""
        _, rows, stages = answered
        access = Access(time.time(), path, seconds, target.label, rows, caller.trace, caller.request_id, stages)
        self._access.note(access)

    def _found(self, path: str) -> Target | None:
        named = PATH.fullmatch(path)
        if not named or path in self._not_ours:
            return None
        name, version = named.groups()
        try:
            entry = self._registry.entry(name or self._registry.default)
            if version is None and entry.is_divided:
                return None
            model = entry.resolve(version or CHAMPION)
        except ServeryError:
            return None
        label = f"{model.name}/{model.version}"
        headers = {**HEADERS, "Servery-Model": label, "Content-Type": JSON.decode()}
        raw = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        return Target(self._clerk(label, model), label, raw)

    def _clerk(self, label: str, model: LoadedModel) -> Clerk:
        """Make what reads and writes for a version, once."""
        clerk = self._clerks.get(label)
        if clerk is None or clerk.model is not model:
            predictor = model.predictor
            seconds = math.inf if predictor.goes_together else predictor.seconds(1)
            clerk = Clerk(model, self._decoders.of(model), ShortAnswers(model, PLAIN), seconds)
            self._clerks[label] = clerk
        return clerk

    def _knows_host(self, host: bytes) -> bool:
        try:
            return self._known_hosts[host]
        except KeyError:
            known = knows_host(host.decode("latin-1"), self._hosts)
            if len(self._known_hosts) < MOST_PATHS:
                self._known_hosts[host] = known
            return known


class FastPathMiddleware:
    """Stands in front of the application, whatever server runs it."""

    def __init__(self, app: ASGIApp, fast_path: FastPath) -> None:
        self._app = app
        self._fast_path = fast_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it over."""
        if TICKET in scope:
            with scope[TICKET]:
                await self._app(scope, receive, send)
            return
        plain = scope["type"] == "http" and scope["method"] == "POST" and not scope["query_string"]
        target = self._fast_path.target(scope["path"]) if plain else None
        takes = target and self._fast_path.takes(scope["headers"])
        caller = self._fast_path.caller(scope["headers"]) if takes else None
        if target is None or caller is None:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        messages = [await receive()]
        while messages[-1].get("more_body"):  # of the stated length, which the server does not let it exceed
            messages.append(await receive())
        body = _whole(messages)
        if body is None:
            await self._app(scope, _again(messages, receive), send)
            return
        has_time = self._fast_path.has_time()
        answered = self._fast_path.answer(target, body, caller.request_id) if has_time else None
        ticket = self._fast_path.admit(target, body) if has_time and answered is None else None
        if ticket:
            scope[TICKET] = ticket
            with ticket:
                await self._app(scope, _again(messages, receive), send)
            return
        if answered is None:
            await turned_away(caller)(scope, receive, send)
            self._fast_path.note(scope["path"], target, caller, time.perf_counter() - began, NOT_DONE)
            return
        content, _, stages = answered
        own = [
            (b"content-length", b"%d" % len(content)),
            (b"server-timing", stages.server_timing().encode()),
            (b"x-request-id", caller.request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": target.headers + own})
        await send({"type": "http.response.body", "body": content})
        self._fast_path.note(scope["path"], target, caller, time.perf_counter() - began, answered)


def _seems_long(clerk: Clerk, body: bytes) -> bool:
    """Tell by its braces whether a body holds so many rows that it is not worth to be read here."""
    rows = rows_at_most(body)
    return rows > 1 and seconds_of(clerk.model, rows) > LONGEST_SECONDS


def turned_away(caller: Caller) -> JSONResponse:
    """Give the answer to a request for which there is no time."""
    detail = "more is asked for than can be answered soon; try again"
    headers = {**HEADERS, "X-Request-ID": caller.request_id, "Server-Timing": Stages().server_timing(), **RETRY_AFTER}
    return problem_response(503, "overloaded", detail, caller.request_id, headers=headers)


def _whole(messages: list[Message]) -> bytes | None:
    """Put a body together; None when the caller has left."""
    if messages[-1]["type"] != "http.request":
        return None
    return b"".join(message.get("body", b"") for message in messages)


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Give the messages that were read already, and then those that come."""
    waiting = deque(messages)

    async def again() -> Message:
        return waiting.popleft() if waiting else await receive()

    return again
