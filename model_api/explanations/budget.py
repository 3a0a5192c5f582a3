"""The time that one answer may take."""

import time

MILLISECONDS = 250.0
"""Time of one explanation unless the caller says otherwise."""


class Budget:
    """Counts the time from when the work begins, which is when this is made."""

    def __init__(self, milliseconds: float = MILLISECONDS) -> None:
        self._began = time.perf_counter()
        self._seconds = milliseconds / 1000

    @property
    def left(self) -> float:
        """Seconds that are left; 0 when it is over."""
        return max(0.0, self._seconds - (time.perf_counter() - self._began))

    @property
    def milliseconds(self) -> float:
        """Milliseconds since the work began."""
        return (time.perf_counter() - self._began) * 1000
