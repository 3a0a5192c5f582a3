"""What every protocol shares: deadlines, challengers, counts, and the caller's headers."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from starlette.testclient import TestClient

from model_api.folders import as_json
from model_api.publishing import publish

Serving = Callable[..., TestClient]
CALLS: dict[str, tuple[str, Any]] = {
    "v2": (
        "/v2/models/line/infer",
        {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [10.0]}]},
    ),
    "v1": ("/v1/models/line:predict", {"instances": [[10.0]]}),
    "mlflow": ("/invocations", {"inputs": [[10.0]]}),
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """Path and body of one call of each protocol in turn."""
    return CALLS[request.param]


def test_a_deadline_that_passes_is_told_at_once(
    odd_client: TestClient, call: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr("model_api.inference.predict", lambda *_: released.wait(30))
    began = time.monotonic()

    answer = odd_client.post(call[0], json=call[1], headers={"X-Request-Timeout": "0.05"})

    released.set()
    assert time.monotonic() - began < 15
    assert answer.status_code == 504
    assert "0.05 s of X-Request-Timeout" in answer.json()["detail"]


@pytest.mark.parametrize(("seconds", "status"), [("10", 200), ("0", 400), ("-1", 400), ("soon", 400)])
def test_a_deadline_is_a_number_of_seconds(
    odd_client: TestClient, call: tuple[str, Any], seconds: str, status: int
) -> None:
    answer = odd_client.post(call[0], json=call[1], headers={"X-Request-Timeout": seconds})

    assert answer.status_code == status


def test_requests_are_counted_as_our_own_are(serving: Serving, odd_models: Path, call: tuple[str, Any]) -> None:
    client = serving(odd_models)

    client.post(call[0], json=call[1])

    counted = client.get("/metrics").text
    assert 'servery_rows_total{model="line",version="1"} 1.0' in counted
    assert 'servery_requests_total{model="line",outcome="success",version="1"} 1.0' in counted


def test_ids_are_echoed(odd_client: TestClient, call: tuple[str, Any]) -> None:
    answer = odd_client.post(call[0], json=call[1], headers={"X-Request-ID": "mine-7", "seldon-puid": "8"})

    assert answer.headers["X-Request-ID"] == "mine-7"


def test_a_content_encoding_is_not_taken(odd_client: TestClient, call: tuple[str, Any]) -> None:
    answer = odd_client.post(call[0], json=call[1], headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415


def test_a_body_of_unknown_length_is_counted_while_it_comes(
    serving: Serving, odd_models: Path, call: tuple[str, Any]
) -> None:
    client = serving(odd_models, max_body_bytes=1024)

    answer = client.post(call[0], content=(b" " * 100 for _ in range(20)))

    assert answer.status_code == 413


@pytest.fixture(scope="module")
def challenged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`line` with a champion that gives 2 x and a challenger that always gives 59. Shared: each test sets traffic."""
    folder = tmp_path_factory.mktemp("challenged")
    X = pd.DataFrame({"x": np.arange(60.0)})
    y = (2 * X["x"]).rename("y")
    for estimator, alias in ((LinearRegression(), None), (DummyRegressor(), "challenger")):
        publish(estimator.fit(X, y), X, y, name="line", models=folder, alias=alias)
    return folder


def test_a_challenger_answers_its_share(serving: Serving, challenged: Path, call: tuple[str, Any]) -> None:
    share = {"alias": "challenger", "percent": 100, "key": "header:x-user"}
    (challenged / "line" / "traffic.json").write_bytes(as_json({"share": share}))
    client = serving(challenged)

    answer = client.post(call[0], json=call[1], headers={"x-user": "anna"})

    assert answer.headers["Servery-Model"] == "line/2"
    assert "59.0" in answer.text


def test_a_shadow_looks_on(serving: Serving, challenged: Path, call: tuple[str, Any]) -> None:
    (challenged / "line" / "traffic.json").write_bytes(as_json({"shadow": "challenger"}))
    client = serving(challenged)

    answer = client.post(call[0], json=call[1])

    assert answer.headers["Servery-Model"] == "line/1"
    deadline = time.monotonic() + 10
    while 'servery_shadow_requests_total{model="line",outcome="disagree"' not in client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.02)
