"""Versions are swapped a hundred times while callers ask: nobody notices, and each answer is its version's own."""

import itertools
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import requests
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_api.folders import move_alias
from model_api.publishing import publish
from tests.e2e.services import Command, free_ports, wait_until_ready

SWAPS = 100
LEAST_REQUESTS = 10_000
CALLERS = 2
BASES = 4
SWAP_SECONDS = 30
MOST_GROWTH = 20 * 2**20
MODEL = "swapped"


@dataclass
class Answers:
    """What callers got."""

    by_version: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def take(self, answer: requests.Response, expected: dict[str, float]) -> None:
        """Check one answer: its number is the one that the version it names was published with."""
        if answer.status_code != 200:
            self.wrong.append(f"{answer.status_code}: {answer.text[:200]}")
            return
        body: dict[str, Any] = answer.json()
        version = body["version"]
        self.by_version[version] += 1
        if not np.isclose(body["prediction"], expected[version], rtol=1e-12, atol=0):
            self.wrong.append(f"version {version}: {body['prediction']}, not {expected[version]}")


@pytest.fixture(scope="module")
def row() -> dict[str, float]:
    """What is asked."""
    return {"a": 0.25, "b": -1.5, "c": 2.0}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory, row: dict[str, float]) -> list[tuple[Path, float]]:
    """Some versions, each with what its estimator says of `row`: half of them linear, half of them trees."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(300, 3)), columns=["a", "b", "c"])
    folder, found = tmp_path_factory.mktemp("bases"), []
    for number in range(BASES):
        y = (X["a"] * (number + 1) + X["b"] ** 2 + 10 * number).rename("y")
        last: Any = HistGradientBoostingRegressor(max_iter=20) if number % 2 else Ridge()
        estimator = make_pipeline(StandardScaler(), last).fit(X, y)
        version = publish(estimator, X, y, name=MODEL, models=folder)
        found.append((version, float(estimator.predict(pd.DataFrame([row]))[0])))
    assert len({value for _, value in found}) == BASES
    return found


@pytest.fixture(params=[1, 2], ids=["one process", "two processes"])
def service(request: pytest.FixtureRequest, tmp_path: Path, bases: list[tuple[Path, float]]) -> Iterator["Service"]:
    """The service, with version 1."""
    models = tmp_path / "models"
    put(bases[0][0], models / MODEL / "1")
    move_alias(models / MODEL, "champion", "1")
    (port,) = free_ports(1)
    environment = {"MODEL_API_MODELS": str(models), "MODEL_API_POLL_SECONDS": "0.1"}
    workers = ["--workers", str(request.param)]
    command = Command(
        ["-m", "uvicorn", "model_api.main:app", "--port", str(port), *workers, "--no-access-log"],
        environment=environment,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        yield Service(f"http://127.0.0.1:{port}", models, command, int(request.param))
    finally:
        command.close()


@dataclass
class Service:
    """A service that runs."""

    url: str
    models: Path
    command: Command
    workers: int

    def memory(self) -> int:
        """Resident memory of all its processes, without the trials, in bytes."""
        return sum(map(_memory_of, [psutil.Process(self.command.process.pid), *self.command.children()]))


def _memory_of(process: psutil.Process) -> int:
    try:
        return 0 if "model_api.trial" in process.cmdline() else int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # a trial that ended just now
        return 0


def put(version: Path, place: Path) -> None:
    """Put a version in place under another number, in one step."""
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(shutil.copytree(version, place.with_name(f".{place.name}-aside")))
    manifest = (
        (aside / "manifest.json").read_text().replace(f'"version": "{version.name}"', f'"version": "{place.name}"')
    )
    (aside / "manifest.json").write_text(manifest)
    aside.rename(place)


def test_a_hundred_swaps_under_load_fail_nobody(
    service: Service, bases: list[tuple[Path, float]], row: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {"1": bases[0][1]}
    answers, stopped = Answers(), threading.Event()

    def call() -> None:
        with requests.Session() as session:
            while not stopped.is_set():
                try:
                    answers.take(session.post(f"{service.url}/predict", json={"data": row}, timeout=10), expected)
                except requests.RequestException as error:
                    answers.wrong.append(repr(error))

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    began, memory = time.monotonic(), []
    try:
        for number, (version, value) in zip(range(2, SWAPS + 2), itertools.cycle([*bases[1:], bases[0]]), strict=False):
            expected[str(number)] = value
            put(version, service.models / MODEL / str(number))
            move_alias(service.models / MODEL, "champion", str(number))
            wait_for_answer(answers, str(number))
            memory.append(service.memory())
        while sum(answers.by_version.values()) < LEAST_REQUESTS:
            time.sleep(0.1)
    finally:
        stopped.set()
        for caller in callers:
            caller.join()

    asked, growth = sum(answers.by_version.values()), np.median(memory[-20:]) - np.median(memory[10:30])
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(
            f"\n{service.workers} process(es): {asked:,} requests over {SWAPS} swaps in {seconds:.0f} s, "
            f"{len(answers.wrong)} failed or wrong; memory {growth / 2**20:+.1f} MB from swaps 10 to 30 to the last 20"
        )
    assert answers.wrong == []
    assert asked >= LEAST_REQUESTS
    assert set(answers.by_version) == {str(number) for number in range(1, SWAPS + 2)}
    assert growth <= MOST_GROWTH
    assert open_files(service) < 100


def wait_for_answer(answers: Answers, version: str) -> None:
    deadline = time.monotonic() + SWAP_SECONDS
    while not answers.by_version[version]:
        assert time.monotonic() < deadline, f"version {version} did not answer in {SWAP_SECONDS} s"
        assert not answers.wrong, answers.wrong[:3]
        time.sleep(0.01)


def open_files(service: Service) -> int:
    """Count what the fullest of the processes holds open."""
    processes = [psutil.Process(service.command.process.pid), *service.command.children()]
    return max(process.num_fds() for process in processes)
