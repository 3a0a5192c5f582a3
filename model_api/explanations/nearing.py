"""Draws rows that are as wanted back to the case: needless changes are undone, numbers moved no farther than needed.

Many rows at once, and every one stays as wanted: one may stop at any time.
"""

import numpy as np
import numpy.typing as npt

from model_api.explanations.search import Search
from model_api.runtimes import Floats

PARTS = 8
"""Parts into which the way of a number is cut at a time."""
CUTS = 3
"""How often it is cut."""
TURNS = 4
"""Numbers of a row that are moved, one after the other, the one with the largest effort first."""


def put_back(search: Search, rows: Floats, *, thrifty: bool) -> Floats:
    """Undo changes of n rows while they stay as wanted, until no further one can be undone.

    In which order: what is least needed first, or, if `thrifty`, what is least needed for the effort that it takes.
    """
    rows = rows.copy()
    while True:
        who, what = np.nonzero(search.reach.moved(rows))
        if not len(who) or not search.affords(2 * len(who)):
            return rows
        tried = rows[who]
        tried[np.arange(len(who)), what] = search.reach.base[what]
        asked = search.ask(tried)
        if not asked.granted.any():
            return rows
        needs = -asked.margins
        if thrifty:
            now = search.ask(rows).margins
            saved = search.reach.efforts(rows)[who, what] - search.reach.efforts(tried)[np.arange(len(who)), what]
            needs = (now[who] - asked.margins) / np.maximum(saved, 1e-9)
        table = np.full(rows.shape, np.inf)
        table[who, what] = np.where(asked.granted, needs, np.inf)
        rows = _undone_together(search, rows, table)


def _undone_together(search: Search, rows: Floats, needs: Floats) -> Floats:
    """Undo as many changes of each row at once, in the order of their `needs`, as leave it as wanted.

    `needs`: n × features, infinite where a change cannot be undone even alone.
    """
    order = np.argsort(needs, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    most = np.isfinite(needs).sum(axis=1)
    who = np.repeat(np.arange(len(rows)), most)
    many = np.arange(len(who)) - np.repeat(np.cumsum(most) - most, most) + 1  # 1 to `most` for each row
    tried = np.where(rank[who] < many[:, None], search.reach.base, rows[who])
    granted = search.ask(tried).granted | (many == 1)  # one alone was asked about before
    longest = np.zeros(len(rows), dtype=np.intp)
    np.maximum.at(longest, who[granted], many[granted])
    return np.asarray(np.where(rank < longest[:, None], search.reach.base, rows))


def draw_near(search: Search, rows: Floats) -> Floats:
    """Move the numbers of n rows as near to the case as leaves them as wanted, in values that a person would write."""
    rows, reach = rows.copy(), search.reach
    efforts = np.where(reach.moved(rows) & ~np.isnan(reach.base) & ~reach.named, reach.efforts(rows), 0.0)
    order = np.argsort(-efforts, axis=1, kind="stable")[:, :TURNS]
    for turn in range(order.shape[1]):
        who = np.flatnonzero(efforts[np.arange(len(rows)), order[:, turn]] > 0)
        if len(who):
            rows[who] = _drawn(search, rows[who], order[who, turn])
    return rows


def _drawn(search: Search, rows: Floats, places: npt.NDArray[np.intp]) -> Floats:
    """Move one number of each of n rows: cut its way to the base into parts, then the part where the answer turns."""
    rows, reach, each = rows.copy(), search.reach, np.arange(len(rows))
    near = reach.base[places]
    for _ in range(CUTS):
        far = rows[each, places]
        which = np.flatnonzero(np.abs(far - near) > reach.units[places] * 1.001)
        steps = PARTS - 1
        if not len(which) or not search.affords(len(which) * steps):
            break
        start, stop, place = near[which, None], far[which, None], places[which]
        values = start + (stop - start) * (np.arange(1, PARTS) / PARTS)
        values = reach.written(values, np.repeat(place[:, None], steps, axis=1))
        values = np.clip(values, np.minimum(start, stop), np.maximum(start, stop))
        tried = np.repeat(rows[which], steps, axis=0)
        tried[np.arange(len(tried)), np.repeat(place, steps)] = values.ravel()
        granted = search.ask(tried).granted.reshape(values.shape)
        first = np.where(granted.any(axis=1), granted.argmax(axis=1), steps)
        line = np.concatenate([start, values, stop], axis=1)
        near[which] = np.take_along_axis(line, first[:, None], axis=1)[:, 0]
        rows[which, place] = np.take_along_axis(line, first[:, None] + 1, axis=1)[:, 0]
    return rows
