"""The charts of the panel "what if": a curve or bars, and a map of two features."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dashboard.charts import Cell, Chart
from dashboard.charts.curve import SIZES, CurveDrawing, Marked, curve_chart
from dashboard.charts.heat import HeatDrawing, Side, heat_chart
from dashboard.charts.levels import Bar, LevelsDrawing, levels_chart
from dashboard.charts.scales import Scale, Tick
from dashboard.explanations_what_if import Curve
from dashboard.formatting import cell, clipped, feature_value, level
from dashboard.panels import Case
from dashboard.panels.amounts import amount
from dashboard.panels.what_if_said import Mark, WhatIf
from dashboard.records import Feature


def _drawing(said: WhatIf) -> CurveDrawing | LevelsDrawing:
    curve, feature = said.curve, said.feature
    values = [point.value for point in curve.points]
    control = said.control
    ends = [float(control.low), float(control.high)] if control.kind == "range" else []
    scale = Scale.of(feature, [*values, *ends])
    percent = curve.of is not None
    own = Marked(scale.place(feature, curve.case.value), curve.case.score, amount(curve, curve.case.score))
    picked = said.chosen
    chosen = Marked(scale.place(feature, picked.value), picked.score, picked.shown) if picked else None
    if curve.kind == "bars":
        counts: Sequence[int | None] = curve.density.counts if curve.density else [None] * len(values)
        bars = [
            Bar(clipped(cell(point.value), 80), point.score, amount(curve, point.score), count)
            for point, count in zip(curve.points, counts, strict=True)
        ]
        return LevelsDrawing(said.name, bars, own, chosen, percent)
    places = [(scale.place(feature, point.value) or 0.0, point.score) for point in curve.points]
    density, title = _density(curve, feature, scale), _axis(said.title, feature)
    labels: tuple[Tick, ...] = ()
    if curve.of is not None and curve.unit == "predicted":
        labels = ((0.0, "other"), (1.0, clipped(level(curve.of), 14)))
    return CurveDrawing(title, said.name, scale, places, density, own, chosen, percent, labels)


def _density(curve: Curve, feature: Feature, scale: Scale) -> list[tuple[float, float, int]]:
    if curve.density is None or curve.density.edges is None:
        return []
    edges = [scale.place(feature, edge) or 0.0 for edge in curve.density.edges]
    return list(zip(edges[:-1], edges[1:], curve.density.counts, strict=True))


def marks_of(said: WhatIf) -> list[Mark]:
    """Give the places of the chosen value, for the page to draw over the picture."""
    drawing = _drawing(said)
    if drawing.chosen is None or drawing.chosen.place is None:
        return []
    found = []
    for size in SIZES:
        frame = drawing.frame(size)
        if isinstance(drawing, CurveDrawing):
            x, y, foot = frame.x(drawing.chosen.place), frame.y(drawing.chosen.score), frame.floor
        else:
            x, y = frame.x(drawing.chosen.score), drawing.middle(size, int(drawing.chosen.place))
            foot = y
        found.append(Mark(size, frame.width, frame.height, round(x, 1), round(y, 1), round(foot, 1)))
    return found


def draw_curve(case: Case, said: WhatIf) -> Chart:
    """Draw the curve, or a bar for each level, with the case and what was chosen."""
    drawing, feature = _drawing(said), said.feature
    # The picture on the page has no value in its address: the page marks it, and the picture stays as it is.
    if "value" not in case.asked:
        drawing = replace(drawing, chosen=None)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (clipped(feature_value(point.value, feature), 200), point.score) for point in said.curve.points
    )
    header = (_axis(said.title, feature), said.name)
    if isinstance(drawing, LevelsDrawing):
        return levels_chart(drawing, said.sentence, header, rows)
    return curve_chart(drawing, said.sentence, header, rows)


def draw_map(_: Case, said: WhatIf) -> Chart | None:
    """Draw the map of two features; None where no second one was chosen."""
    found = said.map
    if found is None or said.second is None:
        return None
    scores, sides = np.array(found.scores), []
    features, titles = (said.feature, said.second), (said.title, said.second_title)
    for feature, title, values, own in zip(features, titles, found.values, found.case.values, strict=True):
        scale = Scale.of(feature, values)
        places = [scale.place(feature, value) or 0.0 for value in values]
        sides.append(Side(_axis(title, feature), scale, places, scale.place(feature, own)))
    across, up = sides
    if _longest(across.scale) > _longest(up.scale):
        across, up, scores = up, across, scores.T  # names have more room beside rows than below columns
    ends = amount(found, float(scores.min())), amount(found, float(scores.max()))
    shown = amount(found, found.case.score)
    drawing = HeatDrawing(said.name, across, up, scores, shown, ends)
    rows = tuple(
        (feature_value(a, features[0]), feature_value(b, features[1]), score)
        for b, line in zip(found.values[1], found.scores, strict=True)
        for a, score in zip(found.values[0], line, strict=True)
    )
    place = f"lies between {ends[0]} and {ends[1]}" if ends[0] != ends[1] else f"is always {ends[0]}"
    if found.unit == "predicted" and ends[0] != ends[1]:
        place = "is predicted for some values and not for others"
    together = f"With {titles[0]} and {titles[1]} together, and all else as it is"
    finding = f"{together}, the {said.name} {place}; for this case it is {shown}."
    return heat_chart(drawing, finding, (*titles, said.name), rows)


def _axis(title: str, feature: Feature) -> str:
    return f"{title} in {feature.unit}" if feature.unit else title


def _longest(scale: Scale) -> int:
    return max((len(cell(level)) for level in scale.levels), default=0)
