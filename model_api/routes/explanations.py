"""POST …/explanations/{call}: what a person wants to know beside a number, for one case.

The body is `{"data": {...}, "options": {...}}`, like that of a prediction. Every answer tells under `approximation`
whether it is one, and why; and under `milliseconds` how long it took.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from model_api import json_body, wire
from model_api.admission import Admission
from model_api.artifact import CHAMPION
from model_api.errors import InvalidRequest, UnknownExplanation
from model_api.explanations.budget import MILLISECONDS
from model_api.explanations.calls import CALLS
from model_api.explanations.question import question_of
from model_api.incoming import in_time, read_body, require_json, timeout_of
from model_api.loading import LoadedModel
from model_api.registry import Registry
from model_api.settings import Settings
from model_api.stages import stopwatch
from model_api.values import echo, nearest

SHORTEST_MS, LONGEST_MS = 10.0, 5000.0
T = TypeVar("T")
UNKNOWN_SHARE = 0.25
"""Part of its budget that an explanation is expected to take before the first one was seen."""
MOST_KNOWN = 1000
MOST_SECONDS = 5.0
"""Work on explanations that may wait: its own line, so that no prediction waits behind it. One page asks for eight, and
on a slow machine each takes its time."""


class Asked(NamedTuple):
    """A request, understood but with an unchecked instance."""

    call: str
    instance: object
    options: dict[str, Any]


class ExplanationLine:
    """Explanations that wait or are being made; on the event loop only."""

    def __init__(self) -> None:
        self._admission = Admission(MOST_SECONDS)
        self._seconds: dict[tuple[str, str, str], float] = {}
        """How long each call about each version takes, as was seen lately."""

    async def run(
        self, what: tuple[str, str, str], work: Callable[[], T], most: float, has_left: Callable[[], Awaitable[bool]]
    ) -> T:
        """Do work in a thread when it is its turn; `most`: seconds of its budget. Raises Overloaded or CallerLeft."""
        expected = self._seconds.get(what, most * UNKNOWN_SHARE)  # what was seen may be more than the budget
        began = 0.0

        def timed() -> T:
            nonlocal began
            began = time.perf_counter()
            return work()

        try:
            return await self._admission.run(timed, expected, has_left)
        finally:
            if began:
                self._seconds[what] = (expected + time.perf_counter() - began) / 2
            while len(self._seconds) > MOST_KNOWN:
                self._seconds.pop(next(iter(self._seconds)))


def explanation_routes(registry: Registry, settings: Settings) -> APIRouter:
    """Make the routes of every call, for a model's champion and for one version."""
    line = ExplanationLine()
    router = APIRouter(include_in_schema=False)  # openapi.py documents them model by model

    @router.post("/models/{model}/explanations/{call}")
    @router.post("/models/{model}/versions/{version}/explanations/{call}")
    async def explain(request: Request, call: str, model: str, version: str | None = None) -> Response:
        entry = registry.entry(model)
        found = entry.resolve(version or CHAMPION)
        request.state.model = f"{found.name}/{found.version}"
        _require_call(call)
        require_json(request)
        body = await read_body(request, settings.max_body_bytes)
        with stopwatch(request.state).stage("parse"):
            asked = _read(call, json_body.parse(body))
        answer = await _answer(request, found, asked, line, entry.served_threshold(found))
        with stopwatch(request.state).stage("encode"):
            who = {"model": found.name, "version": found.version, "request_id": request.state.request_id}
            return Response(wire.encode({**answer, **who}), media_type="application/json")

    return router


async def _answer(
    request: Request, model: LoadedModel, asked: Asked, line: ExplanationLine, served_threshold: float | None
) -> dict[str, Any]:
    seconds = timeout_of(request)
    milliseconds = _milliseconds(asked.options, seconds)
    watch = stopwatch(request.state)

    def work() -> dict[str, Any]:
        with watch.stage("predict"):
            question = question_of(model, asked.instance, asked.options, milliseconds, served_threshold)
            answer = CALLS[asked.call](question)
            return {**answer, "milliseconds": round(question.budget.milliseconds, 3)}

    async with in_time(seconds):
        what = (model.name, model.version, asked.call)
        return await line.run(what, work, milliseconds / 1000, request.is_disconnected)


def _require_call(call: str) -> None:
    """Refuse a call that there is not. Raises UnknownExplanation."""
    if call not in CALLS:
        near = nearest(call, list(CALLS))
        hint = f"; did you mean {near}?" if near else f"; there is {', '.join(CALLS)}"
        raise UnknownExplanation(f"there is no explanation {call[:64]!a}{hint}")


def _read(call: str, document: object) -> Asked:
    """Understand a body. Raises InvalidRequest."""
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        raise InvalidRequest('the body must be an object such as {"data": {...}}, with one instance')
    if unknown := sorted(set(document) - {"data", "options"}):
        raise InvalidRequest(f"the body has the unknown key {unknown[0][:64]!a}")
    options = document.get("options", {})
    if not isinstance(options, Mapping):
        raise InvalidRequest('"options" must be an object')
    return Asked(call, document["data"], dict(options))


def _milliseconds(options: dict[str, Any], deadline: float | None) -> float:
    """Take the option `milliseconds`, but never more time than the caller waits. Raises InvalidRequest."""
    value = options.pop("milliseconds", MILLISECONDS)
    if isinstance(value, bool) or not isinstance(value, int | float) or not SHORTEST_MS <= value <= LONGEST_MS:
        span = f"a number from {SHORTEST_MS:g} to {LONGEST_MS:g}"
        raise InvalidRequest(f"the option milliseconds must be {span}, not {echo(value)}")
    return float(value) if deadline is None else min(float(value), deadline * 900)
