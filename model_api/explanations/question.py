"""A case, and what is asked about it: the options of a call, each read with an error that names it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from model_api.errors import InvalidInstances, InvalidRequest, Unsupported
from model_api.explanations.budget import Budget
from model_api.explanations.subject import Focus, Integers, Kind, Subject, subject_of
from model_api.loading import LoadedModel
from model_api.runtimes import Floats, Output
from model_api.signature import Feature
from model_api.values import Rejected, Value, echo, nearest, quote

LARGEST = sys.float_info.max
NO_DATA = "this version was published without data, so there is nothing to compare a case with"


@dataclass(frozen=True)
class Question:
    """One case of one version, with the options of a call."""

    model: LoadedModel
    subject: Subject
    row: Mapping[str, Value]
    """The case: a checked value for each feature."""
    case: Floats
    """The case as codes, one a feature."""
    options: Mapping[str, Any]
    """What the caller sent as options, unread."""
    budget: Budget = field(default_factory=Budget)
    served_threshold: float | None = None
    """From which probability on the positive class of this version is acted on, where that was decided."""

    @property
    def features(self) -> Sequence[Feature]:
        """The features of the model."""
        return self.subject.signature.features

    @property
    def output(self) -> Output:
        """What the model says of the case."""
        return self.subject.ask(self.case[None])

    def require_data(self) -> None:
        """Refuse a question about a version without a reference sample. Raises Unsupported."""
        if not len(self.subject.reference):
            raise Unsupported(NO_DATA)

    def require_options(self, *known: str) -> None:
        """Refuse an option that a call does not know. Raises InvalidRequest."""
        for name in self.options:
            if name not in known:
                near = nearest(name, known)
                hint = f"; did you mean {near}?" if near else f"; there is {', '.join(known)}" if known else ""
                raise InvalidRequest(f"there is no option {name[:64]!a} here{hint}")

    def focus(self) -> Focus:
        """Read which number is looked at: the option `class` or `output`.

        Unless told otherwise that is the first output, the positive of two classes, or the class that is predicted.
        """
        target = self.subject.target
        if not target.classes:
            if "class" in self.options:
                raise InvalidRequest("the option class is for models that predict classes; this one predicts a number")
            names = target.outputs
            name = self.options.get("output", names[0] if names else None)
            if name not in (names or (None,)):
                known = ", ".join(map(quote, names)) or "only one"
                raise InvalidRequest(f"there is no output {echo(name)}; there is {known}")
            return Focus("number", names.index(name) if names else 0)
        if "output" in self.options:
            raise InvalidRequest("the option output is for models that predict several numbers")
        kind: Kind = "probability" if target.probabilities else "predicted"
        if "class" in self.options:
            return Focus(kind, self.class_place("class"))
        if target.positive is not None:
            return Focus(kind, target.classes.index(target.positive))
        labels = self.output.labels
        assert labels is not None
        return Focus(kind, int(labels[0]))

    def class_place(self, option: str) -> int:
        """Read an option that names a class; gives its place. Raises InvalidRequest."""
        name, classes = self.options[option], self.subject.target.classes
        for place, level in enumerate(classes):
            if isinstance(name, bool) == isinstance(level, bool) and (name == level or name == str(level)):
                return place
        shown = ", ".join(map(quote, classes[:10]))
        raise InvalidRequest(f"the option {option} must be one of the classes, {shown}, not {echo(name)}")

    def feature_place(self, name: object, option: str = "feature") -> int:
        """Read the name of a feature; gives its place. Raises InvalidRequest."""
        names = self.subject.signature.names
        if isinstance(name, str) and name in names:
            return names.index(name)
        near = nearest(name, names) if isinstance(name, str) else None
        hint = f"; did you mean {near}?" if near else ""
        raise InvalidRequest(f"the option {option} must name a feature, not {echo(name)}{hint}")

    def value_code(self, place: int, value: object, option: str) -> float:
        """Read a value of a feature; gives its code. Raises InvalidRequest."""
        feature = self.features[place]
        try:
            parsed = feature.parse(value)
            return self.subject.coding.code(place, parsed)
        except Rejected as error:
            raise InvalidRequest(f"the option {option}: {feature.name} {error.reason}") from error
        except KeyError:
            raise InvalidRequest(
                f"the option {option}: {feature.name} {echo(value)} never occurred in training"
            ) from None

    def number(self, option: str, default: float | None, low: float, high: float) -> float | None:
        """Read an option that is a number from `low` to `high`. Raises InvalidRequest."""
        value = self.options.get(option, default)
        if value is None:
            return None
        most = min(high, LARGEST)  # a whole number of more than 308 digits is no float
        if isinstance(value, bool) or not isinstance(value, int | float) or not max(low, -LARGEST) <= value <= most:
            span = "a number" if high == np.inf else f"a number from {low:g} to {high:g}"
            raise InvalidRequest(f"the option {option} must be {span}, not {echo(value)}")
        return float(value)

    def whole(self, option: str, default: int, low: int, high: int) -> int:
        """Read an option that is a whole number from `low` to `high`. Raises InvalidRequest."""
        value = self.options.get(option, default)
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1  # 5.0 is 5
        if not is_whole or not low <= value <= high:
            raise InvalidRequest(f"the option {option} must be a whole number from {low} to {high}, not {echo(value)}")
        return int(value)

    def choice(self, option: str, known: tuple[str, ...]) -> str:
        """Read an option that is one of some words, unless told otherwise the first. Raises InvalidRequest."""
        value = self.options.get(option, known[0])
        if value not in known:
            raise InvalidRequest(f"the option {option} must be {' or '.join(known)}, not {echo(value)}")
        return str(value)


@dataclass(frozen=True)
class Decision:
    """What counts as the same answer: a class, one side of a probability, or one side of a number."""

    threshold: float | None
    """None: the class that the model predicts."""
    focus: Focus

    def of(self, output: Output) -> Integers:
        """Decide about n cases: the place of a class, or 1 where the number is at least the threshold, else 0."""
        if self.threshold is None:
            assert output.labels is not None
            return output.labels
        return (self.focus.of(output) >= self.threshold).astype(np.intp)

    def name(self, question: Question, decided: int) -> Any:
        """Name a decision: a class, or `at_least` or `below` the threshold."""
        if self.threshold is None:
            return question.subject.target.classes[decided]
        return "at_least" if decided else "below"


def decision_of(question: Question) -> Decision:
    """Read what counts as the same answer: the option `threshold`; a regression must have one. Raises InvalidRequest.

    The threshold is on the number that is looked at (`Question.focus`): with classes a probability.
    """
    focus = question.focus()
    bounds = (-np.inf, np.inf) if focus.kind == "number" else (0.0, 1.0)
    threshold = question.number("threshold", None, *bounds)
    if threshold is None and focus.kind == "number":
        raise InvalidRequest("the option threshold must be given: the number that the prediction is compared with")
    if threshold is not None and focus.kind == "predicted":
        raise InvalidRequest("the option threshold needs probabilities, which this model has not")
    return Decision(threshold, focus)


def question_of(
    model: LoadedModel, instance: object, options: Mapping[str, Any], milliseconds: float,
    served_threshold: float | None = None,
) -> Question:  # fmt: skip
    """Check a case and begin to count the time. Raises InvalidInstances."""
    budget = Budget(milliseconds)
    checked = model.artifact.signature.check([instance])
    if checked.problems:
        raise InvalidInstances(checked.problems, 1)
    row = {name: column[0] for name, column in checked.columns.items()}
    subject = subject_of(model).including(row)
    case = np.array([subject.coding.code(place, row[name]) for place, name in enumerate(subject.signature.names)])
    return Question(model, subject, row, case, options, budget, served_threshold)


def described(question: Question, focus: Focus) -> dict[str, Any]:
    """Say in the wire form which number an answer is about, and its unit."""
    target = question.subject.target
    if focus.kind == "number":
        return {"output": target.outputs[focus.place] if target.outputs else None, "unit": target.unit}
    return {"class": target.classes[focus.place], "unit": focus.kind}
