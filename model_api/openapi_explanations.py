"""The part of the OpenAPI document about explanations: for each model and call, which options it takes."""

from collections.abc import Iterator
from typing import NamedTuple

from model_api.explanations.calls import CALLS
from model_api.explanations.decisions import LARGEST_COST
from model_api.loading import LoadedModel
from model_api.openapi_shared import Json, ref


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
    "counterfactuals": Call("what would have to change for another prediction", ("wanted", "count10")),
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
    signature = model.artifact.signature
    target, names = signature.target, signature.names
    number: Json = {"type": "number"}
    share: Json = {"type": "number", "minimum": 0, "maximum": 1}
    whole: Json = {"type": "integer"}
    known: dict[str, dict[str, Json]] = {
        "feature": {"feature": {"enum": names}},
        "features": {
            "features": {"type": "array", "items": {"enum": names}, "minItems": 2, "maxItems": 2, "uniqueItems": True}
        },
        "points": {"points": {**whole, "minimum": 2, "maximum": 200}},
        "points2": {"points": {**whole, "minimum": 2, "maximum": 50}},
        "count10": {"count": {**whole, "minimum": 1, "maximum": 10}},
        "count20": {"count": {**whole, "minimum": 1, "maximum": 20}},
        "percent": {"percent": {"type": "number", "minimum": 0, "maximum": 100}},
        "focus": _focus(model),
        "threshold": {"threshold": number}
        if not target.classes
        else ({"threshold": share} if target.probabilities else {}),
        "costs": {
            "cost_false_positive": {"type": "number", "minimum": 0, "maximum": LARGEST_COST},
            "cost_false_negative": {"type": "number", "minimum": 0, "maximum": LARGEST_COST},
        },
        "wanted": {"class": {"enum": list(target.classes)}} if target.classes else {"at_most": number},
    }
    properties: Json = {"milliseconds": {"type": "number", "minimum": 10, "maximum": 5000, "default": 250}}
    required = []
    for option in call.options:
        found = known[option.rstrip("!?")]
        properties |= found
        if option.endswith("!") or (option in ("threshold", "wanted") and not target.classes):
            required += list(found)
        if option == "wanted" and target.classes:
            required.append("class")
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return ({**schema, "required": required} if required else schema), required


def _focus(model: LoadedModel) -> dict[str, Json]:
    """Say which numbers of a prediction can be looked at."""
    target = model.artifact.signature.target
    if target.classes:
        return {"class": {"enum": list(target.classes)}}
    return {"output": {"enum": list(target.outputs)}} if target.outputs else {}
