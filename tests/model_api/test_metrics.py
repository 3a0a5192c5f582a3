"""What Prometheus reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from model_api.metrics import Batches
from model_api.stages import Stages

RENT = {"model": "rent", "version": "1"}


def read(client: TestClient) -> Callable[..., float]:
    """Read the metrics of a service; gives a function from a sample's name and labels to its value, 0 if absent."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        return next((sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)), 0.0)

    return value


@pytest.fixture
def watched(serving: Callable[..., TestClient], published_small_models: Path) -> TestClient:
    """A service that nobody else asks."""
    return serving(published_small_models)


def test_predictions_are_counted_by_model_version_and_outcome(watched: TestClient, flat: dict[str, Any]) -> None:
    watched.post("/predict", json={"data": flat})
    watched.post("/predict", json=[flat] * 4)
    watched.post("/predict", json={"data": {}})
    watched.get("/models/spam/predict?limit=7")

    value = read(watched)

    assert value("servery_requests_total", **RENT, outcome="success") == 2
    assert value("servery_requests_total", **RENT, outcome="refused") == 1
    assert value("servery_requests_total", **RENT, outcome="failed") == 0
    assert value("servery_rows_total", **RENT) == 5
    assert value("servery_rows_total", model="spam", version="1") == 7
    assert value("servery_request_seconds_count", **RENT) == 3


def test_the_stages_of_a_request_are_counted_by_themselves(watched: TestClient, flat: dict[str, Any]) -> None:
    watched.post("/predict", json={"data": flat})
    watched.post("/predict", json={"data": flat, "options": {"coverage": 0.8}})

    value = read(watched)

    stages = {name: value("servery_stage_seconds_total", **RENT, stage=name) for name in Stages._fields}
    assert all(stages.values()), stages
    assert sum(stages.values()) < value("servery_request_seconds_sum", **RENT)


def test_batch_sizes_fall_into_a_histogram(watched: TestClient, flat: dict[str, Any]) -> None:
    for size in (1, 1, 4, 30):
        watched.post("/predict", json=[flat] * size)

    value = read(watched)

    buckets = [value("servery_request_rows_bucket", **RENT, le=le) for le in ("1.0", "2.0", "5.0", "50.0", "+Inf")]
    assert buckets == [2, 2, 3, 4, 4]
    assert value("servery_request_rows_sum", **RENT) == 36


@pytest.mark.parametrize("values", [[0.5], [1.0, 1.0, 3.0], [0.0, 2.0, 2.5, 99.0], []])
def test_many_values_are_observed_as_each_by_itself(values: list[float]) -> None:
    registry = CollectorRegistry()
    together = Batches("together", "x", registry=registry, buckets=(1, 2, 5))
    singly = Histogram("singly", "x", registry=registry, buckets=(1, 2, 5))

    together.observe_all(values)
    for value in values:
        singly.observe(value)

    found = generate_latest(registry).decode().split("# HELP singly")
    counts = [[line.partition("_")[2] for line in part.splitlines() if "_created" not in line] for part in found]
    assert [line for line in counts[0] if line] == [line for line in counts[1] if line]


def test_a_failure_inside_is_counted_as_one(
    watched: TestClient, flat: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("model_api.inference.predict", explode)
    monkeypatch.setattr("model_api.inference.predict_rows", explode)
    monkeypatch.setattr("model_api.runtimes.selection.ChosenPredictor.predict_one", explode)
    watched.post("/predict", json={"data": flat})

    value = read(watched)

    assert value("servery_requests_total", **RENT, outcome="failed") == 1
    assert value("servery_rows_total", **RENT) == 0


def test_what_is_no_prediction_is_not_counted(watched: TestClient) -> None:
    for path in ("/models", "/health/live", "/nowhere", "/models/nobody/predict", "/metrics"):
        watched.get(path)

    assert "servery_requests_total{" not in watched.get("/metrics").text


def test_the_time_of_a_prediction_falls_into_the_histogram(watched: TestClient, flat: dict[str, Any]) -> None:
    watched.post("/predict", json={"data": flat})

    value = read(watched)

    assert 0 < value("servery_request_seconds_sum", **RENT) < 10
    assert value("servery_request_seconds_bucket", **RENT, le="+Inf") == 1


def test_readiness_is_a_metric(watched: TestClient, serving: Callable[..., TestClient], tmp_path: Path) -> None:
    assert read(watched)("servery_ready") == 1
    assert read(serving(tmp_path))("servery_ready") == 0


def test_two_services_in_one_process_count_for_themselves(
    watched: TestClient, serving: Callable[..., TestClient], published_small_models: Path, flat: dict[str, Any]
) -> None:
    other = serving(published_small_models)

    other.post("/predict", json={"data": flat})

    assert read(other)("servery_rows_total", **RENT) == 1
    assert read(watched)("servery_rows_total", **RENT) == 0
