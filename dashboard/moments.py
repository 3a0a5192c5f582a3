"""Dates and times as text: what counts as one, and how the clock of a time zone shows it."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

# Python's own parser also takes "20261124" and "2026-W48-2", which nobody would recognise.
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII
)
FIXED_ZONE = re.compile(r"UTC([+-][0-9]{2}:[0-9]{2})", re.ASCII)
"""An offset that stands for a zone, as Python writes it."""


def read_date(text: str) -> date:
    """Read a date such as 2026-11-24. Raises ValueError."""
    if not DATE.fullmatch(text):
        raise ValueError("it is not written as a date")
    return date.fromisoformat(text)


def read_moment(text: str, zone: str | None) -> datetime:
    """Read a date and time such as 2026-11-24T09:30 as the clock of `zone` shows it. Raises ValueError.

    Without an offset it is taken to be in `zone`; without a zone it must have no offset.
    """
    if not MOMENT.fullmatch(text):
        raise ValueError("it is not written as a date and time")
    moment = datetime.fromisoformat(text)
    if zone is None:
        if moment.tzinfo:
            raise ValueError("it has an offset where there is no time zone")
        return moment
    try:
        place = find_zone(zone)
        return moment.astimezone(place) if moment.tzinfo else moment.replace(tzinfo=place)
    except OverflowError as error:
        raise ValueError("it is beyond the calendar") from error


def is_written_so(read: Callable[[str], date], value: object) -> bool:
    """Tell whether a value is a text that can be read so."""
    if not isinstance(value, str):
        return False
    try:
        read(value)
    except ValueError:
        return False
    return True


def find_zone(name: str) -> tzinfo:
    """Find a time zone by its name, such as Europe/Amsterdam, or UTC+02:00 without a place. Raises ValueError."""
    if fixed := FIXED_ZONE.fullmatch(name):
        return datetime.fromisoformat(f"2000-01-01T00:00{fixed[1]}").tzinfo or UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as error:  # OSError: "Europe" is a folder of the database
        raise ValueError(f"there is no time zone {name[:64]!r}") from error


def clock_time(text: str, zone: str | None) -> str:
    """Write a moment as the clock of `zone` shows it: 2026-11-24T09:30; a text that is none stays as it is.

    An hour that a clock shows twice, because it is put back, has its offset the second time.
    """
    try:
        moment = read_moment(text, zone)
    except ValueError:
        return text
    kept = moment if moment.fold else moment.replace(tzinfo=None)
    return kept.isoformat(timespec=_precision(moment))


def _precision(moment: datetime) -> str:
    """Choose how finely a moment is written; a browser's own control holds milliseconds at most."""
    if moment.microsecond % 1000:
        return "microseconds"
    if moment.microsecond:
        return "milliseconds"
    return "seconds" if moment.second else "minutes"
