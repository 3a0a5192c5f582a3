"""Flips: for each feature by itself, the nearest value at which the decision is another."""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from dashboard.charts import Cell, Chart
from dashboard.charts.flips import Row, flips_chart
from dashboard.charts.scales import Scale
from dashboard.explanations_what_if import Flipping, Flips
from dashboard.formatting import clipped, feature_value, level, plain_number, with_unit
from dashboard.forms import ASK
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import name_of, title_of, value_text
from dashboard.panels.changes import typed_value
from dashboard.panels.fields import typed_number
from dashboard.panels.thresholds import usual_threshold
from dashboard.panels.what_if import FOCUS, numbers_of
from dashboard.panels.wishes import in_order
from dashboard.records import Feature, Level, Target, Value

MOST_ROWS = 10
"""Features in the chart."""
STEPS = ((0.1, "a very small change"), (0.5, "a small change"), (1.0, "a moderate change"), (2.0, "a large change"))
"""Spreads of a feature, and what a change of so many is called."""
FARTHEST = "a very large change"
LONGEST = 60


class Turn(NamedTuple):
    """A value at which the decision changes."""

    shown: str
    becomes: str
    query: str
    """The end of the address that shows what it would do."""


@dataclass(frozen=True)
class Line:
    """A feature in the table."""

    title: str
    now: str
    turns: tuple[Turn, ...]
    """The nearest first; none where no value changes the decision."""
    effort: str
    """How far it is, in everyday words."""


@dataclass(frozen=True)
class FlipsSaid:
    """What the panel shows."""

    said: Flips
    sentence: str
    lines: tuple[Line, ...]
    decision: str
    """What is decided now."""
    asks: str
    """What kind of threshold can be set: `number`, `probability`, or none."""
    threshold: str
    """What its field holds."""
    of: str
    """What the threshold is on."""
    error: str
    """What is wrong with it."""
    numbers: tuple[Level, ...]
    beyond: bool
    """Whether the case is outside the range of the training data, with a feature in the chart."""


def answer(case: Case) -> FlipsSaid:
    """Ask where the decision changes."""
    target = case.model.signature.target
    asks = "" if target.classes else "number"
    if len(target.classes) == 2 and target.gives_probabilities:
        asks = "probability"
    text = case.asked.get("threshold", "").strip() if asks else ""
    threshold, error = _threshold(text, asks)
    if asks == "number" and threshold is None:
        threshold = usual_threshold(case)
        text = text or plain_number(threshold)
    options = {"threshold": threshold} if threshold is not None else {}
    said = case.explain(Flips, "flips", **options, **case.options(*FOCUS))
    lines = tuple(_line(case, said, item) for item in said.flips)
    of = name_of(case.model, said)
    beyond = any(_beyond(case.feature(item.feature), item.value) for item in said.flips[:MOST_ROWS])
    decided = _decided(said, said.decision)
    return FlipsSaid(said, _sentence(case, said), lines, decided, asks, text, of, error, numbers_of(case), beyond)


def _beyond(feature: Feature, value: Value) -> bool:
    """Tell whether a value is below or above all of the training data."""
    own, low, high = (in_order(feature, known) for known in (value, feature.minimum, feature.maximum))
    return own is not None and ((low is not None and own < low) or (high is not None and own > high))


def _threshold(text: str, asks: str) -> tuple[float | None, str]:
    """Read what was typed, of a probability percents: give the threshold, and what is wrong with it."""
    if asks != "probability":
        return typed_number(text)
    percents, error = typed_number(text, low=0, high=100)
    return None if percents is None else percents / 100, error


def _line(case: Case, said: Flips, item: Flipping) -> Line:
    feature = case.feature(item.feature)
    return Line(
        title_of(case.model, feature),
        clipped(value_text(item.value, feature), LONGEST),
        tuple(_turn(case, said, feature, *pair) for pair in turns_of(item)),
        _effort(item) if item.flips_at is not None else "",
    )


def turns_of(item: Flipping) -> list[tuple[Value, Level]]:
    """Give the values at which the decision changes, the nearest first."""
    if item.flips_at is None or item.decision is None:
        return []
    found = [(item.flips_at, item.decision)]
    other = item.levels or [side for side in (item.below, item.above) if side]
    changing = [(turn.value, turn.decision) for turn in other if turn.value != item.flips_at]
    if item.levels:  # the case's own level, and those that decide the same, change nothing
        own = next((turn.decision for turn in item.levels if turn.value == item.value), None)
        changing = [pair for pair in changing if own is not None and pair[1] != own]
    return [*found, *changing]


def _turn(case: Case, said: Flips, feature: Feature, value: Value, decision: Level) -> Turn:
    asked = {"feature": feature.name, "value": typed_value(feature, value), **case.options(*FOCUS)}
    query = urlencode([*case.pairs, *((ASK + name, text) for name, text in asked.items())])
    return Turn(clipped(value_text(value, feature), LONGEST), _decided(said, decision), query)


def _effort(item: Flipping) -> str:
    """Say in everyday words how far the nearest change is."""
    if item.levels is not None:
        return "another choice"
    if item.effort is None:
        return "unknown now"
    return next((words for spreads, words in STEPS if item.effort <= spreads), FARTHEST)


def _decided(said: Flips, decision: Level) -> str:
    """Name a decision: a class, or a side of the threshold."""
    if said.threshold is None:
        return level(decision)
    number = said.threshold * 100 if said.of is not None else said.threshold
    shown = with_unit(plain_number(float(f"{number:.6g}")), "%" if said.of is not None else said.unit)
    return f"{'at least' if decision == 'at_least' else 'below'} {shown}"


def _sentence(case: Case, said: Flips) -> str:
    """Say which change is the nearest."""
    nearest = said.flips[0]
    decided = _decided(said, said.decision)
    if nearest.flips_at is None:
        held = "No feature by itself changes this, whatever value of the training data it has"
        return f"{held}: the {_what(case, said)} stays {decided}."
    feature = case.feature(nearest.feature)
    there = clipped(value_text(nearest.flips_at, feature), LONGEST)
    now = clipped(value_text(nearest.value, feature), LONGEST)
    becomes = _decided(said, nearest.decision if nearest.decision is not None else "")
    count = sum(item.flips_at is not None for item in said.flips)
    others = f" {count} of the {len(said.flips)} features can change it by themselves." if len(said.flips) > 1 else ""
    return (
        f"The nearest change: with {title_of(case.model, feature)} {there} instead of {now}, and all else as it is, "
        f"the {_what(case, said)} would be {becomes} instead of {decided}.{others}"
    )


def _what(case: Case, said: Flips) -> str:
    target: Target = case.model.signature.target
    return f"predicted {target.name}" if said.threshold is None else name_of(case.model, said)


def chart(case: Case, shown: FlipsSaid) -> Chart:
    """Draw the nearest changes: for each feature its range, the case and where the decision changes."""
    said = shown.said
    rows = [_row(case, said, item) for item in said.flips[:MOST_ROWS]]
    table = tuple(row for item in said.flips for row in _cells(case, said, item))
    header = ("feature", "now", "changes at", "becomes", "spreads of the feature")
    return flips_chart(rows, shown.sentence, header, table)


def _cells(case: Case, said: Flips, item: Flipping) -> list[tuple[Cell, ...]]:
    """Give the rows of one feature in the file with the numbers."""
    feature = case.feature(item.feature)
    head = (title_of(case.model, feature), feature_value(item.value, feature))
    effort: Cell = "" if item.effort is None or item.flips_at is None else item.effort
    turns = [(*head, feature_value(value, feature), _decided(said, decision)) for value, decision in turns_of(item)]
    return [(*row, effort if place == 0 else "") for place, row in enumerate(turns or [(*head, "never", "")])]


def _row(case: Case, said: Flips, item: Flipping) -> Row:
    feature = case.feature(item.feature)
    turns = turns_of(item)
    known = [turn.value for turn in item.levels] if item.levels else [feature.minimum, feature.maximum]
    values = [value for value in [*known, item.value, *(value for value, _ in turns)] if value is not None]
    scale = Scale.of(feature, values) if values else Scale(0.0, 1.0)
    own, places = scale.place(feature, item.value), [scale.place(feature, value) for value, _ in turns]
    now = clipped(value_text(item.value, feature), LONGEST)
    change = f"now {now}; no value changes it"
    if turns:
        value, decision = turns[0]
        change = f"now {now}; {_decided(said, decision)} at {clipped(value_text(value, feature), LONGEST)}"
    return Row(
        title_of(case.model, feature),
        change,
        scale,
        own,
        places[0] if places else None,
        places[1] if len(places) > 1 else None,
    )


FLIPS = Panel("flips", "Where does the decision change?", answer, {"flips": chart})
