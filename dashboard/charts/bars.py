"""A bar from none to all for each of a few shares, its label above it."""

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dashboard.charts import Cell, Chart
from dashboard.charts.style import CHARACTER, SMALL, Palette, clean, fit
from dashboard.charts.waterfall import clean_finding

WIDTHS = {"wide": 560, "narrow": 330}
EDGE, LINE, BAR, GAP = 8, 15, 11, 10
"""Margin, height of a line of text, height of a bar, and room below it, in CSS pixels."""
BOLD, APART = 7.6, 12
"""Width of a small bold character, and room between a label and what stands beside it, in CSS pixels."""

WIDE, WIDER = frozenset("MWmw@%"), 1.6
"""Characters that are wider than others, and how many times."""


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
        width, height = figure.bbox.width, figure.bbox.height
        room, top = width - 2 * EDGE, height - EDGE
        for bar in bars:
            lines = label_lines(bar.label, room - _beside(bar.shown))
            for number, line in enumerate(lines):
                y = (top - LINE * number) / height
                figure.text(EDGE / width, y, line, size=SMALL, color=palette.ink, va="top")
            figure.text(
                1 - EDGE / width, top / height, clean(bar.shown), size=SMALL, color=palette.ink, va="top", ha="right",
                weight="bold" if bar.marked else "normal",
            )  # fmt: skip
            bottom = top - LINE * len(lines) - BAR - 2
            place, tall = (EDGE / width, bottom / height), BAR / height
            figure.add_artist(
                Rectangle(place, room / width, tall, facecolor="none", edgecolor=palette.hairline, linewidth=0.8)
            )
            figure.add_artist(
                Rectangle(
                    place, max(bar.share * room, 1.5) / width, tall,
                    facecolor=palette.accent if bar.marked else palette.paper, edgecolor=palette.accent, linewidth=1.4,
                )
            )  # fmt: skip
            top = bottom - GAP

    return Chart(name, clean_finding(finding), table.header, table.rows, _sizes(bars), draw)


def label_lines(label: str, room: float, character: float = CHARACTER) -> list[str]:
    """Break a label into at most two lines of small text, `room` CSS pixels wide; `character`: width of one."""
    text = clean(label)
    wide = sum(letter in WIDE for letter in text) / max(1, len(text))
    most = max(8, int(room / (character * (1 + (WIDER - 1) * wide))))
    lines = wrap(text, most) or [""]
    return lines if len(lines) <= 2 else [lines[0], fit(" ".join(lines[1:]), most * CHARACTER)]


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
