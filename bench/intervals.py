"""Counts how often intervals and sets hold the truth on rows that were never used; prints tables in Markdown.

Run it as `python -m bench.intervals`. Each of 20 splits puts 30 % of the rows away, fits on the others, and
calibrates on them as publishing does, by ten-fold cross-validation; then the rows put away are predicted for as the
service does. The four embedded models, and two data sets that need no internet. It takes a few minutes.
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_diabetes, load_digits, make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.model_selection import train_test_split

from model_api import conformal, inference
from model_api.examples import breast_cancer, diabetes, loans, wine
from model_api.inference import Options, Prediction
from model_api.publishing.quality import Calibration, calibrate
from model_api.publishing.quality.unseen import answers_for_unseen
from model_api.publishing.reference_sample import plain_columns, plain_target
from model_api.publishing.signature_inference import infer_signature
from model_api.runtimes import Floats, Output
from model_api.runtimes.frames import layout_of
from model_api.runtimes.sklearn import SklearnPredictor
from model_api.signature import Signature

COVERAGES = (0.8, 0.9, 0.95)
SPLITS = 20
PUT_AWAY = 0.3
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """A data set with what learns from it."""

    name: str
    load: Callable[[], tuple[pd.DataFrame, Any]]
    estimator: Callable[[], Any]
    features: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Counted:
    """What came of one split, at one coverage."""

    held: Flags
    """Whether what is served holds the truth, n rows."""
    sizes: Floats
    """How wide the interval is, or how many classes the set has, n rows."""
    strict: float
    """Share of rows whose score stays under the margin: of a set, without the class that is always left in it."""


@dataclass(frozen=True)
class Split:
    """What came of one split."""

    counted: Mapping[float, Counted]
    without_groups: Mapping[float, Counted]
    """The same with one margin for all; the same where there are no groups."""
    thirds: npt.NDArray[np.intp]
    """Of a regression, whether a prediction is among the small, the middle or the large ones, n rows."""
    grouped: bool
    right: float
    """Share of rows whose likeliest class is the true one; of a regression 0."""


def digits() -> tuple[pd.DataFrame, Any]:
    """Load 1,797 pictures of a digit, 64 pixels each, and which digit it is."""
    X, y = load_digits(return_X_y=True, as_frame=True)
    return X, y.astype(str)


def friedman() -> tuple[pd.DataFrame, Any]:
    """Make 2,000 rows of Friedman's first function, with an error of a fifth of the number: it grows with it."""
    X, y = make_friedman1(2000, n_features=10, noise=0.0, random_state=0)
    noisy = y * (1 + 0.2 * np.random.default_rng(0).normal(size=len(y)))
    return pd.DataFrame(X, columns=[f"x{place}" for place in range(10)]), pd.Series(noisy, name="y")


def patients() -> tuple[pd.DataFrame, Any]:
    """Load the data of the embedded model diabetes."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    return X, y


CASES = (
    Case("diabetes", patients, diabetes.estimator, diabetes.FEATURES),
    Case("breast-cancer", breast_cancer.load_data, breast_cancer.estimator),
    Case("wine", wine.load_data, wine.estimator),
    Case("loans", loans.load_data, loans.estimator, loans.FEATURES),
    Case("digits, random forest", digits, lambda: RandomForestClassifier(100, random_state=0)),
    Case(
        "Friedman 1, error grows, boosting",
        friedman,
        lambda: HistGradientBoostingRegressor(max_iter=60, random_state=0),
    ),
)


def split_of(case: Case, seed: int) -> Split:
    """Fit, calibrate and predict for the rows put away."""
    X, y = case.load()
    X_seen, X_new, y_seen, y_new = train_test_split(X, y, test_size=PUT_AWAY, random_state=seed)
    fitted = case.estimator().fit(X_seen, y_seen)
    signature = infer_signature(fitted, X_seen, y_seen, case.features, {})
    calibration = calibrate(answers_for_unseen(fitted, signature.target, (X_seen, y_seen), None), signature.target)
    predictor = SklearnPredictor(fitted, layout_of(X_seen), signature.target.classes)
    output = predictor.predict(plain_columns(X_new, signature))
    true = plain_target(y_new, signature)
    usual = Calibration(calibration.scores, [None])
    return Split(
        {coverage: counted(signature, calibration, output, true, coverage) for coverage in COVERAGES},
        {coverage: counted(signature, usual, output, true, coverage) for coverage in COVERAGES},
        thirds_of(output),
        any(calibration.groups),
        right(signature, output, true),
    )


def counted(
    signature: Signature, calibration: Calibration, output: Output, true: list[Any], coverage: float
) -> Counted:
    """Compare what is served with the truth."""
    artifact = SimpleNamespace(
        signature=signature, calibration=calibration.scores, calibration_groups=calibration.groups
    )
    version: Any = SimpleNamespace(artifact=artifact)
    predictions = inference.predictions_of(version, output, [[] for _ in true], Options(coverage))
    held = np.array([holds(prediction, value) for prediction, value in zip(predictions, true, strict=True)])
    sizes = np.array([size(prediction) for prediction in predictions], dtype=np.float64)
    if output.probabilities is None:
        return Counted(held, sizes, float(held.mean()))
    places = np.array([signature.target.classes.index(value) for value in true])
    margin = conformal.margin(calibration.scores[0], coverage)
    assert margin is not None
    scores = conformal.classification_scores(places, output.probabilities)
    return Counted(held, sizes, float((scores <= margin).mean()))


def holds(prediction: Prediction, true: Any) -> bool:
    """Tell whether an interval or a set holds the truth."""
    interval = prediction.interval
    assert interval is not None
    return true in interval["classes"] if "classes" in interval else interval["low"] <= true <= interval["high"]


def size(prediction: Prediction) -> float:
    """Tell how wide an interval is, or how large a set."""
    interval = prediction.interval
    assert interval is not None
    return len(interval["classes"]) if "classes" in interval else interval["high"] - interval["low"]


def thirds_of(output: Output) -> npt.NDArray[np.intp]:
    """Sort predicted numbers into small, middle and large ones."""
    if output.numbers is None:
        return np.zeros(0, dtype=np.intp)
    return np.searchsorted(np.quantile(output.numbers, [1 / 3, 2 / 3]), output.numbers, side="right")


def right(signature: Signature, output: Output, true: list[Any]) -> float:
    """Give the share of rows whose class is the predicted one."""
    if output.labels is None:
        return 0.0
    classes = signature.target.classes
    return float(np.mean([classes[label] == value for label, value in zip(output.labels.tolist(), true, strict=True)]))


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=SPLITS, help="splits of each data set (%(default)s)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # estimators that have not converged, as when publishing
    found = {}
    for case in CASES:
        print(case.name, file=sys.stderr, flush=True)
        found[case.name] = [split_of(case, seed) for seed in range(options.splits)]
    print(f"Coverage on rows never used, mean (standard deviation) over {options.splits} splits, in %.\n")
    print_coverage(found)
    print_sets(found)
    print_thirds(found)


def print_coverage(found: Mapping[str, list[Split]]) -> None:
    """Print how often the truth is held: of sets, before the likeliest class is put into those that would be empty."""
    heads = [f"{coverage:.0%}" for coverage in COVERAGES]
    print_head("data", "rows put away", *heads, "largest distance", "splits with groups")
    distances = []
    for name, splits in found.items():
        shares = {c: np.array([split.counted[c].strict for split in splits]) * 100 for c in COVERAGES}
        far = [abs(float(shares[c].mean()) - c * 100) for c in COVERAGES]
        distances += far
        cells = [f"{shares[c].mean():.1f} ({shares[c].std():.1f})" for c in COVERAGES]
        grouped = sum(split.grouped for split in splits)
        print_row(name, len(splits[0].counted[0.9].held), *cells, f"{max(far):.1f}", f"{grouped} of {len(splits)}")
    print(f"\nOn average {np.mean(distances):.2f} points from what is stated, at most {max(distances):.2f}.\n")


def print_sets(found: Mapping[str, list[Split]]) -> None:
    """Print what sets hold as they are served: never empty, so at least as often as the model is right."""
    print(
        "As served: a set always has the likeliest class, so it holds the truth at least as often as that is right.\n"
    )
    print_head("data", "right", *(f"{c:.0%}: held, mean size" for c in COVERAGES))
    for name, splits in found.items():
        cells = []
        for c in COVERAGES:
            held = np.mean([split.counted[c].held.mean() for split in splits]) * 100
            cells.append(f"{held:.1f}, {np.mean([split.counted[c].sizes.mean() for split in splits]):.4g}")
        share = np.mean([split.right for split in splits]) * 100
        print_row(name, f"{share:.1f}" if share else "–", *cells)
    print()


def print_thirds(found: Mapping[str, list[Split]]) -> None:
    """Print what groups are for: the same coverage for small and for large predictions."""
    print("Intervals of 90 %, by the size of the predicted number: held, mean width.\n")
    print_head("data", "margin", "small", "middle", "large")
    for name, splits in found.items():
        if not len(splits[0].thirds):
            continue
        for margin, chosen in (("one for all", "without_groups"), ("by size, where it differs", "counted")):
            counts: list[Counted] = [getattr(split, chosen)[0.9] for split in splits]
            cells = []
            for third in range(3):
                rows = [split.thirds == third for split in splits]
                held = np.mean([count.held[row].mean() for count, row in zip(counts, rows, strict=True)]) * 100
                width = np.mean([count.sizes[row].mean() for count, row in zip(counts, rows, strict=True)])
                cells.append(f"{held:.1f}, {width:.4g}")
            print_row(name, margin, *cells)


def print_head(*names: str) -> None:
    """Begin a table."""
    print_row(*names)
    print("|" + "---|" * len(names))


def print_row(*cells: object) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
