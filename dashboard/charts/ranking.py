"""Things with a length each, the longest first: a bar below each label."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from dashboard.charts import Chart
from dashboard.charts.style import SMALL, Palette, clean, fit

WIDTHS = {"wide": 560, "narrow": 320}
EDGE, LINE, BAR, GAP = 8, 16, 9, 9
"""Margin, height of a line of text, height of a bar, and room below it, in CSS pixels."""
AMOUNT = 70
"""Room for an amount, in CSS pixels."""


def ranking(
    name: str, finding: str, header: tuple[str, ...], bars: Sequence[tuple[str, float, str]],
    rows: tuple[tuple[str | float, ...], ...],
) -> Chart:  # fmt: skip
    """Make the chart; `bars`: label, length and amount in words. A length below 0 is drawn as none."""
    longest = max((length for _, length, _ in bars), default=0.0) or 1.0

    def draw(figure: Figure, palette: Palette) -> None:
        width, height = figure.bbox.width, figure.bbox.height
        top = float(height - EDGE)
        for label, length, shown in bars:
            text = fit(clean(label), width - 2 * EDGE - AMOUNT)
            figure.text(EDGE / width, top / height, text, size=SMALL, color=palette.ink, va="top")
            figure.text(1 - EDGE / width, top / height, shown, size=SMALL, color=palette.ink, va="top", ha="right")
            bottom = top - LINE - BAR
            y, room = (bottom + BAR / 2) / height, (width - 2 * EDGE) / width
            figure.add_artist(Line2D([EDGE / width, 1 - EDGE / width], [y, y], color=palette.hairline, linewidth=0.8))
            share = max(0.0, length / longest) * room
            figure.add_artist(
                Rectangle(
                    (EDGE / width, bottom / height),
                    share,
                    BAR / height,
                    facecolor=palette.accent,
                    linewidth=0,
                    zorder=2,
                )
            )
            top = bottom - GAP

    tall = 2 * EDGE + len(bars) * (LINE + BAR + GAP)
    return Chart(name, finding, header, rows, {size: (width, tall) for size, width in WIDTHS.items()}, draw)
