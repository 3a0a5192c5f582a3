"""create_app: the one place that knows everyone."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from model_api import __version__, openapi
from model_api.access_log import AccessLog
from model_api.admission import Admission
from model_api.decoding import Decoders
from model_api.fast_path import FastPath, FastPathMiddleware
from model_api.loading import load_tried
from model_api.metrics import Metrics
from model_api.middleware import RequestMiddleware
from model_api.plain_rows import PlainRows
from model_api.protocols.desk import Desk
from model_api.protocols.kserve_v1 import kserve_v1_routes
from model_api.protocols.mlflow import mlflow_routes
from model_api.protocols.open_inference import open_inference_routes
from model_api.protocols.sagemaker import sagemaker_routes
from model_api.protocols.vertex import vertex_paths, vertex_routes
from model_api.protocols.vetiver import vetiver_routes
from model_api.registry import Registry, Watcher
from model_api.routes import errors
from model_api.routes.docs import docs_routes, swagger_ui
from model_api.routes.explanations import explanation_routes
from model_api.routes.health import health_routes
from model_api.routes.models import model_routes
from model_api.routes.predict import predict_routes
from model_api.routes.stats import stats_routes
from model_api.settings import Settings
from model_api.shadows import Shadows
from model_api.stores import open_store
from model_api.telemetry import open_telemetry
from model_api.trial import end_running

FIRST_LOOK_SECONDS = 5.0
"""How long a process waits for its models before it takes requests. One among several that are ready already would
else refuse its share of them; one whose models take longer says so meanwhile."""


GC_OBJECTS = 20_000
"""New objects after which cycles are looked for. A table's rows are as many and have none: with Python's own 700 that
was a tenth of a table's time."""


class ModelService(FastAPI):
    """The application, behind the fast path: FastAPI's own way to a route costs more than a prediction."""

    fast_path: FastPath
    entrance: FastPathMiddleware

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.entrance(scope, receive, send)


def create_app(settings: Settings | None = None) -> ModelService:
    """Make the model service. It is ready when its models are loaded; until then it says so."""
    settings = settings or Settings()
    store = open_store(settings.models, settings.cache)
    registry = Registry(
        store.folder,
        load_version=partial(load_tried, trust=settings.trust, limits=settings.limits),
        default=settings.default_model,
        keep=settings.keep_versions,
        fetch=store.pull,
    )
    watcher = Watcher(registry, settings.poll_seconds)
    metrics = Metrics(registry)
    telemetry = open_telemetry() if settings.telemetry else None
    access = AccessLog(settings.log_format, metrics, telemetry=telemetry)
    shadows = Shadows(metrics)
    admission = Admission()
    decoders = Decoders(settings.max_rows)
    plain_rows = PlainRows(decoders, admission)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watcher.start()
        await asyncio.to_thread(watcher.looked.wait, FIRST_LOOK_SECONDS)
        gc.collect()
        gc.freeze()  # what is loaded stays: looking through it again and again would hold up requests
        gc.set_threshold(GC_OBJECTS)
        yield
        access.flush()
        watcher.stop()
        shadows.close()
        if telemetry:
            telemetry.close()
        end_running()

    app = ModelService(
        title="Servery model service",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    desk = Desk(registry, settings, shadows, admission)
    app.include_router(vertex_routes(desk, os.environ))  # first: it may be told to take /predict
    app.include_router(predict_routes(registry, settings, shadows, admission, plain_rows))
    app.include_router(model_routes(registry))
    app.include_router(explanation_routes(registry, settings))
    app.include_router(health_routes(registry, metrics))
    app.include_router(stats_routes(registry, admission))
    app.include_router(open_inference_routes(desk))
    app.include_router(kserve_v1_routes(desk))
    app.include_router(mlflow_routes(desk))
    app.include_router(sagemaker_routes(desk))
    app.include_router(vetiver_routes(desk))
    app.include_router(docs_routes())
    app.mount("/docs/swagger-ui", swagger_ui)
    errors.install(app)
    openapi.install(app, registry)
    app.add_middleware(RequestMiddleware, allowed_hosts=settings.allowed_hosts, metrics=metrics, telemetry=telemetry)
    app.fast_path = FastPath(
        registry, decoders, access, admission,
        allowed_hosts=settings.allowed_hosts, max_bytes=settings.max_body_bytes, not_ours=vertex_paths(os.environ),
    )  # fmt: skip
    app.entrance = FastPathMiddleware(super(ModelService, app).__call__, app.fast_path)
    return app
