"""Who was like this: the known cases that are nearest, and what was true of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.charts import Chart
from dashboard.charts.bars import Table
from dashboard.charts.neighbours import MOST_SHOWN, NAME, KnownClass, KnownValue, neighbour_classes, neighbour_values
from dashboard.errors import InvalidQuery
from dashboard.explanations_trust import Difference, Neighbour, Similar
from dashboard.formatting import level, measured, significant, with_unit
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import title_of, value_text
from dashboard.panels.rough import rough_percent
from dashboard.records import Feature, Output, Prediction, Value, number_of

COUNTS, USUAL = (5, 10, 20), 5
"""How many cases can be asked for, and how many are unless told otherwise."""
AS_NEAR, FAR = 1.5, 3.0
"""Times the usual distance up to which the nearest case is as near as usual, and from which on nobody was like this."""
MOST_CLASSES = 9
"""Classes that have a row in the chart."""


class Shown(NamedTuple):
    """A value of a known case, and in a word how it differs, if that matters."""

    value: str
    word: str


class Line(NamedTuple):
    """One feature: the value of this case, and those of the known ones."""

    title: str
    own: str
    others: tuple[Shown, ...]


class Known(NamedTuple):
    """One known case."""

    row: int
    """Its number, counted from 1."""
    true: str
    predicted: str
    apart: str


@dataclass(frozen=True)
class Who:
    """What the panel shows."""

    said: Similar
    count: int
    counts: tuple[int, ...]
    sentence: str
    near: str
    """How near the nearest is."""
    known: tuple[Known, ...]
    own: str
    """The prediction for this case."""
    lines: tuple[Line, ...]
    prediction: Prediction
    output: str | None


def answer(case: Case) -> Who:
    """Ask for the nearest cases. Raises InvalidQuery or ModelServiceError."""
    text = case.asked.get("count", str(USUAL))
    if text not in map(str, COUNTS):
        raise InvalidQuery(f"The parameter ask.count must be {', '.join(map(str, COUNTS[:-1]))} or {COUNTS[-1]}.")
    names = case.model.signature.target.outputs
    output = case.asked.get("output", names[0]) if names else None
    if output is not None and output not in names:
        raise InvalidQuery("The parameter ask.output must name an output of the model.")
    said, prediction = case.explain(Similar, "similar", count=int(text)), case.predict()
    return Who(
        said,
        int(text),
        COUNTS,
        _sentence(case, said, prediction, output),
        _near(said),
        tuple(_known(case, row, output) for row in said.rows),
        _predicted(case, prediction.prediction, prediction.probabilities, output),
        _lines(case, said),
        prediction,
        output,
    )


def _known(case: Case, row: Neighbour, output: str | None) -> Known:
    true = "unknown" if row.true is None else _true(case, row.true, output)
    return Known(row.row + 1, true, _predicted(case, row.prediction, row.probabilities, output), _share(row.distance))


def _true(case: Case, value: Output, output: str | None) -> str:
    target = case.model.signature.target
    if target.classes:
        assert not isinstance(value, dict)
        return level(value)
    return with_unit(measured(number_of(value, output)), target.unit)


def _predicted(case: Case, value: Output, probabilities: dict[str, float] | None, output: str | None) -> str:
    target = case.model.signature.target
    if not target.classes:
        return with_unit(significant(number_of(value, output), 4), target.unit)
    assert not isinstance(value, dict)
    return level(value) if probabilities is None else f"{level(value)}, {rough_percent(probabilities[str(value)])}"


def _share(distance: float) -> str:
    return rough_percent(distance) if distance else "the same"


def _sentence(case: Case, said: Similar, prediction: Prediction, output: str | None) -> str:
    """Say what was true of the nearest cases, beside what is predicted for this one."""
    target, true = case.model.signature.target, [row.true for row in said.rows if row.true is not None]
    who = f"the {len(said.rows)} most alike of {said.of:,} reference cases"
    if not true:
        return f"What was true of {who} is not known."
    if target.classes:
        known = f"the {len(true)} whose true {target.name} is known among "
        return f"Of {known if len(true) < len(said.rows) else ''}{who}, {_how_many(true, prediction.prediction)}"
    numbers = [number_of(value, output) for value in true]
    low, high = (with_unit(measured(number), target.unit) for number in (min(numbers), max(numbers)))
    mean = with_unit(significant(sum(numbers) / len(numbers), 3), target.unit)
    own = with_unit(significant(number_of(prediction.prediction, output), 3), target.unit)
    spread = f"from {low} to {high}, on average {mean}" if len(numbers) > 1 else low
    if len(numbers) < len(said.rows):
        who += f", as far as it is known ({len(numbers)} of {len(said.rows)}),"
    return f"The true {output or target.name} of {who} was {spread}. The prediction for this case is {own}."


def _how_many(true: Sequence[Output], predicted: Output) -> str:
    """Say how many of the true classes are what is predicted for this case."""
    assert not isinstance(predicted, dict)
    count = sum(value == predicted for value in true)
    how_many = "none" if not count else "all" if count == len(true) else str(count)
    were, also = "was" if how_many == "1" else "were", "also " if count * 2 > len(true) else ""
    return f"{how_many} {were} really {level(predicted)}, which is {also}what the model says here."


def _near(said: Similar) -> str:
    """Say how near the nearest case is, compared with how near cases are to each other."""
    if not said.rows:
        return ""
    first = said.rows[0]
    if first.distance == 0:
        return f"Row {first.row + 1} has the very same values."
    times = first.distance / said.usual_distance if said.usual_distance else 0.0
    if not times or times <= AS_NEAR:
        return "The nearest is as near as reference cases usually are to each other."
    how = f"The nearest is {significant(times, 2)} times as far away as reference cases usually are from each other"
    return f"{how}: nobody was much like this." if times >= FAR else f"{how}."


def _lines(case: Case, said: Similar) -> tuple[Line, ...]:
    """Give the features: first those in which most of the known cases differ."""
    differences = [{item.feature: item for item in row.differences} for row in said.rows]
    lines = []
    for feature in case.model.signature.features:
        own = case.instance[feature.name]
        others = tuple(
            _shown(feature, row.instance[feature.name], found.get(feature.name))
            for row, found in zip(said.rows, differences, strict=True)
        )
        lines.append(Line(title_of(case.model, feature), value_text(own, feature), others))
    return tuple(sorted(lines, key=lambda line: -sum(bool(shown.word) for shown in line.others)))


def _shown(feature: Feature, value: Value, difference: Difference | None) -> Shown:
    return Shown(value_text(value, feature), _word(feature, difference) if difference and difference.notable else "")


def _word(feature: Feature, difference: Difference) -> str:
    """Say in a word how a known case differs."""
    own, other = difference.case, difference.other
    if own is None or other is None:
        return "known" if own is None else "unknown"
    if feature.type in ("number", "integer"):
        return "higher" if float(other) > float(own) else "lower"
    if feature.type in ("date", "datetime"):
        return "later" if str(other) > str(own) else "earlier"
    return "different"


def chart(case: Case, who: Who) -> Chart:
    """Draw what was true of the nearest cases, against the prediction for this one."""
    return _classes(case, who) if case.model.signature.target.classes else _values(who)


def _values(who: Who) -> Chart:
    known = []
    for row, shown in zip(who.said.rows, who.known, strict=True):
        true, predicted = _numbers(row, who.output)
        if not isinstance(true, str):
            known.append(KnownValue(f"row {shown.row}", true, _short(shown.true, true), predicted))
    rows = tuple((f"row {row.row + 1}", *_numbers(row, who.output), row.distance) for row in who.said.rows)
    own = number_of(who.prediction.prediction, who.output)
    table = Table(("case", "true", "predicted", "distance"), (("this case", "", own, 0.0), *rows))
    return neighbour_values(who.sentence, (own, who.own), known, table)


def _short(shown: str, number: float) -> str:
    """Leave the unit out where it has no room: the prediction above has it too."""
    return shown if len(shown) <= MOST_SHOWN else measured(number)


def _numbers(row: Neighbour, output: str | None) -> tuple[float | str, float]:
    return "" if row.true is None else number_of(row.true, output), number_of(row.prediction, output)


def _classes(case: Case, who: Who) -> Chart:
    true = [row.true for row in who.said.rows if row.true is not None]
    counted = [
        KnownClass(level(of), sum(value == of for value in true), of == who.prediction.prediction)
        for of in case.model.signature.target.classes
    ]
    found = sorted((one for one in counted if one.cases or one.predicted), key=lambda one: (-one.predicted, -one.cases))
    rows = tuple(
        (known.row, known.true, known.predicted, row.distance)
        for known, row in zip(who.known, who.said.rows, strict=True)
    )
    table = Table(("row", "true", "predicted", "distance"), rows)
    return neighbour_classes(who.sentence, found[:MOST_CLASSES], table)


SIMILAR = Panel("similar", "Who was like this?", answer, {NAME: chart})
