"""JSON with many rows, answered as the fast path does but in a thread: read, predicted and written in one turn there.

What the fast path's decoder does not take is left to the full contract of routes/predict.py, which needs ten times as
long for it.
"""

import time

from starlette.requests import Request

from model_api import inference, wire
from model_api.admission import TICKET, Admission
from model_api.decoding import Decoders
from model_api.inference import Answer, Options
from model_api.loading import LoadedModel
from model_api.stages import stopwatch

ROW_SECONDS = 2e-6
"""Seconds that reading a row and writing the answer to it take at least."""


def seconds_of(model: LoadedModel, rows: int) -> float:
    """Estimate how long it takes to read and answer so many rows."""
    return model.predictor.seconds(rows) + rows * ROW_SECONDS


class PlainRows:
    """Answers what is sent with no options and is valid in every row."""

    def __init__(self, decoders: Decoders, admission: Admission) -> None:
        self._decoders = decoders
        self._admission = admission

    async def answer(self, request: Request, model: LoadedModel, body: bytes, rows: int) -> bytes | None:
        """Answer a body of about so many rows; None when it is not a plain one.

        Raises Overloaded, CallerLeft or UnusablePrediction.
        """
        decoder, request_id = self._decoders.of(model), request.state.request_id
        request.state.rows = 0  # of a request that is turned away
        watch, asked_at = stopwatch(request.state), time.perf_counter()

        def work() -> bytes | None:
            watch.add("queue", time.perf_counter() - asked_at)
            with watch.stage("parse"):
                asked = decoder.decode(body)
            if asked is None:
                return None
            request.state.rows = len(asked.rows)
            with watch.stage("predict"):
                predictions = inference.predict_rows(model, asked.rows, asked.warnings, Options())
            with watch.stage("encode"):
                answer = wire.answer(Answer(model, predictions), asked.key, request_id, single=asked.single)
                return wire.encode(answer)

        seconds, ticket = seconds_of(model, rows), request.scope.get(TICKET)
        content = await self._admission.run(work, seconds, request.is_disconnected, ticket)
        if content is None:
            del request.state.rows
        return content
