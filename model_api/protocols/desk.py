"""Where requests of every other protocol are answered: finds the model, computes in a thread, notes who answered."""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from fastapi import Request
from starlette.responses import Response

from model_api import inference
from model_api.admission import Admission
from model_api.artifact import CHAMPION
from model_api.errors import DeadlinePassed
from model_api.incoming import in_time, read_body, timeout_of
from model_api.inference import Answer, Options
from model_api.loading import LoadedModel
from model_api.protocols.instances import Instances
from model_api.protocols.statistics import Statistics
from model_api.registry import ModelEntry, Registry
from model_api.settings import Settings
from model_api.shadows import Shadows
from model_api.stages import stopwatch

BYTES_OF_A_ROW = 200
"""By which the work of a body is estimated before it is read."""


class Asked(NamedTuple):
    """A request, understood but with unchecked instances."""

    instances: Instances
    """One item an instance."""
    write: Callable[[Answer], Response]
    """Puts the answer into the words of the protocol; may raise ServeryError."""
    options: Options = Options()
    """What was asked for beside."""


Read = Callable[[bytes, LoadedModel], Asked]
"""Understands a body that was sent for a model; may raise ServeryError."""


class Work(NamedTuple):
    """One request on its way through a thread."""

    request: Request
    body: bytes
    read: Read
    entry: ModelEntry
    version: str | None
    found: LoadedModel
    """Who answers, unless a challenger does."""
    queued: float
    """When it began to wait for a thread."""


class Desk:
    """Answers requests of other protocols."""

    def __init__(self, registry: Registry, settings: Settings, shadows: Shadows, admission: Admission) -> None:
        self.registry = registry
        self.settings = settings
        self.statistics = Statistics()
        self._shadows = shadows
        self._admission = admission

    def find(self, request: Request, model: str | None = None, version: str | None = None) -> LoadedModel:
        """Find a version, by default the champion of the default model, and note it for header and log line."""
        return _note(request, self.registry.find(model, version or CHAMPION))

    async def answer(
        self, request: Request, read: Read, model: str | None = None, version: str | None = None
    ) -> Response:
        """Answer a request, within the seconds that the caller gives. Raises ServeryError."""
        entry = self.registry.entry(model or self.registry.default)
        found = _note(request, entry.resolve(version or CHAMPION))
        seconds = timeout_of(request)
        body = await read_body(request, self.settings.max_body_bytes)
        work = Work(request, body, read, entry, version, found, time.perf_counter())
        try:
            async with in_time(seconds):
                expected = found.predictor.seconds(1 + len(body) // BYTES_OF_A_ROW)
                return await self._admission.run(partial(self._carry_out, work), expected, request.is_disconnected)
        except DeadlinePassed:
            request.state.rows = getattr(request.state, "rows", 0)
            raise

    def _carry_out(self, work: Work) -> Response:
        watch, model = stopwatch(work.request.state), work.found
        watch.add("queue", time.perf_counter() - work.queued)
        try:
            with watch.stage("parse"):
                asked = work.read(work.body, model)
            work.request.state.rows = len(asked.instances)
            if work.version is None:
                model = _note(work.request, work.entry.choose(work.request.headers, asked.instances))
            with watch.stage("predict"):
                answer = inference.predict(model, asked.instances, asked.options)
            with watch.stage("encode"):
                response = asked.write(answer)
        except Exception:
            self.statistics.failed(model.name, model.version, watch.stages)
            raise
        self.statistics.succeeded(model.name, model.version, len(asked.instances), watch.stages)
        self._let_look_on(work, asked, answer)
        return response

    def _let_look_on(self, work: Work, asked: Asked, answer: Answer) -> None:
        looking_on = work.entry.onlooker() if work.version is None else None
        if looking_on and looking_on is not answer.model:
            self._shadows.look(looking_on, asked.instances, asked.options, answer)


def _note(request: Request, model: LoadedModel) -> LoadedModel:
    request.state.model = f"{model.name}/{model.version}"
    return model
