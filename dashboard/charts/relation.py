"""Two numbers against each other: curves such as ROC and calibration, in a square of shares."""

from typing import NamedTuple

from matplotlib.figure import Figure

from dashboard.charts import Chart
from dashboard.charts.style import NORMAL, SMALL, Palette, calm_axes, clean, place_axes

SIZES = {"wide": (420, 360), "narrow": (320, 290)}
STYLES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
"""Kinds of line, so that curves differ in more than colour."""
MOST = len(STYLES)


class Line(NamedTuple):
    """One curve."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class Words(NamedTuple):
    """What a chart says."""

    name: str
    finding: str
    x: str
    y: str
    diagonal: str | None = None
    """What it means to lie on the diagonal, if that means something."""
    dots: bool = False


def relation(words: Words, lines: list[Line]) -> Chart:
    """Make the chart; of many curves the first few are drawn, and all are in its numbers."""

    def draw(figure: Figure, palette: Palette) -> None:
        axes = place_axes(figure, left=58, bottom=52)
        calm_axes(axes, palette)
        if words.diagonal:
            axes.plot([0, 1], [0, 1], color=palette.quiet, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                words.diagonal, (0.5, 0.5), (6, -6), textcoords="offset points", va="top", color=palette.quiet,
                size=SMALL,
            )  # fmt: skip
        for line, style in zip(lines, STYLES, strict=False):
            marker = "o" if words.dots else ""
            axes.plot(line.x, line.y, color=palette.accent, linewidth=2, linestyle=style, marker=marker, markersize=5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.04)
        axes.set_xlabel(words.x, size=NORMAL)
        axes.set_ylabel(words.y, size=NORMAL)
        if len(lines) > 1:
            legend = axes.legend(
                [clean(line.name)[:30] for line in lines[:MOST]], frameon=False, fontsize=SMALL, loc="lower center"
            )
            for text in legend.get_texts():
                text.set_color(palette.ink)

    rows = tuple((line.name, x, y) for line in lines for x, y in zip(line.x, line.y, strict=True))
    header = ("class", words.x.lower(), words.y.lower())
    return Chart(words.name, words.finding, header, rows, SIZES, draw)
