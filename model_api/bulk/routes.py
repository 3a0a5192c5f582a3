"""POST …/predict with a table: what routes/predict.py calls when the headers say so."""

import threading
import time
from collections.abc import Mapping

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from model_api import wire
from model_api.bulk.media import WRITTEN, Form, sent_form, wanted_form
from model_api.errors import DeadlinePassed, InvalidRequest
from model_api.incoming import in_time, read_body
from model_api.inference import Options
from model_api.loading import LoadedModel
from model_api.settings import Settings
from model_api.stages import stopwatch

AT_ONCE = 2
"""Tables that are worked on at the same time in one process; others wait, and small requests do not wait for them."""
INFLATION = 16
"""How many times larger than the largest body a compressed one may become."""
_slots = CapacityLimiter(AT_ONCE)


def takes(headers: Mapping[str, str]) -> bool:
    """Tell whether a request brings a table, or brings JSON and asks for a table. Raises UnsupportedMediaType."""
    content_type = headers.get("content-type", "")
    if sent_form(content_type):
        return True
    is_json = not content_type or content_type.split(";")[0].strip().lower() == "application/json"
    return is_json and wanted_form(headers.get("accept", ""), "json") not in ("json", None)


async def answer(request: Request, model: LoadedModel, settings: Settings, seconds: float | None) -> Response:
    """Answer a request that `takes`; `seconds` is what the caller is willing to wait."""
    sent: Form = sent_form(request.headers.get("content-type", "")) or "json"
    wanted = wanted_form(request.headers.get("accept", ""), sent)
    if wanted is None:
        known = ", ".join(written.partition(";")[0] for written in WRITTEN.values())
        raise HTTPException(406, f"none of what Accept names can be written; there is {known}")
    options = Options() if sent == "json" else _options(request.query_params)
    body = await read_body(request, settings.max_body_bytes if sent == "json" else settings.max_bulk_bytes)
    request.state.rows = 0
    stopped = threading.Event()
    watch, asked_at = stopwatch(request.state), time.perf_counter()

    def work() -> bytes:
        watch.add("queue", time.perf_counter() - asked_at)
        from model_api.bulk import answering  # pyarrow: only a process that gets such a request pays for it
        from model_api.bulk.sources import Bounds

        def go_on(rows: int) -> None:
            request.state.rows = rows
            if stopped.is_set():
                raise DeadlinePassed("the caller has gone")

        asked = answering.Asked(body, sent, wanted, options, request.state.request_id)
        bounds = Bounds(settings.max_bulk_rows, settings.max_bulk_bytes * INFLATION)
        return answering.answer(
            model, asked, bounds, most_instances=settings.max_rows, go_on=go_on, watch=watch
        ).content

    try:
        async with in_time(seconds):
            content = await to_thread.run_sync(work, abandon_on_cancel=True, limiter=_slots)
    finally:
        stopped.set()
    return Response(content, headers={"Content-Type": WRITTEN[wanted]})


def _options(query: QueryParams) -> Options:
    """Read the options of a table, which come in the address. Raises InvalidRequest."""
    for name in query:
        if len(query.getlist(name)) > 1:
            raise InvalidRequest(f"{name[:64]!a} is given twice")
    options: dict[str, object] = dict(query)
    if "coverage" in query:
        try:
            options["coverage"] = float(query["coverage"])
        except ValueError:
            options["coverage"] = query["coverage"]
    return wire.read_options(options)
