"""How much work is taken on: a quarter of a second's worth, and what comes beyond is told so at once.

Work in threads waits in line for one of a few; how long the line is comes from what was measured when the model was
loaded. Predictions on the event loop wait in the sockets, unseen: there, one turn of the loop answers for so long and
turns away what else arrived meanwhile. So nobody waits much longer than `MOST_SECONDS`, and what is answered stays near
capacity however much is asked.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from model_api.errors import CallerLeft, Overloaded

MOST_SECONDS = 0.25
OVERHEAD = 5e-5
"""Seconds that a request on the event loop takes besides the prediction itself."""
THREADS = 2
"""Predictions in threads at the same time: more would wait for the same cores."""
T = TypeVar("T")


class Admission:
    """Says what is taken on; used on the event loop only."""

    def __init__(self, most_seconds: float = MOST_SECONDS) -> None:
        self._most = most_seconds
        self._ahead = 0.0
        self._spent = 0.0
        """Seconds of work that this turn of the event loop has done."""
        self._limiter: CapacityLimiter | None = None

    @property
    def ahead(self) -> float:
        """Seconds of work that waits or is being done in threads."""
        return self._ahead

    def has_time(self) -> bool:
        """Tell whether this turn of the event loop may answer one more request."""
        return self._spent < self._most

    def spend(self, seconds: float) -> None:
        """Note work that this turn has done, by its estimate: a clock would count the pauses of a busy machine too."""
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._spent += seconds + OVERHEAD

    def _end_turn(self) -> None:
        self._spent = 0.0

    async def run(self, work: Callable[[], T], seconds: float, has_left: Callable[[], Awaitable[bool]]) -> T:
        """Do work in a thread that is estimated to last so long, once it is its turn.

        Work longer than the whole line is taken on when nothing is ahead of it. Work whose caller has left meanwhile is
        not done. Raises Overloaded or CallerLeft.
        """
        if self._ahead and self._ahead + seconds > self._most * THREADS:
            raise Overloaded("more is asked for than can be answered soon; try again")
        limiter = self._limiter = self._limiter or CapacityLimiter(THREADS)
        loop, place = asyncio.get_running_loop(), object()
        self._ahead += seconds

        def end() -> None:
            self._ahead -= seconds

        def release() -> None:
            limiter.release_on_behalf_of(place)
            end()

        def carry_out() -> T:
            try:
                return work()
            finally:  # also when nobody waits for the outcome any more
                loop.call_soon_threadsafe(release)

        try:
            await limiter.acquire_on_behalf_of(place)
        except BaseException:
            end()
            raise
        if await has_left():
            release()
            raise CallerLeft("the caller has left before it was its turn")
        return await to_thread.run_sync(carry_out, abandon_on_cancel=True)
