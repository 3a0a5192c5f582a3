"""What would change it: a few cases near this one for which the model says what is wanted, within limits.

The search sets out from reference rows that are as wanted and from changes of one feature or two (starts.py), undoes
what is needless and moves numbers back toward the case (nearing.py), and keeps a few answers of little effort that
differ from each other. Whatever it gives was asked of the model last, with every limit checked; that there is nothing
of less effort is not shown. Wachter, Mittelstadt & Russell, Counterfactual Explanations without Opening the Black Box
(2018); Mothilal, Sharma & Tan, Explaining Machine Learning Classifiers through Diverse Counterfactual Explanations
(FAT* 2020).
"""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.explanations.coding import same
from model_api.explanations.distances import Distances
from model_api.explanations.hindrances import hindrance
from model_api.explanations.nearing import draw_near, put_back
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Question
from model_api.explanations.reach import Reach
from model_api.explanations.search import Search, distinct
from model_api.explanations.starts import starts
from model_api.explanations.wishes import Limits, Wish, limits_of, wish_of
from model_api.runtimes import Floats, Output
from model_api.values import Value

EACH = 0.3
"""What one more changed feature costs, in spreads, where answers are chosen: few changes are easier to make."""
ODD = 0.1
"""Share of reference rows; a case farther from the data than all but so many of them costs up to twice as much."""
SHORTLIST = 24
"""Rows that are drawn near."""
ALIKE = 2
"""Of those, rows in which the same features are changed."""
APART = 0.5
"""Spreads by which an answer differs in some feature from one that changes no other features."""
CASE_HOLDS = "the prediction is already as wanted"


def counterfactuals(question: Question) -> dict[str, Any]:
    """Answer the call `counterfactuals`; its options are those of `wish_of` and `limits_of`, and `count`."""
    question.require_options(*OPTIONS["counterfactuals"])
    question.require_data()
    wish, wanted = wish_of(question)
    limits = limits_of(question)
    count = question.whole("count", 3, 1, 10)
    if wish.granted(question.output)[0]:
        return _answer(wanted, [], CASE_HOLDS, None)
    search, pool = _found(question, wish, limits)
    answers = _chosen(search, pool, count)
    why = None if answers else hindrance(search, limits)
    return _answer(wanted, answers, why, _approximation(search))


def _answer(
    wanted: dict[str, Any], answers: list[dict[str, Any]], why: str | None, approximation: dict[str, Any] | None
) -> dict[str, Any]:
    found = {"wanted": wanted, "found": len(answers), "counterfactuals": answers, "why_none": why}
    return {**found, "approximation": approximation}


def _approximation(search: Search) -> dict[str, Any] | None:
    if not search.short_of_time:
        return None
    why = "there was no time for all that is tried with a faster model, so there may be answers that take less effort"
    return {"why": why, "looked_at": search.looked_at}


def _found(question: Question, wish: Wish, limits: Limits) -> tuple[Search, Floats]:
    """Look for rows as wanted in which what is unknown stays so, and if there are none, for others."""
    search = Search(question, wish, Reach(question.subject, question.case, limits))
    pool = _pool(search)
    if len(pool):
        return search, pool
    reach = Reach(question.subject, question.case, limits, free=True)
    if (reach.kept == search.reach.kept).all():
        return search, pool
    freer = search.within(reach)
    return freer, _pool(freer)


def _pool(search: Search) -> Floats:
    """Give rows that are as wanted, as near to the case as they were got."""
    reach = search.reach
    if reach.conflict is not None:
        return np.empty((0, len(reach.case)))
    begin = starts(search)
    rows = [put_back(search, begin.many, thrifty=True), put_back(search, begin.many, thrifty=False), begin.few]
    drawn = distinct(draw_near(search, _shortlist(search, np.concatenate(rows))))
    return drawn[np.argsort(_costs(reach, drawn), kind="stable")]


def _costs(reach: Reach, rows: Floats) -> Floats:
    efforts = reach.efforts(rows)
    costs: Floats = efforts.sum(axis=1) + EACH * (efforts > 0).sum(axis=1)
    return costs


def _shortlist(search: Search, rows: Floats) -> Floats:
    """Leave the rows that cost least, a few for every set of changed features."""
    chosen: list[int] = []
    alike: Counter[bytes] = Counter()
    rows = distinct(rows)
    moved = search.reach.moved(rows)
    for place in np.argsort(_costs(search.reach, rows), kind="stable").tolist():
        alike[moved[place].tobytes()] += 1
        if alike[moved[place].tobytes()] <= ALIKE:
            chosen.append(place)
    return rows[chosen[:SHORTLIST]]


def _chosen(search: Search, pool: Floats, count: int) -> list[dict[str, Any]]:
    """Choose a few rows that cost little and differ from each other, verify them, and say them by effort."""
    question, reach = search.question, search.reach
    pool = pool[[reach.holds(row) for row in pool]]
    if not len(pool):
        return []
    percentiles = Distances(question.subject).nearest_percentile(pool)
    costs = _costs(reach, pool) * (2 - np.minimum(percentiles / ODD, 1))
    while True:  # ends: what does not hold is left out, which almost never happens
        chosen = _diverse(reach, pool, costs, count)
        if not len(chosen):
            return []
        output = question.subject.ask(pool[chosen])
        granted = search.wish.granted(output)
        if granted.all():
            break
        costs[chosen[~granted]] = np.inf
    efforts = reach.efforts(pool[chosen]).sum(axis=1)
    return [
        _said(
            question, pool[chosen[at]], output.of(slice(at, at + 1)), float(efforts[at]), float(percentiles[chosen[at]])
        )
        for at in np.argsort(efforts, kind="stable").tolist()
    ]


def _diverse(reach: Reach, pool: Floats, costs: Floats, count: int) -> npt.NDArray[np.intp]:
    """Choose rows one after the other; one that changes the same features as one before costs up to twice as much."""
    changed = reach.efforts(pool) > 0
    left = costs.copy()
    chosen: list[int] = []
    while len(chosen) < count and np.isfinite(left).any():
        best = int(left.argmin())
        chosen.append(best)
        shared = (changed & changed[best]).sum(axis=1) / np.maximum((changed | changed[best]).sum(axis=1), 1)
        apart = reach.apart(pool, pool[best]).max(axis=1)
        left = np.maximum(left, costs * (1 + shared))
        left[(changed[best] <= changed).all(axis=1) & (apart < APART)] = np.inf
    return np.array(chosen, dtype=np.intp)


def _said(question: Question, row: Floats, output: Output, effort: float, percentile: float) -> dict[str, Any]:
    coding, target = question.subject.coding, question.subject.target
    instance: dict[str, Value] = {}
    changes = []
    as_before = same(row, question.case)
    for place, feature in enumerate(question.features):
        before = question.row[feature.name]
        after = before if as_before[place] else coding.value(place, row[place])
        instance[feature.name] = after
        if after != before:
            changes.append({"feature": feature.name, "from": before, "to": after})
    prediction: Any
    probabilities = None
    if output.numbers is not None:
        numbers = output.numbers[0].tolist()
        prediction = dict(zip(target.outputs, numbers, strict=True)) if target.outputs else numbers
    else:
        assert output.labels is not None
        prediction = target.classes[output.labels[0]]
        if output.probabilities is not None:
            probabilities = dict(zip(target.class_names, output.probabilities[0].tolist(), strict=True))
    return {
        "instance": instance,
        "changes": changes,
        "prediction": prediction,
        "probabilities": probabilities,
        "effort": effort,
        "distance_percentile": percentile,
    }
