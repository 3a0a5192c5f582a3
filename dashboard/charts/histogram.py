"""How often a number lies where: a histogram on a number line."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from dashboard.charts import Chart
from dashboard.charts.style import SMALL, Palette, Strip, clean, fit

SIZES = {"wide": (420, 220), "narrow": (320, 200)}
BOX = (0.04, 0.24, 0.92, 0.7)


def histogram(name: str, finding: str, what: str, edges: Sequence[float], counts: Sequence[int]) -> Chart:
    """Make the chart; `what` names the number and its unit."""

    def draw(figure: Figure, palette: Palette) -> None:
        strip = Strip(figure, BOX, edges[0], edges[-1] if edges[-1] > edges[0] else edges[0] + 1)
        most = max(counts) or 1
        bars = [count / most for count in counts]
        figure.add_artist(
            StepPatch(bars, edges, fill=True, color=palette.accent, linewidth=0, transform=strip.transform)
        )
        strip.line(palette)
        figure.text(
            BOX[0], 0.02, fit(clean(what), BOX[2] * figure.bbox.width), va="bottom", size=SMALL, color=palette.quiet
        )

    rows = tuple((edges[i], edges[i + 1], count) for i, count in enumerate(counts))
    return Chart(name, finding, ("from", "to", "cases"), rows, SIZES, draw)
