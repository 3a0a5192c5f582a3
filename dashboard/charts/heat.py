"""How the prediction for one case changes with two features at once: a map in a few colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from dashboard.charts import Cell, Chart
from dashboard.charts.frames import EDGE, LINE, Frame, Pen
from dashboard.charts.scales import Scale, Tick
from dashboard.charts.style import CHARACTER, Palette, clean, fit

NAME = "two-features"
WIDTHS = {"wide": 560, "narrow": 330}
COLORS = 7
TITLE, STRIP = 62, 12
"""Heights of the head with the colour strip, and of the strip."""
ROOM, ROW = 230, 2 * LINE + 4
"""Height of the map at least, and of one row of levels."""
WIDER = 1.12
"""What a character of a label that fills its room may be wider than usual."""
MOST_LABEL = 0.36
"""Part of the width that labels of levels may take."""


@dataclass(frozen=True)
class Side:
    """One of the two features."""

    title: str
    scale: Scale
    places: Sequence[float]
    """Where the values are, ascending."""
    case: float | None

    @property
    def edges(self) -> list[float]:
        """The bounds of the cells: in the middle between values."""
        inner = [(a + b) / 2 for a, b in zip(self.places[:-1], self.places[1:], strict=True)]
        return [self.scale.low, *inner, self.scale.high]


@dataclass(frozen=True)
class HeatDrawing:
    """What the chart shows."""

    number: str
    across: Side
    up: Side
    scores: npt.NDArray[np.float64]
    """A row for each place of `up`, a column for each of `across`."""
    case: str
    """The case's number in words."""
    ends: tuple[str, str]
    """The smallest and the largest number in words."""

    def frame(self, size: str) -> Frame:
        """Give the places in one of the sizes."""
        width = WIDTHS[size]
        labels = self.up.scale.labels(ROOM)
        left = min(max((len(text) for _, text in labels), default=0) * CHARACTER + EDGE + 6, width * MOST_LABEL)
        room = max(ROOM, ROW * len(self.up.scale.levels))
        bottom = (1 + max(map(len, self._labels_below(width - left - EDGE)), default=1)) * LINE + EDGE + 4
        ends = (self.across.scale.low, self.across.scale.high), (self.up.scale.low, self.up.scale.high)
        return Frame(width, round(TITLE + LINE + room + bottom), left, EDGE + 4, TITLE + LINE, bottom, *ends)

    def _labels_below(self, room: float) -> list[list[str]]:
        """Give each label below as at most three lines."""
        labels = self.across.scale.labels(room)
        if not self.across.scale.levels:
            return [[text] for _, text in labels]
        most = max(2, int(room / len(labels) / CHARACTER))
        return [_lines(text, most, 3) for _, text in labels]

    def draw(self, figure: Figure, palette: Palette, size: str) -> None:
        """Draw everything."""
        pen, frame = Pen(figure, palette), self.frame(size)
        colors = ramp(palette)
        self._draw_head(pen, frame, colors)
        self._draw_cells(pen, frame, colors)
        self._draw_labels(pen, frame, self.up.scale.labels(frame.floor - frame.top))
        if self.across.case is not None and self.up.case is not None:
            x, y = frame.x(self.across.case), frame.y(self.up.case)
            pen.line([x], [y], palette.ink, marker="o", markersize=8, markerfacecolor=palette.paper,
                     markeredgecolor=palette.ink, markeredgewidth=1.8)  # fmt: skip

    def _draw_head(self, pen: Pen, frame: Frame, colors: list[str]) -> None:
        room = frame.width - 2 * EDGE
        pen.text(EDGE, 4, fit(clean(self.number[:1].upper() + self.number[1:]), room), weight="bold")
        part, top = room / COLORS, 4 + LINE + 5
        for place, color in enumerate(colors):
            left = EDGE + part * place
            pen.areas([(left, top, left + part - 1, top + STRIP)], color)
        below = top + STRIP + 3
        pen.text(EDGE, below, self.ends[0], color=pen.palette.quiet)
        pen.text(EDGE + room, below, self.ends[1], color=pen.palette.quiet, ha="right")
        pen.text(EDGE + room / 2, below, fit(f"○ this case: {self.case}", room / 2), ha="center")

    def _draw_cells(self, pen: Pen, frame: Frame, colors: list[str]) -> None:
        """Draw one shape for each colour; neighbours of one colour in a row are one box."""
        bins = color_places(self.scores)
        xs, ys = [frame.x(edge) for edge in self.across.edges], [frame.y(edge) for edge in self.up.edges]
        boxes: dict[int, list[tuple[float, float, float, float]]] = {}
        for row, line in enumerate(bins.tolist()):
            start = 0
            for end in range(1, len(line) + 1):
                if end == len(line) or line[end] != line[start]:
                    boxes.setdefault(line[start], []).append((xs[start], ys[row + 1], xs[end], ys[row]))
                    start = end
        for place, some in sorted(boxes.items()):
            pen.areas(some, colors[place], 0.6)

    def _draw_labels(self, pen: Pen, frame: Frame, labels: Sequence[Tick]) -> None:
        quiet = pen.palette.quiet
        pen.text(EDGE, TITLE - 2, fit("↑ " + clean(self.up.title), frame.width - 2 * EDGE))
        most = max(2, int((frame.left - EDGE - 4) / (CHARACTER * WIDER)))
        for number, text in labels:
            lines = _lines(text, most, 2 if self.up.scale.levels else 1)
            top = frame.y(number) - len(lines) * LINE / 2
            for place, line in enumerate(lines):
                pen.text(frame.left - 6, top + place * LINE, line, color=quiet, ha="right")
        room = frame.width - frame.left - EDGE
        below = zip(self.across.scale.labels(room), self._labels_below(room), strict=True)
        for (number, _), lines in below:
            for place, line in enumerate(lines):
                half = len(line) * CHARACTER / 2 + 2
                x = min(max(frame.x(number), half), frame.width - half)
                pen.text(x, frame.floor + 5 + place * LINE, line, color=quiet, ha="center")
        pen.text(frame.left, frame.height - LINE - 5, fit("→ " + clean(self.across.title), room))


def ramp(palette: Palette) -> list[str]:
    """Give the colours from least to most."""
    blend = LinearSegmentedColormap.from_list("ramp", palette.ramp)
    return [to_hex(blend(place / (COLORS - 1))) for place in range(COLORS)]


def color_places(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Tell for each number which of the colours it has."""
    low, high = float(scores.min()), float(scores.max())
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        return np.zeros(scores.shape, dtype=np.intp)
    return np.clip((scores - low) / (high - low) * COLORS, 0, COLORS - 1).astype(np.intp)


def _lines(text: str, most: int, count: int) -> list[str]:
    """Break a label into at most so many lines; what is longer than a line is shortened, and not broken in a word."""
    lines = wrap(text, most, break_long_words=False) or [""]
    lines = lines if len(lines) <= count else [*lines[: count - 1], " ".join(lines[count - 1 :])]
    return [fit(line, most * CHARACTER) for line in lines]


def heat_chart(
    drawing: HeatDrawing, finding: str, header: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]
) -> Chart:
    """Make the chart."""

    def draw(figure: Figure, palette: Palette) -> None:
        drawing.draw(figure, palette, "wide" if round(figure.bbox.width) == WIDTHS["wide"] else "narrow")

    sizes = {size: (width, drawing.frame(size).height) for size, width in WIDTHS.items()}
    return Chart(NAME, finding, header, rows, sizes, draw)
