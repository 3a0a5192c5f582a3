"""One deadline for a whole HTTP exchange, whatever the other side does.

The timeouts of requests count each read anew: a peer that sends a byte a second holds a thread for ever. Here each
read of the socket gets what is left of the total.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.poolmanager import PoolManager

_ends: ContextVar[float] = ContextVar("deadline")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give all that is read inside this block `seconds` in all, then raise TimeoutError from the read."""
    token = _ends.set(time.monotonic() + seconds)
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


class _Socket(socket.socket):
    """A socket whose every read ends with the deadline."""

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(remaining())
        return super().recv_into(*arguments, **options)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
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
