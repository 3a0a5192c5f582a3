"""Measures explanations: contributions beside the library shap, and every call over HTTP; prints Markdown.

`python bench/explanations.py [--models FOLDER] [--rows 40]`. Both start from the same background rows. The service is
one process on the first core, and is asked from another; without `--models` the embedded models are published first.
It never fails because of a figure.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is there

import numpy as np
import pandas as pd
import requests

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from model_api.examples import NAMES, breast_cancer, loans, publish_examples, wine  # noqa: E402 -- after the path
from model_api.explanations.calls import CALLS  # noqa: E402 -- likewise
from model_api.explanations.contributions import contributions, contributions_of  # noqa: E402 -- likewise
from model_api.explanations.question import Question, question_of  # noqa: E402 -- likewise
from model_api.loading import LoadedModel, load_version  # noqa: E402 -- likewise
from model_api.publishing import publish  # noqa: E402 -- likewise
from model_api.runtimes import Floats  # noqa: E402 -- likewise
from model_api.runtimes.frames import layout_of, to_frame  # noqa: E402 -- likewise
from model_api.trust import Trust  # noqa: E402 -- likewise
from tests.model_api.zoo import ZOO, Case  # noqa: E402 -- likewise

BUDGET_MS = 250.0
SHAP_ROWS = 12
"""Cases of each model that are explained twice."""
WAIT_SECONDS = 60
Row = dict[str, Any]


# Beside shap


def compared() -> dict[str, tuple[Case, str]]:
    """Give what is compared, and which of shap's explainers is its match: exact ones but for many features."""
    return {
        "diabetes (10 numbers): ridge behind a scaler": (ZOO["ridge"], "Exact"),
        "breast cancer (10 numbers): forest of 30": (ZOO["forest"], "Exact"),
        "diabetes with gaps: HistGradientBoosting": (ZOO["histograms for numbers with gaps"], "Exact"),
        "people (6 mixed, gaps): one-hot, HistGradientBoosting": (ZOO["people by histograms"], "Exact"),
        "loans (10 mixed): one-hot, HistGradientBoosting": (Case(loans.estimator(), loans.load_data), "Exact"),
        "wine (13 numbers): forest of 100": (Case(wine.estimator(), wine.load_data), "Tree"),
        "breast cancer (30 numbers): logistic regression": (
            Case(breast_cancer.estimator(), breast_cancer.load_data),
            "Permutation",
        ),
    }


@dataclass
class Beside:
    """What came out for one model."""

    differences: list[float]
    """Largest of each case, in spreads of the prediction."""
    remainders: list[float]
    """What rounding left of each case's sum before it was given to the largest contribution, in spreads."""
    ours_ms: list[float]
    theirs_ms: list[float]
    methods: set[str]


def beside(models: Path) -> list[str]:
    """Explain the same rows twice and write the table."""
    lines = [
        "| model | ours | shap's | difference ÷ spread | remainder ÷ spread | ours p50 ms | shap p50 ms |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for number, (name, (case, kind)) in enumerate(compared().items()):
        folder = publish(case.fitted, case.frame, case.true, name=f"case-{number}", models=models)
        found = explain_twice(load_version(folder, Trust()), case, kind)
        cells = [
            name,
            ", ".join(sorted(found.methods)),
            kind,
            f"{max(found.differences):.1e}",
            f"{max(found.remainders):.0e}",
            f"{statistics.median(found.ours_ms):.1f}",
            f"{statistics.median(found.theirs_ms):.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], file=sys.stderr)
    return lines


def explain_twice(model: LoadedModel, case: Case, kind: str) -> Beside:
    """Explain some cases of a model with both, after one that is not counted."""
    found = Beside([], [], [], [], set())
    reference = model.artifact.reference
    for row in np.linspace(0, len(reference) - 1, SHAP_ROWS + 1).astype(int).tolist():
        began = time.perf_counter()
        question = question_of(model, reference.row(row), {}, BUDGET_MS)
        answer = contributions(question)
        ours_ms = (time.perf_counter() - began) * 1000
        values = {item["feature"]: item["contribution"] for item in answer["contributions"]}
        expected, theirs_ms = by_shap(question, case, kind)
        difference = np.abs(np.array([values[name] for name in question.row]) - expected).max()
        found.differences.append(float(difference) / question.subject.spread_of(question.focus()))
        again = question_of(model, reference.row(row), {}, BUDGET_MS)
        remainder = contributions_of(again, again.focus(), answer["prediction"]).remainder
        found.remainders.append(abs(remainder) / again.subject.spread_of(again.focus()))
        found.methods.add(answer["method"])
        if row:  # the first one warms both up
            found.ours_ms.append(ours_ms)
            found.theirs_ms.append(theirs_ms)
    return found


def by_shap(question: Question, case: Case, kind: str) -> tuple[Floats, float]:
    """Let shap explain the estimator; gives the contributions, and the milliseconds."""
    import shap

    subject, place = question.subject, question.focus().place
    columns = subject.coding.columns(subject.background)
    table = to_frame({name: [*values, question.row[name]] for name, values in columns.items()}, layout_of(case.frame))
    if kind == "Tree":
        explainer = shap.TreeExplainer(case.fitted, table[:-1], feature_perturbation="interventional")
        began = time.perf_counter()
        values = np.asarray(explainer.shap_values(table[-1:]))[0]
        return (values if values.ndim == 1 else values[:, place]), (time.perf_counter() - began) * 1000
    rows, data = shap_rows(table)
    masker = shap.maskers.Independent(data[:-1], max_samples=len(table) - 1)
    explainer = getattr(shap.explainers, kind)(asked(case, rows, place), masker)
    each = 2 * data.shape[1] + 1
    began = time.perf_counter()
    explained = explainer(data[-1:], silent=True, **({"max_evals": 10 * each} if kind == "Permutation" else {}))
    milliseconds = (time.perf_counter() - began) * 1000
    if kind == "Permutation":  # its usual ten orders are timed, but would say more of its error than of ours
        explained = explainer(data[-1:], silent=True, max_evals=200 * each)
    return np.asarray(explained.values[0], dtype=np.float64), milliseconds


def shap_rows(table: pd.DataFrame) -> tuple[Callable[[Floats], pd.DataFrame], Floats]:
    """Give a table as the numbers that shap's maskers need, and how to make a frame of such numbers again.

    Numbers are themselves; of other columns, and of those with gaps, shap gets the places in the table.
    """
    if all(dtype == np.float64 for dtype in table.dtypes) and not table.isna().any(axis=None):
        return lambda numbers: pd.DataFrame(numbers, columns=table.columns), table.to_numpy()

    def picked(places: Floats) -> pd.DataFrame:
        chosen = places.astype(int)
        parts = {name: table[name].array.take(chosen[:, i]) for i, name in enumerate(table.columns)}
        return pd.DataFrame(parts)

    return picked, np.repeat(np.arange(len(table), dtype=np.float64)[:, None], len(table.columns), axis=1)


def asked(case: Case, rows: Callable[[Floats], pd.DataFrame], place: int) -> Callable[[Floats], Floats]:
    """Make the function that shap explains."""
    if hasattr(case.fitted, "predict_proba"):
        return lambda numbers: np.asarray(case.fitted.predict_proba(rows(numbers))[:, place], dtype=np.float64)
    return lambda numbers: np.asarray(case.fitted.predict(rows(numbers)), dtype=np.float64)


# Over HTTP


@dataclass(frozen=True)
class Asked:
    """A model as it is seen over HTTP."""

    name: str
    features: Sequence[Row]
    target: Row
    rows: Sequence[Row]
    predictions: Sequence[Any]


def _feature(model: Asked, turn: int) -> Row:
    return {"feature": model.features[turn % len(model.features)]["name"]}


def _features(model: Asked, turn: int) -> Row:
    names = [feature["name"] for feature in model.features]
    return {"features": [names[turn % len(names)], names[(turn + 1 + turn % 3) % len(names)]]}


def _threshold(model: Asked, _turn: int) -> Row:
    if model.target["classes"]:
        return {}
    return {"threshold": statistics.median(model.predictions)}


def _wanted(model: Asked, turn: int) -> Row:
    now = model.predictions[turn]
    if model.target["classes"]:
        others = [level for level in model.target["classes"] if level != now]
        return {"class": others[turn % len(others)]}
    step = statistics.pstdev(model.predictions)
    return {"at_least": now + step} if turn % 2 else {"at_most": now - step}


OPTIONS: Mapping[str, Callable[[Asked, int], Row]] = {
    "curve": _feature,
    "dependence": _feature,
    "map": _features,
    "flips": _threshold,
    "counterfactuals": _wanted,
}
"""Call → options for the case with a number; other calls need none."""


@contextmanager
def service(models: Path) -> Iterator[str]:
    """Run the model service on the first core until the end of a block; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "servery", "serve", "--port", str(port), "--models", str(models)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(["taskset", "-c", "0", *command], cwd=HERE.parent, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{address}/health/ready", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the service does not start")


def seen(session: requests.Session, address: str, name: str, count: int) -> Asked:
    """Fetch what a model is, some of its rows, and what it says of them."""
    about = session.get(f"{address}/models/{name}/versions/1", timeout=30).json()
    rows = session.get(f"{address}/models/{name}/predict", params={"limit": count}, timeout=30).json()["data"]
    said = session.post(f"{address}/models/{name}/predict", json={"data": rows}, timeout=30).json()["prediction"]
    return Asked(name, about["signature"]["features"], about["signature"]["target"], rows, said)


@dataclass
class Times:
    """What one call took for one model."""

    inside_ms: list[float]
    """By the answer's own word."""
    outside_ms: list[float]
    """Until the caller had the whole answer."""
    approximate: int = 0
    refused: str = ""
    """Why there is no answer."""


def measure(session: requests.Session, address: str, model: Asked, call: str) -> Times:
    """Ask about every row, after one that is not counted."""
    times = Times([], [])
    for turn in [0, *range(len(model.rows))]:
        options = OPTIONS[call](model, turn) if call in OPTIONS else {}
        body = {"data": model.rows[turn], "options": options}
        began = time.perf_counter()
        answer = session.post(f"{address}/models/{model.name}/explanations/{call}", json=body, timeout=60)
        outside = (time.perf_counter() - began) * 1000
        if answer.status_code != 200:
            times.refused = times.refused or f"{answer.status_code}: {answer.json()['detail']}"
            continue
        found = answer.json()
        times.inside_ms.append(found["milliseconds"])
        times.outside_ms.append(outside)
        times.approximate += found["approximation"] is not None
    for part in (times.inside_ms, times.outside_ms):
        del part[:1]
    return times


def over_http(models: Path, count: int) -> list[str]:
    """Ask every call about every model and write the table."""
    lines = [
        "| call | model | p50 ms | p95 ms | largest ms | p50 over HTTP ms | p95 over HTTP ms | approximate |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    with service(models) as address, requests.Session() as session:
        known = [seen(session, address, name, count) for name in NAMES]
        for call in CALLS:
            for model in known:
                times = measure(session, address, model, call)
                lines.append("| " + " | ".join([call, model.name, *_cells(times)]) + " |")
                print(lines[-1], file=sys.stderr)
    return lines


def _cells(times: Times) -> list[str]:
    if not times.inside_ms:
        return [times.refused, *[""] * 5]
    inside, outside = np.array(times.inside_ms), np.array(times.outside_ms)
    figures = [*np.percentile(inside, [50, 95]), inside.max(), *np.percentile(outside, [50, 95])]
    share = f"{times.approximate} of {len(inside) + 1}"
    return [*(f"{figure:.1f}" for figure in figures), f"{share}; {times.refused}" if times.refused else share]


def main() -> None:
    """Measure both and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="a folder with the embedded models")
    parser.add_argument("--rows", type=int, default=40, help="cases of each model over HTTP")
    parser.add_argument("--only", choices=["shap", "http"], help="make one of the two tables")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # shap's own
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    libraries = ", ".join(f"{name} {version(name)}" for name in ("shap", "scikit-learn", "numpy"))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {len(cores)} cores of which each process has one, {libraries}.\n")
    with tempfile.TemporaryDirectory() as name:
        if options.only != "http":
            print("\n".join(beside(Path(name) / "compared")), end="\n\n")
        if options.only != "shap":
            models = options.models or Path(name) / "embedded"
            if not options.models:
                publish_examples(models)
            print("\n".join(over_http(models, options.rows)))


if __name__ == "__main__":
    main()
