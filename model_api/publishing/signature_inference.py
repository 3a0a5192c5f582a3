"""Data and a fitted estimator → signature: types, ranges, precision, categories, missing policy, defaults.

What data tells comes first; what only the estimator knows (publishing/estimator_knowledge.py) fills the gaps, and all
of it where there is no data. What a person describes goes before both.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types as dtypes
from sklearn.base import is_classifier

from model_api.facts import require_consistent, require_described
from model_api.publishing.estimator_knowledge import FeatureKnowledge, features_known_to
from model_api.publishing.levels import in_sensible_order
from model_api.runtimes.frames import layout_of
from model_api.runtimes.sklearn import SklearnPredictor
from model_api.signature import Feature, FeatureType, Signature, Target, Task
from model_api.values import MAX_TEXT, Level, Rejected, Value, find_zone, quote

MAX_DECIMALS = 12
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the quantiles that a number is described by."""
MANY_LEVELS, LONG_LEVEL = 50, 100
"""Different texts from which on, and characters from which on, a column of texts is no category."""
NEVER_SEEN = "a level that was never seen"


def infer_signature(
    estimator: Any,
    X: pd.DataFrame,
    y: "pd.Series[Any] | pd.DataFrame",
    features: Mapping[str, Mapping[str, Any]],
    target: Mapping[str, Any],
) -> Signature:
    """Infer what an instance must look like; `features` and `target` override what was inferred.

    Raises ValueError for an override of a column that does not exist or that does not fit, and for a column of an
    unknown type.
    """
    require_described(features, target)
    require_features(features, [str(name) for name in X.columns])
    known = features_known_to(estimator)
    inferred = tuple(
        _feature(X[name], features.get(str(name), {}), known.get(str(name), FeatureKnowledge())) for name in X.columns
    )
    signature = Signature(inferred, _target(estimator, y, target))
    require_consistent(signature)
    return _with_tolerance(estimator, X, signature, features)


def require_features(features: Mapping[str, Any], names: list[str]) -> None:
    """Refuse descriptions of features that are not there; raises ValueError."""
    if unknown := set(features) - set(names):
        raise ValueError(f"described features that the data does not have: {', '.join(sorted(unknown))}")


def _feature(column: "pd.Series[Any]", described: Mapping[str, Any], known: FeatureKnowledge) -> Feature:
    given = column.dropna()
    if given.empty:
        raise ValueError(f"column {column.name!r} holds no value at all")
    kind: FeatureType = described.get("type") or feature_type(column, known)
    if "type" in described:
        _require_kind(column, kind)
    facts: dict[str, Any] = {
        "name": str(column.name),
        "type": kind,
        "missing_allowed": bool(column.isna().any()),
        "missing_rate": round(float(column.isna().mean()), 4),
    }
    if kind in ("number", "integer"):
        facts |= _number_facts(given.astype("float64"), kind)
    elif kind in ("date", "datetime"):
        facts |= _moment_facts(given, kind)
    elif kind == "category":
        facts |= {"categories": _levels(column, known), "default": plain(given.mode().iloc[0])}
    elif kind == "boolean":
        facts |= {"default": bool(given.astype("float64").mean() >= 0.5)}
    else:
        facts |= {"default": str(given.iloc[0])[:MAX_TEXT]}
    return Feature(**{**facts, **{name: _tuple(value) for name, value in described.items()}})


def _require_kind(column: "pd.Series[Any]", kind: FeatureType) -> None:
    """Refuse a kind that a column's dtype cannot be; whether its values are of it is seen when they are read."""
    dtype = column.dtype
    moments, texts = dtypes.is_datetime64_any_dtype(dtype), dtypes.is_string_dtype(dtype)
    fits = {"date": moments, "datetime": moments, "text": texts, "category": not moments}
    if not fits.get(kind, dtypes.is_numeric_dtype(dtype) or dtypes.is_object_dtype(dtype)):
        raise ValueError(f"column {column.name!r} has the dtype {dtype}, and cannot be described as a {kind}")


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def feature_type(column: "pd.Series[Any]", known: FeatureKnowledge) -> FeatureType:
    """Tell what kind of values a column holds. Raises ValueError for one that is not served."""
    dtype = column.dtype
    if dtypes.is_bool_dtype(dtype):
        return "boolean"
    if dtypes.is_integer_dtype(dtype):
        return "integer"
    if dtypes.is_float_dtype(dtype):
        return "number"
    if dtypes.is_datetime64_any_dtype(dtype):
        return "date" if _are_dates(column.dropna()) else "datetime"
    if isinstance(dtype, pd.CategoricalDtype):
        return _category_of(column, dtype.categories)
    if dtypes.is_string_dtype(dtype) or dtypes.is_object_dtype(dtype):
        return _type_of_objects(column, known)
    raise ValueError(f"column {column.name!r} has the dtype {dtype}, which is not served")


def _type_of_objects(column: "pd.Series[Any]", known: FeatureKnowledge) -> FeatureType:
    given = column.dropna()
    kinds = {type(value) for value in given}
    if kinds <= {bool, np.bool_} and kinds:
        return "boolean"
    if not kinds <= {str}:
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(
            f"column {column.name!r} holds {found}; give it a dtype of its own, such as datetime64 or Int64"
        )
    if known.text:
        return "text"
    different = given.nunique()
    long = int(given.str.len().max()) > LONG_LEVEL
    if not known.categories and (long or (different > MANY_LEVELS and different > len(given) / 2)):
        return "text"
    return "category"


def _category_of(column: "pd.Series[Any]", levels: "pd.Index[Any]") -> FeatureType:
    if not {type(plain(level)) for level in levels} <= {str, int, float, bool}:
        unknown = f"levels of the dtype {levels.dtype}, which JSON does not have"
        raise ValueError(f"column {column.name!r} has {unknown}; give them names or numbers")
    return "category"


def _are_dates(moments: "pd.Series[Any]") -> bool:
    return moments.dt.tz is None and bool((moments.dt.normalize() == moments).all())


def _number_facts(known: "pd.Series[float]", kind: FeatureType) -> dict[str, Any]:
    step = 1.0 if kind == "integer" else _precision(known)
    median = _round_to(float(known.median()), step)
    return {
        "minimum": float(known.min()),
        "maximum": float(known.max()),
        "quantiles": tuple(float(value) for value in np.quantile(known.to_numpy(), SHARES)),
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


def _moment_facts(known: "pd.Series[Any]", kind: FeatureType) -> dict[str, Any]:
    middle = known.sort_values().iloc[len(known) // 2]
    ends = {"minimum": moment(known.min(), kind), "maximum": moment(known.max(), kind)}
    zone = str(known.dt.tz) if known.dt.tz is not None else None
    if zone is not None:
        _require_zone(zone, known.name)
    return {**ends, "default": moment(middle, kind), "zone": zone}


def _require_zone(zone: str, column: object) -> None:
    try:
        find_zone(zone)
    except ValueError as error:
        raise ValueError(f"{column}: {error}; convert it with .dt.tz_convert, to UTC for example") from error


def moment(value: pd.Timestamp, kind: FeatureType) -> str:
    """Write a moment in its canonical form: see values.py."""
    if kind == "date":
        return value.date().isoformat()
    if value.tz is not None:
        value = value.tz_convert("UTC")
    return value.to_pydatetime(warn=False).isoformat()


def _levels(column: "pd.Series[Any]", known: FeatureKnowledge) -> tuple[Level, ...]:
    """Give a category's levels: in their declared order, else in a sensible one."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        declared = tuple(plain(level) for level in column.dtype.categories)
        if column.dtype.ordered:
            return declared
        return in_sensible_order(declared) if _is_sorted(declared) else declared
    found = tuple(plain(level) for level in column.dropna().unique())
    if known.ordered and set(found) <= set(known.categories):
        return known.categories
    return in_sensible_order(found)


def _is_sorted(levels: tuple[Level, ...]) -> bool:
    """Tell whether levels stand as pandas puts them when nobody declares an order."""
    return list(levels) == sorted(levels, key=lambda level: (isinstance(level, str), level))


def _target(estimator: Any, y: "pd.Series[Any] | pd.DataFrame", described: Mapping[str, Any]) -> Target:
    if isinstance(y, pd.DataFrame) and y.shape[1] > 1:
        return _several_numbers(estimator, y, described)
    column = y.iloc[:, 0] if isinstance(y, pd.DataFrame) else y
    facts = target_facts(estimator, str(column.name if column.name is not None else "target"))
    if facts["task"] == "regression":
        facts |= {"minimum": float(column.min()), "maximum": float(column.max())}
    return target_of(facts, described)


def target_of(facts: Mapping[str, Any], described: Mapping[str, Any]) -> Target:
    """Put what is described over what is known. Raises ValueError where only the estimator can know."""
    told = {name: _tuple(value) for name, value in described.items()}
    for key in ("task", "classes"):
        known = facts.get(key, ())
        if key in told and told[key] != known:
            raise ValueError(
                f"the target: {key} must be what the estimator knows, {_listed(known)}, not {_listed(told[key])}"
            )
    return Target(**{**facts, **told})


def _listed(fact: Any) -> str:
    shown = ", ".join(map(quote, fact)) if isinstance(fact, tuple) else quote(fact)
    return shown or "none"


def target_facts(estimator: Any, name: str) -> dict[str, Any]:
    """Tell what an estimator itself says of its target."""
    if not is_classifier(estimator):
        return {"name": name, "task": "regression"}
    if not hasattr(estimator, "classes_"):
        raise ValueError(f"this {type(estimator).__name__} is not fitted: it knows no classes")
    if isinstance(estimator.classes_, list):
        raise ValueError("a classifier of several targets is not served; publish one model for each")
    classes = tuple(plain(level) for level in estimator.classes_)
    task: Task = "binary" if len(classes) == 2 else "multiclass"
    facts = {"name": name, "task": task, "classes": classes, "probabilities": hasattr(estimator, "predict_proba")}
    return {**facts, "positive": classes[1]} if task == "binary" else facts


def _several_numbers(estimator: Any, y: pd.DataFrame, described: Mapping[str, Any]) -> Target:
    if is_classifier(estimator):
        raise ValueError("a classifier of several targets is not served; publish one model for each")
    names = tuple(str(name) for name in y.columns)
    facts: dict[str, Any] = {"name": " and ".join(names), "task": "regression", "outputs": names}
    facts |= {"minimum": float(y.min().min()), "maximum": float(y.max().max())}
    return target_of(facts, described)


def _with_tolerance(
    estimator: Any, X: pd.DataFrame, signature: Signature, described: Mapping[str, Mapping[str, Any]]
) -> Signature:
    """Find out which categories may hold levels that were never seen: by asking the estimator about one."""
    predictor = SklearnPredictor(estimator, layout_of(X), signature.target.classes)
    row = {f.name: [plain_value(X[f.name].iloc[0], f)] for f in signature.features}
    _require_as_many_numbers(predictor, row, signature.target)
    features = []
    for feature in signature.features:
        known = feature
        if feature.type == "category" and "unknown_categories" not in described.get(feature.name, {}):
            texts = all(isinstance(level, str) for level in feature.categories)
            tolerates = texts and _tolerates_unknown(predictor, row, feature.name)
            known = replace(feature, unknown_categories=tolerates)
        features.append(known)
    return Signature(tuple(features), signature.target)


def _require_as_many_numbers(predictor: SklearnPredictor, row: Mapping[str, list[Value]], target: Target) -> None:
    """Refuse true values that are more or fewer columns than what is predicted; by asking. Raises ValueError."""
    try:
        numbers = predictor.predict(dict(row)).numbers
    except Exception:  # noqa: BLE001 -- whether it answers at all is found out later, with more rows
        return
    given = len(target.outputs) or 1
    found = given if numbers is None else 1 if numbers.ndim == 1 else numbers.shape[1]
    if found != given:
        names = ", ".join(target.outputs) or target.name
        raise ValueError(
            f"there must be as many true values a row as the estimator predicts, {found}, not {given}: {names}"
        )


def _tolerates_unknown(predictor: SklearnPredictor, row: Mapping[str, list[Value]], name: str) -> bool:
    """Tell whether an estimator answers for a level that it never saw."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output = predictor.predict({**row, name: [NEVER_SEEN]})
    except Exception:  # noqa: BLE001 -- whatever it raises, it does not answer
        return False
    numbers = output.numbers if output.numbers is not None else output.probabilities
    return numbers is None or bool(np.isfinite(numbers).all())


def plain_value(value: Any, feature: Feature) -> Value:
    """Turn one cell into the plain value that a caller would send, checked as a caller's would be."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return moment(value, feature.type)
    if feature.type == "text":
        return str(value)
    try:
        return feature.parse(plain(value))
    except Rejected as error:
        raise ValueError(f"the data does not fit what is said of it: {feature.name} {error.reason}") from error


def plain(value: Any) -> Any:
    """Turn a NumPy scalar into a Python one, and a float that is whole into an integer."""
    if isinstance(value, np.generic):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value
