"""GET /stats: how each model is run, and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from model_api.runtimes import selection
from model_api.runtimes.timing import Together


def runs(client: TestClient) -> dict[str, dict[str, Any]]:
    answer = client.get("/stats")
    assert answer.status_code == 200
    return {run["model"]: run for run in answer.json()["models"]}


def test_it_tells_what_was_chosen_for_each_model_from_what_figures(small_client: TestClient) -> None:
    rent = runs(small_client)["rent"]

    assert rent["version"] == "1"
    assert rent["loaded_in_seconds"] > 0
    assert rent["one_row"]["form"] in ("plan", "onnx")
    assert rent["one_row"]["runs"] == "on the event loop"
    assert "a thread is asked from 2 ms on" in rent["one_row"]["why"]
    assert rent["one_row"]["measured"]["one_row_us"] > 0
    assert rent["many_rows"]["threads"] == 1
    assert rent["many_rows"]["from_rows"] == 16


def test_forms_that_do_not_answer_have_their_reason(small_client: TestClient) -> None:
    for run in runs(small_client).values():
        assert run["one_row"]["form"] not in run["not_taken"]
        assert all(run["not_taken"].values())


def test_it_tells_how_much_work_waits(small_client: TestClient) -> None:
    stats = small_client.get("/stats").json()

    assert stats["work"] == {"threads": 2, "waiting_seconds": 0.0, "most_waiting_seconds": 0.5}
    assert stats["process"]["cores"] >= 1


@pytest.mark.parametrize(
    ("helps", "seconds", "runs_where"),
    [
        (True, 5.0, "together with others that wait, in a thread"),
        (False, 5.0, "in a thread"),
        (False, 0.001, "on the event loop"),
    ],
)
def test_an_estimator_that_did_not_compile_is_run_as_was_measured(
    models_with_binarize: Path,
    serving: Callable[..., TestClient],
    monkeypatch: pytest.MonkeyPatch,
    helps: bool,
    seconds: float,
    runs_where: str,
) -> None:
    tried = Together(helps, "so it was", 1e6 * seconds, 1e6 * seconds)
    monkeypatch.setattr(selection, "tried_together", lambda *_: tried)
    monkeypatch.setattr(selection, "timed", lambda *_: {"one_row_us": 1e6 * seconds, "thousand_rows_ms": 5e3})
    types = ("sklearn.preprocessing._data.binarize",)
    client = serving(models_with_binarize, trusted_types=types)

    found = runs(client)["binary"]["one_row"]
    data = client.get("/models/binary/predict?limit=3").json()
    answer = client.post("/models/binary/predict", json={"data": data["data"]})

    assert found["runs"] == runs_where
    assert found["tried"]["why"] == "so it was"
    assert answer.json()["prediction"] == data["prediction"]


def test_it_is_told_before_models_are_loaded_too(tmp_path: Path, serving: Callable[..., TestClient]) -> None:
    assert serving(tmp_path).get("/stats").json()["models"] == []
