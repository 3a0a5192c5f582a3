"""Permutation importance: how much worse the model gets when a feature is shuffled (Breiman, Random Forests, 2001)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from model_api.errors import UnusablePrediction
from model_api.publishing.compiling.proof_rows import rows_of
from model_api.runtimes import Output, Predictor
from model_api.signature import Columns, Signature, Target

ROWS, REPEATS, SEED = 500, 5, 0
SMALLEST = 1e-15
"""What stands for a probability of zero in a logarithm."""


def error_of(target: Target) -> str:
    """Name what gets worse: the mean absolute error, the log loss, or the share of wrong labels."""
    if not target.classes:
        return "mean_absolute_error"
    return "log_loss" if target.probabilities else "error_rate"


def importance_of(predictor: Predictor, signature: Signature, columns: Columns, true: list[Any]) -> dict[str, Any]:
    """Give for each feature by how much the error grows, largest first. `true`: the true values of the rows."""
    random = np.random.default_rng(SEED)
    places = np.sort(random.choice(len(true), min(ROWS, len(true)), replace=False))
    rows, answers = rows_of(columns, places), [true[place] for place in places.tolist()]

    def error(asked: Columns) -> float | None:
        try:
            return _error(predictor.predict(asked), answers, signature.target)
        except UnusablePrediction:  # values that never occur together can be too much for a model
            return None

    before = error(rows)
    found = [] if before is None else [_growth(error, rows, name, before, random) for name in signature.names]
    table = sorted(filter(None, found), key=lambda row: -float(row["mean"]))
    return {"error": error_of(signature.target), "rows": len(answers), "unshuffled": before, "features": table}


def _growth(
    error: Callable[[Columns], float | None], rows: Columns, name: str, before: float, random: np.random.Generator
) -> dict[str, Any] | None:
    """Give the mean growth of the error over several shufflings, and its standard deviation."""
    orders = [random.permutation(len(rows[name])).tolist() for _ in range(REPEATS)]
    errors = [error({**rows, name: [rows[name][place] for place in order]}) for order in orders]
    grown = [after - before for after in errors if after is not None]
    if not grown:
        return None
    return {"feature": name, "mean": float(np.mean(grown)), "deviation": float(np.std(grown))}


def _error(output: Output, true: list[Any], target: Target) -> float:
    if output.numbers is not None:
        return float(np.abs(output.numbers - np.array(true, dtype=np.float64)).mean())
    positions = {level: place for place, level in enumerate(target.classes)}
    labels = np.array([positions[value] for value in true])
    if output.probabilities is None:
        assert output.labels is not None
        return float((output.labels != labels).mean())
    shares = output.probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(shares, SMALLEST)).mean())
