"""How sure: where the true value is likely to be, and whether the case is like those that the model learnt from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.about import Calibration
from dashboard.charts import Chart
from dashboard.charts.bars import ShareBar, Table, share_bars
from dashboard.charts.ranges import NAME, Range, ranges
from dashboard.errors import InvalidQuery, ModelServiceError
from dashboard.explanations_trust import FeatureTrust, Status, Trust
from dashboard.formatting import level, listed, percent, significant, with_unit
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import title_of, value_text
from dashboard.panels.calibration import calibration_sentence
from dashboard.panels.rough import rough_percent
from dashboard.records import Interval, Level, Numbers, Prediction, number_of

COVERAGES, USUAL = (80, 90, 95), 90
"""Coverages that can be chosen, in per cent, and the one that is chosen unless told otherwise."""
MOST_NAMED, MOST_BARS = 4, 9
"""Classes that a sentence names, and that have a bar of their own."""
MARKS: Mapping[Status, tuple[str, str]] = {
    "inside": ("✓", "Inside"),
    "edge": ("!", "At the edge"),
    "outside": ("✕", "Outside"),
}
"""Status → its mark and its name: neither needs a colour."""


class Bound(NamedTuple):
    """A range of numbers, with its coverage in per cent."""

    coverage: int
    low: float
    high: float


class Share(NamedTuple):
    """A class, how probable it is, and the coverages in per cent at which it remains possible."""

    of: Level
    share: float
    possible: tuple[int, ...]


class Standing(NamedTuple):
    """Where one value is among those of the training data, in words."""

    title: str
    value: str
    place: str
    """How many values of the training data are lower or higher."""
    status: Status
    said: str
    """A sentence of all this, without its full stop."""


@dataclass(frozen=True)
class HowSure:
    """What the panel shows."""

    chosen: int
    """Coverage in per cent."""
    sentence: str
    compared: str
    """What the range is worth, compared with knowing nothing of the case."""
    calibrated: str
    """Whether the probabilities can be taken at their word."""
    output: str | None
    value: float | None
    """The number that is predicted."""
    number: str
    """The same in words."""
    bounds: tuple[Bound, ...]
    shares: tuple[Share, ...]
    trust: Trust
    distance: tuple[str, str]
    """How far the nearest reference case is, and how far it usually is."""
    unusual: tuple[Standing, ...]
    usual: tuple[Standing, ...]
    marks: Mapping[Status, tuple[str, str]]
    unit: str | None
    coverages: tuple[int, ...] = COVERAGES
    """Those that can be chosen."""


def answer(case: Case) -> HowSure:
    """Ask for the ranges or sets at every coverage, and for the trust line. Raises DashboardError."""
    chosen, output = _coverage(case), _output(case)
    trust = case.explain(Trust, "trust")
    predictions = {c: case.client.predict(case.model, case.instance, case.request_id, c / 100) for c in COVERAGES}
    prediction, target = predictions[chosen], case.model.signature.target
    standings = [(item, _standing(case, item)) for item in trust.features]
    bounds = _bounds(predictions, output) if not target.classes else ()
    value = None if target.classes else number_of(prediction.prediction, output)
    return HowSure(
        chosen,
        _sentence(case, prediction.interval, chosen, output),
        _compared(case, next((bound for bound in bounds if bound.coverage == chosen), None), output),
        _calibrated(case, prediction) if target.gives_probabilities else "",
        output,
        value,
        "" if value is None else with_unit(significant(value), target.unit),
        bounds,
        _shares(case, predictions) if target.gives_probabilities else (),
        trust,
        (rough_percent(trust.joint.distance), rough_percent(trust.joint.usual)),
        tuple(standing for item, standing in standings if item.status != "inside" or item.message),
        tuple(standing for item, standing in standings if item.status == "inside" and not item.message),
        MARKS,
        target.unit,
    )


def _coverage(case: Case) -> int:
    text = case.asked.get("coverage", str(USUAL))
    if text not in map(str, COVERAGES):
        raise InvalidQuery(
            f"The parameter ask.coverage must be {', '.join(map(str, COVERAGES[:-1]))} or {COVERAGES[-1]}."
        )
    return int(text)


def _output(case: Case) -> str | None:
    """Read which of several numbers is looked at."""
    names = case.model.signature.target.outputs
    if not names:
        return None
    name = case.asked.get("output", names[0])
    if name not in names:
        raise InvalidQuery("The parameter ask.output must name an output of the model.")
    return name


def _bounds(predictions: Mapping[int, Prediction], output: str | None) -> tuple[Bound, ...]:
    found = []
    for coverage, prediction in predictions.items():
        if prediction.interval is not None:
            low, high = (_end(end, output) for end in (prediction.interval.low, prediction.interval.high))
            found.append(Bound(coverage, low, high))
    return tuple(found)


def _end(end: float | Numbers | None, output: str | None) -> float:
    assert end is not None
    return number_of(end, output)


def _shares(case: Case, predictions: Mapping[int, Prediction]) -> tuple[Share, ...]:
    """List the classes, the likeliest first."""
    probabilities = predictions[USUAL].probabilities
    assert probabilities is not None
    sets = {coverage: p.interval.classes or () for coverage, p in predictions.items() if p.interval is not None}
    return tuple(
        Share(of, share, tuple(coverage for coverage, classes in sets.items() if of in classes))
        for of, share in case.model.signature.target.ranked(probabilities)
    )


def _sentence(case: Case, interval: Interval | None, chosen: int, output: str | None) -> str:
    """Say where the true value is likely to be."""
    target = case.model.signature.target
    if target.classes and not target.probabilities:
        return "This model gives a class and no probabilities, so it cannot say how sure it is."
    if interval is None:
        return f"There were too few cases to say at {chosen} % where the true {target.name} is."
    if not target.classes:
        low, high = (_end(end, output) for end in (interval.low, interval.high))
        return (
            f"The true {output or target.name} is likely between {span(low, high, target.unit)}: "
            f"in about {chosen} of 100 cases it lies in such a range."
        )
    classes = interval.classes or ()
    if len(classes) == 1:
        remain = f"only {level(classes[0])} remains possible"
    elif len(classes) == len(target.classes):
        remain = f"{_named(classes)} all remain possible: the model cannot tell them apart here"
    else:
        remain = f"{_named(classes)} remain possible, {len(classes)} of {len(target.classes)} classes"
    return (
        f"At {chosen} % coverage {remain}. In about {chosen} of 100 cases the true {target.name} is among what remains."
    )


def span(low: float, high: float, unit: str | None) -> str:
    """Write both ends of a range as in a sentence: "71.2 and 233 points"."""
    return f"{significant(low, 3)} and {with_unit(significant(high, 3), unit)}"


def _named(classes: tuple[Level, ...]) -> str:
    more = len(classes) - MOST_NAMED
    return listed([*classes[:MOST_NAMED], f"{more} more"] if more > 1 else classes)


def _compared(case: Case, bound: Bound | None, output: str | None) -> str:
    """Say how many of the reference cases the range would hold: of a useful one these are few."""
    if bound is None:
        return ""
    try:
        reference = case.client.all_reference(case.model)
    except ModelServiceError:
        return ""
    true = [number_of(value, output) for value in reference.target if value is not None]
    if not true:
        return ""
    share = sum(bound.low <= number <= bound.high for number in true) / len(true)
    cases = f"{rough_percent(share)} of all {len(true):,} reference cases"
    return f"For comparison: {cases} have their true value in this range."


def _calibrated(case: Case, prediction: Prediction) -> str:
    """Say whether probabilities can be taken at their word."""
    assert prediction.probabilities is not None
    assert not isinstance(prediction.prediction, dict)
    try:
        quality = case.client.about(case.model).quality
    except ModelServiceError:
        return "Whether its probabilities are calibrated could not be found out just now."
    curves: Mapping[str, Calibration] = quality.curves.calibration if quality else {}
    target, of = case.model.signature.target, prediction.prediction
    if str(of) not in curves and target.positive is not None:
        of = target.positive
    return calibration_sentence(curves.get(str(of)), of, prediction.probabilities[str(of)], quality)


def _standing(case: Case, item: FeatureTrust) -> Standing:
    feature = case.feature(item.feature)
    title, shown = title_of(case.model, feature), value_text(item.value, feature)
    said = item.message or f"{title} {shown} is {_place(item)}"
    return Standing(title, shown, _place(item), item.status, said)


def _place(item: FeatureTrust) -> str:
    """Say where an ordinary value is."""
    if item.value is None:
        return "often unknown"
    if item.percentile is None:
        return "usual"
    side, share = ("higher", item.percentile) if item.percentile >= 0.5 else ("lower", 1 - item.percentile)
    return f"{side} than {rough_percent(share)}"


def chart(_case: Case, said: HowSure) -> Chart | None:
    """Draw the ranges on a number line, or the probabilities with the set marked; nothing where neither is known."""
    if said.bounds:
        return _range_chart(said)
    return _class_chart(said) if said.shares else None


def _range_chart(said: HowSure) -> Chart:
    around = [
        Range(
            f"{bound.coverage} %", bound.low, bound.high,
            f"{significant(bound.low, 3)} to {with_unit(significant(bound.high, 3), said.unit)}",
            bound.coverage == said.chosen,
        )
        for bound in said.bounds
    ]  # fmt: skip
    assert said.value is not None
    table = Table(("coverage", "low", "high"), tuple((f"{b.coverage} %", b.low, b.high) for b in said.bounds))
    finding = f"The prediction is {said.number}. " + " ".join(f"At {one.label}: {one.shown}." for one in around)
    return ranges(finding, (said.value, said.number), around, table)


def _class_chart(said: HowSure) -> Chart:
    known = any(share.possible for share in said.shares)
    shown = said.shares if len(said.shares) <= MOST_BARS + 1 else said.shares[:MOST_BARS]
    bars = [
        ShareBar(level(one.of), one.share, _share_words(one, said.chosen, known=known), said.chosen in one.possible)
        for one in shown
    ]
    others = said.shares[len(shown) :]
    if others:
        possible = sum(said.chosen in one.possible for one in others)
        words = f"{possible} possible" if possible else "ruled out"
        total = sum(one.share for one in others)
        bars.append(ShareBar(f"{len(others)} other classes", total, f"{percent(total)}, {words}", possible > 0))
    rows = tuple(
        (level(one.of), one.share, *("yes" if coverage in one.possible else "no" for coverage in COVERAGES))
        for one in said.shares
    )
    header = ("class", "probability", *(f"possible at {coverage} %" for coverage in COVERAGES))
    finding = f"Probability of each class. {said.sentence}"
    return share_bars(NAME, finding, bars, Table(header, rows))


def _share_words(one: Share, chosen: int, *, known: bool) -> str:
    if not known:
        return percent(one.share)
    return f"{percent(one.share)}, {'possible' if chosen in one.possible else 'ruled out'}"


HOW_SURE = Panel("how-sure", "How sure is it?", answer, {NAME: chart}, at_once=True)
