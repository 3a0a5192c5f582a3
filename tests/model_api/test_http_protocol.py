"""The short cut below ASGI: on a socket it answers as uvicorn's own protocol does, whatever is sent and however."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvicorn

from model_api.admission import Admission, Ticket
from model_api.app import ModelService, create_app
from model_api.fast_path import MOST_BYTES
from model_api.http_protocol import Protocol
from model_api.settings import Settings

PATIENCE = 10.0
VARIES = re.compile(rb"(?im)^date: .*\r\n|(?<=dur=)[0-9]+\.[0-9]{3}")
OWN_ID = re.compile(r"[0-9a-f]{32}")


class Server(NamedTuple):
    """A running service."""

    port: int
    uvicorn: uvicorn.Server
    app: ModelService
    answered: list[str]
    """Paths that the fast path answered."""


@contextmanager
def serving(models: Path, protocol: Any) -> Iterator[Server]:
    """Serve a folder on a port of loopback, by uvicorn, in a thread."""
    app = create_app(Settings(models=str(models), allowed_hosts=("127.0.0.1",)))
    answered: list[str] = []
    note = app.fast_path.note

    def watched(path: str, *rest: Any) -> None:
        answered.append(path)
        note(path, *rest)

    app.fast_path.note = watched  # type: ignore[method-assign, assignment] # the tests look on
    config = uvicorn.Config(app, port=0, http=protocol, log_config=None, timeout_keep_alive=60)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield Server(server.servers[0].sockets[0].getsockname()[1], server, app, answered)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def short_cut(published_small_models: Path) -> Iterator[Server]:
    """The service behind our protocol."""
    with serving(published_small_models, Protocol) as server:
        yield server


@pytest.fixture(scope="module")
def uvicorns_own(published_small_models: Path) -> Iterator[Server]:
    """The service behind uvicorn's own."""
    with serving(published_small_models, "httptools") as server:
        yield server


def connect(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_answers(connection: socket.socket, count: int) -> list[tuple[bytes, bytes]]:
    """Read answers, each head and body; fewer where the connection is closed."""
    data = b""
    answers: list[tuple[bytes, bytes]] = []
    while len(answers) < count:
        head, found, rest = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if found and length and len(rest) >= int(length[1]):
            answers.append((VARIES.sub(b"", head), rest[: int(length[1])]))
            data = rest[int(length[1]) :]
        elif found and head.startswith(b"HTTP/1.1 100"):
            data = rest
        elif received := connection.recv(65536):
            data += received
        else:
            break
    return answers


def talk(server: Server, *pieces: bytes, count: int = 1) -> tuple[list[tuple[int, dict[str, str], Any]], bool]:
    """Send pieces one after the other; gives the answers, and whether the connection is open still."""
    with connect(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02 if len(piece) > 1 else 0.001)
        answers = read_answers(connection, count)
        connection.settimeout(0.1)
        try:
            is_open = bool(connection.recv(1))
        except TimeoutError:
            is_open = True
        except ConnectionResetError:
            is_open = False
    return [(*headers_of(head), body) for head, body in answers], is_open


def headers_of(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}


def request(body: bytes, path: str = "/predict", *headers: str, version: str = "1.1", method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", "X-Request-ID: r-1", *headers]
    if not any(line.lower().startswith("content-length") or "chunked" in line for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


FLAT = {"area": 70.5, "rooms": 3, "furnished": True, "district": "south", "balcony": 4.5}
GOOD = json.dumps({"data": FLAT}).encode()
JSON, EXPECT = "Content-Type: application/json", "Expect: 100-continue"
SPAM = json.dumps({"data": {"links": 1, "capitals": 0.5, "length": -1}}).encode()


PAGE = request(b"", "/health/live", method="GET")


class Case(NamedTuple):
    """What is sent, and what is expected of it."""

    pieces: tuple[bytes, ...]
    answers: int = 1
    fast: int = 0


CASES = {
    "one request": Case((request(GOOD, "/predict", JSON),), fast=1),
    "no content type": Case((request(GOOD),), fast=1),
    "three requests, one after the other": Case((request(GOOD),) * 3, 3, 3),
    "three requests at once": Case((request(GOOD) + request(SPAM, "/models/spam/predict") + request(GOOD),), 3, 3),
    "a slow one between two fast ones": Case((request(GOOD) + request(b"{}") + request(GOOD),), 3),
    "a page between two fast ones": Case((request(GOOD) + PAGE + request(GOOD),), 3),
    "head and body apart": Case((request(GOOD)[:-30], GOOD[-30:]), fast=1),
    "byte by byte": Case(tuple(bytes([byte]) for byte in request(GOOD)), fast=1),
    "the last one": Case((request(GOOD, "/predict", "Connection: close"),), fast=1),
    "an old client": Case((request(GOOD, version="1.0"),)),
    "invalid JSON": Case((request(b"{"),)),
    "nothing": Case((request(b""),)),
    "an invalid value": Case((request(GOOD.replace(b"70.5", b'"x"')),)),
    "a model that does not exist": Case((request(GOOD, "/models/nobody/predict"),)),
    "a query": Case((request(GOOD, "/predict?x=1"),)),
    "an escaped path": Case((request(GOOD, "/%70redict"),)),
    "a whole address": Case((request(GOOD, "http://127.0.0.1/predict"),)),
    "another host": Case((request(GOOD).replace(b"Host: 127.0.0.1", b"Host: evil.example"),)),
    "two hosts": Case((request(GOOD, "/predict", "Host: 127.0.0.1"),)),
    "another method": Case((request(GOOD, method="PUT"),)),
    "chunks": Case((request(b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD), "/predict", "Transfer-Encoding: chunked"),)),
    "one that waits for leave": Case((request(b"", "/predict", EXPECT, f"Content-Length: {len(GOOD)}"), GOOD)),
    "a long body": Case((request(GOOD + b" " * MOST_BYTES),)),
    "a deadline": Case((request(GOOD, "/predict", "X-Request-Timeout: 5"),)),
    "an upgrade that nobody offers": Case((request(GOOD, "/predict", "Connection: upgrade", "Upgrade: h2c"),)),
    "no HTTP": Case((b"hello\r\n\r\n",)),
    "two lengths": Case((request(GOOD, "/predict", f"Content-Length: {len(GOOD)}", "Content-Length: 3"),)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_answers_as_uvicorns_own_protocol_does(short_cut: Server, uvicorns_own: Server, name: str) -> None:
    pieces, count, fast = CASES[name]
    short_cut.answered.clear()

    found = talk(short_cut, *pieces, count=count)

    assert found == talk(uvicorns_own, *pieces, count=count)
    assert len(found[0]) == count
    if fast:
        assert len(short_cut.answered) == fast


@pytest.mark.parametrize("name", [name for name in CASES if name != "byte by byte"])
def test_it_answers_the_same_when_it_knows_the_head(short_cut: Server, uvicorns_own: Server, name: str) -> None:
    pieces, count, _ = CASES[name]
    pieces = tuple(piece.replace(b"X-Request-ID: r-1\r\n", b"") for piece in pieces)
    talk(short_cut, *pieces, count=count)

    found = talk(short_cut, *pieces, count=count)

    assert OWN_ID.sub("", str(found)) == OWN_ID.sub("", str(talk(uvicorns_own, *pieces, count=count)))


STRANGERS = request(GOOD).replace(b"X-Request-ID: r-1\r\n", b"")


def test_a_head_that_came_before_is_known_whoever_sends_it(short_cut: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    short_cut.app.fast_path.heads.clear()
    talk(short_cut, STRANGERS)
    monkeypatch.setattr(Protocol, "on_url", lambda *_: pytest.fail("it was parsed again"))

    answers, is_open = talk(short_cut, STRANGERS, STRANGERS, count=2)

    assert [status for status, _, _ in answers] == [200, 200]
    assert is_open
    assert len({json.loads(body)["request_id"] for _, _, body in answers}) == 2
    assert list(short_cut.app.fast_path.heads) == [STRANGERS.removesuffix(GOOD)]


@pytest.mark.parametrize("header", ["X-Request-ID: r-7", f"Traceparent: 00-{'1' * 32}-{'2' * 16}-01"])
def test_a_head_that_is_another_one_each_time_is_not_remembered(short_cut: Server, header: str) -> None:
    short_cut.app.fast_path.heads.clear()

    talk(short_cut, STRANGERS.replace(b"Host:", f"{header}\r\nHost:".encode()))

    assert not short_cut.app.fast_path.heads


def test_heads_are_remembered_up_to_a_number(short_cut: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_api.http_protocol.MOST_HEADS", 3)
    short_cut.app.fast_path.heads.clear()

    for number in range(7):
        talk(short_cut, STRANGERS.replace(b"Host:", f"User-Agent: {number}\r\nHost:".encode()))

    assert 1 <= len(short_cut.app.fast_path.heads) <= 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (GOOD.replace(b"70.5", b"7x.5"), 400),
        (GOOD.replace(b"70.5", b'"xx"'), 422),
        (GOOD.replace(b'"rooms"', b'"rooom"'), 422),
    ],
)
def test_a_bad_body_after_a_head_that_is_known_is_told_as_ever(short_cut: Server, body: bytes, status: int) -> None:
    talk(short_cut, STRANGERS)

    answers, is_open = talk(short_cut, STRANGERS.replace(GOOD, body), STRANGERS, count=2)

    assert len(body) == len(GOOD)
    assert [found for found, _, _ in answers] == [status, 200]
    assert is_open


@pytest.fixture
def impatient(published_small_models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The service, waiting only a moment for anything."""
    for name, seconds in (("RECEIPT_SECONDS", 0.4), ("WATCH_SECONDS", 0.1), ("SEND_SECONDS", 0.5)):
        monkeypatch.setattr(f"model_api.http_protocol.{name}", seconds)
    with serving(published_small_models, Protocol) as server:
        yield server


@pytest.mark.parametrize("sent", [b"POST /pre", request(GOOD)[:60], request(GOOD)[:-5], request(b"{}")[:-1]])
def test_a_request_that_does_not_arrive_in_time_is_given_up(impatient: Server, sent: bytes) -> None:
    with connect(impatient) as connection:
        connection.sendall(sent)

        ((head, _),) = read_answers(connection, 1)

        assert head.startswith(b"HTTP/1.1 408")
        assert connection.recv(1) == b""


def test_a_trickle_does_not_buy_time(impatient: Server) -> None:
    with connect(impatient) as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        trickle(connection, request(GOOD) * 2)


def trickle(connection: socket.socket, data: bytes) -> None:
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def test_who_connects_and_says_nothing_is_parted_with(short_cut: Server, impatient: Server) -> None:
    impatient_config = impatient.uvicorn.config
    impatient_config.timeout_keep_alive = 0
    with connect(impatient) as connection:
        assert connection.recv(1) == b""


def test_a_long_body_that_keeps_coming_is_waited_for(impatient: Server) -> None:
    body = GOOD + b" " * 2**17
    head = request(body)[: -len(body)]
    with connect(impatient) as connection:
        connection.sendall(head)
        for start in range(0, len(body), 2**14):
            connection.sendall(body[start : start + 2**14])
            time.sleep(0.1)

        assert read_answers(connection, 1)[0][0].startswith(b"HTTP/1.1 200")


def test_who_reads_nothing_of_a_long_answer_is_parted_with(impatient: Server) -> None:
    many = json.dumps({"data": [FLAT] * 5000}).encode()
    with connect(impatient) as greedy:
        greedy.sendall(request(many) * 12)
        deadline = time.monotonic() + PATIENCE
        while impatient.uvicorn.server_state.connections:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_caller_who_leaves_in_the_middle_of_a_body_harms_nobody(short_cut: Server) -> None:
    for cut in (10, 60, len(request(GOOD)) - 1):
        with connect(short_cut) as connection:
            connection.sendall(request(GOOD)[:cut])

    assert talk(short_cut, request(GOOD))[0][0][0] == 200


def test_a_caller_who_sends_and_never_reads_is_not_waited_for(short_cut: Server) -> None:
    with connect(short_cut) as greedy:
        greedy.setblocking(False)
        many = request(GOOD) * 200
        for _ in range(200):
            try:
                greedy.send(many)
            except BlockingIOError:
                time.sleep(0.01)

        assert talk(short_cut, request(GOOD))[0][0][0] == 200


def test_a_request_whose_body_is_coming_is_answered_while_the_service_ends(published_small_models: Path) -> None:
    with serving(published_small_models, Protocol) as server, connect(server) as connection:
        connection.sendall(request(GOOD)[:-5])
        time.sleep(0.1)
        server.uvicorn.should_exit = True
        time.sleep(0.3)

        connection.sendall(GOOD[-5:])

        ((head, _),) = read_answers(connection, 1)
        assert head.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in head


def test_a_request_for_which_there_is_no_time_is_turned_away(
    short_cut: Server, uvicorns_own: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for server in (short_cut, uvicorns_own):
        monkeypatch.setattr(server.app.fast_path, "has_time", lambda: False)

    found = talk(short_cut, request(GOOD) * 2, count=2)

    assert found == talk(uvicorns_own, request(GOOD) * 2, count=2)
    assert [(status, headers["retry-after"]) for status, headers, _ in found[0]] == [(503, "1")] * 2


def test_a_request_for_which_the_application_has_no_room_is_turned_away_before_it_gets_there(
    short_cut: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[None] = []
    monkeypatch.setattr(short_cut.app.fast_path.admission, "has_room", lambda: False)
    monkeypatch.setattr(Protocol, "_hand_over", lambda _: begun.append(None))

    answers, _ = talk(short_cut, request(GOOD) + request(b"{}") + request(GOOD), count=3)

    told = [(status, headers.get("retry-after")) for status, headers, _ in answers]
    assert told == [(200, None), (503, "1"), (200, None)]
    assert not begun


MANY = json.dumps({"data": [FLAT] * 2000}).encode()


@pytest.mark.parametrize("sent", [request(b"{}"), STRANGERS.replace(GOOD, b"{" + GOOD[1:].replace(b"70.5", b"nope")),
                                  request(MANY), request(MANY.replace(b"70.5", b"nope"))])  # fmt: skip
def test_whoever_was_let_into_the_application_leaves_it(
    short_cut: Server, uvicorns_own: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    tickets: list[Ticket] = []
    admit = Admission.admit

    def noted(admission: Admission, seconds: float) -> Ticket | None:
        ticket = admit(admission, seconds)
        tickets.extend([ticket] if ticket else [])
        return ticket

    monkeypatch.setattr(Admission, "admit", noted)
    for server in (short_cut, uvicorns_own):
        talk(server, STRANGERS)  # its head is known from now on
        talk(server, sent, sent, count=2)

        admission = server.app.fast_path.admission
        assert vars(admission)["_inside"] == 0
        assert admission.ahead == 0.0
    assert len(tickets) == 4


@pytest.mark.parametrize("body", [GOOD, b"{}"])
def test_a_request_on_its_way_while_the_service_ends_is_answered(published_small_models: Path, body: bytes) -> None:
    with serving(published_small_models, Protocol) as server, connect(server) as connection:
        connection.sendall(request(GOOD))
        read_answers(connection, 1)
        server.uvicorn.should_exit = True
        time.sleep(0.25)

        connection.sendall(request(body))

        ((head, _),) = read_answers(connection, 1)
        assert head.startswith(b"HTTP/1.1 200" if body == GOOD else b"HTTP/1.1 422")
        assert b"connection: close" in head


def test_an_idle_connection_does_not_hold_up_the_end(published_small_models: Path) -> None:
    with serving(published_small_models, Protocol) as server, connect(server) as connection:
        connection.sendall(request(GOOD))
        read_answers(connection, 1)
        began = time.monotonic()
        server.uvicorn.should_exit = True

        assert connection.recv(1) == b""
        assert time.monotonic() - began < 3


def test_an_application_without_a_fast_path_is_served_as_ever() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(application, port=0, http=Protocol, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request(GOOD))
        assert read_answers(connection, 1)[0][0].startswith(b"HTTP/1.1 204")
    server.should_exit = True
    thread.join(PATIENCE)
