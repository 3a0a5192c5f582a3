"""The service is told to end twenty times while callers ask: nothing that it accepted is lost."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.services import free_ports, wait_until_ready
from tests.soak.open_loop import LENGTH, post

TIMES = 20
CALLERS = 8
SECONDS = 0.5
"""How long they ask before the service is told."""
Ends = tuple[list[str], list[int], list[float], str]
"""What became of the requests, exit codes, seconds, and the log."""


@pytest.fixture(scope="module")
def question(models_folder: Path) -> bytes:
    """A request of the default model."""
    reference = json.loads((models_folder / "diabetes" / "1" / "reference.json").read_bytes())
    row = {name: column[0] for name, column in reference["columns"].items()}
    return post("/models/diabetes/predict", json.dumps({"data": row}).encode())


def ask(port: int, question: bytes, outcomes: list[str]) -> None:
    """Ask again and again until the service says that it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        while True:
            try:
                connection.sendall(question)
            except OSError:
                outcomes.append("not sent")
                return
            answer = read(connection)
            outcomes.append(answer[9:12].decode() if answer else "lost")
            if not answer or b"\r\nconnection: close\r\n" in answer:
                return


def read(connection: socket.socket) -> bytes:
    data = b""
    while True:
        head = data.find(b"\r\n\r\n")
        length = LENGTH.search(data, 0, head + 2) if head > 0 else None
        if length and len(data) >= head + 4 + int(length[1]):
            return data
        try:
            received = connection.recv(2**16)
        except OSError:
            return b""
        if not received:
            return b""
        data += received


@pytest.fixture(scope="module")
def ends(models_folder: Path, question: bytes, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """What became of the requests, and of the processes: exit codes and seconds."""
    outcomes: list[str] = []
    codes: list[int] = []
    seconds: list[float] = []
    log = tmp_path_factory.mktemp("logs") / "log"
    for _ in range(TIMES):
        (port,) = free_ports(1)
        command = [sys.executable, "-m", "servery", "serve", "--port", str(port), "--models", str(models_folder)]
        with log.open("a") as out:
            service = subprocess.Popen(command, stdout=out, stderr=out)
        wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        callers = [threading.Thread(target=ask, args=(port, question, outcomes)) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        time.sleep(SECONDS)
        began = time.monotonic()
        service.send_signal(signal.SIGTERM)
        codes.append(service.wait(15))
        seconds.append(time.monotonic() - began)
        for caller in callers:
            caller.join(10)
    return outcomes, codes, seconds, log.read_text()


def test_nothing_that_was_sent_is_lost(ends: Ends) -> None:
    outcomes, _, _, log = ends
    counted = Counter(outcomes)
    print(f"\n{TIMES} ends: {dict(counted)}")

    assert counted["lost"] == 0
    assert counted["200"] > 100 * TIMES
    assert set(counted) <= {"200", "not sent"}
    assert log.count("path=/models/diabetes/predict") == counted["200"]


def test_it_ends_well_and_soon(ends: Ends) -> None:
    _, codes, seconds, _ = ends
    print(f"\nended after at most {max(seconds):.1f} s")

    assert set(codes) == {0}
    assert max(seconds) <= 10
