"""Small models to ask about: each is published when it is first asked for, and once for a whole run of the tests.

| name | what it is |
|---|---|
| `mixed` | regression by every type of feature, compiled; the dates are passed over |
| `mixed-as-it-is` | the same, served by scikit-learn itself; the two features without a zone count |
| `line` | linear regression by four numbers, one of which has no weight |
| `corners` | three classes by two numbers, a whole number and a boolean, which act together |
| `wide` | regression by 30 numbers of which four act, and together |
| `pair` | two numbers at once, `height` and `weight`, by three |
| `labels` | classes `no` and `yes` without probabilities |
| `bare` | `line` without data |

The embedded models are there by their names too.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from model_api.examples import NAMES
from model_api.explanations.question import Question, question_of
from model_api.loading import LoadedModel, load_version
from model_api.publishing import publish
from model_api.trust import Trust

LONG_MS = 600_000.0
"""Time for an explanation that no test should run out of."""
WORDS = ["quiet", "bright", "noisy", "garden", "balcony", "stairs"]
Row = Mapping[str, Any]


def stays(count: int = 150) -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """Make rows of every type of feature, with gaps, and a number to predict."""
    random = np.random.default_rng(7)
    seconds = pd.to_timedelta(random.integers(0, 4 * 365 * 86_400, count), unit="s")
    arrival = pd.Series(pd.Timestamp("2021-01-01T12:30:15.250001", tz="Europe/Amsterdam") + seconds)
    naive = arrival.dt.tz_localize(None)
    children = pd.Series(random.integers(0, 5, count), dtype="Int64")
    children[random.random(count) < 0.1] = pd.NA
    X = pd.DataFrame(
        {
            "area": np.where(random.random(count) < 0.15, np.nan, random.uniform(12, 60, count).round(1)),
            "children": children,
            "breakfast": random.random(count) < 0.5,
            "board": pd.Series(random.choice(["none", "half", "full"], count)).where(random.random(count) > 0.1),
            "stars": pd.Categorical(random.integers(1, 6, count)),
            "day": naive.dt.normalize(),
            "booked": naive - pd.to_timedelta(90, unit="m"),
            "arrival": arrival,
            "wish": [" ".join(random.choice(WORDS, 6)) for _ in range(count)],
        }
    )
    full, noisy = X["board"] == "full", X["wish"].str.count("noisy")
    price = 80 + 3 * X["area"].fillna(30) * (1 + full) + 25 * X["breakfast"] - 9 * noisy + 4 * X["stars"].astype(float)
    price += 20 * X["children"].fillna(0).astype(float) + (naive.dt.month > 6) * 15
    return X, price.rename("price")


def _columns(*more: tuple[str, Any, list[str]]) -> ColumnTransformer:
    kinds: list[tuple[str, Any, Any]] = [
        ("numbers", SimpleImputer(), ["area", "children", "breakfast"]),
        ("words", OneHotEncoder(handle_unknown="ignore"), ["board", "stars"]),
        ("text", CountVectorizer(), "wish"),
        *more,
    ]
    return ColumnTransformer(kinds, sparse_threshold=0)


def _mixed(models: Path) -> Path:
    X, y = stays()
    estimator = make_pipeline(_columns(), HistGradientBoostingRegressor(max_iter=25, random_state=0)).fit(X, y)
    about: dict[str, Any] = {"board": {"unknown_categories": True}}
    return publish(estimator, X, y, name="mixed", models=models, features=about, target={"unit": "€"})


def _mixed_as_it_is(models: Path) -> Path:
    X, y = stays()
    moments = ("moments", StandardScaler(), ["day", "booked"])
    estimator = make_pipeline(_columns(moments), HistGradientBoostingRegressor(max_iter=25, random_state=0)).fit(X, y)
    about: dict[str, Any] = {"board": {"unknown_categories": True}}
    return publish(estimator, X, y, name="mixed-as-it-is", models=models, features=about, compiled=False)


def line_table() -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """Make rows of four numbers, and a number that is a weighted sum of three of them."""
    X = pd.DataFrame(np.random.default_rng(3).normal(size=(80, 4)).round(3), columns=["a", "b", "c", "idle"])
    return X, (5 + 2 * X["a"] - 3 * X["b"] + 0.5 * X["c"]).rename("y")


def _line_estimator() -> Any:
    estimator = LinearRegression().fit(*line_table())
    estimator.coef_[3] = 0.0  # or it would be 1e-16
    return estimator


def _line(models: Path) -> Path:
    return publish(_line_estimator(), *line_table(), name="line", models=models, target={"unit": "m"})


def _bare(models: Path) -> Path:
    return publish(_line_estimator(), name="bare", models=models)


def _corners(models: Path) -> Path:
    random = np.random.default_rng(4)
    X = pd.DataFrame(
        {
            "x": random.normal(size=90).round(2),
            "y": random.normal(size=90).round(2),
            "steps": random.integers(0, 6, 90),
            "open": random.random(90) < 0.5,
        }
    )
    high = np.where(X["open"], X["x"] * X["y"] > 0, X["steps"] > 2)
    classes = pd.Series(np.where(X["x"] > 1, "far", np.where(high, "high", "low")), name="corner")
    estimator = GradientBoostingClassifier(n_estimators=12, random_state=0).fit(X, classes)
    return publish(estimator, X, classes, name="corners", models=models)


def _wide(models: Path) -> Path:
    X = pd.DataFrame(np.random.default_rng(5).normal(size=(300, 30)).round(3), columns=[f"f{i:02}" for i in range(30)])
    y = (3 * X["f00"] + 2 * X["f01"] * X["f02"] + X["f03"].abs()).rename("y")
    estimator = GradientBoostingRegressor(n_estimators=40, max_depth=4, random_state=0).fit(X, y)
    return publish(estimator, X, y, name="wide", models=models)


def _pair(models: Path) -> Path:
    X = pd.DataFrame(np.random.default_rng(6).normal(size=(80, 3)).round(2), columns=["age", "shoe", "sleep"])
    y = pd.DataFrame({"height": 170 + 5 * X["shoe"], "weight": 70 + 3 * X["age"] - X["sleep"]})
    return publish(Ridge(alpha=0.1).fit(X, y), X, y, name="pair", models=models)


def _labels(models: Path) -> Path:
    X = pd.DataFrame(np.random.default_rng(8).normal(size=(80, 3)).round(2), columns=["p", "q", "r"])
    y = (X["p"] + X["q"] > 0).map({True: "yes", False: "no"}).rename("said")
    return publish(LinearSVC(random_state=0).fit(X, y), X, y, name="labels", models=models)


MAKERS: Mapping[str, Callable[[Path], Path]] = {
    "mixed": _mixed,
    "mixed-as-it-is": _mixed_as_it_is,
    "line": _line,
    "corners": _corners,
    "wide": _wide,
    "pair": _pair,
    "labels": _labels,
    "bare": _bare,
}


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Callable[[str], Path]:
    """Give the folder of a model's version by its name: `published("mixed")`. Read only."""
    models = tmp_path_factory.mktemp("explained")

    @cache
    def made(name: str) -> Path:
        return models_folder / name / "1" if name in NAMES else MAKERS[name](models)

    return made


@pytest.fixture(scope="session")
def loaded(published: Callable[[str], Path]) -> Callable[[str], LoadedModel]:
    """Give a loaded model by its name: `loaded("mixed")`."""

    @cache
    def made(name: str) -> LoadedModel:
        return load_version(published(name), Trust())

    return made


@pytest.fixture(scope="session")
def question(loaded: Callable[[str], LoadedModel]) -> Callable[..., Question]:
    """Ask about a case: `question("mixed", options={"class": "yes"})`.

    The case is a row of the reference sample, the first unless `row` tells another by its place or is one itself;
    `changed` are values of it to be replaced. There is all the time in the world unless `milliseconds` says otherwise.
    """

    def ask(
        name: str,
        row: int | Row = 0,
        *,
        options: Row | None = None,
        milliseconds: float = LONG_MS,
        changed: Row | None = None,
    ) -> Question:
        model = loaded(name)
        case = model.artifact.reference.row(row) if isinstance(row, int) else row
        return question_of(model, {**case, **(changed or {})}, dict(options or {}), milliseconds)

    return ask
