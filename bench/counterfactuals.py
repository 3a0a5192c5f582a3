"""Asks for counterfactuals of random cases and checks every answer by refitting scikit-learn's own estimator.

Run it as `python bench/counterfactuals.py [--cases 200] [--models FOLDER] [--slow]`; it prints a table in Markdown, in
which the first answer of each case stands for it. Limits are drawn at random for each case: one to three features are
locked, up to three have a range, which often leaves the case's own value out, and up to three may go one way only.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

sys.path.insert(0, str(Path(__file__).parent.parent))  # of a checkout that is not installed

from model_api.examples import breast_cancer, diabetes, loans, publish_examples, wine
from model_api.explanations.counterfactuals import counterfactuals
from model_api.explanations.question import Question, question_of
from model_api.explanations.reach import Reach
from model_api.explanations.wishes import limits_of, wish_of
from model_api.loading import LoadedModel, load_version
from model_api.publishing import publish
from model_api.signature import Feature, Signature
from model_api.trust import Trust

EXAMPLES: Mapping[str, Any] = {"breast-cancer": breast_cancer, "wine": wine, "loans": loans, "diabetes": diabetes}
LOADERS: Mapping[str, Callable[[], Any]] = {
    "breast-cancer": breast_cancer.load_data,
    "wine": wine.load_data,
    "loans": loans.load_data,
    "diabetes": partial(load_diabetes, return_X_y=True, as_frame=True, scaled=False),
}
SEED = 7
MILLISECONDS = 250.0
DRAWS = 20_000
"""Random cases among which one as wanted is looked for where there was no answer."""
NEITHER = 1e-9
"""Difference between two computations of one prediction that is none."""


@dataclass
class Tally:
    """What was found for the cases of one model."""

    cases: int = 0
    found: int = 0
    answers: int = 0
    invalid: int = 0
    broken: int = 0
    approximate: int = 0
    missed: int = 0
    """Cases without an answer for which random draws find one."""
    changed: list[int] = field(default_factory=list)
    efforts: list[float] = field(default_factory=list)
    percentiles: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """Write a line of the table; the first answer of each case stands for it."""
        share = f"{self.found / self.cases:.1%}"
        cells = [
            name,
            self.cases,
            share,
            self.missed,
            self.answers,
            self.answers - self.invalid,
            self.answers - self.broken,
        ]
        cells += [f"{np.median(self.changed):.0f}", f"{np.median(self.efforts):.2f}"]
        cells += [f"{np.median(self.percentiles):.0%}"]
        cells += [f"{np.percentile(self.milliseconds, share):.1f}" for share in (50, 95, 100)] + [self.approximate]
        return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--only", choices=EXAMPLES)
    parser.add_argument("--slow", action="store_true", help="also a forest that did not compile")
    asked = parser.parse_args()
    heads = [
        "model, limits",
        "cases",
        "found",
        "missed",
        "answers",
        "valid",
        "limits kept",
        "features changed",
        "effort",
    ]
    heads += ["distance percentile", "p50 ms", "p95 ms", "max ms", "approximate"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    with tempfile.TemporaryDirectory() as folder:
        models = asked.models or Path(folder)
        if not asked.models:
            publish_examples(models)
        for name in EXAMPLES:
            if asked.only in (None, name):
                model = load_version(models / name / "1", Trust())
                for limited in (False, True):
                    tally = measured(model, name, asked.cases, limited=limited)
                    print(tally.line(f"{name}, {'random' if limited else 'none'}"), flush=True)
        if asked.slow:
            X, y = wine.load_data()
            forest = wine.estimator().fit(X, y)
            made = publish(forest, X, y, name="slow", models=Path(folder), compiled=False)
            model = load_version(made, Trust())
            for limited in (False, True):
                tally = measured(model, "wine", asked.cases, limited=limited)
                print(tally.line(f"wine not compiled, {'random' if limited else 'none'}"), flush=True)


def measured(model: LoadedModel, name: str, cases: int, *, limited: bool) -> Tally:
    """Ask about random cases of one model."""
    X, y = LOADERS[name]()
    estimator = EXAMPLES[name].estimator().fit(X, y)
    random = np.random.default_rng(SEED)
    instances = [_instance(model, X.iloc[place]) for place in random.choice(len(X), cases, replace=cases > len(X))]
    predicted = estimator.predict(_frame(X, instances))
    counterfactuals(question_of(model, instances[0], _options(model, predicted[0], random), MILLISECONDS))  # warm
    tally = Tally()
    for instance, now in zip(instances, predicted, strict=True):
        options = _options(model, now, random) | (_limits(model, instance, random) if limited else {})
        question = question_of(model, instance, dict(options), MILLISECONDS)
        answer = counterfactuals(question)
        tally.milliseconds.append(question.budget.milliseconds)
        _count(tally, answer)
        for item in answer["counterfactuals"]:
            (said,) = estimator.predict(_frame(X, [item["instance"]]))
            tally.invalid += not (
                said == options["class"] if "class" in options else said <= options["at_most"] + NEITHER
            )
            tally.broken += not keeps(item, instance, options, model.artifact.signature)
        if not answer["found"]:
            assert answer["why_none"]
            tally.missed += _missed(question, random)
    return tally


def _instance(model: LoadedModel, row: "pd.Series[Any]") -> dict[str, Any]:
    plain = {name: None if pd.isna(value) else np.asarray(value).item() for name, value in row.items()}
    checked = model.artifact.signature.check([plain])
    assert not checked.problems, checked.problems
    return {name: column[0] for name, column in checked.columns.items()}


def _frame(X: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {}
    for name in X.columns:
        values = [np.nan if row[name] is None else row[name] for row in rows]
        columns[name] = pd.Series(values, dtype=object).astype(X[name].dtype)
    return pd.DataFrame(columns)


def _options(model: LoadedModel, now: Any, random: np.random.Generator) -> dict[str, Any]:
    """Want another class at random, or of a regression 5 to 40 % less."""
    others = [level for level in model.artifact.signature.target.classes if level != now]
    if others:
        return {"class": others[random.integers(len(others))]}
    return {"at_most": round(float(now) * random.uniform(0.6, 0.95), 1)}


def _limits(model: LoadedModel, instance: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
    """Draw locks, ranges and directions, of different features: no two of them exclude each other."""
    features = {feature.name: feature for feature in model.artifact.signature.features}
    names = random.permutation(list(features)).tolist()
    locked = [names.pop() for _ in range(random.integers(1, 4))]
    ranges = {name: _range(features[name], instance[name], model, random) for name in names[:3]}
    ways = [name for name in names[3:6] if features[name].type in ("number", "integer")]
    return {"locked": locked, "ranges": ranges, "directions": {n: str(random.choice(["up", "down"])) for n in ways}}


def _range(feature: Feature, value: Any, model: LoadedModel, random: np.random.Generator) -> list[Any]:
    if feature.type == "boolean":
        return [True, False] if random.random() < 0.5 else [bool(random.random() < 0.5)]
    if feature.type == "category":
        levels: list[Any] = random.permutation(np.array(feature.categories, dtype=object)).tolist()
        return levels[: random.integers(1, 3)]
    known = [other for other in model.artifact.reference.columns[feature.name] if other is not None]
    low, high = sorted(random.choice(known, 2).tolist())
    if value is not None and random.random() < 0.5:
        low, high = min(low, value), max(high, value)
    return [low, high]


def _missed(question: Question, random: np.random.Generator) -> bool:
    """Tell whether something as wanted is among many random cases within the limits."""
    reach, reference = (
        Reach(question.subject, question.case, limits_of(question), free=True),
        question.subject.reference,
    )
    shape = (DRAWS, reference.shape[1])
    usual = np.take_along_axis(reference, random.integers(0, len(reference), shape), axis=0)
    edges = np.where(random.random(shape) < 0.5, np.nanmin(reference, axis=0), np.nanmax(reference, axis=0))
    drawn = np.where(random.random(shape) < random.random((DRAWS, 1)), edges, usual)
    drawn = np.where(random.random(shape) < random.random((DRAWS, 1)), drawn, reach.base)
    return bool(wish_of(question)[0].granted(question.subject.ask(reach.project(drawn))).any())


def _count(tally: Tally, answer: dict[str, Any]) -> None:
    tally.cases += 1
    tally.found += answer["found"] > 0
    tally.answers += answer["found"]
    tally.approximate += answer["approximation"] is not None
    for first in answer["counterfactuals"][:1]:
        tally.changed.append(len(first["changes"]))
        tally.efforts.append(first["effort"])
        tally.percentiles.append(first["distance_percentile"])


def keeps(item: dict[str, Any], before: dict[str, Any], options: dict[str, Any], signature: Signature) -> bool:
    """Tell whether an answer keeps the limits, from its plain values."""
    after = item["instance"]
    changed = {name for name in before if after[name] != before[name]}
    kept = not changed & set(options.get("locked", ())) and changed == {change["feature"] for change in item["changes"]}
    kept &= all(before[name] is None for name in before if after[name] is None)
    ordered = {feature.name for feature in signature.features if feature.type in ("number", "integer")}
    for name, allowed in options.get("ranges", {}).items():
        if after[name] is not None:
            kept &= allowed[0] <= after[name] <= allowed[1] if name in ordered else after[name] in allowed
    for name, way in options.get("directions", {}).items():
        kept &= name not in changed or (after[name] > before[name]) == (way == "up")
    return bool(kept)


if __name__ == "__main__":
    main()
