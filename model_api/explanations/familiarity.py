"""Whether a case is like those that the model learnt from: inside them, at their edge, or outside.

Three things are measured: each value by itself (tails.py), the numbers beside each other (combination.py), and how far
the nearest reference row is (distances.py). Their limits are set together, on reference rows that are each compared
with the others: one in twenty ordinary cases is at the edge or outside by any of the three, one in a hundred outside.
"""

import logging
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from model_api.explanations.coding import NAMED
from model_api.explanations.combination import Combination, Rest, combination_of
from model_api.explanations.distances import Distances, nearest_within, once_per_reference
from model_api.explanations.familiarity_words import (
    STATUSES,
    Status,
    about_distance,
    about_rest,
    about_value,
    beyond,
    sentence_of,
)
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Question
from model_api.explanations.subject import Subject
from model_api.explanations.tails import Values
from model_api.runtimes import Floats

SHARES = (0.95, 0.99)
"""Of ordinary cases the share that is inside, and the share that is not outside."""
FEW = 100
"""Reference rows below which the second share cannot be told from them."""
OUTSIDE = "a case is outside the training data model=%s version=%s"
logger = logging.getLogger("model_api.explanations")


@dataclass(frozen=True)
class Limits:
    """Up to where a measure is inside, and up to where it is at the edge."""

    edge: float
    outside: float

    def status(self, found: float) -> Status:
        """Tell where a measure lies."""
        return STATUSES[(found > self.edge) + (found > self.outside)]


@dataclass(frozen=True)
class Sample:
    """What is learnt from a reference sample."""

    values: Values
    combination: Combination | None
    distances: Floats
    """How far reference rows are from the nearest other one, ascending."""
    limits: tuple[Limits, Limits, Limits]
    """Of the most unusual value, of the most unusual rest, and of the distance."""


@dataclass(frozen=True)
class Familiarity:
    """How familiar one case is."""

    values: tuple[Status, ...]
    """One a feature."""
    combination: Status
    distance: Status
    nearest: int
    """Position of the nearest reference row."""
    away: float
    """How far that is."""
    rest: Rest | None
    """The number that goes least with the others; None where nothing is known of that."""

    @property
    def joint(self) -> Status:
        """The worse of combination and distance."""
        return worst(self.combination, self.distance)

    @property
    def status(self) -> Status:
        """The worst of all."""
        return worst(self.joint, *self.values)


def worst(*statuses: Status) -> Status:
    """Give the status that is farthest outside."""
    return max(statuses, key=STATUSES.index)


def worse(one: Status, other: Status) -> bool:
    """Tell whether one status is farther outside than another."""
    return STATUSES.index(one) > STATUSES.index(other)


def trust(question: Question) -> dict[str, Any]:
    """Answer the call `trust`, which has no options. One that is outside is noted in the log."""
    question.require_options(*OPTIONS["trust"])
    question.require_data()
    sample, found = sample_of(question.subject), familiarity_of(question.subject, question.case)
    if found.status == "outside":
        manifest = question.model.artifact.manifest
        logger.info(OUTSIDE, manifest.name, manifest.version)
    messages = [about_value(question, place, status) for place, status in enumerate(found.values)]
    return {
        "status": found.status,
        "sentence": sentence_of(found.status, _reasons(question, found, messages)),
        "features": [
            {
                "feature": feature.name,
                "status": found.values[place],
                "value": question.row[feature.name],
                "percentile": _percentile(question, place),
                "message": messages[place],
            }
            for place, feature in enumerate(question.features)
        ],
        "joint": _joint(question, found, sample),
        "approximation": _approximation(len(question.subject.reference)),
    }


def familiarity_of(subject: Subject, case: Floats) -> Familiarity:
    """Tell how familiar a case is, given as codes. Takes a moment for a sample that is new."""
    sample = sample_of(subject)
    by_value, by_rest, by_distance = sample.limits
    values = sample.values.surprise(case[None])[0].tolist()
    rests = sample.combination.surprise(case[None])[0] if sample.combination else np.zeros(1)
    apart = Distances(subject).to_reference(case[None])[0]
    nearest = int(apart.argmin())
    return Familiarity(
        tuple(_of_value(subject, place, case[place], by_value.status(found)) for place, found in enumerate(values)),
        by_rest.status(float(rests.max())),
        by_distance.status(float(apart[nearest])),
        nearest,
        float(apart[nearest]),
        sample.combination.rest(case, int(rests.argmax())) if sample.combination else None,
    )


def _of_value(subject: Subject, place: int, code: float, status: Status) -> Status:
    """Tell where one value lies: what occurs is at the edge at most, and an unknown level outside.

    Unless levels that the sample does not have are usual in this feature: then one more is as well.
    """
    feature = subject.signature.features[place]
    if np.isnan(code):
        occurs = bool(feature.missing_rate or np.isnan(subject.reference[:, place]).any())
    elif feature.type in NAMED:
        occurs = feature.type != "category" or subject.coding.value(place, code) in feature.categories
        status = status if occurs or sample_of(subject).values.often_new(place) else "outside"
    else:
        occurs = beyond(subject, place, code) is None
    return min(status, "edge", key=STATUSES.index) if occurs else status


@once_per_reference
def sample_of(subject: Subject) -> Sample:
    """Learn from the reference sample of a subject what is usual."""
    values, combination = Values(subject), combination_of(subject)
    rows, own = nearest_within(subject)
    surprises = values.surprise(subject.reference[rows], among=True).max(axis=1)
    rests = combination.among[rows].max(axis=1) if combination else np.zeros(len(rows))
    return Sample(values, combination, np.sort(own), _limits(np.stack([surprises, rests, own])))


def _limits(measures: Floats) -> tuple[Limits, Limits, Limits]:
    """Set the limits of three measures of n rows, 3 × n, so that `SHARES` of the rows keep all three.

    Each measure is made a rank; a row is as unusual as its highest. As in split conformal prediction, the limit is the
    ⌈(n + 1) share⌉-th of the ranks, or the last.
    """
    ascending = np.sort(measures, axis=1)
    count = measures.shape[1]
    below = np.stack([np.searchsorted(sorted_, found) for sorted_, found in zip(ascending, measures, strict=True)])
    ranks = np.sort(below.max(axis=0))
    edge, outside = (int(ranks[min(ceil((count + 1) * share), count) - 1]) for share in SHARES)
    first, second, third = (Limits(float(found[edge]), float(found[outside])) for found in ascending)
    return first, second, third


def _reasons(question: Question, found: Familiarity, messages: list[str | None]) -> list[str]:
    """Say what is unusual, the worst first; for a case that is inside, what is a little so.

    Neither is said of a number twice, nor how far the nearest row is where the reason for that is known.
    """
    said = sorted(zip(found.values, messages, strict=True), key=lambda pair: -STATUSES.index(pair[0]))
    if found.status == "inside":
        return [message for _, message in said if message]
    reasons: list[tuple[Status, str]] = [(at, message) for at, message in said if message and at != "inside"]
    if found.rest and worse(found.combination, found.values[found.rest.place]):
        reasons.append((found.combination, about_rest(question, found.rest)))
    if not reasons:
        return [about_distance(question, found.nearest, found.away)]
    return [message for _, message in sorted(reasons, key=lambda pair: -STATUSES.index(pair[0]))]


def _percentile(question: Question, place: int) -> float | None:
    """Give the share of reference values below that of the case, half of its equals among them; None without order."""
    code, column = question.case[place], question.subject.reference[:, place]
    known = column[~np.isnan(column)]
    if question.features[place].type in NAMED or np.isnan(code) or not len(known):
        return None
    return float(((known < code).sum() + (known <= code).sum()) / (2 * len(known)))


def _joint(question: Question, found: Familiarity, sample: Sample) -> dict[str, Any]:
    limits = sample.limits[2]
    return {
        "status": found.joint,
        "distance": found.away,
        "usual": float(np.median(sample.distances)),
        "limit": limits.outside if found.distance == "outside" else limits.edge,
        "percentile": float(np.searchsorted(sample.distances, found.away) / len(sample.distances)),
        "combination": _combination(question, found),
    }


def _combination(question: Question, found: Familiarity) -> dict[str, Any] | None:
    """Say which number goes least with the other values, what these suggest, and whether that is unusual."""
    rest = found.rest
    if rest is None:
        return None
    names = question.subject.signature.names
    return {
        "status": found.combination,
        "feature": names[rest.place],
        "value": question.row[names[rest.place]],
        "expected": question.subject.coding.value(rest.place, rest.expected),
        "other": None if rest.other is None else names[rest.other],
    }


def _approximation(rows: int) -> dict[str, Any] | None:
    if rows >= FEW:
        return None
    return {"why": f"there are only {rows} reference rows, from which limits cannot be told exactly", "rows": rows}
