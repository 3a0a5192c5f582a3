"""A value as it was sent → the value that a model gets, or the reason why it does not fit.

Forms and query strings send text, so numbers, booleans and dates may come as text. What goes on is a plain Python
value that JSON can write: dates stay text, in one canonical form in which earlier sorts before later.
"""

import difflib
import math
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, tzinfo
from functools import cache

Level = str | int | float
Value = str | int | float | bool | None

# Only plain ASCII decimals count as numbers: Python's float() would also take "1_000", "nan" and digits of other
# scripts.
DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?", re.ASCII
)
OFFSET = re.compile(r"UTC([+-][0-9]{2}:[0-9]{2})", re.ASCII)
"""An offset that stands for a zone, as Python writes it."""
BOOLEANS: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}
LARGEST_EXACT_INTEGER = 2**53 - 1
YEARS = (1678, 2261)
"""First and last whole year that pandas can hold in nanoseconds."""
MAX_LEVEL = 2_000
"""Characters of a category's level that was never seen in training."""
MAX_TEXT = 10_000
"""Characters of a free text."""
MAX_ECHO = 64
"""Characters of a caller's value that an error message repeats."""
MOST_ODD = 3
"""Odd characters of a value that an error message names."""
MAX_BITS = 10_000
"""Of a whole number that an error message repeats."""


class Rejected(Exception):
    """A value does not fit its feature: `code` for programs, `reason` completes "bmi …".

    `hint` tells what may be meant; finding that takes far longer than the check, so it is asked for where it is read.
    """

    def __init__(self, code: str, fault: str, hint: Callable[[], str] = str) -> None:
        super().__init__(fault)
        self.code = code
        self.fault = fault
        self._hint = hint

    @property
    def reason(self) -> str:
        """Say what is wrong, and what may be meant."""
        return self.fault + self._hint()


def number(value: object) -> float:
    """Read a finite number. Raises Rejected."""
    if isinstance(value, str):
        if not DECIMAL.fullmatch(value):
            raise Rejected("not_a_number", f"must be a number, not {echo(value)}")
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Rejected("not_a_number", f"must be a number, not {echo(value)}")
    try:
        result = float(value)
    except OverflowError:  # an integer of more than 308 digits
        result = math.inf
    if not math.isfinite(result):
        raise Rejected("out_of_range", "is out of the range of a 64-bit number")
    return result


def integer(value: object) -> int:
    """Read a whole number that a 64-bit float holds exactly. Raises Rejected."""
    try:
        result = number(value)
    except Rejected as error:
        if error.code == "out_of_range":
            raise
        raise Rejected("not_an_integer", f"must be a whole number, not {echo(value)}") from None
    if not result.is_integer():
        raise Rejected("not_an_integer", f"must be a whole number, not {echo(value)}")
    if abs(result) > LARGEST_EXACT_INTEGER:
        raise Rejected("out_of_range", "is out of the range of whole numbers that are kept exactly")
    return int(result)


def boolean(value: object) -> bool:
    """Read true, false, 0 or 1. Raises Rejected."""
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in BOOLEANS:
        return BOOLEANS[value.lower()]
    raise Rejected("not_a_boolean", f"must be true or false, not {echo(value)}")


def date(value: object) -> str:
    """Read an ISO 8601 date, as `2026-11-24`. Raises Rejected."""
    moment = _moment(value, "not_a_date", "a date such as 2026-11-24")
    if moment.timetz() != time():
        raise Rejected("not_a_date", f"must be a date without a time, not {echo(value)}")
    return moment.date().isoformat()


def date_time(value: object, zone: str | None) -> str:
    """Read an ISO 8601 date and time; one without an offset is taken to be in `zone`. Raises Rejected.

    With a zone the result is in UTC; without one the value must have no offset.
    """
    moment = _moment(value, "not_a_datetime", "a date and time such as 2026-11-24T09:30")
    if zone is None:
        if moment.tzinfo:
            raise Rejected("not_a_datetime", f"must have no time zone, not {echo(value)}")
        return moment.isoformat()
    if not moment.tzinfo:
        moment = moment.replace(tzinfo=find_zone(zone))
    return moment.astimezone(UTC).isoformat()


@cache
def find_zone(name: str) -> tzinfo:
    """Find a time zone by its name, such as Europe/Amsterdam, or UTC+02:00 without a place. Raises ValueError."""
    if offset := OFFSET.fullmatch(name):
        return datetime.fromisoformat(f"2000-01-01T00:00{offset[1]}").tzinfo or UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (KeyError, OSError) as error:  # OSError: "Europe" is a folder of the database
        raise ValueError(f"there is no time zone {name[:64]!r}") from error


def _moment(value: object, code: str, noun: str) -> datetime:
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise Rejected(code, f"must be {noun}, not {echo(value)}")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Rejected(code, f"must be {noun}; there is no {echo(value)}") from None
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise Rejected("out_of_range", f"must be in the years {YEARS[0]} to {YEARS[1]}, not {echo(value)}")
    return moment


def text(value: object) -> str:
    """Read free text: any characters but control characters other than tab and new line. Raises Rejected."""
    if not isinstance(value, str):
        raise Rejected("not_a_text", f"must be text, not {echo(value)}")
    if len(value) > MAX_TEXT:
        raise Rejected("too_long", f"is longer than {MAX_TEXT:,} characters")
    if any(character < " " and character not in "\t\n\r" for character in value):
        raise Rejected("not_a_text", f"holds control characters: {echo(value)}")
    return value


def clip(value: object) -> str:
    """Repeat a caller's value, short and printable."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:  # Python refuses to write it
        return "a number of very many digits"
    shown = (value if isinstance(value, str) else str(value))[: MAX_ECHO + 1]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else _escaped(c) for c in shown)
    return shown if len(shown) <= MAX_ECHO else shown[: MAX_ECHO - 1] + "…"


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 2**16 else f"\\u{{{ord(character):x}}}"


def echo(value: object) -> str:
    """Repeat a caller's value in a sentence."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{clip(value)}"' if isinstance(value, str) else clip(value)


def quote(level: object) -> str:
    """Write a level in a sentence."""
    return f'"{level}"' if isinstance(level, str) else str(level)


def show(value: object, zone: str | None = None) -> str:
    """Write a training value: numbers without noise digits, dates as they are, moments as the clock of `zone` shows."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(find_zone(zone)).isoformat() if zone else value
    written = f"{value:.10g}"
    return "0" if written == "-0" else written


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Find the known name that a slip of the pen would have turned into this one."""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name[:200].strip().casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def folded(text: str) -> str:
    """Leave out how a name is written: case, width, spaces around it, and what cannot be seen."""
    plain = unicodedata.normalize("NFKC", text[:200])
    return "".join(c for c in plain if unicodedata.category(c) != "Cf").strip().casefold()


def look_alikes(value: str, level: str) -> str:
    """Name the characters by which a value differs unseen from a level: of other scripts, accents apart, spaces."""
    odd = [c for c in dict.fromkeys(value[:MAX_ECHO]) if c not in level and (not c.isascii() or c.isspace())]
    return ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".rstrip() for c in odd[:MOST_ODD])


def percent(share: float, digits: int = 0) -> str:
    """Write a share as 12 %."""
    return f"{100 * share:.{digits}f} %"
