"""What is written is true: examples run, tables match the code, files that are named exist."""

import argparse
import contextlib
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from pydantic_settings import BaseSettings

import dashboard.settings
import model_api.settings
import servery
from model_api import folders, gate, packages, shadows, wire
from model_api.app import create_app
from model_api.artifact import Artifact
from model_api.bulk import media
from model_api.bulk import routes as bulk
from model_api.bulk.answering import MOST_BAD
from model_api.metrics import Metrics
from model_api.publishing import publish
from model_api.publishing.compiling import EXAMPLES, MOST_REAL, proof, proof_rows, thresholds
from model_api.publishing.quality import slices, unseen
from model_api.publishing.sources import DESCRIBED, read_description
from model_api.publishing.table import NAMES
from model_api.registry import Registry
from model_api.runtimes.selection import MANY, TOLERANCES
from model_api.scoring.command import CHUNK_ROWS
from model_api.signature import Feature, Target

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ADDRESS = "http://127.0.0.1:8000"
GUIDES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
TEXTS = {"README.md": README, **GUIDES}


def blocks(language: str) -> list[str]:
    return blocks_in(README, language)


def blocks_in(text: str, language: str) -> list[str]:
    """Give the blocks of a language, whatever stands behind it."""
    return re.findall(rf"^```{language}(?: [^\n]*)?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


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
    assert names["answer"]["interval"] == pytest.approx({"low": 103.96, "high": 307.00, "coverage": 0.9}, abs=0.01)


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


# The guides.


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_inside_the_documentation_leads_somewhere(name: str) -> None:
    folder = ROOT if name == "README.md" else ROOT / "docs"
    for target in re.findall(r"\]\(([^):\s]*)(?=\))", TEXTS[name]):
        path, _, heading = target.partition("#")
        file = folder / path if path else folder / name
        assert file.exists(), target
        if heading:
            assert heading in headings(file.read_text(encoding="utf-8")), target


def headings(text: str) -> set[str]:
    """Give the anchors of a text's headings, as they are made from Markdown."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_links_every_guide() -> None:
    for name in GUIDES:
        assert f"(docs/{name})" in README


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_of_the_documentation_is_understood(name: str) -> None:
    for command in commands_in(TEXTS[name]):
        parser().parse_args(command)  # ends the test with the usage when it is not


def commands_in(text: str) -> list[list[str]]:
    """Give the arguments of each `servery` command: lines of a shell, and those between backticks that are whole."""
    lines = [line for block in blocks_in(text, "sh") for line in block.replace("\\\n", " ").splitlines()]
    lines += [quoted for quoted in re.findall(r"`([^`\n]*)`", text) if not quoted.endswith("…")]
    found = [re.match(r"(?:\w+=\S+ )*servery ([a-z].*)", line) for line in lines]
    return [shlex.split(match[1], comments=True) for match in found if match and not is_name_alone(match[1])]


def is_name_alone(words: str) -> bool:
    """Tell whether a command is only named, such as `servery publish` or `servery publish --package`, not shown."""
    verb, *options = words.split()
    return verb in verbs() and verb != "run" and all(option.startswith("--") for option in options)


@cache
def parser() -> argparse.ArgumentParser:
    return servery._parser()  # noqa: SLF001 -- the real one


@cache
def verbs() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001 -- argparse does not tell otherwise
    return dict(commands.choices)


def test_commands_are_found_where_they_are_written() -> None:
    text = "`servery run --workers 2`, `servery publish`\n\n```sh\nA=b servery inspect models  # look\n```\n"

    assert commands_in(text) == [["inspect", "models"], ["run", "--workers", "2"]]


@pytest.mark.parametrize("name", TEXTS)
def test_every_option_that_is_named_exists(name: str) -> None:
    known = {option for verb in verbs().values() for action in verb._actions for option in action.option_strings}  # noqa: SLF001 -- likewise
    others = {"--app", "--exclude", "--data-binary"}  # flask, rsync and curl

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXTS[name])) <= known | others


@pytest.mark.parametrize("name", TEXTS)
def test_every_setting_that_is_named_exists(name: str) -> None:
    known = {
        settings.model_config["env_prefix"] + field.upper()
        for settings in (model_api.settings.Settings, dashboard.settings.Settings)
        for field in settings.model_fields
    }

    assert set(re.findall(r"\b(?:MODEL_API|DASHBOARD)_[A-Z_]*[A-Z]\b", TEXTS[name])) <= known


@pytest.mark.parametrize("name", TEXTS)
def test_every_python_and_toml_block_can_be_read(name: str) -> None:
    for block in blocks_in(TEXTS[name], "python"):
        compile(block, name, "exec", dont_inherit=True)
    for block in blocks_in(TEXTS[name], "toml"):
        tomllib.loads(block)


def test_the_example_of_the_publishing_guide_writes_the_version_that_it_names(tmp_path: Path) -> None:
    (example,) = blocks_in(GUIDES["publishing.md"], "python")

    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert f"print(folder)  # {done.stdout.strip()}" in example


def test_the_arguments_in_the_publishing_guide_are_those_of_publish() -> None:
    text = GUIDES["publishing.md"]
    table = text[text.index("| argument | meaning |") : text.index("## From a file")]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)

    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(inspect.signature(publish).parameters)


def test_the_description_in_the_publishing_guide_is_understood_as_a_whole(tmp_path: Path) -> None:
    (example,) = blocks_in(GUIDES["publishing.md"], "toml")
    (tmp_path / "courier.toml").write_text(example.replace("# positive", "positive"))

    read = read_description(tmp_path / "courier.toml")

    assert set(tomllib.loads(example)) == set(DESCRIBED)
    for described in read.described.values():
        assert set(described) <= {field.name for field in fields(Feature)}
    assert set(read.target) <= {field.name for field in fields(Target)}
    assert set(read.dtypes) == {"district", "ordered_at"}


def test_the_files_in_the_publishing_guide_are_those_of_versions(models_folder: Path) -> None:
    text = GUIDES["publishing.md"]
    table = text[text.index("## What a version holds") : text.index("**Real training rows")]
    written = {name for row in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(.*?)`", row)}
    versions = [path for path in models_folder.glob("*/*") if path.is_dir()]
    there = {"manifest.json"}.union(*(Artifact(version).manifest.files for version in versions))

    assert there <= written
    assert written - there <= {"pipeline.onnx"}


def test_the_forms_and_figures_in_the_publishing_guide_are_the_code_s() -> None:
    text = " ".join(GUIDES["publishing.md"].split())
    drawn = proof_rows.MIXED + proof_rows.SHAKEN + proof_rows.STRETCHED + proof_rows.GAPPED

    for name in NAMES.values():
        assert f"| {name} |" in text
    for words in (
        f"{drawn:,} rows drawn around them",
        f"up to {MOST_REAL:,} real training rows",
        f"up to {thresholds.MOST:,} thresholds",
        "in batches of " + ", ".join(f"{size:,}" for size in proof.BATCHES if size > 1) + " and all rows",
        f"within {TOLERANCES['float64']:.0e}".replace("e-0", "e-"),
        f"({TOLERANCES['float32']:.0e} in float32)".replace("e-0", "e-"),
        f"at least {proof.FEWEST} rows are tried alone",
        f"one for few rows, one for {MANY} and more",
        f"| {EXAMPLES} rows with the estimator's answers",
        f"at most {unseen.MOST_ROWS:,} rows",
        f"at least {slices.FEWEST} rows",
    ):
        assert words in text
    assert unseen.FOLDS == 10, "the guide says nine tenths, ten times"


def test_the_rules_and_figures_in_the_registry_guide_are_the_gate_s() -> None:
    text = " ".join(GUIDES["registry.md"].split())
    rules = re.findall(r"^\| (it .*?) \|", GUIDES["registry.md"], re.MULTILINE)

    assert len(rules) == 1 + len(gate.RULES)
    for rule in rules:
        assert f'"{rule}"' in inspect.getsource(gate)
    for words in (
        f"by no more than {gate.WORSE_ERROR:.0%}".replace("%", " %"),
        f"by no more than {gate.WORSE_SCORE}",
        f"less than {gate.SLOW_MS:g} ms, or no more than {gate.SLOWER:g} times",
        f"less than {gate.MUCH_MEMORY // 2**20} MiB, or no more than {gate.HUNGRIER:g} times",
        f"(more than {shadows.QUEUE} were waiting)",
        f"`MODEL_API_POLL_SECONDS` ({model_api.settings.Settings().poll_seconds:g} by default)",
        f"`MODEL_API_KEEP_VERSIONS` ({model_api.settings.Settings().keep_versions})",
    ):
        assert words in text
    for name in (folders.HISTORY, folders.TRAFFIC, "aliases.json"):
        assert name in text


def test_the_metrics_in_the_registry_guide_are_counted(tmp_path: Path) -> None:
    metrics = Metrics(Registry(tmp_path, load_version=lambda _: pytest.fail("nothing is loaded")))
    metrics.count("courier/1", 200, 1, 0.1)
    metrics.count_shadow("courier", "2", "agree", 0.0)
    counted = metrics.exposition().decode()

    for name in re.findall(r"\bservery_[a-z_]+", GUIDES["registry.md"]):
        assert name in counted


def test_the_functions_in_the_guide_to_packages_are_those_that_are_called() -> None:
    rows = re.findall(r"^\| `(\w+)\(", GUIDES["model-packages.md"], re.MULTILINE)

    assert rows == re.findall(r"^    (\w+)\(", packages.__doc__ or "", re.MULTILINE)
    assert packages.GROUP in GUIDES["model-packages.md"]


def test_the_files_of_the_example_package_that_are_named_exist() -> None:
    text = GUIDES["model-packages.md"]
    table = text[text.index("## The example") : text.index("It fits its model")]
    names: list[str] = re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)

    assert names
    for name in names:
        assert (ROOT / "examples" / "model_package" / name).is_file(), name


def test_the_package_that_the_guide_writes_from_zero_is_published(tmp_path: Path) -> None:
    """Installed as pip would: its module, and a folder beside it that tells of the distribution."""
    text = GUIDES["model-packages.md"]
    files = dict(re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    project = tomllib.loads(files["pyproject.toml"])["project"]
    (only,) = tomllib.loads(files["pyproject.toml"])["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    (tmp_path / only).write_text(files[only])
    about = tmp_path / f"{project['name']}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = "\n".join(f"{name} = {module}" for name, module in project["entry-points"][packages.GROUP].items())
    (about / "entry_points.txt").write_text(f"[{packages.GROUP}]\n{entries}\n")
    command = next(command for command in commands_in(text) if command[0] == "publish")
    assert f"{project['name']} {project['version']} as {command[-1]}" in text

    done = subprocess.run(
        [sys.executable, "-m", "servery", *command], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models" / "postage" / "1" / "manifest.json").is_file()


# Tables.


@pytest.fixture
def beside_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The guide to tables; the table that it saves lies in the folder at hand."""
    text = GUIDES["bulk.md"]
    (table,) = re.findall(r"^```csv file=patients.csv\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "patients.csv").write_text(table)
    monkeypatch.chdir(tmp_path)
    return text


def test_the_curl_example_of_the_guide_to_tables_answers_as_it_shows(service: str, beside_the_table: str) -> None:
    command = next(block for block in blocks_in(beside_the_table, "sh") if block.startswith("curl"))
    shown = blocks_in(beside_the_table, "csv")[1]

    words = shlex.split(command.replace(ADDRESS, service))
    answer = subprocess.run([*words, "--fail-with-body"], capture_output=True, text=True, check=True).stdout

    assert answer.splitlines()[0] == shown.splitlines()[0]
    assert numbers_in(answer) == pytest.approx(numbers_in(shown))


def numbers_in(table: str) -> list[float]:
    return [float(field) for line in table.splitlines()[1:] for field in line.split(",") if field]


def test_the_python_example_of_the_guide_to_tables_gives_what_it_says(service: str, beside_the_table: str) -> None:
    (example,) = blocks_in(beside_the_table, "python")
    said = re.search(r"# (\[.*\])$", example.strip())
    names: dict[str, Any] = {}

    exec(example.replace(ADDRESS, service), names)

    assert said
    assert names["predictions"]["prediction"].tolist() == pytest.approx(json.loads(said[1]), abs=0.01)


def test_the_commands_of_the_guide_to_tables_score_its_table(beside_the_table: str, models_folder: Path) -> None:
    once, again = (command for command in commands_in(beside_the_table) if command[0] == "score")

    for command in (once, [*again, "--force"]):
        assert servery.main([*command, "--models", str(models_folder)]) == 0
    assert Path("predictions.parquet").is_file()


def test_the_types_options_and_figures_in_the_guide_to_tables_are_the_code_s() -> None:
    text = " ".join(GUIDES["bulk.md"].split())
    options = {option for action in verbs()["score"]._actions for option in action.option_strings}  # noqa: SLF001 -- argparse does not tell otherwise
    shown = set(re.findall(r"`(--[a-z-]+)", text))

    assert set(re.findall(r"`((?:text|application)/[a-z.-]+)`", text)) == set(media.TYPES)
    assert shown | {"--model", "-h", "--help", "--trust-type", "--trust-pickle"} >= options
    for words in (
        f"the first {wire.MAX_PROBLEMS} problems",
        f"more than {bulk.INFLATION} times as much",
        f"{CHUNK_ROWS:,} rows each",
        f"more than {MOST_BAD:,} of them",
    ):
        assert words in text
