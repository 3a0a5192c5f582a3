"""What if: the prediction for this case with another value of one feature, or of two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

from dashboard.charts import Cell, Chart
from dashboard.charts.curve import SIZES, CurveDrawing, Marked, curve_chart
from dashboard.charts.heat import NAME as MAP_NAME
from dashboard.charts.heat import HeatDrawing, Side, heat_chart
from dashboard.charts.levels import Bar, LevelsDrawing, levels_chart
from dashboard.charts.scales import Scale
from dashboard.errors import BadAnswer, InvalidQuery, Unavailable
from dashboard.explanations import Contributions
from dashboard.explanations_what_if import Curve, FeatureMap
from dashboard.formatting import cell, clipped, feature_value, level, significant
from dashboard.forms import ASK
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import amount, difference, name_of, score_of, value_text
from dashboard.panels.changes import LONGEST_LABEL, Control, changed, control_of, typed_value
from dashboard.records import Feature, Level

FOCUS = ("class", "output")
"""Parameters that say which number is looked at."""


class Mark(NamedTuple):
    """Where the chosen value is in the picture of a size, in CSS pixels."""

    size: str
    width: int
    height: int
    x: float
    y: float
    foot: float
    """How far down its line goes."""


@dataclass(frozen=True)
class Chosen:
    """The prediction with the value that a person chose."""

    shown: str
    """The number."""
    decision: str | None
    """The class that is predicted."""
    sentence: str
    same: bool
    """Whether the value is the case's own."""
    query: str
    """What reproduces the changed case in an address."""
    score: float


@dataclass(frozen=True)
class WhatIf:
    """What the panel shows."""

    curve: Curve
    feature: Feature
    sentence: str
    """The finding about the whole range."""
    control: Control
    value: str
    """What the control holds."""
    value_shown: str
    """The same in words."""
    error: str
    """What is wrong with the value."""
    chosen: Chosen | None
    name: str
    """What the number is called."""
    others: tuple[Feature, ...]
    """Features that may vary beside it."""
    second: Feature | None
    map: FeatureMap | None
    numbers: tuple[Level, ...]
    """Classes or outputs to choose from, where the choice is not plain."""
    query: str
    """The address of the picture that does not depend on the chosen value."""


def answer(case: Case) -> WhatIf:
    """Ask for the curve, for the prediction with the chosen value, and for the map if there is a second feature."""
    feature = _feature(case, case.asked.get("feature")) or _default_feature(case)
    curve = case.explain(Curve, "curve", feature=feature.name, **case.options(*FOCUS))
    second = _feature(case, case.asked.get("and"))
    second = None if second is feature else second
    both = [feature.name, second.name] if second else []
    map_ = case.explain(FeatureMap, "map", features=both, **case.options(*FOCUS)) if second else None
    given = case.asked.get("value") if case.asked.get("of", feature.name) == feature.name else None
    value = typed_value(feature, curve.case.value) if given is None else given
    chosen, error = _chosen(case, curve, feature, value)
    kept = {"feature": feature.name, "and": second.name if second else "", **case.options(*FOCUS)}
    return WhatIf(
        curve=curve,
        feature=feature,
        sentence=_sentence(case, curve, feature),
        control=control_of(feature, curve),
        value=value,
        value_shown=value or "unknown",
        error=error,
        chosen=chosen,
        name=name_of(case.model, curve),
        others=tuple(other for other in case.model.signature.features if other is not feature),
        second=second,
        map=map_,
        numbers=numbers_of(case),
        query=urlencode([*case.query, *((ASK + name, text) for name, text in kept.items() if text)]),
    )


def numbers_of(case: Case) -> tuple[Level, ...]:
    """Give the classes or outputs of a prediction that has more than two classes, or several outputs."""
    target = case.model.signature.target
    return target.classes if len(target.classes) > 2 else target.outputs


def _feature(case: Case, name: str | None) -> Feature | None:
    """Find a feature that the address names. Raises InvalidQuery."""
    if not name:
        return None
    found = next((feature for feature in case.model.signature.features if feature.name == name), None)
    if found is None:
        raise InvalidQuery("The parameter feature must name a feature of the model.")
    return found


def _default_feature(case: Case) -> Feature:
    """Choose the feature that contributes most; if that is not to be had, the first that is a number."""
    features = case.model.signature.features
    try:
        said = case.explain(Contributions, "contributions", **case.options(*FOCUS))
        return case.feature(said.contributions[0].feature)
    except (InvalidQuery, BadAnswer, Unavailable, IndexError):
        return next((feature for feature in features if feature.type in ("number", "integer")), features[0])


def _chosen(case: Case, curve: Curve, feature: Feature, text: str) -> tuple[Chosen | None, str]:
    """Predict for the case with the chosen value; or say what is wrong with it."""
    try:
        other = changed(case, feature, text)
    except InvalidQuery as error:
        return None, str(error)
    prediction = other.predict()
    score = score_of(prediction, curve)
    target = case.model.signature.target
    decision = level(prediction.prediction) if target.classes and not isinstance(prediction.prediction, dict) else None
    value = other.instance[feature.name]
    same = value == case.instance[feature.name]
    sentence = _compared(curve, feature, value_text(value, feature), score, same=same)
    return Chosen(amount(curve, score), decision, sentence, same, urlencode(other.query), score), ""


def _compared(curve: Curve, feature: Feature, value: str, score: float, *, same: bool) -> str:
    """Compare the changed case with the case."""
    own = amount(curve, curve.case.score)
    value = clipped(value, LONGEST_LABEL)
    if same:
        return f"{feature.title}: {value}, as in this case."
    shown, gap = amount(curve, score), difference(curve, score - curve.case.score)
    if curve.unit == "predicted" or shown == own:
        return f"{feature.title}: {value}. {'The same as' if shown == own else 'Other than'} in this case."
    side = "more" if score > curve.case.score else "less"
    return f"{feature.title}: {value}. That is {gap} {side} than the {own} of this case."


def _sentence(case: Case, curve: Curve, feature: Feature) -> str:
    """Say between which numbers the prediction lies, over all values."""
    low, high = (pick(curve.points, key=lambda point: point.score) for pick in (min, max))
    name, least, most = name_of(case.model, curve), amount(curve, low.score), amount(curve, high.score)
    if least == most:
        said = f"{feature.title} makes no difference here: with all else as it is, the {name} stays at {least}."
    elif curve.unit == "predicted":
        said = f"With all else as it is, {feature.title} decides by itself whether {level(curve.of or '')} is predicted."
    else:
        ends = [clipped(value_text(point.value, feature), LONGEST_LABEL) for point in (low, high)]
        said = f"With all else as it is, {feature.title} alone moves the {name} between {least} (at {ends[0]}) and {most} (at {ends[1]})."
    if curve.missing and curve.case.value is not None:
        said += f" Were it unknown: {amount(curve, curve.missing.score)}."
    return said


# The charts.


def _drawing(case: Case, said: WhatIf) -> CurveDrawing | LevelsDrawing:
    curve, feature = said.curve, said.feature
    values = [point.value for point in curve.points]
    control = said.control
    ends = [float(control.low), float(control.high)] if control.kind == "range" else []
    scale = Scale.of(feature, [*values, *ends])
    percent = curve.of is not None
    own = Marked(scale.place(feature, curve.case.value), curve.case.score, amount(curve, curve.case.score))
    chosen = _marked(case, said, scale)
    if curve.kind == "bars":
        counts: Sequence[int | None] = curve.density.counts if curve.density else [None] * len(values)
        bars = [
            Bar(clipped(cell(point.value), 80), point.score, amount(curve, point.score), count)
            for point, count in zip(curve.points, counts, strict=True)
        ]
        return LevelsDrawing(said.name, bars, own, chosen, percent)
    places = [(scale.place(feature, point.value) or 0.0, point.score) for point in curve.points]
    title = feature.title + (f" in {feature.unit}" if feature.unit else "")
    return CurveDrawing(title, said.name, scale, places, _density(curve, feature, scale), own, chosen, percent)


def _density(curve: Curve, feature: Feature, scale: Scale) -> list[tuple[float, float, int]]:
    if curve.density is None or curve.density.edges is None:
        return []
    edges = [scale.place(feature, edge) or 0.0 for edge in curve.density.edges]
    return list(zip(edges[:-1], edges[1:], curve.density.counts, strict=True))


def _marked(case: Case, said: WhatIf, scale: Scale) -> Marked | None:
    if said.chosen is None:
        return None
    value = changed(case, said.feature, said.value).instance[said.feature.name]
    return Marked(scale.place(said.feature, value), said.chosen.score, said.chosen.shown)


def marks(case: Case, said: WhatIf) -> list[Mark]:
    """Give the places of the chosen value, for the page to draw over the picture."""
    drawing = _drawing(case, said)
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


def curve(case: Case, said: WhatIf) -> Chart:
    """Draw the curve, or a bar for each level, with the case and what was chosen."""
    drawing, feature = _drawing(case, said), said.feature
    # The picture on the page has no value in its address: the page marks it, and the picture stays as it is.
    if "value" not in case.asked:
        drawing = type(drawing)(**{**drawing.__dict__, "chosen": None})
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (clipped(feature_value(point.value, feature), 200), point.score) for point in said.curve.points
    )
    header = (feature.title + (f", {feature.unit}" if feature.unit else ""), said.name)
    if isinstance(drawing, LevelsDrawing):
        return levels_chart(drawing, said.sentence, header, rows)
    return curve_chart(drawing, said.sentence, header, rows)


def map_chart(case: Case, said: WhatIf) -> Chart:
    """Draw the map of two features; of one that is named only on the other side if both have levels."""
    found = said.map
    if found is None or said.second is None:
        return Chart(MAP_NAME, "No second feature was chosen.", ("number",), (), SIZES, lambda _figure, _palette: None)
    scores, sides = np.array(found.scores), []
    features = (said.feature, said.second)
    for feature, values, own in zip(features, found.values, found.case.values, strict=True):
        scale = Scale.of(feature, values)
        places = [scale.place(feature, value) or 0.0 for value in values]
        title = feature.title + (f" in {feature.unit}" if feature.unit else "")
        sides.append(Side(title, scale, places, scale.place(feature, own)))
    across, up = sides
    if across.scale.levels and not len(up.scale.levels) > len(across.scale.levels):
        across, up, scores = up, across, scores.T  # names have more room beside rows than below columns
    ends = amount(found, float(scores.min())), amount(found, float(scores.max()))
    shown = amount(found, found.case.score)
    drawing = HeatDrawing(said.name, across, up, scores, shown, ends)
    rows = tuple(
        (feature_value(a, features[0]), feature_value(b, features[1]), score)
        for b, line in zip(found.values[1], found.scores, strict=True)
        for a, score in zip(found.values[0], line, strict=True)
    )
    finding = (
        f"With {features[0].title} and {features[1].title} together, and all else as it is, the {said.name} "
        f"lies between {ends[0]} and {ends[1]}; for this case it is {shown}."
    )
    return heat_chart(drawing, finding, (features[0].title, features[1].title, said.name), rows)


def rough(score: float, said: Curve) -> str:
    """Write a number of the curve in its table."""
    return amount(said, score) if said.of is not None else significant(score, 4)


WHAT_IF = Panel("what-if", "What if it were different?", answer, {"curve": curve, "map": map_chart})
