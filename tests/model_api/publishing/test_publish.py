"""Publishing: from a fitted estimator to a version that is served."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from starlette.testclient import TestClient

import model_api
from model_api.artifact import Artifact
from model_api.folders import read_aliases, versions_of
from model_api.publishing import publish

Table = tuple[pd.DataFrame, "pd.Series[Any]"]


@pytest.fixture
def line() -> Table:
    """Thirty points on a line."""
    X = pd.DataFrame({"x": np.arange(30.0)})
    return X, (2 * X["x"] + 1).rename("y")


def publish_line(models: Path | str, line: Table, **changes: Any) -> Path:
    X, y = line
    settings: dict[str, Any] = {"name": "line", "models": models, "compiled": False, **changes}
    return publish(LinearRegression().fit(X, y), X, y, **settings)


def test_a_published_model_is_served(tmp_path: Path, line: Table, serving: Callable[..., TestClient]) -> None:
    publish_line(tmp_path, line, compiled=True)

    answer = serving(tmp_path).post("/predict", json={"data": {"x": 100}})

    assert answer.json()["prediction"] == pytest.approx(201)


def test_publish_is_a_public_name_of_the_package() -> None:
    assert model_api.publish is publish


def test_the_first_version_is_the_champion(tmp_path: Path, line: Table) -> None:
    assert publish_line(tmp_path, line) == tmp_path / "line" / "1"
    assert read_aliases(tmp_path / "line") == {"champion": "1"}


def test_the_same_content_again_makes_no_new_version(tmp_path: Path, line: Table) -> None:
    first = publish_line(tmp_path, line)
    manifest = (first / "manifest.json").read_bytes()

    assert publish_line(tmp_path, line) == first
    assert versions_of(tmp_path / "line") == ["1"]
    assert (first / "manifest.json").read_bytes() == manifest


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "A line"},
        {"description": "It is straight."},
        {"card": "# Line"},
        {"synthetic": True},
        {"features": {"x": {"unit": "m"}}},
        {"target": {"unit": "m"}},
    ],
)
def test_changed_content_is_a_new_version_that_waits_to_be_promoted(
    tmp_path: Path, line: Table, changes: dict[str, Any]
) -> None:
    first = publish_line(tmp_path, line)
    untouched = {path.name: path.read_bytes() for path in first.iterdir()}

    assert publish_line(tmp_path, line, **changes) == tmp_path / "line" / "2"
    assert read_aliases(tmp_path / "line") == {"champion": "1"}
    assert {path.name: path.read_bytes() for path in first.iterdir()} == untouched


def test_another_estimator_is_a_new_version(tmp_path: Path, line: Table) -> None:
    X, y = line
    publish_line(tmp_path, line)

    assert publish_line(tmp_path, (X, y + 1)).name == "2"


def test_publishing_an_old_version_again_can_make_it_the_champion_again(tmp_path: Path, line: Table) -> None:
    publish_line(tmp_path, line)
    publish_line(tmp_path, line, title="A line", alias="champion")
    assert read_aliases(tmp_path / "line") == {"champion": "2"}

    assert publish_line(tmp_path, line, alias="champion").name == "1"
    assert read_aliases(tmp_path / "line") == {"champion": "1"}
    assert versions_of(tmp_path / "line") == ["1", "2"]


def test_another_alias_leaves_the_champion_alone(tmp_path: Path, line: Table) -> None:
    publish_line(tmp_path, line)
    publish_line(tmp_path, line, title="A line", alias="challenger")

    assert read_aliases(tmp_path / "line") == {"champion": "1", "challenger": "2"}


def test_the_provenance_names_estimator_and_libraries(tmp_path: Path, line: Table) -> None:
    manifest = Artifact(publish_line(tmp_path, line)).manifest

    assert manifest.estimator == {
        "class": "sklearn.linear_model._base.LinearRegression",
        "columns": [{"name": "x", "dtype": "float64"}],
        "bare": False,
        "by_probability": False,
    }
    assert set(manifest.libraries) >= {"python", "servery", "scikit-learn", "skops", "numpy", "pandas", "onnxruntime"}
    assert manifest.published_at.endswith("+00:00")
    assert manifest.title == "line"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Line",
        "../line",
        "a/b",
        "a b",
        "-line",
        ".line",
        "_line",
        "line\n",
        "línea",
        "a" * 65,
        "a\x00",
        "..",
        "CON ",
    ],
)
def test_a_name_that_cannot_be_served_is_refused(tmp_path: Path, line: Table, name: str) -> None:
    with pytest.raises(ValueError, match="the model name"):
        publish_line(tmp_path / "models", line, name=name)

    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("name", ["a", "0", "breast-cancer", "a.b_c-d", "a" * 64])
def test_a_name_that_can_be_served_is_taken(tmp_path: Path, line: Table, name: str) -> None:
    assert publish_line(tmp_path, line, name=name) == tmp_path / name / "1"


@pytest.mark.parametrize("alias", ["", "1", "Champion", "a-b", "a b", "../x", "_x", "x" * 65, "champion\n", "é"])
def test_an_alias_that_cannot_be_asked_for_is_refused(tmp_path: Path, line: Table, alias: str) -> None:
    with pytest.raises(ValueError, match="the alias"):
        publish_line(tmp_path / "models", line, alias=alias)

    assert not (tmp_path / "models").exists()


def test_a_description_of_a_feature_that_does_not_exist_is_refused(tmp_path: Path, line: Table) -> None:
    with pytest.raises(ValueError, match="described features that the data does not have: a, z"):
        publish_line(tmp_path, line, features={"z": {"unit": "m"}, "a": {}, "x": {}})

    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_be_named_by_text(tmp_path: Path, line: Table) -> None:
    assert publish_line(str(tmp_path), line) == tmp_path / "line" / "1"


def test_a_place_elsewhere_gets_the_version(tmp_path: Path, line: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "elsewhere"

    folder = publish_line(elsewhere.as_uri(), line)

    Artifact(elsewhere / "line" / "1").check()
    assert read_aliases(elsewhere / "line") == {"champion": "1"}
    assert folder.is_relative_to(tmp_path / "cache")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "elsewhere"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": 5}, "the model: title must be text, not 5"),
        ({"synthetic": "yes"}, 'the model: synthetic must be true or false, not "yes"'),
        ({"features": {"x": {"label": 5}}}, "the feature x: label must be text, not 5"),
        ({"features": {"x": {"units": "km"}}}, "the feature x has no 'units'; did you mean unit"),
        ({"features": {"x": {"type": "date"}}}, "column 'x' has the dtype float64, and cannot be described as a date"),
        ({"target": {"positive": "nope"}}, "the target is a regression, and has no classes"),
        ({"target": {"task": "binary"}}, 'task must be what the estimator knows, "regression", not "binary"'),
    ],
)
def test_a_description_that_no_page_could_show_is_refused(
    tmp_path: Path, line: Table, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        publish_line(tmp_path, line, **changes)
    assert not list(tmp_path.glob("line/*"))


def test_an_estimator_that_answers_for_no_row_says_why(tmp_path: Path, line: Table) -> None:
    X, y = line
    with pytest.raises(ValueError, match=r"for none of the rows .*: NotFittedError: This Ridge instance is not fitted"):
        publish(Ridge(), X, y, name="line", models=tmp_path)
    with pytest.raises(ValueError, match="this LogisticRegression is not fitted: it knows no classes"):
        publish(LogisticRegression(), X, y, name="line", models=tmp_path)
    with pytest.raises(ValueError, match=r"It was fitted on 1 columns, and the data has 2: x, more$"):
        publish(Ridge().fit(X.to_numpy(), y), X.assign(more=1.0), y, name="line", models=tmp_path)


def test_a_function_that_not_every_number_has_prints_no_warnings(tmp_path: Path) -> None:
    X = np.arange(40.0).reshape(-1, 1)
    estimator = make_pipeline(FunctionTransformer(np.log1p), LinearRegression()).fit(X, X[:, 0])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        publish(estimator, X, X[:, 0], name="line", models=tmp_path)
