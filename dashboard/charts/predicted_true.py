"""Predicted against true values of the reference data, for a regression; of several outputs, for the first."""

from collections.abc import Sequence
from typing import NamedTuple

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
    output = target.outputs[0] if target.outputs else None
    pairs = zip(reference.target, reference.prediction, strict=True)
    known = [(number_of(t, output), number_of(p, output)) for t, p in pairs if t is not None]
    true, predicted = zip(*known, strict=True)
    what = f"{len(known):,} reference cases"
    pairs_of = Pairs(output or target.name, target.unit, true, predicted)
    return predicted_true_of(pairs_of, what, f" of {clean(output)}" if output else "")


class Pairs(NamedTuple):
    """True and predicted numbers, n of each."""

    name: str
    unit: str | None
    true: Sequence[float]
    predicted: Sequence[float]


def predicted_true_of(pairs: Pairs, what: str, of: str = "") -> Chart:
    """Make the chart; `what` names the rows, and `of` the number where there are several."""
    true, predicted = np.array(pairs.true, dtype=np.float64), np.array(pairs.predicted, dtype=np.float64)
    unit = clean(pairs.unit) if pairs.unit else None
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
        axes.set_xlabel(clean(f"True {pairs.name}" + (f" in {unit}" if unit else "")), size=NORMAL)
        axes.set_ylabel("Predicted", size=NORMAL)

    finding = (
        f"Predictions{of} for the {what} miss the true value by {with_unit(significant(error, 3), unit)} on average."
    )
    rows = tuple((float(t), float(p)) for t, p in zip(true, predicted, strict=True))
    return Chart(NAME, finding, ("true", "predicted"), rows, SIZES, draw)
