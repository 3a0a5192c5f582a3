"""JSON Schemas for the OpenAPI document: what a model takes and gives, and what every model shares.

They say what is accepted and nothing beyond: whoever keeps to them is not refused, and whoever does not is.
"""

from model_api.loading import LoadedModel
from model_api.openapi_shared import Json, nullable, object_of, ref
from model_api.signature import Feature, Target, format_range
from model_api.values import LARGEST_EXACT_INTEGER, MAX_LEVEL, MAX_TEXT

NUMBER = r"-?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?"
INTEGER = r"-?[0-9]{1,15}(\.0{1,15})?"
BOOLEAN = r"[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[01]"
DATE = (
    r"(16(7[89]|[89][0-9])|1[7-9][0-9]{2}|2[01][0-9]{2}|22([0-5][0-9]|6[01]))-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
)
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
OFFSET = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
LOCAL = DATE + r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?)?"
TEXT = r"[^\x00-\x08\x0b\x0c\x0e-\x1f]*"
OF_REQUEST = ("model", "version", "request_id")
"""Fields of an answer that are not of a row."""


def of_model(model: LoadedModel) -> dict[str, Json]:
    """Describe what a model takes and gives, each schema under its name."""
    target = model.artifact.signature.target
    name = model.name
    one_instance = ref(f"{name}.Instance")
    many = _predictions(name, target)
    return {
        f"{name}.Instance": instance(model),
        f"{name}.Request": {
            "type": "object",
            "required": ["data"],
            "properties": {
                "data": {"oneOf": [one_instance, {"type": "array", "minItems": 1, "items": one_instance}]},
                "options": ref("Options"),
            },
            "additionalProperties": False,
        },
        f"{name}.Prediction": object_of(_answer(name, target)),
        f"{name}.Predictions": many,
        f"{name}.Report": _report(many),
        f"{name}.ReferencePredictions": _reference(many, one_instance, target),
    }


def instance(model: LoadedModel) -> Json:
    """Describe an instance of a model."""
    features = model.artifact.signature.features
    return {
        "type": "object",
        "required": [feature.name for feature in features if not feature.missing_allowed],
        "properties": {feature.name: _feature(feature) for feature in features},
        "additionalProperties": False,
        "example": example(model),
    }


def example(model: LoadedModel) -> Json:
    """Give a real reference row, one without gaps where there is one; without any, the typical instance."""
    reference = model.artifact.reference
    rows = (reference.row(position) for position in range(len(reference)))
    complete = next((row for row in rows if None not in row.values()), None)
    if complete is None and len(reference):
        complete = reference.row(0)
    return complete or {feature.name: feature.default for feature in model.artifact.signature.features}


def _feature(feature: Feature) -> Json:
    unit = f" In {feature.unit}." if feature.unit else ""
    about = feature.description.rstrip(".") + "." if feature.description else ""
    if feature.minimum is not None:
        guessed = "guessed to be " if "minimum" in feature.guessed else ""
        about += f" Training values: {guessed}{format_range(feature)}."
    return {"title": feature.title, "description": (about + unit).strip(), **accepted(feature)}


def accepted(feature: Feature) -> Json:
    """Describe the values that a feature takes; in most, an empty text is a missing value."""
    missing = feature.missing_allowed
    if feature.type == "category":
        return _category(feature)
    if feature.type == "text":
        return {"type": _types(missing, "string"), "maxLength": MAX_TEXT, "pattern": f"^{TEXT}$"}
    if feature.type == "datetime" and feature.zone:
        return {"anyOf": [_ABSOLUTE, _LOCAL, *(_MISSING if missing else [])]}
    whole = LARGEST_EXACT_INTEGER
    kinds: dict[str, tuple[tuple[str, ...], Json, str]] = {
        "number": (("number", "string"), {"format": "double"}, NUMBER),
        "integer": (("integer", "string"), {"minimum": -whole, "maximum": whole}, INTEGER),
        "boolean": (("boolean", "integer", "string"), {"minimum": 0, "maximum": 1}, BOOLEAN),
        "date": (("string",), {"format": "date"}, DATE),
        "datetime": (("string",), {"format": "date-time-local"}, LOCAL),
    }
    types, more, pattern = kinds[feature.type]
    return {"type": _types(missing, *types), **more, "pattern": f"^({pattern}){'?' if missing else ''}$"}


_MISSING: list[Json] = [{"type": "string", "enum": [""]}, {"type": "null"}]
_ABSOLUTE: Json = {"type": "string", "format": "date-time", "pattern": f"^{DATE}T{TIME}{OFFSET}$"}
_LOCAL: Json = {"type": "string", "format": "date-time-local", "pattern": f"^{LOCAL}$"}
"""Without an offset, the clock of the feature's zone is meant."""


def _types(missing: bool, *names: str) -> str | list[str]:
    names = (*names, "null") if missing else names
    return [*names] if len(names) > 1 else names[0]


def _category(feature: Feature) -> Json:
    """Describe a category: its levels, numbers also as text, and any text where the model copes with unknown levels."""
    missing, empty = feature.missing_allowed, feature.missing_allowed and "" not in feature.categories
    numbers = [level for level in feature.categories if not isinstance(level, str)]
    words = [str(level) for level in feature.categories] + ([""] if empty else [])
    text: Json = {"type": "string", "enum": words}
    if feature.unknown_categories:
        shortest = 0 if missing or "" in feature.categories else 1
        text = {"type": "string", "minLength": shortest, "maxLength": MAX_LEVEL}
    kinds: list[Json] = [{"type": "number", "enum": numbers}] if numbers else []
    kinds += [text, *([{"type": "null"}] if missing else [])]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _answer(name: str, target: Target) -> Json:
    fields: Json = {"prediction": _value(target)}
    if target.classes and target.probabilities:
        shares = {key: {"type": "number", "minimum": 0, "maximum": 1} for key in target.class_names}
        fields["probabilities"] = object_of(shares)
    fields["interval"] = _interval(target)
    fields["warnings"] = {"type": "array", "items": ref("InputWarning")}
    return fields | {
        "model": {"type": "string", "example": name},
        "version": {"type": "string", "example": "1"},
        "request_id": {"type": "string"},
    }


def _predictions(name: str, target: Target) -> Json:
    fields = _answer(name, target)
    rows = {key: {"type": "array", "items": schema} for key, schema in fields.items() if key not in OF_REQUEST}
    return object_of(fields | rows)


def _report(many: Json) -> Json:
    """Describe the answer to `on_error: report`: a bad row has its problems in the place of its prediction."""
    fields: Json = dict(many["properties"])
    good = fields["prediction"]["items"]
    fields["prediction"] = {"type": "array", "items": {"anyOf": [good, ref("RowProblems")]}}
    if "probabilities" in fields:
        shares = fields["probabilities"]["items"]
        fields["probabilities"] = {"type": "array", "items": nullable(shares)}
    return object_of(fields)


def _reference(many: Json, row: Json, target: Target) -> Json:
    true = {"type": "array", "items": _value(target), "description": "The true values."}
    extra: Json = {
        "data": {"type": "array", "items": row},
        "target": true,
        "offset": {"type": "integer"},
        "total": {"type": "integer", "description": "Rows that there are."},
    }
    return object_of(many["properties"] | extra)


def _value(target: Target) -> Json:
    if target.classes:
        return {**class_of(target), "title": target.name}
    about = {"title": target.name, "description": target.description}
    return {**_number(target), **about}


def class_of(target: Target) -> Json:
    """Describe a class: one of those that there are."""
    kinds = {type(level) for level in target.classes}
    kind = "string" if kinds == {str} else "boolean" if kinds == {bool} else "number"
    return {"type": kind, "enum": list(target.classes)}


def _number(target: Target) -> Json:
    """Describe a number, or with several outputs an object of them."""
    return object_of({key: {"type": "number"} for key in target.outputs}) if target.outputs else {"type": "number"}


def _interval(target: Target) -> Json:
    held: Json = {"low": _number(target), "high": _number(target)}
    if target.classes:
        held = {"classes": {"type": "array", "items": class_of(target)}}
    return {
        **nullable(object_of({**held, "coverage": {"type": "number", "example": 0.9}})),
        "description": "What holds the true value with the probability `coverage`; null when calibration is too small.",
    }
