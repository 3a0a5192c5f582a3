"""How much work is taken on: a quarter of a second's worth, and what comes beyond is told so at once.

Predictions on the event loop wait in the sockets, unseen: one turn of the loop answers for so long and turns away what
else arrived meanwhile. Longer predictions wait in line for one of a few threads. How long the line is comes from what
was measured when the model was loaded and from the pace at which the line is seen to move, for a machine may have other
things to do. What goes the application's way costs the event loop far more than the prediction, so there is only so
much of that at a time. So nobody waits much longer than `MOST_SECONDS`, and what is answered stays near capacity
however much is asked.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar

from anyio import CapacityLimiter, to_thread

from model_api.errors import CallerLeft, Overloaded

MOST_SECONDS = 0.25
TURN_SHARE = 0.25
"""Part of that for which a turn of the event loop answers: who comes during one turn may have to wait for the next."""
LITTLE = 0.001
"""Estimated seconds up to which a turn's clock is not asked: it would cost more than it tells."""
OVERHEAD = 5e-5
"""Seconds that a request on the event loop takes at least, besides the prediction itself."""
THREAD_OVERHEAD = 3e-4
"""Seconds that it takes to do something in a thread, besides the thing itself."""
THREADS = 2
"""Predictions in threads at the same time: more would wait for the same cores."""
FEW_INSIDE = 8
"""Requests that the application may always have to answer at the same time."""
PERIOD_SECONDS = 0.1
"""Seconds over which it is seen how fast requests leave the application; they may leave in batches."""
LESSON_SECONDS = 1.0
"""Estimated seconds of work over which the pace of the line is learnt."""
MORE = 2.0
"""How many times as long as its ticket says work may last that takes over the ticket's place in line."""
TICKET = "servery.ticket"
"""Under which name the scope of a request has its ticket."""
T = TypeVar("T")


class Admission:
    """Says what is taken on; used on the event loop only."""

    def __init__(self, most_seconds: float = MOST_SECONDS) -> None:
        self._most = most_seconds
        self._spent = self._began = 0.0
        """Seconds of work that this turn of the event loop has done, by estimate; the thread's clock early in it."""
        self._inside = 0
        self._each = 0.0
        """Seconds between two requests that leave the application, while it is busy."""
        self._busy = self._looked = 0.0
        """Seconds for which it was busy in this period, and when that was counted."""
        self._left = 0
        """Requests that left it in this period."""
        self._line = Line()
        self._limiter: CapacityLimiter | None = None

    @property
    def ahead(self) -> float:
        """Seconds of work that waits or is being done in threads."""
        return self._line.ahead

    def has_time(self) -> bool:
        """Tell whether this turn of the event loop may answer one more request.

        What counts is the thread's own time: another clock would count the pauses of a busy machine too.
        """
        return self._spent < LITTLE or time.thread_time() - self._began < self._most * TURN_SHARE

    def spend(self, seconds: float) -> None:
        """Note a prediction that this turn makes, by its estimate."""
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._end_turn)
        before, self._spent = self._spent, self._spent + seconds + OVERHEAD
        if before < LITTLE <= self._spent:
            self._began = time.thread_time()

    def _end_turn(self) -> None:
        self._spent = 0.0

    def wait(self, seconds: float) -> float:
        """Tell in how many seconds work in a thread would be done that is estimated to last so long."""
        return self._line.wait(seconds)

    def is_full(self, seconds: float) -> bool:
        """Tell whether work in a thread that is estimated to last so long would have to wait too long."""
        return self._line.ahead > 0 and self._line.wait(seconds) > self._most

    def has_room(self) -> bool:
        """Tell whether the application may be given one more request, by how many it has and how fast they leave."""
        return self._inside < FEW_INSIDE or self._inside * self._each < self._most

    def admit(self, seconds: float) -> "Ticket | None":
        """Let a request into the application, with its place in line for so long a work in a thread; None for no room.

        What would be turned away there is turned away here: it costs a tenth as much.
        """
        if not self.has_room() or (seconds and self.is_full(seconds)):
            return None
        if not self._inside:
            self._looked = time.monotonic()
        self._inside += 1
        return Ticket(self._line, seconds, self._see_off)

    def _see_off(self) -> None:
        """Learn from a request that leaves the application how fast they do, while there are any."""
        self._inside -= 1
        self._left += 1
        now = time.monotonic()
        self._busy, self._looked = self._busy + now - self._looked, now
        if self._busy >= PERIOD_SECONDS:
            self._each = (self._each + self._busy / self._left) / 2
            self._busy, self._left = 0.0, 0

    async def run(
        self, work: Callable[[], T], seconds: float, has_left: Callable[[], Awaitable[bool]],
        ticket: "Ticket | None" = None,
    ) -> T:  # fmt: skip
        """Do work in a thread that is estimated to last so long, once it is its turn.

        A ticket has its place in line; without one there may be none. Work longer than the whole line is taken on when
        nothing is ahead of it. Work whose caller has left meanwhile is not done. Raises Overloaded or CallerLeft.
        """
        line = self._line
        kept = ticket.leave_line() if ticket else 0.0
        if seconds > MORE * kept and self.is_full(seconds):
            raise Overloaded("more is asked for than can be answered soon; try again")
        limiter = self._limiter = self._limiter or CapacityLimiter(THREADS)
        loop, thread = asyncio.get_running_loop(), object()
        begun = threading.Lock()
        """Taken by the thread that begins the work, or here when it will not be: whoever has it leaves the line."""

        def end(began: float | None) -> None:
            limiter.release_on_behalf_of(thread)
            line.leave(seconds, began)

        def carry_out() -> T:
            if not begun.acquire(blocking=False):
                raise CallerLeft("nobody waits for it any more")
            began = time.monotonic()
            try:
                return work()
            finally:  # also when nobody waits for the outcome any more
                loop.call_soon_threadsafe(end, began)

        line.join(seconds)
        try:
            await limiter.acquire_on_behalf_of(thread)
        except BaseException:
            line.leave(seconds)
            raise
        try:
            if await has_left():
                raise CallerLeft("the caller has left before it was its turn")
            return await to_thread.run_sync(carry_out, abandon_on_cancel=True)
        except BaseException:  # a deadline may pass anywhere on the way to the thread
            if begun.acquire(blocking=False):
                end(None)
            raise


class Ticket:
    """What a request has that was let into the application; used as a context while it is there."""

    def __init__(self, line: "Line", seconds: float, see_off: Callable[[], None]) -> None:
        self._line, self._seconds, self._see_off = line, seconds, see_off
        if seconds:
            line.join(seconds)

    def __enter__(self) -> Self:
        """Be there."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave."""
        self.leave()

    def leave(self) -> None:
        """Note that the request has left the application."""
        self.leave_line()
        self._see_off()

    def leave_line(self) -> float:
        """Give up the place in line, to the work for which it was kept or because there is none; gives its seconds."""
        seconds, self._seconds = self._seconds, 0.0
        if seconds:
            self._line.leave(seconds)
        return seconds


class Line:
    """Work that waits for a thread or is in one."""

    def __init__(self) -> None:
        self.ahead = 0.0
        """Estimated seconds of it."""
        self._members = 0
        self._pace = 1 / THREADS
        """Seconds that one estimated second takes; learnt, and never less than with a core for each thread."""
        self._last_end = 0.0

    def wait(self, seconds: float) -> float:
        """Tell in how many seconds work would be done that is estimated to last so long."""
        return (self.ahead + seconds) * self._pace

    def join(self, seconds: float) -> None:
        """Note work that waits from now on."""
        self._members += 1
        self.ahead += seconds

    def leave(self, seconds: float, began: float | None = None) -> None:
        """Note work that is no more, and if it was done learn from when it began."""
        self._members -= 1
        self.ahead = self.ahead - seconds if self._members else 0.0  # differences of decimal fractions leave a rest
        if began is None:
            return
        now = time.monotonic()
        took, expected = now - max(began, self._last_end), seconds + THREAD_OVERHEAD
        self._last_end = now
        self._pace += (took - self._pace * expected) / max(expected, LESSON_SECONDS)
        self._pace = max(self._pace, 1 / THREADS)
