"""How the client's requests travel: within one deadline, to nobody else, and no more bytes than are wanted."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from model_api.client_transport import Transport, deadline, remaining
from tests.dashboard.upstream import BROKEN, CHUNKED, Behaviour, Connection, Upstream, message, saying, saying_json

MakeUpstream = Callable[[Behaviour], Upstream]
LIMIT = 100_000


@pytest.fixture
def upstream() -> Iterator[MakeUpstream]:
    """Start services that do as the test tells them."""
    started: list[Upstream] = []

    def start(behaviour: Behaviour) -> Upstream:
        started.append(Upstream(behaviour))
        return started[-1]

    yield start
    for service in started:
        service.refuse()


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport({"Accept-Encoding": "gzip", "X-Mine": "1"}, LIMIT) as transport:
        yield transport


def ask(transport: Transport, service: Upstream, seconds: float = 20) -> tuple[requests.Response, bytes]:
    request = transport.prepare_request(requests.Request("GET", service.url))
    with deadline(seconds):
        return transport.exchange(request)


def endless_redirect(_: object, connection: Connection) -> None:
    connection.send(CHUNKED.replace(b"200 OK", b"302 Found\r\nLocation: http://elsewhere.example/"))
    connection.flood(b"ffff\r\n" + b" " * 0xFFFF + b"\r\n")


def test_an_inner_deadline_gives_no_more_than_the_outer_one_has() -> None:
    with deadline(1) as outer, deadline(60) as inner:
        assert inner == outer
        assert 0 < remaining() <= 1


def test_an_inner_deadline_ends_with_its_block() -> None:
    with deadline(60):
        with deadline(1):
            pass
        assert remaining() > 50


def test_nothing_is_asked_after_the_deadline(transport: Transport, upstream: MakeUpstream) -> None:
    service = upstream(saying_json({}))

    with pytest.raises(TimeoutError, match="the deadline passed"):
        ask(transport, service, seconds=-1)

    assert service.connections == 0


def test_an_answer_comes_with_its_body(transport: Transport, upstream: MakeUpstream) -> None:
    response, body = ask(transport, upstream(saying_json({"ready": True}, "503 Service Unavailable")))

    assert (response.status_code, body) == (503, b'{"ready": true}')


def test_headers_go_with_every_request_and_none_asks_for_compression(
    transport: Transport, upstream: MakeUpstream
) -> None:
    service = upstream(saying_json({}))

    ask(transport, service)

    assert service.asked[0].headers["x-mine"] == "1"
    assert service.asked[0].headers["accept-encoding"] == "identity"


def test_no_cookie_is_kept(transport: Transport, upstream: MakeUpstream) -> None:
    service = upstream(saying(message(b"{}", "200 OK", "application/json", "Set-Cookie: who=me")))

    ask(transport, service)
    ask(transport, service)

    assert [asked.headers.get("cookie") for asked in service.asked] == [None, None]


def test_reading_ends_soon_behind_the_limit(transport: Transport, upstream: MakeUpstream) -> None:
    _, body = ask(transport, upstream(saying(message(b" " * 10 * LIMIT))))

    assert LIMIT < len(body) <= LIMIT + 2**16


def test_a_body_of_just_the_limit_is_read_and_its_connection_kept(transport: Transport, upstream: MakeUpstream) -> None:
    service = upstream(saying(message(b" " * LIMIT)))

    assert [len(ask(transport, service)[1]) for _ in range(2)] == [LIMIT, LIMIT]
    assert service.connections == 1


def test_no_more_is_read_of_a_redirect(transport: Transport, upstream: MakeUpstream) -> None:
    response, body = ask(transport, upstream(endless_redirect))

    assert response.status_code == 302
    assert len(body) <= LIMIT + 2**16


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("closes at once", "Remote end closed connection without response"),
        ("resets at once", r"\[Errno \d+\] Connection reset by peer"),
        ("closes in the middle of its body", r"IncompleteRead\(12 bytes read, 99988 more expected\)"),
        ("does not speak HTTP", ".* not HTTP at all.*"),
    ],
)
def test_a_failure_tells_what_happened_and_no_more(
    transport: Transport, upstream: MakeUpstream, name: str, told: str
) -> None:
    try:
        raise OSError("another failure, which the caller is busy with")
    except OSError:
        with pytest.raises(ConnectionError, match=f"(?s)^{told}$"):
            ask(transport, upstream(BROKEN[name]))


def test_a_header_of_the_service_that_makes_no_sense_is_a_failure_of_the_connection(
    transport: Transport, upstream: MakeUpstream
) -> None:
    answer: Any = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345")

    with pytest.raises(ConnectionError, match="Content-Length"):
        ask(transport, upstream(answer))
