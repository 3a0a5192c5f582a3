"""What the tests of all protocols share: rows of a mixed model with what the native contract says of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from starlette.testclient import TestClient

from model_api.app import create_app
from model_api.publishing import publish
from model_api.settings import Settings
from tests.model_api.conftest import never_fails_inside, wait_until_loaded

ROWS = 20


class Sample(NamedTuple):
    """Rows that came with a model, and what it predicts for them."""

    rows: list[dict[str, Any]]
    predictions: list[Any]
    probabilities: list[dict[str, float]]

    @property
    def matrix(self) -> list[list[Any]]:
        """The rows as lists of values, in the order of training."""
        return [list(row.values()) for row in self.rows]

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The values by feature."""
        return {name: [row[name] for row in self.rows] for name in self.rows[0]}


def sample_of(client: TestClient, model: str, rows: int = ROWS) -> Sample:
    answer = client.get(f"/models/{model}/predict", params={"limit": rows}).json()
    return Sample(answer["data"], answer["prediction"], answer.get("probabilities", []))


@pytest.fixture(scope="session")
def flats(small_client: TestClient) -> Sample:
    """Rows of `rent`, which has every type of feature; some have no balcony."""
    sample = sample_of(small_client, "rent")
    assert None in sample.columns["balcony"]
    return sample


@pytest.fixture(scope="session")
def mails(small_client: TestClient) -> Sample:
    """Rows of `spam`, whose classes are 0 and 1."""
    return sample_of(small_client, "spam")


@pytest.fixture(scope="session")
def odd_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`line` with one feature, `both` with two numbers as its prediction, `words` with classes that are words."""
    folder, random = tmp_path_factory.mktemp("odd"), np.random.default_rng(3)
    X = pd.DataFrame({"x": np.arange(60.0)})
    y = (2 * X["x"]).rename("y")
    publish(LinearRegression().fit(X, y), X, y, name="line", models=folder)
    X = pd.DataFrame(random.normal(size=(60, 2)), columns=["a", "b"])
    two = pd.DataFrame({"sum": X["a"] + X["b"], "difference": X["a"] - X["b"]})
    publish(LinearRegression().fit(X, two), X, two, name="both", models=folder)
    kind = pd.Series(np.where(X["a"] > 0, "up:hill", "down"), name="kind")
    publish(LogisticRegression().fit(X, kind), X, kind, name="words", models=folder)
    return folder


@pytest.fixture(scope="session")
def odd_client(odd_models: Path) -> Iterator[TestClient]:
    """A guest at the counter of a service with the odd models; any answer of 500 fails the test."""
    with TestClient(create_app(Settings(models=str(odd_models), allowed_hosts=("testserver",)))) as client:
        wait_until_loaded(client)
        client.event_hooks["response"].append(never_fails_inside)
        yield client


@pytest.fixture
def refused() -> Callable[..., dict[str, Any]]:
    """Check an error answer of another protocol: its status, its words, and that nothing in it is NaN."""

    def check(answer: Any, status: int, *words: str) -> dict[str, Any]:
        assert answer.status_code == status, answer.text[:500]
        problem: dict[str, Any] = answer.json(parse_constant=pytest.fail)
        assert problem["status"] == status
        own = "error" not in problem and "error_code" not in problem
        assert answer.headers["Content-Type"] == ("application/problem+json" if own else "application/json")
        assert len(answer.content) <= 16 * 1024
        for word in words:
            assert word in (problem.get("error") or problem.get("message") or problem["detail"]), problem
        return problem

    return check
