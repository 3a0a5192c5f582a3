"""The real clients' examples in docs/clients.md print what their last comment says."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.conftest import READY
from tests.conformance.environments import is_made, python_of
from tests.e2e.services import Command, free_ports

GUIDE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()
EXAMPLES = dict(re.findall(r"^```python env=(\w+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def port(models_folder: Path) -> Iterator[int]:
    """The port of a service with the embedded models."""
    (port,) = free_ports(1)
    command = Command(["-m", "servery", "serve", "--port", str(port), "--models", str(models_folder)])
    command.wait_for(READY)
    yield port
    command.end()
    command.close()


def test_there_is_an_example_for_each_python_client() -> None:
    assert set(EXAMPLES) == {"triton", "kserve", "mlflow", "vetiver"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_it_says(name: str, port: int) -> None:
    assert is_made(name), "run `make conformance`"
    (expected,) = re.findall(r"print\(.*\)  # (.*)$", EXAMPLES[name], re.MULTILINE)

    done = subprocess.run(
        [python_of(name), "-W", "ignore", "-c", EXAMPLES[name].replace("8000", str(port))],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip

    assert expected.split() == done.stdout.split()[-len(expected.split()) :]
