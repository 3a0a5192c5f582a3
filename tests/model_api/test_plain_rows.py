"""Many rows in JSON: one turn in a thread, and the answer that the full contract gives."""

import asyncio
import copy
import gc
import json
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from model_api import wire
from model_api.admission import Line
from model_api.app import ModelService
from model_api.decoding import Decoders
from model_api.examples import NAMES
from model_api.inference import Options
from model_api.plain_rows import PlainRows

Rows = list[dict[str, Any]]
Taken = list[bool]


@pytest.fixture
def guest(client: TestClient, service: ModelService) -> TestClient:
    """Asks the service once, where `client` asks both roads."""
    return TestClient(service)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """For each request that came to them, whether plain rows answered it."""
    found: Taken = []
    answer = PlainRows.answer

    async def watched(*arguments: Any) -> bytes | None:
        content = await answer(*arguments)
        found.append(content is not None)
        return content

    monkeypatch.setattr(PlainRows, "answer", watched)
    return found


@pytest.fixture
def many(reference_rows: Callable[[str, int], Rows]) -> Callable[[str], Rows]:
    """Gives some 2,000 rows of a model, some with values outside the training range."""

    def rows(name: str) -> Rows:
        some = reference_rows(name, 170)
        odd = {key: value * 10 for key, value in some[0].items() if isinstance(value, float)}
        return [*some, some[0] | odd] * 12

    return rows


def but_for_the_request(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "request_id"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["data", "instances"])
def test_they_are_answered_as_the_full_contract_does(
    guest: TestClient, many: Callable[[str], Rows], taken: Taken, name: str, form: str
) -> None:
    body: dict[str, Any] = {form: many(name)}

    found = guest.post(f"/models/{name}/predict", json=body)
    full = guest.post(f"/models/{name}/predict", json=body | {"options": {"coverage": 0.9}})

    assert taken == [True, False]
    assert found.status_code == 200
    assert but_for_the_request(found.json()) == but_for_the_request(full.json())
    assert any(found.json()["warnings"])
    assert found.headers["Server-Timing"].startswith("queue;dur=")
    assert set(found.headers) == set(full.headers)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda rows: rows[1234].update(bmi="high"), '"row":1234'),
        (lambda rows: rows[1234].pop("bmi"), '"row":1234'),
        (lambda rows: rows[1234].update(shoe_size=44), '"row":1234'),
        (lambda rows: rows.append([1, 2]), '"row":2052'),
        (lambda rows: rows.extend(rows * 6), "are more than the 10000 of one request"),
    ],
    ids=["a text", "a gap", "a stranger", "no object", "too many"],
)
def test_what_is_wrong_with_one_of_them_is_told_by_the_full_contract(
    guest: TestClient, many: Callable[[str], Rows], taken: Taken, spoil: Callable[[Rows], None], told: str
) -> None:
    rows: Rows = json.loads(json.dumps(many("diabetes")))
    spoil(rows)

    answer = guest.post("/predict", json={"data": rows})

    assert taken == [False]
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.text


def test_a_key_that_is_given_twice_among_them_is_refused(
    guest: TestClient, many: Callable[[str], Rows], taken: Taken
) -> None:
    text = json.dumps({"data": many("diabetes")}).replace('"bmi"', '"bmi": 1, "bmi"', 1)

    answer = guest.post("/predict", content=text, headers={"Content-Type": "application/json"})

    assert taken == [False]
    assert (answer.status_code, answer.json()["detail"]) == (400, "the key 'bmi' is given twice")


def test_few_rows_that_are_odd_do_not_ask_for_a_thread_of_their_own(
    guest: TestClient, many: Callable[[str], Rows], taken: Taken
) -> None:
    guest.post("/predict", json={"data": many("diabetes")[:10], "options": {"coverage": 0.8}}).raise_for_status()

    assert not taken


@pytest.mark.parametrize(("seconds", "status"), [("5", 200), ("0.000001", 504), ("-1", 422), ("soon", 422)])
def test_their_deadline_is_kept(
    guest: TestClient, many: Callable[[str], Rows], taken: Taken, seconds: str, status: int
) -> None:
    headers = {"X-Request-Timeout": seconds}

    assert guest.post("/predict", json={"data": many("diabetes")}, headers=headers).status_code == status
    assert len(taken) == (status == 200)


def test_their_deadline_is_one_for_all_that_is_done(
    guest: TestClient, many: Callable[[str], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: Any) -> None:
        await asyncio.sleep(0.3)

    def slow_too(*_: Any) -> Any:
        time.sleep(0.3)
        return wire.PredictRequest([{}], "prediction", single=True, options=Options())

    monkeypatch.setattr(PlainRows, "answer", slow)
    monkeypatch.setattr("model_api.wire.read_request", slow_too)

    answer = guest.post("/predict", json={"data": many("diabetes")}, headers={"X-Request-Timeout": "0.5"})

    assert answer.status_code == 504


@pytest.mark.parametrize("braces", [10, 30])
def test_what_is_no_request_is_not_counted_as_one(guest: TestClient, braces: int) -> None:
    def counted() -> list[str]:
        return [line for line in guest.get("/metrics").text.splitlines() if line.startswith("servery_requests_total")]

    before = counted()

    assert guest.post("/predict", content="{" * braces).status_code == 400
    assert counted() == before


def test_a_version_that_is_gone_leaves_no_decoder_behind(service: ModelService, client: TestClient) -> None:
    assert client.get("/health/ready").status_code == 200
    decoders = Decoders(10)
    model = copy.copy(service.fast_path.target("/models/wine/predict").clerk.model)  # type: ignore[union-attr] # it is there
    predictor = copy.copy(model.predictor)
    object.__setattr__(model, "predictor", predictor)
    gone = weakref.ref(predictor)
    assert decoders.of(model) is decoders.of(model)

    del model, predictor
    gc.collect()

    assert gone() is None


def test_they_wait_in_line_like_everyone(
    guest: TestClient, service: ModelService, many: Callable[[str], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line()
    line.join(10.0)
    monkeypatch.setattr(service.fast_path.admission, "_line", line)

    answer = guest.post("/predict", json={"data": many("diabetes")})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
