"""Things with a length each, the longest first: a bar below each label."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from dashboard.charts import Chart
from dashboard.charts.frames import EDGE, Pen
from dashboard.charts.style import Palette, clean, fit

WIDTHS = {"wide": 560, "narrow": 320}
LINE, BAR, GAP = 16, 9, 9
"""Height of a line of text, height of a bar, and room below it, in CSS pixels."""
AMOUNT = 70
"""Room for an amount, in CSS pixels."""


def ranking(
    name: str, finding: str, header: tuple[str, ...], bars: Sequence[tuple[str, float, str]],
    rows: tuple[tuple[str | float, ...], ...],
) -> Chart:  # fmt: skip
    """Make the chart; `bars`: label, length and amount in words. A length below 0 is drawn as none."""
    longest = max((length for _, length, _ in bars), default=0.0) or 1.0

    def draw(figure: Figure, palette: Palette) -> None:
        pen, width, top = Pen(figure, palette), figure.bbox.width, float(EDGE)
        for label, length, shown in bars:
            pen.text(EDGE, top, fit(clean(label), width - 2 * EDGE - AMOUNT))
            pen.text(width - EDGE, top, shown, ha="right")
            below, right = top + LINE, EDGE + max(0.0, length / longest) * (width - 2 * EDGE)
            pen.line([EDGE, width - EDGE], [below + BAR / 2] * 2, palette.hairline, 0.8, zorder=0)
            pen.areas([(EDGE, below, right, below + BAR)], palette.accent)
            top = below + BAR + GAP

    tall = 2 * EDGE + len(bars) * (LINE + BAR + GAP)
    return Chart(name, finding, header, rows, {size: (width, tall) for size, width in WIDTHS.items()}, draw)
