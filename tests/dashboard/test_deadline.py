"""One deadline for all that is asked, whatever the other side does."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator

import pytest
import requests

from dashboard.deadline import DeadlineAdapter, deadline, remaining, within_deadline
from tests.dashboard.conftest import SLACK, MakeUpstream
from tests.dashboard.upstream import SLOW, Behaviour, saying_json

SECONDS = 0.2
KINDS = ("accepts and says nothing", "trickles headers", "trickles its body", "trickles chunks")


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A client that keeps the deadline; by itself it would wait for a minute."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", DeadlineAdapter())
        yield session


def ask(session: requests.Session, url: str) -> bytes:
    with session.get(url, timeout=60, stream=True) as response:
        body = bytearray()
        while chunk := response.raw.read1(2**16):
            body += chunk
        return bytes(body)


def test_what_is_left_becomes_less() -> None:
    with deadline(5):
        before = remaining()
        assert 0 < remaining() <= before <= 5


def test_nothing_is_left_after_the_deadline() -> None:
    with deadline(-1), pytest.raises(TimeoutError, match="the deadline passed"):
        remaining()


def test_an_inner_deadline_cannot_give_more_than_the_outer_one_has() -> None:
    with deadline(1), deadline(60):
        assert remaining() <= 1


def test_an_inner_deadline_ends_with_its_block() -> None:
    with deadline(60):
        with deadline(1):
            pass
        assert remaining() > 50


def test_each_request_has_its_own_deadline() -> None:
    seen: list[float] = []

    def application(_: object, start_response: object) -> Iterable[bytes]:
        seen.append(remaining())
        return []

    asked = within_deadline(application, 5)
    for _ in range(2):
        asked({}, lambda *_: lambda _: None)
        time.sleep(0.02)

    assert [left == pytest.approx(5, abs=0.01) for left in seen] == [True, True]


def test_a_quick_answer_is_read(session: requests.Session, upstream: MakeUpstream) -> None:
    service = upstream(saying_json({"ready": True}))

    with deadline(5):
        assert ask(session, service.url) == b'{"ready": true}'


@pytest.mark.parametrize("fault", [SLOW[name] for name in KINDS], ids=KINDS)
def test_a_slow_peer_is_left_when_the_time_is_up(
    session: requests.Session, upstream: MakeUpstream, fault: Behaviour
) -> None:
    service = upstream(fault)
    began = time.monotonic()

    with pytest.raises(Exception, match=r"(?i)timed out|deadline passed"), deadline(SECONDS):
        ask(session, service.url)

    assert SECONDS <= time.monotonic() - began < SECONDS + SLACK


def test_a_kept_connection_gets_the_deadline_of_the_next_request(
    session: requests.Session, upstream: MakeUpstream
) -> None:
    service = upstream(saying_json({}))
    with deadline(SECONDS):
        ask(session, service.url)
    time.sleep(SECONDS)

    with deadline(SECONDS):
        ask(session, service.url)

    assert service.connections == 1


def test_a_peer_that_reads_late_but_in_time_gets_the_whole_body(session: requests.Session) -> None:
    body = b"x" * 8_000_000
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener, deadline(10):
        reader = threading.Thread(target=read_late, args=(listener, received, len(body)), daemon=True)
        reader.start()
        answer = session.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", data=body, timeout=60)
        reader.join(10)

    assert answer.ok
    assert received.endswith(body)


def read_late(listener: socket.socket, received: bytearray, length: int) -> None:
    connection, _ = listener.accept()
    with connection:
        time.sleep(0.2)
        while len(received) < length or b"\r\n\r\n" not in received or len(received.partition(b"\r\n\r\n")[2]) < length:
            received += connection.recv(2**20)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_a_peer_that_never_reads_is_left_when_the_time_is_up(session: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        began = time.monotonic()

        with pytest.raises(requests.ConnectionError, match="timed out"), deadline(SECONDS):
            session.post(url, data=b"x" * 20_000_000, timeout=60)

    assert time.monotonic() - began < SECONDS + SLACK


def test_a_port_that_takes_no_connection_is_left_when_the_time_is_up(session: requests.Session) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.socket() as first,
        socket.socket() as other,
    ):
        for waiting in (first, other):  # fill the queue of connections that nobody accepts
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        began = time.monotonic()

        with pytest.raises(requests.ConnectTimeout), deadline(SECONDS):
            session.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=60)

    assert time.monotonic() - began < SECONDS + SLACK
