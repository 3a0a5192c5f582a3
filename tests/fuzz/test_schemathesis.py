"""Thousands of requests drawn from the service's own OpenAPI document: every answer is as the document says.

schemathesis runs in an environment of its own, with schemathesis.toml and hooks.py beside this file; its report is
looked at here.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.environments import is_made, python_of
from tests.e2e.services import Command, free_ports
from tests.fuzz.every_kind import publish_every_kind

Json = dict[str, Any]
HERE = Path(__file__).parent
ENVIRONMENT = "schemathesis"
READY = "press Ctrl-C to stop"
PHASES = {"examples", "coverage", "fuzzing", "stateful"}
FEWEST_CASES = 5_000
MOST_SECONDS = 3_600
MOST_EXCUSED = 0.05
"""Share of cases whose failure a hook may let pass."""


@pytest.fixture(scope="module")
def address(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service as `servery run` starts it, with the embedded models and those of every type of feature."""
    folder = Path(shutil.copytree(models_folder, tmp_path_factory.mktemp("fuzz") / "models"))
    publish_every_kind(folder)
    (port,) = free_ports(1)
    command = Command(["-m", "servery", "serve", "--port", str(port), "--models", str(folder)])
    command.wait_for(READY)
    yield f"http://127.0.0.1:{port}"
    command.end()
    command.close()
    assert "Traceback" not in command.output


@pytest.fixture(scope="module")
def report(address: str, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What schemathesis found."""
    if not is_made(ENVIRONMENT):
        pytest.fail(f"the environment {ENVIRONMENT} is not there or not current: run `make fuzz`")
    written = tmp_path_factory.mktemp("report") / "report.json"
    schemathesis = python_of(ENVIRONMENT).with_name("schemathesis")
    options = ["--no-color", "--config-file", str(HERE / "schemathesis.toml")]
    reporting = ["--report", "json", "--report-json-path", str(written)]
    done = subprocess.run(
        [schemathesis, *options, "run", f"{address}/openapi.json", *reporting],
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_SECONDS,
        cwd=written.parent,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")},
    )
    print(done.stdout[-20_000:], done.stderr[-4_000:])
    assert written.is_file(), "schemathesis did not come to its end"
    found: Json = json.loads(written.read_bytes())
    return found


def test_thousands_of_cases_are_answered_as_the_document_says(report: Json) -> None:
    assert report["failures"] == []
    assert report["errors"] == []
    assert report["test_cases"]["generated"] >= FEWEST_CASES
    assert report["test_cases"]["with_failures"] == 0
    assert report["filtered"] <= MOST_EXCUSED * report["test_cases"]["generated"]


def test_every_phase_and_every_operation_was_tested(report: Json) -> None:
    assert {name for name, phase in report["phases"].items() if phase["status"] == "success"} == PHASES
    assert report["operations"]["tested"] == report["operations"]["total"] > 16


def test_what_the_document_calls_valid_is_mostly_accepted(report: Json) -> None:
    """Numbers are drawn from all that there are: for some, a model has no finite prediction."""
    for operation, phases in report["valid_rates"].items():
        accepted = sum(phase["accepted"] for phase in phases.values())
        rejected = sum(phase["rejected"] for phase in phases.values())
        assert accepted > rejected, operation


def test_schemathesis_has_nothing_to_warn_of(report: Json) -> None:
    assert not {name: found for name, found in report["warnings"].items() if found}
