"""Where to draw the line: the threshold whose mistakes cost least on held-out rows, and on which side the case is.

A case is taken for a class where its probability is at least the threshold. A threshold costs, per case, the false
positives and false negatives among the held-out rows, each times what one costs, divided by the rows (Elkan, The
Foundations of Cost-Sensitive Learning, IJCAI 2001, found empirically instead of from the costs' ratio alone, so that it
holds for probabilities that are not calibrated, too).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_api.errors import Unsupported
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Question, described
from model_api.explanations.subject import Focus
from model_api.served_thresholds import has_threshold

LARGEST_COST = 1e12
"""Beside a larger one the other cost would be lost in rounding."""
INTERPOLATED = (
    "the served threshold lies between two at which mistakes were counted, and so do the numbers given for it"
)


@dataclass(frozen=True)
class Mistakes:
    """How many held-out rows are taken for the wrong class at each threshold, and what that costs."""

    curve: Mapping[str, Any]
    """What was counted for the class: a curve of quality.json."""
    false_positive: float
    """What it costs to take another case for one of the class."""
    false_negative: float
    """What it costs to miss one."""

    def points(self) -> list[dict[str, float]]:
        """Give every threshold that was counted, ascending, in the wire form."""
        columns = (self.curve[name] for name in ("thresholds", "false_positives", "false_negatives"))
        return [self._point(*row) for row in zip(*columns, strict=True)]

    @property
    def cost_of_none(self) -> float:
        """What it costs to take no case for one of the class: no threshold does that where a probability is 1."""
        return self._point(1.0, 0.0, self.curve["positives"])["cost"]

    def at(self, threshold: float) -> dict[str, float]:
        """Give one threshold; between two that were counted, on the line between their counts."""
        found = [point for point in self.points() if point["threshold"] == threshold]
        wrong, missed = (
            float(np.interp(threshold, self.curve["thresholds"], self.curve[name]))
            for name in ("false_positives", "false_negatives")
        )
        return found[0] if found else self._point(threshold, wrong, missed)

    def _point(self, threshold: float, wrong: float, missed: float) -> dict[str, float]:
        positives, rows = self.curve["positives"], self.curve["positives"] + self.curve["negatives"]
        return {
            "threshold": threshold,
            "false_positives": wrong,
            "false_negatives": missed,
            "flagged": (positives - missed + wrong) / rows,
            "cost": (self.false_positive * wrong + self.false_negative * missed) / rows,
        }


def decisions(question: Question) -> dict[str, Any]:
    """Answer the call `decisions`.

    Its options are what a false positive and a false negative cost, the share of cases that may be flagged, and the
    class, by default the positive one. Raises Unsupported where the version has not two classes with counted mistakes.
    """
    question.require_options(*OPTIONS["decisions"])
    focus = _focus(question)
    costs = _cost(question, "cost_false_positive"), _cost(question, "cost_false_negative")
    capacity = question.number("capacity", None, 0.0, 1.0)
    curve = _curve(question, focus.place)
    mistakes = Mistakes(curve, *costs)
    points = mistakes.points()
    best = _best(points, capacity)
    served, interpolated = _served(question, focus.place, *costs)
    quality = question.model.artifact.quality
    assert quality is not None
    return {
        **described(question, focus),
        "positives": curve["positives"],
        "negatives": curve["negatives"],
        "points": points,
        "best": best,
        "why_none": None if best else f"each threshold flags more than {capacity:.4g} of the held-out rows",
        "case": _case(question, focus, best),
        "method": quality["method"],
        "served": served,
        "approximation": _approximation(interpolated, _cheaper_none(mistakes, points, best)),
    }


def _focus(question: Question) -> Focus:
    target = question.subject.target
    if not has_threshold(target):
        raise Unsupported("a threshold is for models of two classes that tell how probable each is")
    return Focus("probability", question.class_place("class") if "class" in question.options else target.positive_place)


def _cost(question: Question, option: str) -> float:
    cost = question.number(option, 1.0, 0.0, LARGEST_COST)
    return 1.0 if cost is None else cost


def _curve(question: Question, place: int) -> Mapping[str, Any]:
    """Find the counted mistakes of a class. Raises Unsupported."""
    quality = question.model.artifact.quality
    if quality is None:
        raise Unsupported("this version was published without data, so nobody knows what its mistakes would cost")
    curves = quality.get("curves")
    counted = curves.get("thresholds", {}) if isinstance(curves, Mapping) else {}
    curve: Mapping[str, Any] | None = counted.get(question.subject.target.class_names[place])
    if curve is None:
        raise Unsupported(
            "the mistakes at each threshold were not counted when this version was published; publish it anew"
        )
    return curve


def _best(points: Sequence[dict[str, float]], capacity: float | None) -> dict[str, float] | None:
    """Give the cheapest point within the capacity; of several the middle one, which is farthest from a mistake more."""
    allowed = [point for point in points if capacity is None or point["flagged"] <= capacity]
    if not allowed:
        return None
    least = min(point["cost"] for point in allowed)
    cheapest = [point for point in allowed if point["cost"] == least]
    return cheapest[len(cheapest) // 2]


def _case(question: Question, focus: Focus, best: Mapping[str, float] | None) -> dict[str, Any]:
    """Tell on which side of the best threshold the case is, and how far from it."""
    probability = float(focus.of(question.output)[0])
    if best is None:
        return {"probability": probability, "decision": None, "margin": None}
    margin = probability - best["threshold"]
    decided = question.subject.target.classes[focus.place if margin >= 0 else 1 - focus.place]
    return {"probability": probability, "decision": decided, "margin": margin}


def _cheaper_none(mistakes: Mistakes, points: Sequence[dict[str, float]], best: Mapping[str, float] | None) -> str:
    """Say so where it would cost less to take no case for one of the class, which no threshold does."""
    if not points[-1]["flagged"] or (best is not None and best["cost"] <= mistakes.cost_of_none):
        return ""
    return (
        f"no threshold up to {points[-1]['threshold']:g} takes no case at all for one of the class, because the"
        f" probability of some is that high; to do so would cost {mistakes.cost_of_none:.4g} per case"
    )


def _approximation(*why: str) -> dict[str, Any] | None:
    said = "; ".join(filter(None, why))
    return {"why": said} if said else None


def _served(
    question: Question, place: int, false_positive: float, false_negative: float
) -> tuple[dict[str, Any] | None, str]:
    """Tell what the served threshold costs, and why that is an approximation if it is one.

    It is of the positive class; to who looks at the other one, each of its mistakes is one of the other kind.
    """
    threshold = question.served_threshold
    if threshold is None:
        return None, ""
    target = question.subject.target
    curve, level = _curve(question, target.positive_place), target.classes[target.positive_place]
    if place == target.positive_place:
        point = Mistakes(curve, false_positive, false_negative).at(threshold)
    else:
        point = Mistakes(curve, false_negative, false_positive).at(threshold)
        wrong, missed = point["false_negatives"], point["false_positives"]
        point |= {"false_positives": wrong, "false_negatives": missed, "flagged": 1 - point["flagged"]}
    return {"class": level, **point}, "" if threshold in curve["thresholds"] else INTERPOLATED
