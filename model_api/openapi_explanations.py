"""The part of the OpenAPI document about explanations: for each model and call, which options it takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from model_api.explanations.calls import CALLS
from model_api.explanations.coding import NAMED
from model_api.explanations.curves import MOST_MAP_POINTS, MOST_POINTS
from model_api.explanations.decisions import LARGEST_COST
from model_api.explanations.options import OPTIONS
from model_api.explanations.robustness import COVERAGE, FEWEST, MOST
from model_api.explanations.similar import MOST as MOST_SIMILAR
from model_api.inference import margins_of
from model_api.loading import LoadedModel
from model_api.openapi_schemas import accepted, class_of
from model_api.openapi_shared import Json, ref
from model_api.signature import ORDERED, Feature, Target

SUMMARIES = {
    "contributions": "why: what each feature adds to the usual prediction",
    "curve": "what if: the prediction over the range of one feature",
    "dependence": "what the prediction is on average over one feature",
    "map": "what if: the prediction over the ranges of two features",
    "flips": "where the decision changes, for each feature alone",
    "counterfactuals": "what would have to change for another prediction",
    "similar": "which training cases were like this one, and what became of them",
    "trust": "whether the case is like the training data",
    "robustness": "whether small changes would change the answer",
    "decisions": "where to draw the line between two classes",
}
"""What each call is for."""
NUMBER: Json = {"type": "number"}
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
BOUNDS = ("at_least", "at_most", "threshold")
"""Options that compare the number that is looked at."""
COUNTS = {"counterfactuals": (1, 10), "robustness": (FEWEST, MOST), "similar": (1, MOST_SIMILAR)}
COST: Json = {"type": ["number", "null"], "minimum": 0, "maximum": LARGEST_COST}


def paths(model: LoadedModel, errors: Json) -> Iterator[tuple[str, Json]]:
    """Describe every call about a model's champion; `errors`: how they may fail."""
    for name in CALLS:
        if _fits(model, name):
            yield f"/models/{model.name}/explanations/{name}", {"post": _operation(model, name, errors)}


def _fits(model: LoadedModel, call: str) -> bool:
    target = model.artifact.signature.target
    if not len(model.artifact.reference):
        return False
    if call == "map":
        return len(model.artifact.signature.features) > 1
    return call != "decisions" or (len(target.classes) == 2 and target.probabilities)


def _operation(model: LoadedModel, name: str, errors: Json) -> Json:
    options = options_of(model, name)
    required = "required" in options or "anyOf" in options
    body: Json = {
        "type": "object",
        "required": ["data", "options"] if required else ["data"],
        "properties": {"data": ref(f"{model.name}.Instance"), "options": options},
        "additionalProperties": False,
    }
    identifier = model.name.replace("-", "_").replace(".", "_")
    return {
        "tags": [model.name],
        "summary": f"{model.artifact.manifest.title}: {SUMMARIES[name]}",
        "operationId": f"explain_{name}_{identifier}",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": "The explanation; `approximation` tells whether it is one, and why",
                "content": {"application/json": {"schema": ref("Explanation")}},
                "headers": {
                    "X-Request-ID": ref("X-Request-ID", "headers"),
                    "Servery-Model": ref("Servery-Model", "headers"),
                },
            },
            **errors,
        },
    }


def options_of(model: LoadedModel, call: str) -> Json:
    """Give the schema of a call's options: those that make sense for a model, and which of them have to be given."""
    properties: Json = {"milliseconds": {"type": "number", "minimum": 10, "maximum": 5000, "default": 250}}
    for option in OPTIONS[call]:
        if (schema := _schema(model, call, option)) is not None:
            properties[option] = schema
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, **_needed(model, call)}


def _needed(model: LoadedModel, call: str) -> Json:
    """Say which options have to be given."""
    target = model.artifact.signature.target
    if call in ("curve", "dependence"):
        return {"required": ["feature"]}
    if call == "map":
        return {"required": ["features"]}
    if call == "counterfactuals" and len(target.classes) != 2:
        bounds = [name for name in BOUNDS if _bound(model, call, name)]
        given: list[Json] = [{"required": [name], "properties": {name: NUMBER}} for name in bounds]
        return {"anyOf": [*([{"required": ["class"]}] if target.classes else []), *given]}
    return {"required": ["threshold"]} if _needs_threshold(model, call) else {}


def _needs_threshold(model: LoadedModel, call: str) -> bool:
    """Tell whether a number has to be compared with one: where no class decides, and no interval stands for it."""
    if model.artifact.signature.target.classes:
        return False
    margins = margins_of(model.artifact, COVERAGE)
    has_intervals = bool(margins) and all(margin.usual is not None for margin in margins)
    return call == "flips" or (call == "robustness" and not has_intervals)


def _schema(model: LoadedModel, call: str, option: str) -> Json | None:
    """Describe an option; None where the model cannot be asked with it."""
    signature = model.artifact.signature
    target, names = signature.target, signature.names
    ordered = [feature.name for feature in signature.features if feature.type in ORDERED]
    by_option: dict[str, Callable[[], Json | None]] = {
        "class": lambda: _levels(target),
        "output": lambda: {"type": "string", "enum": list(target.outputs)} if target.outputs else None,
        "feature": lambda: {"type": "string", "enum": names},
        "features": lambda: {**_list(names), "minItems": 2, "maxItems": 2, "uniqueItems": True},
        "points": lambda: _whole(2, MOST_MAP_POINTS if call == "map" else MOST_POINTS),
        "count": lambda: _whole(*COUNTS[call]),
        "percent": lambda: {"type": ["number", "null"], "minimum": 0, "maximum": 100},
        "cost_false_positive": lambda: COST,
        "cost_false_negative": lambda: COST,
        "capacity": lambda: _or_null(SHARE),
        "locked": lambda: _or_null(_list(names)),
        "ranges": lambda: {
            "description": "The two ends of what is allowed, null for an open one, or the levels that are.",
            **_table({feature.name: _range(feature) for feature in signature.features}),
        },
        "directions": lambda: _table({name: {"type": "string", "enum": ["up", "down"]} for name in ordered}),
    }
    return _bound(model, call, option) if option in BOUNDS else by_option[option]()


def _bound(model: LoadedModel, call: str, option: str) -> Json | None:
    """Describe what the number that is looked at is compared with."""
    target = model.artifact.signature.target
    if target.classes:
        return _or_null(SHARE) if target.probabilities else None
    if option == "threshold" and call == "counterfactuals":
        return None
    return NUMBER if _needs_threshold(model, call) else _or_null(NUMBER)


def _or_null(schema: Json) -> Json:
    """Let an option be null, which is as if it were not there."""
    return {**schema, "type": [schema["type"], "null"]}


def _whole(low: int, high: int) -> Json:
    return {"type": "integer", "minimum": low, "maximum": high}


def _list(names: Sequence[str]) -> Json:
    return {"type": "array", "items": {"type": "string", "enum": list(names)}}


def _table(properties: Json) -> Json:
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _range(feature: Feature) -> Json:
    """Describe the limits of a feature: two ends where it has an order, else levels, which have to be known ones."""
    value = accepted(replace(feature, missing_allowed=False, unknown_categories=False))
    if feature.type in NAMED:
        return {"type": "array", "items": value, "minItems": 1}
    return {"type": "array", "items": {"anyOf": [value, {"type": "null"}]}, "minItems": 2, "maxItems": 2}


def _levels(target: Target) -> Json | None:
    """List the classes, as they are and as text."""
    if not target.classes:
        return None
    texts = [str(level) for level in target.classes if not isinstance(level, str)]
    return {"anyOf": [class_of(target), {"type": "string", "enum": texts}]} if texts else class_of(target)
