"""Would small changes matter: how often the answer stays when the values are a little different."""

from dataclasses import dataclass
from typing import NamedTuple

from dashboard.charts import Chart
from dashboard.charts.bars import ShareBar, Table, share_bars
from dashboard.errors import InvalidQuery
from dashboard.explanations_trust import Robustness, UnknownValue
from dashboard.formatting import level, plain_number, significant, with_unit
from dashboard.panels import Case, Panel
from dashboard.panels.amounts import amount, name_of, title_of
from dashboard.panels.fields import typed_number
from dashboard.panels.rough import rough_percent
from dashboard.panels.thresholds import usual_threshold

NAME = "stays"
PERCENTS, USUAL = (1, 5, 10), 5
"""How large small changes may be, in per cent of a feature's spread, and how large they are unless told otherwise."""
ORDERED = ("number", "integer", "date", "datetime")
"""Types of features whose values can be a little larger."""
FIRM, MOSTLY = 0.95, 0.75
"""Shares of small changes from which on an answer that stays is firm, or mostly so."""

NOTHING_MOVES = "No number and no date is known of this case, so there is nothing that small changes could move."
BY_RANGE = "Unless you give one, it may move by half of the range that holds 90 of 100 true values"
BY_MIDDLE = (
    "This version has no range that holds 90 of 100 true values: "
    "unless you give another, the middle of the predictions for the reference data"
)
"""What is said beside the field: what counts as the same answer where no number is typed."""


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
    what: str
    """The number that is looked at."""
    sensitive: tuple[tuple[str, float], ...]
    """Title of a feature, and the share of its changes that leave the answer."""
    unknown: tuple[Learnt, ...]
    learn: str
    """Which unknown value to find out first."""
    asks: bool
    """Whether a number to compare the prediction with can be typed."""
    threshold: str
    """What its field holds."""
    about: str
    """What is asked where nothing was typed."""
    error: str
    """What is wrong with it."""

    @property
    def status(self) -> int:
        """Status of the page."""
        return 422 if self.error else 200


def answer(case: Case) -> Firm:
    """Ask how often the answer stays. Raises InvalidQuery or ModelServiceError."""
    text = case.asked.get("percent", str(USUAL))
    if text not in map(str, PERCENTS):
        raise InvalidQuery(f"The parameter ask.percent must be {', '.join(map(str, PERCENTS[:-1]))} or {PERCENTS[-1]}.")
    asks, typed = not case.model.signature.target.classes, case.asked.get("threshold", "").strip()
    threshold, error = typed_number(typed)
    if error and not asks:
        raise InvalidQuery(error)
    said = _ask(case, int(text), threshold)
    quality = case.model.quality
    has_range = said.within is not None or (threshold is not None and quality is not None and quality.is_honest)
    if asks and not typed and said.threshold is not None:
        typed = plain_number(said.threshold)
    sensitive = tuple(
        (_title(case, item.feature), item.share_kept_when_only_it_is_disturbed) for item in said.most_sensitive
    )
    return Firm(
        said,
        int(text),
        PERCENTS,
        _sentence(_stays(case, said), said, sensitive) if _can_move(case) else NOTHING_MOVES,
        _stays(case, said),
        name_of(case.model, said),
        sensitive,
        tuple(Learnt(_title(case, item.feature), _between(said, item)) for item in said.unknown),
        _learn(case, said),
        asks,
        typed,
        BY_RANGE if has_range else BY_MIDDLE,
        error,
    )


def _ask(case: Case, percent: int, threshold: float | None) -> Robustness:
    """Ask; a version without a range that holds 90 of 100 true values is asked about the middle of its predictions."""
    asked = {"percent": percent, **case.options("class", "output")}
    if threshold is not None:
        return case.explain(Robustness, "robustness", threshold=threshold, **asked)
    try:
        return case.explain(Robustness, "robustness", **asked)
    except InvalidQuery:
        if case.model.signature.target.classes:
            raise
        return case.explain(Robustness, "robustness", threshold=usual_threshold(case), **asked)


def _title(case: Case, name: str) -> str:
    return title_of(case.model, case.feature(name))


def _can_move(case: Case) -> bool:
    """Tell whether the case has a value that can be a little larger or smaller."""
    moves = [feature.name for feature in case.model.signature.features if feature.type in ORDERED]
    return any(case.instance[name] is not None for name in moves)


def _stays(case: Case, said: Robustness) -> str:
    """Say what counts as the same answer."""
    if said.within is not None:
        return f"the prediction within {with_unit('±' + significant(said.within, 3), said.unit)}"
    if said.threshold is None:
        assert said.decision is not None
        return f"the answer “{level(said.decision)}”"
    side = "at or above" if said.decision == "at_least" else "below"
    return f"the {name_of(case.model, said)} {side} {amount(said, said.threshold)}"


def _sentence(stays: str, said: Robustness, sensitive: tuple[tuple[str, float], ...]) -> str:
    """Say how firm the answer is, and what it hangs on."""
    if said.share == 1:
        return f"No: all of {said.count:,} small changes leave {stays}."
    how = "Hardly" if said.share >= FIRM else "Sometimes" if said.share >= MOSTLY else "Yes"
    shares = rough_percent(said.share), rough_percent(1 - said.share)
    first = f"{how}: {shares[0]} of {said.count:,} small changes leave {stays}, {shares[1]} do not."
    return f"{first} It hangs most on {sensitive[0][0]}." if sensitive else f"{first} No feature does that by itself."


def _between(said: Robustness, item: UnknownValue) -> str:
    """Write what nine in ten of the usual values of an unknown one give."""
    if said.of is not None:
        return f"{rough_percent(item.low)} to {rough_percent(item.high)}"
    return f"{significant(item.low, 3)} to {with_unit(significant(item.high, 3), said.unit)}"


def _learn(case: Case, said: Robustness) -> str:
    """Say which unknown value would narrow the answer most."""
    if not said.unknown or said.unknown[0].spread <= 0:
        return ""
    first = said.unknown[0]
    most = " most" if len(said.unknown) > 1 else ""
    return (
        f"To know {_title(case, first.feature)} would narrow the answer{most}: "
        f"with its usual values the {name_of(case.model, said)} would be {_between(said, first)}."
    )


def chart(case: Case, firm: Firm) -> Chart | None:
    """Draw the share that stays when all values change, and when one of the most sensitive does."""
    if not _can_move(case):
        return None
    shown = [("all values at once", firm.said.share), *((f"only {title}", share) for title, share in firm.sensitive)]
    bars = [
        ShareBar(label, share, f"{rough_percent(share)} stay", marked=not i) for i, (label, share) in enumerate(shown)
    ]
    table = Table(("changed", "share that stays"), tuple(shown))
    return share_bars(NAME, firm.sentence, bars, table)


ROBUSTNESS = Panel("robustness", "Would small changes matter?", answer, {NAME: chart})
