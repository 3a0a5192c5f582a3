"""What a counterfactual should come to, and which changes are allowed on the way: options, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.errors import InvalidRequest
from model_api.explanations.coding import NAMED
from model_api.explanations.question import Question, described
from model_api.explanations.subject import Focus
from model_api.runtimes import Floats, Output
from model_api.values import echo, quote

Truths = npt.NDArray[np.bool_]
SIGNS = {"up": 1, "down": -1}
TIE = 1e-9
"""Lead of a class over the others below which it is no answer: another order of adding up could turn it."""
TINY = 1e-300
"""Keeps the logarithm of a probability of 0 finite."""


@dataclass(frozen=True)
class Wish:
    """What the model should say."""

    focus: Focus
    low: float = -np.inf
    high: float = np.inf
    predicted: bool = False
    """Whether the class of the focus should be predicted, however probable it is."""

    def granted(self, output: Output) -> Truths:
        """Tell for n cases whether the model says what is wanted."""
        if self.predicted:
            assert output.labels is not None
            return np.asarray((output.labels == self.focus.place) & (np.abs(self.margins(output)) > TIE))
        scores = self.focus.of(output)
        return np.asarray((scores >= self.low) & (scores <= self.high))

    def margins(self, output: Output) -> Floats:
        """Give for n cases how firmly it is as wanted, in no particular unit; negative where it is not.

        Probabilities are compared as log-odds, which still differ where probabilities are all but 0 or 1.
        """
        scores = self.focus.of(output)
        if self.focus.kind == "predicted":
            return scores - 0.5
        if self.predicted:
            assert output.probabilities is not None
            others = np.delete(output.probabilities, self.focus.place, axis=1).max(axis=1)
            lead: Floats = np.log(scores + TINY) - np.log(others + TINY)
            return lead
        scale = log_odds if self.focus.kind == "probability" else np.asarray
        bounds = [scale(scores) - scale(np.array(self.low))] if self.low > -np.inf else []
        if self.high < np.inf:
            bounds.append(scale(np.array(self.high)) - scale(scores))
        return np.asarray(np.minimum.reduce(bounds))

    def suits(self, question: Question, truths: Sequence[Any]) -> Truths:
        """Tell for n true values whether they are what is wanted: the model is likely to say the same."""
        target = question.subject.target
        if target.classes:
            level = target.classes[self.focus.place]
            is_meant = self.predicted or self.low > -np.inf
            return np.array([(truth == level) == is_meant for truth in truths], dtype=bool)
        if target.outputs:
            truths = [truth[target.outputs[self.focus.place]] for truth in truths]
        return np.array([truth is not None and self.low <= truth <= self.high for truth in truths], dtype=bool)


def log_odds(probabilities: Floats) -> Floats:
    """Give the log-odds of probabilities, finite for 0 and 1 too."""
    odds: Floats = np.log(probabilities + TINY) - np.log(1 - probabilities + TINY)
    return odds


def wish_of(question: Question) -> tuple[Wish, dict[str, Any]]:
    """Read what is wanted, and give it back in the wire form. Raises InvalidRequest.

    Of a classification: that `class` is predicted, of two classes the other one unless told otherwise; or that its
    probability is `at_least`, which may also be called `threshold`, or `at_most` a number. Of a regression one of the
    bounds, or both.
    """
    options = question.options
    asked = [name for name in ("at_least", "at_most", "threshold") if options.get(name) is not None]
    if not question.subject.target.classes:
        return _number_wish(question, asked)
    if not asked:
        focus = _wanted_class(question)
        return Wish(focus, predicted=True), {"class": question.subject.target.classes[focus.place]}
    focus = question.focus()
    if focus.kind == "predicted":
        raise InvalidRequest(f"the option {asked[0]} needs probabilities, which this model has not")
    return _bounded(question, focus, asked, 0.0, 1.0)


def _number_wish(question: Question, asked: list[str]) -> tuple[Wish, dict[str, Any]]:
    focus = question.focus()
    if "threshold" in asked:
        raise InvalidRequest("the option threshold is for models that predict classes; use at_least or at_most")
    if not asked:
        raise InvalidRequest("the option at_least or at_most must be given: what the prediction should come to")
    return _bounded(question, focus, asked, -np.inf, np.inf)


def _bounded(
    question: Question, focus: Focus, asked: list[str], lowest: float, highest: float
) -> tuple[Wish, dict[str, Any]]:
    bounds = {name: question.number(name, None, lowest, highest) for name in asked}
    lows = [bound for name, bound in bounds.items() if name != "at_most" and bound is not None]
    low, high = max(lows, default=-np.inf), bounds.get("at_most")
    high = np.inf if high is None else high
    if low > high:
        raise InvalidRequest(f"the option at_most must not be below {low:g}, which is wanted at least, not {high:g}")
    return Wish(focus, low, high), {**described(question, focus), **bounds}


def _wanted_class(question: Question) -> Focus:
    """Read which class should be predicted; of two the one that is not predicted now may be left out."""
    target = question.subject.target
    if "class" not in question.options and "output" not in question.options:
        if len(target.classes) != 2:
            shown = ", ".join(map(quote, target.classes[:10]))
            raise InvalidRequest(f"the option class must be given: which of {shown} is wanted")
        labels = question.output.labels
        assert labels is not None
        return Focus("probability" if target.probabilities else "predicted", 1 - int(labels[0]))
    return question.focus()


@dataclass(frozen=True)
class Limits:
    """What a counterfactual may not do, by the places of features."""

    locked: frozenset[int] = frozenset()
    spans: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Of numbers and dates, smallest and largest value as codes."""
    levels: Mapping[int, frozenset[float]] = field(default_factory=dict)
    """Of what has levels, those that are allowed as codes."""
    directions: Mapping[int, int] = field(default_factory=dict)
    """1 where a value may only go up, -1 where it may only go down."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.locked or self.spans or self.levels or self.directions)


def limits_of(question: Question) -> Limits:
    """Read the options `locked`, `ranges` and `directions`. Raises InvalidRequest."""
    locked = question.options.get("locked")
    locked = [] if locked is None else locked
    if not isinstance(locked, list):
        raise InvalidRequest(f'the option locked must be a list of features such as ["age"], not {echo(locked)}')
    spans: dict[int, tuple[float, float]] = {}
    levels: dict[int, frozenset[float]] = {}
    for place, value in _by_feature(question, "ranges", '{"age": [20, 40]}'):
        if question.features[place].type in NAMED:
            levels[place] = _levels(question, place, value)
        else:
            spans[place] = _span(question, place, value)
    return Limits(
        frozenset(question.feature_place(name, "locked") for name in locked),
        spans,
        levels,
        {place: _sign(question, place, word) for place, word in _by_feature(question, "directions", '{"age": "up"}')},
    )


def _by_feature(question: Question, option: str, example: str) -> list[tuple[int, object]]:
    table = question.options.get(option)
    table = {} if table is None else table
    if not isinstance(table, dict):
        raise InvalidRequest(f"the option {option} must be an object such as {example}, not {echo(table)}")
    return [(question.feature_place(name, option), value) for name, value in table.items()]


def _levels(question: Question, place: int, value: object) -> frozenset[float]:
    if not isinstance(value, list) or not value:
        name = question.features[place].name
        raise InvalidRequest(
            f"the option ranges: {name} must be a list of the values that are allowed, not {echo(value)}"
        )
    return frozenset(question.value_code(place, level, "ranges") for level in value)


def _span(question: Question, place: int, value: object) -> tuple[float, float]:
    """Read [low, high], of which null leaves a side open."""
    name = question.features[place].name
    if not isinstance(value, list) or len(value) != 2:
        raise InvalidRequest(f"the option ranges: {name} must be [smallest, largest], not {echo(value)}")
    low = -np.inf if value[0] is None else question.value_code(place, value[0], "ranges")
    high = np.inf if value[1] is None else question.value_code(place, value[1], "ranges")
    if low > high:
        raise InvalidRequest(
            f"the option ranges: {name} must not begin at {echo(value[0])} and end at {echo(value[1])}"
        )
    return low, high


def _sign(question: Question, place: int, word: object) -> int:
    feature = question.features[place]
    if feature.type in NAMED:
        raise InvalidRequest(f"the option directions: {feature.name} has no order, so it cannot go up or down")
    if not isinstance(word, str) or word not in SIGNS:
        raise InvalidRequest(f'the option directions: {feature.name} must be "up" or "down", not {echo(word)}')
    return SIGNS[word]
