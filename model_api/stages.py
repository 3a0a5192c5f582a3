"""Where the time of a request goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple


class Stages(NamedTuple):
    """Seconds that a request spent, by what was done."""

    queue: float = 0.0
    """Waiting for its turn."""
    parse: float = 0.0
    """Reading the body and checking the instances."""
    predict: float = 0.0
    """Asking the model."""
    encode: float = 0.0
    """Writing the answer."""

    def server_timing(self) -> str:
        """Give the value of the header Server-Timing, in milliseconds (W3C Server Timing)."""
        return TIMING % tuple(1000 * seconds for seconds in self)


TIMING = ", ".join(f"{name};dur=%.3f" for name in Stages._fields)


class Stopwatch:
    """Measures the stages of one request; not for two threads at a time."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: Literal["queue", "parse", "predict", "encode"]) -> Iterator[None]:
        """Count what is done within to a stage, however it ends."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Count seconds to a stage."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    @property
    def stages(self) -> Stages:
        """Give what was measured so far."""
        return Stages(**self._seconds)


def stopwatch(state: Any) -> Stopwatch:
    """Give the stopwatch of a request, by its state; made when it is first asked for."""
    if not hasattr(state, "stopwatch"):
        state.stopwatch = Stopwatch()
    watch: Stopwatch = state.stopwatch
    return watch
