"""The fast path: the same answers as the ordinary routes, and everything unusual left to them."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from model_api.admission import TICKET
from model_api.app import ModelService, create_app
from model_api.examples import NAMES
from model_api.fast_path import MOST_BYTES, FastPathMiddleware
from model_api.folders import move_alias
from model_api.inference import Answer
from model_api.plain_rows import seconds_of
from model_api.settings import Settings
from tests.model_api.conftest import wait_until_loaded
from tests.model_api.roads import BothRoads

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def roads(client: TestClient, service: ModelService) -> BothRoads:
    """An application that asks both roads, and counts which one answered."""
    return BothRoads(service)


@pytest.fixture(scope="module")
def guest(roads: BothRoads) -> TestClient:
    """Asks `roads`."""
    return TestClient(roads)


def took_it(roads: BothRoads, ask: Callable[[], Any]) -> bool:
    """Tell whether the fast path answered a request."""
    fast, compared = roads.fast, roads.compared
    ask()
    assert roads.compared == compared + 1
    return roads.fast > fast


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["data", "list", "instances", "bare"])
def test_plain_predictions_take_it(
    roads: BothRoads, guest: TestClient, reference_rows: Callable[[str, int], Rows], name: str, form: str
) -> None:
    row = next(row for row in reference_rows(name, 50) if None not in row.values())
    body = {"data": {"data": row}, "list": {"data": [row]}, "instances": {"instances": [row]}, "bare": [row]}[form]

    assert took_it(roads, lambda: guest.post(f"/models/{name}/predict", json=body).raise_for_status())


@pytest.mark.parametrize(
    "path",
    ["/predict", "/models/diabetes/predict", "/models/diabetes/versions/1/predict",
     "/models/diabetes/versions/champion/predict"],
)  # fmt: skip
def test_every_address_of_predictions_has_it(
    roads: BothRoads, guest: TestClient, patient: dict[str, Any], path: str
) -> None:
    assert took_it(roads, lambda: guest.post(path, json={"data": patient}).raise_for_status())


def test_a_row_with_something_to_warn_about_takes_it(
    roads: BothRoads, guest: TestClient, patient: dict[str, Any]
) -> None:
    assert took_it(roads, lambda: guest.post("/predict", json={"data": patient | {"bmi": 90}}).raise_for_status())


@pytest.mark.parametrize(
    ("headers", "takes"),
    [
        ({"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, True),
        ({"X-Request-ID": "abc-1.2_3"}, True),
        ({"Accept": "application/json"}, True),
        ({"Accept": "text/csv"}, False),
        ({"Content-Type": ""}, False),
        ({"Content-Type": "application/json; charset=utf-8"}, True),
        ({"Content-Type": "application/json; charset=latin-1"}, False),
        ({"Content-Type": "text/plain"}, False),
        ({"Content-Encoding": "gzip"}, False),
        *(({"X-Request-Timeout": seconds}, True) for seconds in ("5", "10", "0.1", "2.50")),
        *(({"X-Request-Timeout": seconds}, False) for seconds in ("0.05", "0", "-1", "1e3", "x", "", "1.", "01")),
        ({"X-Request-ID": 'a"b'}, False),
        ({"Host": "evil.example"}, False),
    ],
)
def test_unusual_headers_are_left_to_the_application(
    roads: BothRoads, guest: TestClient, patient: dict[str, Any], headers: dict[str, str], takes: bool
) -> None:
    def ask() -> None:
        content = json.dumps({"data": patient})
        guest.post("/predict", content=content, headers={"Content-Type": "application/json", **headers})

    assert took_it(roads, ask) is takes


@pytest.mark.parametrize(
    "body",
    [
        *({"data": {}}, {}, [], 3, {"data": []}, {"data": {"bmi": "x"}}, {"instances": [{}]}, {"data": [[1]]}),
        {"data": {}, "options": {"coverage": 0.5}},
    ],
)
def test_what_is_not_valid_is_left_to_the_application(roads: BothRoads, guest: TestClient, body: object) -> None:
    assert not took_it(roads, lambda: guest.post("/predict", json=body))


@pytest.mark.parametrize("path", ["/models/nobody/predict", "/models/wine/versions/7/predict", "/x/predict"])
def test_addresses_that_do_not_exist_are_left_to_the_application(
    roads: BothRoads, guest: TestClient, path: str
) -> None:
    assert not took_it(roads, lambda: guest.post(path, json={"data": {}}))


def test_long_bodies_and_queries_are_left_to_the_application(
    roads: BothRoads, guest: TestClient, patient: dict[str, Any]
) -> None:
    padded = json.dumps({"data": patient}) + " " * MOST_BYTES

    assert not took_it(roads, lambda: guest.post("/predict", content=padded).raise_for_status())
    assert not took_it(roads, lambda: guest.post("/predict?x=1", json={"data": patient}))


def test_a_body_that_comes_in_pieces_is_put_together(
    roads: BothRoads, guest: TestClient, patient: dict[str, Any]
) -> None:
    text = json.dumps({"data": patient}).encode()

    def ask() -> None:
        content = iter([text[:5], text[5:50], text[50:]])
        headers = {"Content-Length": str(len(text)), "Content-Type": "application/json"}
        guest.post("/predict", content=content, headers=headers).raise_for_status()

    assert took_it(roads, ask)


def test_long_work_is_left_to_a_thread_of_the_application(
    roads: BothRoads, guest: TestClient, patient: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_api.fast_path.LONGEST_SECONDS", 0)

    assert not took_it(roads, lambda: guest.post("/predict", json={"data": patient}).raise_for_status())


def test_a_failure_on_it_is_the_applications_to_tell(
    client: TestClient, service: ModelService, patient: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> Answer:
        raise RuntimeError

    monkeypatch.setattr("model_api.inference.predict_rows", explode)
    monkeypatch.setattr("model_api.runtimes.selection.ChosenPredictor.predict_one", explode)

    assert TestClient(service).post("/predict", json={"data": patient}).status_code == 200


def test_it_follows_an_alias_that_is_moved(small_models: Path, flat: dict[str, Any]) -> None:
    service = create_app(Settings(models=str(small_models), allowed_hosts=("testserver",), poll_seconds=0.05))
    with TestClient(service) as client:
        wait_until_loaded(client)
        path = "/models/rent/versions/tested/predict"
        assert client.post(path, json={"data": flat}).status_code == 404

        move_alias(small_models / "rent", "tested", "1")

        for _ in range(400):
            answer = client.post(path, json={"data": flat})
            if answer.status_code == 200:
                break
        assert answer.json()["model"] == "rent"


@pytest.mark.parametrize("rows", [1, 3])
def test_both_roads_give_a_number_the_interval_of_its_size(
    small_models: Path, flat: dict[str, Any], reseal: Callable[[Path, str, bytes], None], rows: int
) -> None:
    groups = [{"edges": [400.0, 900.0], "scores": [[1.5] * 20, [20.5] * 20, [300.25] * 20]}]
    calibration = {"scores": [[1.5] * 20 + [20.5] * 20 + [300.25] * 20], "groups": groups}
    reseal(small_models / "rent" / "1", "calibration.json", json.dumps(calibration).encode())
    service = create_app(Settings(models=str(small_models), allowed_hosts=("testserver",)))
    both = BothRoads(service)
    with TestClient(both) as client:
        wait_until_loaded(client)
        for area, half in ((25.0, 1.5), (70.5, 20.5), (140.0, 300.25)):
            data = {**flat, "area": area}
            answer = client.post("/models/rent/predict", json={"data": data if rows == 1 else [data] * rows}).json()
            numbers = [answer["prediction"]] if rows == 1 else answer["prediction"]
            expected = [{"low": number - half, "high": number + half, "coverage": 0.9} for number in numbers]
            assert answer["interval"] == (expected[0] if rows == 1 else expected)
    assert both.fast == both.compared == 3


def test_a_ticket_is_given_back_though_its_version_is_gone_meanwhile(service: ModelService) -> None:
    ticket = service.fast_path.admission.admit(0.1)
    reached: list[str] = []

    async def application(scope: Scope, _: Receive, __: Send) -> None:
        reached.append(scope["path"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    scope = {"type": "http", "method": "POST", "path": "/models/gone/predict", "query_string": b"", "headers": []}
    asyncio.run(FastPathMiddleware(application, service.fast_path)({**scope, TICKET: ticket}, nothing, nothing))

    assert reached == ["/models/gone/predict"]
    assert service.fast_path.admission.ahead == 0.0


def test_nobody_takes_the_whole_line_by_braces(service: ModelService) -> None:
    target = service.fast_path.target("/models/diabetes/predict")
    assert target
    ticket = service.fast_path.admit(target, b"{" * 4_000_000)
    assert ticket

    with ticket:
        assert service.fast_path.admission.ahead <= seconds_of(target.clerk.model, Settings().max_rows)


def test_more_than_the_application_can_answer_is_turned_away(
    service: ModelService, guest: TestClient, patient: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.fast_path.admission, "has_room", lambda: False)
    body = {"data": patient, "options": {"coverage": 0.8}}

    async def ask() -> int:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(service), base_url="http://testserver") as caller:
            return (await caller.post("/predict", json=body)).status_code

    assert asyncio.run(ask()) == 503
    monkeypatch.undo()
    assert guest.post("/predict", json=body).status_code == 200
