"""How unusual a value of a feature is by itself: 0 for the usual nine tenths, then the more the rarer it is.

The surprise is log(TAIL / p), where p is the probability of a value as far out. Beyond the outer quantiles p falls as
the mean excess of the values there tells, so that it goes on falling beyond the last value (an exponential tail:
Pickands, Statistical Inference Using Extreme Order Statistics, Annals of Statistics 1975). Of a category, p is the
share of all levels that are as rare; of one that is not in the sample, that of the levels that occur once (Good, The
Population Frequencies of Species, Biometrika 1953). It is 0.5 rows at least, as nothing is known of what is rarer.
"""

from dataclasses import dataclass

import numpy as np

from model_api.explanations.coding import NAMED
from model_api.explanations.subject import Subject
from model_api.runtimes import Floats

TAIL = 0.05
"""Share of values on each side that count as a tail."""
USUAL, WEIGHT = 0.4, 10
"""Mean excess of the tail of a normal distribution, in its spreads, and as how many values that counts: a small sample
has few in its tails."""
RARE = 0.5
"""Rows that stand for what the sample does not show."""


@dataclass(frozen=True)
class Tails:
    """The tails of k columns of numbers, below in the first row and above in the second: 2 × k each."""

    rows: int
    """Rows that they are learnt from."""
    starts: Floats
    """Where they begin."""
    counts: Floats
    """How many values lie there."""
    totals: Floats
    """Sum of how far these lie beyond the start."""
    usual: Floats
    """Mean excess that is expected before any value is seen, k."""

    @classmethod
    def of(cls, columns: Floats) -> "Tails":
        """Learn from n × k numbers; NaN is missing. Of a column that is all missing, no value is unusual."""
        count = columns.shape[1]
        starts, counts, totals = np.zeros((2, count)), np.zeros((2, count)), np.zeros((2, count))
        usual = np.full(count, np.inf)
        for place in range(count):
            known = columns[:, place][~np.isnan(columns[:, place])]
            if not len(known):
                continue
            starts[:, place] = np.quantile(known, (TAIL, 1 - TAIL))
            beyond = np.maximum(np.stack([starts[0, place] - known, known - starts[1, place]]), 0)
            counts[:, place], totals[:, place] = (beyond > 0).sum(axis=1), beyond.sum(axis=1)
            usual[place] = USUAL * known.std() or 1e-9 * max(1.0, abs(float(known[0])))
        return cls(len(columns), starts, counts, totals, usual)

    def surprise(self, rows: Floats, *, among: bool = False) -> Floats:
        """Give the surprise of n × k numbers, 0 for missing ones.

        `among`: these are the rows that the tails were learnt from, so each is compared with the others only.
        """
        beyond = np.stack([self.starts[0] - rows, rows - self.starts[1]])  # 2 × n × k
        outer = beyond > 0
        counts, totals = self.counts[:, None], self.totals[:, None]
        if among:
            counts, totals = counts - outer, totals - np.where(outer, beyond, 0)
        means = (totals + WEIGHT * self.usual) / (counts + WEIGHT)
        shares = np.maximum(counts, RARE) / self.rows
        with np.errstate(over="ignore"):  # infinitely far is far enough
            found = np.where(outer, beyond / means - np.log(shares / TAIL), 0)
        return np.asarray(np.maximum(found.max(axis=0), 0))


class Values:
    """The values of every feature in a reference sample."""

    def __init__(self, subject: Subject) -> None:
        features, reference = subject.signature.features, subject.reference
        self._ordered = [place for place, feature in enumerate(features) if feature.type not in NAMED]
        self._tails = Tails.of(reference[:, self._ordered])
        self._levels = {
            place: _surprises(reference[:, place]) for place, feature in enumerate(features) if feature.type in NAMED
        }
        self._missing = np.array(
            [
                _missing(max(feature.missing_rate, float(np.isnan(reference[:, place]).mean())))
                for place, feature in enumerate(features)
            ]
        )

    def surprise(self, rows: Floats, *, among: bool = False) -> Floats:
        """Give the surprise of n × features codes; infinite for one that is missing where none ever was."""
        found = np.zeros(rows.shape)
        found[:, self._ordered] = self._tails.surprise(rows[:, self._ordered], among=among)
        for place, surprises in self._levels.items():
            codes = np.where(np.isnan(rows[:, place]), 0, rows[:, place]).astype(np.intp)
            found[:, place] = surprises[np.minimum(codes, len(surprises) - 1)]
        return np.where(np.isnan(rows), self._missing, found)

    def often_new(self, place: int) -> bool:
        """Tell whether levels of a category that the sample does not have are as usual as any."""
        return not self._levels[place][-1]


def _surprises(column: Floats) -> Floats:
    """Give the surprise of each level by its code, and last of all that of one that the sample does not have."""
    counts = np.append(np.bincount(column[~np.isnan(column)].astype(np.intp)), 0)
    as_rare = np.array([counts[counts <= max(1, count)].sum() for count in counts.tolist()])
    shares = np.maximum(as_rare, RARE) / max(1, counts.sum())
    return np.asarray(np.maximum(np.log(TAIL / shares), 0))


def _missing(share: float) -> float:
    return max(float(np.log(TAIL / share)), 0.0) if share else np.inf
