"""create_app: the one place that knows everyone."""

import asyncio
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
from model_api.shadows import Shadows
from model_api.stores import open_store
from model_api.trial import Limits, end_running
from model_api.trust import Trust

FIRST_LOOK_SECONDS = 5.0
"""How long a process waits for its models before it takes requests. One among several that are ready already would
else refuse its share of them; one whose models take longer says so meanwhile."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the model service. It is ready when its models are loaded; until then it says so."""
    settings = settings or Settings()
    trust = Trust(settings.trusted_types, settings.trust_pickle, settings.packages)
    limits = Limits(settings.load_seconds, settings.load_memory_bytes)
    store = open_store(settings.models, settings.cache)
    registry = Registry(
        store.folder,
        load_version=partial(load_tried, trust=trust, limits=limits),
        default=settings.default_model,
        keep=settings.keep_versions,
        fetch=store.pull,
    )
    watcher = Watcher(registry, settings.poll_seconds)
    metrics = Metrics(registry)
    shadows = Shadows(metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watcher.start()
        await asyncio.to_thread(watcher.looked.wait, FIRST_LOOK_SECONDS)
        yield
        watcher.stop()
        shadows.close()
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
    app.include_router(predict_routes(registry, settings, shadows))
    app.include_router(model_routes(registry))
    app.include_router(health_routes(registry, metrics))
    app.include_router(docs_routes())
    app.mount("/docs/swagger-ui", swagger_ui)
    errors.install(app)
    openapi.install(app, registry)
    app.add_middleware(RequestMiddleware, allowed_hosts=settings.allowed_hosts, metrics=metrics)
    return app
