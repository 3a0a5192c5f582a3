"""Why there is no counterfactual: which limit stands in the way, as far as reference rows tell."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from model_api.explanations.question import Question
from model_api.explanations.reach import Reach
from model_api.explanations.search import Search
from model_api.explanations.wishes import Limits
from model_api.runtimes import Floats

FEWEST = 20
"""Reference rows without which nothing is learnt of a limit."""
MOST = 300
"""Reference rows with which enough is."""
MOST_NAMED = 3
"""Limits that are named in one sentence."""


def hindrance(search: Search, limits: Limits) -> str:
    """Say in a sentence why nothing was found."""
    question, reach = search.question, search.reach
    if reach.conflict is not None:
        return _conflict(question, reach, reach.conflict)
    if not limits:
        return f"no case was found for which the model says so{_nearest(search)}"
    for tries in (dict(_one_by_one(question, limits)), dict(_by_kind(limits)), {"any limits": Limits()}):
        helpful = [words for words, counted in _counted(search, tries).items() if counted]
        if helpful:
            named = " or ".join(helpful[:MOST_NAMED])
            return f"nothing within the limits is as wanted{_nearest(search)}; without {named} there would be something"
    return f"neither within the limits nor without them was a case found for which the model says so{_nearest(search)}"


def _conflict(question: Question, reach: Reach, place: int) -> str:
    name = question.features[place].name
    if reach.low[place] > reach.high[place]:
        return f"the range of {name} has no value on the side to which it may go"
    return f"{name} may not be changed, and its value is not in the range that is allowed for it"


def _nearest(search: Search) -> str:
    """Say how near to the wish the search came."""
    number, focus = search.nearest[1], search.wish.focus
    if not np.isfinite(number) or focus.kind == "predicted":
        return ""
    words = "probability" if focus.kind == "probability" else "prediction"
    return f" (the nearest {words} is {number:.4g})"


def _one_by_one(question: Question, limits: Limits) -> Iterator[tuple[str, Limits]]:
    """Give the limits with one of them left out, each in words."""
    names = question.subject.signature.names
    for place in sorted(limits.locked):
        yield f"the lock of {names[place]}", replace(limits, locked=limits.locked - {place})
    for place in limits.spans:
        left = {other: span for other, span in limits.spans.items() if other != place}
        yield f"the range of {names[place]}", replace(limits, spans=left)
    for place in limits.levels:
        others = {other: levels for other, levels in limits.levels.items() if other != place}
        yield f"the range of {names[place]}", replace(limits, levels=others)
    for place in limits.directions:
        signs = {other: sign for other, sign in limits.directions.items() if other != place}
        yield f"the direction of {names[place]}", replace(limits, directions=signs)


def _by_kind(limits: Limits) -> Iterator[tuple[str, Limits]]:
    """Give the limits with all of a kind left out, each in words."""
    if limits.locked:
        yield "the locks", replace(limits, locked=frozenset())
    if limits.spans or limits.levels:
        yield "the ranges", replace(limits, spans={}, levels={})
    if limits.directions:
        yield "the directions", replace(limits, directions={})


def _counted(search: Search, tries: dict[str, Limits]) -> dict[str, int]:
    """Count under each of several limits the reference rows that are as wanted, of as many as there is time for."""
    question = search.question
    reference = _likely(search)
    most = min(len(reference), MOST, search.most() // max(1, len(tries)))
    if most < min(FEWEST, len(reference)):
        search.short_of_time = True
        return {}
    reaches = [Reach(question.subject, question.case, limits, free=True) for limits in tries.values()]
    rows = [reach.project(reference[:most]) for reach in reaches if reach.conflict is None]
    granted = iter(np.split(search.wish.granted(question.subject.ask(np.concatenate(rows))), len(rows)) if rows else [])
    counted = [int(next(granted).sum()) if reach.conflict is None else 0 for reach in reaches]
    return dict(zip(tries, counted, strict=True))


def _likely(search: Search) -> Floats:
    """Give the reference rows, first those whose true value is as wanted."""
    question = search.question
    likely = search.wish.suits(question, question.model.artifact.reference.target)
    return question.subject.reference[np.argsort(~likely, kind="stable")]
