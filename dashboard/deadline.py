"""One deadline for all that one page asks, whatever the other side does.

The timeouts of requests count each read anew: a peer that sends a byte a second holds a thread for ever. Here each
connection, each write and each read of the socket gets what is left of the total.
"""

import math
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.poolmanager import PoolManager

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ends: ContextVar[float] = ContextVar("deadline")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give all that is asked inside this block `seconds` in all, an outer block's rest at most; then TimeoutError."""
    token = _ends.set(min(time.monotonic() + seconds, _ends.get(math.inf)))
    try:
        yield
    finally:
        _ends.reset(token)


def remaining() -> float:
    """Give the seconds that are left. Raises TimeoutError when there are none."""
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline passed")
    return left


def has_left(seconds: float) -> bool:
    """Tell whether so many seconds are left."""
    return _ends.get() - time.monotonic() > seconds


def within_deadline(application: "WSGIApplication", seconds: float) -> "WSGIApplication":
    """Give each request to an application one deadline for all that it asks."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with deadline(seconds):
            return application(environ, start_response)

    return answer


class _Socket(socket.socket):
    """A socket whose every read and write ends with the deadline."""

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(remaining())
        super().sendall(*arguments)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(remaining())
        return super().recv_into(*arguments, **options)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        self.timeout = min(self.timeout or math.inf, remaining())
        plain = super()._new_conn()
        return _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())


class DeadlineAdapter(HTTPAdapter):
    """Opens connections that keep the deadline (over TLS, the timeout of each read is all there is)."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Make the pool, as the parent does, of our own connections."""
        super().init_poolmanager(connections, maxsize, block, **options)
        manager: PoolManager = self.poolmanager
        plain = manager.pool_classes_by_scheme["http"]
        pool = type("DeadlinePool", (plain,), {"ConnectionCls": _Connection})
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "http": pool}
