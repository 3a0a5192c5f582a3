"""GET /health/… and /metrics: live means the process answers, ready means that models are loaded."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from model_api.metrics import CONTENT_TYPE, Metrics
from model_api.registry import Registry
from model_api.routes.errors import RETRY_AFTER


def health_routes(registry: Registry, metrics: Metrics) -> APIRouter:
    """Make the routes for who watches the service."""
    router = APIRouter(tags=["health"])

    @router.get("/health/live")
    async def live() -> dict[str, Any]:
        """Tell that the process answers."""
        return {"live": True}

    @router.get("/health/ready", responses={503: {"description": "Not ready, with the reason"}})
    async def ready() -> JSONResponse:
        """Tell whether models are loaded, and if not, why."""
        if registry.problem:
            return JSONResponse({"ready": False, "reason": registry.problem}, 503, RETRY_AFTER)
        return JSONResponse({"ready": True, "problems": registry.troubles()})

    @router.get("/metrics", response_class=PlainTextResponse)
    async def exposition() -> Response:
        """Give the counts that Prometheus reads."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router
