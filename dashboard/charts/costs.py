"""What mistakes cost at each threshold, with the thresholds that matter and the case marked."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from dashboard.charts import Cell, Chart
from dashboard.charts.style import CHARACTER, SMALL, Palette, Strip, clean, fit, tick_label, ticks

NAME = "costs"
SIZES = {"wide": (560, 290), "narrow": (330, 290)}
EDGE, BELOW, ROW, TITLE = 8, 46, 20, 20
"""Margin, room for the axis, height of a mark's label, and of the title, in CSS pixels."""
BESIDE = 9
"""Room between a line and its label, in CSS pixels."""
Dashes = Literal["-"] | tuple[float, tuple[int, int]]
LINES: tuple[tuple[str, Dashes, bool], ...] = (("o", "-", True), ("s", (0, (5, 3)), False), ("D", (0, (1, 2)), False))
"""For each mark its shape, how its line is dashed, and whether it is filled: told apart without colour."""
BOLDER = 0.88
"""Width of an ordinary character, as a share of a bold one."""
CUT = 8
"""How many times the least cost is still in the picture."""
HEADROOM = 1.05


class Point(NamedTuple):
    """One threshold."""

    threshold: float
    cost: float
    """Of 1,000 cases."""
    allowed: bool
    """Whether it flags no more cases than can be."""


class Mark(NamedTuple):
    """A place on the axis with a name; of a threshold, the cost there."""

    label: str
    threshold: float
    cost: float | None = None
    note: str = ""
    """What is added to the name where there is room for it."""


def costs(
    finding: str,
    axis: str,
    points: Sequence[Point],
    marks: Sequence[Mark | None],
    table: tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]],
) -> Chart:
    """Make the chart; `axis`: what the threshold is, `marks`: the best, the served and the case, None for none."""
    header, rows = table
    highest, cut = _highest(points, marks)
    levels = ticks(0, highest, 4)
    step = levels[1] - levels[0] if len(levels) > 1 else 1.0
    names = [tick_label(value, step) for value in levels]

    def draw(figure: Figure, palette: Palette) -> None:
        width, height = figure.bbox.width, figure.bbox.height
        left = EDGE + max(map(len, names)) * CHARACTER + 6
        above = TITLE + len(marks) * ROW
        box = (left / width, BELOW / height, 1 - (left + EDGE + 10) / width, 1 - (BELOW + above + EDGE) / height)
        strip = Strip(figure, box, 0, 1)
        for value, name in zip(levels, names, strict=True):
            y = value / highest
            grid = Line2D([0, 1], [y, y], color=palette.hairline, linewidth=0.8, transform=strip.transform)
            figure.add_artist(grid)
            figure.text(
                (left - 6) / width, box[1] + box[3] * y, name, size=SMALL, color=palette.quiet, ha="right", va="center"
            )
        strip.line(palette, percent=True)
        title = "Cost of 1,000 cases (higher ones cut off)" if cut else "Expected cost of 1,000 cases"
        figure.text(EDGE / width, 1 - EDGE / height, title, size=SMALL, color=palette.quiet, va="top")
        name = fit(clean(axis), width - left - EDGE)
        figure.text(left / width, EDGE / height, name, size=SMALL, color=palette.quiet, va="bottom")
        _curve(figure, palette, strip, [point._replace(cost=point.cost / highest) for point in points])
        for place, mark in enumerate(marks):
            if mark is not None:
                top = (1 - (EDGE + TITLE + (place + 0.5) * ROW) / height - box[1]) / box[3]
                _mark(figure, palette, strip, mark, (place, top, highest))

    return Chart(NAME, finding, header, rows, SIZES, draw)


def _highest(points: Sequence[Point], marks: Sequence[Mark | None]) -> tuple[float, bool]:
    """Choose the highest cost in the picture, and tell whether any is higher: at the ends mistakes cost most."""
    all_costs = [point.cost for point in points]
    shown = [CUT * min(all_costs), *(mark.cost for mark in marks if mark is not None and mark.cost is not None)]
    highest = max(all_costs)
    cut = 0 < max(shown) * HEADROOM < highest
    return (max(shown) if cut else highest) * HEADROOM or 1.0, cut


def _curve(figure: Figure, palette: Palette, strip: Strip, points: Sequence[Point]) -> None:
    """Draw the cost, dashed where more would be flagged than can be."""
    looks: tuple[tuple[bool, str, Dashes], ...] = (
        (False, palette.quiet, (0, (3, 2))),
        (True, palette.accent, "-"),
    )
    for allowed, color, dashes in looks:
        pieces: list[list[Point]] = [[]]
        for before, after in pairwise(points):
            if (before.allowed and after.allowed) == allowed:
                pieces[-1] += [before, after]
            elif pieces[-1]:
                pieces.append([])
        for piece in filter(None, pieces):
            line = Line2D(
                [point.threshold for point in piece], [point.cost for point in piece],
                color=color, linewidth=2, linestyle=dashes, transform=strip.transform,
            )  # fmt: skip
            line.set_clip_path(Rectangle((0, 0), 1, 1, transform=strip.transform))
            figure.add_artist(line)


def _mark(figure: Figure, palette: Palette, strip: Strip, mark: Mark, where: tuple[int, float, float]) -> None:
    """Draw a line down from a mark's name; `where`: which mark it is, height of its name, and the highest cost."""
    place, top, highest = where
    shape, dashes, filled = LINES[place]
    color = palette.accent if filled else palette.ink
    x, width = strip.place(mark.threshold), figure.bbox.width
    line = Line2D(
        [mark.threshold] * 2, [0, top], color=color, linewidth=1.4, linestyle=dashes, transform=strip.transform
    )
    figure.add_artist(line)
    heights = [top] if mark.cost is None else [top, mark.cost / highest]
    for y in heights:
        dot = Line2D(
            [mark.threshold], [y], linestyle="", marker=shape, markersize=6, markeredgewidth=1.5,
            markeredgecolor=color, markerfacecolor=color if filled else palette.paper, transform=strip.transform,
        )  # fmt: skip
        figure.add_artist(dot)
    side, shift = ("left", BESIDE) if x < 0.5 else ("right", -BESIDE)
    room = max(x, 1 - x) * width - BESIDE - EDGE
    room = room * BOLDER if filled else room
    whole = clean(mark.label + mark.note)
    text = whole if fit(whole, room) == whole else fit(clean(mark.label), room)
    # The ground behind the words hides the lines of the marks above.
    ground = {"facecolor": palette.paper, "edgecolor": "none", "pad": 1.0}
    _, bottom, _, height = strip.box
    figure.text(
        x + shift / width, bottom + height * top, text,
        size=SMALL, color=palette.ink, weight="bold" if filled else "normal", ha=side, va="center", bbox=ground,
    )  # fmt: skip
