"""Asks at times that are fixed beforehand, whatever becomes of the answers.

A caller that waits for its answers asks less of a service that is slow, and so hides that it is. Here each request has
a time at which it is due, and its answer is timed from then on. Whoever is not answered in time gives up and hangs up,
as people and proxies do.
"""

import asyncio
import contextlib
import itertools
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
import uvloop

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)\r\n", re.IGNORECASE)
PATIENCE = 2.0
"""Seconds after which a caller gives up."""
SETTLE_SECONDS = 1.0
"""Between connecting and asking: a busy loop accepts one connection a turn, and none of them is to wait for that."""
LOOK_SECONDS = 0.02
"""How often it is looked who has to give up."""


class Reply(NamedTuple):
    """What became of a request."""

    due: float
    """When it was to be sent, in seconds on the clock of `time.monotonic`."""
    late: float
    """Seconds after that at which the caller noticed; many when the caller itself is the limit."""
    seconds: float
    """Seconds until the answer was there, since it was due."""
    outcome: str
    """The status, or why there was none."""
    retry_after: bool
    """Whether the answer says in whole seconds when to ask again."""


@dataclass
class Replies:
    """What became of requests."""

    all: list[Reply] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.all)

    def outcomes(self) -> Counter[str]:
        """Count them by outcome."""
        return Counter(reply.outcome for reply in self.all)

    def of(self, *outcomes: str) -> "Replies":
        """Give those that ended so."""
        return Replies([reply for reply in self.all if reply.outcome in outcomes])

    def not_of(self, *outcomes: str) -> "Replies":
        """Give those that ended otherwise."""
        return Replies([reply for reply in self.all if reply.outcome not in outcomes])

    def due_from(self, moment: float) -> "Replies":
        """Give those that were due at a time or later."""
        return Replies([reply for reply in self.all if reply.due >= moment])

    def rate(self, began: float, seconds: float) -> float:
        """Give how many a second were answered well, of those whose answer was there in this time."""
        done = (reply.due + reply.seconds for reply in self.of("200").all)
        return sum(began <= moment <= began + seconds for moment in done) / seconds

    def percentile(self, percent: float) -> float:
        """Give the seconds in which so many percent of them were answered; zero when there are none."""
        return float(np.percentile([reply.seconds for reply in self.all], percent)) if self.all else 0.0

    def lateness(self) -> float:
        """Give by how many seconds at most the caller was late for 99 % of them."""
        return float(np.percentile([reply.late for reply in self.all], 99)) if self.all else 0.0


class Caller:
    """Asks for one thing, over some connections that are used again and again, or each time over a fresh one."""

    def __init__(
        self, port: int, requests: Sequence[bytes], *, connections: int = 0, patience: float = PATIENCE
    ) -> None:
        """`connections` that are used; with none each request comes with its own."""
        self._port = port
        self._requests = itertools.cycle(requests)
        self._connections = connections
        self._patience = patience
        self._idle: deque[Connection] = deque()
        """The one that has been idle longest first: one that is never used would be closed."""
        self._asking: dict[Connection, None] = {}
        """Connections that wait for an answer, in the order in which they asked."""
        self._waiting: deque[tuple[float, float]] = deque()
        """When requests were due, and how late that was noticed, that wait for a connection."""
        self._under_way: set[asyncio.Task[None]] = set()
        self._all_asked = False
        self.replies = Replies()

    async def open_loop(self, rate: float, seconds: float) -> float:
        """Ask so many times a second; gives when it began, once every request is answered or given up."""
        async with self._connected():
            began = time.monotonic()
            for number in range(round(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                self._ask(due, time.monotonic() - due)
        return began

    async def closed_loop(self, seconds: float) -> float:
        """Ask on each connection again as soon as there is an answer; gives when it began."""
        async with self._connected():
            began = time.monotonic()
            for connection in self._idle:
                connection.ask_until(began + seconds)
            self._idle.clear()
            await asyncio.sleep(seconds)
        return began

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        for _ in range(self._connections):
            self._idle.append(await self._connect())
        await asyncio.sleep(SETTLE_SECONDS)
        self._all_asked = False
        looking = asyncio.create_task(self._give_up())
        yield
        self._all_asked = True
        await looking
        idle, self._idle = self._idle, deque()
        for connection in idle:
            connection.hang_up()

    def next_request(self, connection: "Connection") -> bytes:
        """Give what a connection is to send, and expect its answer."""
        self._asking[connection] = None
        return next(self._requests)

    def ended(self, connection: "Connection", reply: Reply, *, usable: bool, again: bool) -> None:
        """Note what became of a request, and use the connection for another one."""
        self._asking.pop(connection, None)
        self.replies.all.append(reply)
        if usable and again:
            connection.ask(time.monotonic())
        elif usable and self._connections:
            self._use(connection)
        else:
            connection.hang_up()
            if self._connections:
                self._start(self._replace())

    def lost(self, connection: "Connection") -> None:
        """Replace a connection that was closed while nothing was asked."""
        if connection in self._idle:
            self._idle.remove(connection)
            self._start(self._replace())

    def _ask(self, due: float, late: float) -> None:
        if not self._connections:
            self._start(self._ask_anew(due, late))
            return
        self._waiting.append((due, late))
        if self._idle:
            self._use(self._idle.popleft())

    def _use(self, connection: "Connection") -> None:
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    async def _ask_anew(self, due: float, late: float) -> None:
        try:
            async with asyncio.timeout(self._patience):
                connection = await self._connect()
        except (OSError, TimeoutError):
            self.replies.all.append(Reply(due, late, time.monotonic() - due, "no connection", retry_after=False))
        else:
            connection.ask(due, late)

    async def _replace(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._patience):
                self._use(await self._connect())
            return
        self._connections -= 1

    async def _connect(self) -> "Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
        return connection

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _give_up(self) -> None:
        while not self._all_asked or self._asking or self._waiting or self._under_way:
            await asyncio.sleep(LOOK_SECONDS)
            oldest = time.monotonic() - self._patience
            for connection in [asking for asking in self._asking if asking.due < oldest]:
                connection.give_up("timed out")
            while self._waiting and self._waiting[0][0] < oldest:
                due, late = self._waiting.popleft()
                self.replies.all.append(Reply(due, late, time.monotonic() - due, "timed out", retry_after=False))


class Connection(asyncio.Protocol):
    """One connection, on which one thing is asked at a time."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._data = b""
        self._asking = False
        self._until = 0.0
        self.due = self._late = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take what bytes are written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by its class

    def ask(self, due: float, late: float = 0.0) -> None:
        """Send a request that was due at a time."""
        self._asking, self.due, self._late = True, due, late
        self._transport.write(self._caller.next_request(self))

    def ask_until(self, end: float) -> None:
        """Ask again and again until some time."""
        self._until = end
        self.ask(time.monotonic())

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        self._data += data
        head = self._data.find(b"\r\n\r\n")
        if head < 0:
            return
        length = LENGTH.search(self._data, 0, head + 2)
        if length and len(self._data) >= head + 4 + int(length[1]):
            self._answered(self._data[: head + 2])

    def give_up(self, why: str) -> None:
        """Wait no longer for an answer."""
        self._end(why, retry_after=False, usable=False)

    def hang_up(self) -> None:
        """Close the connection."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- its outcome is the same
        """Note that the connection is closed, by whomever."""
        if self._asking:
            self._end("connection lost", retry_after=False, usable=False)
        self._caller.lost(self)

    def _answered(self, head: bytes) -> None:
        self._data = b""
        usable = b"\r\nconnection: close\r\n" not in head.lower()
        self._end(head[9:12].decode(), retry_after=bool(RETRY_AFTER.search(head)), usable=usable)

    def _end(self, outcome: str, *, retry_after: bool, usable: bool) -> None:
        self._asking = False
        now = time.monotonic()
        reply = Reply(self.due, self._late, now - self.due, outcome, retry_after)
        self._caller.ended(self, reply, usable=usable, again=now < self._until)


def post(path: str, body: bytes, content_type: str = "application/json") -> bytes:
    """Write a POST request."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def get(path: str) -> bytes:
    """Write a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def new_runner() -> asyncio.Runner:
    """Give what runs callers; faster than asyncio's own loop, so that the service is the limit."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
