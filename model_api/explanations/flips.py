"""What would change the decision: for each feature by itself, the nearest value at which it is another."""

from typing import Any

import numpy as np

from model_api.explanations.boundaries import Search, Tried, brackets_of, is_all
from model_api.explanations.grids import known_codes, levels_left_out
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import LARGEST, Question, decision_of, described

LEVEL = 1.0
"""Effort of another level: as much as a spread of a number, whichever it is."""


def flips(question: Question) -> dict[str, Any]:
    """Answer the call `flips`; its options are `threshold`, and `class` or `output`."""
    question.require_options(*OPTIONS["flips"])
    question.require_data()
    search = Search(question, decision_of(question))
    tried = search.first()
    brackets, directions = brackets_of(search, tried)
    search.narrow(brackets)
    found = dict(zip(directions, search.written(brackets), strict=True))
    listed = [
        _along(search, place, found) if place in search.scales else _among_levels(search, place, tried[place])
        for place in range(question.subject.count)
    ]
    for place in search.scales:
        if np.isnan(question.case[place]):
            listed[place] |= _of_unknown(search, place, tried[place])
    return {
        **described(question, search.decision.focus),
        "decision": search.decision.name(question, search.base),
        "threshold": search.decision.threshold,
        "flips": sorted(listed, key=_effort),
        "approximation": _approximation(search, tried),
    }


def _head(question: Question, place: int) -> dict[str, Any]:
    name = question.features[place].name
    nothing = dict.fromkeys(("flips_at", "decision", "below", "above", "effort", "levels"))
    return {"feature": name, "value": question.row[name], **nothing}


def _along(search: Search, place: int, found: dict[tuple[int, str], tuple[float, int]]) -> dict[str, Any]:
    """Say where the decision changes below and above the case's value."""
    question = search.question
    answer, best = _head(question, place), np.inf
    for direction in ("below", "above"):
        if (place, direction) not in found:
            continue
        code, decided = found[place, direction]
        there = {
            "value": question.subject.coding.value(place, code),
            "decision": search.decision.name(question, decided),
        }
        answer[direction] = there
        effort = min(abs(code - float(question.case[place])) / float(question.subject.spreads[place]), LARGEST)
        if effort < best:
            best = effort
            answer |= {"flips_at": there["value"], "decision": there["decision"], "effort": effort}
    return answer


def _of_unknown(search: Search, place: int, tried: Tried) -> dict[str, Any]:
    """Say of an unknown value the most usual one at which the decision would be another; no effort leads there."""
    other, known = tried.decided != search.base, known_codes(search.question, place)
    if not other.any():
        return {}
    usual = np.median(known if len(known) else tried.codes)
    nearest = np.flatnonzero(other)[np.abs(tried.codes[other] - usual).argmin()]
    return {
        "flips_at": search.question.subject.coding.value(place, tried.codes[nearest]),
        "decision": search.decision.name(search.question, int(tried.decided[nearest])),
    }


def _among_levels(search: Search, place: int, tried: Tried) -> dict[str, Any]:
    """Say what is decided for each level; of those that change it the one with the largest change of score stands."""
    question = search.question
    values = question.subject.coding.values(place, tried.codes)
    names = [search.decision.name(question, decided) for decided in tried.decided.tolist()]
    answer = _head(question, place)
    answer["levels"] = [{"value": value, "decision": name} for value, name in zip(values, names, strict=True)]
    other = (tried.decided != search.base) & (tried.codes != question.case[place])
    if not other.any():
        return answer
    chosen = int(np.where(other, np.abs(tried.scores - search.score), -1.0).argmax())
    effort = None if np.isnan(question.case[place]) else LEVEL
    return answer | {"flips_at": values[chosen], "decision": names[chosen], "effort": effort}


def _effort(item: dict[str, Any]) -> tuple[bool, bool, float]:
    return item["flips_at"] is None, item["effort"] is None, item["effort"] or 0.0


def _approximation(search: Search, tried: list[Tried]) -> dict[str, Any] | None:
    coarse = [
        len(tried[place].codes) for place, scale in search.scales.items() if not is_all(scale, len(tried[place].codes))
    ]
    cut = [found["why"] for place in range(len(tried)) if (found := levels_left_out(search.question, place))]
    if not coarse:
        return {"why": "; ".join(cut)} if cut else None
    why = (
        f"ranges were searched at {min(coarse)} to {max(coarse)} values: a change that holds only between two is missed"
    )
    if search.ended_early:
        why += "; and the model takes so long that the boundaries are farther off than they need to be"
    return {"why": "; ".join([why, *cut]), "values": min(coarse)}
