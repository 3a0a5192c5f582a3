"""Starts the two services as a user starts them, each a real process, and tells what they print."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import requests

ROOT = Path(__file__).parents[2]
START_SECONDS = 180
READY = "press Ctrl-C to stop"
"""The last line of `servery run` when both services are ready."""
STOP_SECONDS = 5
"""What `servery run` promises."""
NOT_INHERITED = ("MODEL_API_", "DASHBOARD_", "FLASK_", "PYTHONDONTWRITEBYTECODE")
"""Settings of the person who runs the tests; and without bytecode each start would compile scikit-learn anew."""


class Services(NamedTuple):
    """Where the two services answer."""

    api: str
    dashboard: str
    command: "Command"
    """The `servery run` that started both."""


class Command:
    """A Python program that runs in a process of its own; its output is read all the time."""

    def __init__(
        self, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path = ROOT
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**inherited, "PYTHONUNBUFFERED": "1", **(environment or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._output = ""
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """Everything printed so far."""
        with self._changed:
            return self._output

    def wait_for(self, text: str, seconds: float = START_SECONDS) -> None:
        """Wait until `text` was printed; fails with the whole output when it is not."""
        with self._changed:
            self._changed.wait_for(lambda: text in self._output or self._ended, seconds)
            assert text in self._output, f"{text!r} was not printed:\n{self._output}"

    def children(self) -> list[psutil.Process]:
        """Give the processes below this one."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for the end; gives the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def close(self) -> None:
        """End it whatever its state; for the end of a test, after which nothing may be left."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [*self.children(), psutil.Process(self.process.pid)]:
                process.kill()
        self.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._changed:
                self._output += line
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class TwoServices:
    """The two services, each started alone, so that a test can take one away and bring it back."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._api_port, self._dashboard_port = free_ports(2)
        self.api_url = f"http://127.0.0.1:{self._api_port}"
        self.dashboard_url = f"http://127.0.0.1:{self._dashboard_port}"
        self.api = self._api()
        self.dashboard = self._dashboard()
        self._wait()

    def heal(self) -> None:
        """Bring back what an earlier test took away."""
        if self.api.process.poll() is None:
            self.resume_api()
        else:
            self.restart_api()
        if self.dashboard.process.poll() is not None:
            self.restart_dashboard()

    def kill_api(self) -> None:
        """Kill the model service as `kill -9` does."""
        self.api.close()

    def restart_api(self) -> None:
        """Start the model service again, on the same port."""
        self.api = self._api()
        self._wait()

    def pause_api(self) -> None:
        """Stop the model service in its tracks: connections are taken, and nothing is answered."""
        self.api.process.send_signal(signal.SIGSTOP)

    def resume_api(self) -> None:
        """Let the model service go on."""
        self.api.process.send_signal(signal.SIGCONT)

    def kill_dashboard(self) -> None:
        """Kill the dashboard as `kill -9` does."""
        self.dashboard.close()

    def restart_dashboard(self) -> None:
        """Start the dashboard again, on the same port."""
        self.dashboard = self._dashboard()
        self.dashboard.wait_for(f"Running on {self.dashboard_url}")

    def close(self) -> None:
        """End what still runs."""
        for command in (self.api, self.dashboard):
            command.close()

    def _api(self) -> Command:
        return Command(
            ["-m", "uvicorn", "model_api.main:app", "--port", str(self._api_port)],
            environment={"MODEL_API_MODELS": str(self._models)},
        )

    def _dashboard(self) -> Command:
        return Command(
            ["-m", "flask", "--app", "dashboard", "run", "--no-reload", "--port", str(self._dashboard_port)],
            environment={"DASHBOARD_MODEL_API_URL": self.api_url},
        )

    def _wait(self) -> None:
        self.api.wait_for(f"Uvicorn running on {self.api_url}")
        self.dashboard.wait_for(f"Running on {self.dashboard_url}")
        wait_until_ready(f"{self.api_url}/health/ready")


def run_servery(
    models: Path, folder: Path, *options: str, until: str = READY, environment: Mapping[str, str] | None = None
) -> Services:
    """Start `servery run` in a folder, on free ports, and wait until it says that both services are ready."""
    api, dashboard = free_ports(2)
    ports = ["--api-port", str(api), "--dashboard-port", str(dashboard)]
    arguments = ["-m", "servery", "run", "--models", str(models), *ports, *options]
    command = Command(arguments, folder=folder, environment=environment)
    services = Services(f"http://127.0.0.1:{api}", f"http://127.0.0.1:{dashboard}", command)
    try:
        command.wait_for(until)
    except BaseException:
        command.close()
        raise
    return services


@contextlib.contextmanager
def running_servery(
    models: Path, folder: Path, *options: str, until: str = READY, environment: Mapping[str, str] | None = None
) -> Iterator[Services]:
    """Run `servery run` for the time of a block; whatever happens in it, nothing is left afterwards."""
    services = run_servery(models, folder, *options, until=until, environment=environment)
    try:
        yield services
    finally:
        services.command.close()


def wait_until_ready(url: str) -> None:
    """Wait until an address answers 200: the model service answers at once, and has its models a little later."""
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while not _answers(session, url):
            assert time.monotonic() < deadline, f"{url} is not ready"
            time.sleep(0.05)


def _answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=START_SECONDS).status_code == 200
    except requests.ConnectionError:  # it does not listen yet
        return False


def left_over(processes: Sequence[psutil.Process], seconds: float = 1) -> list[psutil.Process]:
    """Give those processes that still run (one that has ended and waits to be collected does not)."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def free_ports(count: int) -> list[int]:
    """Find ports that nobody uses."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
