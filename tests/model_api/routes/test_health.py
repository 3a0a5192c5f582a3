"""Live means that the process answers, ready that models are loaded."""

from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from model_api.app import create_app
from model_api.settings import Settings


def test_a_process_that_answers_is_live(client: TestClient) -> None:
    answer = client.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"live": True})


def test_a_service_with_loaded_models_is_ready(client: TestClient) -> None:
    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})


def test_a_service_that_has_not_loaded_yet_is_live_but_not_ready(published_small_models: Path) -> None:
    service = create_app(Settings(models=str(published_small_models), allowed_hosts=("testserver",)))
    not_started = TestClient(service)  # outside a with: its lifespan, which loads the models, has not begun

    assert not_started.get("/health/live").status_code == 200
    answer = not_started.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reason": "the models are being loaded"}
    assert int(answer.headers["Retry-After"]) >= 1
    assert not_started.get("/predict").status_code == 503
    assert not_started.get("/openapi.json").status_code == 200


def test_a_service_without_models_is_live_but_not_ready(serving: Callable[..., TestClient], tmp_path: Path) -> None:
    empty = serving(tmp_path)

    assert empty.get("/health/live").status_code == 200
    assert empty.get("/health/ready").status_code == 503
    assert "there is no model" in empty.get("/health/ready").json()["reason"]


def test_a_service_whose_default_model_does_not_exist_is_not_ready(
    serving: Callable[..., TestClient], published_small_models: Path
) -> None:
    answer = serving(published_small_models, default_model="ham").get("/health/ready")

    assert answer.status_code == 503
    assert "MODEL_API_DEFAULT_MODEL names 'ham'" in answer.json()["reason"]


def test_a_service_is_ready_when_one_of_its_models_is_broken(
    serving: Callable[..., TestClient], small_models: Path
) -> None:
    (small_models / "rent" / "1" / "estimator.skops").unlink()

    assert serving(small_models).get("/health/ready").status_code == 200


def test_the_default_model_may_be_set(serving: Callable[..., TestClient], published_small_models: Path) -> None:
    assert serving(published_small_models, default_model="spam").get("/predict").json()["model"] == "spam"
