"""The case with another value of one feature, and the control with which a person chooses that value."""

import math
from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

from dashboard.errors import InvalidQuery
from dashboard.explanations_what_if import Curve
from dashboard.fields import FEW_LEVELS, field_type, written
from dashboard.formatting import cell, clipped, plain_number
from dashboard.forms import UNKNOWN, InstanceForm, field_name, form_class
from dashboard.panels import Case
from dashboard.records import Feature, Value, number_of

MOST_STEPS = 1000
"""Places of a slider."""
LONGEST_LABEL = 60
SLACK = 1e-9
"""Part of a step that arithmetic may be off."""


@dataclass(frozen=True)
class Control:
    """How a value is chosen: with a slider, a calendar, buttons or a list."""

    kind: str
    """`range`, `date`, `datetime-local`, `radio` or `select`."""
    low: str = ""
    high: str = ""
    step: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """What is sent and what is shown."""
    about: str = ""
    """How its range compares with that of the training data."""


def control_of(feature: Feature, curve: Curve) -> Control:
    """Choose the control of a feature, over the range of its curve."""
    if curve.kind == "bars":
        values = [point.value for point in curve.points if point.value is not None]
        choices = [(written(value), clipped(cell(value), LONGEST_LABEL)) for value in values]
        if feature.missing_allowed and feature.type != "text":
            choices.append(("", "Unknown"))
        return Control("radio" if len(choices) <= FEW_LEVELS else "select", choices=tuple(choices))
    if feature.type in ("date", "datetime"):
        return Control("date" if feature.type == "date" else "datetime-local")
    low, high = (number_of(point.value or 0, None) for point in (curve.points[0], curve.points[-1]))
    step = slider_step(feature, high - low)
    first, last = math.floor(low / step + SLACK), math.ceil(high / step - SLACK)
    ends = tidy(first * step, step), tidy(max(last, first + 1) * step, step)
    return Control("range", *ends, tidy(step, step), about=_compared(feature, low, high))


def _compared(feature: Feature, low: float, high: float) -> str:
    """Say that a range is that of the training data, or what that is: a case may lie outside."""
    if feature.minimum is None or feature.maximum is None:
        return ""
    least, most = (number_of(end, None) for end in (feature.minimum, feature.maximum))
    if least <= low and high <= most:
        return "in the training data"
    return f"{plain_number(least)} to {plain_number(most)} in the training data"


def slider_step(feature: Feature, span: float) -> float:
    """Give the step of the training values, or a round one where a slider had too many places."""
    own = 1.0 if feature.type == "integer" else feature.step or 0.0
    least = max(own, span / MOST_STEPS)
    if own and least == own:
        return own
    if not least:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next((part * power for part in (1, 2, 5) if part * power >= least * (1 - 1e-9)), 10 * power)


def tidy(number: float, step: float) -> str:
    """Write a multiple of a step without the digits that arithmetic adds."""
    return plain_number(round(number, max(0, 2 - math.floor(math.log10(step)))))


def typed_value(feature: Feature, value: Value) -> str:
    """Write a value as its control holds it; "" is unknown."""
    return field_type(feature).typed(feature, value) or ""


def changed(case: Case, feature: Feature, text: str) -> Case:
    """Give the case with what was chosen for one feature, "" for unknown. Raises InvalidQuery."""
    name = field_name(feature)
    pairs = [pair for pair in case.query if pair[0] != name and pair != (UNKNOWN, name)]
    given = (UNKNOWN, name) if text == "" and feature.missing_allowed and feature.type != "text" else (name, text)
    form: InstanceForm = form_class(case.model)(MultiDict([*pairs, given]))
    field = next(field for field in form.fields if field.feature.name == feature.name)
    if not field.validate(form):
        raise InvalidQuery(" ".join(map(str, field.errors)))
    instance = {**case.instance, feature.name: field.to_value()}
    return replace(case, instance=instance, query=tuple(form.query()))
