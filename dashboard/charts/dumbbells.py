"""From what is to what could be: for each way a heading, and for each change a line between two dots."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dashboard.charts import Cell, Chart
from dashboard.charts.style import CHARACTER, NORMAL, SMALL, Palette, clean, clean_finding, fit, label_lines

NAME = "changes"
WIDTHS = {"wide": 760, "narrow": 330}
EDGE, LINE, TRACK, GAP, BETWEEN = 10, 15, 18, 6, 12
"""Margin, height of a line of text, height of a number line, room below a change and below a way, in CSS pixels."""
BOLD = 8.0
"""Width of a bold character of normal size."""
BEYOND = 0.04
"""How far outside its line a dot is, as a share of it, whose value is outside the range."""
LEGEND = "○ now   ● then"
ENDS = ("lowest in training", "highest")


class Step(NamedTuple):
    """One change."""

    label: str
    start: float | None
    """Where the old value is between the smallest and the largest of training, 0 to 1; None where there is no order."""
    end: float | None


class Way(NamedTuple):
    """What is changed together, and what comes of it."""

    title: str
    steps: tuple[Step, ...]


def dumbbells(finding: str, ways: Sequence[Way], table: tuple[tuple[Cell, ...], ...]) -> Chart:
    """Make the chart; `table`: for each change the way, the feature, from, to, both as shares, and the prediction."""
    header = ("way", "feature", "from", "to", "from as share of range", "to as share of range", "prediction")

    def draw(figure: Figure, palette: Palette) -> None:
        top = float(figure.bbox.height - EDGE)
        for way in ways:
            top = _heading(figure, palette, top, way.title)
            for step in way.steps:
                top = _step(figure, palette, top, step)
            top -= BETWEEN
        if _has_lines(ways):
            _foot(figure, palette)

    return Chart(NAME, clean_finding(finding), header, table, _sizes(ways), draw)


def _heading(figure: Figure, palette: Palette, top: float, title: str) -> float:
    width, height = figure.bbox.width, figure.bbox.height
    text = fit(clean(title), (width - 2 * EDGE) * CHARACTER / BOLD)
    figure.text(EDGE / width, top / height, text, size=NORMAL, color=palette.ink, va="top", weight="bold")
    return top - LINE - GAP


def _step(figure: Figure, palette: Palette, top: float, step: Step) -> float:
    width, height = figure.bbox.width, figure.bbox.height
    for line in _lines(step.label, width):
        figure.text(EDGE / width, top / height, line, size=SMALL, color=palette.ink, va="top")
        top -= LINE
    if _has_line(step):
        _dumbbell(figure, palette, top - TRACK / 2, step)
        top -= TRACK
    return top - GAP


def _dumbbell(figure: Figure, palette: Palette, middle: float, step: Step) -> None:
    """Draw a number line with a hollow dot, a filled one, and a bar between them."""
    width, y = figure.bbox.width, middle / figure.bbox.height
    room = width - 2 * EDGE
    left, length = EDGE + room * BEYOND, room * (1 - 2 * BEYOND)

    def across(share: float) -> float:
        return (left + length * min(max(share, -BEYOND), 1 + BEYOND)) / width

    figure.add_artist(Line2D([across(0), across(1)], [y, y], color=palette.hairline, linewidth=1.2))
    for end in (0, 1):
        x, tick = across(end), 3 / figure.bbox.height
        figure.add_artist(Line2D([x, x], [y - tick, y + tick], color=palette.quiet, linewidth=1))
    if step.start is not None and step.end is not None:
        bar = Line2D([across(step.start), across(step.end)], [y, y], color=palette.accent, linewidth=3)
        figure.add_artist(bar)
    for share, filled in ((step.start, False), (step.end, True)):
        if share is not None:
            dot = Line2D(
                [across(share)], [y], linestyle="", marker="o", markersize=7, markeredgewidth=1.6,
                markeredgecolor=palette.accent, markerfacecolor=palette.accent if filled else palette.paper,
            )  # fmt: skip
            figure.add_artist(dot)


def _foot(figure: Figure, palette: Palette) -> None:
    """Say what the ends of the lines and the dots are."""
    width, y = figure.bbox.width, EDGE / figure.bbox.height
    for x, text, side in ((EDGE, ENDS[0], "left"), (width - EDGE, ENDS[1], "right")):
        figure.text(x / width, y, text, size=SMALL, color=palette.quiet, va="bottom", ha=side)
    figure.text(0.6, y, LEGEND, size=SMALL, color=palette.quiet, va="bottom", ha="center")


def _has_line(step: Step) -> bool:
    return step.start is not None or step.end is not None


def _has_lines(ways: Sequence[Way]) -> bool:
    return any(_has_line(step) for way in ways for step in way.steps)


def _lines(label: str, width: float) -> list[str]:
    """Break a label into at most three lines."""
    return label_lines(label, width - 2 * EDGE, most=3)


def _sizes(ways: Sequence[Way]) -> dict[str, tuple[int, int]]:
    return {size: (width, _height(ways, width)) for size, width in WIDTHS.items()}


def _height(ways: Sequence[Way], width: int) -> int:
    height = 2 * EDGE + (LINE if _has_lines(ways) else 0)
    for way in ways:
        height += LINE + GAP + BETWEEN
        for step in way.steps:
            height += len(_lines(step.label, width)) * LINE + (TRACK if _has_line(step) else 0) + GAP
    return height
