"""The routes that Vertex AI tells a container to have, by AIP_HEALTH_ROUTE and AIP_PREDICT_ROUTE; none without them."""

import re
from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from model_api import wire
from model_api.errors import InvalidRequest
from model_api.inference import Answer, Prediction
from model_api.loading import LoadedModel
from model_api.protocols.bodies import JSON, media_type, parse_object, reply
from model_api.protocols.desk import Asked, Desk
from model_api.protocols.instances import as_list, from_rows
from model_api.values import clip

HEALTH, PREDICT = "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"
ROUTE = re.compile(r"(/[0-9A-Za-z._:~-]+)+", re.ASCII)


def vertex_routes(desk: Desk, environment: Mapping[str, str]) -> APIRouter:
    """Make the routes that the environment names. Raises ValueError when what it names is no path."""
    router = APIRouter(include_in_schema=False)

    async def health() -> Response:
        if problem := desk.registry.problem:
            return reply({"ready": False, "reason": problem}, 503)
        return reply({"ready": True})

    async def predict(request: Request) -> Response:
        media_type(request, (JSON,))

        def read(body: bytes, found: LoadedModel) -> Asked:
            return _read(body, found, desk.settings.max_rows)

        return await desk.answer(request, read)

    if HEALTH in environment:
        router.get(_route(HEALTH, environment))(health)
    if PREDICT in environment:
        router.post(_route(PREDICT, environment))(predict)
    return router


def vertex_paths(environment: Mapping[str, str]) -> list[str]:
    """Name the paths of predictions that are answered in Vertex AI's language."""
    return [environment[PREDICT]] if PREDICT in environment else []


def _route(variable: str, environment: Mapping[str, str]) -> str:
    path = environment[variable]
    if not ROUTE.fullmatch(path):
        raise ValueError(f"{variable} must be a path such as /predict, not {path[:64]!a}")
    return path


def _read(body: bytes, model: LoadedModel, max_rows: int) -> Asked:
    """Understand instances and, as parameters, our own options. Raises InvalidRequest."""
    document = parse_object(body)
    if unknown := sorted(set(document) - {"instances", "parameters"}):
        raise InvalidRequest(f"the body has the unknown key {clip(unknown[0])}")
    options = wire.read_options(document.get("parameters") or {})
    rows = as_list(document.get("instances"), '"instances"')
    return Asked(from_rows(model.artifact.signature, rows, max_rows), _write, options)


def _write(answer: Answer) -> Response:
    """Answer as many predictions as there were instances; a row that was reported as bad keeps its place."""
    predictions = [
        row.value if isinstance(row, Prediction) else {"row": position, "errors": [p.to_dict() for p in row]}
        for position, row in enumerate(answer.predictions)
    ]
    return reply({"predictions": predictions})
