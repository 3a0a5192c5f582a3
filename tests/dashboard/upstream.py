"""A model service that does as a test tells it: it passes on to the real one, answers by hand, or misbehaves."""

import contextlib
import gzip
import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

LEAK = "Traceback (most recent call last): /srv/model_api/secret.py"
"""A text of the model service that must never reach a page."""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


class Connection:
    """One client's connection, with the ways to misbehave on it."""

    def __init__(self, plain: socket.socket, over: threading.Event) -> None:
        self._plain = plain
        self._over = over
        self._reader = plain.makefile("rb")

    def read(self) -> Asked | None:
        head = self._reader.readline().decode("latin-1").split()
        if len(head) != 3:
            return None
        headers = {name.lower(): value for name, value in http.client.parse_headers(self._reader).items()}
        body = self._reader.read(int(headers.get("content-length", "0")))
        return Asked(head[0], head[1], headers, body)

    def send(self, data: bytes) -> None:
        self._plain.sendall(data)

    def drip(self, data: bytes) -> None:
        """Send the same few bytes again and again, for ever."""
        while not self._over.wait(0.02):
            self._plain.sendall(data)

    def flood(self, data: bytes) -> None:
        """Send the same bytes again and again, as fast as they are taken."""
        while not self._over.is_set():
            self._plain.sendall(data)

    def hold(self) -> None:
        """Say nothing until the test ends."""
        self._over.wait(30)

    def reset(self) -> None:
        """Break the connection off, so that the peer gets an error and no end."""
        self._plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._reader.close()
        self._plain.close()


Behaviour = Callable[[Asked, Connection], None]


class Upstream:
    """Listens on a free port of this machine and treats every request by its `behaviour`."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self.connections = 0
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def refuse(self) -> None:
        """Stop listening and break off what is open, as a service that was killed."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self._over.set()
        for plain in self._open:
            with contextlib.suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)

    def come_back(self) -> None:
        """Listen on the same port again."""
        self._over = threading.Event()
        self._open = []
        self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                self.connections += 1
                self._open.append(plain)
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        connection = Connection(plain, self._over)
        # A peer that gives up, or a behaviour that closed the connection, ends it.
        with contextlib.suppress(OSError, ValueError), contextlib.closing(connection):
            while asked := connection.read():
                self.asked.append(asked)
                self.behaviour(asked, connection)


def message(body: bytes, status: str = "200 OK", media_type: str = "application/json", *headers: str) -> bytes:
    """Give the bytes of one well-formed answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(data: bytes) -> Behaviour:
    """Answer everything with these bytes."""
    return lambda _, connection: connection.send(data)


def saying_json(value: Any, status: str = "200 OK") -> Behaviour:
    """Answer everything with this value."""
    return saying(message(json.dumps(value).encode(), status))


def by_hand(answers: Mapping[str, object]) -> Behaviour:
    """Answer each path, or each method and path, with its value as JSON."""

    def answer(asked: Asked, connection: Connection) -> None:
        path = unquote(asked.path)
        found = next((key for key in (f"{asked.method} {path}", path) if key in answers), None)
        if found:
            connection.send(message(json.dumps(answers[found]).encode()))
        else:
            connection.send(message(b'{"detail": "there is nothing here"}', "404 Not Found"))

    return answer


def pass_on(url: str) -> Behaviour:
    """Answer as the real service does."""
    host = urlsplit(url).netloc

    def answer(asked: Asked, connection: Connection) -> None:
        with contextlib.closing(http.client.HTTPConnection(host, timeout=20)) as real:
            real.request(asked.method, asked.target, asked.body, dict(asked.headers) | {"host": host})
            response = real.getresponse()
            status = f"{response.status} {response.reason}"
            connection.send(message(response.read(), status, response.headers["content-type"]))

    return answer


def only(method: str, fault: Behaviour, otherwise: Behaviour) -> Behaviour:
    """Misbehave for one method alone."""
    return lambda asked, connection: (fault if asked.method == method else otherwise)(asked, connection)


def redirecting(to: str) -> Behaviour:
    """Send the client elsewhere."""
    return saying(message(b"{}", "302 Found", "application/json", f"Location: {to}"))


def _starting(data: bytes, then: Callable[[Connection], None]) -> Behaviour:
    def begin(_: Asked, connection: Connection) -> None:
        connection.send(data)
        then(connection)

    return begin


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LONG = HEAD + b"Content-Length: 100000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

SLOW: dict[str, Behaviour] = {
    "accepts and says nothing": _starting(b"", Connection.hold),
    "trickles its first line": _starting(b"", lambda c: c.drip(b"H")),
    "trickles headers": _starting(HEAD, lambda c: c.drip(b"X-More: yes\r\n")),
    "trickles its body": _starting(LONG, lambda c: c.drip(b" ")),
    "trickles chunks": _starting(CHUNKED, lambda c: c.drip(b"1\r\n \r\n")),
    "stops in the middle of its body": _starting(LONG + b'{"models": [', Connection.hold),
    "says for ever that one should go on": _starting(b"", lambda c: c.flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 99)),
}
"""Faults that would last for ever: 504."""

BROKEN: dict[str, Behaviour] = {
    "closes at once": _starting(b"", Connection.close),
    "resets at once": _starting(b"", Connection.reset),
    "resets in the middle of its headers": _starting(HEAD, Connection.reset),
    "resets in the middle of its body": _starting(LONG + b'{"models": [', Connection.reset),
    "closes in the middle of its body": _starting(LONG + b'{"models": [', Connection.close),
    "closes in the middle of a chunk": _starting(CHUNKED + b'ff\r\n{"models": [', Connection.close),
    "sends a chunk of nonsense length": _starting(CHUNKED + b"zz\r\n{}", Connection.close),
    "does not speak HTTP": _starting(b"\x00\xff\x13\x37 not HTTP at all\r\n\r\n", Connection.close),
    "sends headers without end": _starting(HEAD, lambda c: c.flood(b"X-More: " + b"y" * 1000 + b"\r\n")),
    "sends one header without end": _starting(HEAD + b"X-More: ", lambda c: c.flood(b"y" * 1000)),
    "is overloaded": saying(message(LEAK.encode(), "503 Service Unavailable", "text/plain", "Retry-After: 3600")),
    "has had enough": saying(message(LEAK.encode(), "429 Too Many Requests", "text/plain", "Retry-After: 3600")),
}
"""Faults of the connection, and a service that says that it cannot: 503."""

DEEP = b"[" * 200_000
MAD: dict[str, Behaviour] = {
    "answers with a page": saying(message(f"<html><body>{LEAK}</body></html>".encode(), media_type="text/html")),
    "answers with nothing": saying(message(b"")),
    "answers without content": saying(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "answers null": saying_json(None),
    "answers with another shape": saying_json({"detail": LEAK}),
    "answers with a list": saying_json([LEAK]),
    "answers with NaN": saying(message(b'{"models": NaN, "prediction": NaN, "default": NaN}')),
    "answers with nested brackets": saying(message(DEEP)),
    "answers with an endless number": saying(message(b"[" + b"9" * 5000 + b"]")),
    "answers in another encoding": saying(message("{}".encode("utf-32"))),
    "answers with broken UTF-8": saying(message(b'{"models": "\xff\xfe"}')),
    "answers with half a character": saying(message(rb'{"models": [], "default": "\ud800"}')),
    "answers with gzip that was not asked for": saying(
        message(gzip.compress(b" " * 50_000_000), "200 OK", "application/json", "Content-Encoding: gzip")
    ),
    "answers without end": _starting(CHUNKED, lambda c: c.flood(b"ffff\r\n" + b" " * 0xFFFF + b"\r\n")),
    "announces more than anybody wants": _starting(
        HEAD + b"Content-Length: 99999999999\r\n\r\n", lambda c: c.flood(b" " * 65536)
    ),
    "fails with a traceback": saying(message(LEAK.encode(), "500 Internal Server Error", "text/plain")),
    "refuses the method": saying(message(LEAK.encode(), "405 Method Not Allowed", "text/plain")),
    "refuses the input without a reason": saying(message(LEAK.encode(), "422 Unprocessable Content", "text/plain")),
}
"""Answers that make no sense: 502."""

FAULTS: dict[str, tuple[Behaviour, int]] = {
    name: (fault, status)
    for status, faults in ((504, SLOW), (503, BROKEN), (502, MAD))
    for name, fault in faults.items()
}
"""Each way to misbehave, with the status that a page then has."""
