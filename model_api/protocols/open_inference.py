"""/v2: the Open Inference Protocol (KServe, Triton, MLServer), with its extensions for binary tensors, classification,
statistics and the repository of models.

A model has one input for each feature, and takes one table `[rows, features]` in their place.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from model_api import __version__, wire
from model_api.errors import InvalidRequest, Unsupported
from model_api.incoming import read_body
from model_api.inference import Answer
from model_api.loading import LoadedModel
from model_api.protocols import binary_tensors, outputs, tensors
from model_api.protocols.binary_tensors import Binary
from model_api.protocols.bodies import FORM, JSON, media_type, parse_object, reply
from model_api.protocols.desk import Asked, Desk
from model_api.protocols.instances import Instances, from_columns, from_rows, listed, require_columns, require_count
from model_api.protocols.outputs import Output, read_outputs, read_parameters
from model_api.protocols.tensors import FORMATS, Tensor
from model_api.registry import ModelEntry
from model_api.routes.errors import RETRY_AFTER
from model_api.signature import Signature
from model_api.values import clip

EXTENSIONS = ("binary_tensor_data", "classification", "statistics", "model_repository")
PLATFORM = "scikit-learn"
LONGEST_ID = 1024
LONGEST_INDEX = 2**16
"""Bytes of a request for the index of the repository."""
DATATYPES = (*FORMATS, tensors.BYTES)
MODEL = "/v2/models/{model}"
VERSION = MODEL + "/versions/{version}"
Json = dict[str, Any]


def open_inference_routes(desk: Desk) -> APIRouter:
    """Make the routes below /v2."""
    router = APIRouter(include_in_schema=False)
    _add_server(router, desk)
    _add_models(router, desk)
    _add_repository(router, desk)
    return router


def _add_server(router: APIRouter, desk: Desk) -> None:
    @router.get("/v2")
    @router.get("/v2/")
    async def server() -> Response:
        return reply({"name": "servery", "version": __version__, "extensions": EXTENSIONS})

    @router.get("/v2/health/live")
    async def live() -> Response:
        return reply({"live": True})

    @router.get("/v2/health/ready")
    async def ready() -> Response:
        if problem := desk.registry.problem:
            answer = reply({"live": True, "ready": False, "error": problem}, 503)
            answer.headers.update(RETRY_AFTER)
            return answer
        return reply({"live": True, "ready": True})


def _add_models(router: APIRouter, desk: Desk) -> None:
    @router.get("/v2/models/stats")
    async def all_statistics(request: Request) -> Response:
        if any(entry.name == "stats" for entry in desk.registry.entries):
            return await metadata(request, "stats")
        models = [model for entry in desk.registry.entries for model in entry.loaded.values()]
        return _statistics(desk, models)

    @router.get(MODEL)
    @router.get(VERSION)
    async def metadata(request: Request, model: str, version: str | None = None) -> Response:
        found = desk.find(request, model, version)
        return reply(_metadata(found, [*desk.registry.entry(model).loaded]))

    @router.get(MODEL + "/ready")
    @router.get(VERSION + "/ready")
    async def model_ready(request: Request, model: str, version: str | None = None) -> Response:
        found = desk.find(request, model, version)
        return reply({"name": found.name, "ready": True})

    @router.get(MODEL + "/stats")
    @router.get(VERSION + "/stats")
    async def statistics(request: Request, model: str, version: str | None = None) -> Response:
        found = desk.find(request, model, version)
        models = [found] if version else [*desk.registry.entry(model).loaded.values()]
        return _statistics(desk, models)

    @router.post(MODEL + "/infer")
    @router.post(VERSION + "/infer")
    async def infer(request: Request, model: str, version: str | None = None) -> Response:
        media_type(request, (JSON, binary_tensors.MEDIA_TYPE, FORM))
        header = request.headers.get(binary_tensors.HEADER)

        def read(body: bytes, found: LoadedModel) -> Asked:
            return _read(body, header, found.artifact.signature, desk.settings.max_rows)

        return await desk.answer(request, read, model, version)


def _add_repository(router: APIRouter, desk: Desk) -> None:
    looking = asyncio.Lock()  # who asks for a look while one is taken waits without a thread

    @router.post("/v2/repository/index")
    async def index(request: Request) -> Response:
        body = await read_body(request, LONGEST_INDEX)
        only_ready = outputs.read_flag(parse_object(body) if body.strip() else {}, "ready")
        versions = [version for entry in desk.registry.snapshot.values() for version in _versions(entry)]
        return reply([version for version in versions if not only_ready or version["state"] == "READY"])

    @router.post("/v2/repository/models/{model}/load")
    async def load(request: Request, model: str) -> Response:
        """Look at the folder now, rather than at the next poll."""
        async with looking:
            await run_in_threadpool(desk.registry.refresh)
        desk.find(request, model)
        return reply({})

    @router.post("/v2/repository/models/{model}/unload")
    async def unload(model: str) -> Response:
        desk.registry.entry(model)
        raise Unsupported(f"{clip(model)} is served as long as it is in the folder of models; nobody can unload it")


def _metadata(model: LoadedModel, versions: Sequence[str]) -> Json:
    signature = model.artifact.signature
    return {
        "name": model.name,
        "versions": versions,
        "platform": PLATFORM,
        "inputs": tensors.declared(signature),
        "outputs": outputs.declared(signature.target),
    }


def _statistics(desk: Desk, models: Sequence[LoadedModel]) -> Response:
    return reply({"model_stats": [desk.statistics.of(model.name, model.version) for model in models]})


def _versions(entry: ModelEntry) -> list[Json]:
    states = dict.fromkeys(entry.loaded, ("READY", ""))
    states |= {number: ("UNAVAILABLE", failure.reason) for number, failure in entry.failed.items()}
    states |= dict.fromkeys(entry.loading, ("LOADING", ""))
    states |= dict.fromkeys(entry.idle, ("UNAVAILABLE", "no alias means it"))
    return [
        {"name": entry.name, "version": number, "state": state, "reason": reason}
        for number, (state, reason) in sorted(states.items(), key=lambda item: int(item[0]))
    ]


def _read(body: bytes, header: str | None, signature: Signature, max_rows: int) -> Asked:
    """Understand a request for inference. Raises InvalidRequest or UnreadableBody."""
    head, rest = binary_tensors.split(body, header)
    if header is not None and not head:
        return _read_raw(rest, signature, max_rows)
    document = parse_object(head)
    wanted = read_outputs(document, signature.target)
    identifier = _read_id(document)
    binary = Binary(rest)
    sent = [_read_input(item, binary, header is not None) for item in _inputs(document)]
    binary.require_end()
    instances = _instances(signature, sent, max_rows)
    return Asked(instances, lambda answer: _write(answer, wanted, identifier))


def _read_raw(data: memoryview, signature: Signature, max_rows: int) -> Asked:
    """Understand a body that is nothing but the bytes of a model's only input. Raises InvalidRequest."""
    if len(signature.features) != 1:
        raise InvalidRequest(
            f"{binary_tensors.HEADER} 0 is for models with one input; this one has {len(signature.features)}"
        )
    feature = signature.features[0]
    datatype = tensors.datatype_of(feature)
    shape = (binary_tensors.count_in(data, datatype),)
    values = binary_tensors.read_elements(data, shape, datatype, feature.name)
    instances = from_columns(signature, {feature.name: values}, max_rows)
    return Asked(
        instances, lambda answer: _write(answer, [Output(outputs.PREDICT, binary=False, classification=None)], None)
    )


def _inputs(document: Json) -> list[Json]:
    inputs = document.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise InvalidRequest('"inputs" must be an array with at least one input')
    names = set()
    for item in inputs:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise InvalidRequest('each of "inputs" must be an object with a name')
        if item["name"] in names:
            raise InvalidRequest(f"the input {clip(item['name'])} is given twice")
        names.add(item["name"])
    return inputs


def _read_id(document: Json) -> str | None:
    identifier = document.get("id")
    if identifier is not None and (not isinstance(identifier, str) or len(identifier) > LONGEST_ID):
        raise InvalidRequest(f'"id" must be text of at most {LONGEST_ID} characters')
    return identifier


def _read_input(item: Json, binary: Binary, may_be_binary: bool) -> Tensor:
    name, datatype = item["name"], item.get("datatype")
    if datatype not in DATATYPES:
        raise InvalidRequest(
            f"the datatype of {clip(name)} must be one of {', '.join(DATATYPES)}, not {clip(datatype)}"
        )
    shape = tensors.read_shape(item.get("shape"), name)
    size = read_parameters(item, f"the input {clip(name)}").get("binary_data_size")
    if size is None:
        return Tensor(name, datatype, shape, tensors.read_elements(item.get("data"), shape, datatype, name))
    if not may_be_binary or "data" in item:
        raise InvalidRequest(
            f"{clip(name)} has a binary_data_size: send no data, and the header {binary_tensors.HEADER}"
        )
    return Tensor(name, datatype, shape, binary_tensors.read_elements(binary.take(size, name), shape, datatype, name))


def _instances(signature: Signature, sent: Sequence[Tensor], max_rows: int) -> Instances:
    """Make instances of one input a feature, or of one table. Raises InvalidRequest."""
    features = {feature.name: feature for feature in signature.features}
    if len(sent) == 1 and sent[0].name not in features and len(sent[0].shape) > 1:
        return from_rows(signature, _rows(sent[0], signature, max_rows), max_rows)
    require_columns(signature, [tensor.name for tensor in sent])
    for tensor in sent:
        if tensor.width != 1:
            raise InvalidRequest(f"the input {clip(tensor.name)} is one feature: its shape is [n] or [n, 1]")
        tensors.require_kind(tensor.name, tensor.datatype, features[tensor.name])
    return from_columns(signature, {tensor.name: tensor.values for tensor in sent}, max_rows)


def _rows(table: Tensor, signature: Signature, max_rows: int) -> list[object]:
    """Part a table into rows. Raises InvalidRequest."""
    names = signature.names
    if table.width != len(names):
        expected = f"expected {len(names)}: {listed(names)}"
        raise InvalidRequest(f"a row of {clip(table.name)} has {table.width} features; {expected}")
    require_count(table.rows, max_rows)
    return [table.values[start : start + table.width] for start in range(0, len(table.values), table.width)]


def _write(answer: Answer, wanted: Sequence[Output], identifier: str | None) -> Response:
    """Answer with JSON, and after it the bytes of those outputs that are asked for as bytes."""
    document: Json = {"model_name": answer.model.name, "model_version": answer.model.version}
    if identifier is not None:
        document["id"] = identifier
    document["outputs"], pieces = [], []
    for output in wanted:
        tensor = outputs.tensor_of(output, answer)
        head: Json = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}
        if output.binary:
            pieces.append(binary_tensors.write_elements(tensor))
            head["parameters"] = {"binary_data_size": len(pieces[-1])}
        else:
            head["data"] = tensor.values
        document["outputs"].append(head)
    if not pieces:
        return reply(document)
    text = wire.encode(document)
    headers = {binary_tensors.HEADER: str(len(text))}
    return Response(b"".join([text, *pieces]), headers=headers, media_type=binary_tensors.MEDIA_TYPE)
