"""/v1: the REST protocol of TensorFlow Serving and of KServe's first version, with versions and labels.

`instances` are rows, answered as `predictions`; `inputs` are columns, answered as `outputs`. A label is an alias.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from model_api.errors import InvalidRequest, UnknownVersion, Unsupported
from model_api.inference import Answer, Prediction
from model_api.loading import LoadedModel
from model_api.protocols import outputs, tensors
from model_api.protocols.bodies import FORM, JSON, media_type, parse_object, reply
from model_api.protocols.desk import Asked, Desk
from model_api.protocols.instances import as_list, column_of, from_columns, from_rows
from model_api.protocols.outputs import PREDICT, PROBABILITIES
from model_api.registry import ModelEntry
from model_api.signature import Signature
from model_api.values import clip

MODEL = "/v1/models/{model}"
VERSION = MODEL + "/versions/{version}"
LABEL = MODEL + "/labels/{label}"
DEFAULT_SIGNATURE = "serving_default"
SIGNATURES = {"": PREDICT, DEFAULT_SIGNATURE: PREDICT, PREDICT: PREDICT, PROBABILITIES: PROBABILITIES}
"""`signature_name` → what is answered."""
DTYPES = {"FP64": "DT_DOUBLE", "INT64": "DT_INT64", "BOOL": "DT_BOOL", "BYTES": "DT_STRING"}
LOADING, AVAILABLE, END = "LOADING", "AVAILABLE", "END"
Json = dict[str, Any]
ReadBody = Callable[[Json, Signature, int], Asked]


def kserve_v1_routes(desk: Desk) -> APIRouter:
    """Make the routes below /v1."""
    router = APIRouter(include_in_schema=False)
    _add_calls(router, desk)
    _add_descriptions(router, desk)
    return router


def _add_calls(router: APIRouter, desk: Desk) -> None:
    calls: dict[str, ReadBody] = {"predict": _read_predict, "classify": _read_classify, "regress": _read_regress}

    @router.post(MODEL + ":{call}")
    @router.post(VERSION + ":{call}")
    @router.post(LABEL + ":{call}")
    async def ask(
        request: Request, model: str, call: str, version: str | None = None, label: str | None = None
    ) -> Response:
        named = _version(desk.registry.entry(model), version, label)
        if call == "explain":
            raise Unsupported("predictions are not explained here")
        if call not in calls:
            raise InvalidRequest(f"there is no call {clip(call)}; there is {', '.join(calls)}")
        media_type(request, (JSON, FORM))

        def read(body: bytes, found: LoadedModel) -> Asked:
            return calls[call](parse_object(body), found.artifact.signature, desk.settings.max_rows)

        return await desk.answer(request, read, model, named)


def _add_descriptions(router: APIRouter, desk: Desk) -> None:
    @router.get("/")
    async def alive() -> Response:
        """Tell that the process answers: KServe's first version asks at the root."""
        return reply({"status": "alive"})

    @router.get("/v1/models")
    async def models() -> Response:
        return reply({"models": [entry.name for entry in desk.registry.entries]})

    @router.get(MODEL)
    @router.get(VERSION)
    @router.get(LABEL)
    async def status(request: Request, model: str, version: str | None = None, label: str | None = None) -> Response:
        entry = desk.registry.entry(model)
        named = _version(entry, version, label)
        found = desk.find(request, model, named)
        states = [state for state in _states(entry) if named is None or state["version"] == found.version]
        return reply({"name": entry.name, "ready": True, "model_version_status": states})

    @router.get(MODEL + "/metadata")
    @router.get(VERSION + "/metadata")
    @router.get(LABEL + "/metadata")
    async def metadata(request: Request, model: str, version: str | None = None, label: str | None = None) -> Response:
        named = _version(desk.registry.entry(model), version, label)
        return reply(_metadata(desk.find(request, model, named)))


def _version(entry: ModelEntry, version: str | None, label: str | None) -> str | None:
    """Give the version that a path names; a label is an alias and never a number. Raises UnknownVersion."""
    if label is not None and label not in {**entry.aliases, **entry.waiting}:
        known = ", ".join(entry.aliases)
        raise UnknownVersion(f"{entry.name} has no label {label[:64]!r}; there is {known}")
    return version if label is None else label


def _read_predict(document: Json, signature: Signature, max_rows: int) -> Asked:
    output = _output(document, signature)
    if ("instances" in document) == ("inputs" in document):
        raise InvalidRequest('the body must have either "instances" or "inputs"')
    if "instances" in document:
        rows = as_list(document["instances"], '"instances"')
        return Asked(from_rows(signature, rows, max_rows), lambda answer: _answered("predictions", output, answer))
    columns = document["inputs"]
    if isinstance(columns, dict):
        instances = from_columns(signature, {name: column_of(columns[name], name) for name in columns}, max_rows)
    else:
        instances = from_rows(signature, as_list(columns, '"inputs"'), max_rows)
    return Asked(instances, lambda answer: _answered("outputs", output, answer))


def _output(document: Json, signature: Signature) -> str:
    name = document.get("signature_name", "")
    output = SIGNATURES.get(name) if isinstance(name, str) else None
    if output is None:
        known = ", ".join(filter(None, SIGNATURES))
        raise InvalidRequest(f"there is no signature_name {clip(name)}; there is {known}")
    if output == PROBABILITIES and not outputs.has_probabilities(signature.target):
        raise InvalidRequest(f"{PROBABILITIES} needs a model that gives probabilities of classes")
    return output


def _answered(key: str, output: str, answer: Answer) -> Response:
    rows = [row for row in answer.predictions if isinstance(row, Prediction)]
    if output == PROBABILITIES:
        return reply({key: [list((row.probabilities or {}).values()) for row in rows]})
    return reply({key: [row.value for row in rows]})


def _read_classify(document: Json, signature: Signature, max_rows: int) -> Asked:
    if not outputs.has_probabilities(signature.target):
        raise InvalidRequest("classify needs a model that gives probabilities of classes; use predict")
    return Asked(from_rows(signature, _examples(document), max_rows), _classified)


def _read_regress(document: Json, signature: Signature, max_rows: int) -> Asked:
    if signature.target.classes:
        raise InvalidRequest("regress needs a model that predicts numbers; use classify or predict")
    return Asked(from_rows(signature, _examples(document), max_rows), _regressed)


def _examples(document: Json) -> list[object]:
    """Give the examples, each with the features of the context that they share. Raises InvalidRequest."""
    context = document.get("context", {})
    if not isinstance(context, dict):
        raise InvalidRequest('"context" must be an object of features that all examples share')
    examples = as_list(document.get("examples"), '"examples"')
    return [{**context, **example} if isinstance(example, dict) else example for example in examples]


def _classified(answer: Answer) -> Response:
    rows = [row for row in answer.predictions if isinstance(row, Prediction)]
    return reply({"result": [[[label, share] for label, share in (row.probabilities or {}).items()] for row in rows]})


def _regressed(answer: Answer) -> Response:
    return reply({"result": [row.value for row in answer.predictions if isinstance(row, Prediction)]})


def _states(entry: ModelEntry) -> list[Json]:
    states = [_state(number, AVAILABLE) for number in entry.loaded]
    states += [_state(number, LOADING) for number in entry.loading]
    states += [_state(number, END, "UNKNOWN", failure.reason) for number, failure in entry.failed.items()]
    states += [_state(number, END) for number in entry.idle]
    return sorted(states, key=lambda state: -int(state["version"]))


def _state(number: str, state: str, code: str = "OK", message: str = "") -> Json:
    return {"version": number, "state": state, "status": {"error_code": code, "error_message": message}}


def _metadata(model: LoadedModel) -> Json:
    signature = model.artifact.signature
    described = {
        "inputs": {tensor["name"]: _tensor(tensor) for tensor in tensors.declared(signature)},
        "outputs": {tensor["name"]: _tensor(tensor) for tensor in outputs.declared(signature.target)},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": model.name, "signature_name": "", "version": model.version},
        "metadata": {"signature_def": {"signature_def": {DEFAULT_SIGNATURE: described}}},
    }


def _tensor(tensor: Json) -> Json:
    sizes = [{"size": str(size), "name": ""} for size in tensor["shape"]]
    shape = {"dim": sizes, "unknown_rank": False}
    return {"dtype": DTYPES[tensor["datatype"]], "tensor_shape": shape, "name": tensor["name"]}
