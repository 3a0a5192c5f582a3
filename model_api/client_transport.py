"""How the client's requests travel: by requests, with one deadline for all that a call does.

The timeouts of requests count each read anew: a peer that sends a byte a second would hold a thread for ever. Here the
handshake of TLS, each write and each read get what is left of the total. Two things do not keep it: the system resolves
names with a patience of its own, and each address of a host is tried for as long as was left before the first.
"""

import math
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

MOST_KEPT = 256
"""Connections that are kept while nobody uses them; only so many threads at once, and urllib3 complains in the log."""

_ends: ContextVar[float] = ContextVar("ends", default=math.inf)


@contextmanager
def deadline(seconds: float) -> Iterator[float]:
    """Give all inside this block `seconds` in all, and no more than an outer block has left; gives when it ends."""
    ends = min(time.monotonic() + seconds, _ends.get())
    token = _ends.set(ends)
    try:
        yield ends
    finally:
        _ends.reset(token)


def remaining() -> float:
    """Give the seconds that are left. Raises TimeoutError when there are none."""
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline passed")
    return left


class Transport(requests.Session):
    """Sends requests, and keeps nothing between them but connections."""

    def __init__(self, headers: Mapping[str, str], most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes
        self.trust_env = False  # a proxy in the environment must not get what is sent
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers.update({**headers, "Accept-Encoding": "identity"})  # nothing that could inflate in memory
        self.mount("http://", _Adapter(pool_maxsize=MOST_KEPT))
        self.mount("https://", _Adapter(pool_maxsize=MOST_KEPT))

    def exchange(self, request: requests.PreparedRequest) -> tuple[requests.Response, bytes]:
        """Give the answer and its body, cut off a little behind the limit. Raises TimeoutError or ConnectionError."""
        try:
            with self.send(request, timeout=remaining(), allow_redirects=False, stream=True) as response:
                body = bytearray()
                while len(body) <= self._most_bytes and (piece := response.raw.read1(2**16, decode_content=False)):
                    body += piece
                return response, bytes(body)
        except (requests.RequestException, HTTPError, OSError) as error:  # HTTPError: while the body is read
            remaining()
            raise ConnectionError(_what_happened(error)) from error

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Know of none: even of a redirect that it does not follow, requests would read the whole body."""


def _what_happened(error: BaseException) -> str:
    """Give the text of the error that others were made of: requests and urllib3 wrap it up to four times."""
    inner = error.__cause__ or next((part for part in error.args if isinstance(part, BaseException)), None)
    return _what_happened(inner) if inner else str(error) or type(error).__name__


class _Socket(socket.socket):
    def send(self, *arguments: Any) -> int:
        self.settimeout(remaining())
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(remaining())
        super().sendall(*arguments)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(remaining())
        return super().recv_into(*arguments, **options)


class _TlsSocket(_Socket, ssl.SSLSocket): ...


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        connected = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        connected.settimeout(remaining())  # which the handshake keeps as a whole
        return connected


class _TlsConnection(_Connection, HTTPSConnection): ...


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection

    def __init__(self, *arguments: Any, **options: Any) -> None:
        context = ssl.create_default_context()
        context.sslsocket_class = _TlsSocket
        super().__init__(*arguments, **{**options, "ssl_context": context})


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def cert_verify(self, *_: Any) -> None:
        """Add no authorities to those that the system trusts, as the parent does."""
