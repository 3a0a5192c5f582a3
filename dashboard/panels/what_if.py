"""What if: the prediction for this case with another value of one feature, or of two."""

from dataclasses import replace
from urllib.parse import urlencode

from dashboard.errors import InvalidInstance, InvalidQuery, ModelServiceError
from dashboard.explanations import Contributions
from dashboard.explanations_what_if import Curve, FeatureMap
from dashboard.formatting import clipped, level
from dashboard.forms import ASK
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import amount, difference, name_of, score_of, title_of, value_text
from dashboard.panels.changes import LONGEST_LABEL, changed, control_of, typed_value
from dashboard.panels.what_if_charts import draw_curve, draw_map, marks_of
from dashboard.panels.what_if_said import Chosen, WhatIf
from dashboard.records import Feature, Level

FOCUS = ("class", "output")
"""Parameters that say which number is looked at."""


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
    title = title_of(case.model, feature)
    chosen, error = _chosen(case, curve, feature, value)
    kept = {"feature": feature.name, "and": second.name if second else "", **case.options(*FOCUS)}
    said = WhatIf(
        curve=curve,
        feature=feature,
        title=title,
        sentence=_sentence(case, curve, feature, title),
        control=control_of(feature, curve),
        value=value,
        error=error,
        chosen=chosen,
        name=name_of(case.model, curve),
        choices=tuple((known.name, title_of(case.model, known)) for known in case.model.signature.features),
        second=second,
        second_title=title_of(case.model, second) if second else "",
        map=map_,
        numbers=numbers_of(case),
        query=urlencode([*case.query, *((ASK + name, text) for name, text in kept.items() if text)]),
    )
    return replace(said, marks=tuple(marks_of(said)))


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
    except (InvalidQuery, ModelServiceError, IndexError):
        return next((feature for feature in features if feature.type in ("number", "integer")), features[0])


def _chosen(case: Case, curve: Curve, feature: Feature, text: str) -> tuple[Chosen | None, str]:
    """Predict for the case with the chosen value; or say what is wrong with it."""
    try:
        other = changed(case, feature, text)
        prediction = other.predict()
    except InvalidQuery as error:
        return None, str(error)
    except InvalidInstance as error:
        reason = error.messages.get(feature.name, "the model does not take it")
        return None, reason[:1].upper() + reason[1:] + "."
    score = score_of(prediction, curve)
    target = case.model.signature.target
    decision = level(prediction.prediction) if target.classes and not isinstance(prediction.prediction, dict) else None
    value = other.instance[feature.name]
    same = value == case.instance[feature.name]
    what = f"{title_of(case.model, feature)}: {clipped(value_text(value, feature), LONGEST_LABEL)}"
    sentence = _compared(curve, what, score, same=same)
    query = urlencode(other.query)
    return Chosen(amount(curve, score), decision, sentence, same, query, value, score), ""


def _compared(curve: Curve, what: str, score: float, *, same: bool) -> str:
    """Compare the changed case with the case."""
    own = amount(curve, curve.case.score)
    if same:
        return f"{what}, as in this case."
    shown, gap = amount(curve, score), difference(curve, score - curve.case.score)
    if curve.unit == "predicted" or shown == own:
        return f"{what}. {'The same as' if shown == own else 'Other than'} in this case."
    side = "more" if score > curve.case.score else "less"
    return f"{what}. That is {gap} {side} than the {own} of this case."


def _sentence(case: Case, curve: Curve, feature: Feature, title: str) -> str:
    """Say between which numbers the prediction lies, over all values."""
    low, high = (pick(curve.points, key=lambda point: point.score) for pick in (min, max))
    name, least, most = name_of(case.model, curve), amount(curve, low.score), amount(curve, high.score)
    if least == most:
        stays = "stays" if curve.unit == "predicted" else "stays at"
        said = f"{title} makes no difference here: with all else as it is, the {name} {stays} {least}."
    elif curve.unit == "predicted":
        said = f"With all else as it is, {title} decides by itself whether {level(curve.of or '')} is predicted."
    else:
        ends = [clipped(value_text(point.value, feature), LONGEST_LABEL) for point in (low, high)]
        least, most = f"{least} (at {ends[0]})", f"{most} (at {ends[1]})"
        said = f"With all else as it is, {title} alone moves the {name} between {least} and {most}."
    if curve.missing and curve.case.value is not None:
        said += f" Were it unknown: {amount(curve, curve.missing.score)}."
    return said


WHAT_IF = Panel("what-if", "What if it were different?", answer, {"curve": draw_curve, "map": draw_map})
