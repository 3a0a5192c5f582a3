"""The command line: what it refuses, in one line, before anything is started."""

import signal
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

import servery
from model_api.examples import NAMES, absent


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("option", ["--api-port", "--dashboard-port"])
def test_a_taken_port_gets_one_line_with_the_port_and_the_option(
    option: str, taken_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = servery.main(["run", option, str(taken_port), "--models", str(tmp_path / "models")])

    line = capsys.readouterr().err
    assert code == 2
    assert line.count("\n") == 1
    assert str(taken_port) in line
    assert option in line
    assert not (tmp_path / "models").exists()


def test_one_port_for_both_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert servery.main(["run", "--api-port", "9000", "--dashboard-port", "9000"]) == 2
    assert "--dashboard-port" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run", "--api-port", "0"],
        ["run", "--api-port", "x"],
        ["run", "--workers", "0"],
        ["run", "--api-port", "70000"],
    ],
)
def test_rubbish_gets_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        servery.main(arguments)

    assert exit_.value.code == 2
    assert "usage: servery" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_the_whole_network_is_let_in_only_by_name(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DASHBOARD_ALLOWED_HOSTS", raising=False)

    assert servery.main(["run", "--host", host]) == 2
    assert "DASHBOARD_ALLOWED_HOSTS" in capsys.readouterr().err


def test_a_host_that_is_no_address_of_this_machine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert servery.main(["run", "--host", "no such host"]) == 2
    assert "no such host" in capsys.readouterr().err


def test_what_the_operator_set_in_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_ALLOWED_HOSTS", "servery.example.org")
    options = Namespace(host="0.0.0.0", api_port=1, dashboard_port=2, models="models", workers=3)

    api, dashboard = servery._services(options, "")  # noqa: SLF001 -- what is handed on is what this is about

    assert "DASHBOARD_ALLOWED_HOSTS" not in dashboard.environment
    assert dashboard.environment["DASHBOARD_MODEL_API_URL"] == "http://127.0.0.1:1"
    assert api.command()[api.command().index("--workers") :][:2] == ["--workers", "3"]


def test_embedded_models_are_published_where_they_are_absent_and_never_beside_the_user_s_own(
    models_folder: Path, tmp_path: Path
) -> None:
    assert absent(models_folder) == []
    assert absent(tmp_path) == list(NAMES)

    (tmp_path / "mine" / "1").mkdir(parents=True)

    assert absent(tmp_path) == []


def test_signals_that_come_in_a_flood_end_both_services(models_folder: Path, unused_ports: tuple[int, int]) -> None:
    """A handler that took a lock would wait for itself here."""
    api_port, dashboard_port = unused_ports
    ports = ["--api-port", str(api_port), "--dashboard-port", str(dashboard_port)]
    command = [sys.executable, "-m", "servery", "run", *ports, "--models", str(models_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert any("press Ctrl-C" in line for line in process.stdout)
        for number in [signal.SIGTERM, signal.SIGINT] * 50:
            process.send_signal(number)
        process.stdout.read()

        assert process.wait(5) == 0
