"""Asks the model whether rows are as wanted, many at once, and only while there is time."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model_api.explanations.question import Question
from model_api.explanations.reach import Reach
from model_api.explanations.wishes import Truths, Wish
from model_api.runtimes import Floats

CELLS = 2_000_000
"""Numbers of one question to the model, features times rows, that are not exceeded for want of memory."""
CAUTION = 1.3
"""An estimate of the model's time may be short by this factor, and by how much longer the questions so far took."""
SOON = 0.005
"""Seconds of questions that tell nothing about the estimates: what each costs beside its rows counts for too much."""
KEPT_BACK = 0.15
"""Share of the time that is left for the end: verifying what was found, and saying it."""


class Asked(NamedTuple):
    """What the model said of n rows."""

    granted: Truths
    margins: Floats


class Search:
    """Asks the model about rows while there is time, and remembers how near to the wish it came."""

    def __init__(self, question: Question, wish: Wish, reach: Reach) -> None:
        self.question = question
        self.wish = wish
        self.reach = reach
        self.short_of_time = False
        """Whether something was left out for want of time, or of memory."""
        self.looked_at = 0
        """Rows that the model was asked about."""
        self.nearest = (-np.inf, np.nan)
        """The largest margin so far, and the number that was looked at there."""
        self._kept_back = question.budget.left * KEPT_BACK
        self._taken, self._expected = 0.0, SOON

    def within(self, reach: Reach) -> "Search":
        """Go on with another reach."""
        other = Search(self.question, self.wish, reach)
        other.short_of_time, other.looked_at, other.nearest = self.short_of_time, self.looked_at, self.nearest
        other._taken, other._expected = self._taken, self._expected
        return other

    @property
    def _slower(self) -> float:
        return CAUTION * max(1.0, self._taken / self._expected)

    def most(self, share: float = 1.0) -> int:
        """Count the rows that fit into a share of the time."""
        subject = self.question.subject
        left = (self.question.budget.left - self._kept_back) * share / self._slower
        low, high = 0, max(1, CELLS // subject.count)
        while low < high:  # an estimate is no multiple of the rows, but it grows with them
            middle = (low + high + 1) // 2
            low, high = (middle, high) if subject.seconds(middle) <= left else (low, middle - 1)
        return low

    def affords(self, rows: int) -> bool:
        """Tell whether there is time for so many rows."""
        subject = self.question.subject
        fits = subject.seconds(rows) * self._slower <= self.question.budget.left - self._kept_back
        fits = fits and rows * subject.count <= CELLS
        self.short_of_time |= not fits
        return fits

    def thinned(self, count: int, share: float) -> npt.NDArray[np.intp]:
        """Choose of so many rows as many as there is time for, evenly."""
        most = self.most(share)
        self.short_of_time |= most < count
        return np.linspace(0, count - 1, min(most, count)).astype(np.intp)

    def ask(self, rows: Floats) -> Asked:
        """Ask about n rows, which may be 0."""
        if not len(rows):
            return Asked(np.zeros(0, dtype=bool), np.empty(0))
        self.looked_at += len(rows)
        self._expected += self.question.subject.seconds(len(rows))
        before = self.question.budget.milliseconds
        output = self.question.subject.ask(rows)
        self._taken += (self.question.budget.milliseconds - before) / 1000
        asked = Asked(self.wish.granted(output), self.wish.margins(output))
        best = int(asked.margins.argmax())
        if asked.margins[best] > self.nearest[0]:
            self.nearest = (float(asked.margins[best]), float(self.wish.focus.of(output)[best]))
        return asked

    def granted(self, rows: Floats) -> Floats:
        """Give those of n rows that are as wanted."""
        return rows[self.ask(rows).granted]


def distinct(rows: Floats) -> Floats:
    """Leave out rows that came before."""
    first: dict[bytes, int] = {}
    for place, row in enumerate(rows):
        first.setdefault(row.tobytes(), place)
    return rows[list(first.values())]
