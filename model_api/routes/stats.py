"""GET /stats: what this process chose for each model, from what measurements, and what it is doing now."""

import os
import time
from typing import Any

from fastapi import APIRouter

from model_api.admission import MOST_SECONDS, THREADS, Admission
from model_api.fast_path import LONGEST_SECONDS
from model_api.loading import LoadedModel
from model_api.registry import Registry
from model_api.runtimes.selection import MANY
from model_api.runtimes.timing import usable_cores

_STARTED = time.monotonic()


def stats_routes(registry: Registry, admission: Admission) -> APIRouter:
    """Make the route for who wants to know why it is as fast as it is."""
    router = APIRouter(tags=["health"])

    @router.get("/stats")
    async def stats() -> dict[str, Any]:
        """Tell, for this process alone, how each loaded version is run and why, and how much work waits."""
        entries = [] if registry.problem else registry.entries
        return {
            "process": {"id": os.getpid(), "seconds": round(time.monotonic() - _STARTED, 1), "cores": usable_cores()},
            "work": {
                "threads": THREADS,
                "waiting_seconds": round(admission.ahead, 6),
                "most_waiting_seconds": MOST_SECONDS * THREADS,
            },
            "models": [_run(model) for entry in entries for model in entry.loaded.values()],
        }

    return router


def _run(model: LoadedModel) -> dict[str, Any]:
    choice = model.predictor.choice
    return {
        "model": model.name,
        "version": model.version,
        "loaded_in_seconds": model.seconds,
        "one_row": {"form": choice.one, **_road(model), "measured": choice.timings[choice.one]},
        "many_rows": {
            "form": choice.many,
            "from_rows": MANY,
            "threads": choice.threads.used,
            "measured_threads_ms": choice.threads.thousand_rows_ms,
            "measured": choice.timings[choice.many],
        },
        "not_taken": _not_taken(model),
    }


def _road(model: LoadedModel) -> dict[str, Any]:
    """Tell where one row is computed, and why there."""
    choice = model.predictor.choice
    together = choice.together
    if together and together.helps:
        return {"runs": "together with others that wait, in a thread", "why": together.why, "tried": together._asdict()}
    tried = {"tried": together._asdict()} if together else {}
    seconds = model.predictor.seconds(1)
    if seconds <= LONGEST_SECONDS:
        why = f"it takes {1000 * seconds:.3f} ms, and a thread is asked from {1000 * LONGEST_SECONDS:g} ms on"
        return {"runs": "on the event loop", "why": why, **tried}
    why = f"it takes {1000 * seconds:.3f} ms, and would hold up others for as long"
    return {"runs": "in a thread", "why": why, **tried}


def _not_taken(model: LoadedModel) -> dict[str, str]:
    """Give the forms that do not answer, each with the reason."""
    choice = model.predictor.choice
    reasons: dict[str, str] = {}
    for name, form in model.artifact.forms.items():
        if name in (choice.one, choice.many):
            continue
        if name in choice.timings:
            reasons[name] = f"it was slower here: {choice.timings[name]['one_row_us']} µs for one row"
        else:
            proved = f"proved in {form.get('numbers', 'float64')}, while an exact form serves"
            reasons[name] = proved if form.get("proved") else str(form.get("reason") or "not proved equal")
    return reasons
