"""Would small changes matter: how often the answer stays when the values are a little different."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from dashboard.charts import Chart
from dashboard.charts.bars import ShareBar, Table, share_bars
from dashboard.errors import InvalidQuery
from dashboard.explanations_trust import Robustness, UnknownValue
from dashboard.formatting import level, percent, significant, with_unit
from dashboard.panels import Case, Panel

NAME = "stays"
PERCENTS, USUAL = (1, 5, 10), 5
"""How large small changes may be, in per cent of a feature's spread, and how large they are unless told otherwise."""
FIRM, MOSTLY = 0.95, 0.75
"""Shares of small changes from which on an answer that stays is firm, or mostly so."""


class Learnt(NamedTuple):
    """What knowing one more value could do."""

    title: str
    between: str


@dataclass(frozen=True)
class Firm:
    """What the panel shows."""

    said: Robustness
    percent: int
    percents: tuple[int, ...]
    sentence: str
    stays: str
    """What stays or changes."""
    sensitive: tuple[tuple[str, float], ...]
    """Title of a feature, and the share of its changes that leave the answer."""
    unknown: tuple[Learnt, ...]
    learn: str
    """Which unknown value to find out first."""


def answer(case: Case) -> Firm:
    """Ask how often the answer stays. Raises InvalidQuery or ModelServiceError."""
    text = case.asked.get("percent", str(USUAL))
    if text not in map(str, PERCENTS):
        raise InvalidQuery(f"The parameter ask.percent must be {', '.join(map(str, PERCENTS[:-1]))} or {PERCENTS[-1]}.")
    options: dict[str, Any] = {**case.options("class", "output"), **_threshold(case)}
    said = case.explain(Robustness, "robustness", percent=int(text), **options)
    sensitive = tuple(
        (case.feature(item.feature).title, item.share_kept_when_only_it_is_disturbed) for item in said.most_sensitive
    )
    return Firm(
        said,
        int(text),
        PERCENTS,
        _sentence(case, said, sensitive),
        _stays(case, said),
        sensitive,
        tuple(Learnt(case.feature(item.feature).title, _between(said, item)) for item in said.unknown),
        _learn(case, said),
    )


def _threshold(case: Case) -> dict[str, float]:
    text = case.asked.get("threshold", "").strip()
    if not text:
        return {}
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidQuery("The parameter ask.threshold must be a number.")
    return {"threshold": number}


def _stays(case: Case, said: Robustness) -> str:
    """Say what counts as the same answer."""
    target = case.model.signature.target
    what = said.output or target.name
    if said.within is not None:
        return f"the prediction within {with_unit('±' + significant(said.within, 3), said.unit)}"
    if said.threshold is None:
        assert said.decision is not None
        return f"the answer {level(said.decision)}"
    side = "at or above" if said.decision == "at_least" else "below"
    if said.of is not None:
        return f"the probability of {level(said.of)} {side} {percent(said.threshold)}"
    return f"the predicted {what} {side} {with_unit(significant(said.threshold, 4), said.unit)}"


def _sentence(case: Case, said: Robustness, sensitive: tuple[tuple[str, float], ...]) -> str:
    """Say how firm the answer is, and what it hangs on."""
    stays = _stays(case, said)
    if said.share == 1:
        return f"No: all of {said.count:,} small changes leave {stays}."
    how = "Hardly" if said.share >= FIRM else "Sometimes" if said.share >= MOSTLY else "Yes"
    first = f"{how}: {percent(said.share)} of {said.count:,} small changes leave {stays}, {percent(1 - said.share)} do not."
    return f"{first} It hangs most on {sensitive[0][0]}." if sensitive else f"{first} No feature does that by itself."


def _between(said: Robustness, item: UnknownValue) -> str:
    if said.of is not None:
        return f"{percent(_share(item.low))} to {percent(_share(item.high))}"
    return f"{significant(item.low, 3)} to {with_unit(significant(item.high, 3), said.unit)}"


def _share(number: float) -> float:
    return min(1.0, max(0.0, number))


def _learn(case: Case, said: Robustness) -> str:
    """Say which unknown value would narrow the answer most."""
    if not said.unknown or said.unknown[0].spread <= 0:
        return ""
    first = said.unknown[0]
    what = f"the probability of {level(said.of)}" if said.of is not None else f"the predicted {said.output or case.model.signature.target.name}"
    most = " most" if len(said.unknown) > 1 else ""
    return (
        f"To know {case.feature(first.feature).title} would narrow the answer{most}: "
        f"with its usual values {what} would be {_between(said, first)}."
    )


def chart(case: Case, firm: Firm) -> Chart:
    """Draw the share that stays when all values change, and when one of the most sensitive does."""
    shown = [("all values at once", firm.said.share), *((f"only {title}", share) for title, share in firm.sensitive)]
    bars = [ShareBar(label, share, f"{percent(share)} stay", marked=not i) for i, (label, share) in enumerate(shown)]
    table = Table(("changed", "share that stays"), tuple(shown))
    return share_bars(NAME, firm.sentence, bars, table)


ROBUSTNESS = Panel("robustness", "Would small changes matter?", answer, {NAME: chart})
