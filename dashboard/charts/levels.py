"""How the prediction for one case changes with a feature that has levels: a bar for each, from the case's number."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from matplotlib.figure import Figure

from dashboard.charts import Cell, Chart
from dashboard.charts.curve import LEAST_PART, LEAST_SHARE, NAME, Marked
from dashboard.charts.frames import EDGE, LINE, Frame, Pen
from dashboard.charts.style import CHARACTER, Palette, clean, fit, label_lines

WIDTHS = {"wide": 560, "narrow": 330}
TITLE, TRACK, GAP = 40, 12, 10
"""Heights of the title with what the line means, and of a bar, and the room below it."""
AMOUNT = 11 * CHARACTER
"""Room that is kept free for the number beside a label."""


class Bar(NamedTuple):
    """One level."""

    label: str
    score: float
    shown: str
    """The number in words."""
    cases: int | None
    """Cases of the reference sample that have it."""


@dataclass(frozen=True)
class LevelsDrawing:
    """What the chart shows."""

    number: str
    """What the bars are about."""
    bars: Sequence[Bar]
    case: Marked
    """The case; its place is that of its level."""
    chosen: Marked | None = None
    percent: bool = False
    usual: str = "this case"
    """What the line from which the bars begin is called."""

    @cached_property
    def range(self) -> tuple[float, float]:
        """The numbers at the left and the right end."""
        scores = [bar.score for bar in self.bars] + [self.case.score]
        low, high = min(scores), max(scores)
        least = LEAST_SHARE if self.percent else max(abs(low), abs(high)) * LEAST_PART or 1.0
        room = max(0.0, least - (high - low)) / 2
        return low - room, high + room

    def frame(self, size: str) -> Frame:
        """Give the places in one of the sizes."""
        height = TITLE + sum(self._height(bar, WIDTHS[size]) for bar in self.bars) + EDGE
        return Frame(WIDTHS[size], height, EDGE + 4, EDGE + 4, TITLE, EDGE, self.range)

    def middle(self, size: str, place: int) -> float:
        """Give the pixels from the top to the middle of a bar."""
        above = sum(self._height(bar, WIDTHS[size]) for bar in self.bars[:place])
        own = len(self._lines(self.bars[place], WIDTHS[size])) * LINE
        return TITLE + above + own + TRACK / 2 + 2

    def draw(self, figure: Figure, palette: Palette, size: str) -> None:
        """Draw everything."""
        pen, frame = Pen(figure, palette), self.frame(size)
        pen.text(EDGE, 4, fit(clean(self.number[:1].upper() + self.number[1:]), frame.width - 2 * EDGE), weight="bold")
        x = frame.x(self.case.score)
        text = f"{self.usual}: {self.case.shown}"
        half = len(text) * CHARACTER / 2
        place = min(max(x, half + EDGE), frame.width - half - EDGE)
        pen.text(place, 4 + LINE + 3, text, color=palette.quiet, ha="center")
        for number, bar in enumerate(self.bars):
            self._draw_bar(pen, frame, size, number, bar)
        for mark, hollow in ((self.case, False), (self.chosen, True)):
            if mark and mark.place is not None:
                pen.dot(frame.x(mark.score), self.middle(size, int(mark.place)), 12 if hollow else 9, hollow=hollow)

    def _draw_bar(self, pen: Pen, frame: Frame, size: str, number: int, bar: Bar) -> None:
        middle, own = self.middle(size, number), self.case.place == number
        lines, weight = self._lines(bar, frame.width), "bold" if own else "normal"
        top = middle - TRACK / 2 - 2 - len(lines) * LINE
        for line, text in enumerate(lines):
            pen.text(EDGE, top + line * LINE, text, weight=weight)
        pen.text(frame.width - EDGE, top, bar.shown, weight="bold", ha="right")
        pen.line([EDGE, frame.width - EDGE], [middle, middle], pen.palette.hairline, 0.8)
        usual = frame.x(self.case.score)
        start, end = sorted((usual, frame.x(bar.score)))
        pen.areas([(start, middle - TRACK / 2, max(end, start + 1), middle + TRACK / 2)], pen.palette.fill, 0.5)
        pen.line([usual, usual], [middle - TRACK / 2 - 1, middle + TRACK / 2 + 1], pen.palette.ink, 1.0)

    @staticmethod
    def _lines(bar: Bar, width: float) -> list[str]:
        """Break a label into at most two lines beside its number."""
        text = bar.label
        if bar.cases is not None:
            text += f" ({bar.cases:,} {'case' if bar.cases == 1 else 'cases'})"
        return label_lines(text, width - 2 * EDGE - AMOUNT)

    @classmethod
    def _height(cls, bar: Bar, width: float) -> int:
        return len(cls._lines(bar, width)) * LINE + TRACK + GAP


def levels_chart(
    drawing: LevelsDrawing, finding: str, header: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]
) -> Chart:
    """Make the chart."""

    def draw(figure: Figure, palette: Palette) -> None:
        drawing.draw(figure, palette, "wide" if round(figure.bbox.width) == WIDTHS["wide"] else "narrow")

    sizes = {size: (width, drawing.frame(size).height) for size, width in WIDTHS.items()}
    return Chart(NAME, finding, header, rows, sizes, draw)
