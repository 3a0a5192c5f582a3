"""What an instance must look like: features, target, and every problem of every feature at once."""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

from model_api.errors import Problem

FeatureType = Literal["number", "integer", "boolean", "category"]
Task = Literal["regression", "binary", "multiclass"]
Level = str | int | float
Value = str | int | float | bool | None
Columns = dict[str, list[Value]]

# Forms and query strings send text. Only plain ASCII decimals count as numbers: Python's float() would also
# take "1_000", "nan" and digits of other scripts.
DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
BOOLEANS: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}
LARGEST_EXACT_INTEGER = 2**53 - 1
MAX_ECHO = 64
"""Characters of a caller's value that an error message repeats."""
MAX_UNKNOWN_FEATURES = 20
"""Unknown features of one row that are named one by one."""


class _Rejected(Exception):
    """A value does not fit its feature: `code` for programs, `reason` completes "bmi …"."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Feature:
    """One input of a model."""

    name: str
    """The name by which the model knows it."""
    type: FeatureType
    """number, integer, boolean or category."""
    label: str = ""
    """What people call it; the name if empty."""
    unit: str | None = None
    """Unit of the values, if they have one."""
    description: str = ""
    """One sentence for the person who fills in the form."""
    group: str | None = None
    """Heading under which a long form lists it."""
    minimum: float | None = None
    """Smallest training value; a smaller one is warned about."""
    maximum: float | None = None
    """Largest training value; a larger one is warned about."""
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

    @property
    def title(self) -> str:
        """What to call the feature in a sentence."""
        return self.label or self.name

    @cached_property
    def expected(self) -> str:
        """Say in words which values are accepted."""
        unit = f" {self.unit}" if self.unit else ""
        if self.type == "category":
            shown = ", ".join(_quote(level) for level in self.categories[:10])
            text = f"one of {shown}" + (", …" if len(self.categories) > 10 else "")
        elif self.type == "boolean":
            text = "true or false"
        else:
            noun = "a number" if self.type == "number" else "a whole number"
            usual = f", usually {format_range(self)}{unit}" if self.minimum is not None else unit
            text = noun + usual
        return text + (", or null if unknown" if self.missing_allowed else "")

    @cached_property
    def parse(self) -> Callable[[object], Value]:
        """The function that turns a wire value into the model's value, or raises `_Rejected`."""
        return {
            "number": self._number,
            "integer": self._integer,
            "boolean": self._boolean,
            "category": self._category,
        }[self.type]

    def _number(self, value: object) -> float:
        if isinstance(value, str):
            if not DECIMAL.fullmatch(value):
                raise _Rejected("not_a_number", f"must be a number, not {_echo(value)}")
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Rejected("not_a_number", f"must be a number, not {_echo(value)}")
        try:
            number = float(value)
        except OverflowError:  # an integer of more than 308 digits
            number = math.inf
        if not math.isfinite(number):
            raise _Rejected("out_of_range", "is out of the range of a 64-bit number")
        return number

    def _integer(self, value: object) -> int:
        try:
            number = self._number(value)
        except _Rejected as error:
            if error.code == "out_of_range":
                raise
            raise _Rejected("not_an_integer", f"must be a whole number, not {_echo(value)}") from None
        if not number.is_integer():
            raise _Rejected("not_an_integer", f"must be a whole number, not {_echo(value)}")
        if abs(number) > LARGEST_EXACT_INTEGER:
            raise _Rejected("out_of_range", "is out of the range of whole numbers that are kept exactly")
        return int(number)

    def _boolean(self, value: object) -> bool:
        if isinstance(value, bool | int | float) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.lower() in BOOLEANS:
            return BOOLEANS[value.lower()]
        raise _Rejected("not_a_boolean", f"must be true or false, not {_echo(value)}")

    def _category(self, value: object) -> Value:
        level = self._levels.get(value) if isinstance(value, str) else None
        if level is None and self._numeric_levels:
            level = self._numeric_level(value)
        if level is None and self.unknown_categories and isinstance(value, str):
            return value
        if level is None:
            raise _Rejected("unknown_category", f"must be {self.expected}, not {_echo(value)}{self._near(value)}")
        return level

    def _numeric_level(self, value: object) -> Level | None:
        """Find the level that equals a number, however it was written ("1", 1, 1.0)."""
        try:
            return self._numeric_levels.get(self._number(value))
        except _Rejected:
            return None

    @cached_property
    def _levels(self) -> dict[str, Level]:
        return {level: level for level in self.categories if isinstance(level, str)}

    @cached_property
    def _numeric_levels(self) -> dict[float, Level]:
        return {float(level): level for level in self.categories if not isinstance(level, str)}

    def _near(self, value: object) -> str:
        near = _nearest(str(value), [str(level) for level in self.categories])
        return f" (did you mean {_quote(near)}?)" if near else ""


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
            values, problems = self._check_row(instance, position)
            if problems:
                checked.problems.extend(problems)
                continue
            for name, column in columns.items():
                column.append(values[name])
            checked.good.append(position)
            checked.warnings.append(self._warnings(values))
        return checked

    def _check_row(self, instance: object, row: int) -> tuple[dict[str, Value], list[Problem]]:
        if not isinstance(instance, dict):
            message = f"row {row} must be an object of features, not {_echo(instance)}"
            return {}, [Problem(None, "not_an_object", message, "an object", _clip(instance), row)]
        values: dict[str, Value] = {}
        problems = []
        for name, feature in self._by_name.items():
            value = instance.get(name)
            try:
                values[name] = _parse(feature, value)
            except _Rejected as error:
                absent = error.code == "missing" and name not in instance
                message = f"{name} {error.reason}"
                echo = None if absent else _clip(value)
                problems.append(Problem(name, error.code, message, feature.expected, echo, row))
        return values, problems + self._unknown(instance, row)

    def _unknown(self, instance: dict[str, object], row: int) -> list[Problem]:
        names = [name for name in instance if name not in self._by_name]
        problems = []
        for name in names[:MAX_UNKNOWN_FEATURES]:
            near = _nearest(name, self.names)
            hint = f"; did you mean {near}?" if near else ""
            message = f"{_clip(name)} is not a feature of this model{hint}"
            problems.append(Problem(_clip(name), "unknown_feature", message, near, None, row))
        if (more := len(names) - MAX_UNKNOWN_FEATURES) and more > 0:
            message = f"{more} more features are not of this model"
            problems.append(Problem(None, "unknown_feature", message, None, None, row))
        return problems

    def _warnings(self, values: dict[str, Value]) -> list[InputWarning]:
        found = (warning_about(feature, values[name]) for name, feature in self._by_name.items())
        return [warning for warning in found if warning]

    def to_dict(self) -> dict[str, Any]:
        """Give the signature in its wire form."""
        return {
            "features": [{**asdict(f), "categories": list(f.categories)} for f in self.features],
            "target": {**asdict(self.target), "classes": list(self.target.classes)},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Signature":
        """Read the wire form back; raises TypeError, KeyError or ValueError when it is not one."""
        features = tuple(Feature(**{**f, "categories": tuple(f["categories"])}) for f in data["features"])
        for feature in features:
            if feature.type not in get_args(FeatureType):
                raise ValueError(f"feature {feature.name!r} has the unknown type {feature.type!r}")
        target = data["target"]
        return cls(features, Target(**{**target, "classes": tuple(target["classes"])}))


def warning_about(feature: Feature, value: Value) -> InputWarning | None:
    """Say what a reader should know of a valid value, if anything."""
    if value is None:
        share = f"{feature.missing_rate:.0%} of the training rows lacked it too"
        return InputWarning(feature.name, "missing", f"{feature.name} is unknown; {share}")
    if feature.type == "category":
        if value in feature.categories:
            return None
        message = f"{feature.name} {_echo(value)} never occurred in training; the model ignores it"
        return InputWarning(feature.name, "unknown_category", message)
    if isinstance(value, (bool, str)) or feature.minimum is None or feature.maximum is None:
        return None
    if feature.minimum <= value <= feature.maximum:
        return None
    side = "below" if value < feature.minimum else "above"
    message = f"{feature.name} {value:.10g} is {side} every training value ({format_range(feature)})"
    return InputWarning(feature.name, "outside_training_range", message)


def format_range(feature: Feature) -> str:
    """Write the training range as "18 to 42.2"."""
    return f"{feature.minimum:.10g} to {feature.maximum:.10g}"


def _is_missing(value: object, feature: Feature) -> bool:
    return value is None or (value == "" and "" not in feature.categories)


def _parse(feature: Feature, value: object) -> Value:
    if not _is_missing(value, feature):
        return feature.parse(value)
    if not feature.missing_allowed:
        raise _Rejected("missing", f"is missing; give {feature.expected}")
    return None


def _clip(value: object) -> str:
    """Repeat a caller's value, short and printable."""
    text = value if isinstance(value, str) else str(value)[: MAX_ECHO + 1]
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: MAX_ECHO + 1])
    return text if len(text) <= MAX_ECHO else text[: MAX_ECHO - 1] + "…"


def _echo(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{_clip(value)}"' if isinstance(value, str) else _clip(value)


def _quote(level: object) -> str:
    return f'"{level}"' if isinstance(level, str) else str(level)


def _nearest(name: str, known: Sequence[str]) -> str | None:
    """Find the known name that a slip of the pen would have turned into this one."""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name[:200].strip().casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None
