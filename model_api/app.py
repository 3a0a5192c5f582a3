"""create_app: the one place that knows everyone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from model_api import __version__, openapi
from model_api.loading import load_tried
from model_api.metrics import Metrics
from model_api.middleware import RequestMiddleware
from model_api.registry import Registry, Watcher
from model_api.routes import errors
from model_api.routes.docs import docs_routes, swagger_ui
from model_api.routes.health import health_routes
from model_api.routes.models import model_routes
from model_api.routes.predict import predict_routes
from model_api.settings import Settings
from model_api.trial import Limits, end_running
from model_api.trust import Trust


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the model service. It answers at once; it is ready when its models are loaded."""
    settings = settings or Settings()
    trust = Trust(settings.trusted_types, settings.trust_pickle)
    limits = Limits(settings.load_seconds, settings.load_memory_bytes)
    registry = Registry(
        settings.models,
        load_version=partial(load_tried, trust=trust, limits=limits),
        default=settings.default_model,
        keep=settings.keep_versions,
    )
    watcher = Watcher(registry, settings.poll_seconds)
    metrics = Metrics(registry)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watcher.start()
        yield
        watcher.stop()
        end_running()

    app = FastAPI(
        title="Servery model service",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    app.include_router(predict_routes(registry, settings))
    app.include_router(model_routes(registry))
    app.include_router(health_routes(registry, metrics))
    app.include_router(docs_routes())
    app.mount("/docs/swagger-ui", swagger_ui)
    errors.install(app)
    openapi.install(app, registry)
    app.add_middleware(RequestMiddleware, allowed_hosts=settings.allowed_hosts, metrics=metrics)
    return app
