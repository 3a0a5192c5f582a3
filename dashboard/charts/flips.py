"""At which value of each feature the decision changes: where the case is, and how far that is."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from dashboard.charts import Cell, Chart
from dashboard.charts.frames import EDGE, LINE, Pen
from dashboard.charts.scales import Scale
from dashboard.charts.style import Palette, clean, fit, label_lines

NAME = "flips"
WIDTHS = {"wide": 560, "narrow": 330}
TRACK, GAP = 16, 12
"""Height of a track, and the room below it."""


class Row(NamedTuple):
    """One feature."""

    title: str
    change: str
    """From what to what, in words."""
    scale: Scale
    case: float | None
    flip: float | None
    """The nearest value at which the decision changes."""
    other: float | None
    """The one on the other side, if there is one."""


def flips_chart(
    rows: Sequence[Row], finding: str, header: tuple[str, ...], table: tuple[tuple[Cell, ...], ...]
) -> Chart:
    """Make the chart."""

    def draw(figure: Figure, palette: Palette) -> None:
        pen, width = Pen(figure, palette), figure.bbox.width
        top = float(EDGE)
        for row in rows:
            top = _draw_row(pen, width, top, row)

    sizes = {size: (width, 2 * EDGE + sum(_height(row, width) for row in rows)) for size, width in WIDTHS.items()}
    return Chart(NAME, finding, header, table, sizes, draw)


def _draw_row(pen: Pen, width: float, top: float, row: Row) -> float:
    """Draw one feature; gives where the next one begins."""
    palette, lines = pen.palette, _lines(row, width)
    pen.text(EDGE, top, fit(clean(row.title), (width - 2 * EDGE) * 0.88), weight="bold")
    for place, line in enumerate(lines):
        pen.text(EDGE, top + LINE * (place + 1), line, color=palette.quiet)
    y = top + LINE * (len(lines) + 1) + TRACK / 2
    left, room = EDGE + 6, width - 2 * EDGE - 12

    def across(number: float) -> float:
        share = (number - row.scale.low) / (row.scale.high - row.scale.low)
        return left + room * min(max(share, 0.0), 1.0)

    pen.line([left, left + room], [y, y], palette.hairline, 3.0, solid_capstyle="round")
    for place, _ in enumerate(row.scale.levels):
        pen.line([across(place)] * 2, [y - 3, y + 3], palette.quiet, 1.0)
    if row.flip is not None:
        end = across(row.flip)
        if row.case is not None and not row.scale.levels:
            pen.line([across(row.case), end], [y, y], palette.accent, 3.0)
        pen.dot(end, y, 11, hollow=True, marker="D")
    if row.other is not None:
        pen.dot(across(row.other), y, 8, hollow=True, marker="D")
    if row.case is not None:
        pen.dot(across(row.case), y, 10)
    return top + _height(row, width)


def _lines(row: Row, width: float) -> list[str]:
    return label_lines(row.change, width - 2 * EDGE)


def _height(row: Row, width: float) -> int:
    return LINE * (len(_lines(row, width)) + 1) + TRACK + GAP
