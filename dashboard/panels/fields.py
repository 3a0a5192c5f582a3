"""Controls of panels' forms, beside those that features have: a number, one of a few, and some of a few."""

import math
from typing import Any

from wtforms import Field, SelectField, SelectMultipleField, StringField
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


class Choice(SelectField):
    """One of a few."""

    choices: list[tuple[str, str]]

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what is not among the choices; raises StopValidation."""
        _require_known(self, [self.data])


class Ticks(SelectMultipleField):
    """Some of a few, or none."""

    choices: list[tuple[str, str]]

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 -- WTForms passes it
        """Refuse what is not among the choices; raises StopValidation."""
        _require_known(self, self.data or [])


def _require_known(field: Field, values: list[Any]) -> None:
    known = [value for value, _ in field.choices]
    if wrong := [value for value in values if value not in known]:
        names = listed([name for _, name in field.choices[:10]]) if known else "nothing"
        raise StopValidation(f"Choose {names}: “{clipped(str(wrong[0]), MAX_ECHO)}” is not there.")
