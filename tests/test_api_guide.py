"""docs/api.md: each command gives the answer that stands below it, and the tables are the code's."""

import ast
import inspect
import json
import re
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn

import servery
from model_api import admission, json_body
from model_api import client as python_client
from model_api.app import create_app
from model_api.middleware import REQUEST_ID
from model_api.routes import predict
from model_api.routes.errors import TABLE
from model_api.settings import Settings
from model_api.stages import Stages
from model_api.wire import OPTIONS
from tests.test_clients_guide import alike
from tests.test_docs import ADDRESS, GUIDES, blocks_in

TEXT = GUIDES["api.md"]
EXAMPLES: list[tuple[str, str]] = re.findall(
    r"^```sh\n(curl .*?)^```\n\n```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE
)
ELSEWHERE = {
    (400, "unknown-host"), (404, "not-found"), (405, "method-not-allowed"), (406, "refused"), (500, "internal-error"),
}  # fmt: skip
"""Problems that are no errors of our own, so that routes/errors.py has no line for them."""
NOBODY_READS = {(499, "caller-left")}
PATIENT = {
    "age": 59,
    "sex": 2,
    "bmi": 32.1,
    "bp": 101,
    "s1": 157,
    "s2": 93.2,
    "s3": 38,
    "s4": 4,
    "s5": 4.8598,
    "s6": 87,
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service(models_folder: Path) -> Iterator[str]:
    """The address of a model service that has loaded the embedded models."""
    server = uvicorn.Server(uvicorn.Config(create_app(Settings(models=str(models_folder))), log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with servery.Client(url) as client:
            client.wait_until_ready(60)
        yield url
        server.should_exit = True
        thread.join()


def section(title: str) -> str:
    """Give what stands below a heading."""
    found = re.search(rf"^##+ {title}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def first_cells(text: str, heading: str) -> list[str]:
    """Give what is between backticks in the first column of a table."""
    table = text[text.index(f"| {heading} |") :].partition("\n\n")[0]
    return [name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def run_curl(command: str) -> Any:
    words = shlex.split(command.replace("\\\n", " "))
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def left_out(found: Any, expected: Any) -> Any:
    """Put … where the guide has it."""
    if expected in ("…", ["…"]):
        return expected
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: left_out(value, expected.get(key)) for key, value in found.items()}
    return found


def test_every_command_gives_the_answer_below_it(service: str) -> None:
    assert len(EXAMPLES) == TEXT.count("\ncurl ") == 9
    for command, told in EXAMPLES:
        answer, expected = run_curl(command.replace(ADDRESS, service)), json.loads(told)
        assert alike(left_out(answer, expected), expected), command


def test_the_python_examples_give_what_their_comments_say(service: str) -> None:
    for example in blocks_in(section("From Python"), "python"):
        names: dict[str, Any] = {}
        exec(example.replace(ADDRESS, service), names)
        if "client" in names:
            names["client"].close()
        said = re.findall(r"^([a-z\[].*?)  # (.*)$", example, re.MULTILINE)

        assert len(said) >= 2
        for expression, expected in said:
            assert eval(expression, names) == ast.literal_eval(expected), expression


def test_the_client_s_example_in_the_other_guide_gives_a_prediction_for_each_wine(service: str) -> None:
    (example,) = [block for block in blocks_in(GUIDES["clients.md"], "python") if "servery.Client" in block]
    *setup, last = example.strip().splitlines()
    names: dict[str, Any] = {}

    exec("\n".join(setup).replace(ADDRESS, service), names)

    assert eval(last, names) == ["cultivar 1"] * 3
    names["client"].close()


def test_every_problem_has_its_line() -> None:
    lines = re.findall(r"^\| (\d+) \| `/problems/([a-z-]+)` \|", section("Errors"), re.MULTILINE)

    told = {(int(status), slug) for status, slug in lines}
    assert told == ({tuple(kind) for kind in TABLE.values()} | ELSEWHERE) - NOBODY_READS
    assert len(lines) == len(told)


@pytest.mark.parametrize(
    ("method", "path", "sent", "problem"),
    [
        ("GET", "/models", {"headers": {"Host": "elsewhere.example"}}, (400, "unknown-host")),
        ("GET", "/nothing", {}, (404, "not-found")),
        ("DELETE", "/predict", {}, (405, "method-not-allowed")),
        ("POST", "/predict", {"headers": {"Content-Type": "text/csv", "Accept": "image/png"}}, (406, "refused")),
        ("POST", "/predict", {"headers": {"Content-Type": "text/plain"}}, (415, "unsupported-media-type")),
        ("POST", "/predict", {"headers": JSON, "data": "{"}, (400, "unreadable-body")),
        ("POST", "/predict", {"json": []}, (422, "invalid-request")),
        ("POST", "/models/beer/predict", {"json": []}, (404, "unknown-model")),
        ("POST", "/models/wine/versions/9/predict", {"json": []}, (404, "unknown-version")),
    ],
)
def test_a_problem_comes_as_its_line_says(
    service: str, method: str, path: str, sent: dict[str, Any], problem: tuple[int, str]
) -> None:
    answer = requests.request(method, service + path, timeout=20, **sent)

    assert (answer.status_code, answer.json()["type"]) == (problem[0], f"/problems/{problem[1]}")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert ("Allow" in answer.headers) == (answer.status_code == 405)
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"]


def test_the_headers_of_an_answer_are_those_of_a_prediction(service: str) -> None:
    answer = requests.post(f"{service}/predict", json={"data": PATIENT}, timeout=20)
    told = first_cells(section("Headers"), "comes with an answer")
    (example,) = blocks_in(section("Headers"), "http")
    shown = [line.partition(":")[0] for line in example.splitlines()[1:]]

    assert {name for name in told if name in answer.headers} == set(told) - {"Retry-After", "Allow"}
    assert set(shown) <= {name.lower() for name in answer.headers}
    stages = re.findall(r"(\w+);dur=", answer.headers["Server-Timing"])
    assert set(stages) <= set(Stages._fields)
    assert all(f"`{stage}`" in section("Headers") for stage in Stages._fields)


def test_the_headers_of_a_request_do_what_is_said(service: str) -> None:
    def ask(**headers: str) -> requests.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(f"{service}/predict", json={"data": [PATIENT]}, headers=sent, timeout=20)

    longest = "x" * 128
    assert REQUEST_ID.fullmatch(longest)
    assert ask(X_Request_ID=longest).json()["request_id"] == longest
    assert ask(X_Request_ID=longest + "x").json()["request_id"] != longest + "x"
    assert ask(X_Request_Timeout="0.5").ok
    assert ask(X_Request_Timeout="soon").status_code == 422
    assert ask(Accept="text/csv").headers["Content-Type"].startswith("text/csv")
    assert first_cells(section("Headers"), "sent with a request") == [
        "Content-Type", "Accept", "X-Request-ID", "X-Request-Timeout", "traceparent",
    ]  # fmt: skip


def test_each_form_of_a_body_names_its_predictions_as_said(service: str) -> None:
    rows = re.findall(r"^\| `(.*\[\{….*)` \| `(\w+)` \|$", section("Predict for many"), re.MULTILINE)

    assert len(rows) == 3
    for form, key in rows:
        body = json.loads(form.replace("{…}", json.dumps(PATIENT)))
        answer = requests.post(f"{service}/predict", json=body, timeout=20).json()
        assert len(answer[key]) == 2


def test_the_options_and_fields_are_the_code_s(service: str) -> None:
    listed = requests.get(f"{service}/models/wine", timeout=20).json()
    prediction = requests.post(f"{service}/predict", json={"data": PATIENT}, timeout=20).json()

    assert first_cells(section("Options"), "option") == list(OPTIONS)
    assert set(first_cells(section("What is served"), "field")) == set(listed) - {"name", "card"}
    assert set(first_cells(section("Predict for one"), "field")) == {*prediction, "probabilities"}


def test_every_metric_has_its_line(service: str) -> None:
    exposition = requests.get(f"{service}/metrics", timeout=20).text
    counted = re.findall(r"^# TYPE (servery_\w+) (?:counter|gauge|histogram)$", exposition, re.MULTILINE)
    names = {name for name in counted if not name.endswith("_created")}

    assert set(first_cells(section("Health and metrics"), "metric")) == names


def test_the_limits_are_the_code_s() -> None:
    rows = re.findall(r"^\| ([a-z].*?) \| ([\d.]+) \| (?:`MODEL_API_(\w+)`)?", section("Limits"), re.MULTILINE)
    limits = {what: (float(number), setting) for what, number, setting in rows}

    for number, setting in limits.values():
        if setting:
            assert number == Settings.model_fields[setting.lower()].default
    assert {setting for _, setting in limits.values() if setting} == {
        name.upper() for name in Settings.model_fields if name.startswith("max_")
    }
    assert limits["depth of a JSON body"][0] == json_body.MAX_DEPTH
    assert limits["rows of a page of reference data"][0] == predict.MAX_PAGE
    assert limits["work that waits, in seconds"][0] == admission.MOST_SECONDS
    assert f"1 to {predict.MAX_PAGE}, {predict.PAGE} unless" in TEXT


def test_every_address_is_one_of_the_service(service: str) -> None:
    addresses = {
        address.replace("{model}", "wine").replace("{version}", "champion")
        for line in TEXT.splitlines()
        for address in re.findall(r"`(?:GET |POST )?(/[a-z/{}]+)`", line)
        if "/problems/" not in line
    }

    assert {"/predict", "/models/wine/versions/champion/predict", "/metrics"} <= addresses
    for address in addresses:
        assert requests.get(service + address, params={"limit": 1} if "predict" in address else {}, timeout=20).ok, (
            address
        )


def test_the_calls_and_errors_of_the_python_client_are_the_code_s() -> None:
    text = section("From Python")
    calls = [name.partition("(")[0] for name in first_cells(text, "call")]
    public = {name for name, _ in inspect.getmembers(servery.Client, inspect.isfunction) if not name.startswith("_")}
    errors = first_cells(text, "error")
    parts = {field.name for field in fields(python_client.Prediction)} - {"errors"}

    assert set(calls) == public - {"close"}
    assert {name.removeprefix("servery.") for name in errors} == set(servery.__all__) - {"Client", "main", "publish"}
    assert all(f"`{part}`" in text for part in parts)
    assert python_client.RETRIES == 2
    for status, kind in python_client.KINDS.items():
        (line,) = (line for line in text.splitlines() if line.startswith(f"| `servery.{kind.__name__}`"))
        assert str(status) in line
