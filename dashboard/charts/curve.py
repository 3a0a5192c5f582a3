"""How the prediction for one case changes with one feature: a curve, how usual values are, where the case is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from matplotlib.figure import Figure

from dashboard.charts import Cell, Chart
from dashboard.charts.frames import EDGE, LINE, Frame, Pen, label_room
from dashboard.charts.scales import Scale, Tick, number_ticks, percent_ticks
from dashboard.charts.style import Palette, clean, fit

NAME = "what-if"
SIZES = {"wide": (560, 300), "narrow": (330, 290)}
TITLE, STRIP, STRIP_GAP = 22, 30, 8
"""Heights of the title, and of the strip that shows how usual values are, with the room above it."""
BOLD = 7.6
"""Width of a small bold character, in CSS pixels."""
LEAST_SHARE = 0.1
"""Height of the chart of a probability at least: what makes no difference shall look so."""
LEAST_PART = 0.02
"""The same for other numbers, as a part of the number."""


@dataclass(frozen=True)
class Marked:
    """A value that is marked."""

    place: float | None
    """None where it has no place on the scale."""
    score: float
    shown: str
    """The number in words."""


@dataclass(frozen=True)
class CurveDrawing:
    """What the chart shows."""

    feature: str
    """Title of the feature, with its unit."""
    number: str
    """What goes up and down."""
    scale: Scale
    points: Sequence[tuple[float, float]]
    """Places and numbers, in order."""
    density: Sequence[tuple[float, float, int]]
    """Of each bin its ends and how many cases it holds."""
    case: Marked
    chosen: Marked | None = None
    """The value that a person chose."""
    percent: bool = False
    labels: tuple[Tick, ...] = ()
    """What is written beside the chart instead of numbers."""

    @cached_property
    def range(self) -> tuple[float, float]:
        """The numbers at the bottom and at the top, with some room."""
        scores = [score for _, score in self.points] + [self.case.score]
        low, high = min(scores), max(scores)
        middle, least = (low + high) / 2, LEAST_SHARE if self.percent else max(abs(low), abs(high)) * LEAST_PART
        half = max((high - low) * 0.54, least / 2, 1e-9)
        if not self.percent:
            return middle - half, middle + half
        bottom = min(max(middle - half, 0.0), 1 - 2 * half) if half < 0.5 else 0.0
        return max(bottom, 0.0), min(max(middle + half, bottom + 2 * half), 1.0)

    @cached_property
    def ticks(self) -> list[Tick]:
        """The numbers that are written beside the chart."""
        return list(self.labels) or (percent_ticks if self.percent else number_ticks)(*self.range, 5)

    def frame(self, size: str) -> Frame:
        """Give the places in one of the sizes."""
        width, height = SIZES[size]
        bottom = STRIP_GAP + STRIP + 2 * LINE + EDGE
        ends = (self.scale.low, self.scale.high)
        return Frame(width, height, label_room(self.ticks), EDGE + 6, TITLE + LINE + 6, bottom, ends, self.range)

    def draw(self, figure: Figure, palette: Palette, frame: Frame) -> None:
        """Draw everything."""
        pen = Pen(figure, palette)
        pen.text(EDGE, 4, fit(clean(self.number[:1].upper() + self.number[1:]), frame.width - 2 * EDGE), weight="bold")
        for number, text in self.ticks:
            y = frame.y(number)
            pen.line([frame.left, frame.width - frame.right], [y, y], palette.hairline, 0.8)
            pen.text(frame.left - 6, y, text, color=palette.quiet, ha="right", va="center")
        self._draw_density(pen, frame)
        xs, ys = zip(*((frame.x(place), frame.y(score)) for place, score in self.points), strict=True)
        pen.line(xs, ys, palette.accent, 2.2, solid_joinstyle="round")
        if self.chosen:
            self._draw_chosen(pen, frame, self.chosen)
        self._draw_case(pen, frame)
        below = frame.height - EDGE - 2 * LINE
        pen.labels_below(frame, self.scale.labels(frame.width - frame.left - frame.right), below + 2)
        title = fit(clean(self.feature), frame.width - frame.left - EDGE)
        pen.text(frame.left, below + LINE + 4, title, color=palette.ink)

    def _draw_density(self, pen: Pen, frame: Frame) -> None:
        base, most = frame.floor + STRIP_GAP + STRIP, max((count for *_, count in self.density), default=0)
        boxes = [
            (frame.x(start), base - STRIP * count / most, frame.x(end), base)
            for start, end, count in self.density
            if count
        ]
        pen.areas(boxes, pen.palette.fill)
        pen.line([frame.left, frame.width - frame.right], [base, base], pen.palette.quiet, 0.8)

    def _draw_case(self, pen: Pen, frame: Frame) -> None:
        if not self.case.shown:  # the curve is of no case
            return
        if self.case.place is None:
            y = frame.y(self.case.score)
            pen.line([frame.left, frame.width - frame.right], [y, y], pen.palette.ink, 0.8, linestyle=(0, (1, 2)))
            pen.text(frame.left, TITLE + 1, f"this case (unknown): {self.case.shown}", weight="bold")
            return
        x, y = frame.x(self.case.place), frame.y(self.case.score)
        pen.line([x, x], [TITLE + LINE + 2, frame.floor + STRIP_GAP + STRIP], pen.palette.ink, 0.8)
        pen.dot(x, y)
        text = f"this case: {self.case.shown}"
        room = max(x, frame.width - x) - EDGE
        shown = text if len(text) * BOLD < room else self.case.shown
        half = len(shown) * BOLD / 2
        pen.text(min(max(x, half + 2), frame.width - half - 2), TITLE + 1, shown, ha="center", weight="bold")

    def _draw_chosen(self, pen: Pen, frame: Frame, chosen: Marked) -> None:
        if chosen.place is None:
            return
        x, y = frame.x(chosen.place), frame.y(chosen.score)
        pen.line([x, x], [y, frame.floor + STRIP_GAP + STRIP], pen.palette.accent, 1.2, linestyle=(0, (3, 2)))
        pen.dot(x, y, 11, hollow=True)


def curve_chart(
    drawing: CurveDrawing, finding: str, header: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]
) -> Chart:
    """Make the chart."""

    def draw(figure: Figure, palette: Palette) -> None:
        size = "wide" if round(figure.bbox.width) == SIZES["wide"][0] else "narrow"
        drawing.draw(figure, palette, drawing.frame(size))

    return Chart(NAME, finding, header, rows, SIZES, draw)
