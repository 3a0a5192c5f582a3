"""A bar from none to all for each of a few shares, its label above it."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from dashboard.charts import Cell, Chart
from dashboard.charts.frames import EDGE, LINE, Pen
from dashboard.charts.style import Palette, clean, clean_finding, label_lines

WIDTHS = {"wide": 560, "narrow": 330}
BAR, GAP = 11, 10
"""Height of a bar, and room below it, in CSS pixels."""
BOLD, APART = 7.6, 12
"""Width of a small bold character, and room between a label and what stands beside it, in CSS pixels."""


class ShareBar(NamedTuple):
    """One share."""

    label: str
    share: float
    """From 0 to 1."""
    shown: str
    """The share in words, and what a filled or a hollow bar means."""
    marked: bool
    """Whether the bar is filled and its words are bold, rather than hollow and thin."""


class Table(NamedTuple):
    """The numbers in a chart."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def share_bars(name: str, finding: str, bars: Sequence[ShareBar], table: Table) -> Chart:
    """Make the chart; `name` is part of its address."""

    def draw(figure: Figure, palette: Palette) -> None:
        pen, width, top = Pen(figure, palette), figure.bbox.width, float(EDGE)
        room = width - 2 * EDGE
        for bar in bars:
            lines = label_lines(bar.label, room - _beside(bar.shown))
            for number, line in enumerate(lines):
                pen.text(EDGE, top + LINE * number, line)
            weight = "bold" if bar.marked else "normal"
            pen.text(width - EDGE, top, clean(bar.shown), ha="right", weight=weight)
            below = top + LINE * len(lines) + 2
            sides = [EDGE, EDGE + room, EDGE + room, EDGE, EDGE], [below, below, below + BAR, below + BAR, below]
            pen.line(*sides, palette.hairline, 0.8)
            pen.bar(EDGE, EDGE + bar.share * room, below, BAR, filled=bar.marked)
            top = below + BAR + GAP

    return Chart(name, clean_finding(finding), table.header, table.rows, _sizes(bars), draw)


def _beside(shown: str) -> float:
    return len(shown) * BOLD + APART


def _sizes(bars: Sequence[ShareBar]) -> dict[str, tuple[int, int]]:
    return {
        size: (
            width,
            2 * EDGE
            - GAP
            + sum(
                len(label_lines(bar.label, width - 2 * EDGE - _beside(bar.shown))) * LINE + BAR + 2 + GAP
                for bar in bars
            ),
        )
        for size, width in WIDTHS.items()
    }
