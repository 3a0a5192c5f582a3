"""The part of the OpenAPI document about explanations: for each model and call, which options it takes."""

from collections.abc import Iterator
from typing import NamedTuple

from model_api.explanations.calls import CALLS
from model_api.explanations.decisions import LARGEST_COST
from model_api.loading import LoadedModel
from model_api.openapi_shared import Json, ref
from model_api.signature import ORDERED, Feature, Target


class Call(NamedTuple):
    """What a call is for."""

    summary: str
    options: tuple[str, ...]
    """Its options, beside `milliseconds`; one that ends in `!` has to be given."""


DESCRIBED = {
    "contributions": Call("why: what each feature adds to the usual prediction", ("focus",)),
    "curve": Call("what if: the prediction over the range of one feature", ("feature!", "points", "focus")),
    "dependence": Call("what the prediction is on average over one feature", ("feature!", "points", "focus")),
    "map": Call("what if: the prediction over the ranges of two features", ("features!", "points2", "focus")),
    "flips": Call("where the decision changes, for each feature alone", ("threshold", "focus")),
    "counterfactuals": Call("what would have to change for another prediction", ("wanted", "limits", "count10")),
    "similar": Call("which training cases were like this one, and what became of them", ("count20",)),
    "trust": Call("whether the case is like the training data", ()),
    "robustness": Call("whether small changes would change the answer", ("percent", "threshold?", "focus")),
    "decisions": Call("where to draw the line between two classes", ("costs",)),
}


def paths(model: LoadedModel, errors: Json) -> Iterator[tuple[str, Json]]:
    """Describe every call about a model's champion; `errors`: how they may fail."""
    for name in CALLS:
        call = DESCRIBED[name]
        if _fits(model, name):
            yield f"/models/{model.name}/explanations/{name}", {"post": _operation(model, name, call, errors)}


def _fits(model: LoadedModel, call: str) -> bool:
    target = model.artifact.signature.target
    if not len(model.artifact.reference):
        return False
    if call == "map":
        return len(model.artifact.signature.features) > 1
    return call != "decisions" or (len(target.classes) == 2 and target.probabilities)


def _operation(model: LoadedModel, name: str, call: Call, errors: Json) -> Json:
    options, required = _options(model, call)
    body: Json = {
        "type": "object",
        "required": ["data", "options"] if required else ["data"],
        "properties": {"data": ref(f"{model.name}.Instance"), "options": options},
        "additionalProperties": False,
    }
    identifier = model.name.replace("-", "_").replace(".", "_")
    return {
        "tags": [model.name],
        "summary": f"{model.artifact.manifest.title}: {call.summary}",
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


def _options(model: LoadedModel, call: Call) -> tuple[Json, list[str]]:
    """Give the schema of a call's options, and which of them have to be given."""
    known = _known(model)
    properties: Json = {"milliseconds": {"type": "number", "minimum": 10, "maximum": 5000, "default": 250}}
    required: list[str] = []
    for option in call.options:
        found = known[option.rstrip("!?")]
        properties |= found
        if option.endswith("!") or option in _has_to_be_given(model.artifact.signature.target):
            required += list(found)
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return ({**schema, "required": required} if required else schema), required


def _has_to_be_given(target: Target) -> tuple[str, ...]:
    """Name the options that some models cannot do without."""
    if not target.classes:
        return ("threshold", "wanted")
    return ("wanted",) if len(target.classes) > 2 else ()


def _known(model: LoadedModel) -> dict[str, dict[str, Json]]:
    """Describe each option, or each group of options, by the name that `DESCRIBED` has for it."""
    signature = model.artifact.signature
    target, names = signature.target, signature.names
    number: Json = {"type": "number"}
    share: Json = {"type": "number", "minimum": 0, "maximum": 1}
    cost: Json = {"type": "number", "minimum": 0, "maximum": LARGEST_COST}
    two: Json = {"type": "array", "items": {"enum": names}, "minItems": 2, "maxItems": 2, "uniqueItems": True}
    threshold = share if target.classes else number
    return {
        "feature": {"feature": {"enum": names}},
        "features": {"features": two},
        "points": {"points": _whole(2, 200)},
        "points2": {"points": _whole(2, 50)},
        "count10": {"count": _whole(1, 10)},
        "count20": {"count": _whole(1, 20)},
        "percent": {"percent": {"type": "number", "minimum": 0, "maximum": 100}},
        "focus": _focus(model),
        "threshold": {"threshold": threshold} if target.probabilities or not target.classes else {},
        "costs": {"cost_false_positive": cost, "cost_false_negative": cost},
        "wanted": {"class": {"enum": list(target.classes)}} if target.classes else {"at_most": number},
        "limits": {
            "locked": {"type": "array", "items": {"enum": names}, "uniqueItems": True},
            "ranges": {
                "type": "object",
                "description": "The two ends of what is allowed, the lower one first, or the levels that are.",
                "properties": {f.name: range_ for f in signature.features if (range_ := _range(f))},
                "additionalProperties": False,
            },
            "directions": {
                "type": "object",
                "properties": {f.name: {"enum": ["up", "down"]} for f in signature.features if f.type in ORDERED},
                "additionalProperties": False,
            },
        },
    }


def _whole(low: int, high: int) -> Json:
    return {"type": "integer", "minimum": low, "maximum": high}


def _range(feature: Feature) -> Json | None:
    if feature.type in ("number", "integer"):
        return {"type": "array", "items": {"type": feature.type}, "minItems": 2, "maxItems": 2}
    if feature.type == "category":
        return {"type": "array", "items": {"enum": list(feature.categories)}, "minItems": 1, "uniqueItems": True}
    return None


def _focus(model: LoadedModel) -> dict[str, Json]:
    """Say which numbers of a prediction can be looked at."""
    target = model.artifact.signature.target
    if target.classes:
        return {"class": {"enum": list(target.classes)}}
    return {"output": {"enum": list(target.outputs)}} if target.outputs else {}
