"""One service for the whole corpus: the embedded models and three small ones, in a process of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from model_api.publishing import publish
from tests.e2e.services import READY, Command, free_ports
from tests.model_api.corpus.server import Server
from tests.model_api.corpus.stay import publish_stay


@pytest.fixture(scope="session")
def server(
    models_folder: Path, published_small_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The model service, as a command starts it."""
    models = tmp_path_factory.mktemp("corpus") / "models"
    shutil.copytree(models_folder, models)
    shutil.copytree(published_small_models, models, dirs_exist_ok=True)
    publish_line(models)
    publish_stay(models)
    (port,) = free_ports(1)
    settings = {"MODEL_API_LOG_FORMAT": "json", "MODEL_API_DEFAULT_MODEL": "diabetes"}
    command = Command(["-m", "servery", "serve", "--models", str(models), "--port", str(port)], environment=settings)
    try:
        command.wait_for(READY)
        yield Server(port, command)
    finally:
        command.close()


def publish_line(models: Path) -> None:
    """Publish a model with one feature, which must be given."""
    X = pd.DataFrame({"x": np.arange(60.0)})
    y = (2 * X["x"]).rename("y")
    publish(LinearRegression().fit(X, y), X, y, name="line", models=models)
