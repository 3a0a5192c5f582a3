"""A signature for an estimator without its data: what it knows itself, and guesses that say that they are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

from model_api.facts import require_consistent, require_described
from model_api.publishing.estimator_knowledge import FeatureKnowledge, features_known_to
from model_api.publishing.levels import in_sensible_order
from model_api.publishing.signature_inference import require_features, target_facts, target_of
from model_api.runtimes.frames import PANDAS_HAS_STR
from model_api.runtimes.sklearn import SklearnPredictor
from model_api.signature import Columns, Feature, Signature

ROWS, SEED = 200, 0
STEP = 1e-6
"""Precision of a number about which nothing is known."""


def guess_signature(
    estimator: Any, features: Mapping[str, Mapping[str, Any]], target: Mapping[str, Any]
) -> tuple[Signature, list[dict[str, Any]]]:
    """Give a signature and the layout of the frame to ask with. Raises ValueError when it has no feature names."""
    known = features_known_to(estimator)
    if not known:
        raise ValueError("the estimator does not say how many features it has; publish it with its data")
    require_described(features, target)
    require_features(features, list(known))
    inferred = tuple(_feature(name, facts, features.get(name, {})) for name, facts in known.items())
    layout = [_column(feature) for feature in inferred]
    outputs = _outputs(estimator, inferred, layout)
    facts = target_facts(estimator, "target") | ({"outputs": outputs} if outputs else {})
    signature = Signature(inferred, target_of(facts, target))
    require_consistent(signature)
    return signature, layout


def _feature(name: str, known: FeatureKnowledge, described: Mapping[str, Any]) -> Feature:
    if known.categories:
        facts: dict[str, Any] = {"type": "category", "categories": in_sensible_order(known.categories)}
        facts |= {"default": known.typical if known.typical in known.categories else known.categories[0]}
        guessed = ["default"] if known.typical is None else []
    elif known.text:
        facts, guessed = {"type": "text", "default": ""}, ["default"]
    elif described.get("type") == "boolean":
        facts, guessed = {"type": "boolean", "default": False}, ["default"]
    elif described.get("type") == "category" and described.get("categories"):
        facts, guessed = {"type": "category", "default": described["categories"][0]}, ["default"]
    else:
        typical = 0.0 if known.typical is None else float(known.typical)
        facts = {"type": "number", "minimum": known.low, "maximum": known.high, "step": STEP, "default": typical}
        guessed = ["type", "step", *([] if known.exact else ["minimum", "maximum"])]
        guessed += ["default"] if known.typical is None else []
    _require_possible(name, facts["type"], described)
    facts |= {"missing_allowed": known.fills_gaps}
    told = {key: tuple(value) if isinstance(value, list) else value for key, value in described.items()}
    return replace(Feature(name, "number"), **{**facts, "guessed": tuple(g for g in guessed if g not in told), **told})


def _require_possible(name: str, known: str, described: Mapping[str, Any]) -> None:
    """Refuse a type that the estimator cannot mean: it takes numbers where it knows of nothing else."""
    told = described.get("type", known)
    if told != known and (known, told) != ("number", "integer"):
        raise ValueError(f"{name} is a {known} to the estimator, and without data it cannot be described as a {told}")


def _outputs(estimator: Any, features: tuple[Feature, ...], layout: list[dict[str, Any]]) -> tuple[str, ...]:
    """Name the numbers of a prediction, when it is more than one: found by asking."""
    if is_classifier(estimator):
        return ()
    asked = {name: values[:1] for name, values in _drawn(features).items()}
    numbers = SklearnPredictor(estimator, layout).predict(asked).numbers
    return tuple(f"y{i}" for i in range(numbers.shape[1])) if numbers is not None and numbers.ndim == 2 else ()


def _column(feature: Feature) -> dict[str, Any]:
    if feature.type == "category" and all(isinstance(level, str) for level in feature.categories):
        dtype = "str" if PANDAS_HAS_STR else "object"
        return {"name": feature.name, "dtype": dtype, "missing": "nan"}
    return {"name": feature.name, "dtype": "str" if feature.type == "text" and PANDAS_HAS_STR else "float64"}


def stand_in_rows(signature: Signature) -> Columns:
    """Draw rows within the guessed ranges: nobody sees them, the proof of compiled forms begins with them."""
    return _drawn(signature.features)


def _drawn(features: Iterable[Feature]) -> Columns:
    random = np.random.default_rng(SEED)
    columns: Columns = {}
    for feature in features:
        if feature.type == "category":
            columns[feature.name] = [feature.categories[i] for i in random.integers(0, len(feature.categories), ROWS)]
        elif feature.type == "boolean":
            columns[feature.name] = (random.random(ROWS) < 1 / 2).tolist()
        elif feature.type == "text":
            columns[feature.name] = ["some text"] * ROWS
        else:
            low = -1.0 if feature.minimum is None else float(feature.minimum)
            high = 1.0 if feature.maximum is None else float(feature.maximum)
            values = pd.Series(random.uniform(low, high, ROWS)).round(6)
            whole = feature.type == "integer"
            columns[feature.name] = [int(value) if whole else value for value in values.tolist()]
    return columns
