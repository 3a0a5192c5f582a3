"""How often the trust line warns: of ordinary cases, of shifted ones, and of combinations that cannot be.

Run it as `python bench/familiarity.py`; the table goes to standard output, and nothing is written. Each data set is
split anew `--splits` times: seven rows in ten are the training data, and cases are drawn from the others.

ordinary    held-out rows as they are
shifted     the same with one number moved up or down by three standard deviations
impossible  the same with two numbers that go together strongly in training (a rank correlation of at least 0.7) set to
            opposite ends: values from the outer tenths of the training data, but none from the outermost twentieths
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_api.examples import breast_cancer, diabetes, loans, wine
from model_api.explanations.coding import NAMED, Coding
from model_api.explanations.familiarity import Familiarity, familiarity_of, sample_of
from model_api.explanations.subject import Subject
from model_api.publishing.reference_sample import plain_columns, sample
from model_api.publishing.signature_inference import infer_signature
from model_api.runtimes import Floats

TRAINING = 0.7
CASES = 150
"""Held-out rows of one split that are looked at, at most."""
SPREADS = 3.0
STRONG = 0.7
KINDS = ("ordinary", "shifted", "impossible")


@dataclass(frozen=True)
class Data:
    """One data set, with an estimator that would be served."""

    name: str
    X: pd.DataFrame
    y: "pd.Series[Any]"
    estimator: Any
    features: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Seen:
    """What was said of the cases of one kind."""

    found: list[Familiarity] = field(default_factory=list)
    by_distance_alone: list[bool] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def share(self, said: Callable[[Familiarity], bool]) -> str:
        """Write the share of cases of which something holds."""
        return f"{np.mean([said(one) for one in self.found]):.1%}" if self.found else "–"

    @property
    def alone(self) -> str:
        """The share that the nearest neighbour's distance would find, if it had the whole allowance to itself."""
        return f"{np.mean(self.by_distance_alone):.1%}" if self.by_distance_alone else "–"


def houses(rows: int = 3000) -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """Make up districts with houses, as in the California data: places, sizes and incomes that go together."""
    random = np.random.default_rng(5)
    along = random.beta(0.6, 0.6, rows)
    income = random.lognormal(1.25, 0.45, rows)
    rooms = 2.2 + 0.8 * income + random.lognormal(0, 0.5, rows)
    households = random.lognormal(6, 0.7, rows)
    X = pd.DataFrame(
        {
            "median_income": income,
            "house_age": random.integers(1, 52, rows),
            "rooms": rooms,
            "bedrooms": 0.2 * rooms + random.lognormal(-1.5, 0.4, rows),
            "households": np.round(households),
            "population": np.round(households * random.lognormal(1.05, 0.25, rows)),
            "latitude": 33 + 6 * along + random.normal(0, 0.5, rows),
            "longitude": -117.5 - 5 * along + random.normal(0, 0.5, rows),
        }
    )
    return X, pd.Series(0.5 * income - 0.2 * along + random.normal(0, 0.3, rows), name="value")


def data_sets() -> Iterator[Data]:
    """Load or make the six data sets."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    yield Data("diabetes", X, y, diabetes.estimator(), diabetes.FEATURES)
    X, y = breast_cancer.load_data()
    yield Data("breast-cancer", X, y, breast_cancer.estimator())
    X, y = wine.load_data()
    yield Data("wine", X, y, wine.estimator(), wine.FEATURES)
    X, y = loans.load_data()
    yield Data("loans", X, y, loans.estimator(), loans.FEATURES)
    X, y = houses()
    yield Data("houses (made up)", X, y, HistGradientBoostingRegressor(max_iter=10))
    X, y = load_digits(return_X_y=True, as_frame=True)
    yield Data("digits", X, y, make_pipeline(StandardScaler(), LogisticRegression()))


def split(data: Data, seed: int) -> tuple[Subject, list[dict[str, Any]]]:
    """Fit on some rows; gives a subject that has a sample of them for its reference, and the other rows."""
    order = np.random.default_rng(seed).permutation(len(data.X))
    cut = int(TRAINING * len(order))
    X, y, held_out = data.X.iloc[order[:cut]], data.y.iloc[order[:cut]], data.X.iloc[order[cut:][:CASES]]
    signature = infer_signature(data.estimator.fit(X, y), X, y, data.features, {})
    columns = sample(X, y, signature).columns
    coding = Coding.of(signature.features, columns)
    nobody: Any = None  # no model is asked
    cases = plain_columns(held_out, signature)
    rows = [{name: column[row] for name, column in cases.items()} for row in range(len(held_out))]
    return Subject(signature, nobody, coding, coding.codes(columns)), rows


def coded(subject: Subject, row: dict[str, Any]) -> tuple[Subject, Floats]:
    """Give a row as codes, and the subject that knows them."""
    subject = subject.including(row)
    return subject, np.array(
        [subject.coding.code(place, row[name]) for place, name in enumerate(subject.signature.names)]
    )


def shifted(subject: Subject, case: Floats, random: np.random.Generator) -> Floats | None:
    """Move one number by three standard deviations; None if there is none."""
    places = [place for place in ordered(subject) if not np.isnan(case[place])]
    if not places:
        return None
    place, moved = random.choice(places), case.copy()
    moved[place] += random.choice((-1, 1)) * SPREADS * subject.spreads[place]
    if subject.signature.features[place].type == "integer":
        moved[place] = np.round(moved[place])
    return moved


def impossible(subject: Subject, case: Floats, random: np.random.Generator) -> Floats | None:
    """Set two numbers that go together to opposite ends; None if no two do."""
    pairs = strong_pairs(subject)
    if not pairs:
        return None
    first, second, correlation = pairs[random.integers(len(pairs))]
    low, high = random.uniform(0.05, 0.1), random.uniform(0.9, 0.95)
    ends = [low, high] if correlation > 0 else random.choice([[low, 1 - high], [high, 1 - low]])
    moved = case.copy()
    for place, end in zip((first, second), random.permutation(ends) if correlation > 0 else ends, strict=True):
        moved[place] = np.nanquantile(subject.reference[:, place], end, method="nearest")
    return moved


def ordered(subject: Subject) -> list[int]:
    """List the features that have an order and differ."""
    features = enumerate(subject.signature.features)
    return [
        place for place, feature in features if feature.type not in NAMED and np.nanstd(subject.reference[:, place])
    ]


def strong_pairs(subject: Subject) -> list[tuple[int, int, float]]:
    """List the pairs of features with a strong rank correlation."""
    places = ordered(subject)
    ranks = pd.DataFrame(subject.reference[:, places]).corr("spearman").to_numpy()
    return [
        (places[i], places[j], float(ranks[i, j]))
        for i in range(len(places))
        for j in range(i)
        if abs(ranks[i, j]) >= STRONG
    ]


def look(data: Data, splits: int) -> str:
    """Give the line of one data set."""
    seen = {kind: Seen() for kind in KINDS}
    worst, first_time, pairs = 0.0, [], 0
    for seed in range(splits):
        subject, rows = split(data, seed)
        began = time.perf_counter()
        limit = float(np.quantile(sample_of(subject).distances, 0.95))
        first_time.append((time.perf_counter() - began) * 1000)
        pairs = len(strong_pairs(subject))
        before = len(seen["ordinary"].found)
        random = np.random.default_rng(seed)
        for row in rows:
            knowing, case = coded(subject, row)
            for kind, changed in zip(
                KINDS, (case, shifted(knowing, case, random), impossible(knowing, case, random)), strict=True
            ):
                if changed is not None:
                    note(seen[kind], knowing, changed, limit)
        worst = max(worst, float(np.mean([one.status != "inside" for one in seen["ordinary"].found[before:]])))
    return line(data, seen, worst, float(np.median(first_time)), pairs)


def note(seen: Seen, subject: Subject, case: Floats, limit: float) -> None:
    """Look at one case."""
    began = time.perf_counter()
    found = familiarity_of(subject, case)
    seen.milliseconds.append((time.perf_counter() - began) * 1000)
    seen.found.append(found)
    seen.by_distance_alone.append(found.away > limit)


def line(data: Data, seen: dict[str, Seen], worst: float, first_time: float, pairs: int) -> str:
    """Write the line of one data set."""
    ordinary, moved, odd = (seen[kind] for kind in KINDS)
    times = np.quantile([ms for one in seen.values() for ms in one.milliseconds], (0.5, 0.95))
    cells = [
        f"{data.name}, {'classes' if is_classifier(data.estimator) else 'a number'}",
        str(data.X.shape[1]),
        ordinary.share(flagged),
        f"{worst:.1%}",
        ordinary.share(lambda one: one.status == "outside"),
        ordinary.share(lambda one: any(status != "inside" for status in one.values)),
        ordinary.share(lambda one: one.combination != "inside"),
        ordinary.share(lambda one: one.distance != "inside"),
        moved.share(flagged),
        moved.share(lambda one: one.status == "outside"),
        moved.alone,
        str(pairs),
        odd.share(flagged),
        odd.share(lambda one: one.status == "outside"),
        odd.alone,
        f"{times[0]:.1f}",
        f"{times[1]:.1f}",
        f"{first_time:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def flagged(found: Familiarity) -> bool:
    """Tell whether a case is not inside."""
    return found.status != "inside"


HEAD = (
    *("data", "features", "ordinary: flagged", "worst split", "outside", "by a value", "by the combination"),
    *("by the distance", "shifted: flagged", "outside", "distance alone", "strong pairs", "impossible: flagged"),
    *("outside", "distance alone", "ms p50", "ms p95", "first time, ms"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else None)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--only", default="", help="data sets whose name begins so")
    arguments = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for data in data_sets():
        if data.name.startswith(arguments.only):
            print(look(data, arguments.splits), flush=True)


if __name__ == "__main__":
    main()
