"""The values of a feature along a line: where each is, and which are written beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from matplotlib.dates import AutoDateLocator, date2num, num2date

from dashboard.charts.style import CHARACTER, GAP, clean, tick_label, ticks
from dashboard.formatting import cell
from dashboard.moments import clock_time
from dashboard.records import Feature, Value

MOST_TICKS = (6, 5, 4, 3, 2)
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
        return float(date2num(datetime.fromisoformat(clock_time(str(value), feature.zone)).replace(tzinfo=None)))
    assert value is not None
    return float(value)


def _date_ticks(low: float, high: float, most: int) -> list[Tick]:
    locator = AutoDateLocator(minticks=2, maxticks=most)
    values = [float(value) for value in locator.tick_values(num2date(low), num2date(high)) if low <= value <= high]
    moments = [num2date(value) for value in values]
    if any(moment.hour or moment.minute for moment in moments):
        form = "%m-%d %H:%M"
    elif any(moment.day != 1 for moment in moments):
        form = "%Y-%m-%d"
    else:
        form = "%Y-%m" if any(moment.month != 1 for moment in moments) else "%Y"
    return [(value, moment.strftime(form)) for value, moment in zip(values, moments, strict=True)]
