"""Where a decision changes: the nearest boundary along each feature, below and above a case.

Each range is searched at values spread evenly and where the reference rows are; what lies between the case and the
first value at which the decision is another is then divided again and again, for all features at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_api.explanations.grids import (
    Scale,
    affordable,
    is_ordered,
    known_codes,
    levels_of,
    replaced,
    rounded,
    scale_of,
)
from model_api.explanations.question import Decision, Question
from model_api.explanations.subject import Integers
from model_api.runtimes import Floats

POINTS, FEWEST_POINTS = 64, 5
"""Values along each range that are tried first, and how few when the model is slow."""
PARTS = 16
"""Into which what is left is divided, each time."""
ROUNDS = 6
FINE = 1e-3
"""In spreads of the feature: nearer than that, or than its step, a boundary is not looked for."""
READABLE = 0.01
"""In spreads: how far beyond the boundary a value may lie so that it has fewer digits."""
SHARE = 0.4
"""Part of the time left that one question to the model may take."""


@dataclass(frozen=True)
class Tried:
    """The values of one feature that were asked about."""

    codes: Floats
    """In order."""
    decided: Integers
    """What was decided for each."""
    scores: Floats
    """The number that is looked at, for each."""


@dataclass
class Brackets:
    """Where decisions change: between a value like the case and one beyond it, for b features and directions."""

    places: Integers
    """Which feature."""
    near: Floats
    """On the side of the case: the decision is the same."""
    far: Floats
    """The decision is another."""

    @property
    def widths(self) -> Floats:
        """How far the boundary can be from `far`."""
        return np.abs(self.far - self.near)


class Search:
    """Asks the model about the case with one feature changed."""

    def __init__(self, question: Question, decision: Decision) -> None:
        self.question = question
        self.decision = decision
        self.scales = {
            place: scale_of(question, place).including(question.case[place])
            for place in range(question.subject.count)
            if is_ordered(question, place)
        }
        """Of each feature that has an order."""
        self.base = -1
        """The decision about the case."""
        self.score = np.nan
        """The number that is looked at, of the case."""
        self.ended_early = False
        """Whether there was no time to come as near to each boundary as was meant."""

    def ask(self, places: Any, codes: Floats) -> tuple[Integers, Floats]:
        """Give decisions and scores of the case with feature `places[i]` at `codes[i]`, n of each, n > 0."""
        output = self.question.subject.ask(replaced(self.question.case, places, codes))
        return self.decision.of(output), self.decision.focus.of(output)

    def first(self) -> list[Tried]:
        """Try values of all features, in one question."""
        question, count = self.question, self.question.subject.count
        points = max(FEWEST_POINTS, affordable(question, count * POINTS, SHARE) // count)
        grids = [self._grid(place, points) for place in range(count)]
        sizes = [len(grid) for grid in grids]
        places, codes = np.repeat(np.arange(count), sizes), np.concatenate(grids)
        decided, scores = self.ask(np.append(places, 0), np.append(codes, question.case[0]))  # the last is the case
        self.base, self.score = int(decided[-1]), float(scores[-1])
        ends = np.cumsum(sizes)[:-1]
        parts = zip(grids, np.split(decided[:-1], ends), np.split(scores[:-1], ends), strict=True)
        return [Tried(*part) for part in parts]

    def _grid(self, place: int, points: int) -> Floats:
        question = self.question
        if place not in self.scales:
            return levels_of(question, place)
        scale, own = self.scales[place], question.case[place]
        if is_all(scale, points):
            codes = scale.line(round(scale.span / scale.step) + 1, scale.step)
        else:
            known = known_codes(question, place)
            usual = known[np.linspace(0, len(known) - 1, points // 2).astype(np.intp)] if len(known) else known
            codes = np.concatenate([scale.line(points - len(usual), scale.unit()), usual])
        return np.unique(codes if np.isnan(own) else np.append(codes, own))

    def narrow(self, brackets: Brackets) -> None:
        """Come as near to each boundary as its step, or `FINE`, while there is time."""
        question = self.question
        steps = np.array([self.scales[place].step for place in brackets.places])
        limits = np.maximum(steps, FINE * question.subject.spreads[brackets.places]) * (1 + 1e-9)
        for _ in range(ROUNDS):
            wide = np.flatnonzero(brackets.widths > limits)
            if not len(wide):
                return
            if question.subject.seconds(len(wide) * PARTS) > question.budget.left * SHARE:
                break
            self._divide(brackets, wide, steps[wide, None])
        self.ended_early = bool((brackets.widths > limits).any())

    def _divide(self, brackets: Brackets, wide: Integers, steps: Floats) -> None:
        near, far = brackets.near[wide, None], brackets.far[wide, None]
        between = rounded(near + (far - near) * (np.arange(1, PARTS) / PARTS), steps)
        codes = np.hstack([near, np.clip(between, np.minimum(near, far), np.maximum(near, far)), far])
        inner = codes[:, 1:-1]
        decided, _ = self.ask(np.repeat(brackets.places[wide], PARTS - 1), inner.ravel())
        other = np.ones(codes.shape, dtype=bool)
        other[:, 0] = False
        other[:, 1:-1] = decided.reshape(inner.shape) != self.base
        first, every = other.argmax(axis=1), np.arange(len(wide))
        brackets.near[wide], brackets.far[wide] = codes[every, first - 1], codes[every, first]

    def written(self, brackets: Brackets) -> list[tuple[float, int]]:
        """Give for each boundary a value just beyond it that has few digits, and what is decided there."""
        if not len(brackets.places):
            return []
        candidates = [self._readable(*bracket) for bracket in self._each(brackets)]
        sizes = [len(codes) for codes in candidates]
        decided, _ = self.ask(np.repeat(brackets.places, sizes), np.concatenate(candidates))
        found = []
        for codes, decisions in zip(candidates, np.split(decided, np.cumsum(sizes)[:-1]), strict=True):
            other = decisions != self.base
            place = int(other.argmax()) if other.any() else -1
            found.append((float(codes[place]), int(decisions[place])))
        return found

    @staticmethod
    def _each(brackets: Brackets) -> Iterator[tuple[int, float, float]]:
        yield from zip(brackets.places.tolist(), brackets.near.tolist(), brackets.far.tolist(), strict=True)

    def _readable(self, place: int, near: float, far: float) -> Floats:
        """Give values to choose from, coarsest first; the last is the boundary's own."""
        scale, spread = self.scales[place], self.question.subject.spreads[place]
        beyond = rounded(far, scale.units[::-1], np.ceil if far > near else np.floor)
        good = (np.abs(beyond - far) <= READABLE * spread) & (beyond >= scale.low) & (beyond <= scale.high)
        return np.append(beyond[good], far)


def is_all(scale: Scale, points: int) -> bool:
    """Tell whether so many points are all the values of a range."""
    return scale.span <= scale.step * (points - 1)


def brackets_of(search: Search, tried: list[Tried]) -> tuple[Brackets, list[tuple[int, str]]]:
    """Find for each feature the nearest tried values, below and above the case, at which the decision is another."""
    found: list[tuple[int, float, float]] = []
    directions = []
    for place in search.scales:
        own, codes = search.question.case[place], tried[place].codes
        other = tried[place].decided != search.base
        below, above = np.flatnonzero(other & (codes < own)), np.flatnonzero(other & (codes > own))
        if len(below):
            found.append((place, codes[below[-1] + 1], codes[below[-1]]))
            directions.append((place, "below"))
        if len(above):
            found.append((place, codes[above[0] - 1], codes[above[0]]))
            directions.append((place, "above"))
    places, near, far = (np.array(column) for column in zip(*found, strict=True)) if found else (np.empty(0),) * 3
    return Brackets(places.astype(np.intp), near.astype(np.float64), far.astype(np.float64)), directions
