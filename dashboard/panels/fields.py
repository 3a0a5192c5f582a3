"""Panels' forms, and the controls in them beside those that features have: a number, one of a few, some of a few."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Field, StringField
from wtforms.form import BaseForm
from wtforms.validators import StopValidation

from dashboard.fields import DECIMAL
from dashboard.formatting import clipped, listed, plain_number

MAX_ECHO = 40


class NumberText(StringField):
    """A typed number, kept as text so that what was typed survives an error; an empty one is None where it may be."""

    def __init__(
        self, label: str, *, low: float = -math.inf, high: float = math.inf, optional: bool = False, **options: Any
    ) -> None:
        super().__init__(label, **options)
        self.low, self.high, self.optional = low, high, optional

    @property
    def number(self) -> float | None:
        """The number, of a valid field."""
        return float(self.data) if self.data else None

    @property
    def inputmode(self) -> str:
        """Which keys a phone shows: those for numbers often lack a minus sign."""
        return "decimal" if self.low >= 0 else "text"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the typed text without the spaces around it."""
        if valuelist:
            self.data = valuelist[-1].strip()

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what is no number within the bounds; raises StopValidation."""
        if not self.data:
            if self.optional:
                return
            raise StopValidation(f"Enter {self._wanted}.")
        if not DECIMAL.fullmatch(self.data):
            comma = " Write decimals with a point." if "," in self.data else ""
            raise StopValidation(f"Enter {self._wanted}: “{clipped(self.data, MAX_ECHO)}” is no number.{comma}")
        number = float(self.data)
        if not (math.isfinite(number) and self.low <= number <= self.high):
            raise StopValidation(f"Enter {self._wanted}, not {clipped(self.data, MAX_ECHO)}.")

    @property
    def _wanted(self) -> str:
        if self.high < math.inf:
            return f"a number from {plain_number(self.low)} to {plain_number(self.high)}"
        return f"a number of at least {plain_number(self.low)}" if self.low > -math.inf else "a number"


class Choice(Field):
    """One of a few."""

    data: Any

    def __init__(self, label: str, choices: Sequence[tuple[str, str]], **options: Any) -> None:
        """`choices`: for each what is sent and what is shown."""
        super().__init__(label, **options)
        self.choices = list(choices)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was chosen."""
        if valuelist:
            self.data = valuelist[-1]

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what is not among the choices; raises StopValidation."""
        known = [value for value, _ in self.choices]
        if wrong := [value for value in self._chosen if value not in known]:
            names = listed([name for _, name in self.choices[:10]])
            one = "one of " if len(known) > 1 else ""
            raise StopValidation(f"Choose {one}{names}: “{clipped(str(wrong[0]), MAX_ECHO)}” is not there.")

    @property
    def _chosen(self) -> list[str]:
        return [self.data]


class Ticks(Choice):
    """Some of a few, or none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was ticked."""
        self.data = valuelist

    @property
    def _chosen(self) -> list[str]:
        return self.data or []


class PanelForm(BaseForm):
    """A form whose fields have the names of a panel's parameters."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)

    def fill(self, typed: Mapping[str, tuple[str, ...]], usual: Mapping[str, Any]) -> None:
        """Take what was typed; where nothing was, what is usual."""
        self.process(MultiDict([(name, value) for name, values in typed.items() for value in values]), data=usual)

    @property
    def invalid(self) -> list[tuple[str, str]]:
        """For each refused control its id and what to call it."""
        return [(field.id, field.label.text) for field in self if field.errors]

    def number_in(self, name: str) -> float | None:
        """Give the number in a field of a valid form; None where there is no such field, or nothing in it."""
        field = self._fields.get(name)
        return field.number if isinstance(field, NumberText) else None

    def choice_in(self, name: str) -> str | None:
        """Give what is chosen in a field; None where there is no such field."""
        field = self._fields.get(name)
        return None if field is None else str(field.data)


def typed_number(text: str, *, low: float = -math.inf, high: float = math.inf) -> tuple[float | None, str]:
    """Read a number that may be left out: give it, and what is wrong with what was typed."""
    form = PanelForm({"number": NumberText("Number", low=low, high=high, optional=True)})
    form.fill({"number": (text,)}, {})
    form.validate()
    errors = form["number"].errors
    return (None if errors else form.number_in("number")), " ".join(map(str, errors))


def asked_again(count: int) -> str:
    """Say that nothing was asked, because so many values are wrong."""
    return f"Nothing was asked: {count} {'value needs' if count == 1 else 'values need'} another look."
