"""Challengers in a running service: who looks on, who answers, and what is counted."""

import re
import shutil
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


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a champion that gives 2 x and a challenger that always gives 59. Shared: read only."""
    folder = tmp_path_factory.mktemp("models")
    X = pd.DataFrame({"x": np.arange(60.0)})
    y = (2 * X["x"]).rename("y")
    for estimator, alias in ((LinearRegression(), None), (DummyRegressor(), "challenger")):
        publish(estimator.fit(X, y), X, y, name="line", models=folder, alias=alias)
    return folder


@pytest.fixture
def model(published: Path, tmp_path: Path) -> Path:
    """A copy of the model whose traffic the test may set."""
    return Path(shutil.copytree(published, tmp_path / "models")) / "line"


def set_traffic(model: Path, **table: Any) -> None:
    (model / "traffic.json").write_bytes(as_json(table))


def counted(client: TestClient, pattern: str) -> dict[str, float]:
    """Give counters whose line begins with a pattern, once there is one: shadows count a little later."""
    deadline = time.monotonic() + 10
    while True:
        found = re.findall(rf"^({pattern}.*) ([0-9.e+-]+)$", client.get("/metrics").text, re.MULTILINE)
        if found or time.monotonic() > deadline:
            return {name: float(value) for name, value in found}
        time.sleep(0.05)


def ask(client: TestClient, x: float = 10.0, headers: dict[str, str] | None = None) -> tuple[float, str]:
    answer = client.post("/models/line/predict", json={"data": {"x": x}}, headers=headers).json()
    return round(answer["prediction"], 6), answer["version"]


def test_a_shadow_is_compared_and_never_returned(serving: Serving, model: Path) -> None:
    set_traffic(model, shadow="challenger")
    client = serving(model.parent)

    assert [ask(client) for _ in range(3)] == [(20.0, "1")] * 3
    assert ask(client, 29.5) == (59.0, "1")
    deadline = time.monotonic() + 10
    while sum(counted(client, "servery_shadow_requests_total").values()) < 4:
        assert time.monotonic() < deadline
    assert counted(client, "servery_shadow_requests_total") == {
        'servery_shadow_requests_total{model="line",outcome="agree",version="2"}': 1,
        'servery_shadow_requests_total{model="line",outcome="disagree",version="2"}': 3,
    }
    assert counted(client, "servery_shadow_difference_sum") == {
        'servery_shadow_difference_sum{model="line",version="2"}': pytest.approx(3 * 39 / 20)
    }


def test_who_names_a_version_is_looked_at_by_nobody(serving: Serving, model: Path) -> None:
    set_traffic(model, shadow="challenger")
    client = serving(model.parent)

    client.post("/models/line/versions/1/predict", json={"data": {"x": 1}})
    client.post("/models/line/versions/champion/predict", json={"data": {"x": 1}})
    time.sleep(0.3)

    assert "servery_shadow_requests_total{" not in client.get("/metrics").text


def test_a_shadow_that_refuses_what_the_champion_takes_is_counted_so(serving: Serving, tmp_path: Path) -> None:
    X = pd.DataFrame({"x": np.arange(60.0), "z": np.arange(60.0)})
    y = X["x"].rename("y")
    publish(LinearRegression().fit(X[["x"]], y), X[["x"]], y, name="line", models=tmp_path)
    publish(LinearRegression().fit(X, y), X, y, name="line", models=tmp_path, alias="challenger")
    set_traffic(tmp_path / "line", shadow="challenger")
    client = serving(tmp_path)

    ask(client)

    assert counted(client, "servery_shadow_requests_total") == {
        'servery_shadow_requests_total{model="line",outcome="refused",version="2"}': 1
    }


def test_a_share_is_answered_by_the_challenger_and_sticks(serving: Serving, model: Path) -> None:
    set_traffic(model, share={"alias": "challenger", "percent": 30, "key": "header:X-User-ID"})
    client = serving(model.parent)

    first = [ask(client, headers={"X-User-ID": f"{user}"}) for user in range(60)]
    again = [ask(client, headers={"X-User-ID": f"{user}"}) for user in range(60)]

    assert first == again
    assert set(first) == {(20.0, "1"), (59.0, "2")}
    assert 8 <= sum(version == "2" for _, version in first) <= 30
    assert ask(client) == (20.0, "1")
    assert 'servery_traffic_share{model="line",alias="challenger"} 30' in client.get("/metrics").text


def test_a_share_by_a_feature_is_of_get_and_post_alike(serving: Serving, model: Path) -> None:
    set_traffic(model, share={"alias": "challenger", "percent": 50, "key": "feature:x"})
    client = serving(model.parent)

    posted = [client.post("/models/line/predict", json={"data": {"x": f"{x}"}}).json()["version"] for x in range(30)]
    got = [client.get("/models/line/predict", params={"x": f"{x}"}).json()["version"] for x in range(30)]

    assert posted == got
    assert set(posted) == {"1", "2"}


def test_a_challenger_that_is_not_loaded_leaves_the_champion_all(serving: Serving, model: Path) -> None:
    set_traffic(model, shadow="nobody", share={"alias": "nobody", "percent": 100, "key": "header:X-User-ID"})
    client = serving(model.parent)

    assert ask(client, headers={"X-User-ID": "1"}) == (20.0, "1")


def test_what_is_set_is_shown_and_changes_while_it_is_served(serving: Serving, model: Path) -> None:
    client = serving(model.parent, poll_seconds=0.05)
    assert client.get("/models/line").json()["traffic"] == {}

    set_traffic(model, shadow="challenger")
    deadline = time.monotonic() + 10
    while client.get("/models/line").json()["traffic"] != {"shadow": "challenger"}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (model / "traffic.json").write_text("{")
    while not client.get("/models/line").json()["problems"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    described = client.get("/models/line").json()
    assert described["traffic"] == {"shadow": "challenger"}
    assert "traffic.json is not a table of traffic" in described["problems"][0]
