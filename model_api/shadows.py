"""Challengers that look on: they answer what the champion has answered, are compared with it, and never returned."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

from model_api import inference
from model_api.errors import ServeryError
from model_api.inference import Answer, Options, Prediction
from model_api.loading import LoadedModel
from model_api.metrics import Metrics

log = logging.getLogger("model_api.shadows")

QUEUE = 200
"""Requests that wait to be answered by a shadow; of more, some are not looked at, and counted as dropped."""
SAME = 1e-6
"""Relative difference up to which two numbers count as agreeing."""


class Shadows:
    """Asks challengers after champions have answered, in a thread of its own, and counts how they compare."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shadow")
        self._room = BoundedSemaphore(QUEUE)

    def look(self, model: LoadedModel, instances: Sequence[object], options: Options, answer: Answer) -> None:
        """Let a challenger look at a request that was answered; never waits, never fails."""
        if not self._room.acquire(blocking=False):
            self._metrics.count_shadow(model.name, model.version, "dropped", None)
            return
        try:
            self._thread.submit(self._compare, model, list(instances), options, answer)
        except RuntimeError:  # the service is ending
            self._room.release()

    def close(self) -> None:
        """Look at nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _compare(self, model: LoadedModel, instances: list[object], options: Options, answer: Answer) -> None:
        try:
            theirs = inference.predict(model, instances, options)
            outcome, difference = compare(answer, theirs)
        except ServeryError:
            outcome, difference = "refused", None
        except Exception:  # a challenger may fail in any way; the champion has answered
            log.exception("the shadow %s/%s failed", model.name, model.version)
            outcome, difference = "failed", None
        finally:
            self._room.release()
        self._metrics.count_shadow(model.name, model.version, outcome, difference)


def compare(champion: Answer, challenger: Answer) -> tuple[str, float | None]:
    """Tell whether two answers agree, and by how much numbers differ on average, relative to the champion's."""
    pairs = [
        (mine, theirs)
        for mine, theirs in zip(champion.predictions, challenger.predictions, strict=True)
        if isinstance(mine, Prediction) and isinstance(theirs, Prediction)
    ]
    if len(pairs) < len(champion.predictions):
        return "refused", None
    differences = [_difference(mine.value, theirs.value) for mine, theirs in pairs]
    known = [difference for difference in differences if difference is not None]
    agree = all(difference is not None and difference <= SAME for difference in differences)
    return ("agree" if agree else "disagree"), (sum(known) / len(known) if known else None)


def _difference(mine: Any, theirs: Any) -> float | None:
    """Give 0 for the same class, None for another one, and the relative difference of numbers."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return max((_difference(mine[name], theirs.get(name)) or 0.0 for name in mine), default=0.0)
    if isinstance(mine, float) and isinstance(theirs, float):
        return abs(mine - theirs) / max(abs(mine), 1e-12)
    return 0.0 if mine == theirs else None
