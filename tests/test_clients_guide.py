"""docs/clients.md: each command gives the answer that stands below it. The real clients' examples are run by
tests/conformance, in their environments.
"""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import requests

from model_api.protocols import mlflow, outputs
from tests.test_docs import ADDRESS, GUIDES, blocks_in, run_curl, service

__all__ = ["service"]

TEXT = GUIDES["clients.md"]
EXAMPLES: list[tuple[str, str]] = re.findall(
    r"^```sh\n(curl .*?)^```\n\n```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE
)


def alike(found: Any, expected: Any) -> bool:
    """Compare, with numbers as near as they are written, and whatever request id."""
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(
            alike(found[key], expected[key]) for key in expected if key != "request_id"
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(alike, found, expected))
    return bool(found == (pytest.approx(expected) if isinstance(expected, float) else expected))


def test_every_command_gives_the_answer_below_it(service: str) -> None:
    assert len(EXAMPLES) == TEXT.count("\ncurl ")
    for command, expected in EXAMPLES:
        answer = run_curl(command.replace(ADDRESS, service))
        assert alike(answer, json.loads(expected)), command


def test_the_python_example_gives_a_prediction_for_each_wine(service: str) -> None:
    (example,) = [block for block in blocks_in(TEXT, "python") if "requests" in block]
    names: dict[str, Any] = {}

    exec(example.replace(ADDRESS, service), names)

    assert len(names["answer"]["prediction"]) == 3


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here to run it")
def test_the_javascript_example_gives_what_python_gets(service: str) -> None:
    (example,) = blocks_in(TEXT, "js")
    command = ["node", "--input-type=module", "-e", example.replace(ADDRESS, service)]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    expected = requests.get(f"{service}/models/wine/predict", params={"limit": 3}, timeout=5).json()["prediction"]
    assert all(str(value) in done.stdout for value in expected)


def test_the_formats_and_calls_that_are_named_are_those_that_are_taken() -> None:
    for name in mlflow.FORMATS:
        assert f"`{name}`" in TEXT
    for name in (outputs.PROBABILITIES, "predict", "classify", "regress", "explain"):
        assert name in TEXT
