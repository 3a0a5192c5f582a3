"""Predicted against true values of the reference data, for a regression; of several outputs, for the first."""

import numpy as np
from matplotlib.figure import Figure

from dashboard.charts import Chart
from dashboard.charts.style import NORMAL, Palette, calm_axes, clean, place_axes
from dashboard.formatting import significant, with_unit
from dashboard.records import ModelVersion, ReferencePredictions, number_of

NAME = "predicted-true"
SIZES = {"wide": (560, 420), "narrow": (330, 300)}


def predicted_true(model: ModelVersion, reference: ReferencePredictions) -> Chart:
    """Make the chart: a dot a row, and the line on which a perfect prediction lies."""
    target = model.signature.target
    unit = clean(target.unit) if target.unit else None
    output = target.outputs[0] if target.outputs else None
    pairs = zip(reference.target, reference.prediction, strict=True)
    known = [(number_of(t, output), number_of(p, output)) for t, p in pairs if t is not None]
    true, predicted = np.array(known, dtype=np.float64).T
    error = float(np.abs(true - predicted).mean())
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))

    def draw(figure: Figure, palette: Palette) -> None:
        axes = place_axes(figure, left=62, bottom=54)
        calm_axes(axes, palette)
        axes.plot([low, high], [low, high], color=palette.quiet, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            "perfect", (high, high), (-10, 0), textcoords="offset points", ha="right", color=palette.quiet, size=9
        )
        axes.plot(true, predicted, "o", color=palette.accent, markersize=5, alpha=0.45, markeredgewidth=0)
        axes.set_xlabel(clean(f"True {output or target.name}" + (f" in {unit}" if unit else "")), size=NORMAL)
        axes.set_ylabel("Predicted", size=NORMAL)

    finding = (
        f"Predictions{f' of {clean(output)}' if output else ''} for the {len(known):,} reference cases "
        f"miss the true value by "
        f"{with_unit(significant(error, 3), unit)} on average."
    )
    rows = tuple((float(t), float(p)) for t, p in zip(true, predicted, strict=True))
    return Chart(NAME, finding, ("true", "predicted"), rows, SIZES, draw)
