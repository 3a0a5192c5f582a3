"""The values of a feature that are asked about in place of the case's: along its range, or one level after another.

Everything is in codes (coding.py), and on the step of the feature, so that a value reads as a person would write it.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from model_api.errors import Unsupported
from model_api.explanations.question import Question
from model_api.explanations.subject import CELLS, Integers
from model_api.runtimes import Floats
from model_api.signature import ORDERED, Feature

CLOCK = (1.0, 60.0, 3600.0, 86400.0)
"""Differences of moments that are easily read, in seconds."""
DIGITS = 5
"""Digits after the first of the range, for a number whose precision is not known."""
READABLE = 1000
"""Parts of a range that a chart can tell apart: its values get four digits of the range."""
MOST_LEVELS, MOST_TEXTS = 50, 10
"""Levels of a category, and texts, that are asked about: the commonest."""


@dataclass(frozen=True)
class Scale:
    """The range of a feature that has an order, and how finely its values are written."""

    low: float
    """Smallest code."""
    high: float
    """Largest code."""
    step: float
    """Smallest difference between two values: the precision of the training values, one, a day or a second."""
    type: str
    """Of the feature."""

    def including(self, code: float) -> "Scale":
        """Give the range widened to a value; NaN changes nothing."""
        code = float(code)  # NumPy warns where a plain number becomes infinite
        return replace(self, low=min(self.low, code), high=max(self.high, code)) if not math.isnan(code) else self

    @property
    def span(self) -> float:
        """How far the ends are apart; finite."""
        return min(self.high - self.low, sys.float_info.max)

    @cached_property
    def units(self) -> Floats:
        """The steps in which values may be written, from the finest to the range itself, ascending; at least one."""
        if self.type == "date":
            return np.array([self.step])
        if self.type == "datetime":
            return np.array(CLOCK)
        # not of their quotient, nor by a power of ten: either may be too large for a float
        more = int(np.log10(self.span) - np.log10(self.step) + 1e-9) if self.span > self.step else 0
        digits, _, exponent = f"{self.step:.11e}".partition("e")
        return np.array([float(f"{digits}e{int(exponent) + power}") for power in range(more + 1)])

    def unit(self, parts: int = READABLE) -> float:
        """Give the coarsest unit of which the range holds at least so many, else the finest."""
        with np.errstate(over="ignore"):
            fine = self.units[self.units * parts <= self.span]
        return float(fine[-1] if len(fine) else self.units[0])

    def line(self, points: int, unit: float) -> Floats:
        """Give at most so many codes from end to end, evenly but on a unit, ascending; the ends are as they are."""
        between = np.linspace(self.low / 2, self.high / 2, points)[1:-1] * 2  # the whole range may be no float
        inner = rounded(between, unit)
        inside = inner[(inner > self.low) & (inner < self.high)]
        return np.unique(np.concatenate([[self.low], inside, [self.high]]))


def scale_of(question: Question, place: int) -> Scale:
    """Give the training range of a feature that has an order. Raises Unsupported where it is not known."""
    feature, code = question.features[place], question.subject.coding.code
    ends = [code(place, end) for end in (feature.minimum, feature.maximum) if end is not None]
    known = known_codes(question, place)
    if len(known):
        ends += [float(known[0]), float(known[-1])]
    if not ends:
        raise Unsupported(f"this version was published without data, so the range of {feature.name} is not known")
    low, high = min(ends), max(ends)
    if feature.type in ("integer", "date"):
        low, high = round(low), round(high)
    return Scale(low, high, _step(feature, high - low), feature.type)


def _step(feature: Feature, span: float) -> float:
    if feature.type in ("date", "datetime"):
        return 1.0
    told = feature.step if feature.step and feature.step > 0 else None
    if feature.type == "integer":
        return float(max(1, round(told or 1)))
    return told or max(10.0 ** float(np.floor(np.log10(span or 1.0)) - DIGITS), sys.float_info.min)


def known_codes(question: Question, place: int) -> Floats:
    """Give a feature's codes in the reference sample, ascending, without those that are missing."""
    ordered = np.sort(question.subject.reference[:, place])
    known: Floats = ordered[: len(ordered) - np.isnan(ordered).sum()]
    return known


def is_ordered(question: Question, place: int) -> bool:
    """Tell whether the values of a feature have a range, so that it is drawn as a line."""
    return question.features[place].type in ORDERED


def levels_of(question: Question, place: int) -> Floats:
    """Give the levels of a feature that has no order, in the signature's order; of texts the commonest first.

    Of very many the commonest are taken. The case's own is always among them.
    """
    kind, counts = question.features[place].type, level_counts(question, place)
    most = MOST_TEXTS if kind == "text" else MOST_LEVELS
    commonest = np.argsort(-counts, kind="stable")[:most].astype(np.float64)
    levels = commonest if kind == "text" else np.sort(commonest)
    own = question.case[place]
    return levels if np.isnan(own) or own in levels else np.append(levels, own)


def levels_left_out(question: Question, place: int) -> dict[str, Any] | None:
    """Say in the wire form that not all levels of a feature are asked about; None where they are."""
    if is_ordered(question, place):
        return None
    known, shown = len(question.subject.coding.levels[place]), len(levels_of(question, place))
    if shown >= known:
        return None
    what = f"only {shown} of the {known} values of {question.features[place].name} that are known"
    return {"why": f"{what} are shown, the commonest", "shown": shown}


def level_counts(question: Question, place: int) -> Integers:
    """Count how often each level of a feature that has no order occurs in the reference sample."""
    assert not is_ordered(question, place)  # codes of moments are no places in a list: there would be 10^9 counts
    known = known_codes(question, place).astype(np.intp)
    return np.bincount(known, minlength=len(question.subject.coding.levels[place]))


def rounded(codes: Any, steps: Any, to: Callable[[Any], Any] = np.rint) -> Floats:
    """Put codes on multiples of their steps; `to`: np.rint, or np.ceil or np.floor, which leave alone what is on one.

    Decimals that are only noise are cut off, so that 3 × 0.1 is 0.3.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        parts = np.asarray(codes / steps)
        whole = np.rint(parts)
        on = np.abs(parts - whole) <= 1e-9 * np.maximum(1.0, np.abs(parts))
        put = np.where(on, whole, to(parts)) * steps
    return without_noise(np.where(np.isfinite(put), put, codes), steps)


def without_noise(codes: Any, steps: Any) -> Floats:
    """Cut off decimals far below the step, which arithmetic left there; of numbers too large for any there are none."""
    with np.errstate(over="ignore", invalid="ignore"):
        scale = 10.0 ** np.maximum(0.0, 4.0 - np.floor(np.log10(steps)))
        cut = np.rint(codes * scale) / scale
    kept: Floats = np.where(np.isfinite(cut), cut, codes)
    return kept


def replaced(case: Floats, places: Any, codes: Floats) -> Floats:
    """Give the case n times, in each another feature replaced, or always the same; n × features."""
    rows = np.repeat(case[None], len(codes), axis=0)
    rows[np.arange(len(codes)), places] = codes
    return rows


def affordable(question: Question, rows: int, share: float) -> int:
    """Give how many of so many rows may be asked about, at least 1, in a share of the time that is left."""
    subject, seconds = question.subject, question.budget.left * share
    most = max(1, min(rows, CELLS // subject.count))
    while most > 1 and subject.seconds(most) > seconds:
        most = most * 4 // 5
    return most
