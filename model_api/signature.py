"""What an instance must look like: features, target, and every problem of every feature at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import Any, Literal, get_args

from model_api import values
from model_api.errors import Problem
from model_api.values import MAX_LEVEL, Level, Rejected, Value, clip, echo, look_alikes, nearest, percent, quote, show

FeatureType = Literal["number", "integer", "boolean", "category", "date", "datetime", "text"]
Task = Literal["regression", "binary", "multiclass"]
Columns = dict[str, list[Value]]
MAX_UNKNOWN_FEATURES = 20
"""Unknown features of one row that are named one by one."""
MOST_HINTS = 100
"""Problems of one request that may come with a hint: more are not listed, and to find what is near takes long."""
ORDERED = ("number", "integer", "date", "datetime")
"""Types whose values have a range."""
NOUNS = {
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a date such as 2026-11-24",
    "datetime": "a date and time such as 2026-11-24T09:30",
    "text": "text",
}


@dataclass(frozen=True)
class Feature:
    """One input of a model."""

    name: str
    """The name by which the model knows it."""
    type: FeatureType
    """number, integer, boolean, category, date, datetime or text."""
    label: str = ""
    """What people call it; the name if empty."""
    unit: str | None = None
    """Unit of the values, if they have one."""
    description: str = ""
    """One sentence for the person who fills in the form."""
    group: str | None = None
    """Heading under which a long form lists it."""
    minimum: float | str | None = None
    """Smallest training value, of a date the earliest; a smaller one is warned about."""
    maximum: float | str | None = None
    """Largest training value; a larger one is warned about."""
    quantiles: tuple[float, ...] = ()
    """Of a number, the training values that 5, 25, 50, 75 and 95 % do not exceed."""
    step: float | None = None
    """Precision of the training values."""
    categories: tuple[Level, ...] = ()
    """Levels of a category, in a sensible order."""
    unknown_categories: bool = False
    """Whether the estimator copes with a level it never saw (then a warning, else an error)."""
    missing_allowed: bool = False
    """Whether the model was made to cope with missing values."""
    missing_rate: float = 0.0
    """Share of training rows without a value, from 0 to 1."""
    default: Value = None
    """Median of the training values, or the most frequent one."""
    zone: str | None = None
    """Time zone of a datetime's training values; None when they have none."""
    guessed: tuple[str, ...] = ()
    """Which of these facts are guesses, because the model was published without its data."""

    @property
    def title(self) -> str:
        """What to call the feature in a sentence."""
        return self.label or self.name

    @cached_property
    def expected(self) -> str:
        """Say in words which values are accepted."""
        if self.type == "category":
            shown = ", ".join(quote(level) for level in self.categories[:10])
            words = f"one of {shown}" + (", …" if len(self.categories) > 10 else "")
        else:
            unit = f" {self.unit}" if self.unit else ""
            words = NOUNS[self.type] + (f", usually {format_range(self)}{unit}" if self.minimum is not None else unit)
        return words + (", or null if unknown" if self.missing_allowed else "")

    @cached_property
    def parse(self) -> Callable[[object], Value]:
        """The function that turns a wire value into the model's value, or raises `Rejected`."""
        parsers: dict[str, Callable[[object], Value]] = {
            "number": values.number,
            "integer": values.integer,
            "boolean": values.boolean,
            "category": self._category,
            "date": values.date,
            "datetime": partial(values.date_time, zone=self.zone),
            "text": values.text,
        }
        return parsers[self.type]

    def _category(self, value: object) -> Value:
        level = self._levels.get(value) if isinstance(value, str) else None
        if level is None and self._numeric_levels:
            level = self._numeric_level(value)
        if level is None and self.unknown_categories and isinstance(value, str):
            if len(value) > MAX_LEVEL:
                raise Rejected("too_long", f"is longer than {MAX_LEVEL:,} characters")
            return value
        if level is None:
            fault = f"must be {self.expected}, not {echo(value)}"
            raise Rejected("unknown_category", fault, partial(self._near, value))
        return level

    def _numeric_level(self, value: object) -> Level | None:
        """Find the level that equals a number, however it was written ("1", 1, 1.0)."""
        try:
            return self._numeric_levels.get(values.number(value))
        except Rejected:
            return None

    @cached_property
    def _levels(self) -> dict[str, Level]:
        return {level: level for level in self.categories if isinstance(level, str)}

    @cached_property
    def _numeric_levels(self) -> dict[float, Level]:
        return {float(level): level for level in self.categories if not isinstance(level, str)}

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {values.folded(level): level for level in self._levels}

    def _near(self, value: object) -> str:
        near = nearest(str(value), [str(level) for level in self.categories])
        odd = look_alikes(str(value), near) if near else ""
        return f" (did you mean {quote(near)}?{f' It has {odd}' if odd else ''})" if near else ""

    def respelt(self, value: str) -> str | None:
        """Find the level that reads like a value; cheaper than the nearest one, for what is only warned about."""
        return self._folded.get(values.folded(value))


@dataclass(frozen=True)
class Target:
    """What the model predicts."""

    name: str
    """Short name, such as `disease progression after one year`."""
    task: Task
    """regression, binary or multiclass."""
    unit: str | None = None
    """Unit of the numbers, if they have one."""
    description: str = ""
    """One sentence for the person who reads the answer."""
    classes: tuple[Level, ...] = ()
    """The classes, in the order of the estimator's probabilities."""
    positive: Level | None = None
    """Of two classes, the one that people look for."""
    minimum: float | None = None
    """Smallest training value."""
    maximum: float | None = None
    """Largest training value."""
    outputs: tuple[str, ...] = ()
    """Names of the numbers that one prediction holds, when it is more than one."""
    probabilities: bool = True
    """Whether a classification tells how probable each class is."""

    @cached_property
    def class_names(self) -> list[str]:
        """The classes as keys of an answer."""
        return [str(level) for level in self.classes]

    @property
    def positive_place(self) -> int:
        """The position of the class that people look for: of two classes the positive one, else the last."""
        return self.classes.index(self.positive) if self.positive in self.classes else len(self.classes) - 1


@dataclass(frozen=True)
class InputWarning:
    """Something about a valid instance that its reader should know."""

    feature: str
    """Name of the feature."""
    code: str
    """outside_training_range, unknown_category or missing."""
    message: str
    """One sentence for people."""

    def to_dict(self) -> dict[str, str]:
        """Give the warning in its wire form."""
        return asdict(self)


@dataclass(frozen=True)
class Checked:
    """The outcome of checking instances against a signature."""

    columns: Columns
    """Values of the good rows, by feature; None is missing."""
    warnings: list[list[InputWarning]]
    """For each good row, what its reader should know."""
    problems: list[Problem]
    """Everything wrong with the bad rows."""
    good: list[int]
    """Positions of the good rows among those sent."""


@dataclass(frozen=True)
class Signature:
    """A model's features and target: the one source of validation, form, documentation and examples."""

    features: tuple[Feature, ...]
    target: Target
    _by_name: dict[str, Feature] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the features by name."""
        object.__setattr__(self, "_by_name", {feature.name: feature for feature in self.features})

    @property
    def names(self) -> list[str]:
        """Names of the features, in the estimator's order."""
        return list(self._by_name)

    def check(self, instances: Sequence[object]) -> Checked:
        """Check every feature of every instance.

        `instances`: n objects with feature names as keys. The result's `columns` hold the good rows only.
        """
        columns: Columns = {name: [] for name in self._by_name}
        checked = Checked(columns, [], [], [])
        for position, instance in enumerate(instances):
            row, problems = self._check_row(instance, position, hints=len(checked.problems) < MOST_HINTS)
            if problems:
                checked.problems.extend(problems)
                continue
            for name, column in columns.items():
                column.append(row[name])
            checked.good.append(position)
            checked.warnings.append(self._warnings(row))
        return checked

    def _check_row(self, instance: object, row: int, *, hints: bool) -> tuple[dict[str, Value], list[Problem]]:
        if not isinstance(instance, dict):
            message = f"row {row} must be an object of features, not {echo(instance)}"
            return {}, [Problem(None, "not_an_object", message, "an object", clip(instance), row)]
        found: dict[str, Value] = {}
        problems = []
        for name, feature in self._by_name.items():
            value = instance.get(name)
            try:
                found[name] = parse_value(feature, value)
            except Rejected as error:
                message = f"{name} {error.reason if hints else error.fault}"
                sent = None if value is None else clip(value)
                problems.append(Problem(name, error.code, message, feature.expected, sent, row))
        return found, problems + self._unknown(instance, row, hints=hints)

    def _unknown(self, instance: dict[str, object], row: int, *, hints: bool) -> list[Problem]:
        names = [name for name in instance if name not in self._by_name]
        problems = []
        for name in names[:MAX_UNKNOWN_FEATURES]:
            near = nearest(name, self.names) if hints else None
            hint = f"; did you mean {near}?" if near else ""
            shown = clip(name)
            message = f"{shown} is not a feature of this model{hint}"
            problems.append(Problem(shown, "unknown_feature", message, near, None, row))
        if (more := len(names) - MAX_UNKNOWN_FEATURES) and more > 0:
            message = f"{more} more features are not of this model"
            problems.append(Problem(None, "unknown_feature", message, None, None, row))
        return problems

    def _warnings(self, row: dict[str, Value]) -> list[InputWarning]:
        found = (warning_about(feature, row[name]) for name, feature in self._by_name.items())
        return [warning for warning in found if warning]

    def to_dict(self) -> dict[str, Any]:
        """Give the signature in its wire form."""
        return {"features": [_listed(asdict(f)) for f in self.features], "target": _listed(asdict(self.target))}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Signature":
        """Read the wire form back; raises TypeError, KeyError or ValueError when it is not one."""
        features = tuple(Feature(**_tupled(feature)) for feature in data["features"])
        for feature in features:
            if feature.type not in get_args(FeatureType):
                raise ValueError(f"feature {feature.name!r} has the unknown type {feature.type!r}")
            if feature.zone is not None:
                values.find_zone(feature.zone)
        if len({feature.name for feature in features}) < len(features):
            raise ValueError("a feature is named twice")
        target = Target(**_tupled(data["target"]))
        if target.task not in get_args(Task):
            raise ValueError(f"the target has the unknown task {target.task!r}")
        return cls(features, target)


def _listed(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _tupled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in dict(fields).items()}


def warning_about(feature: Feature, value: Value) -> InputWarning | None:
    """Say what a reader should know of a valid value, if anything."""
    if value is None:
        share = f"{percent(feature.missing_rate)} of the training rows lacked it too"
        return InputWarning(feature.name, "missing", f"{feature.name} is unknown; {share}")
    if feature.type == "category":
        if value in feature.categories:
            return None
        message = f"{feature.name} {echo(value)} never occurred in training; the model ignores it"
        if near := feature.respelt(str(value)):
            message += f" (did you mean {quote(near)}?)"
        return InputWarning(feature.name, "unknown_category", message)
    side = _outside(feature, value)
    if side is None:
        return None
    message = f"{feature.name} {show(value, feature.zone)} is {side} every training value ({format_range(feature)})"
    return InputWarning(feature.name, "outside_training_range", message)


def _outside(feature: Feature, value: Any) -> str | None:
    """Tell on which side of the training range a value lies, if outside."""
    low, high = feature.minimum, feature.maximum
    if feature.type not in ORDERED or low is None or high is None:
        return None
    if low <= value <= high:
        return None
    sides = ("before", "after") if isinstance(low, str) else ("below", "above")
    return sides[0] if value < low else sides[1]


def format_range(feature: Feature) -> str:
    """Write the training range as "18 to 42.2"."""
    return f"{show(feature.minimum, feature.zone)} to {show(feature.maximum, feature.zone)}"


def _is_missing(value: object, feature: Feature) -> bool:
    return value is None or (value == "" and "" not in feature.categories and feature.type != "text")


def parse_value(feature: Feature, value: object) -> Value:
    """Turn a wire value into the model's value, None for missing. Raises Rejected."""
    if not _is_missing(value, feature):
        return feature.parse(value)
    if not feature.missing_allowed:
        raise Rejected("missing", f"is missing; give {feature.expected}")
    return None
