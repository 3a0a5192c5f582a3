"""Which class was predicted for which, over the reference data, for a classification."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from dashboard.charts import Chart
from dashboard.charts.style import NORMAL, Palette, calm_axes, clean, place_axes, text_on
from dashboard.formatting import level, percent
from dashboard.records import Level, ModelVersion, ReferencePredictions

NAME = "confusion"
SIZES = {"wide": (560, 420), "narrow": (330, 300)}


def confusion(model: ModelVersion, reference: ReferencePredictions) -> Chart:
    """Make the chart: a square for each pair of true and predicted class, with its count."""
    classes = model.signature.target.classes
    places = {known: place for place, known in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    for true, predicted in zip(reference.target, reference.prediction, strict=True):
        if true is not None:
            assert not isinstance(true, dict)
            assert not isinstance(predicted, dict)
            counts[places[true], places[predicted]] += 1
    return confusion_of(classes, counts, "reference cases")


def confusion_of(classes: Sequence[Level], counts: npt.NDArray[np.int_], what: str) -> Chart:
    """Make the chart of a count for each pair of classes, true × predicted; `what` names the rows."""
    names = [clean(level(known))[:24] for known in classes]
    right, total = int(counts.trace()), int(counts.sum())

    def draw(figure: Figure, palette: Palette) -> None:
        axes = place_axes(figure, left=34 + 7.2 * max(map(len, names)), bottom=54)
        calm_axes(axes, palette)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        ramp = LinearSegmentedColormap.from_list("ramp", palette.ramp)
        axes.pcolormesh(share, cmap=ramp, vmin=0, vmax=1, edgecolors=palette.paper, linewidth=2)
        middle = np.arange(len(classes)) + 0.5
        axes.set_xticks(middle, names)
        axes.set_yticks(middle, names)
        axes.invert_yaxis()
        axes.spines[:].set_visible(False)
        for (row, column), count in np.ndenumerate(counts):
            color = text_on(ramp(share[row, column]))
            weight = "bold" if row == column else "normal"
            axes.text(
                column + 0.5, row + 0.5, str(count), ha="center", va="center", color=color, size=13, weight=weight
            )
        axes.set_xlabel("Predicted", size=NORMAL)
        axes.set_ylabel("True", size=NORMAL)

    finding = f"{right} of the {total:,} {what} ({percent(right / max(total, 1))}) are predicted correctly."
    rows = tuple(
        (level(true), level(predicted), int(counts[i, j]))
        for i, true in enumerate(classes)
        for j, predicted in enumerate(classes)
    )
    return Chart(NAME, finding, ("true", "predicted", "cases"), rows, SIZES, draw)
