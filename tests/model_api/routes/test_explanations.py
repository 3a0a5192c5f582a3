"""POST …/explanations/{call}: the envelope that every call shares, and what is refused."""

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import httpx2
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from starlette.testclient import TestClient

from model_api.explanations import calls
from model_api.publishing import publish
from model_api.routes import explanations as module
from model_api.routes.explanations import ExplanationLine
from tests.model_api.protocols.test_mutations import spoil

ReferenceRows = Callable[[str, int], list[dict[str, Any]]]
WHY = "contributions"
DICTIONARY = cast("dict[str, Any]", calls.CALLS)
"""The calls, to which a test may add one."""


def ask(client: TestClient, model: str, row: object, call: str = WHY, **options: Any) -> httpx2.Response:
    return client.post(f"/models/{model}/explanations/{call}", json={"data": row, "options": options})


def answered(client: TestClient, model: str, row: object, call: str = WHY, **options: Any) -> dict[str, Any]:
    answer = ask(client, model, row, call, **options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: httpx2.Response, status: int, slug: str) -> str:
    """Give the sentence with which a request was refused."""
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{slug}"), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return str(problem["detail"])


@pytest.mark.parametrize("model", ["diabetes", "breast-cancer", "wine", "loans"])
def test_contributions_lead_from_the_base_to_the_prediction(
    client: TestClient, reference_rows: ReferenceRows, model: str
) -> None:
    row = reference_rows(model, 3)[2]
    predicted = client.post(f"/models/{model}/predict", json={"data": row}).json()

    answer = answered(client, model, row)

    total = answer["base"] + sum(item["contribution"] for item in answer["contributions"])
    assert total == pytest.approx(answer["prediction"], rel=1e-9, abs=1e-9)
    told = predicted["probabilities"][str(answer["class"])] if "class" in answer else predicted["prediction"]
    assert answer["prediction"] == pytest.approx(told, rel=1e-9)
    assert {item["feature"]: item["value"] for item in answer["contributions"]} == row


def test_every_answer_tells_who_gave_it_and_how_long_it_took(client: TestClient, patient: dict[str, Any]) -> None:
    answer = ask(client, "diabetes", patient)
    body = answer.json()

    assert (body["model"], body["version"]) == ("diabetes", "1")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert 0 < body["milliseconds"] < 5000
    assert "approximation" in body


@pytest.mark.parametrize("version", ["1", "champion"])
def test_one_version_is_asked_by_its_number_or_alias(client: TestClient, patient: dict[str, Any], version: str) -> None:
    answer = client.post(f"/models/diabetes/versions/{version}/explanations/{WHY}", json={"data": patient})

    assert answer.status_code == 200
    assert answer.json()["version"] == "1"


def test_the_version_that_is_asked_is_the_one_that_answers(
    small_models: Path, serving: Callable[..., TestClient]
) -> None:
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    for weight in (1.0, 2.0):
        y = (weight * X["a"] + 0 * X["b"]).rename("y")
        publish(LinearRegression().fit(X, y), X, y, name="twice", models=small_models)
    client = serving(small_models)

    found = {}
    for version in ("1", "2", "champion"):
        answer = client.post(f"/models/twice/versions/{version}/explanations/{WHY}", json={"data": {"a": 3, "b": 0}})
        found[version] = (answer.json()["version"], round(answer.json()["prediction"], 6))

    assert found == {"1": ("1", 3), "2": ("2", 6), "champion": ("1", 3)}
    answer = client.post(f"/models/twice/explanations/{WHY}", json={"data": {"a": 3, "b": 0}})
    assert answer.json()["version"] == "1"


@pytest.mark.parametrize(
    ("path", "status", "slug", "words"),
    [
        ("/models/diabetes/explanations/contribution", 404, "unknown-explanation", "did you mean contributions?"),
        ("/models/diabetes/explanations/xyz", 404, "unknown-explanation", "there is no explanation 'xyz'; there is "),
        ("/models/nobody/explanations/contributions", 404, "unknown-model", "nobody"),
        ("/models/diabetes/versions/7/explanations/contributions", 404, "unknown-version", "7"),
        ("/models/diabetes/versions/newest/explanations/contributions", 404, "unknown-version", "newest"),
    ],
)
def test_what_there_is_not_is_said_so(
    client: TestClient, patient: dict[str, Any], path: str, status: int, slug: str, words: str
) -> None:
    assert words in refused(client.post(path, json={"data": patient}), status, slug)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_questions_are_posted(client: TestClient, method: str) -> None:
    answer = client.request(method, f"/models/diabetes/explanations/{WHY}")

    refused(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("content", "status", "slug", "words"),
    [
        (b"", 400, "unreadable-body", "empty"),
        (b"{", 400, "unreadable-body", "not JSON"),
        (b"\xff\xfe", 400, "unreadable-body", "UTF-8"),
        (b'{"data": NaN}', 400, "unreadable-body", "NaN"),
        (b'{"data": {}, "data": {}}', 400, "unreadable-body", "twice"),
        (b"3", 422, "invalid-request", '{"data": {...}}'),
        (b"[]", 422, "invalid-request", '{"data": {...}}'),
        (b"{}", 422, "invalid-request", '{"data": {...}}'),
        (b'{"data": []}', 422, "invalid-request", "with one instance"),
        (b'{"data": [{}]}', 422, "invalid-request", "with one instance"),
        (b'{"data": null}', 422, "invalid-request", "with one instance"),
        (b'{"data": {}, "option": {}}', 422, "invalid-request", "the unknown key 'option'"),
        (b'{"data": {}, "options": []}', 422, "invalid-request", '"options" must be an object'),
        (b'{"data": {}, "options": null}', 422, "invalid-request", '"options" must be an object'),
    ],
)
def test_a_body_of_rubbish_is_refused(client: TestClient, content: bytes, status: int, slug: str, words: str) -> None:
    answer = client.post(f"/models/diabetes/explanations/{WHY}", content=content)

    assert words in refused(answer, status, slug)


def test_a_body_of_another_type_is_refused(client: TestClient) -> None:
    answer = client.post(f"/models/diabetes/explanations/{WHY}", content=b"a,b", headers={"Content-Type": "text/csv"})

    refused(answer, 415, "unsupported-media-type")


def test_a_body_too_long_is_refused(
    small_models: Path, serving: Callable[..., TestClient], flat: dict[str, Any]
) -> None:
    client = serving(small_models, max_body_bytes=1024)

    refused(ask(client, "rent", {**flat, "district": "x" * 2000}), 413, "body-too-large")


def test_every_wrong_feature_is_named(client: TestClient, patient: dict[str, Any]) -> None:
    answer = ask(client, "diabetes", {**patient, "bmi": "heavy", "height": 1.8})

    refused(answer, 422, "invalid-instance")
    assert {problem["feature"] for problem in answer.json()["errors"]} == {"bmi", "height"}


def test_what_took_longer_than_its_budget_is_expected_to_do_so_again(monkeypatch: pytest.MonkeyPatch) -> None:
    expected: list[float] = []

    class Noting:
        async def run(self, work: Callable[[], Any], seconds: float, _: object) -> Any:
            expected.append(seconds)
            return work()

    async def three_times() -> None:
        for _ in range(3):
            await line.run(("m", "1", "curve"), lambda: time.sleep(0.04), 0.01, has_left)

    async def has_left() -> bool:
        return False

    monkeypatch.setattr(module, "Admission", lambda _: Noting())
    line = ExplanationLine()
    asyncio.run(three_times())

    assert expected[0] == pytest.approx(0.0025)
    assert expected[2] > expected[1] > 0.02, "more than the budget of 10 ms"


@pytest.mark.parametrize("value", [9.9, 5001, 0, -1, "250", True, None, [], 1e300])
def test_a_time_beyond_its_limits_is_refused(client: TestClient, patient: dict[str, Any], value: object) -> None:
    detail = refused(ask(client, "diabetes", patient, milliseconds=value), 422, "invalid-request")

    assert detail.startswith("the option milliseconds must be a number from 10 to 5000, not ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class": "dead"}, 'the option class must be one of the classes, "malignant", "benign", not "dead"'),
        ({"output": "x"}, "the option output is for models that predict several numbers"),
        ({"threshold": 0.5}, "there is no option 'threshold'"),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_what_was_expected(
    client: TestClient, reference_rows: ReferenceRows, options: Mapping[str, Any], words: str
) -> None:
    row = reference_rows("breast-cancer", 1)[0]

    detail = refused(ask(client, "breast-cancer", row, **options), 422, "invalid-request")

    assert set(words.replace(",", "").split()) <= set(detail.replace(",", "").split())


def test_a_version_without_data_cannot_explain(small_models: Path, serving: Callable[..., TestClient]) -> None:
    X = pd.DataFrame({"a": np.arange(9.0), "b": np.arange(9.0) % 4})
    publish(LinearRegression().fit(X, X["a"]), name="bare", models=small_models)
    client = serving(small_models)

    assert "without data" in refused(ask(client, "bare", {"a": 1, "b": 2}), 501, "unsupported")


def test_a_caller_who_waits_less_than_the_work_takes_is_told(
    client: TestClient, patient: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def slow(question: Any) -> dict[str, Any]:
        ended.wait(20)
        return {}

    monkeypatch.setitem(DICTIONARY, "slow", slow)
    began = time.perf_counter()
    answer = client.post(
        "/models/diabetes/explanations/slow", json={"data": patient}, headers={"X-Request-Timeout": "0.1"}
    )
    ended.set()

    assert "0.1 s of X-Request-Timeout" in refused(answer, 504, "deadline-passed")
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("header", "options", "expected"),
    [
        ({}, {}, 250),
        ({}, {"milliseconds": 1000}, 1000),
        ({"X-Request-Timeout": "0.1"}, {}, 90),
        ({"X-Request-Timeout": "0.1"}, {"milliseconds": 50}, 50),
        ({"X-Request-Timeout": "30"}, {"milliseconds": 50}, 50),
    ],
)
def test_a_call_has_the_time_that_its_caller_gives_it(
    client: TestClient,
    patient: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    header: dict[str, str],
    options: dict[str, Any],
    expected: float,
) -> None:
    def left(question: Any) -> dict[str, Any]:
        return {"left": question.budget.left * 1000 + question.budget.milliseconds, "options": dict(question.options)}

    monkeypatch.setitem(DICTIONARY, "left", left)
    body = {"data": patient, "options": options}
    answer = client.post("/models/diabetes/explanations/left", json=body, headers=header).json()

    assert answer["left"] == pytest.approx(expected, abs=1)
    assert answer["options"] == {}, "milliseconds is for the route alone"


def test_an_explanation_lets_predictions_pass(
    client: TestClient, patient: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def slow(question: Any) -> dict[str, Any]:
        begun.set()
        ended.wait(20)
        return {"approximation": None}

    monkeypatch.setitem(DICTIONARY, "slow", slow)
    answers = []
    other = threading.Thread(target=lambda: answers.append(ask(client, "diabetes", patient, "slow").status_code))
    other.start()
    try:
        assert begun.wait(20)
        assert client.post("/models/diabetes/predict", json={"data": patient}).status_code == 200
        assert not answers
    finally:
        ended.set()
        other.join(20)
    assert answers == [200]


@pytest.fixture(scope="module")
def pair_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of two outputs, `pair`."""
    folder = tmp_path_factory.mktemp("models")
    X = pd.DataFrame(np.random.default_rng(6).normal(size=(80, 3)).round(2), columns=["age", "shoe", "sleep"])
    y = pd.DataFrame({"height": 170 + 5 * X["shoe"], "weight": 70 + 3 * X["age"] - X["sleep"]})
    publish(Ridge(alpha=0.1).fit(X, y), X, y, name="pair", models=folder)
    return folder


@pytest.fixture
def with_pair(pair_folder: Path, serving: Callable[..., TestClient]) -> TestClient:
    """A client of a service with that model."""
    return serving(pair_folder)


def answers_or_refuses(client: TestClient, path: str, body: object) -> httpx2.Response:
    """Ask, and see that the service was not at a loss, and that it answers in JSON."""
    answer = client.post(path, json=body)
    assert answer.status_code in (200, 400, 422, 501), f"{path} {body}: {answer.text}"
    if answer.status_code == 200:
        json.loads(answer.text, parse_constant=pytest.fail)
    return answer


def test_spoiled_questions_are_answered_without_a_fault_of_several_outputs(with_pair: TestClient) -> None:
    spoil_questions(with_pair, "pair", {"age": 1.5, "shoe": -0.25, "sleep": 0.5}, output="height")


@pytest.mark.parametrize("call", sorted(calls.CALLS))
def test_no_output_at_all_is_refused_where_there_are_several(with_pair: TestClient, call: str) -> None:
    options = {**NEEDED.get(call, {}), "output": None}
    answer = ask(with_pair, "pair", {"age": 1.5, "shoe": -0.25, "sleep": 0.5}, call, **options)

    if call in ("trust", "similar"):
        assert "there is no option 'output'" in refused(answer, 422, "invalid-request")
    elif call == "decisions":
        assert answer.status_code in (422, 501)
    else:
        words = 'there is no output None; there is "height", "weight"'
        assert words in refused(answer, 422, "invalid-request")


NEEDED: Mapping[str, Mapping[str, Any]] = {
    "curve": {"feature": "age"},
    "dependence": {"feature": "age"},
    "map": {"features": ["age", "shoe"]},
    "flips": {"threshold": 165},
    "counterfactuals": {"at_least": 170},
}
"""What a call about `pair` has to be told."""


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, -5e-324, 0.0])
@pytest.mark.parametrize("call", sorted(calls.CALLS))
@pytest.mark.parametrize("model", ["diabetes", "loans"])
def test_the_largest_and_smallest_numbers_are_no_fault(
    client: TestClient, reference_rows: ReferenceRows, model: str, call: str, value: float
) -> None:
    row = reference_rows(model, 1)[0]
    numbers = [name for name, own in row.items() if isinstance(own, float)]
    options = {
        "curve": {"feature": numbers[0]},
        "dependence": {"feature": numbers[0]},
        "map": {"features": numbers[:2]},
        "flips": {"threshold": 0.5 if model == "loans" else 150},
        "counterfactuals": {"class": "defaulted"} if model == "loans" else {"at_least": 150},
    }.get(call, {})
    for changed in ({numbers[0]: value}, dict.fromkeys(numbers, value)):
        answer = answers_or_refuses(
            client, f"/models/{model}/explanations/{call}", {"data": {**row, **changed}, "options": options}
        )
        if answer.status_code != 200:
            assert "not finite" in answer.json()["detail"] or (model, call) == ("diabetes", "decisions"), answer.text


@pytest.mark.parametrize("model", ["diabetes", "loans"])
def test_spoiled_questions_are_answered_without_a_fault(
    client: TestClient, reference_rows: ReferenceRows, model: str
) -> None:
    spoil_questions(client, model, reference_rows(model, 1)[0], output=None)


def spoil_questions(client: TestClient, model: str, row: dict[str, Any], output: object) -> None:
    """Ask every call what is a little wrong; an answer of 500 fails."""
    dice = random.Random(5)
    options: dict[str, Any] = {
        "milliseconds": 20,
        "class": "x",
        "output": output,
        "feature": next(iter(row)),
        "features": list(row)[:2],
        "threshold": 0.5,
        "count": 2,
        "points": 3,
        "percent": 5,
        "locked": [next(iter(row))],
        "ranges": {next(iter(row)): [0, 1]},
        "directions": {next(iter(row)): "up"},
        "at_least": 1,
        "cost_false_positive": 1,
        "capacity": 0.1,
    }
    for call in calls.CALLS:
        for _ in range(40):
            some = dice.sample(sorted(options), dice.randint(1, 4))
            body = spoil({"data": row, "options": {name: options[name] for name in some}}, dice)
            with suppress(ValueError):  # httpx writes no NaN
                answers_or_refuses(client, f"/models/{model}/explanations/{call}", body)
