"""/execution-parameters: what SageMaker's batch transform asks before it sends; the rest it shares with MLflow."""

import os

from fastapi import APIRouter
from starlette.responses import Response

from model_api.protocols.bodies import reply
from model_api.protocols.desk import Desk


def sagemaker_routes(desk: Desk) -> APIRouter:
    """Make the route that only SageMaker calls."""
    router = APIRouter(include_in_schema=False)

    @router.get("/execution-parameters")
    async def execution_parameters() -> Response:
        megabytes = max(1, desk.settings.max_body_bytes // 2**20)
        parameters = {"MaxConcurrentTransforms": os.cpu_count() or 1, "BatchStrategy": "MULTI_RECORD"}
        return reply({**parameters, "MaxPayloadInMB": megabytes})

    return router
