"""The curves behind the metrics, thinned to what a chart can show."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics

from model_api.publishing.quality.unseen import Unseen
from model_api.signature import Target

POINTS = 200
"""Points of a curve, or dots of a scatter."""
BINS = 10
"""Bins of a calibration curve, alike in rows."""
BARS = 24
"""Bars of a histogram."""
THRESHOLDS = 99
"""Thresholds at which mistakes are counted, besides 0 and 1."""
SEED = 0

Draw = Callable[[npt.NDArray[np.bool_], npt.NDArray[np.float64]], dict[str, Any]]
"""What draws a curve for one class: n times whether a row is of it, and how probable the model found that."""


def curves_of(unseen: Unseen, target: Target) -> dict[str, Any]:
    """Give the curves of the task, by name."""
    return _of_classes(unseen, target) if target.classes else _of_numbers(unseen, target)


def _of_numbers(unseen: Unseen, target: Target) -> dict[str, Any]:
    true, predicted = unseen.numbers
    names = target.outputs or (target.name,)
    random = np.random.default_rng(SEED)
    rows = np.sort(random.choice(len(true), min(POINTS, len(true)), replace=False))
    curves: dict[str, Any] = {"predicted_true": {}, "residuals": {}}
    for output, name in enumerate(names):
        errors = true[:, output] - predicted[:, output]
        counts, edges = np.histogram(errors, BARS)
        curves["predicted_true"][name] = {
            "true": _written(true[rows, output]),
            "predicted": _written(predicted[rows, output]),
        }
        curves["residuals"][name] = {"edges": _written(edges), "counts": counts.tolist()}
    return curves


def _of_classes(unseen: Unseen, target: Target) -> dict[str, Any]:
    count = len(target.classes)
    matrix = metrics.confusion_matrix(unseen.true, unseen.said, labels=range(count))
    curves: dict[str, Any] = {"confusion": {"classes": list(target.classes), "counts": matrix.tolist()}}
    shares = unseen.probabilities
    if shares is None:
        return curves
    places = [target.positive_place] if count == 2 else list(range(count))
    kinds: list[tuple[str, Draw, Sequence[int]]] = [
        ("roc", _roc, places),
        ("precision_recall", _precision_recall, places),
        ("calibration", _calibration, places),
        ("thresholds", _thresholds, range(count) if count == 2 else ()),
    ]
    for kind, draw, wanted in kinds:
        drawn = {
            str(target.classes[place]): draw(unseen.true == place, shares[:, place])
            for place in wanted
            if 0 < (unseen.true == place).sum() < len(unseen)
        }
        if wanted:
            curves[kind] = drawn
    return curves


def _roc(true: npt.NDArray[np.bool_], share: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    false_positive, true_positive, _ = metrics.roc_curve(true, share)
    kept = _thinned(len(false_positive))
    return {"false_positive_rate": _written(false_positive[kept]), "true_positive_rate": _written(true_positive[kept])}


def _precision_recall(true: npt.NDArray[np.bool_], share: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    precision, recall, _ = metrics.precision_recall_curve(true, share)
    kept = _thinned(len(precision))
    return {"recall": _written(recall[kept]), "precision": _written(precision[kept])}


def _calibration(true: npt.NDArray[np.bool_], share: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    """Compare what was said with how often it came true, in bins of about as many rows each."""
    groups = [group for group in np.array_split(np.argsort(share, kind="stable"), BINS) if len(group)]
    return {
        "said": _written(np.array([share[group].mean() for group in groups])),
        "true": _written(np.array([true[group].mean() for group in groups])),
        "rows": [len(group) for group in groups],
    }


def _thresholds(true: npt.NDArray[np.bool_], share: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Count the mistakes of saying the class where its probability is at least a threshold, for ascending ones.

    Half of the thresholds are quantiles of all rows, half of the rows of the class: where that is rare, the thresholds
    that matter lie among its own. They are written first and counted as written.
    """
    of_all, of_class = THRESHOLDS // 2, THRESHOLDS - THRESHOLDS // 2
    chosen = np.concatenate([[0.0, 1.0], _quantiles(share, of_all), _quantiles(share[true], of_class)])
    thresholds = np.unique(_written(chosen))
    said = [int((share[~true] >= threshold).sum()) for threshold in thresholds]
    missed = [int((share[true] < threshold).sum()) for threshold in thresholds]
    return {
        "positives": int(true.sum()),
        "negatives": int((~true).sum()),
        "thresholds": thresholds.tolist(),
        "false_positives": said,
        "false_negatives": missed,
    }


def _quantiles(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    quantiles: npt.NDArray[np.float64] = np.quantile(values, np.linspace(0, 1, count), method="higher")
    return quantiles


def _thinned(count: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).astype(np.int64))


def _written(values: npt.NDArray[np.float64]) -> list[float]:
    """Write numbers with the digits that a chart can show."""
    return [float(f"{value:.6g}") for value in values.tolist()]
