"""What is said of a case that is unlike the training data, to the person who has to decide about it."""

from typing import Literal

from model_api.explanations.combination import Rest
from model_api.explanations.distances import Distances
from model_api.explanations.question import Question
from model_api.explanations.subject import Subject
from model_api.runtimes import Floats
from model_api.signature import ORDERED, Feature, format_range
from model_api.values import Value, clip, echo, percent, show

Status = Literal["inside", "edge", "outside"]
STATUSES: tuple[Status, ...] = ("inside", "edge", "outside")
WHERE: dict[Status, str] = {
    "inside": "This case is inside the training data",
    "edge": "This case is at the edge of the training data",
    "outside": "This case is outside the training data",
}
MOST_REASONS = 3
"""Reasons that one sentence gives."""
DIGITS = 3
"""Of a number that is only suggested."""


def sentence_of(status: Status, reasons: list[str]) -> str:
    """Put the sentence together. `reasons`: why, the worst first; of a case inside, what is still worth a word."""
    more = len(reasons) - MOST_REASONS
    said = "; ".join(reasons[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
    if status == "inside":
        rest = f", though {said}" if said else ": cases like it occur there"
        return f"{WHERE[status]}{rest}."
    return f"{WHERE[status]}: {said}."


def about_value(question: Question, place: int, status: Status) -> str | None:
    """Say what is unusual about the value of a feature; None if nothing is."""
    said = _about_value(question, place, status)
    return f"{titled(question.subject, place)} {said}" if said else None


def _about_value(question: Question, place: int, status: Status) -> str | None:
    feature, code = question.features[place], float(question.case[place])
    value = question.row[feature.name]
    if value is None:
        return None if status == "inside" else f"is unknown, {_how_often(feature.missing_rate)}"
    shown = written(feature, value)
    if feature.type in ORDERED and (side := beyond(question.subject, place, code)):
        little = "a little " if status == "inside" else ""
        return f"{shown} is {little}{side} every training value ({format_range(feature)})"
    if feature.type == "category" and value not in feature.categories:
        return f"{shown} never occurred in training"
    if status == "inside":
        return None
    column = question.subject.reference[:, place]
    if feature.type in ORDERED:
        return f"{shown} is {_rank(feature, column, code)}"
    return f"{shown} occurs in only {_percent(float((column == code).mean()))} of the training cases"


def about_rest(question: Question, rest: Rest) -> str:
    """Say which number does not go with the others."""
    feature = question.features[rest.place]
    value = written(feature, question.row[feature.name])
    others = "the other values"
    if rest.other is not None:
        other = question.features[rest.other]
        beside = f"{titled(question.subject, rest.other)} {written(other, question.row[other.name])}"
        others = f"{beside} and the other values"
    expected = question.subject.coding.value(rest.place, rest.expected)
    title, about = titled(question.subject, rest.place), _about(feature, expected)
    return f"{title} {value} does not go with {others}, which suggest about {about}"


def about_distance(question: Question, nearest: int, away: float) -> str:
    """Say that no reference row is near, and by which features the nearest one differs most."""
    subject = question.subject
    differs = Distances(subject).by_feature(question.case, subject.reference[nearest : nearest + 1])[0]
    most = sorted(range(subject.count), key=lambda place: -differs[place])[:2]
    names = " and ".join(titled(subject, place) for place in most if differs[place] > 0)
    return f"no case like it was seen, and the nearest differs by {percent(away)} on average, most in {names}"


def titled(subject: Subject, place: int) -> str:
    """Call a feature by its label, unless another one has the same; then by its name."""
    feature = subject.signature.features[place]
    alike = sum(other.title == feature.title for other in subject.signature.features)
    return clip(feature.title if alike == 1 else feature.name)


def written(feature: Feature, value: Value) -> str:
    """Write a value with its unit."""
    if feature.type not in ORDERED:
        return echo(value)
    return show(value, feature.zone) + (f" {feature.unit}" if feature.unit else "")


def _about(feature: Feature, value: Value) -> str:
    return written(feature, float(f"{value:.{DIGITS}g}") if isinstance(value, int | float) else value)


def beyond(subject: Subject, place: int, code: float) -> str | None:
    """Tell on which side of all training values a value lies, if beyond them."""
    feature = subject.signature.features[place]
    if feature.minimum is None or feature.maximum is None:
        return None
    low, high = (subject.coding.code(place, value) for value in (feature.minimum, feature.maximum))
    sides = ("before", "after") if isinstance(feature.minimum, str) else ("below", "above")
    return sides[0] if code < low else sides[1] if code > high else None


def _rank(feature: Feature, column: Floats, code: float) -> str:
    """Say in how many of n reference rows the value is as far out."""
    above, below = float((column >= code).mean()), float((column <= code).mean())
    sides = ("early", "late") if isinstance(feature.minimum, str) else ("low", "high")
    return f"as {sides[above < below]} as in only {_percent(min(above, below))} of the training cases"


def _how_often(missing_rate: float) -> str:
    return (
        f"as in only {_percent(missing_rate)} of the training cases"
        if missing_rate
        else "which it never was in training"
    )


def _percent(share: float) -> str:
    return "less than 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"
