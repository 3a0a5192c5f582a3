"""What a fitted estimator itself knows of its features: names, categories, ranges, gaps that it fills."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model_api.publishing.lowering.graph import plain_level
from model_api.values import Level

SPREADS = 2.0
"""Standard deviations on either side of a mean that stand for a range nobody told."""


@dataclass(frozen=True)
class FeatureKnowledge:
    """What steps of a pipeline tell of one feature; None where they do not."""

    categories: tuple[Level, ...] = ()
    """Levels that an encoder knows."""
    ordered: bool = False
    """Whether a person gave the encoder that order."""
    low: float | None = None
    high: float | None = None
    typical: Any = None
    """Mean, median or most frequent value."""
    exact: bool = False
    """Whether `low` and `high` are those of the training data, not a guess from its spread."""
    fills_gaps: bool = False
    """Whether an imputer stands in the way of missing values."""
    text: bool = False
    """Whether a vectoriser reads it as text."""


def features_known_to(estimator: Any) -> dict[str, FeatureKnowledge]:
    """Collect what the steps know, by the names of the features that the estimator was fitted on."""
    names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    if not names:
        names = [f"x{i}" for i in range(int(getattr(estimator, "n_features_in_", 0)))]
    known = {name: FeatureKnowledge() for name in names}
    for step, columns, raw in _steps(estimator, list(known), raw=True):
        for name, told in zip(columns, _facts_of(step, len(columns)), strict=False):
            facts = told if raw else {fact: told[fact] for fact in ("fills_gaps",) if fact in told}
            known[name] = replace(known[name], **_new(known[name], facts))
    return known


def _new(known: FeatureKnowledge, facts: dict[str, Any]) -> dict[str, Any]:
    """Keep what earlier steps told; a range is told by one step as a whole."""
    empty = FeatureKnowledge()
    if known.low is not None:
        facts = {name: value for name, value in facts.items() if name not in ("low", "high", "exact")}
    return {name: value for name, value in facts.items() if getattr(known, name) == getattr(empty, name)}


def _steps(estimator: Any, names: list[str], *, raw: bool) -> Iterator[tuple[Any, list[str], bool]]:
    """Give each step that still sees a column for each feature, their names, and whether it sees the raw values."""
    if hasattr(estimator, "steps"):
        for _, step in estimator.steps:
            yield from _steps(step, names, raw=raw)
            if not _keeps_columns(step):
                return
            raw = raw and _keeps_values(step)
    elif hasattr(estimator, "transformers_"):
        for name, step, columns in estimator.transformers_:
            places = estimator._transformer_to_input_indices.get(name, [])  # noqa: SLF001 -- names, resolved
            inner = [names[place] for place in places]
            if isinstance(columns, str) and _reads_text(step):
                yield _TextReader(), inner, raw
            elif not isinstance(step, str):
                yield from _steps(step, inner, raw=raw)
    else:
        wrapped = _wrapped(estimator)
        if wrapped is None:
            yield estimator, names, raw
        else:
            yield from _steps(wrapped, names, raw=raw)


def _wrapped(estimator: Any) -> Any:
    """Give the fitted estimator that another one stands for; an ensemble's `estimator_` is a template, not fitted."""
    names = ("best_estimator_",) if hasattr(estimator, "estimators_") else ("best_estimator_", "estimator_")
    return next((getattr(estimator, name) for name in names if hasattr(estimator, name)), None)


class _TextReader:
    """Stands for a vectoriser of text."""


def _reads_text(step: Any) -> bool:
    first = step.steps[0][1] if hasattr(step, "steps") else step
    return type(first).__name__.endswith("Vectorizer")


def _keeps_columns(step: Any) -> bool:
    scalers = ("StandardScaler", "RobustScaler", "MinMaxScaler", "MaxAbsScaler")
    return _keeps_values(step) or type(step).__name__ in scalers


def _keeps_values(step: Any) -> bool:
    """Tell whether what a step gives is what it got, but for the gaps."""
    return type(step).__name__ == "SimpleImputer" and not step.add_indicator


def _facts_of(step: Any, count: int) -> list[dict[str, Any]]:
    """Give what one step tells of each of its columns."""
    tell = TELLERS.get(type(step).__name__)
    if tell:
        return tell(step, count)
    return _ranges_of_splits(step, count) if hasattr(step, "tree_") or hasattr(step, "estimators_") else []


def _of_text(step: Any, count: int) -> list[dict[str, Any]]:  # noqa: ARG001 -- all tellers are called alike
    return [{"text": True}] * count


def _of_encoder(step: Any, _: int) -> list[dict[str, Any]]:
    ordered = type(step).__name__ == "OrdinalEncoder" and not isinstance(step.categories, str)
    return [{"categories": _known(levels), "ordered": ordered} for levels in step.categories_]


def _of_imputer(step: Any, _: int) -> list[dict[str, Any]]:
    return [{"typical": plain_level(value), "fills_gaps": True} for value in step.statistics_]


def _of_standard_scaler(step: Any, count: int) -> list[dict[str, Any]]:
    if step.mean_ is None:
        return []
    spreads = np.ones(count) if step.scale_ is None else step.scale_
    return [_around(mean, SPREADS * spread) for mean, spread in zip(step.mean_, spreads, strict=True)]


def _of_robust_scaler(step: Any, _: int) -> list[dict[str, Any]]:
    if step.center_ is None or step.scale_ is None:
        return []
    return [_around(middle, SPREADS * width) for middle, width in zip(step.center_, step.scale_, strict=True)]


def _of_min_max_scaler(step: Any, _: int) -> list[dict[str, Any]]:
    return [_range(*ends) for ends in zip(step.data_min_, step.data_max_, strict=True)]


def _of_bins(step: Any, _: int) -> list[dict[str, Any]]:
    return [_range(edges[0], edges[-1]) for edges in step.bin_edges_]


def _of_quantiles(step: Any, _: int) -> list[dict[str, Any]]:
    return [_range(column[0], column[-1]) for column in step.quantiles_.T]


TELLERS: dict[str, Callable[[Any, int], list[dict[str, Any]]]] = {
    "_TextReader": _of_text,
    **dict.fromkeys(("OneHotEncoder", "OrdinalEncoder", "TargetEncoder"), _of_encoder),
    "SimpleImputer": _of_imputer,
    "StandardScaler": _of_standard_scaler,
    "RobustScaler": _of_robust_scaler,
    "MinMaxScaler": _of_min_max_scaler,
    "KBinsDiscretizer": _of_bins,
    "QuantileTransformer": _of_quantiles,
}
"""Class of a step → who reads what it knows."""


def _known(levels: Any) -> tuple[Level, ...]:
    return tuple(level for level in map(plain_level, levels) if level is not None)


def _around(middle: float, reach: float) -> dict[str, Any]:
    return {"low": float(middle - reach), "high": float(middle + reach), "typical": float(middle)}


def _range(low: float, high: float) -> dict[str, Any]:
    return {"low": float(low), "high": float(high), "typical": float((low + high) / 2), "exact": True}


def _members(step: Any) -> Iterator[Any]:
    """Give the members of an ensemble; boosting keeps them in a table. A pipeline among them is one member."""
    for member in getattr(step, "estimators_", [step]):
        if isinstance(member, np.ndarray):
            yield from member.ravel()
        else:
            yield member


def _ranges_of_splits(step: Any, count: int) -> list[dict[str, Any]]:
    """Guess ranges from where trees split: they do not split outside of the data."""
    trees = [member.tree_ for member in _members(step) if hasattr(member, "tree_")]
    facts: list[dict[str, Any]] = []
    for column in range(count):
        splits = [float(t) for tree in trees for t in tree.threshold[tree.feature == column]]
        facts.append({"low": min(splits), "high": max(splits), "typical": float(np.median(splits))} if splits else {})
    return facts
