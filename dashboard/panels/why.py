"""Why: what each feature contributes to this prediction."""

from dataclasses import dataclass

from dashboard.charts import Chart
from dashboard.charts.waterfall import Bar, waterfall
from dashboard.explanations import Contribution, Contributions
from dashboard.formatting import feature_value, level, percent, signed, significant, with_unit
from dashboard.panels import Case, Panel

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
    said = case.explain(
        Contributions, "contributions", **{key: case.asked[key] for key in ("class", "output") if key in case.asked}
    )
    rows = tuple(
        (
            case.feature(item.feature).title,
            _value(case, item),
            change(said, item.contribution),
            change(said, item.error).lstrip("+") if item.error else "",
        )
        for item in said.contributions
    )
    return Why(
        said, _sentence(case, said), _what(case, said), rows, amount(said, said.base), amount(said, said.prediction)
    )


def amount(said: Contributions, number: float) -> str:
    """Write the number that is explained."""
    return percent(number) if said.of is not None else with_unit(significant(number, 4), said.unit)


def change(said: Contributions, number: float) -> str:
    """Write a contribution: "+12.3 points", or with probabilities "−4.1 percentage points"."""
    if said.of is not None:
        return f"{signed(number * 100, 3)} pp"
    return with_unit(signed(number, 3), said.unit)


def _what(case: Case, said: Contributions) -> str:
    if said.of is not None:
        return f"the probability of {level(said.of)}"
    return f"the predicted {said.output or case.model.signature.target.name}"


def _value(case: Case, item: Contribution) -> str:
    feature = case.feature(item.feature)
    shown = feature_value(item.value, feature)
    return shown if item.value is None else with_unit(shown, feature.unit)


def _named(case: Case, item: Contribution) -> str:
    return f"{case.feature(item.feature).title} ({_value(case, item)})"


def _sentence(case: Case, said: Contributions) -> str:
    """Say what raises the number most, and what lowers it most."""
    largest = max((abs(item.contribution) for item in said.contributions), default=0.0)
    up = max(said.contributions, key=lambda item: item.contribution)
    down = min(said.contributions, key=lambda item: item.contribution)
    parts = []
    if up.contribution > largest * NOTHING:
        parts.append(f"{_named(case, up)} raises it most, by {change(said, up.contribution).lstrip('+')}")
    if down.contribution < -largest * NOTHING:
        parts.append(f"{_named(case, down)} lowers it most, by {change(said, -down.contribution).lstrip('+')}")
    if largest == 0 or not parts:
        return "No feature makes a difference here: the prediction is the usual one."
    parts.sort(key=lambda part: "lowers" in part and abs(down.contribution) <= abs(up.contribution))
    return "; ".join(parts) + "."


def chart(case: Case, why: Why) -> Chart:
    """Draw the largest contributions as a waterfall from the base value to the prediction."""
    said = why.said
    shown, others = said.contributions[:MOST_BARS], said.contributions[MOST_BARS:]
    if len(others) == 1:
        shown, others = said.contributions, ()
    bars = [
        Bar(
            f"{case.feature(item.feature).title}: {_value(case, item)}",
            item.contribution,
            change(said, item.contribution),
        )
        for item in shown
    ]
    if others:
        rest = sum(item.contribution for item in others)
        bars.append(Bar(f"{len(others)} other features", rest, change(said, rest)))
    ends = (("usual", said.base, why.base), ("this case", said.prediction, why.prediction))
    table = tuple((item.feature, _value(case, item), item.contribution, item.error) for item in said.contributions)
    finding = f"From the usual {why.base} to {why.prediction}: {why.sentence}"
    return waterfall(finding, ends, bars, table)


WHY = Panel("why", "Why this prediction?", answer, {"contributions": chart}, at_once=True)
