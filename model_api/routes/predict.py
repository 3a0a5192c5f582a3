"""GET and POST …/predict: the data that came with the model, or what the caller sends."""

import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.responses import Response

from model_api import inference, json_body, wire
from model_api.admission import TICKET, Admission
from model_api.artifact import CHAMPION
from model_api.batching import Batchers
from model_api.bulk import routes as bulk
from model_api.decoding import rows_at_most
from model_api.errors import InvalidRequest
from model_api.incoming import in_time, read_body, require_json, timeout_of
from model_api.inference import Answer, Options
from model_api.loading import LoadedModel
from model_api.plain_rows import PlainRows
from model_api.registry import ModelEntry, Registry
from model_api.runtimes.selection import MANY
from model_api.settings import Settings
from model_api.shadows import Shadows
from model_api.signature import Signature
from model_api.stages import stopwatch

PAGE = 20
"""Reference rows of one answer, unless `limit` says otherwise."""
MAX_PAGE = 1000
LARGE_BODY = 2**16
"""Bytes from which on parsing would hold up other requests, and goes to a thread."""


def predict_routes(
    registry: Registry, settings: Settings, shadows: Shadows, admission: Admission, plain_rows: PlainRows
) -> APIRouter:
    """Make the prediction routes for the default model, a model's champion, and one version."""
    batchers = Batchers(admission)
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
        async with in_time(timeout_of(request)):
            return await _answered(request, entry, version, asked)

    @router.post("/predict")
    @router.post("/models/{model}/predict")
    @router.post("/models/{model}/versions/{version}/predict")
    async def predict(request: Request, model: str | None = None, version: str | None = None) -> Response:
        entry = registry.entry(model or registry.default)
        found = _found(request, entry.resolve(version or CHAMPION))
        if bulk.takes(request.headers):
            chosen = entry.resolve(version) if version else entry.choose(request.headers, [])
            return await bulk.answer(request, _found(request, chosen), settings, timeout_of(request))
        require_json(request)
        body = await read_body(request, settings.max_body_bytes)
        rows = min(rows_at_most(body), settings.max_rows)
        async with in_time(timeout_of(request)):
            if rows > MANY and (version or not entry.is_divided):
                content = await plain_rows.answer(request, found, body, rows)
                if content is not None:
                    return Response(content, media_type="application/json")
            return await _answered(request, entry, version, await _read_request(request, body, settings))

    async def _answered(
        request: Request, entry: ModelEntry, version: str | None, asked: wire.PredictRequest
    ) -> Response:
        """Answer by the version that was named, else by the champion or the challenger whose share it is."""
        chosen = entry.resolve(version) if version else entry.choose(request.headers, asked.instances)
        answer = await _predict(request, _found(request, chosen), asked, admission, batchers)
        looking_on = entry.onlooker() if version is None else None
        if looking_on and looking_on is not chosen:
            shadows.look(looking_on, asked.instances, asked.options, answer)
        with stopwatch(request.state).stage("encode"):
            return _json(wire.answer(answer, asked.key, request.state.request_id, single=asked.single))

    return router


async def _predict(
    request: Request, model: LoadedModel, asked: wire.PredictRequest, admission: Admission, batchers: Batchers
) -> Answer:
    request.state.rows = len(asked.instances)
    if model.predictor.goes_together and len(asked.instances) < MANY:
        return await _predict_together(request, model, asked, batchers)
    return await _predict_alone(request, model, asked, admission)


async def _predict_together(
    request: Request, model: LoadedModel, asked: wire.PredictRequest, batchers: Batchers
) -> Answer:
    watch = stopwatch(request.state)
    with watch.stage("parse"):
        checked = inference.check(model, asked.instances, asked.options)
    with watch.stage("predict"):  # with the wait for those before it
        output = None
        if checked.good:
            output = await batchers.of(model).predict(checked.columns, len(checked.good), request.is_disconnected)
        return inference.answer_of(model, checked, output, asked.options)


async def _predict_alone(
    request: Request, model: LoadedModel, asked: wire.PredictRequest, admission: Admission
) -> Answer:
    watch, asked_at = stopwatch(request.state), time.perf_counter()

    def work() -> Answer:
        watch.add("queue", time.perf_counter() - asked_at)
        with watch.stage("predict"):
            return inference.predict(model, asked.instances, asked.options)

    seconds, ticket = model.predictor.seconds(len(asked.instances)), request.scope.get(TICKET)
    return await admission.run(work, seconds, request.is_disconnected, ticket)


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
    watch = stopwatch(request.state)
    with watch.stage("predict"):
        answer, rows = inference.predict_reference(model, start, limit, _options(query))
    request.state.rows = len(rows)
    with watch.stage("encode"):
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


async def _read_request(request: Request, body: bytes, settings: Settings) -> wire.PredictRequest:
    """Understand a JSON body."""
    with stopwatch(request.state).stage("parse"):
        document = json_body.parse(body) if len(body) < LARGE_BODY else await run_in_threadpool(json_body.parse, body)
        return wire.read_request(document, settings.max_rows)
