"""How far cases are apart, from 0 to 1: the mean over features of how much each differs.

Numbers, dates and moments differ by their difference over the range of the reference sample (without its outermost
hundredths, and 1 at most), categories and booleans by 0 or 1, texts by the share of their words that only one of them
has. A missing value is as far from a known one as two reference rows are on average; from a missing one it is not.
After Gower, A General Coefficient of Similarity and Some of Its Properties (Biometrics 27, 1971).
"""

import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TypeVar
from weakref import finalize
from zlib import crc32

import numpy as np
import numpy.typing as npt

from model_api.explanations.coding import NAMED
from model_api.explanations.subject import Integers, Subject
from model_api.runtimes import Floats
from model_api.values import Value

T = TypeVar("T")
Words = npt.NDArray[np.float32]
OUTERMOST = (0.01, 0.99)
"""Quantiles of the reference sample whose difference counts as 1: one outlier must not make all others look alike."""
AT_ONCE = 64
"""Rows that are compared at a time: their differences fit into the cache of a processor."""
MOST_CELLS = 60_000_000
"""Rows times rows times features that are compared to learn how near to each other reference rows are, about."""
FEWEST = 200
"""Reference rows of which that is learnt however many features there are."""
BUCKETS = 1024
"""Places into which words are hashed; of two different words very few share one."""
WORD = re.compile(r"\w+")


def once_per_reference(make: Callable[[Subject], T]) -> Callable[[Subject], T]:
    """Keep what is made of a reference sample for as long as the sample lives.

    A subject that knows one more case has the sample of the one it was made from, so nothing is made again for it.
    What is made must not hold the sample itself.
    """
    kept: dict[int, T] = {}

    @wraps(make)
    def made(subject: Subject) -> T:
        key = id(subject.reference)
        if key not in kept:
            kept[key] = make(subject)
            finalize(subject.reference, kept.pop, key, None)
        return kept[key]

    return made


class Distances:
    """How far cases are from the reference sample of a subject. Takes a moment for a sample that is new."""

    def __init__(self, subject: Subject) -> None:
        """`subject` has at least one reference row; cases are rows of its codes."""
        self._subject = subject
        self._scales = _scales(subject)
        self._when_missing = _when_missing(subject)
        self._words = _reference_words(subject)

    def to_reference(self, rows: Floats) -> Floats:
        """Give the distances of n × features codes to m reference rows, n × m, from 0 to 1."""
        reference = self._subject.reference
        found = np.empty((len(rows), len(reference)))
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            total = np.zeros((len(part), len(reference)))
            for place in range(self._subject.count):
                total += self._apart(place, part[:, place], reference[:, place], self._words.get(place))
            found[start : start + AT_ONCE] = total / self._subject.count
        return found

    def by_feature(self, case: Floats, rows: Floats) -> Floats:
        """Give how much each feature of a case differs from n × features codes, n × features, from 0 to 1."""
        places = range(self._subject.count)
        return np.stack([self._apart(place, case[place : place + 1], rows[:, place])[0] for place in places], axis=1)

    def nearest_percentile(self, rows: Floats) -> Floats:
        """Give for n × features codes the share of reference rows that are farther from their own nearest neighbour.

        A case is compared by its distance to the nearest reference row. Near 1: as near as any; 0: farther than all.
        """
        nearest, own = self.to_reference(rows).min(axis=1), np.sort(nearest_within(self._subject)[1])
        return np.asarray(1 - np.searchsorted(own, nearest, side="right") / len(own))

    def _apart(self, place: int, values: Floats, others: Floats, words: Words | None = None) -> Floats:
        """Give how much n values of a feature differ from m others, n × m. `words`: those of the others, if known."""
        scale = self._scales[place]
        if self._subject.coding.features[place].type == "text":
            levels = self._subject.coding.levels[place]
            apart = _words_apart(_words(levels, values), _words(levels, others) if words is None else words)
        elif scale:
            with np.errstate(over="ignore"):  # infinitely far is 1 as well
                apart = np.abs(values[:, None] - others)
                apart /= scale
            np.minimum(apart, 1, out=apart)
        else:
            apart = (values[:, None] != others).astype(np.float64)
        missing, missing_there = np.isnan(values), np.isnan(others)
        if missing.any() or missing_there.any():
            apart[missing[:, None] != missing_there] = self._when_missing[place]
            apart[missing[:, None] & missing_there] = 0
        return apart


@once_per_reference
def _scales(subject: Subject) -> list[float]:
    """Give for each feature the difference that counts as 1; 0 where values are only the same or not."""
    scales = []
    for place, feature in enumerate(subject.coding.features):
        known = _known(subject, place)
        if feature.type in NAMED or not len(known):
            scales.append(0.0)
            continue
        low, high = np.quantile(known, OUTERMOST)
        scales.append(float(high - low) or float(np.ptp(known)))
    return scales


@once_per_reference
def _when_missing(subject: Subject) -> list[float]:
    """Give for each feature how far a missing value is from a known one: the mean over pairs of known ones.

    1 where these are all the same: then it is all that the feature tells.
    """
    scales = _scales(subject)
    means = []
    for place, feature in enumerate(subject.coding.features):
        known = _known(subject, place)
        if feature.type == "text" or len(np.unique(known)) < 2:
            mean = 1.0
        elif scales[place]:
            mean = min(1.0, _mean_difference(known) / scales[place])
        else:
            shares = np.unique(known, return_counts=True)[1] / len(known)
            mean = float(1 - shares @ shares)
        means.append(mean)
    return means


def _known(subject: Subject, place: int) -> Floats:
    column = subject.reference[:, place]
    return column[~np.isnan(column)]


def _mean_difference(values: Floats) -> float:
    """Give the mean absolute difference of two among n numbers, n > 1 (Gini's)."""
    count = len(values)
    weights = 2 * np.arange(count) - count + 1
    return float(2 * (weights @ np.sort(values)) / (count * (count - 1)))


@once_per_reference
def nearest_within(subject: Subject) -> tuple[Integers, Floats]:
    """Give positions of reference rows, and how far each is from the nearest other one; 1 where there is no other."""
    rows = len(subject.reference)
    most = max(FEWEST, MOST_CELLS // (rows * subject.count))
    chosen = np.arange(0, rows, -(-rows // most))
    distances = Distances(subject).to_reference(subject.reference[chosen])
    distances[np.arange(len(chosen)), chosen] = 1
    return chosen, distances.min(axis=1)


@once_per_reference
def _reference_words(subject: Subject) -> dict[int, Words]:
    """Give the words of each reference row in each feature that is a text."""
    return {
        place: _words(subject.coding.levels[place], subject.reference[:, place])
        for place, feature in enumerate(subject.coding.features)
        if feature.type == "text"
    }


def _words_apart(here: Words, there: Words) -> Floats:
    """Give the share of words that only one of two texts has, n × m; 0 where neither has any."""
    shared = here @ there.T
    either = here.sum(axis=1)[:, None] + there.sum(axis=1) - shared
    return np.asarray(1 - np.divide(shared, either, out=np.ones(shared.shape), where=either > 0))


def _words(known: Sequence[Value], codes: Floats) -> Words:
    """Tell for each of n texts which words it has, n × buckets of 0 and 1; a missing one has none."""
    found = np.zeros((len(codes), BUCKETS), dtype=np.float32)
    for row, code in zip(found, codes.tolist(), strict=True):
        if code == code:  # noqa: PLR0124 -- not NaN
            row[[crc32(word.encode()) % BUCKETS for word in WORD.findall(str(known[int(code)]).casefold())]] = 1
    return found
