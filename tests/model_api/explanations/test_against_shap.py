"""Contributions against the library `shap`, which computes the same values in its own way from the estimator itself.

Both start from the same background rows. What shap is given are places in a table of values, so that it asks
scikit-learn about real values of every type, and nothing of ours but the choice of rows is in its answer.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports
    import shap

from model_api.explanations.contributions import contributions
from model_api.explanations.question import Question, question_of
from model_api.loading import LoadedModel, load_version
from model_api.publishing import publish
from model_api.runtimes import Floats
from model_api.runtimes.frames import to_frame
from model_api.trust import Trust
from tests.model_api.explanations.conftest import LONG_MS
from tests.model_api.zoo import ZOO, Case

pytestmark = pytest.mark.filterwarnings("ignore")  # what shap warns of is not ours

ROWS = (0, 11, 42)
"""Cases of each model."""
EXACT = {
    "linear": "ridge",
    "linear-classes": "logistic regression of named classes",
    "forest": "forest",
    "histograms": "histograms for numbers with gaps",
    "mixed": "people by histograms",
    "numbered": "people by numbered categories",
}
"""What is compared, and its name in the zoo."""
Published = Callable[[str], LoadedModel]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Publish a combination of the zoo and load it, once."""
    models = tmp_path_factory.mktemp("zoo")
    known: dict[str, LoadedModel] = {}

    def load(name: str) -> LoadedModel:
        if name not in known:
            case = ZOO[EXACT[name]]
            known[name] = load_version(publish(case.fitted, case.frame, case.true, name=name, models=models), Trust())
        return known[name]

    return load


def ours(question: Question) -> tuple[dict[str, Any], Floats]:
    """Give our answer, and its contributions in the order of the features."""
    answer = contributions(question)
    values = {item["feature"]: item["contribution"] for item in answer["contributions"]}
    return answer, np.array([values[name] for name in question.row])


def table_of(question: Question, case: Case) -> pd.DataFrame:
    """Give the background rows, and the case as the last, as the estimator was fitted on them."""
    columns = question.subject.coding.columns(question.subject.background)
    return to_frame({name: [*column, question.row[name]] for name, column in columns.items()}, case.layout)


def asked_by_places(case: Case, table: pd.DataFrame, place: int) -> Callable[[Floats], Floats]:
    """Make the function of n × features places in a table that shap explains: a class's probability, or a number."""

    def ask(places: Floats) -> Floats:
        chosen = places.astype(int)
        picked = {
            name: table[name].iloc[chosen[:, column]].reset_index(drop=True)
            for column, name in enumerate(table.columns)
        }
        frame = pd.DataFrame(picked)
        if not hasattr(case.fitted, "predict_proba"):
            return np.asarray(case.fitted.predict(frame), dtype=np.float64)
        return np.asarray(case.fitted.predict_proba(frame)[:, place], dtype=np.float64)

    return ask


def theirs(case: Case, question: Question, place: int) -> tuple[float, Floats]:
    """Give shap's base value and contributions, exact, over all background rows."""
    table = table_of(question, case)
    rows, features = len(table) - 1, len(table.columns)
    places = np.repeat(np.arange(rows, dtype=np.float64)[:, None], features, axis=1)
    masker = shap.maskers.Independent(places, max_samples=rows)
    explainer = shap.explainers.Exact(asked_by_places(case, table, place), masker)
    explained = explainer(np.full((1, features), float(rows)), silent=True)
    return float(np.ravel(explained.base_values)[0]), np.asarray(explained.values[0], dtype=np.float64)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", EXACT)
def test_contributions_are_those_of_shap(served: Published, name: str, row: int) -> None:
    model = served(name)
    question = question_of(model, model.artifact.reference.row(row), {}, LONG_MS)
    focus = question.focus()
    spread = question.subject.spread_of(focus)
    answer, values = ours(question)
    case = ZOO[EXACT[name]]
    base, expected = theirs(case, question, focus.place)

    if answer["method"] == "sampled":  # 13 features: more than are tried in every combination
        errors = {item["feature"]: item["error"] for item in answer["contributions"]}
        limit = 4 * np.array([errors[name] for name in question.row]) + 1e-9 * spread
    else:
        limit = np.full(len(values), 1e-9 * spread)
    assert answer["base"] == pytest.approx(base, abs=1e-9 * spread)
    assert np.all(np.abs(values - expected) <= limit)
    assert answer["base"] + values.sum() == pytest.approx(answer["prediction"], abs=1e-9 * spread)


@pytest.mark.parametrize("row", ROWS)
def test_thirty_features_have_the_values_of_shaps_tree_explainer(
    question: Callable[..., Question], row: int, wide_estimator: Any
) -> None:
    asked = question("wide", row)
    answer, values = ours(asked)
    explainer = shap.TreeExplainer(wide_estimator, asked.subject.background, feature_perturbation="interventional")
    expected = explainer.shap_values(asked.case[None])[0]

    errors = {item["feature"]: item["error"] for item in answer["contributions"]}
    limit = 4 * np.array([errors[name] for name in asked.row]) + 1e-6  # shap's trees are of float32
    assert answer["method"] == "sampled"
    assert np.all(np.abs(values - expected) <= limit)


@pytest.mark.parametrize("row", ROWS)
def test_thirty_features_are_near_shaps_permutation_explainer(question: Callable[..., Question], row: int) -> None:
    asked = question("breast-cancer", row)
    focus = asked.focus()
    answer, values = ours(asked)
    masker = shap.maskers.Independent(asked.subject.background, max_samples=len(asked.subject.background))
    explainer = shap.explainers.Permutation(lambda rows: asked.subject.scores(rows, focus), masker, seed=0)
    explained = explainer(asked.case[None], max_evals=40 * 61, silent=True)

    difference = np.abs(values - explained.values[0]).max()
    assert difference <= 0.02 * asked.subject.spread_of(focus)
    assert answer["base"] == pytest.approx(float(explained.base_values[0]), abs=1e-9)


@pytest.fixture(scope="module")
def wide_estimator(published: Callable[[str], Path]) -> Any:
    """The estimator of `wide`, read from its file."""
    import skops.io

    return skops.io.load(published("wide") / "estimator.skops", trusted=Trust().all_types)
