"""Records made by hand: models, features and answers as a test wants them."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.records import (
    Feature,
    Interval,
    Level,
    ModelVersion,
    Output,
    Prediction,
    Provenance,
    Quality,
    ReferencePredictions,
    Signature,
    Target,
    Value,
)

FACTS: Mapping[str, Mapping[str, Any]] = {
    "number": {"minimum": 20.0, "maximum": 150.0, "default": 70.5},
    "integer": {"minimum": 20.0, "maximum": 150.0, "default": 3},
    "boolean": {"default": True},
    "category": {"categories": ("north", "south", "east", "west"), "default": "south"},
    "date": {"minimum": "2019-01-01", "maximum": "2024-12-31", "default": "2022-06-15"},
    "datetime": {
        "minimum": "2019-01-01T00:30:00",
        "maximum": "2024-12-31T23:45:00",
        "default": "2022-06-15T09:30:00",
    },
    "text": {"default": "A bright flat."},
}
"""Kind of feature → what it is like unless told otherwise."""
AMSTERDAM = {
    "zone": "Europe/Amsterdam",
    "minimum": "2018-12-31T23:30:00+00:00",
    "maximum": "2024-12-31T22:45:00+00:00",
    "default": "2022-06-15T07:30:00+00:00",
}
"""The same times as by the clocks of Amsterdam, in UTC."""


def feature(name: str = "area", kind: str = "number", **changes: Any) -> Feature:
    """Make a feature; a number from 20 to 150 unless told otherwise."""
    return Feature.model_validate(
        {
            "name": name,
            "type": kind,
            "label": "",
            "unit": None,
            "description": "",
            "group": None,
            "minimum": None,
            "maximum": None,
            "quantiles": (),
            "step": None,
            "categories": (),
            "unknown_categories": False,
            "missing_allowed": False,
            "zone": None,
            "guessed": (),
            **FACTS[kind],
            **changes,
        }
    )


def target(
    *classes: Level,
    name: str = "rent",
    unit: str | None = None,
    positive: Level | None = None,
    outputs: Sequence[str] = (),
    probabilities: bool = True,
) -> Target:
    """Make a target: a number, several numbers, or one of the classes."""
    task = "multiclass" if len(classes) > 2 else "binary" if classes else "regression"
    about = {"name": name, "task": task, "unit": unit, "description": "", "classes": classes, "positive": positive}
    return Target.model_validate({**about, "outputs": tuple(outputs), "probabilities": probabilities})


def model(*features: Feature, of: Target | None = None, rows: int = 3, **changes: Any) -> ModelVersion:
    """Make a model version, `rent`, with one feature unless others are given; no `rows`: published without data."""
    of = of or target()
    headline = "accuracy" if of.classes else "mean_absolute_error"
    about: dict[str, Any] = {
        "name": "rent",
        "version": "1",
        "title": "Rents",
        "description": "What a flat costs.",
        "synthetic": False,
        "quality": Quality(method="5-fold cross-validation", headline=headline, metrics={headline: 0.9})
        if rows
        else None,
        "signature": Signature(features=features or (feature(),), target=of),
        "reference_rows": rows,
        "provenance": Provenance(digest="d1"),
    }
    return ModelVersion.model_validate({**about, **changes})


def reference(
    predicted: Sequence[Output],
    true: Sequence[Output | None] | None = None,
    *,
    probabilities: Sequence[Mapping[str, float]] | None = None,
    row: Mapping[str, Value] | None = None,
) -> ReferencePredictions:
    """Make the predictions for reference rows that are all alike."""
    return ReferencePredictions.model_validate(
        {
            "prediction": tuple(predicted),
            "probabilities": None if probabilities is None else tuple(map(dict, probabilities)),
            "data": tuple(dict(row or {"area": 70.5}) for _ in predicted),
            "target": tuple(predicted if true is None else true),
            "offset": 0,
            "total": len(predicted),
        }
    )


def prediction(value: Output, shares: Mapping[str, float] | None = None, **changes: Any) -> Prediction:
    """Make an answer of the model `rent`; a class without `shares` is one of a model that gives no probabilities."""
    answer: dict[str, Any] = {
        "prediction": value,
        "probabilities": None if shares is None else dict(shares),
        "interval": _interval(value, has_shares=shares is not None),
        "warnings": (),
        "model": "rent",
        "version": "1",
        "request_id": "r1",
    }
    return Prediction.model_validate({**answer, **changes})


def _interval(value: Output, *, has_shares: bool) -> Interval | None:
    if isinstance(value, dict):
        return Interval(coverage=0.9, low=dict.fromkeys(value, 1.0), high=dict.fromkeys(value, 1000.0))
    if has_shares:
        return Interval(coverage=0.9, classes=(value,))
    return None if isinstance(value, bool | str) else Interval(coverage=0.9, low=1.0, high=1000.0)


def answers(
    *models: ModelVersion, predicted: Prediction | None = None, rows: ReferencePredictions | None = None
) -> dict[str, object]:
    """Give what a model service with these models answers, by path."""
    found: dict[str, object] = {
        "/models": {
            "models": [
                {
                    "name": version.name,
                    "champion": {
                        **version.model_dump(include={"version", "title", "description", "synthetic", "quality"}),
                        "features": len(version.signature.features),
                        "target": version.signature.target.model_dump(),
                    },
                }
                for version in models
            ],
            "default": models[0].name,
        }
    }
    for version in models:
        path = f"/models/{version.name}/versions/{version.version}"
        found[path] = version.model_dump()
        found[f"GET {path}/predict"] = rows.model_dump() if rows else None
        found[f"POST {path}/predict"] = predicted.model_dump() if predicted else None
    return found
