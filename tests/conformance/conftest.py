"""A real service with a numeric and a mixed model, the answers of scikit-learn itself, and the clients that ask."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model_api.publishing import publish
from tests.conformance.environments import is_made, python_of
from tests.conformance.table import Table
from tests.e2e.services import Command, free_ports

HERE = Path(__file__).parent
ROWS = 24
READY = "press Ctrl-C to stop"
CLIENT_SECONDS = 180


class Truth(NamedTuple):
    """What scikit-learn answers, and for what."""

    rows: dict[str, list[dict[str, Any]]]
    predictions: dict[str, list[Any]]
    probabilities: list[list[float]]
    """Of the numeric model, whose classes are whole numbers."""


class Published(NamedTuple):
    """A folder of models, and the truth about them."""

    folder: Path
    truth: Truth


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Fit and publish both models."""
    folder = tmp_path_factory.mktemp("models")
    numeric = _publish_numeric(folder)
    mixed = _publish_mixed(folder)
    rows = {"numeric": numeric[1], "mixed": mixed[1]}
    frames = {name: pd.DataFrame(rows[name]) for name in rows}
    return Published(
        folder,
        Truth(
            {name: _with_gaps(frame) for name, frame in rows.items()},
            {
                "numeric": numeric[0].predict(frames["numeric"]).tolist(),
                "mixed": mixed[0].predict(frames["mixed"]).tolist(),
            },
            numeric[0].predict_proba(frames["numeric"]).tolist(),
        ),
    )


def _publish_numeric(folder: Path) -> tuple[Any, pd.DataFrame]:
    """Publish a classification by thirteen numbers."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    X.columns = [name.split("/")[0] for name in X.columns]
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    publish(estimator, X, y.rename("cultivar"), name="numeric", models=folder)
    return estimator, X.sample(ROWS, random_state=0)


def _publish_mixed(folder: Path) -> tuple[Any, pd.DataFrame]:
    """Publish a regression by numbers, strings and gaps in both."""
    random = np.random.default_rng(7)
    count = 300
    X = pd.DataFrame(
        {
            "size": np.where(random.random(count) < 0.2, np.nan, random.uniform(20, 150, count).round(1)),
            "rooms": random.integers(1, 6, count),
            "district": random.choice(["north", "süd", "old, town"], count),
            "heating": pd.Series(random.choice(["gas", "heat pump", "none"], count), dtype=object),
        }
    )
    X.loc[random.random(count) < 0.2, "heating"] = np.nan
    y = (5 * X["size"].fillna(80) + 40 * X["rooms"] + 90 * (X["heating"] == "gas")).rename("rent")
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    columns = ColumnTransformer([("n", SimpleImputer(), ["size", "rooms"]), ("w", words, ["district", "heating"])])
    estimator = make_pipeline(columns, GradientBoostingRegressor(n_estimators=30, random_state=0)).fit(X, y)
    publish(estimator, X, y, name="mixed", models=folder)
    sample = X.sample(ROWS, random_state=1)
    assert sample["size"].isna().any()
    assert sample["heating"].isna().any()
    return estimator, sample


def _with_gaps(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows


@pytest.fixture(scope="session")
def truth(published: Published) -> Truth:
    """What the clients should get."""
    return published.truth


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """What is written down about the clients."""
    table = Table(ROWS)
    yield table
    table.write(HERE.parents[1] / "bench" / "conformance.md")


@pytest.fixture(scope="session")
def start(published: Published) -> Iterator[Callable[[str], str]]:
    """Start the service with a default model, once; gives its address."""
    commands = []

    @cache
    def started(default: str) -> str:
        (port,) = free_ports(1)
        command = Command(
            ["-m", "servery", "serve", "--port", str(port), "--models", str(published.folder)],
            environment={"MODEL_API_DEFAULT_MODEL": default},
        )
        commands.append(command)
        command.wait_for(READY)
        return f"http://127.0.0.1:{port}"

    yield started
    for command in commands:
        command.end()
        command.close()


@pytest.fixture(scope="session")
def ask(
    start: Callable[[str], str], published: Published, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], dict[str, Any]]:
    """Run a client's script, once: `ask("triton", "numeric")` gives its version and what each call gave."""
    data = tmp_path_factory.mktemp("rows") / "rows.json"
    data.write_text(json.dumps(published.truth.rows))

    @cache
    def asked(client: str, default: str) -> dict[str, Any]:
        if not is_made(client):
            pytest.fail(f"the environment {client} is not there or not current: run `make conformance`")
        script = HERE / "clients" / f"{client}_client.py"
        done = subprocess.run(
            [python_of(client), script, start(default), data, default],
            capture_output=True,
            text=True,
            check=False,
            timeout=CLIENT_SECONDS,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return dict(json.loads(done.stdout.splitlines()[-1]))

    return asked
