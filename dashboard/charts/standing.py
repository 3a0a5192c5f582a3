"""Where one prediction stands among the predictions for the reference data."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from dashboard.charts import Chart
from dashboard.charts.style import NORMAL, SMALL, Palette, Strip, clean, fit
from dashboard.formatting import level, percent, significant, with_unit
from dashboard.records import Level, ModelVersion, ReferencePredictions, number_of

NAME = "standing"
SIZES = {"wide": (560, 210), "narrow": (330, 210)}
BOX = (0.04, 0.2, 0.92, 0.62)
BINS = 24
LABEL_HEIGHT = 0.92
BOLD_CHARACTER, MARK_GAP = 8.5, 9
"""Width of a bold character and room beside the dot, in CSS pixels."""
LARGEST = 1e307
"""Beyond it, arithmetic on an axis overflows."""


@dataclass(frozen=True)
class Standing:
    """The question that the chart answers."""

    value: float
    """The prediction, or the probability of `of`."""
    of: Level | None = None
    """For a classification, the class whose probability is shown."""
    output: str | None = None
    """Of a prediction with several numbers, the name of the one that is shown."""


def standing(model: ModelVersion, reference: ReferencePredictions, case: Standing) -> Chart:
    """Make the chart. The reference predictions are a histogram, the case is a line."""
    values = _values(reference, case)
    target = model.signature.target
    unit = clean(target.unit) if case.of is None and target.unit else None
    low, high = (0.0, 1.0) if case.of is not None else _range(values, case.value)
    counts, edges = np.histogram(values, BINS, (low, high))
    what = case.output or target.name
    what = what[:1].upper() + what[1:] if case.of is None else f"Probability of {clean(level(case.of))}"
    shown = percent(case.value) if case.of is not None else with_unit(significant(case.value), unit)

    def draw(figure: Figure, palette: Palette) -> None:
        strip = Strip(figure, BOX, low, high)
        height = counts.max() * 1.04
        figure.add_artist(
            StepPatch(counts / height, edges, fill=True, color=palette.fill, linewidth=0, transform=strip.transform)
        )
        strip.line(palette, percent=case.of is not None)
        _mark(figure, palette, strip, case.value, shown)
        title = fit(clean(what + (f" in {unit}" if unit else "")), BOX[2] * figure.bbox.width)
        figure.text(BOX[0], 0.02, title, ha="left", va="bottom", size=SMALL, color=palette.quiet)

    places = max(6, 3 - math.floor(math.log10(edges[1] - edges[0])))
    bounds = [round(float(edge), places) for edge in edges]
    rows = tuple((bounds[i], bounds[i + 1], int(count)) for i, count in enumerate(counts))
    return Chart(NAME, _finding(values, case, shown), ("from", "to", "reference cases"), rows, SIZES, draw)


def _values(reference: ReferencePredictions, case: Standing) -> npt.NDArray[np.float64]:
    if case.of is None:
        return np.array([number_of(value, case.output) for value in reference.prediction], dtype=np.float64)
    assert reference.probabilities is not None
    return np.array([row[str(case.of)] for row in reference.probabilities])


def _range(values: npt.NDArray[np.float64], value: float) -> tuple[float, float]:
    low, high = min(float(values.min()), value), max(float(values.max()), value)
    room = (high - low) * 0.02 or max(1.0, abs(high) * 0.01)
    return max(low - room, -LARGEST), min(high + room, LARGEST)


def _mark(figure: Figure, palette: Palette, strip: Strip, value: float, shown: str) -> None:
    """Draw the case: a line through the histogram, a dot on top, its value beside."""
    line = Line2D([value, value], [0, 1.08], color=palette.accent, linewidth=2, transform=strip.transform)
    dot = Line2D([value], [1.08], color=palette.accent, marker="o", markersize=7, transform=strip.transform)
    figure.add_artist(line)
    figure.add_artist(dot)
    place = strip.place(value)
    room = max(place, 1 - place) * figure.bbox.width - MARK_GAP
    text = f"this case: {shown}"
    text = text if len(text) * BOLD_CHARACTER < room else shown
    side, shift = ("left", MARK_GAP) if place < 0.5 else ("right", -MARK_GAP)
    x = place + shift / figure.bbox.width
    figure.text(x, LABEL_HEIGHT, text, ha=side, va="center", size=NORMAL, weight="bold", color=palette.ink)


def _finding(values: npt.NDArray[np.float64], case: Standing, shown: str) -> str:
    below, above = float((values < case.value).mean()), float((values > case.value).mean())
    what = _subject(case)
    if below == 0:
        place = "lower than" if above == 1 else "among the lowest of"
        return f"{what}, {shown}, is {place} all {len(values):,} reference cases."
    if above == 0:
        place = "higher than" if below == 1 else "among the highest of"
        return f"{what}, {shown}, is {place} all {len(values):,} reference cases."
    side, share = ("higher", below) if below >= above else ("lower", above)
    rounded = round(share, 2)
    shown_share = percent(rounded if 0 < rounded < 1 else share)  # neither none nor all of them
    return f"{what}, {shown}, is {side} than for {shown_share} of the {len(values):,} reference cases."


def _subject(case: Standing) -> str:
    if case.of is not None:
        return f"The probability of {clean(level(case.of))}"
    return f"The predicted {clean(case.output)}" if case.output else "The prediction"
