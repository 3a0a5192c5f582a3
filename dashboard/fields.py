"""One control a feature. A field knows its feature; what people type becomes the value that the model service gets."""

import difflib
import math
import re
from collections.abc import Mapping
from typing import Any

from wtforms import Field, StringField
from wtforms.validators import StopValidation

from dashboard.formatting import cell, clock_text, listed, plain_number, rounded
from dashboard.moments import DATE, MOMENT, clock_time, is_written_so, read_date, read_moment
from dashboard.records import Feature, Level, Value

DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
NATIVE_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?", re.ASCII)
"""What a browser's own control for a date and time can hold."""
LINE_ENDS = re.compile(r"\r\n?")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Control characters, but for tab and line ends."""
FEW_LEVELS = 3
"""Levels up to which a category is shown as buttons rather than a list."""
MANY_LEVELS = 200
"""Levels from which on a category is typed, with suggestions: a list of thousands is slow, and no one reads it."""
MAX_TEXT = 10_000
"""Characters of a text that the model service takes."""
FIRST_DAY, LAST_DAY = "1678-01-01", "2261-12-31"
"""Days that the model service takes; its word counts, here they only help a browser's own control."""
MAX_ECHO = 40


class FeatureMixin(Field):
    """What the fields of all types share."""

    feature: Feature

    def __init__(self, feature: Feature, **options: Any) -> None:
        self.feature = feature
        super().__init__(label=feature.title, description=feature.description, **options)

    @property
    def hint(self) -> str:
        """Say in a few words what is usual."""
        return ""

    @property
    def takes_unknown(self) -> bool:
        """Whether the value may be unknown."""
        return self.feature.missing_allowed

    @classmethod
    def typed(cls, feature: Feature, value: Value) -> str | None:  # noqa: ARG003 -- some types of field need it
        """Write a value as it would be typed into the field of its feature; None is unknown."""
        return None if value is None else written(value)

    def to_value(self) -> Value:
        """Give the value for the model service; None is unknown."""
        raise NotImplementedError  # each type of field has its own


class TypedField(FeatureMixin, StringField):
    """A value that is typed, kept as text so that what was typed survives an error; a box beside it says "unknown"."""

    unknown = False
    """Whether the box is ticked."""

    @property
    def noun(self) -> str:
        """What to ask for."""
        raise NotImplementedError

    @property
    def shown(self) -> str:
        """The text in the field."""
        return "" if self.unknown or self.data is None else str(self.data)

    @property
    def input_type(self) -> str:
        """Type of the HTML control; "text" where a browser's own one would drop what was typed."""
        return "text"

    @property
    def attributes(self) -> Mapping[str, str]:
        """More attributes of the HTML control."""
        return {}

    @property
    def lacking(self) -> bool:
        """Whether nothing was typed."""
        return not self.data

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the typed text."""
        self.data = self.tidy(_one(valuelist)) if valuelist else self.data

    def tidy(self, text: str) -> str:
        """Take away what nobody typed on purpose: the spaces around it."""
        return text.strip()

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what the feature cannot be; raises StopValidation."""
        if self.unknown or self.process_errors:
            return
        if self.lacking:
            raise StopValidation(f"Enter {self.noun}" + (" or tick “unknown”." if self.takes_unknown else "."))
        self.check(str(self.data))

    def check(self, text: str) -> None:
        """Refuse a text that is no such value; raises StopValidation."""
        raise NotImplementedError

    def to_value(self) -> Value:
        """Give the value as it was typed, the service knows its form; None is unknown."""
        return None if self.unknown else self.data


class RangedField(TypedField):
    """A value that has a usual range."""

    @property
    def hint(self) -> str:
        """Say what was usual in the training data, or is guessed to have been."""
        low, high = self.feature.minimum, self.feature.maximum
        if low is None or high is None:
            return ""
        if {"minimum", "maximum"} & set(self.feature.guessed):
            return f"about {self.end(low, guessed=True)} to {self.end(high, guessed=True)}, guessed"
        return f"{self.end(low)} to {self.end(high)} in the training data"

    def end(self, value: float | str, *, guessed: bool = False) -> str:  # noqa: ARG002 -- dates have no digits to spare
        """Write one end of the range."""
        return str(value)


class NumberField(RangedField):
    """A number or whole number."""

    @property
    def noun(self) -> str:
        """What to ask for."""
        return "a whole number" if self.feature.type == "integer" else "a number"

    @property
    def attributes(self) -> Mapping[str, str]:
        """Tell a phone which keys are needed: those for numbers often lack a minus sign."""
        low = self.feature.minimum
        negative = isinstance(low, int | float) and low < 0
        digits = "numeric" if self.feature.type == "integer" else "decimal"
        return {"inputmode": "text" if negative else digits}

    def end(self, value: float | str, *, guessed: bool = False) -> str:
        """Write one end of the range; of a guess, more digits would be a pretence."""
        number = float(value)
        return plain_number(rounded(number) if guessed else number)

    def check(self, text: str) -> None:
        """Refuse what is not a number, or not a whole one; raises StopValidation."""
        if not DECIMAL.fullmatch(text):
            comma = " Write decimals with a point." if "," in text else ""
            raise StopValidation(f"Enter {self.noun}: “{_clip(text)}” is not one.{comma}")
        if self.feature.type == "integer" and not float(text).is_integer():
            raise StopValidation(f"Enter a whole number: “{_clip(text)}” is not one.")

    @classmethod
    def typed(cls, feature: Feature, value: Value) -> str | None:
        """Write a number so that it reads back the same."""
        return repr(value).removesuffix(".0") if isinstance(value, float) else super().typed(feature, value)

    def to_value(self) -> Value:
        """Give the number; None is unknown."""
        if self.unknown:
            return None
        # Text goes on as it was typed where a float would lose digits or overflow: the service judges it.
        number = float(self.data or "")
        return number if math.isfinite(number) else self.data


class DateField(RangedField):
    """A date."""

    noun = "a date"

    @property
    def input_type(self) -> str:
        """A calendar, unless it would drop what was typed."""
        return "date" if not self.shown or is_written_so(read_date, self.shown) else "text"

    @property
    def attributes(self) -> Mapping[str, str]:
        """Keep a calendar to years of four digits."""
        return {"min": FIRST_DAY, "max": LAST_DAY} if self.input_type == "date" else {}

    def check(self, text: str) -> None:
        """Refuse what is not a date; raises StopValidation."""
        if not DATE.fullmatch(text):
            raise StopValidation(f"Enter a date such as 2026-11-24: “{_clip(text)}” is not one.")
        if not is_written_so(read_date, text):
            raise StopValidation(f"Enter a date such as 2026-11-24: there is no “{text}”.")


class DateTimeField(RangedField):
    """A date and time, by the clock of the feature's time zone if it has one."""

    noun = "a date and time"

    @property
    def hint(self) -> str:
        """Say what is usual, and which clock is meant."""
        zone = f"times are in {self.feature.zone}" if self.feature.zone else ""
        return "; ".join(filter(None, (super().hint, zone)))

    def end(self, value: float | str, *, guessed: bool = False) -> str:  # noqa: ARG002 -- see RangedField
        """Write one end of the range by the feature's clock."""
        return clock_text(str(value), self.feature.zone)

    @property
    def input_type(self) -> str:
        """A calendar with a clock, unless it would drop what was typed."""
        native = NATIVE_MOMENT.fullmatch(self.shown) and self._is_moment(self.shown)
        return "datetime-local" if not self.shown or native else "text"

    @property
    def attributes(self) -> Mapping[str, str]:
        """Keep the control to years of four digits, and as fine as the values that are known."""
        if self.input_type == "text":
            return {}
        return {"min": f"{FIRST_DAY}T00:00", "max": f"{LAST_DAY}T23:59", "step": self._step}

    @property
    def _step(self) -> str:
        feature = self.feature
        known = [str(value) for value in (feature.minimum, feature.maximum, feature.default) if value is not None]
        texts = [self.shown, *(clock_time(text, feature.zone) for text in known)]
        finest = max(text.count(":") + text.count(".") for text in texts)
        return {3: "0.001", 2: "1"}.get(finest, "60")

    def check(self, text: str) -> None:
        """Refuse what is not a date and time, and an offset where there is no time zone; raises StopValidation."""
        found = MOMENT.fullmatch(text)
        if not found:
            raise StopValidation(f"Enter a date and time such as 2026-11-24T09:30: “{_clip(text)}” is not one.")
        if found[3] and not self.feature.zone:
            raise StopValidation(f"Enter the time without a time zone: “{_clip(text)}” has one.")
        if not self._is_moment(text):
            raise StopValidation(f"Enter a date and time such as 2026-11-24T09:30: there is no “{_clip(text)}”.")

    def _is_moment(self, text: str) -> bool:
        return is_written_so(lambda given: read_moment(given, self.feature.zone), text)

    @classmethod
    def typed(cls, feature: Feature, value: Value) -> str | None:
        """Write a moment as the feature's clock shows it."""
        return clock_time(value, feature.zone) if isinstance(value, str) else super().typed(feature, value)


class TextField(TypedField):
    """Free text; an empty one is a text too."""

    noun = "a text"

    @property
    def lacking(self) -> bool:
        """Whether the field was not sent at all."""
        return self.data is None

    def tidy(self, text: str) -> str:
        """Take line ends as they were before a browser changed them for the journey."""
        return LINE_ENDS.sub("\n", text)

    def check(self, text: str) -> None:
        """Refuse a text that is too long or no text; raises StopValidation."""
        if len(text) > MAX_TEXT:
            raise StopValidation(f"Shorten this text: it has {len(text):,} characters, and {MAX_TEXT:,} are taken.")
        if CONTROL.search(text):
            raise StopValidation("Take the control characters out of this text: they are not taken.")


class SuggestField(TypedField):
    """One of hundreds of levels, typed; the browser suggests those that fit."""

    @property
    def noun(self) -> str:
        """What to ask for."""
        return "a value" if self.feature.unknown_categories else f"one of the {self._count}"

    @property
    def hint(self) -> str:
        """Say how many levels there are, and whether another is taken."""
        other = "; another is taken too" if self.feature.unknown_categories else ""
        return f"{self._count}, suggested while you type{other}"

    @property
    def suggestions(self) -> list[str]:
        """What the browser suggests."""
        return [written(level) for level in self.feature.categories]

    @property
    def attributes(self) -> Mapping[str, str]:
        """Where the suggestions are."""
        return {"list": f"{self.id}-levels"}

    @property
    def lacking(self) -> bool:
        """Whether nothing was typed, unless nothing is a level."""
        return not str(self.data or "").strip() and self._level is None

    def tidy(self, text: str) -> str:
        """Keep the text: a level may end with a space."""
        return text

    def check(self, text: str) -> None:
        """Refuse what is not a level, unless any is taken; raises StopValidation."""
        if self._level is None and not self.feature.unknown_categories:
            near = difflib.get_close_matches(text[:100], self.suggestions, n=1)
            meant = f" Did you mean “{_clip(near[0])}”?" if near else ""
            raise StopValidation(f"Enter {self.noun}: “{_clip(text)}” is not one of them.{meant}")

    def to_value(self) -> Value:
        """Give the level, or the text that is none; None is unknown."""
        if self.unknown:
            return None
        level = self._level
        return str(self.data).strip() if level is None else level

    @property
    def _count(self) -> str:
        return f"{len(self.feature.categories):,} known values"

    @property
    def _level(self) -> Level | None:
        """The level that was typed, with or without spaces around it."""
        text = "" if self.data is None else str(self.data)
        levels = {written(level): level for level in self.feature.categories}
        return levels.get(text, levels.get(text.strip()))


class ChoiceMixin(FeatureMixin):
    """A value out of a few; the empty choice is "unknown"."""

    choices: list[tuple[str, str]]
    """For each choice, what is sent and what is shown."""
    data: Any

    def __init__(self, feature: Feature, **options: Any) -> None:
        super().__init__(feature, **options)
        self.choices = [(written(level), cell(level)) for level in _levels(feature)]
        if feature.missing_allowed:
            self.choices.append(("", "Unknown"))

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the chosen value."""
        self.data = _one(valuelist) if valuelist else self.data

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what is not among the choices; raises StopValidation."""
        known = [value for value, _ in self.choices]
        if self.data in known or self.process_errors:
            return
        names = listed([label for _, label in self.choices[:10]])
        typed = f": “{_clip(self.data)}” is not one of them" if self.data else ""
        raise StopValidation(f"Choose {'one of ' if len(known) > 1 else ''}{names}{typed}.")

    @classmethod
    def typed(cls, feature: Feature, value: Value) -> str | None:
        """Give the choice of a value; the empty one is "unknown"."""
        return super().typed(feature, value) or ""

    def to_value(self) -> Value:
        """Give the chosen level; None is unknown."""
        if self.data == "" and self.takes_unknown:
            return None
        return next(level for level in _levels(self.feature) if written(level) == self.data)


class ButtonsField(ChoiceMixin):
    """Yes or no, or one of up to three levels."""


class ListField(ChoiceMixin):
    """One of many levels."""


KINDS: Mapping[str, type[FeatureMixin]] = {
    "number": NumberField,
    "integer": NumberField,
    "boolean": ButtonsField,
    "date": DateField,
    "datetime": DateTimeField,
    "text": TextField,
}
"""Type of a feature → its field, where the number of levels does not decide."""


def field_type(feature: Feature) -> type[FeatureMixin]:
    """Choose the field of a feature."""
    if kind := KINDS.get(feature.type):
        return kind
    count = len(feature.categories)
    return ButtonsField if count <= FEW_LEVELS else ListField if count < MANY_LEVELS else SuggestField


def written(level: Level) -> str:
    """Write a level as forms and addresses have it."""
    return str(level).lower() if isinstance(level, bool) else str(level)


def _levels(feature: Feature) -> tuple[Level, ...]:
    return (True, False) if feature.type == "boolean" else feature.categories


def _one(texts: list[str]) -> str:
    if len(texts) > 1:
        raise ValueError("This value was sent twice.")
    return texts[0]


def _clip(text: object) -> str:
    return str(text) if len(str(text)) <= MAX_ECHO else str(text)[: MAX_ECHO - 1] + "…"
