"""The service as `servery serve` starts it, and a caller who writes to its socket and reads what comes back."""

import http.client
import re
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from typing import BinaryIO, NamedTuple

from tests.e2e.services import Command

PATIENCE = 10.0
"""Seconds that an answer may take on a busy machine."""
ROWS = re.compile(r"^servery_rows_total\{.*\} (\S+)$", re.MULTILINE)


class Reply(NamedTuple):
    """One answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Replies(NamedTuple):
    """All answers on one connection."""

    answers: list[Reply]
    closed: bool
    """Whether the service has closed the connection, as far as that was waited for."""


class Server:
    """A running service."""

    def __init__(self, port: int, command: Command) -> None:
        self.command = command
        self._port = port

    def ask(self, sent: bytes, count: int = 1, *, to_the_end: bool = False, leaves: bool = False) -> Replies:
        """Send something on a new connection and read answers, `count` of them or all until it is closed."""
        with self._connected() as connection:
            sender = threading.Thread(target=send_all, args=(connection, sent, leaves))
            sender.start()  # by itself: an answer may come before all is sent
            try:
                return read_replies(connection, 0 if to_the_end else count)
            finally:
                connection.close()
                sender.join(PATIENCE)

    def trickle(self, pieces: Sequence[bytes], pause: float, patience: float) -> tuple[Replies, float]:
        """Send pieces with pauses, and nothing more after the last; tell for how long the connection was open."""
        began = time.monotonic()
        with self._connected() as connection:
            connection.settimeout(patience)
            stop = threading.Event()
            sender = threading.Thread(target=send_slowly, args=(connection, pieces, pause, stop))
            sender.start()
            replies = read_replies(connection, 0)
            stop.set()
            sender.join(PATIENCE)
        return replies, time.monotonic() - began

    def get(self, path: str) -> tuple[int, str]:
        """Ask for a page."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)) as visitor:
            visitor.request("GET", path)
            response = visitor.getresponse()
            return response.status, response.read().decode()

    def rows(self) -> float:
        """Count the instances that were predicted so far."""
        return sum(map(float, ROWS.findall(self.get("/metrics")[1])))

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), PATIENCE)


def send_all(connection: socket.socket, sent: bytes, leaves: bool) -> None:
    try:
        connection.sendall(sent)
        if leaves:
            connection.shutdown(socket.SHUT_WR)
    except OSError:  # refused before it was read
        pass


def send_slowly(connection: socket.socket, pieces: Sequence[bytes], pause: float, stop: threading.Event) -> None:
    for piece in pieces:
        if stop.wait(pause):
            return
        send_all(connection, piece, False)


def read_replies(connection: socket.socket, count: int) -> Replies:
    """Read that many answers, or all until the connection is closed when it is 0."""
    found: list[Reply] = []
    with connection.makefile("rb") as stream:
        try:
            while not count or len(found) < count:
                found.append(read_reply(stream))
        except (EOFError, ConnectionError):
            return Replies(found, closed=True)
    return Replies(found, closed=False)


def read_reply(stream: BinaryIO) -> Reply:
    line = stream.readline()
    if not line:
        raise EOFError
    headers = http.client.parse_headers(stream)
    return Reply(int(line.split()[1]), headers, stream.read(int(headers.get("Content-Length", 0))))
