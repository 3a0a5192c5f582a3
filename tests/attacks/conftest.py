"""A service that is attacked: a real process, traced, as a user who may do little."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import requests
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_api.packages import find_package
from model_api.publishing import publish
from model_api.publishing.from_package import publish_package
from tests.attacks.bad_artifacts import install_odd
from tests.e2e.services import free_ports, wait_until_ready

TRACED = "execve,openat,open,creat,unlink,unlinkat,rename,connect,socket"
POLL_SECONDS = 0.2
LOAD_SECONDS = 20
REPORT = pytest.StashKey[list[str]]()


@dataclass
class Traffic:
    """What callers got, all the while."""

    answers: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class Attacked:
    """The service, and what a test needs to attack it and to watch it."""

    url: str
    models: Path
    trace: Path
    process: psutil.Process
    row: dict[str, float]
    expected: float
    traffic: Traffic = field(default_factory=Traffic)
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> Any:
        """Ask for JSON."""
        return self.session.get(f"{self.url}{path}", timeout=10).json()

    def problems(self) -> dict[str, str]:
        """Say what the service finds wrong, by what."""
        found: dict[str, str] = {}
        for problem in self.get("/health/ready")["problems"]:
            found[problem["what"]] = "; ".join(filter(None, [found.get(problem["what"]), problem["reason"]]))
        return found

    def reason(self, what: str, seconds: float = 30) -> str:
        """Wait until the service finds something wrong with `what`, and give its words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.problems().get(what):
                return found
            time.sleep(0.05)
        raise AssertionError(f"nothing was found wrong with {what}; there is {self.problems()}")

    def wait_until_well(self, seconds: float = 30) -> None:
        """Wait until nothing is wrong any more."""
        deadline = time.monotonic() + seconds
        while problems := self.problems():
            assert time.monotonic() < deadline, f"still wrong: {problems}"
            time.sleep(0.05)

    def model(self, name: str) -> Any:
        """Say what the service knows of a model."""
        return next(model for model in self.get("/models")["models"] if model["name"] == name)

    def states(self, name: str) -> dict[str, str]:
        """Say what became of each version."""
        return {version["version"]: version["state"] for version in self.model(name)["versions"]}

    def ask(self, version: str) -> requests.Response:
        """Ask a version of the forest for the prediction whose value is known."""
        url = f"{self.url}/models/forest/versions/{version}/predict"
        return self.session.post(url, json={"data": self.row}, timeout=10)

    def aside(self, model: str) -> Path:
        """Where a version lies while it is damaged."""
        return self.models / f".{model}-aside"

    def wait_until_ready(self, name: str, version: str, seconds: float = 30) -> None:
        """Wait until a version is served."""
        deadline = time.monotonic() + seconds
        while self.states(name).get(version) != "ready":
            assert time.monotonic() < deadline, f"{name}: {self.states(name)}"
            time.sleep(0.05)

    def memory(self) -> int:
        """Resident memory of the service, in bytes."""
        return int(self.process.memory_info().rss)

    def add_version(self, model: str, number: str = "2") -> Path:
        """Copy version 1 aside, for a test to damage before it puts it in place."""
        aside = self.aside(model)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(self.models / model / "1", aside)
        manifest = (aside / "manifest.json").read_text()
        (aside / "manifest.json").write_text(manifest.replace('"version": "1"', f'"version": "{number}"'))
        return aside


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models: `forest`, and `odd` from a package."""
    home = tmp_path_factory.mktemp("attacked")
    install_odd(home / "site")
    publish_forest(home / "models")
    sys.path.insert(0, str(home / "site"))
    try:
        publish_package(find_package("odd"), home / "models")
    finally:
        sys.path.remove(str(home / "site"))
        sys.modules.pop("odd_model", None)
    return home


def publish_forest(models: Path) -> None:
    """Publish a scaler and a small forest: a plan, and trees in ONNX."""
    random = np.random.default_rng(3)
    X = pd.DataFrame(random.normal(size=(200, 5)), columns=list("abcde"))
    y = (X["a"] * 3 + X["b"] ** 2).rename("y")
    model = make_pipeline(StandardScaler(), RandomForestRegressor(5, max_depth=4, random_state=0)).fit(X, y)
    publish(model, X, y, name="forest", models=models)


@pytest.fixture(scope="session")
def attacked(home: Path) -> Iterator[Attacked]:
    """The traced service, with callers who keep on asking."""
    (port,) = free_ports(1)
    trace = home / "trace"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MODEL_API_")},
        "MODEL_API_MODELS": str(home / "models"),
        "MODEL_API_POLL_SECONDS": str(POLL_SECONDS),
        "MODEL_API_LOAD_SECONDS": str(LOAD_SECONDS),
        "MODEL_API_CACHE": str(home / "cache"),
        "PYTHONPATH": str(home / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # Root may read every file, unless this is taken away: one attack is a file without permission.
    humbly = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    serving = [*humbly, sys.executable, "-m", "uvicorn", "model_api.main:app", "--port", str(port), "--no-access-log"]
    with (home / "log").open("wb") as log:
        started = subprocess.Popen(
            [*tracing(trace), *serving], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{url}/health/ready")
        (server,) = psutil.Process(started.pid).children()
        session = requests.Session()
        first = session.get(f"{url}/models/forest/predict", params={"limit": 1}).json()
        service = Attacked(url, home / "models", trace, server, first["data"][0], first["prediction"][0])
        with calling(service):
            yield service
    finally:
        for process in [*psutil.Process(started.pid).children(recursive=True), psutil.Process(started.pid)]:
            process.kill()
        started.wait()


def tracing(trace: Path) -> list[str]:
    """Give the beginning of a command line that writes down every program and file that a process asks for."""
    strace = shutil.which("strace")
    assert strace, "strace is missing: make attacks installs it"
    return [strace, "-f", "--seccomp-bpf", "-q", "-s", "300", "-e", f"trace={TRACED}", "-o", str(trace)]


class calling:  # noqa: N801 -- used as a function
    """Ask the service for one and the same prediction, over and over, for the time of a block."""

    def __init__(self, service: Attacked) -> None:
        self._service = service
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._call)

    def __enter__(self) -> None:
        """Begin."""
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()

    def _call(self) -> None:
        service, traffic = self._service, self._service.traffic
        with requests.Session() as session:
            while not self._stopped.wait(0.004):
                try:
                    answer = session.post(f"{service.url}/models/forest/predict", json={"data": service.row}, timeout=5)
                    if answer.status_code != 200 or answer.json()["prediction"] != service.expected:
                        traffic.failures.append(f"{answer.status_code}: {answer.text[:200]}")
                except requests.RequestException as error:
                    traffic.failures.append(repr(error))
                traffic.answers += 1


def pytest_configure(config: pytest.Config) -> None:
    """Begin the table that is printed at the end."""
    config.stash[REPORT] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what became of every attack."""
    terminalreporter.section("attacks")
    for line in config.stash[REPORT]:
        terminalreporter.write_line(line)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Any:
    """Write a line into the table that is printed at the end."""
    return request.config.stash[REPORT].append
