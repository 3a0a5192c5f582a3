"""One prediction on a number line, and around it a range for each of a few coverages."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from dashboard.charts import Chart
from dashboard.charts.bars import GAP, WIDTHS, Table
from dashboard.charts.frames import EDGE, LINE
from dashboard.charts.standing import BOLD_CHARACTER, MARK_GAP
from dashboard.charts.style import CHARACTER, NORMAL, SMALL, Palette, Strip, clean, clean_finding, fit

NAME = "ranges"
BAR, TOP, FOOT = 12, 26, 30
"""Height of a bar, of the prediction's label above them, and of the number line below them, in CSS pixels."""
LARGEST = 1e300
"""Beyond it, arithmetic on a number line overflows."""
ROOM = 0.04
"""Room at each end of the number line, as a share of what is shown."""


class Range(NamedTuple):
    """Where the true value is likely to be, with a coverage."""

    label: str
    low: float
    high: float
    shown: str
    """Its ends in words."""
    chosen: bool


def ranges(finding: str, prediction: tuple[float, str], around: Sequence[Range], table: Table) -> Chart:
    """Make the chart of a prediction, a number and its words, and at least one range."""
    value, shown = prediction
    low, high = span([value, *(end for one in around for end in (one.low, one.high))])
    tall = EDGE + TOP + len(around) * (LINE + BAR + GAP + 4) + FOOT

    def draw(figure: Figure, palette: Palette) -> None:
        width, height = figure.bbox.width, figure.bbox.height
        strip = Strip(figure, (EDGE / width, FOOT / height, 1 - 2 * EDGE / width, 1 - FOOT / height), low, high)
        strip.line(palette)
        place = strip.place(held(value))
        name_mark(figure, palette, (place, (height - EDGE) / height), f"prediction: {shown}", shown)
        top = float(height - EDGE - TOP)
        for one in around:
            text = fit(clean(f"{one.label}: {one.shown}"), width - 2 * EDGE)
            weight = "bold" if one.chosen else "normal"
            figure.text(EDGE / width, top / height, text, size=SMALL, color=palette.ink, va="top", weight=weight)
            bottom = top - LINE - BAR - 4
            left, right = strip.place(held(one.low)), strip.place(held(one.high))
            # Not by colour alone: the chosen one is filled and its words are bold.
            figure.add_artist(
                Rectangle(
                    (left, bottom / height), max(right - left, 1.5 / width), BAR / height,
                    facecolor=palette.accent if one.chosen else palette.fill, edgecolor=palette.accent, linewidth=1,
                )
            )  # fmt: skip
            tick(figure, palette, place, (bottom - 3, bottom + BAR + 3))
            top = bottom - GAP

    sizes = {size: (width, tall) for size, width in WIDTHS.items()}
    return Chart(NAME, clean_finding(finding), table.header, table.rows, sizes, draw)


def span(values: Sequence[float]) -> tuple[float, float]:
    """Choose where a number line begins and ends, so that it holds some values with room beside them."""
    low, high = held(min(values)), held(max(values))
    room = (high - low) * ROOM or max(abs(high) * ROOM, 1.0)
    return low - room, high + room


def held(value: float) -> float:
    """Keep a number to where it can be drawn."""
    return min(max(value, -LARGEST), LARGEST)


def tick(figure: Figure, palette: Palette, place: float, between: tuple[float, float]) -> None:
    """Mark a place across, a share of the width, by a line between two heights in CSS pixels."""
    height = figure.bbox.height
    ys = [between[0] / height, between[1] / height]
    figure.add_artist(Line2D([place, place], ys, color=palette.paper, linewidth=5))
    figure.add_artist(Line2D([place, place], ys, color=palette.ink, linewidth=2.2))


def name_mark(figure: Figure, palette: Palette, at: tuple[float, float], text: str, short: str) -> None:
    """Write what a mark means above it, with a dot; `at`: shares of the width and the height.

    `short` is written where `text` has no room.
    """
    width, height, (place, top) = figure.bbox.width, figure.bbox.height, at
    middle = top - LINE / 2 / height
    figure.add_artist(Line2D([place], [middle], color=palette.ink, marker="o", markersize=6))
    room = max(place, 1 - place) * width - MARK_GAP - EDGE
    written = text if len(text) * BOLD_CHARACTER < room else short
    written = fit(clean(written), room * CHARACTER / BOLD_CHARACTER)
    side, shift = ("left", MARK_GAP) if place < 0.5 else ("right", -MARK_GAP)
    figure.text(
        place + shift / width, middle, written, ha=side, va="center", size=NORMAL, weight="bold", color=palette.ink
    )
