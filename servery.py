"""The public face: `publish` and `Client` for Python, `servery` for the command line.

`servery run` starts the model service and the dashboard, waits until both are ready, and ends both together.
"""

import argparse
import contextlib
import ctypes
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

if TYPE_CHECKING:  # else __getattr__ gives them
    from model_api.client import Client, InvalidInput, NotFound, ServiceError, TimedOut, Unavailable
    from model_api.publishing import publish

__all__ = ["Client", "InvalidInput", "NotFound", "ServiceError", "TimedOut", "Unavailable", "main", "publish"]

READY_SECONDS = 120
STOP_SECONDS = 4
POLL_SECONDS = 0.1
LINUX_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
COLORS = {"model api": "36", "dashboard": "35", "servery": "32"}


def __getattr__(name: str) -> object:
    """Give `publish`, which needs scikit-learn and pandas, or `Client` and what it raises; imported when asked for."""
    if name == "publish":
        from model_api.publishing import publish

        return publish
    if name in __all__:
        from model_api import client

        return getattr(client, name)
    raise AttributeError(f"module 'servery' has no attribute {name!r}")


class Refusal(Exception):
    """The command cannot be carried out; the message is one line that says what to change."""


@dataclass(frozen=True)
class Service:
    """One of the two processes, as it is to be started."""

    name: str
    """What its log lines are headed with."""
    application: str
    """What uvicorn serves."""
    host: str
    port: int
    option: str
    """The option that sets the port."""
    ready_path: str
    """Address that answers 200 when the service is ready."""
    environment: Mapping[str, str]
    workers: int = 1
    protocol: str = "httptools"
    """What speaks HTTP; the model service has a protocol of its own, with a short cut for predictions."""

    @property
    def url(self) -> str:
        """Where to reach it from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 -- compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def command(self) -> list[str]:
        """Give the command line of the process."""
        return [
            *(sys.executable, "-m", "uvicorn", self.application, "--http", self.protocol),
            *("--host", self.host, "--port", str(self.port), "--workers", str(self.workers)),
            *("--no-server-header", "--no-access-log", "--timeout-graceful-shutdown", "2"),
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; gives the exit code."""
    from model_api.errors import ServeryError

    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # who reads the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain when it ends
        return 141  # as of a program that was ended by SIGPIPE
    except (Refusal, ServeryError, ValueError) as refusal:
        print(f"servery: {refusal}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    from model_api.cli import add_verbs

    parser = argparse.ArgumentParser(prog="servery", description="Serve scikit-learn models over the counter.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="start the model service and the dashboard")
    run.add_argument("--host", default="127.0.0.1", help="address that both listen on (%(default)s)")
    run.add_argument("--api-port", type=_port, default=8000, help="port of the model service (%(default)s)")
    run.add_argument("--dashboard-port", type=_port, default=5000, help="port of the dashboard (%(default)s)")
    run.add_argument("--models", default="models", help="folder or url of the models (%(default)s/)")
    run.add_argument("--workers", type=_positive, default=1, help="processes of the model service (%(default)s)")
    run.set_defaults(run=_run)
    serve = commands.add_parser("serve", help="start the model service alone, as a container does")
    serve.add_argument("--host", help="address that it listens on (127.0.0.1, in a container every one)")
    serve.add_argument("--port", type=_port, help="port (8000, in a container AIP_HTTP_PORT or 8080)")
    serve.add_argument("--models", help="folder or url of the models (models/, or where the platform puts them)")
    serve.add_argument("--workers", type=_positive, default=1, help="processes (%(default)s)")
    serve.set_defaults(run=_serve)
    examples = commands.add_parser("examples", help="publish the embedded models")
    examples.add_argument("--models", type=Path, default=Path("models"), help="folder of the models (%(default)s/)")
    examples.set_defaults(run=_examples)
    add_verbs(commands)
    return parser


def _port(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535")
    return int(text)


def _positive(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 64):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes: 1 to 64")
    return int(text)


def _examples(options: argparse.Namespace) -> int:
    from model_api.examples import publish_examples

    for folder in publish_examples(options.models):
        _say(f"published {folder}")
    return 0


def _run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="servery-") as counts:
        services = _services(options, counts)
        for service in services:
            _require_free(service)
        _publish_what_is_absent(options.models)
        with _stop_signals() as stop:
            return Supervisor(services, stop).run()


def _serve(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="servery-") as counts:
        service = _model_service_alone(options, counts)
        _require_free(service)
        with _stop_signals() as stop:
            return Supervisor([service], stop).run()


def _model_service_alone(options: argparse.Namespace, counts: str) -> Service:
    """Describe the model service for where this runs: a machine of one's own, or a platform's container."""
    from model_api.containers import PORT, defaults

    expected = defaults(os.environ)
    try:
        port = options.port or _port(expected.port)
    except argparse.ArgumentTypeError as error:
        raise Refusal(f"{PORT}: {error}") from error
    hosts = expected.allowed_hosts if options.host is None else None
    host = options.host or expected.host
    hosts = hosts or _allowed_hosts(host, ("MODEL_API_ALLOWED_HOSTS",))
    models = options.models or expected.models
    service = _model_service(host, port, "--port", models=models, workers=options.workers, hosts=hosts, counts=counts)
    return replace(service, environment={**expected.environment, **service.environment})


def _model_service(
    host: str, port: int, option: str, *, models: str, workers: int, hosts: str, counts: str
) -> Service:  # fmt: skip
    """Describe the process of the model service; `counts` is a folder in which several workers add up their metrics."""
    return Service(
        "model api",
        "model_api.main:app",
        host,
        port,
        option,
        "/health/ready",
        {
            "MODEL_API_MODELS": _absolute(models),
            **_unless_set("MODEL_API_ALLOWED_HOSTS", hosts),
            **({"PROMETHEUS_MULTIPROC_DIR": counts} if workers > 1 else {}),
        },
        workers,
        "model_api.http_protocol:Protocol",
    )


def _services(options: argparse.Namespace, counts: str) -> list[Service]:
    """Describe both processes."""
    if options.api_port == options.dashboard_port:
        raise Refusal(f"port {options.api_port} is given to both: change --api-port or --dashboard-port")
    hosts = _allowed_hosts(options.host)
    more = {"models": options.models, "workers": options.workers}
    api = _model_service(options.host, options.api_port, "--api-port", hosts=hosts, counts=counts, **more)
    dashboard = Service(
        "dashboard",
        "dashboard.main:app",
        options.host,
        options.dashboard_port,
        "--dashboard-port",
        "/ready",
        {"DASHBOARD_MODEL_API_URL": api.url, **_unless_set("DASHBOARD_ALLOWED_HOSTS", hosts)},
    )
    return [api, dashboard]


def _allowed_hosts(host: str, variables: Sequence[str] = ("DASHBOARD_ALLOWED_HOSTS", "MODEL_API_ALLOWED_HOSTS")) -> str:
    """Name the hosts that may be asked for. Raises Refusal when neither the address nor the `variables` tell them."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified and variables[0] not in os.environ:
            opens = f"--host {host} opens what is served to the network: set {' and '.join(variables)}"
            raise Refusal(f"{opens} to the names that people will use, such as servery.example.org")
    own = f"[{host}]" if ":" in host else host
    return ",".join(dict.fromkeys(["127.0.0.1", "localhost", "[::1]", own]))


def _unless_set(name: str, value: str) -> dict[str, str]:
    return {} if name in os.environ else {name: value}


def _require_free(service: Service) -> None:
    """Refuse a port that is taken, before anything is started."""
    try:
        address = socket.getaddrinfo(service.host, service.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(address[0], address[1]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does
            probe.bind(address[4])
    except socket.gaierror as error:
        raise Refusal(f"--host {service.host} is not an address of this machine: {error.strerror}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        taken = f"port {service.port} cannot be used for the {service.name} ({reason})"
        raise Refusal(f"{taken}: choose another with {service.option}") from error


def _absolute(models: str) -> str:
    """Give a folder's whole path; an address elsewhere stays as it is."""
    return models if "://" in models else str(Path(models).absolute())


def _publish_what_is_absent(models: str) -> None:
    """Publish installed model packages, and where there is no model at all the embedded ones."""
    if "://" in models:
        return  # what is kept elsewhere is published on purpose
    # In a process of its own: this one stays small while it watches the services.
    command = [sys.executable, "-m", "model_api.arrivals", models]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_one_thread()) as process:  # noqa: S603 -- our own code and the operator's folder
        assert process.stdout
        for line in process.stdout:
            _say(line.rstrip())
    if process.returncode:
        raise Refusal("the models that this machine brings could not be published")


class StopRequest:
    """Whether somebody asked to stop. A plain flag: a signal handler that takes a lock can wait for itself."""

    made = False

    def make(self, *_: object) -> None:
        """Ask to stop; a signal handler."""
        self.made = True


@contextlib.contextmanager
def _stop_signals() -> Iterator[StopRequest]:
    """Turn Ctrl-C and SIGTERM into a request, so that both services can be ended in order."""
    stop = StopRequest()
    before = {number: signal.signal(number, stop.make) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Supervisor:
    """Starts services, heads their log lines with their names, and ends all when one ends."""

    def __init__(self, services: Sequence[Service], stop: StopRequest) -> None:
        self._services = services
        self._stop_request = stop
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []

    def run(self) -> int:
        """Run until a signal or until a service dies; gives the exit code."""
        try:
            for service in self._services:
                self._processes[service.name] = self._start(service)
            for name, process in self._processes.items():
                self._read(name, process)
            if self._wait_until_ready():
                for service in self._services:
                    _say(f"{service.name:<9} ready at {service.url}")
                _say("press Ctrl-C to stop")
            return self._watch()
        finally:
            self._stop()

    def _start(self, service: Service) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 -- our own command line
            service.command(),
            env={**_one_thread(), "PYTHONUNBUFFERED": "1", **service.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the others in order
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- no threads yet
        )

    def _read(self, name: str, process: "subprocess.Popen[str]") -> None:
        """Copy a process's log to the terminal, each line headed with its name."""
        assert process.stdout
        reader = threading.Thread(target=_copy_lines, args=(name, process.stdout), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self._services)
        while waiting and not self._stop_request.made and not self._dead():
            waiting = [service for service in waiting if not _answers(service.url + service.ready_path)]
            if time.monotonic() > deadline:
                raise Refusal(f"the {waiting[0].name} was not ready after {READY_SECONDS} s; its log says why")
            time.sleep(POLL_SECONDS)
        return not waiting

    def _watch(self) -> int:
        while not self._stop_request.made:
            time.sleep(POLL_SECONDS)
            if dead := self._dead():
                code = self._processes[dead].returncode
                _say(f"the {dead} ended with exit code {code}; stopping the other")
                return 1
        return 0

    def _dead(self) -> str | None:
        return next((name for name, process in self._processes.items() if process.poll() is not None), None)

    def _stop(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            _signal_group(process, signal.SIGTERM)
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _signal_group(process, signal.SIGKILL)  # its workers too, should one be left
            process.wait()
        for reader in self._readers:
            reader.join(0.5)


def _signal_group(process: "subprocess.Popen[str]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _die_with_parent() -> None:
    """Ask Linux to end this child should its parent be killed; runs in the child, before it becomes uvicorn."""
    ctypes.CDLL(None).prctl(LINUX_DEATH_SIGNAL, signal.SIGTERM)


def _one_thread() -> dict[str, str]:
    """Give the environment, with one thread per process for array libraries unless the operator set more.

    Their threads wait for each other in busy loops: on a machine with other work that costs far more than it gains.
    """
    return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


# Without the proxies of the environment: both services are on this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _copy_lines(name: str, lines: IO[str]) -> None:
    for line in lines:
        _print_line(name, line.rstrip("\n"))


def _say(text: str) -> None:
    _print_line("servery", text)


def _print_line(name: str, text: str) -> None:
    head = f"{name:<9} |"
    if sys.stdout.isatty():
        head = f"\033[{COLORS[name]}m{head}\033[0m"
    # In one piece, end of line and all: two threads print, and print() writes its end by itself.
    sys.stdout.write(f"{head} {text}\n")
    sys.stdout.flush()


def _entry() -> NoReturn:
    sys.exit(main())


if __name__ == "__main__":
    _entry()
