"""What is written is true: examples run, tables match the code, files that are named exist."""

import contextlib
import json
import re
import shlex
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from pydantic_settings import BaseSettings

import dashboard.settings
import model_api.settings
from model_api.app import create_app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ADDRESS = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def service(models_folder: Path, unused_ports: tuple[int, int]) -> Iterator[str]:
    """The address of a model service that has loaded the embedded models."""
    port, _ = unused_ports
    app = create_app(model_api.settings.Settings(models=str(models_folder)))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{url}/health/ready", timeout=2).ok:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield url
    server.should_exit = True
    thread.join()


def test_the_curl_examples_answer_with_predictions(service: str) -> None:
    commands = [
        command
        for block in blocks("sh")
        for command in re.findall(r"^curl .*?(?=^curl|\Z)", block, re.MULTILINE | re.DOTALL)
    ]

    answers = [run_curl(command.replace(ADDRESS, service)) for command in commands]

    assert len(answers) == 2
    assert len(answers[0]["prediction"]) == 3
    assert answers[1]["prediction"] == pytest.approx(205.48601048405718)


def run_curl(command: str) -> dict[str, Any]:
    words = shlex.split(command.replace("\\\n", " "))
    answer = subprocess.run([*words, "--fail-with-body"], capture_output=True, text=True, check=True).stdout
    return dict(json.loads(answer))


def test_the_python_example_answers_as_its_comments_say(service: str) -> None:
    example = next(block for block in blocks("python") if "requests.post" in block)
    names: dict[str, Any] = {}

    exec(example.replace(ADDRESS, service), names)

    assert names["answer"]["prediction"] == pytest.approx(205.48, abs=0.01)
    assert names["answer"]["interval"] == pytest.approx({"low": 113.97, "high": 297.00, "coverage": 0.9}, abs=0.01)


def test_the_publishing_example_writes_the_version_that_it_names(tmp_path: Path) -> None:
    example = next(block for block in blocks("python") if "servery.publish" in block)

    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True)

    assert (tmp_path / "models" / "weight" / "1" / "manifest.json").is_file()


@pytest.mark.parametrize("settings", [model_api.settings.Settings, dashboard.settings.Settings])
def test_the_table_of_settings_is_the_code_s(settings: type[BaseSettings]) -> None:
    prefix = settings.model_config["env_prefix"]
    rows = re.findall(rf"^\| `{prefix}(\w+)` \|\s*(.*?)\s*\| (.*?) \|$", README, re.MULTILINE)

    assert rows == [
        (name.upper(), shown_default(field.default if field.default_factory is None else None), field.description)
        for name, field in settings.model_fields.items()
    ]


def shown_default(value: object) -> str:
    text = ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return f"`{text}`" if text else ""


def test_the_readme_s_command_line_is_the_program_s() -> None:
    options = set(re.findall(r"\[(--[a-z-]+)", README))
    usage = subprocess.run(
        [sys.executable, "-m", "servery", "run", "--help"], capture_output=True, text=True, check=True
    )

    assert options == set(re.findall(r"--[a-z-]+", usage.stdout)) - {"--help"}


def test_every_dependency_has_its_reason() -> None:
    decisions = (ROOT / "docs" / "decisions.md").read_text()
    names = {re.split(r"[>;\[ ]", line)[0] for line in PROJECT["project"]["dependencies"]}

    assert names == set(re.findall(r"^\| ([a-z0-9-]+) \|", decisions, re.MULTILINE)) - {"package"}
    for line in PROJECT["project"]["optional-dependencies"]["test"]:
        assert re.split(r"[>;\[ ]", line)[0] in decisions


def test_the_changelog_s_newest_version_is_the_package_s() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert newest
    assert newest[1] == PROJECT["project"]["version"]


def test_every_file_that_the_readme_names_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_constraints_pin_versions_and_no_addresses() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+( ; .*)?", line), line
