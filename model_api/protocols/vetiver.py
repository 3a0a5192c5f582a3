"""/metadata and /prototype, as vetiver has them. Its POST /predict with a bare array is our own, /ping is MLflow's."""

import sys

from fastapi import APIRouter, Request
from starlette.responses import Response

from model_api import openapi
from model_api.protocols.bodies import reply
from model_api.protocols.desk import Desk

SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def vetiver_routes(desk: Desk) -> APIRouter:
    """Make the routes that describe the default model."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metadata")
    async def metadata(request: Request) -> Response:
        model = desk.find(request)
        manifest = model.artifact.manifest
        return reply(
            {
                "user": {"title": manifest.title, "estimator": manifest.estimator["class"]},
                "version": model.version,
                "url": None,
                "required_pkgs": sorted(manifest.libraries),
                "python_version": list(sys.version_info),
            }
        )

    @router.get("/prototype")
    async def prototype(request: Request) -> Response:
        model = desk.find(request)
        return reply({"$schema": SCHEMA, "title": "prototype", **openapi.instance_schema(model)})

    return router
