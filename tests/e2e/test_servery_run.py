"""`servery run`: one command starts both services, and ends both, whatever happens."""

import json
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.services import READY, STOP_SECONDS, Command, Services, free_ports, left_over, running_servery


@pytest.mark.parametrize(("number", "until"), [(signal.SIGINT, READY), (signal.SIGTERM, "Started server process")])
def test_a_signal_ends_both_in_time(models_folder: Path, tmp_path: Path, number: signal.Signals, until: str) -> None:
    """The fixture `services` shows the same for SIGTERM when both are ready."""
    with running_servery(models_folder, tmp_path, until=until) as services:
        children = services.command.children()
        assert len(children) >= 2
        began = time.monotonic()
        assert services.command.end(number) == 0
        assert time.monotonic() - began < STOP_SECONDS
        assert not left_over(children)


@pytest.mark.parametrize("name", ["model api", "dashboard"])
def test_one_that_dies_takes_the_other_with_it(models_folder: Path, tmp_path: Path, name: str) -> None:
    with running_servery(models_folder, tmp_path) as services:
        children = services.command.children()
        victim(children, name).kill()
        assert services.command.wait() != 0
        assert f"the {name} ended with exit code -9; stopping the other" in services.command.output
        assert not left_over(children)


def test_nothing_is_left_when_the_command_itself_is_killed(models_folder: Path, tmp_path: Path) -> None:
    with running_servery(models_folder, tmp_path, "--workers", "2") as services:
        children = services.command.children()
        services.command.process.kill()
        assert not left_over(children, STOP_SECONDS)


@pytest.mark.parametrize(("option", "name"), [("--api-port", "model api"), ("--dashboard-port", "dashboard")])
def test_a_taken_port_gets_one_line_with_its_option(tmp_path: Path, option: str, name: str) -> None:
    other = {"--api-port": "--dashboard-port", "--dashboard-port": "--api-port"}[option]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = Command(["-m", "servery", "run", option, str(port), other, str(free_ports(1)[0])], folder=tmp_path)
        try:
            assert command.wait(30) == 2
        finally:
            command.close()
    (line,) = command.output.splitlines()
    assert str(port) in line
    assert name in line
    assert option in line
    assert not list(tmp_path.iterdir())


def test_the_output_tells_the_services_apart_and_gives_both_addresses(services: Services) -> None:
    lines = services.command.output.splitlines()
    heads = {"model api |", "dashboard |", "servery   |"}
    assert {line[:11] for line in lines} == heads, [line for line in lines if line[:11] not in heads]
    assert any(services.api in line and "model api ready" in line for line in lines)
    assert any(services.dashboard in line and "dashboard ready" in line for line in lines)


def test_a_request_can_be_followed_through_both_services(page: Page, services: Services) -> None:
    page.goto("/models/diabetes?bmi=30")
    provenance = page.locator(".provenance").inner_text()
    request_id = provenance.rpartition("Request ")[2].strip()
    expect(page.locator("#number")).to_be_visible()
    services.command.wait_for(request_id)
    heads = {line.split("|")[0].strip() for line in services.command.output.splitlines() if request_id in line}
    assert heads == {"model api", "dashboard"}


def test_pages_have_their_styles_and_scripts(page: Page) -> None:
    page.goto("/")
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 50
    assert page.evaluate("typeof htmx") == "object"
    assert json.loads(page.request.get("/ready").text()) == {"ready": True}


def victim(children: list[psutil.Process], name: str) -> psutil.Process:
    """Find the process of a service among the children."""
    application = {"model api": "model_api.main:app", "dashboard": "dashboard.main:app"}[name]
    return next(child for child in children if application in child.cmdline())
