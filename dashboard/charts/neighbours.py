"""What was true of the known cases that are most like this one, against the prediction for this one."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dashboard.charts import Chart
from dashboard.charts.bars import APART, BOLD, WIDTHS, Table
from dashboard.charts.frames import EDGE, LINE
from dashboard.charts.ranges import FOOT, TOP, held, name_mark, span
from dashboard.charts.style import CHARACTER, SMALL, Palette, Strip, clean, clean_finding, fit, label_lines

NAME = "neighbours"
ROW, LABEL, SHOWN, COUNT, LEGEND = 22, 62, 84, 74, 20
"""Height of a row, width of its label, of a number or a count behind it, height of the legend, in CSS pixels."""
MOST_SHOWN = 11
"""Characters for which there is room behind a row."""
DOT, SIZE = 12, 8
"""Room that a dot takes, and how large it is."""


class KnownValue(NamedTuple):
    """One known case with numbers."""

    label: str
    true: float
    shown: str
    """The true number in words; shortened where it has no room."""
    predicted: float


def neighbour_values(finding: str, prediction: tuple[float, str], cases: Sequence[KnownValue], table: Table) -> Chart:
    """Make the chart of numbers: a row for each known case; `prediction`: a number and its words."""
    value, shown = prediction
    low, high = span([value, *(number for case in cases for number in (case.true, case.predicted))])
    tall = EDGE + LEGEND + TOP + ROW * len(cases) + FOOT

    def draw(figure: Figure, palette: Palette) -> None:
        width, height = figure.bbox.width, figure.bbox.height
        left, right = (EDGE + LABEL) / width, 1 - (EDGE + SHOWN) / width
        _legend(figure, palette, height - EDGE - LINE / 2)
        strip = Strip(figure, (left, FOOT / height, right - left, 1 - FOOT / height), low, high)
        strip.line(palette)
        place, top = strip.place(held(value)), float(height - EDGE - LEGEND)
        name_mark(figure, palette, (place, top / height), f"this case: {shown}", shown)
        line = Line2D([place, place], [FOOT / height, (top - LINE) / height], color=palette.ink, linewidth=1.2)
        figure.add_artist(line)
        for number, case in enumerate(cases):
            y = (top - TOP - ROW * (number + 0.5)) / height
            figure.add_artist(Line2D([left, right], [y, y], color=palette.hairline, linewidth=0.8))
            _text(figure, palette, EDGE / width, y, fit(clean(case.label), LABEL - APART / 2))
            _text(figure, palette, 1 - EDGE / width, y, fit(clean(case.shown), SHOWN - APART), side="right", bold=True)
            _dot(figure, palette, strip.place(held(case.predicted)), y, filled=False)
            _dot(figure, palette, strip.place(held(case.true)), y, filled=True)

    sizes = {size: (width, tall) for size, width in WIDTHS.items()}
    return Chart(NAME, clean_finding(finding), table.header, table.rows, sizes, draw)


class KnownClass(NamedTuple):
    """One class, and how many of the known cases were of it."""

    label: str
    cases: int
    predicted: bool
    """Whether it is what the model says of this case."""


def neighbour_classes(finding: str, classes: Sequence[KnownClass], table: Table) -> Chart:
    """Make the chart of classes: a row for each, with a dot for each known case of it."""
    total = sum(known.cases for known in classes)

    def shown(known: KnownClass) -> str:
        return f"{known.cases} of {total}"

    def label(known: KnownClass) -> str:
        return f"{known.label}, predicted for this case" if known.predicted else known.label

    def lines(known: KnownClass, width: float) -> list[str]:
        return label_lines(label(known), width - 2 * EDGE - COUNT, character=BOLD if known.predicted else CHARACTER)

    def draw(figure: Figure, palette: Palette) -> None:
        width, height = figure.bbox.width, figure.bbox.height
        top = float(height - EDGE)
        for known in classes:
            for number, line in enumerate(lines(known, width)):
                y = (top - LINE * (number + 0.5)) / height
                _text(figure, palette, EDGE / width, y, line, bold=known.predicted)
            y = (top - LINE / 2) / height
            _text(figure, palette, 1 - EDGE / width, y, shown(known), side="right", bold=True)
            top -= LINE * len(lines(known, width)) + ROW / 2
            figure.add_artist(
                Line2D([EDGE / width, 1 - EDGE / width], [top / height] * 2, color=palette.hairline, linewidth=0.8)
            )
            for number in range(known.cases):
                _dot(figure, palette, (EDGE + DOT * (number + 0.5)) / width, top / height, filled=known.predicted)
            top -= ROW / 2 + 4

    sizes = {
        size: (width, 2 * EDGE + sum(len(lines(known, width)) * LINE + ROW + 4 for known in classes))
        for size, width in WIDTHS.items()
    }
    return Chart(NAME, clean_finding(finding), table.header, table.rows, sizes, draw)


def _legend(figure: Figure, palette: Palette, middle: float) -> None:
    width, y = figure.bbox.width, middle / figure.bbox.height
    x = float(EDGE)
    for filled, text in ((True, "true"), (False, "predicted")):
        _dot(figure, palette, (x + SIZE / 2) / width, y, filled=filled)
        _text(figure, palette, (x + DOT + 2) / width, y, text)
        x += DOT + 2 + len(text) * CHARACTER + APART


def _dot(figure: Figure, palette: Palette, x: float, y: float, *, filled: bool) -> None:
    face = palette.accent if filled else palette.paper
    dot = Line2D(
        [x], [y], marker="o", markersize=SIZE * 0.75, markerfacecolor=face, markeredgecolor=palette.accent,
        markeredgewidth=1.4,
    )  # fmt: skip
    figure.add_artist(dot)


def _text(
    figure: Figure, palette: Palette, x: float, y: float, text: str, *, side: str = "left", bold: bool = False
) -> None:
    weight = "bold" if bold else "normal"
    figure.text(x, y, text, size=SMALL, color=palette.ink, ha=side, va="center", weight=weight)
