"""The form that asks what would change a prediction: what is wanted, and what may be changed for it."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np
from wtforms import Field

from dashboard.errors import InvalidQuery, ModelServiceError
from dashboard.fields import TypedField, field_type, written
from dashboard.formatting import clipped, feature_value, level, measured, plain_number, rounded, with_unit
from dashboard.moments import read_date, read_moment
from dashboard.panels import Case
from dashboard.panels.amounts import title_of
from dashboard.panels.fields import Choice, NumberText, PanelForm, Ticks
from dashboard.records import Feature, Level, Prediction, Value, number_of

LOOK = {"theme", "size", "download"}
"""Parameters of the chart beside the answers."""
LOCK = "lock"
SIDES = [("at_most", "at most"), ("at_least", "at least")]
WAYS = [("", "up or down"), ("up", "up only"), ("down", "down only")]
PARTS = ("low", "high", "levels", "way")
"""What the names of a feature's own parameters begin with."""
ORDERED = ("number", "integer", "date", "datetime")
MOST_LEVELS = 40
"""Levels up to which each has a box of its own."""
LONGEST = 40
"""Characters of a value that is shown."""
LOWER = 0.2
"""What share less is asked for, where nothing is known about usual numbers."""


@dataclass(frozen=True)
class Limit:
    """What the form has for one feature."""

    feature: Feature
    title: str
    """What to call it."""
    value: Value
    """The case's own."""
    locked: bool
    low: TypedField | None = None
    high: TypedField | None = None
    levels: Ticks | None = None
    way: Choice | None = None

    @property
    def fields(self) -> list[Field]:
        """Its controls beside the lock."""
        return [field for field in (self.low, self.high, self.levels, self.way) if field is not None]

    @property
    def about(self) -> str:
        """What the case has, and what is usual: "now 45 years; 19 to 79 in the training data"."""
        now = clipped(measured_text(self.value, self.feature), LONGEST)
        now = now if self.value is None else with_unit(now, self.feature.unit)
        hint = self.low.hint if self.low is not None else ""
        return "; ".join(filter(None, (f"now {now}", hint)))

    @property
    def used(self) -> bool:
        """Whether anything is limited."""
        return self.locked or any(field.data for field in self.fields)


class WishForm(PanelForm):
    """What is wanted, and a limit for each feature; the names of its fields are those of the panel's parameters."""

    def __init__(self, case: Case, prediction: Prediction) -> None:
        """Raises InvalidQuery where the address limits what the model has not."""
        self.case = case
        self.prediction = prediction
        self._target = case.model.signature.target
        features = case.model.signature.features
        limits = [_fields(feature, f"wish-{place}") for place, feature in enumerate(features)]
        super().__init__(self._wanted_fields() | {name: made for fields in limits for name, made in fields.items()})
        self._require_known_names()
        self.fill(case.lists, self._defaults())
        locked = case.lists.get(LOCK, ())
        self.limits = [self._limit(feature, feature.name in locked) for feature in features]

    @property
    def output(self) -> str | None:
        """Of a prediction with several numbers, the name of the one that is looked at."""
        return self.choice_in("output")

    @property
    def number(self) -> float:
        """The predicted number that is looked at."""
        return number_of(self.prediction.prediction, self.output)

    @property
    def granted(self) -> bool:
        """Whether the model says what is wanted already; of a valid form."""
        bound = self.number_in("bound")
        if bound is None:
            return False
        return self.number <= bound if self.choice_in("side") == "at_most" else self.number >= bound

    @property
    def wanted(self) -> Level:
        """The wanted class, of a valid form."""
        return next(level for level in self._others if written(level) == self.choice_in("class"))

    @property
    def used(self) -> int:
        """How many features are limited."""
        return sum(limit.used for limit in self.limits)

    @property
    def invalid(self) -> list[tuple[str, str]]:
        """For each refused control its id and what to call it."""
        own = [(field.id, field.label.text) for field in self._own if field.errors]
        limits = [(f.id, limit.title) for limit in self.limits for f in limit.fields if f.errors]
        return own + limits

    @property
    def refused_limits(self) -> bool:
        """Whether something is wrong among the limits, so that they must be seen."""
        return any(field.errors for limit in self.limits for field in limit.fields)

    def validate(self, *arguments: Any, **options: Any) -> bool:
        """Check every field, and that no range is upside down."""
        super().validate(*arguments, **options)
        for limit in self.limits:
            low, high = limit.low, limit.high
            if low is None or high is None or low.errors or high.errors:
                continue
            for end in (low, high):
                if isinstance(number := end.to_value(), str) and limit.feature.type in ("number", "integer"):
                    end.errors = [f"Enter a smaller number than {clipped(number, 40)}."]
            if not (low.errors or high.errors or low.unknown or high.unknown) and _upside_down(limit):
                low.errors = [f"The lowest value, {low.shown}, is above the highest, {high.shown}."]
        return not self.invalid

    def options(self) -> dict[str, Any]:
        """Give the valid form as options of the call."""
        options: dict[str, Any] = {}
        if self._target.classes:
            options["class"] = self.wanted
        else:
            options[str(self.choice_in("side"))] = self.number_in("bound")
            if self.output is not None:
                options["output"] = self.output
        ranges = {limit.feature.name: found for limit in self.limits if (found := _range(limit))}
        ways = {limit.feature.name: limit.way.data for limit in self.limits if limit.way is not None and limit.way.data}
        locked = [limit.feature.name for limit in self.limits if limit.locked]
        return options | {
            name: told for name, told in (("locked", locked), ("ranges", ranges), ("directions", ways)) if told
        }

    @property
    def _own(self) -> list[Field]:
        return [self[name] for name in ("class", "output", "side", "bound") if name in self]

    @property
    def _others(self) -> list[Level]:
        now = self.prediction.prediction
        return [other for other in self._target.classes if isinstance(now, dict) or written(other) != written(now)]

    def _wanted_fields(self) -> dict[str, Any]:
        target = self._target
        if target.classes:
            choices = [(written(other), level(other)) for other in self._others]
            return {"class": Choice("What should be predicted?", choices=choices, id="wish-class")}
        name = target.name[:1].upper() + target.name[1:]
        output = Choice("Number", choices=[(output, output) for output in target.outputs], id="wish-output")
        return ({"output": output} if target.outputs else {}) | {
            "side": Choice(f"{name} should be", choices=SIDES, id="wish-side"),
            "bound": NumberText("Number that is wanted", id="wish-bound"),
        }

    def _defaults(self) -> dict[str, Any]:
        """Give what stands in the form unless the address says otherwise."""
        target = self._target
        if target.classes:
            shares = self.prediction.probabilities or {}
            likeliest = max(self._others, key=lambda other: shares.get(str(other), 0.0), default="")
            return {"class": written(likeliest)}
        asked = self.case.asked.get("output")
        output = (asked if asked in target.outputs else target.outputs[0]) if target.outputs else None
        side, bound = better(self.case, number_of(self.prediction.prediction, output), output)
        return {"side": side, "bound": plain_number(bound), "output": output}

    def _limit(self, feature: Feature, locked: bool) -> Limit:
        fields: dict[str, Any] = {part: self._fields.get(f"{part}.{feature.name}") for part in PARTS}
        for end in (fields["low"], fields["high"]):
            if end is not None:
                end.unknown = end.lacking  # nothing typed is no limit, and no mistake
        title = title_of(self.case.model, feature)
        return Limit(feature, title, self.case.instance[feature.name], locked, **fields)

    def _require_known_names(self) -> None:
        known = {LOCK, *LOOK, *(field.name for field in self)}
        names = [name for name in self.case.lists if name not in known]
        features = {feature.name for feature in self.case.model.signature.features}
        names += [name for name in self.case.lists.get(LOCK, ()) if name not in features]
        if names:
            raise InvalidQuery(f"This model has nothing that could be limited by “{clipped(names[0], 60)}”.")


def better(case: Case, now: float, output: str | None) -> tuple[str, float]:
    """Propose what could be wanted of a number: the lower quarter of what was true; from within it the upper one."""
    try:
        true = [number_of(value, output) for value in case.client.all_reference(case.model).target if value is not None]
    except ModelServiceError:
        true = []  # a proposal: without usual numbers another one does
    if len(true) < 4:
        return "at_most", rounded(now - (abs(now) * LOWER or 1.0))
    low, high = map(float, np.quantile(true, (0.25, 0.75)))
    side, bound = ("at_most", low) if now > low else ("at_least", high)
    short = rounded(bound)
    return side, short if (short < now) == (bound < now) else bound


def _fields(feature: Feature, html_id: str) -> dict[str, Any]:
    """Make the controls of a feature; what has no order has no ends, and what has countless values no boxes."""
    name = feature.name
    if feature.type in ORDERED:
        kind = field_type(feature)
        return {
            f"low.{name}": kind(feature, id=f"{html_id}-low"),
            f"high.{name}": kind(feature, id=f"{html_id}-high"),
            f"way.{name}": Choice(feature.title, choices=WAYS, default="", id=f"{html_id}-way"),
        }
    levels: tuple[Level, ...] = (True, False) if feature.type == "boolean" else feature.categories
    if feature.type == "text" or not 2 <= len(levels) <= MOST_LEVELS:
        return {}
    choices = [(written(known), level(known)) for known in levels]
    return {f"levels.{name}": Ticks(feature.title, choices=choices, id=f"{html_id}-levels")}


def _range(limit: Limit) -> list[Value] | None:
    if limit.levels is not None and limit.levels.data:
        known: tuple[Level, ...] = (True, False) if limit.feature.type == "boolean" else limit.feature.categories
        return [level for level in known if written(level) in limit.levels.data]
    if limit.low is None or limit.high is None or (limit.low.unknown and limit.high.unknown):
        return None
    return [limit.low.to_value(), limit.high.to_value()]


def _upside_down(limit: Limit) -> bool:
    assert limit.low is not None
    assert limit.high is not None
    low, high = (in_order(limit.feature, end.to_value()) for end in (limit.low, limit.high))
    return low is not None and high is not None and low > high


def in_order(feature: Feature, value: Value) -> float | None:
    """Give the place of a value of an ordered feature on a line; None where it is unknown or has none."""
    if value is None or feature.type not in ORDERED:
        return None
    if feature.type == "date":
        return float(read_date(str(value)).toordinal())
    if feature.type == "datetime":
        moment = read_moment(str(value), feature.zone)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(value)


def measured_text(value: Value, feature: Feature) -> str:
    """Write a value, a number with no more digits than anybody measured."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return measured(value)
    return feature_value(value, feature)
