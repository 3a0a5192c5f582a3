"""What would change it: cases near this one for which the model says what is wanted, under the reader's own limits."""

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from dashboard.charts import Chart
from dashboard.charts.dumbbells import Step, Way, dumbbells
from dashboard.errors import InvalidQuery
from dashboard.explanations_counterfactuals import Change, Counterfactual, Counterfactuals
from dashboard.formatting import (
    cell,
    clipped,
    level,
    listed,
    measured,
    percent,
    sentence,
    significant,
    with_unit,
)
from dashboard.forms import form_class, form_values
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import title_of
from dashboard.panels.fields import asked_again
from dashboard.panels.wishes import SIDES, WishForm, in_order, measured_text
from dashboard.records import Feature, Value, number_of

COUNT = 3
NAMED = 3
"""Changes that a heading names; of more, it counts the others."""
LONGEST = 40
"""Characters of a text in a sentence."""
EFFORTS = ((0.5, "A small step"), (1.0, "A step"), (2.0, "A large step"))
"""Up to which effort, in usual spreads, what is said."""
LARGEST = "A very large step"
USUAL = 0.5
"""Share of reference cases that are lonelier than an answer, from which on it is an ordinary case."""
ODD = 0.1
"""The same, below which it hardly occurs."""


@dataclass(frozen=True)
class Found:
    """One answer."""

    heading: str
    rows: tuple[tuple[str, str, str], ...]
    """For each change the feature, the value now, and the value then."""
    prediction: str
    effort: str
    usual: str
    odd: bool
    url: str
    """Of the page with this case in its form."""


@dataclass(frozen=True)
class WhatWouldChange:
    """What the panel shows."""

    form: WishForm
    sentence: str
    """The finding."""
    said: Counterfactuals | None = None
    """None where nothing could be asked."""
    found: tuple[Found, ...] = ()
    failure: str = ""
    """What the model service objected to."""
    status: int = 200


def answer(case: Case) -> WhatWouldChange:
    """Ask for cases with the wanted prediction, or say what is wrong with the form."""
    form = WishForm(case, case.predict())
    if not form.validate():
        return WhatWouldChange(form, asked_again(len(form.invalid)), status=422)
    try:
        said = case.explain(Counterfactuals, "counterfactuals", count=COUNT, **form.options())
    except InvalidQuery as error:
        return WhatWouldChange(form, "Nothing was found out.", failure=sentence(str(error)), status=422)
    found = tuple(_found(case, form, one) for one in said.counterfactuals)
    return WhatWouldChange(form, _sentence(form, said, found), said, found)


def _sentence(form: WishForm, said: Counterfactuals, found: tuple[Found, ...]) -> str:
    if form.granted:
        return f"Nothing needs to change: the prediction is {wish(form)}."
    if not found:
        return f"No way to {wish(form)} was found. {sentence(said.why_none or 'nothing else is known of it')}"
    first = found[0].heading[:1].lower() + found[0].heading[1:]
    return f"To get {wish(form)}: {first}. The model would then say {found[0].prediction}."


def wish(form: WishForm) -> str:
    """Say what is wanted and what is: "good instead of bad", "at most 120 points instead of 152.13 points"."""
    target = form.case.model.signature.target
    if target.classes:
        assert not isinstance(form.prediction.prediction, dict)
        return f"“{level(form.wanted)}” instead of “{level(form.prediction.prediction)}”"
    side, bound = dict(SIDES)[str(form.choice_in("side"))], form.number_in("bound") or 0.0
    wanted, now = (with_unit(text, target.unit) for text in (measured(bound), significant(form.number)))
    rather = "and already" if form.granted else "instead of"
    return f"{form.output + ': ' if form.output else ''}{side} {wanted} {rather} {now}"


def _found(case: Case, form: WishForm, one: Counterfactual) -> Found:
    steps = [_in_words(case, change) for change in one.changes[:NAMED]]
    if len(one.changes) > NAMED:
        steps.append(f"{len(one.changes) - NAMED} more")
    return Found(
        f"Change {listed(steps)}" if steps else "Change nothing",
        tuple(_row(case, change) for change in one.changes),
        _prediction(form, one),
        effort(one.effort),
        usual(one.distance_percentile),
        one.distance_percentile < ODD,
        address_of(case, one),
    )


def _row(case: Case, change: Change) -> tuple[str, str, str]:
    title = title_of(case.model, case.feature(change.feature))
    return title, _shown(case, change.feature, change.before), _shown(case, change.feature, change.after)


def _in_words(case: Case, change: Change) -> str:
    feature = case.feature(change.feature)
    before, after = (clipped(measured_text(value, feature), LONGEST) for value in (change.before, change.after))
    return f"{title_of(case.model, feature)} from {before} to {with_unit(after, feature.unit)}"


def _shown(case: Case, name: str, value: Value) -> str:
    feature = case.feature(name)
    text = measured_text(value, feature)
    return text if value is None else with_unit(text, feature.unit)


def _prediction(form: WishForm, one: Counterfactual) -> str:
    target = form.case.model.signature.target
    if not target.classes:
        return with_unit(significant(number_of(one.prediction, form.output)), target.unit)
    assert not isinstance(one.prediction, dict)
    share = f" ({percent(one.probabilities[str(one.prediction)])})" if one.probabilities else ""
    return f"{level(one.prediction)}{share}"


def effort(spreads: float) -> str:
    """Say how much is changed: "A small step: 0.34 usual spreads in all"."""
    word = next((word for most, word in EFFORTS if spreads <= most), LARGEST)
    return f"{word}: {significant(spreads, 2)} usual spreads in all"


def usual(share: float) -> str:
    """Say how plausible a case is: how many reference cases are farther from their nearest neighbour."""
    if share >= USUAL:
        return "An ordinary case: about as near to real ones as they are to each other"
    if share >= ODD:
        return f"A less usual case: {percent(share)} of the real ones are farther from their nearest neighbour"
    few = f"only {percent(share)} of the real cases are" if share else "none of the real cases is"
    return f"Unlike the data: {few} so far from the others, and there may be no such case"


def address_of(case: Case, one: Counterfactual) -> str:
    """Give the address of the model's page with another case in its form."""
    form = form_class(case.model)(MultiDict(), data=form_values(case.model, one.instance))
    return f"{url_for('predict.page', name=case.model.name)}?{urlencode(form.query())}"


def chart(case: Case, shown: WhatWouldChange) -> Chart | None:
    """Draw the changes of each answer; None where there is none."""
    if shown.said is None or not shown.found:
        return None
    ways, rows = [], []
    for number, (found, one) in enumerate(zip(shown.found, shown.said.counterfactuals, strict=True), 1):
        steps = []
        for change, (title, before, after) in zip(one.changes, found.rows, strict=True):
            start, end = (_share(case.feature(change.feature), value) for value in (change.before, change.after))
            steps.append(Step(f"{title}: {before} → {after}", start, end))
            rows.append((
                number, change.feature, _number(change.before), _number(change.after),
                *("" if share is None else round(share, 6) for share in (start, end)), found.prediction,
            ))  # fmt: skip
        ways.append(Way(f"{number}. {found.prediction}", tuple(steps)))
    return dumbbells(shown.sentence, ways, tuple(rows))


def _number(value: Value) -> str | float | int:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else cell(value)


def _share(feature: Feature, value: Value) -> float | None:
    """Give the place of a value between the smallest and the largest of training."""
    place, low, high = (in_order(feature, v) for v in (value, feature.minimum, feature.maximum))
    if place is None or low is None or high is None or not low < high:
        return None
    return (place - low) / (high - low)


COUNTERFACTUALS = Panel("counterfactuals", "What would change it?", answer, {"changes": chart})
