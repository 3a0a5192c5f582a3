"""The routes that Vertex AI names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.model_api.protocols.conftest import Sample

Serving = Callable[..., TestClient]
HEALTH, PREDICT = "/v1/endpoints/7/deployedModels/9", "/v1/endpoints/7/deployedModels/9:predict"


@pytest.fixture
def vertex(serving: Serving, published_small_models: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A service in a container of Vertex AI."""
    monkeypatch.setenv("AIP_HEALTH_ROUTE", HEALTH)
    monkeypatch.setenv("AIP_PREDICT_ROUTE", PREDICT)
    return serving(published_small_models)


@pytest.mark.parametrize("kind", ["objects", "lists"])
def test_instances_are_answered_in_their_order(vertex: TestClient, flats: Sample, kind: str) -> None:
    instances = flats.rows if kind == "objects" else flats.matrix

    answer = vertex.post(PREDICT, json={"instances": instances, "parameters": {"coverage": 0.8}})

    assert answer.json() == {"predictions": pytest.approx(flats.predictions, rel=1e-12)}
    assert answer.headers["Servery-Model"] == "rent/1"
    assert vertex.get(HEALTH).json() == {"ready": True}


def test_a_bad_row_keeps_its_place_when_it_is_reported(vertex: TestClient, flats: Sample) -> None:
    instances = [flats.rows[0], {**flats.rows[1], "area": "big"}, flats.rows[2]]

    body = vertex.post(PREDICT, json={"instances": instances, "parameters": {"on_error": "report"}}).json()

    first, bad, last = body["predictions"]
    assert [first, last] == pytest.approx([flats.predictions[0], flats.predictions[2]])
    assert (bad["row"], bad["errors"][0]["feature"]) == (1, "area")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, '"instances" must be an array'),
        ({"instances": []}, "at least 1"),
        ({"instances": [[1]]}, "the model has 5 features"),
        ({"instances": [{}]}, "area is missing"),
        ({"instances": [{}], "parameters": {"temperature": 1}}, "no option 'temperature'"),
        ({"instances": [{}], "parameters": [1]}, "must be an object"),
        ({"instances": [{}], "data": 1}, "unknown key data"),
    ],
)
def test_what_is_wrong_is_named(vertex: TestClient, refused: Callable[..., Any], body: Any, words: str) -> None:
    refused(vertex.post(PREDICT, json=body), 400, words)


@pytest.mark.parametrize("times", [1, 100])
def test_the_route_may_be_our_own(
    serving: Serving, published_small_models: Path, flats: Sample, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setenv("AIP_PREDICT_ROUTE", "/predict")
    client = serving(published_small_models)

    options: list[dict[str, Any]] = [{"parameters": {}}, {}]
    for more in options:
        answer = client.post("/predict", json={"instances": flats.rows * times, **more}).json()

        assert answer.pop("predictions") == pytest.approx(flats.predictions * times, rel=1e-12)
        assert "request_id" not in answer


def test_a_service_without_models_is_not_healthy(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/health/vertex")

    assert serving(tmp_path).get("/health/vertex").status_code == 503


@pytest.mark.parametrize("path", ["", "predict", "/{model}", "/a b", "/a?b", "//", "http://a/b"])
def test_a_route_that_is_no_path_stops_the_start(
    serving: Serving, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_PREDICT_ROUTE", path)

    with pytest.raises(ValueError, match="AIP_PREDICT_ROUTE must be a path"):
        serving(tmp_path)


def test_without_the_variables_there_are_no_such_routes(small_client: TestClient) -> None:
    assert small_client.get(HEALTH).status_code == 404
