"""The OpenAPI document: FastAPI's own part, and one typed prediction endpoint for each model that is served."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from model_api.artifact import CHAMPION
from model_api.loading import LoadedModel
from model_api.registry import Registry
from model_api.signature import Feature, Signature, Target, format_range
from model_api.values import MAX_TEXT

Json = dict[str, Any]
JSON_TYPES: dict[str, tuple[str, Json]] = {
    "category": ("string", {}),
    "date": ("string", {"format": "date"}),
    "datetime": ("string", {"format": "date-time"}),
    "text": ("string", {"maxLength": MAX_TEXT}),
}
"""Type of a feature → its type in JSON Schema, where that is another."""

DESCRIPTION = """A model is a service of its own: any HTTP client may ask it.

`GET …/predict` predicts for the data that came with the model, `POST …/predict` for what you send.
Numbers may be sent as numbers or as text; `null` means unknown, where a feature allows it.
Errors are `application/problem+json` and list everything that is wrong at once.
"""


def install(app: FastAPI, registry: Registry) -> None:
    """Make `/openapi.json` describe the models that are loaded when it is asked for."""

    def document() -> Json:
        spec = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, tags=None)
        schemas = spec.setdefault("components", {}).setdefault("schemas", {})
        schemas |= {"InputWarning": WARNING, "Problem": PROBLEM}
        paths: Json = {}
        for model in _champions(registry):
            schemas |= _schemas(model)
            if model.name == registry.default:
                paths["/predict"] = _path(model, "the default model")
            paths[f"/models/{model.name}/predict"] = _path(model, "its champion")
        spec["paths"] = paths | spec["paths"]
        return spec

    app.openapi = document  # type: ignore[method-assign] # the way that FastAPI documents


def _champions(registry: Registry) -> list[LoadedModel]:
    if registry.problem:
        return []
    return [entry.resolve(CHAMPION) for entry in registry.entries if entry.aliases.get(CHAMPION) in entry.loaded]


def instance_schema(model: LoadedModel) -> Json:
    """Describe an instance of a model, in JSON Schema."""
    return _instance(model.artifact.signature, _example(model))


def _schemas(model: LoadedModel) -> Json:
    signature = model.artifact.signature
    name = model.name
    instance = _ref(f"{name}.Instance")
    one = _answer(name, signature.target, many=False)
    many = _answer(name, signature.target, many=True)
    return {
        f"{name}.Instance": instance_schema(model),
        f"{name}.Request": {
            "type": "object",
            "required": ["data"],
            "properties": {
                "data": {"oneOf": [instance, {"type": "array", "minItems": 1, "items": instance}]},
                "options": OPTIONS,
            },
        },
        f"{name}.Prediction": one,
        f"{name}.Predictions": many,
        f"{name}.ReferencePredictions": _reference(many, instance, signature.target),
    }


def _instance(signature: Signature, example: Json) -> Json:
    return {
        "type": "object",
        "required": [f.name for f in signature.features if not f.missing_allowed],
        "properties": {f.name: _feature(f) for f in signature.features},
        "additionalProperties": False,
        "example": example,
    }


def _feature(feature: Feature) -> Json:
    unit = f" In {feature.unit}." if feature.unit else ""
    about = feature.description.rstrip(".") + "." if feature.description else ""
    if feature.minimum is not None:
        guessed = "guessed to be " if "minimum" in feature.guessed else ""
        about += f" Training values: {guessed}{format_range(feature)}."
    schema: Json = {"title": feature.title, "description": (about + unit).strip()}
    if feature.categories and not feature.unknown_categories:
        schema["enum"] = [*feature.categories, *([None] if feature.missing_allowed else [])]
        return schema
    name, more = JSON_TYPES.get(feature.type, (feature.type, {}))
    return {**schema, "type": [name, "null"] if feature.missing_allowed else name, **more}


def _answer(name: str, target: Target, *, many: bool) -> Json:
    fields: Json = {"prediction": _value(target)}
    if target.classes and target.probabilities:
        names = [str(level) for level in target.classes]
        shares = {key: {"type": "number", "minimum": 0, "maximum": 1} for key in names}
        fields["probabilities"] = {"type": "object", "properties": shares, "required": names}
    fields["interval"] = _interval(target)
    fields["warnings"] = {"type": "array", "items": _ref("InputWarning")}
    if many:
        fields = {key: {"type": "array", "items": schema} for key, schema in fields.items()}
    fields |= {
        "model": {"type": "string", "example": name},
        "version": {"type": "string", "example": "1"},
        "request_id": {"type": "string"},
    }
    return {"type": "object", "required": list(fields), "properties": fields}


def _value(target: Target) -> Json:
    if target.classes:
        return {"enum": list(target.classes), "title": target.name}
    about = {"title": target.name, "description": target.description}
    return {**_number(target), **about}


def _number(target: Target) -> Json:
    """Describe a number, or with several outputs an object of them."""
    if not target.outputs:
        return {"type": "number"}
    each = {key: {"type": "number"} for key in target.outputs}
    return {"type": "object", "properties": each, "required": list(target.outputs)}


def _interval(target: Target) -> Json:
    coverage = {"type": "number", "example": 0.9}
    if target.classes:
        held: Json = {"classes": {"type": "array", "items": {"enum": list(target.classes)}}}
    else:
        held = {"low": _number(target), "high": _number(target)}
    return {
        "type": ["object", "null"],
        "description": "What holds the true value with the probability `coverage`; null when calibration is too small.",
        "required": [*held, "coverage"],
        "properties": {**held, "coverage": coverage},
    }


def _reference(many: Json, instance: Json, target: Target) -> Json:
    true = _value(target)
    extra: Json = {
        "data": {"type": "array", "items": instance},
        "target": {"type": "array", "items": true, "description": "The true values."},
        "offset": {"type": "integer"},
        "total": {"type": "integer", "description": "Rows that there are."},
    }
    return {**many, "required": [*many["required"], *extra], "properties": {**many["properties"], **extra}}


def _path(model: LoadedModel, who: str) -> Json:
    name, title = model.name, model.artifact.manifest.title
    identifier = name.replace("-", "_").replace(".", "_") + ("_default" if who == "the default model" else "")
    errors = {
        status: {"description": what, "content": {"application/problem+json": {"schema": _ref("Problem")}}}
        for status, what in {
            "400": "Not readable",
            "413": "Too large",
            "415": "Not JSON",
            "422": "Not valid: every problem of every feature",
            "503": "Not ready",
        }.items()
    }
    limits = [
        (
            "limit",
            "Rows to give, up to 1,000.",
            {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20},
        ),
        ("offset", "Rows to leave out.", {"type": "integer", "minimum": 0, "default": 0}),
    ]
    return {
        "get": {
            "tags": [name],
            "summary": f"{title}: predict for the data that came with the model",
            "description": f"Answered by {who}. With feature names as query parameters: one prediction for them.",
            "operationId": f"predict_reference_{identifier}",
            "parameters": [
                {"name": n, "in": "query", "required": False, "description": d, "schema": s} for n, d, s in limits
            ],
            "responses": {"200": _content(f"{name}.ReferencePredictions", "The predictions"), **errors},
        },
        "post": {
            "tags": [name],
            "summary": f"{title}: predict for what you send",
            "description": f"Answered by {who}. {model.artifact.manifest.description}",
            "operationId": f"predict_{identifier}",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": _ref(f"{name}.Request"),
                        "example": {"data": _example(model)},
                    }
                },
            },
            "responses": {
                "200": _content([f"{name}.Prediction", f"{name}.Predictions"], "One prediction, or a list of them"),
                **errors,
            },
        },
    }


def _content(names: str | list[str], description: str) -> Json:
    schema = _ref(names) if isinstance(names, str) else {"oneOf": [_ref(name) for name in names]}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _example(model: LoadedModel) -> Json:
    """Give a real reference row, one without gaps where there is one; without any, the typical instance."""
    reference = model.artifact.reference
    rows = (reference.row(position) for position in range(len(reference)))
    complete = next((row for row in rows if None not in row.values()), None)
    if complete is None and len(reference):
        complete = reference.row(0)
    return complete or {feature.name: feature.default for feature in model.artifact.signature.features}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


OPTIONS: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "coverage": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.9},
        "on_error": {"enum": ["reject", "report"], "default": "reject"},
    },
}
WARNING: Json = {
    "type": "object",
    "required": ["feature", "code", "message"],
    "properties": {
        "feature": {"type": "string"},
        "code": {"enum": ["outside_training_range", "unknown_category", "missing"]},
        "message": {"type": "string"},
    },
}
PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "example": "/problems/invalid-instance"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["feature", "code", "message", "expected", "value", "row"],
                "properties": {
                    "feature": {"type": ["string", "null"]},
                    "code": {"type": "string", "example": "not_a_number"},
                    "message": {"type": "string"},
                    "expected": {"type": ["string", "null"]},
                    "value": {"type": ["string", "null"]},
                    "row": {"type": "integer"},
                },
            },
        },
        "request_id": {"type": "string"},
    },
}
