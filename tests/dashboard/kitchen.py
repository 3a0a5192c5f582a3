"""Records made by hand: models, features and answers as a test wants them."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.records import (
    Feature,
    Interval,
    Level,
    ModelVersion,
    Prediction,
    Provenance,
    Quality,
    ReferencePredictions,
    Signature,
    Target,
    Value,
)


def feature(name: str = "area", kind: str = "number", **changes: Any) -> Feature:
    """Make a feature; a number from 20 to 150 unless told otherwise."""
    numeric = kind in ("number", "integer")
    return Feature.model_validate(
        {
            "name": name,
            "type": kind,
            "label": "",
            "unit": None,
            "description": "",
            "group": None,
            "minimum": 20.0 if numeric else None,
            "maximum": 150.0 if numeric else None,
            "step": None,
            "categories": ("north", "south", "east", "west") if kind == "category" else (),
            "unknown_categories": False,
            "missing_allowed": False,
            "default": {"number": 70.5, "integer": 3, "boolean": True, "category": "south"}[kind],
            **changes,
        }
    )


def target(*classes: Level, name: str = "rent", unit: str | None = None, positive: Level | None = None) -> Target:
    """Make a target: a number, or one of the classes."""
    task = "multiclass" if len(classes) > 2 else "binary" if classes else "regression"
    return Target.model_validate(
        {"name": name, "task": task, "unit": unit, "description": "", "classes": classes, "positive": positive}
    )


def model(*features: Feature, of: Target | None = None, rows: int = 3, **changes: Any) -> ModelVersion:
    """Make a model version, `rent`, with one feature unless others are given."""
    of = of or target()
    headline = "accuracy" if of.classes else "mean_absolute_error"
    about: dict[str, Any] = {
        "name": "rent",
        "version": "1",
        "title": "Rents",
        "description": "What a flat costs.",
        "synthetic": False,
        "quality": Quality(method="5-fold cross-validation", headline=headline, metrics={headline: 0.9}),
        "signature": Signature(features=features or (feature(),), target=of),
        "reference_rows": rows,
        "provenance": Provenance(digest="d1"),
    }
    return ModelVersion.model_validate({**about, **changes})


def reference(
    predicted: Sequence[Level],
    true: Sequence[Level | None] | None = None,
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


def prediction(value: Level, shares: Mapping[str, float] | None = None, **changes: Any) -> Prediction:
    """Make an answer of the model `rent`."""
    interval = Interval(coverage=0.9, classes=(value,)) if shares else Interval(coverage=0.9, low=1.0, high=1000.0)
    answer: dict[str, Any] = {
        "prediction": value,
        "probabilities": None if shares is None else dict(shares),
        "interval": interval,
        "warnings": (),
        "model": "rent",
        "version": "1",
        "request_id": "r1",
    }
    return Prediction.model_validate({**answer, **changes})


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
