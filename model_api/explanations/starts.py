"""Where the search for counterfactuals sets out: near reference rows, and changes of one feature or of two."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model_api.explanations.search import CELLS, Search, distinct
from model_api.explanations.wishes import Truths
from model_api.runtimes import Floats

MOST = 30
"""Reference rows from which one sets out."""
FEWEST = 10
"""Reference rows that are asked about however little time there is."""
PAIRED = 6
"""Features of which all pairs are tried."""
VALUES = 8
"""Values of each feature of a pair."""
FAR = (1.0, 2.0, np.inf)
"""Spreads within which every feature takes its best value at once."""
DRAWN = 5000
"""Cases that are drawn by chance where nothing else was found."""
SHARES = (0.35, 0.3, 0.3, 0.4)
"""Of the time that is left, for reference rows, then for single changes, then for pairs, then for chance."""
SEED = 0


class Starts(NamedTuple):
    """Rows that are as wanted."""

    many: Floats
    """With many changes, most of which may prove needless."""
    few: Floats
    """With no more changes than it takes: one, two, or those that the limits ask for."""


class Singles(NamedTuple):
    """The base, and the base with one feature changed: n rows."""

    rows: Floats
    places: npt.NDArray[np.intp]
    """Which feature; -1 for the base, which comes first."""
    granted: Truths
    gains: Floats
    """How much nearer to the wish each is than the base."""


def starts(search: Search) -> Starts:
    """Find rows that are as wanted."""
    near = _near_rows(search)
    singles = _singles(search)
    single = _cheapest(search, singles.rows[singles.granted], singles.places[singles.granted])
    double = _pairs(search, singles)
    at_once = search.granted(_all_at_once(search, singles))
    many, few = np.concatenate([near, at_once]), np.concatenate([single, double])
    return Starts(many, few) if len(many) + len(few) else Starts(_by_chance(search), few)


def _near_rows(search: Search) -> Floats:
    """Give the reference rows that are as wanted after doing what the limits ask for, nearest first."""
    question, reach = search.question, search.reach
    rows = reach.project(question.subject.reference)
    efforts = reach.efforts(rows).sum(axis=1)
    most = max(FEWEST, search.most(SHARES[0]))
    if most < len(rows):  # those come first whose true value is as wanted
        search.short_of_time = True
        likely = search.wish.suits(question, question.model.artifact.reference.target)
        chosen = np.lexsort((efforts, ~likely))[:most]
        rows, efforts = rows[chosen], efforts[chosen]
    order = np.argsort(efforts, kind="stable")
    fits = max(2, CELLS // question.subject.count**2)  # they are asked about with each of their changes undone
    return distinct(search.granted(rows[order]))[: min(MOST, fits)]


def _singles(search: Search) -> Singles:
    """Change one feature at a time, to values all over its range."""
    reach = search.reach
    values = [reach.values(place) for place in range(len(reach.base))]
    places = np.repeat(np.arange(len(values)), [len(found) for found in values])
    rows = np.tile(reach.base, (len(places), 1))
    rows[np.arange(len(places)), places] = np.concatenate(values)
    kept = search.thinned(len(rows), SHARES[1])
    rows, places = np.concatenate([reach.base[None], rows[kept]]), np.concatenate([[-1], places[kept]])
    asked = search.ask(rows)
    return Singles(rows, places, asked.granted, asked.margins - asked.margins[0])


def _best(search: Search, singles: Singles, within: float) -> npt.NDArray[np.intp]:
    """Give of each feature that helps the row that gains most, of those within some spreads; most first."""
    reach = search.reach
    moves = np.abs(reach.efforts(singles.rows) - reach.efforts(reach.base[None])).sum(axis=1)
    helpful = np.flatnonzero((singles.gains > 0) & (moves <= within))
    helpful = helpful[np.argsort(-singles.gains[helpful], kind="stable")]
    _, first = np.unique(singles.places[helpful], return_index=True)
    return helpful[np.sort(first)]


def _all_at_once(search: Search, singles: Singles) -> Floats:
    """Let every feature take its best value at once, near ones and far ones."""
    rows = np.tile(search.reach.base, (len(FAR), 1))
    for row, within in zip(rows, FAR, strict=True):
        best = _best(search, singles, within)
        row[singles.places[best]] = singles.rows[best, singles.places[best]]
    return rows


def _pairs(search: Search, singles: Singles) -> Floats:
    """Change two features at a time, of those that help most; give of each two the rows of least effort as wanted."""
    count = search.question.subject.count
    rows, names = [np.empty((0, count))], [np.empty(0, dtype=np.intp)]
    helping = [
        np.flatnonzero((singles.places == place) & (singles.gains > 0)) for place in _best_places(search, singles)
    ]
    helping = [which[np.linspace(0, len(which) - 1, min(VALUES, len(which))).astype(np.intp)] for which in helping]
    for first, second in combinations(helping, 2):
        one, other = singles.places[first[0]], singles.places[second[0]]
        both = np.repeat(singles.rows[first], len(second), axis=0)
        both[:, other] = np.tile(singles.rows[second, other], len(first))
        rows.append(both)
        names.append(np.full(len(both), one * count + other))
    kept = search.thinned(sum(map(len, rows)), SHARES[2])
    found, named = np.concatenate(rows)[kept], np.concatenate(names)[kept]
    granted = search.ask(found).granted
    return _cheapest(search, found[granted], named[granted])


def _by_chance(search: Search) -> Floats:
    """Mix the case with values of reference rows and with the least and largest ones: for where all else failed."""
    random, reach, reference = np.random.default_rng(SEED), search.reach, search.question.subject.reference
    known = np.where(np.isnan(reference), reach.base, reference)
    shape = (min(DRAWN, search.most(SHARES[3])), reference.shape[1])
    usual = np.take_along_axis(known, random.integers(0, len(known), shape), axis=0)
    edges = np.where(random.random(shape) < 0.5, known.min(axis=0), known.max(axis=0))
    mixed = np.where(random.random(shape) < random.random((shape[0], 1)), edges, usual)
    rows = reach.project(np.where(random.random(shape) < random.random((shape[0], 1)), mixed, reach.base))
    rows = search.granted(rows)
    return rows[np.argsort(reach.efforts(rows).sum(axis=1), kind="stable")][:MOST]


def _best_places(search: Search, singles: Singles) -> npt.NDArray[np.intp]:
    return singles.places[_best(search, singles, np.inf)][:PAIRED]


def _cheapest(search: Search, rows: Floats, names: npt.NDArray[np.intp]) -> Floats:
    """Give of n rows with the same name the one of least effort."""
    order = np.argsort(search.reach.efforts(rows).sum(axis=1), kind="stable")
    _, first = np.unique(names[order], return_index=True)
    return rows[order[first]]
