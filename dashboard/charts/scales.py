"""The values of a feature along a line: where each is, and which are written beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.charts.style import CHARACTER, GAP, clean, tick_label, ticks
from dashboard.formatting import cell
from dashboard.moments import clock_time
from dashboard.records import Feature, Value

MOST_TICKS = (6, 5, 4, 3, 2)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- moments are as a clock shows them
MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
"""Steps between dates that are written, where they are months or years."""
HOURS = (1, 3, 6, 12, 24, 48, 168, 336)
"""The same where they are less."""
SLACK = 1e-6
"""Part of a step that arithmetic may be off."""
Tick = tuple[float, str]


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high`: numbers, days and their parts, or the places of levels."""

    low: float
    high: float
    dates: bool = False
    levels: tuple[Value, ...] = ()

    @classmethod
    def of(cls, feature: Feature, values: Sequence[Value]) -> "Scale":
        """Make the scale that holds some values of a feature, of which one at least is known."""
        if feature.type not in ("number", "integer", "date", "datetime"):
            levels = tuple(dict.fromkeys(value for value in values if value is not None))
            return cls(-0.5, len(levels) - 0.5, levels=levels)
        dates = feature.type in ("date", "datetime")
        places = [_number(feature, value) for value in values if value is not None]
        low, high = min(places), max(places)
        room = 0.0 if high > low else max(abs(low) * 0.01, 0.5)
        return cls(low - room, high + room, dates)

    def place(self, feature: Feature, value: Value) -> float | None:
        """Give the place of a value; None where it has none."""
        if value is None:
            return None
        if self.levels:
            return float(self.levels.index(value)) if value in self.levels else None
        return _number(feature, value)

    def labels(self, room: float) -> list[Tick]:
        """Choose what is written beside the line, as much as has room, in CSS pixels."""
        if self.levels:
            return [(float(place), clean(cell(level))) for place, level in enumerate(self.levels)]
        chosen: list[Tick] = []
        for most in MOST_TICKS:
            chosen = _date_ticks(self.low, self.high, most) if self.dates else number_ticks(self.low, self.high, most)
            if sum(len(text) * CHARACTER + GAP for _, text in chosen) < room:
                break
        return chosen


def number_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Choose a few round numbers."""
    values = ticks(low, high, most)
    step = values[1] - values[0] if len(values) > 1 else 1.0
    return [(value, tick_label(value, step)) for value in values]


def percent_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Choose a few round shares."""
    return [(value / 100, f"{text} %") for value, text in number_ticks(low * 100, high * 100, most)]


def _number(feature: Feature, value: Value) -> float:
    """Give the number that stands for a value: a moment is a number of days, as the clock of its zone shows it."""
    if feature.type in ("date", "datetime"):
        moment = datetime.fromisoformat(clock_time(str(value), feature.zone)).replace(tzinfo=None)
        return (moment - EPOCH) / timedelta(days=1)
    assert value is not None
    return float(value)


def _date_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Choose a few moments at the finest step that is not too fine."""
    for hours in HOURS:
        if (high - low) * 24 / hours <= most:
            step = hours / 24
            places = [(math.ceil(low / step - SLACK) + number) * step for number in range(most + 1)]
            form = "%m-%d %H:%M" if hours < 24 else "%Y-%m-%d"
            return [(place, _moment(place).strftime(form)) for place in places if place <= high + step * SLACK]
    first = _moment(low)
    for months in MONTHS:
        count = (first.year * 12 + first.month - 1) // months * months
        moments = [divmod(count + months * number, 12) for number in range(most + 3)]
        known = [datetime(year, month + 1, 1) for year, month in moments if year < 10_000]  # noqa: DTZ001 -- see EPOCH
        places = [(moment - EPOCH) / timedelta(days=1) for moment in known]
        inside = [(place, moment) for place, moment in zip(places, known, strict=True) if low <= place <= high]
        if len(inside) <= most:
            form = "%Y" if months >= 12 else "%Y-%m"
            return [(place, moment.strftime(form)) for place, moment in inside]
    return []


def _moment(place: float) -> datetime:
    return EPOCH + timedelta(seconds=round(place * 86400))
