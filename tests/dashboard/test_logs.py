"""How the log is written."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog

from dashboard.logs import configure_logging

Configure = Callable[[Literal["readable", "json"]], None]
LOGGERS = ("", "uvicorn", "uvicorn.error", "uvicorn.access")


@pytest.fixture
def log_to_stderr() -> Iterator[Configure]:
    """Configure logging as `main` does, for one test; ask for capsys as well, to read it."""
    before = [
        (logger, logger.handlers[:], logger.level, logger.propagate) for logger in map(logging.getLogger, LOGGERS)
    ]

    def configure(log_format: Literal["readable", "json"]) -> None:
        configure_logging(log_format)
        structlog.configure(cache_logger_on_first_use=False)  # or the loggers would keep this configuration

    yield configure
    structlog.reset_defaults()
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate


def fail() -> None:
    password = "hunter2"
    raise RuntimeError(f"cannot open a door of {len(password)} locks")


def log_everything() -> None:
    structlog.stdlib.get_logger("dashboard.access").info("request", path="/models/wine", status=200)
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.access").info("GET /models/wine?ash=2 200")
    try:
        fail()
    except RuntimeError:
        logging.getLogger("dashboard.app").exception("Exception on /models/wine [GET]")


def test_the_json_format_gives_one_parseable_line_an_event(
    log_to_stderr: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("json")

    log_everything()

    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("request", "info"),
        ("Started server process", "info"),
        ("Exception on /models/wine [GET]", "error"),
    ]
    assert lines[0]["path"] == "/models/wine"
    assert lines[0]["timestamp"].endswith("Z")
    assert "RuntimeError: cannot open a door" in lines[-1]["exception"]


def test_the_readable_format_gives_one_line_an_event_and_a_traceback_after_a_failure(
    log_to_stderr: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("readable")

    log_everything()

    lines = capsys.readouterr().err.splitlines()
    assert ["request" in lines[0], "Started server" in lines[1], "Exception on" in lines[2]] == [True, True, True]
    assert lines[3].startswith("Traceback")


@pytest.mark.parametrize("log_format", ["readable", "json"])
def test_neither_what_people_typed_nor_a_local_variable_is_logged(
    log_to_stderr: Configure, capsys: pytest.CaptureFixture[str], log_format: Literal["readable", "json"]
) -> None:
    log_to_stderr(log_format)

    log_everything()

    written = capsys.readouterr().err
    assert "ash=2" not in written
    assert "hunter2" not in written


@pytest.mark.parametrize("log_format", ["readable", "json"])
@pytest.mark.parametrize("path", ["/x\r\n2026 [error] forged", "/x\x1b[31mforged", "/x\x9b31mforged", "/x\x0bforged"])
def test_a_path_can_forge_no_line_and_colour_no_terminal(
    log_to_stderr: Configure, capsys: pytest.CaptureFixture[str], log_format: Literal["readable", "json"], path: str
) -> None:
    log_to_stderr(log_format)

    structlog.stdlib.get_logger("dashboard.access").info("request", path=path)

    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert written.strip().isprintable()
    assert "forged" in written
