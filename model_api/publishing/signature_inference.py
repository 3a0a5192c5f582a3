"""Data and a fitted estimator → signature: types, ranges, precision, categories, missing policy, defaults."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types as dtypes
from sklearn.base import BaseEstimator, is_classifier

from model_api.signature import Feature, FeatureType, Level, Signature, Target, Task

MAX_DECIMALS = 12


def infer_signature(
    estimator: BaseEstimator,
    X: pd.DataFrame,
    y: "pd.Series[Any]",
    features: Mapping[str, Mapping[str, Any]],
    target: Mapping[str, Any],
) -> Signature:
    """Infer what an instance must look like; `features` and `target` override what was inferred.

    Raises ValueError for an override of a column that does not exist, and for a column of an unknown type.
    """
    if unknown := set(features) - set(X.columns):
        raise ValueError(f"described features that the data does not have: {', '.join(sorted(unknown))}")
    inferred = tuple(_feature(X[name], features.get(name, {})) for name in X.columns)
    return Signature(inferred, _target(estimator, y, target))


def _feature(column: "pd.Series[Any]", described: Mapping[str, Any]) -> Feature:
    name = str(column.name)
    kind: FeatureType = described.get("type") or _type(column)
    known = column.dropna()
    facts: dict[str, Any] = {
        "name": name,
        "type": kind,
        "missing_allowed": bool(column.isna().any()),
        "missing_rate": round(float(column.isna().mean()), 4),
    }
    if kind in ("number", "integer"):
        facts |= _number_facts(known.astype("float64"), kind)
    elif kind == "category":
        facts |= {"categories": _levels(column), "default": _plain(known.mode().iloc[0])}
    else:
        facts |= {"default": bool(known.astype("float64").mean() >= 0.5)}
    return Feature(**{**facts, **described})


def _type(column: "pd.Series[Any]") -> FeatureType:
    if dtypes.is_bool_dtype(column.dtype):
        return "boolean"
    if dtypes.is_integer_dtype(column.dtype):
        return "integer"
    if dtypes.is_float_dtype(column.dtype):
        return "number"
    if dtypes.is_string_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    raise ValueError(f"column {column.name!r} has the dtype {column.dtype}, which is not served yet")


def _number_facts(known: "pd.Series[float]", kind: FeatureType) -> dict[str, Any]:
    step = 1.0 if kind == "integer" else _precision(known)
    median = _round_to(float(known.median()), step)
    return {
        "minimum": float(known.min()),
        "maximum": float(known.max()),
        "step": step,
        "default": int(median) if kind == "integer" else median,
    }


def _precision(known: "pd.Series[float]") -> float:
    """Find the smallest power of ten that all values are multiples of, within rounding."""
    values = known.to_numpy()
    for decimals in range(MAX_DECIMALS):
        if np.allclose(values, np.round(values, decimals), rtol=0, atol=10.0 ** -(decimals + 4)):
            return float(f"1e-{decimals}")
    return float(f"1e-{MAX_DECIMALS}")


def _round_to(value: float, step: float) -> float:
    decimals = max(0, round(-math.log10(step)))
    return round(value, decimals)


def _levels(column: "pd.Series[Any]") -> tuple[Level, ...]:
    """Give a category's levels: in their declared order, else sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return tuple(_plain(level) for level in column.dtype.categories)
    return tuple(sorted(_plain(level) for level in column.dropna().unique()))


def _target(estimator: BaseEstimator, y: "pd.Series[Any]", described: Mapping[str, Any]) -> Target:
    facts: dict[str, Any] = {"name": str(y.name or "target")}
    if is_classifier(estimator):
        classes = tuple(_plain(level) for level in estimator.classes_)
        task: Task = "binary" if len(classes) == 2 else "multiclass"
        facts |= {"task": task, "classes": classes}
        if task == "binary":
            facts["positive"] = classes[1]
    else:
        facts |= {"task": "regression", "minimum": float(y.min()), "maximum": float(y.max())}
    return Target(**{**facts, **described})


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value
