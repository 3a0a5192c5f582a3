"""The model service under test, in this process, with the embedded models or with two small ones."""

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import httpx2
import numpy as np
import pandas as pd
import pytest
import structlog
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, binarize
from starlette.testclient import TestClient

from model_api import gate
from model_api.app import ModelService, create_app
from model_api.loading import load_version
from model_api.logs import configure_logging
from model_api.publishing import publish
from model_api.settings import Settings
from model_api.trial import Limits, Trial
from model_api.trust import Trust
from tests.model_api.roads import BothRoads

LOADING = "the models are being loaded"
PATIENCE = 30
"""Seconds that a service may take to load its models."""
LOGGERS = ("", "httpx2", "uvicorn", "uvicorn.error", "uvicorn.access")


def wait_until_loaded(client: TestClient) -> None:
    deadline = time.monotonic() + PATIENCE
    while client.get("/health/ready").json().get("reason") == LOADING:
        assert time.monotonic() < deadline, f"the models are not loaded after {PATIENCE} s"
        time.sleep(0.02)


def never_fails_inside(response: httpx2.Response) -> None:
    assert response.status_code != 500, f"{response.request.method} {response.request.url} failed inside the service"


@pytest.fixture(scope="session", autouse=True)
def publishing_is_quick(short_proofs: None) -> None:
    """Let the small models of all these tests be published quickly."""


@pytest.fixture(scope="session")
def service(models_folder: Path) -> ModelService:
    """The service with the four embedded models."""
    return create_app(Settings(models=str(models_folder), allowed_hosts=("testserver",)))


@pytest.fixture(scope="session")
def client(service: ModelService) -> Iterator[TestClient]:
    """A guest at the counter of `service`; an answer of 500, or one that the two roads do not share, fails the test."""
    with TestClient(BothRoads(service)) as client:
        wait_until_loaded(client)
        client.event_hooks["response"].append(never_fails_inside)
        yield client


@pytest.fixture
def serving() -> Iterator[Callable[..., TestClient]]:
    """Start a service of one's own: `serving(models, max_rows=3)` gives its client, loaded or failed to load."""
    with ExitStack() as stack:

        def start(models: Path, **settings: Any) -> TestClient:
            app = create_app(Settings(**{"models": models, "allowed_hosts": ("testserver",), **settings}))
            client = stack.enter_context(TestClient(app))
            wait_until_loaded(client)
            return client

        yield start


@pytest.fixture(scope="session")
def reference_rows(client: TestClient) -> Callable[[str, int], list[dict[str, Any]]]:
    """Give the first rows of the data that came with a model."""

    def rows(model: str, count: int) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = client.get(f"/models/{model}/predict", params={"limit": count}).json()["data"]
        assert len(data) == count
        return data

    return rows


@pytest.fixture(scope="session")
def patient(reference_rows: Callable[[str, int], list[dict[str, Any]]]) -> dict[str, Any]:
    """One instance for the default model, diabetes."""
    return reference_rows("diabetes", 1)[0]


@pytest.fixture(scope="session")
def applicant(reference_rows: Callable[[str, int], list[dict[str, Any]]]) -> dict[str, Any]:
    """One instance for loans without a missing value: numbers, whole numbers, booleans and categories."""
    return next(row for row in reference_rows("loans", 50) if None not in row.values())


RENT_FEATURES: dict[str, dict[str, Any]] = {
    "area": {"label": "Living area", "unit": "m²"},
    "district": {"unknown_categories": True, "categories": ("north", "south", "island")},
}
FLAT = {"area": 70.5, "rooms": 3, "furnished": True, "district": "south", "balcony": 4.5}


@pytest.fixture
def flat() -> dict[str, Any]:
    """One instance for the small model `rent`."""
    return dict(FLAT)


def publish_rent(models: Path) -> Path:
    """Publish a small regression on every type of feature; its encoder copes with districts it never saw."""
    random = np.random.default_rng(1)
    X = pd.DataFrame(
        {
            "area": np.round(random.uniform(20, 150, 60), 1),
            "rooms": random.integers(1, 6, 60),
            "furnished": random.random(60) < 0.5,
            "district": random.choice(["north", "south", "island"], 60),
            "balcony": np.where(random.random(60) < 0.3, np.nan, np.round(random.uniform(1, 12, 60), 1)),
        }
    )
    y = (8 * X["area"] + 30 * X["rooms"] + 100 * X["furnished"] + random.normal(0, 20, 60)).rename("rent")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [("district", encoder, ["district"]), ("rest", SimpleImputer(), ["area", "rooms", "furnished", "balcony"])]
    )
    pipeline = make_pipeline(columns, LinearRegression()).fit(X, y)
    about: dict[str, Any] = {"features": RENT_FEATURES, "target": {"unit": "€"}, "card": "A model of rents."}
    return publish(pipeline, X, y, name="rent", models=models, **about)


def publish_spam(models: Path) -> Path:
    """Publish a small classification whose classes are the integers 0 and 1."""
    random = np.random.default_rng(2)
    X = pd.DataFrame(random.normal(size=(60, 3)), columns=["links", "capitals", "length"])
    y = (X["links"] + random.normal(0, 0.5, 60) > 0).astype("int64").rename("spam")
    return publish(LogisticRegression().fit(X, y), X, y, name="spam", models=models)


@pytest.fixture(scope="session")
def published_small_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two small models, `rent` and `spam`, in that order. Shared: read only."""
    folder = tmp_path_factory.mktemp("small")
    publish_rent(folder)
    publish_spam(folder)
    return folder


@pytest.fixture
def small_models(published_small_models: Path, tmp_path: Path) -> Path:
    """A copy of the two small models that the test may damage."""
    return Path(shutil.copytree(published_small_models, tmp_path / "models"))


@pytest.fixture(scope="session")
def small_client(published_small_models: Path) -> Iterator[TestClient]:
    """The same with the two small models."""
    service = create_app(Settings(models=str(published_small_models), allowed_hosts=("testserver",)))
    with TestClient(BothRoads(service)) as client:
        wait_until_loaded(client)
        client.event_hooks["response"].append(never_fails_inside)
        yield client


@pytest.fixture
def models_with_binarize(small_models: Path) -> Path:
    """The two small models and `binary`, which calls a function of scikit-learn's that nobody reviewed."""
    X = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60.0) % 7})
    y = X["x"].rename("z")
    estimator = make_pipeline(FunctionTransformer(binarize), LinearRegression()).fit(X, y)
    publish(estimator, X, y, name="binary", models=small_models, compiled=False)
    return small_models


@pytest.fixture
def tried_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gate try versions in this process: what a process of its own adds is in test_trial.py."""

    def try_here(version: Path, trust: Trust, limits: Limits) -> Trial:
        return Trial(load_version(version, trust).artifact.manifest_hash, 10**7)

    monkeypatch.setattr(gate, "require_trial", try_here)


@pytest.fixture
def reseal() -> Callable[[Path, str, bytes], None]:
    """Replace a file of a version and its hash in the manifest, as somebody would who may write to the folder."""

    def replace(version: Path, name: str, data: bytes) -> None:
        (version / name).write_bytes(data)
        manifest = json.loads((version / "manifest.json").read_bytes())
        manifest["files"][name] = hashlib.sha256(data).hexdigest()
        manifest["sizes"][name] = len(data)
        if name == "estimator.skops":  # and the proof's word that it is of this estimator
            parity = json.loads((version / "parity.json").read_bytes()) | {"estimator": manifest["files"][name]}
            (version / "parity.json").write_text(json.dumps(parity))
            written = (version / "parity.json").read_bytes()
            manifest["files"]["parity.json"] = hashlib.sha256(written).hexdigest()
            manifest["sizes"]["parity.json"] = len(written)
        (version / "manifest.json").write_text(json.dumps(manifest))

    return replace


@pytest.fixture
def log_to_stderr() -> Iterator[Callable[[Literal["readable", "json"]], None]]:
    """Configure logging as `main` does, for one test; ask for capsys as well, to read it."""
    before = [
        (logger, logger.handlers[:], logger.level, logger.propagate) for logger in map(logging.getLogger, LOGGERS)
    ]

    def configure(log_format: Literal["readable", "json"]) -> None:
        logging.getLogger().handlers.clear()  # or pytest's own would be closed
        configure_logging(log_format)
        structlog.configure(cache_logger_on_first_use=False)  # or the loggers would keep this configuration
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # the test's own client

    yield configure
    structlog.reset_defaults()
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
