"""`servery serve`: the model service alone, on a machine and in a platform's container."""

import json
import signal
import urllib.request
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

import servery
from model_api import containers
from tests.e2e.services import Command

PLATFORM = ("AIP_HTTP_PORT", "AIP_STORAGE_URI", "MODEL_API_MODELS", "MODEL_API_ALLOWED_HOSTS")


@pytest.fixture(autouse=True)
def no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run wherever they run."""
    for name in PLATFORM:
        monkeypatch.delenv(name, raising=False)


def described(**options: Any) -> servery.Service:
    given = {"host": None, "port": None, "models": None, "workers": 1, **options}
    return servery._model_service_alone(Namespace(**given), "")  # noqa: SLF001 -- what is started is what this is about


def test_it_serves_loopback_unless_told_otherwise() -> None:
    service = described()

    assert service.url == "http://127.0.0.1:8000"
    assert service.environment["MODEL_API_ALLOWED_HOSTS"].startswith("127.0.0.1,")
    assert described(host="127.0.0.2", port=81).url == "http://127.0.0.2:81"


def test_in_a_container_it_serves_as_the_platform_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIP_HTTP_PORT", "8085")
    monkeypatch.setenv("AIP_STORAGE_URI", "gs://bucket/models")

    service = described()

    assert (service.host, service.port) == ("0.0.0.0", 8085)
    assert service.environment["MODEL_API_MODELS"] == "gs://bucket/models"
    assert service.environment["MODEL_API_ALLOWED_HOSTS"] == "*"
    assert described(port=9, models="mine").environment["MODEL_API_MODELS"].endswith("/mine")


def test_the_network_is_let_in_only_by_name_where_there_is_no_platform(capsys: pytest.CaptureFixture[str]) -> None:
    assert servery.main(["serve", "--host", "0.0.0.0"]) == 2
    assert "MODEL_API_ALLOWED_HOSTS" in capsys.readouterr().err


def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AIP_HTTP_PORT", "http")

    assert servery.main(["serve"]) == 2
    assert "AIP_HTTP_PORT: 'http' is not a port" in capsys.readouterr().err


def test_it_is_started_and_ended_like_both_services(models_folder: Path, unused_ports: tuple[int, int]) -> None:
    routes = {"AIP_HEALTH_ROUTE": "/alive", "AIP_PREDICT_ROUTE": "/answer"}
    environment = {containers.PORT: str(unused_ports[0]), containers.MODELS: str(models_folder), **routes}
    command = Command(["-m", "servery", "serve"], environment=environment)
    try:
        command.wait_for("press Ctrl-C to stop")
        with urllib.request.urlopen(f"http://127.0.0.1:{unused_ports[0]}/alive", timeout=5) as answer:
            assert json.load(answer) == {"ready": True}
        assert command.end(signal.SIGTERM) == 0
    finally:
        command.close()
