"""A model with code of its own: installed with pip, published by `servery run`, and used like any other."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import requests
from playwright.sync_api import expect

from dashboard.formatting import percent
from tests.e2e.api import Api, Instance
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn
from tests.e2e.services import ROOT, Services, running_servery

EXAMPLE = ROOT / "examples" / "model_package"
CASE: Instance = {
    "booked_at": "2025-03-03T09:30",
    "appointment": "2025-04-14",
    "age": 34,
    "distance": 12.5,
    "reminded": False,
    "clinic": "harbour",
    "reason": "first visit",
}
"""A case as it is typed."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the example package."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(folder), str(EXAMPLE)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def served(site: Path, models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Both services, started by `servery run` where the package is installed and another model is there already."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(models_folder / "wine", folder / "models" / "wine")
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    with running_servery(folder / "models", folder, environment={"PYTHONPATH": path}) as services:
        yield services


@pytest.fixture(scope="module")
def package(site: Path) -> Iterator[ModuleType]:
    """The package's own module, to be asked without a service."""
    sys.path.insert(0, str(site))
    try:
        yield importlib.import_module("no_show.model")
    finally:
        sys.path.remove(str(site))
        for name in [name for name in sys.modules if name.split(".")[0] == "no_show"]:
            del sys.modules[name]


@pytest.fixture
def no_show(open_page: OpenPage, served: Services) -> ModelPage:
    """The page of the package's model."""
    return ModelPage(open_page(base_url=served.dashboard)).open("no-show")


def test_servery_run_says_that_it_publishes_the_package(served: Services) -> None:
    said = "publishing the model package servery-example-no-show 1.0.0 as no-show"

    assert said in served.command.output


def test_it_is_a_card_among_the_others(open_page: OpenPage, served: Services) -> None:
    page = open_page(base_url=served.dashboard)
    page.goto("/")

    page.get_by_role("link", name="Missed appointments (synthetic data)").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Missed appointments (synthetic data)")


def test_each_column_has_the_control_that_its_dtype_asks_for(no_show: ModelPage) -> None:
    script = "field => [field.type, field.inputMode].filter(Boolean).join(', ')"
    types = {name: no_show.field(name).first.evaluate(script) for name in CASE}

    assert types == {
        "booked_at": "datetime-local",
        "appointment": "date",
        "age": "text, numeric",
        "distance": "text, decimal",
        "reminded": "radio",
        "clinic": "radio",
        "reason": "select-one",
    }


def test_each_value_may_be_unknown(no_show: ModelPage) -> None:
    no_show.fill(dict.fromkeys(CASE))
    no_show.predict()

    expect(no_show.number).to_be_visible()


def test_the_page_shows_what_the_package_predicts(no_show: ModelPage, package: ModuleType) -> None:
    no_show.fill(CASE)
    no_show.predict()

    frame = pd.DataFrame([CASE]).astype({"age": "Int64", "reminded": "boolean", "clinic": "category"})
    frame = frame.assign(**{name: pd.to_datetime(frame[name]) for name in ("booked_at", "appointment")})
    prepared = package.feature_engineering(package.preprocess_data(frame))
    answer = package.predict(package.load_model(), prepared).iloc[0]
    no_show.expect_number(str(answer.idxmax()))
    expect(no_show.page.locator("#answer")).to_contain_text(percent(answer.max()))
    expect_drawn(no_show.chart)


def test_the_answers_equal_the_pipelines_on_every_row(served: Services, package: ModuleType) -> None:
    X, _ = package.load_data()
    prepared = package.feature_engineering(package.preprocess_data(X))
    expected = package.predict(package.load_model(), prepared)
    assert (X.isna().sum() > 0).all()
    assert {str(dtype) for dtype in X.dtypes} >= {"str", "category", "Int64", "boolean", "datetime64[us]"}
    rows = [{name: plain(value) for name, value in row.items()} for row in X.to_dict("records")]

    found: list[dict[str, Any]] = []
    with requests.Session() as session:
        session.trust_env = False
        for start in range(0, len(rows), 1000):
            body = {"data": rows[start : start + 1000]}
            answer = session.post(f"{served.api}/models/no-show/predict", json=body, timeout=60)
            assert answer.status_code == 200, answer.text
            found += answer.json()["probabilities"]

    assert len(found) == 3000
    assert [list(row.values()) for row in found] == expected[list(found[0])].to_numpy().tolist()


def test_the_predefined_data_are_the_packages(served: Services, package: ModuleType) -> None:
    api = Api(served.api)
    answer = api.reference("no-show", 1, 20)
    api.close()

    X, _ = package.load_data()
    kept = [{name: plain(value) for name, value in row.items()} for row in X.to_dict("records")]
    assert len(answer["data"]) == 20
    assert all(same(row, kept) for row in answer["data"])


def plain(value: Any) -> Any:
    """Write a cell as JSON has it."""
    if pd.isna(value):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def same(row: Instance, rows: list[dict[str, Any]]) -> bool:
    """Tell whether a row is among others; a day is the midnight with which it begins."""
    day = row["appointment"]
    return {**row, "appointment": day and f"{day}T00:00:00"} in rows
