"""GET and POST …/predict: the data that came with the model, or what the caller sends."""

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.responses import Response

from model_api import inference, json_body, wire
from model_api.admission import Admission
from model_api.artifact import CHAMPION
from model_api.bulk import routes as bulk
from model_api.errors import DeadlinePassed, InvalidRequest, UnsupportedMediaType
from model_api.incoming import read_body, timeout_of
from model_api.inference import Answer, Options
from model_api.loading import LoadedModel
from model_api.registry import ModelEntry, Registry
from model_api.settings import Settings
from model_api.shadows import Shadows
from model_api.signature import Signature

PAGE = 20
"""Reference rows of one answer, unless `limit` says otherwise."""
MAX_PAGE = 1000
LARGE_BODY = 2**16
"""Bytes from which on parsing would hold up other requests, and goes to a thread."""


def predict_routes(registry: Registry, settings: Settings, shadows: Shadows, admission: Admission) -> APIRouter:
    """Make the prediction routes for the default model, a model's champion, and one version."""
    router = APIRouter(include_in_schema=False)  # openapi.py documents them model by model

    @router.get("/predict")
    @router.get("/models/{model}/predict")
    @router.get("/models/{model}/versions/{version}/predict")
    async def predict_reference(request: Request, model: str | None = None, version: str | None = None) -> Response:
        entry = registry.entry(model or registry.default)
        found = _found(request, entry.resolve(version or CHAMPION))
        query = request.query_params
        if _asks_for_reference(query, found.artifact.signature):
            return await run_in_threadpool(_reference, found, query, request)
        asked = wire.PredictRequest([_instance(query)], "prediction", single=True, options=Options())
        return await _answered(request, entry, version, asked)

    @router.post("/predict")
    @router.post("/models/{model}/predict")
    @router.post("/models/{model}/versions/{version}/predict")
    async def predict(request: Request, model: str | None = None, version: str | None = None) -> Response:
        entry = registry.entry(model or registry.default)
        _found(request, entry.resolve(version or CHAMPION))
        if bulk.takes(request.headers):
            chosen = entry.resolve(version) if version else entry.choose(request.headers, [])
            return await bulk.answer(request, _found(request, chosen), settings, timeout_of(request))
        body = await _read_json(request, settings.max_body_bytes)
        return await _answered(request, entry, version, wire.read_request(body, settings.max_rows))

    async def _answered(
        request: Request, entry: ModelEntry, version: str | None, asked: wire.PredictRequest
    ) -> Response:
        """Answer by the version that was named, else by the champion or the challenger whose share it is."""
        chosen = entry.resolve(version) if version else entry.choose(request.headers, asked.instances)
        answer = await _predict(request, _found(request, chosen), asked, admission)
        looking_on = entry.onlooker() if version is None else None
        if looking_on and looking_on is not chosen:
            shadows.look(looking_on, asked.instances, asked.options, answer)
        return _json(wire.answer(answer, asked.key, request.state.request_id, single=asked.single))

    return router


async def _predict(request: Request, model: LoadedModel, asked: wire.PredictRequest, admission: Admission) -> Answer:
    request.state.rows = len(asked.instances)
    seconds = timeout_of(request)
    try:
        async with asyncio.timeout(seconds):
            work = partial(inference.predict, model, asked.instances, asked.options)
            expected = model.predictor.seconds(len(asked.instances))
            return await admission.run(work, expected, request.is_disconnected)
    except TimeoutError as error:
        raise DeadlinePassed(f"there was no answer within the {seconds} s of X-Request-Timeout") from error


def _found(request: Request, model: LoadedModel) -> LoadedModel:
    """Note the model for the log line and the Servery-Model header."""
    request.state.model = f"{model.name}/{model.version}"
    return model


def _asks_for_reference(query: QueryParams, signature: Signature) -> bool:
    """Tell whether a query names no feature: then it pages through the predefined data."""
    return not (set(query) - {"limit", "offset", "coverage"} | set(query) & set(signature.names))


def _reference(model: LoadedModel, query: QueryParams, request: Request) -> Response:
    limit = _whole(query, "limit", PAGE, 1, MAX_PAGE)
    start = _whole(query, "offset", 0, 0, 10**9)
    answer, rows = inference.predict_reference(model, start, limit, _options(query))
    request.state.rows = len(rows)
    body = wire.answer(answer, "prediction", request.state.request_id, single=False)
    data = [rows.row(position) for position in range(len(rows))]
    total = len(model.artifact.reference)
    return _json({**body, "data": data, "target": rows.target, "offset": start, "total": total})


def _json(document: dict[str, Any]) -> Response:
    return Response(wire.encode(document), media_type="application/json")


def _instance(query: QueryParams) -> dict[str, object]:
    """Read the features from a query; a value given twice is refused rather than one of them chosen."""
    for key in query:
        if len(query.getlist(key)) > 1:
            raise InvalidRequest(f"{key[:64]!a} is given twice")
    return dict(query)


def _options(query: QueryParams) -> Options:
    if "coverage" not in query:
        return Options()
    try:
        return Options(wire.read_coverage(float(query["coverage"])))
    except ValueError:
        return Options(wire.read_coverage(query["coverage"]))


def _whole(query: QueryParams, name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
        raise InvalidRequest(f"{name} must be a whole number from {low} to {high}, not {text[:64]!a}")
    return int(text)


async def _read_json(request: Request, limit: int) -> Any:
    """Read the body as JSON."""
    _check_media_type(request.headers.get("content-type", ""))
    body = await read_body(request, limit)
    if len(body) < LARGE_BODY:
        return json_body.parse(body)
    return await run_in_threadpool(json_body.parse, body)


def _check_media_type(header: str) -> None:
    """Take JSON, and a missing header as JSON: tritonclient and vetiver send none."""
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        wanted = "send application/json, or a table as CSV, Parquet or Arrow"
        raise UnsupportedMediaType(f"{media_type[:64]!a} is not taken; {wanted}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"the charset {value[:64]!a} is not taken; send UTF-8")
