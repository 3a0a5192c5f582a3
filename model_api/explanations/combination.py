"""Whether the numbers of a case go together: for each, how far it is from what the other values suggest.

Numbers become normal scores, so that only their order counts, and commonest levels become 0 or 1. The precision matrix
of all these gives for each number the regression on all the others, and the rest that it leaves. Two correlated numbers
from opposite ends leave a large rest though each is ordinary, which a distance in many features hardly shows.
The correlations are shrunk as in Ledoit & Wolf, A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices
(Journal of Multivariate Analysis, 2004).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from model_api.explanations.coding import NAMED
from model_api.explanations.subject import Subject
from model_api.explanations.tails import Tails
from model_api.runtimes import Floats

FEWEST = 20
"""Reference rows below which nothing is learnt of what goes together."""
MOST_LEVELS, LEAST_SHARE = 20, 0.02
"""Levels of a category that count, and the share of rows that each must have and lack."""
LEAST_SHRINKAGE = 1e-3
"""Even of many rows: so that what follows from other numbers exactly does not divide by 0."""
AT_ODDS = 3.0
"""Rest of a number beside one other, in its standard deviations, from which on the two are named together."""


@dataclass(frozen=True)
class Rest:
    """The number of a case that goes least with its other values."""

    place: int
    """Which feature."""
    expected: float
    """Code of the value that the other values suggest."""
    other: int | None
    """The feature that it goes least with, if it is at odds with one other already."""


class Combination:
    """What goes together in a reference sample; of numbers there must be two at least."""

    def __init__(self, subject: Subject) -> None:
        reference = subject.reference
        ordered = [place for place, feature in enumerate(subject.signature.features) if feature.type not in NAMED]
        tables = {place: _normal_scores(reference[:, place]) for place in ordered}
        self.places = [place for place in ordered if len(tables[place][0]) > 1]
        """Features that are looked at: all that have an order and differ."""
        self._tables = [tables[place] for place in self.places]
        self._levels = _levels(subject)
        raw = self._raw(reference)
        self._means, self._spreads = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
        scores = self._scores(reference)
        shrinkage, self._correlations = shrunk(scores)
        self._precision = np.asarray(np.linalg.inv(self._correlations), dtype=np.float64)
        rests = left_out(scores, self._precision, (1 - shrinkage) / len(scores))[:, : len(self.places)]
        rests[np.isnan(reference[:, self.places])] = np.nan
        self._tails = Tails.of(rests)
        self.among = self._tails.surprise(rests, among=True)
        """How unusual the rest of each number is in the reference sample, n × places; each beside others."""

    def surprise(self, rows: Floats) -> Floats:
        """Give how unusual the rest of each number is in n × features codes, n × places; 0 for missing ones."""
        rests = self._rests(self._scores(rows))
        rests[np.isnan(rows[:, self.places])] = np.nan
        return self._tails.surprise(rests)

    def rest(self, case: Floats, column: int) -> Rest:
        """Describe what is odd about one of `places` in a case."""
        scores = self._scores(case[None])[0]
        suggested = scores[column] - (self._precision[column] @ scores) / self._precision[column, column]
        values, table = self._tables[column]
        expected = np.interp(suggested * self._spreads[column] + self._means[column], table, values)
        return Rest(self.places[column], float(expected), self._other(case, scores, column))

    def _other(self, case: Floats, scores: Floats, column: int) -> int | None:
        size = len(self.places)
        with_it = self._correlations[column, :size]
        beside = np.abs(scores[column] - with_it * scores[:size]) / np.sqrt(np.maximum(1 - with_it**2, LEAST_SHRINKAGE))
        known = ~np.isnan(case[self.places])
        # Far out by itself is no discord: what the other number adds to that is.
        beside = np.where(known & (beside > abs(scores[column])), beside, 0)
        beside[column] = 0
        found = int(beside.argmax())
        return self.places[found] if beside[found] >= AT_ODDS else None

    def _scores(self, rows: Floats) -> Floats:
        """Turn n × features codes into scores of mean 0 and spread 1; 0 for missing ones."""
        scores = (self._raw(rows) - self._means) / self._spreads
        return np.where(np.isnan(scores), 0, scores)

    def _raw(self, rows: Floats) -> Floats:
        numbers = [np.interp(rows[:, place], *table) for place, table in zip(self.places, self._tables, strict=True)]
        levels = [(rows[:, place] == code).astype(np.float64) for place, code in self._levels]
        return np.stack([*numbers, *levels], axis=1)

    def _rests(self, scores: Floats) -> Floats:
        rests: Floats = scores @ self._precision / np.sqrt(np.diag(self._precision))
        return rests[:, : len(self.places)]


def combination_of(subject: Subject) -> Combination | None:
    """Learn what goes together; None where there is too little to learn it from."""
    if len(subject.reference) < FEWEST:
        return None
    differing = 0
    for place, feature in enumerate(subject.signature.features):
        known = subject.reference[:, place][~np.isnan(subject.reference[:, place])]
        differing += feature.type not in NAMED and len(np.unique(known)) > 1
    return Combination(subject) if differing > 1 else None


def _normal_scores(column: Floats) -> tuple[Floats, Floats]:
    """Give the values of a column, ascending, and the normal score of the middle of each one's ranks."""
    known = column[~np.isnan(column)]
    values, counts = np.unique(known, return_counts=True)
    shares = (np.cumsum(counts) - counts / 2) / max(1, len(known))
    normal = NormalDist()
    return values, np.array([normal.inv_cdf(share) for share in shares.tolist()])


def _levels(subject: Subject) -> list[tuple[int, float]]:
    """List the levels that count: the place of the feature, and the code."""
    found: list[tuple[int, float]] = []
    for place, feature in enumerate(subject.signature.features):
        if feature.type not in NAMED or feature.type == "text":
            continue
        column = subject.reference[:, place]
        codes, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        commonest = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
        shares = counts[commonest] / len(column)
        counting = (shares >= LEAST_SHARE) & (shares <= 1 - LEAST_SHARE)
        found += [(place, code) for code in codes[commonest][counting].tolist()]
    return found


def shrunk(scores: Floats) -> tuple[float, Floats]:
    """Give how much the correlations of n × k standardised scores are shrunk towards none, and what that gives."""
    rows, count = scores.shape
    found = scores.T @ scores / rows
    size = float((found**2).sum())
    noise = (float(((scores**2).sum(axis=1) ** 2).sum()) / rows - size) / rows
    distance = size - 2 * float(np.trace(found)) + count
    shrinkage = min(1.0, max(noise / distance, LEAST_SHRINKAGE)) if distance > 0 else 1.0
    return shrinkage, (1 - shrinkage) * found + shrinkage * np.eye(count)


def left_out(scores: Floats, precision: Floats, weight: float) -> Floats:
    """Give the rests of n × k scores when each row is left out of the correlations that `precision` inverts.

    `weight`: what a row counts in them. After Sherman & Morrison (Annals of Mathematical Statistics, 1950).
    """
    turned = scores @ precision
    grown = 1 / np.maximum(1 - weight * (turned * scores).sum(axis=1), 1e-6)[:, None]
    return np.asarray(turned * grown / np.sqrt(np.diag(precision) + weight * grown * turned**2))
