"""From the usual number to this one, a bar for what each feature adds or takes away."""

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from dashboard.charts import Chart
from dashboard.charts.style import CHARACTER, NORMAL, SMALL, Palette, clean, fit

NAME = "contributions"
WIDTHS = {"wide": 560, "narrow": 330}
EDGE, LINE, BAR, GAP = 8, 15, 11, 9
"""Margin, height of a line of text, height of a bar, and room below it, in CSS pixels."""
AMOUNT = 14
"""Characters that are kept free for the amount beside a label."""


class Bar(NamedTuple):
    """One step of the way."""

    label: str
    amount: float
    shown: str
    """The amount in words."""


def waterfall(
    finding: str,
    ends: tuple[tuple[str, float, str], tuple[str, float, str]],
    bars: Sequence[Bar],
    table: tuple[tuple[str | float, ...], ...],
) -> Chart:
    """Make the chart; `ends`: name, number and number in words of where the way begins and ends."""
    (first, base, base_shown), (last, _, last_shown) = ends
    numbers = [base]
    for bar in bars:
        numbers.append(numbers[-1] + bar.amount)
    low, high = min(numbers), max(numbers)
    span = high - low or 1.0

    def draw(figure: Figure, palette: Palette) -> None:
        width, height = figure.bbox.width, figure.bbox.height
        room = width - 2 * EDGE

        def across(number: float) -> float:
            return (EDGE + room * (number - low) / span) / width

        top = float(height - EDGE)
        top = _end(figure, palette, top, f"{first}: {base_shown}")
        for place, bar in enumerate(bars):
            lines = _lines(bar.label, width)
            for number, line in enumerate(lines):
                y = (top - LINE * number) / height
                figure.text(EDGE / width, y, line, size=SMALL, color=palette.ink, va="top")
            figure.text(
                1 - EDGE / width,
                top / height,
                bar.shown,
                size=SMALL,
                color=palette.ink,
                va="top",
                ha="right",
                weight="bold",
            )
            bottom = top - LINE * len(lines) - BAR - 2
            start, end = across(numbers[place]), across(numbers[place + 1])
            track = Line2D(
                [EDGE / width, 1 - EDGE / width],
                [(bottom + BAR / 2) / height] * 2,
                color=palette.hairline,
                linewidth=0.8,
                zorder=0,
            )
            figure.add_artist(track)
            # Not by colour alone: what adds is filled, what takes away is hollow, and each amount has its sign.
            adds = bar.amount >= 0
            figure.add_artist(
                Rectangle(
                    (min(start, end), bottom / height), max(abs(end - start), 1.5 / width), BAR / height,
                    facecolor=palette.accent if adds else palette.paper, edgecolor=palette.accent, linewidth=1.4,
                )
            )  # fmt: skip
            top = bottom - GAP
        _end(figure, palette, top, f"{last}: {last_shown}")

    return Chart(
        NAME, clean_finding(finding), ("feature", "value", "contribution", "standard error"), table, _sizes(bars), draw
    )


def clean_finding(text: str) -> str:
    """Make a sentence safe to draw, however long."""
    return "".join(clean(text[start : start + 60]) for start in range(0, len(text), 60))


def _end(figure: Figure, palette: Palette, top: float, text: str) -> float:
    width, height = figure.bbox.width, figure.bbox.height
    figure.text(
        EDGE / width,
        top / height,
        fit(clean(text), width - 2 * EDGE),
        size=NORMAL,
        color=palette.ink,
        va="top",
        weight="bold",
    )
    return top - LINE - GAP


def _lines(label: str, width: float) -> list[str]:
    """Break a label into at most two lines beside its amount."""
    most = int((width - 2 * EDGE) / CHARACTER) - AMOUNT
    lines = wrap(clean(label), most) or [""]
    return lines if len(lines) <= 2 else [lines[0], fit(" ".join(lines[1:]), most * CHARACTER)]


def _sizes(bars: Sequence[Bar]) -> dict[str, tuple[int, int]]:
    ends = 2 * EDGE + 2 * (LINE + GAP)
    return {
        size: (width, ends + sum(len(_lines(bar.label, width)) * LINE + BAR + GAP + 2 for bar in bars))
        for size, width in WIDTHS.items()
    }
