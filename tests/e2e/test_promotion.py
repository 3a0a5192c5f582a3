"""A new version beside the one that answers: refused when it is worse, promoted by force, and taken back."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from playwright.sync_api import Page
from sklearn.datasets import load_wine
from sklearn.dummy import DummyClassifier

from model_api.artifact import Artifact
from model_api.publishing import publish
from tests.e2e.conftest import OpenPage
from tests.e2e.services import START_SECONDS, Command, Services, running_servery


@pytest.fixture(scope="module")
def folder(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose model `wine` has a second version, which knows nothing."""
    folder = tmp_path_factory.mktemp("promotion")
    shutil.copytree(models_folder / "wine", folder / "models" / "wine")
    X, y = load_wine(return_X_y=True, as_frame=True)
    labels = np.array(Artifact(folder / "models" / "wine" / "1").signature.target.classes)[y]
    guess = DummyClassifier().fit(X, labels)
    publish(guess, X, labels, name="wine", title="Wine by guessing", models=folder / "models")
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Services]:
    """Both services on that folder."""
    with running_servery(folder / "models", folder) as services:
        yield services


def test_a_worse_version_is_refused_and_the_way_back_is_one_call(
    folder: Path, served: Services, open_page: OpenPage
) -> None:
    def servery(*words: str) -> tuple[int, str]:
        command = Command(["-m", "servery", *words], folder=folder)
        try:
            return command.wait(START_SECONDS), command.output
        finally:
            command.close()

    assert told(served, lambda wine: wine["aliases"] == {"champion": "1"})

    code, output = servery("promote", "wine", "2")
    assert code == 2
    assert "NO  it is as good" in output
    assert "wine, version 2, does not become the champion" in output
    wine = told(served, lambda wine: wine["history"][-1]["refused"])
    assert wine["aliases"] == {"champion": "1"}
    assert "it is as good" in wine["history"][-1]["broken"]

    assert servery("promote", "wine", "2", "--force")[0] == 0
    wine = told(served, lambda wine: wine["aliases"] == {"champion": "2"})
    assert (wine["history"][-1]["forced"], wine["champion"]["title"]) == (True, "Wine by guessing")
    page = open_page(base_url=served.dashboard)
    page.goto("/models/wine")
    reload_until_headed(page, "Wine by guessing")

    assert servery("rollback", "wine")[0] == 0
    wine = told(served, lambda wine: wine["aliases"] == {"champion": "1"})
    assert (wine["history"][-1]["by"], wine["history"][-1]["to"]) == ("rollback", "1")
    reload_until_headed(page, wine["champion"]["title"])


def reload_until_headed(page: Page, heading: str) -> None:
    """Load a page anew until it has a heading: the dashboard asks for the list of models every two seconds."""
    deadline = time.monotonic() + START_SECONDS
    while page.get_by_role("heading", level=1).inner_text() != heading:
        assert time.monotonic() < deadline, page.inner_text("body")
        page.reload()


def told(services: Services, expected: Any) -> dict[str, Any]:
    """Wait until `/models` tells of the model `wine` what is expected, and give what it tells."""
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while True:
            models = session.get(f"{services.api}/models", timeout=10).json()["models"]
            (wine,) = [model for model in models if model["name"] == "wine"]
            if expected(wine):
                return dict(wine)
            assert time.monotonic() < deadline, wine
            time.sleep(0.1)
