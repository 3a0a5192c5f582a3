"""Why: what each feature contributes to this prediction."""

from dataclasses import dataclass

from dashboard.charts import Chart
from dashboard.charts.waterfall import Bar, End, Way, waterfall
from dashboard.explanations import Contribution, Contributions
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import amount, change, difference, name_of, title_of, value_text

MOST_BARS = 9
"""Features with a bar of their own; of more, the others share one."""
NOTHING = 0.0005
"""Share of the largest contribution below which one is none."""


@dataclass(frozen=True)
class Why:
    """What the panel shows."""

    said: Contributions
    sentence: str
    """The finding."""
    what: str
    """Which number is explained, in words."""
    rows: tuple[tuple[str, str, str, str], ...]
    """For each feature its title, its value, what it contributes, and the standard error, if any."""
    base: str
    prediction: str


def answer(case: Case) -> Why:
    """Ask for the contributions."""
    said = case.explain(Contributions, "contributions", **case.options("class", "output"))
    rows = tuple(
        (_title(case, item), _value(case, item), change(said, item.contribution), _error(said, item))
        for item in said.contributions
    )
    base, prediction = amount(said, said.base), amount(said, said.prediction)
    return Why(said, _sentence(case, said), f"the {name_of(case.model, said)}", rows, base, prediction)


def _title(case: Case, item: Contribution) -> str:
    return title_of(case.model, case.feature(item.feature))


def _value(case: Case, item: Contribution) -> str:
    return value_text(item.value, case.feature(item.feature))


def _error(said: Contributions, item: Contribution) -> str:
    return change(said, item.error).lstrip("+") if item.error else ""


def _sentence(case: Case, said: Contributions) -> str:
    """Say what raises the number most, and what lowers it most."""
    largest = abs(said.contributions[0].contribution)
    up = max(said.contributions, key=lambda item: item.contribution)
    down = min(said.contributions, key=lambda item: item.contribution)
    parts = []
    for item, verb, sign in ((up, "raises", 1), (down, "lowers", -1)):
        if item.contribution * sign > largest * NOTHING:
            text = (
                f"{_title(case, item)} ({_value(case, item)}) {verb} it most, by {difference(said, item.contribution)}"
            )
            parts.append((abs(item.contribution), text))
    if not parts:
        return "No feature makes a difference here: the prediction is the usual one."
    return "; ".join(text for _, text in sorted(parts, reverse=True)) + "."


def chart(case: Case, why: Why) -> Chart:
    """Draw the largest contributions as a waterfall from the base value to the prediction."""
    said = why.said
    most = len(said.contributions) if len(said.contributions) == MOST_BARS + 1 else MOST_BARS
    bars = [
        Bar(f"{_title(case, item)}: {_value(case, item)}", item.contribution, change(said, item.contribution))
        for item in said.contributions[:most]
    ]
    if others := said.contributions[most:]:
        rest = sum(item.contribution for item in others)
        bars.append(Bar(f"{len(others)} other features", rest, change(said, rest)))
    way = Way(End("usual", said.base, why.base), End("this case", said.prediction, why.prediction), bars)
    table = tuple((item.feature, _value(case, item), item.contribution, item.error) for item in said.contributions)
    return waterfall(f"From the usual {why.base} to {why.prediction}: {why.sentence}", way, table)


WHY = Panel("why", "Why this prediction?", answer, {"contributions": chart}, at_once=True)
