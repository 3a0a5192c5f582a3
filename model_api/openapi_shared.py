"""The parts of the OpenAPI document that are the same whatever is served."""

from typing import Any

from pydantic import TypeAdapter

from model_api.signature import Feature, Target

Json = dict[str, Any]


def ref(name: str, kind: str = "schemas") -> Json:
    """Refer to a component of the document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def object_of(fields: Json) -> Json:
    """Describe an object that has all of these fields."""
    return {"type": "object", "required": list(fields), "properties": fields}


def list_of(item: Json) -> Json:
    """Describe a list."""
    return {"type": "array", "items": item}


def nullable(schema: Json) -> Json:
    """Describe a thing that may also be null."""
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else {"anyOf": [schema, {"type": "null"}]}


def _of_class(cls: type) -> Json:
    """Describe a class, all of whose fields are given, by its own types."""
    schema = TypeAdapter(cls).json_schema(mode="serialization")
    fields = {name: {k: v for k, v in field.items() if k != "default"} for name, field in schema["properties"].items()}
    return {**object_of(fields), "description": schema["description"]}


TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
FLAG: Json = {"type": "boolean"}
ANYTHING: Json = {"type": "object"}
COVERAGE: Json = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}

HEADERS: dict[str, Json] = {
    "X-Request-ID": {
        "description": "Yours, if it was 1 to 128 printable ASCII characters; else one that the service made.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    },
    "Servery-Model": {
        "description": "Who answered, as name/version.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[^/]+/[0-9]+$", "example": "diabetes/1"},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$", "example": "1"},
    },
}

_FEATURE_PROBLEM = object_of(
    {
        "feature": {**nullable(TEXT), "description": "Null when the whole row is at fault."},
        "code": {**TEXT, "example": "not_a_number"},
        "message": TEXT,
        "expected": nullable(TEXT),
        "value": nullable(TEXT),
        "row": COUNT,
    }
)
_PROBLEM = object_of(
    {
        "type": {**TEXT, "example": "/problems/invalid-instance"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "request_id": TEXT,
    }
)
_OPTIONS: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "coverage": {**COVERAGE, "default": 0.9},
        "on_error": {"type": "string", "enum": ["reject", "report"], "default": "reject"},
    },
}
_REPORTING: Json = {
    **object_of(
        {
            "data": {"oneOf": [ANYTHING, {"type": "array", "minItems": 1, "items": {}}]},
            "options": {
                **_OPTIONS,
                "required": ["on_error"],
                "properties": {"coverage": COVERAGE, "on_error": {"type": "string", "enum": ["report"]}},
            },
        }
    ),
    "description": "With on_error: report any instances are taken, and those that are not valid are reported.",
    "additionalProperties": False,
}
_SUMMARY: Json = {
    "name": TEXT,
    "aliases": {**ANYTHING, "additionalProperties": TEXT, "example": {"champion": "1"}},
    "waiting": {**ANYTHING, "additionalProperties": TEXT, "description": "Aliases whose version is not loaded yet."},
    "versions": list_of(ref("VersionState")),
    "traffic": {**ANYTHING, "description": "What challengers get to see."},
    "decisions": {**ANYTHING, "description": "The threshold that is served for a version, by its number."},
    "problems": list_of(TEXT),
    "history": {**list_of(ANYTHING), "description": "Moves of aliases."},
    "champion": nullable(ref("Headline")),
}
_HEADLINE: Json = {
    "version": TEXT,
    "title": TEXT,
    "description": TEXT,
    "synthetic": {**FLAG, "description": "Whether the data was made up."},
    "features": {**COUNT, "description": "How many features there are."},
    "target": ref("Target"),
    "quality": nullable(ANYTHING),
}
SCHEMAS: dict[str, Json] = {
    "InputWarning": object_of(
        {
            "feature": TEXT,
            "code": {"type": "string", "enum": ["outside_training_range", "unknown_category", "missing"]},
            "message": TEXT,
        }
    ),
    "FeatureProblem": _FEATURE_PROBLEM,
    "Problem": {**_PROBLEM, "properties": {**_PROBLEM["properties"], "errors": list_of(ref("FeatureProblem"))}},
    "RowProblems": object_of({"row": COUNT, "errors": list_of(ref("FeatureProblem"))}),
    "ReportOfOne": {
        **object_of(
            {
                "prediction": ref("RowProblems"),
                "interval": {"type": "null"},
                "warnings": list_of(ref("InputWarning")),
                "model": TEXT,
                "version": TEXT,
                "request_id": TEXT,
            }
        ),
        "description": "The answer to on_error: report for one instance that is not valid.",
    },
    "Options": _OPTIONS,
    "ReportingRequest": _REPORTING,
    "Models": object_of(
        {"models": list_of(ref("ModelSummary")), "default": nullable(TEXT), "problems": list_of(ref("Trouble"))}
    ),
    "ModelSummary": object_of(_SUMMARY),
    "Model": object_of({**_SUMMARY, "card": {**nullable(TEXT), "description": "The model card, in Markdown."}}),
    "VersionState": {
        **object_of(
            {
                "version": TEXT,
                "state": {"type": "string", "enum": ["ready", "failed", "loading", "idle"]},
                "reason": nullable(TEXT),
            }
        ),
        "description": "A version that is ready also names the form that answers, as runtime.",
    },
    "Headline": object_of(_HEADLINE),
    "Version": object_of(
        {
            "name": TEXT,
            **_HEADLINE,
            "signature": object_of({"features": list_of(ref("Feature")), "target": ref("Target")}),
            "reference_rows": {**COUNT, "description": "Rows of the data that came with the model."},
            "runtime": {**ANYTHING, "description": "Which form answers, how fast it is, and what was proved of each."},
            "provenance": ANYTHING,
            "decision": {**nullable(ANYTHING), "description": "The threshold that is served for it, if there is one."},
        }
    ),
    "Feature": _of_class(Feature),
    "Target": _of_class(Target),
    "Trouble": object_of({"what": TEXT, "reason": TEXT}),
    "Stats": object_of({"process": ANYTHING, "work": ANYTHING, "models": list_of(ANYTHING)}),
    "Explanation": {
        "type": "object",
        "required": ["approximation", "milliseconds", "model", "version", "request_id"],
        "properties": {
            "approximation": nullable(ANYTHING),
            "milliseconds": {"type": "number", "minimum": 0},
            "model": TEXT,
            "version": TEXT,
            "request_id": TEXT,
        },
    },
    "Live": object_of({"live": FLAG}),
    "Ready": object_of({"ready": FLAG, "problems": list_of(ref("Trouble"))}),
    "NotReady": object_of({"ready": FLAG, "reason": TEXT}),
}
