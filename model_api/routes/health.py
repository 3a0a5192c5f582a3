"""GET /health/…: live means the process answers, ready means that models are loaded."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from model_api.registry import Registry
from model_api.routes.errors import RETRY_AFTER


def health_routes(registry: Registry) -> APIRouter:
    """Make the health routes."""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live")
    async def live() -> dict[str, Any]:
        """Tell that the process answers."""
        return {"live": True}

    @router.get("/ready", responses={503: {"description": "Not ready, with the reason"}})
    async def ready() -> JSONResponse:
        """Tell whether models are loaded, and if not, why."""
        if registry.problem:
            return JSONResponse({"ready": False, "reason": registry.problem}, 503, RETRY_AFTER)
        return JSONResponse({"ready": True})

    return router
