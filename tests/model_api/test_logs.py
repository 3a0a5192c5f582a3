"""How the log is written."""

import json
import logging
from collections.abc import Callable
from typing import Any, Literal

import pytest
import structlog

LogToStderr = Callable[[Literal["readable", "json"]], None]


def fail() -> None:
    password = "hunter2"
    raise RuntimeError(f"cannot open a door of {len(password)} locks")


def log_everything() -> None:
    structlog.stdlib.get_logger("model_api.access").info("request", path="/predict", status=200)
    logging.getLogger("model_api.registry").error("model %s is broken:\nbadly", "rent")
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.access").info("GET /predict?bmi=31 200")
    try:
        fail()
    except RuntimeError:
        structlog.stdlib.get_logger("model_api.access").exception("failed", path="/predict")


def test_the_json_format_gives_one_parseable_line_an_event(
    log_to_stderr: LogToStderr, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("json")

    log_everything()

    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("request", "info"),
        ("model rent is broken:\nbadly", "error"),
        ("Started server process", "info"),
        ("failed", "error"),
    ]
    assert lines[0]["path"] == "/predict"
    assert lines[0]["timestamp"].endswith("Z")
    assert "RuntimeError: cannot open a door" in lines[-1]["exception"]


def test_the_readable_format_gives_one_line_an_event_and_a_traceback_after_a_failure(
    log_to_stderr: LogToStderr, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("readable")

    log_everything()

    lines = capsys.readouterr().err.splitlines()
    assert [
        "request" in lines[0],
        "rent is broken" in lines[1],
        "Started server" in lines[2],
        "failed" in lines[3],
    ] == [*(True, True, True, True)]
    assert lines[4].startswith("Traceback")
    assert lines[-1] == "RuntimeError: cannot open a door of 7 locks"


@pytest.mark.parametrize("log_format", ["json", "readable"])
def test_uvicorns_own_access_line_with_its_query_is_not_written(
    log_to_stderr: LogToStderr, capsys: pytest.CaptureFixture[str], log_format: Literal["readable", "json"]
) -> None:
    log_to_stderr(log_format)

    log_everything()

    assert "bmi=31" not in capsys.readouterr().err


def test_a_traceback_never_shows_local_variables_whatever_is_installed(log_to_stderr: LogToStderr) -> None:
    log_to_stderr("readable")

    (handler,) = logging.getLogger().handlers
    formatter = handler.formatter
    assert isinstance(formatter, structlog.stdlib.ProcessorFormatter)
    renderer = formatter.processors[-1]

    # With rich or better-exceptions beside it, structlog would print the local variables: inputs among them.
    assert isinstance(renderer, structlog.dev.ConsoleRenderer)
    assert renderer.exception_formatter is structlog.dev.plain_traceback
