"""From the usual number to this one, a bar for what each feature adds or takes away."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from matplotlib.figure import Figure

from dashboard.charts import Chart
from dashboard.charts.frames import EDGE, LINE, Frame, Pen
from dashboard.charts.style import CHARACTER, NORMAL, Palette, clean, clean_finding, fit, label_lines

NAME = "contributions"
WIDTHS = {"wide": 560, "narrow": 330}
BAR, GAP = 11, 9
"""Height of a bar, and room below it, in CSS pixels."""
AMOUNT = 14 * CHARACTER
"""Room that is kept free for the amount beside a label."""
HEADER = ("feature", "value", "contribution", "standard error")


class Bar(NamedTuple):
    """One step of the way."""

    label: str
    amount: float
    shown: str
    """The amount in words."""


class End(NamedTuple):
    """Where the way begins or ends."""

    name: str
    number: float
    shown: str
    """The number in words."""


@dataclass(frozen=True)
class Way:
    """What the chart shows."""

    start: End
    end: End
    bars: Sequence[Bar]

    def draw(self, figure: Figure, palette: Palette) -> None:
        """Draw everything, from the top to the bottom."""
        pen, width, height = Pen(figure, palette), round(figure.bbox.width), round(figure.bbox.height)
        numbers = list(accumulate((bar.amount for bar in self.bars), initial=self.start.number))
        low, high = min(numbers), max(numbers)
        frame = Frame(width, height, EDGE, EDGE, EDGE, EDGE, (low, high if high > low else low + 1.0))
        top = _draw_end(pen, frame, EDGE, self.start)
        for bar, (before, after) in zip(self.bars, pairwise(numbers), strict=True):
            top = _draw_bar(pen, frame, top, bar, (before, after))
        _draw_end(pen, frame, top, self.end)

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height of both sizes."""
        ends = 2 * EDGE + 2 * (LINE + GAP)
        return {
            size: (width, ends + sum(len(_lines(bar, width)) * LINE + 2 + BAR + GAP for bar in self.bars))
            for size, width in WIDTHS.items()
        }


def waterfall(finding: str, way: Way, table: tuple[tuple[str | float, ...], ...]) -> Chart:
    """Make the chart."""
    return Chart(NAME, clean_finding(finding), HEADER, table, way.sizes, way.draw)


def _draw_end(pen: Pen, frame: Frame, top: float, end: End) -> float:
    pen.text(EDGE, top, fit(clean(f"{end.name}: {end.shown}"), frame.width - 2 * EDGE), size=NORMAL, weight="bold")
    return top + LINE + GAP


def _draw_bar(pen: Pen, frame: Frame, top: float, bar: Bar, ends: tuple[float, float]) -> float:
    lines = _lines(bar, frame.width)
    for number, line in enumerate(lines):
        pen.text(EDGE, top + LINE * number, line)
    pen.text(frame.width - EDGE, top, bar.shown, ha="right", weight="bold")
    below = top + LINE * len(lines) + 2
    middle = below + BAR / 2
    pen.line([EDGE, frame.width - EDGE], [middle, middle], pen.palette.hairline, 0.8, zorder=0)
    pen.bar(frame.x(ends[0]), frame.x(ends[1]), below, BAR, filled=bar.amount >= 0)
    return below + BAR + GAP


def _lines(bar: Bar, width: float) -> list[str]:
    return label_lines(bar.label, width - 2 * EDGE - AMOUNT)
