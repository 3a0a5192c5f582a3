"""How firm: whether the answer stays the same when the values are a little different from what was said.

All features that have an order are disturbed at once, each evenly among the values within a percentage of its spread;
then each by itself, and each that is unknown takes the values that it has in the reference sample.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_api.errors import InvalidRequest
from model_api.explanations.grids import affordable, is_ordered, known_codes, scale_of, without_noise
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Decision, Question, decision_of, described
from model_api.explanations.subject import Focus, Integers
from model_api.inference import margins_of
from model_api.runtimes import Floats, Output
from model_api.values import percent

PERCENT = 5.0
COUNT, FEWEST, MOST = 500, 10, 5000
"""Disturbed cases, unless the caller says otherwise; and bounds."""
ALONE = 41
"""Values of a feature that is disturbed by itself."""
VALUES = 100
"""Values that an unknown feature takes."""
FEWEST_VALUES = 5
LISTED = 5
"""Features that are listed as most sensitive."""
COVERAGE = 0.9
"""Of the interval that stands for the same answer when a number is predicted and no threshold is given."""
SHARE = 0.7
"""Part of the time left that is planned for: an estimate can be wrong."""
SEED = 0
"""Always the same, so that an answer can be had again."""


@dataclass(frozen=True)
class Same:
    """What counts as the same answer."""

    focus: Focus
    decision: Decision | None
    """The same decision; None where the number may be anything `within` of the case's."""
    within: float | None

    def kept(self, output: Output) -> npt.NDArray[np.bool_]:
        """Tell of n cases, of which the first is the one that was asked about, whether the answer is the same."""
        if self.decision is not None:
            decided = self.decision.of(output)
            return np.asarray(decided == decided[0])
        scores = self.focus.of(output)
        return np.asarray(np.abs(scores - scores[0]) <= self.within)


@dataclass(frozen=True)
class Disturbances:
    """Which features are disturbed, m of them, and by how many of their steps."""

    places: Integers
    own: Floats
    """Their codes in the case."""
    steps: Floats
    lowest: Integers
    """Steps down, 0 or less."""
    highest: Integers
    """Steps up, 0 or more."""

    def codes(self, moves: Integers, which: Any = slice(None)) -> Floats:
        """Give the codes after so many steps; a move of 0 leaves a code exactly as it is."""
        own, steps = self.own[which], self.steps[which]
        return np.where(moves == 0, own, without_noise(own + moves * steps, steps))

    def together(self, count: int) -> Floats:
        """Draw n disturbances of all features at once; n × m codes."""
        random = np.random.default_rng(SEED)
        moves = random.integers(self.lowest, self.highest, size=(count, len(self.places)), endpoint=True)
        return self.codes(moves)

    def alone(self, which: int, count: int) -> Floats:
        """Give at most n codes of one feature, spread evenly over all that it can take."""
        lowest, values = int(self.lowest[which]), int(self.highest[which] - self.lowest[which]) + 1
        moves = np.arange(values) if values <= count else np.floor((np.arange(count) + 0.5) / count * values)
        return self.codes(moves.astype(np.intp) + lowest, which)


def robustness(question: Question) -> dict[str, Any]:
    """Answer the call `robustness`; its options are `percent`, `count`, `threshold`, and `class` or `output`."""
    question.require_options(*OPTIONS["robustness"])
    question.require_data()
    percent = question.number("percent", PERCENT, 0, 100)
    wanted = question.whole("count", COUNT, FEWEST, MOST)
    same = _same(question)
    disturbed = _disturbances(question, PERCENT if percent is None else percent)
    unknown = np.flatnonzero(np.isnan(question.case)).tolist()
    count, alone, values = _sizes(question, wanted, len(disturbed.places), len(unknown))
    parts = [question.case[None], _rows(question, disturbed.places, disturbed.together(count))]
    parts += [_rows(question, [place], disturbed.alone(i, alone)) for i, place in enumerate(disturbed.places)]
    parts += [_rows(question, [place], _usual(question, place, values)) for place in unknown]
    ends = np.cumsum([len(part) for part in parts])[:-1]
    output = question.subject.ask(np.concatenate(parts))
    kept = np.split(same.kept(output), ends)
    scores = np.split(same.focus.of(output), ends)
    share = float(kept[1].mean())
    return {
        **described(question, same.focus),
        "share": share,
        "count": count,
        "kept": int(kept[1].sum()),
        "changed": int((~kept[1]).sum()),
        **_meaning(question, same, output),
        "most_sensitive": _most_sensitive(question, disturbed, kept[2 : 2 + len(disturbed.places)]),
        "unknown": _unknown(question, unknown, scores[2 + len(disturbed.places) :]),
        "approximation": _approximation(len(disturbed.places), share, count, wanted),
    }


def _same(question: Question) -> Same:
    """Read what counts as the same answer. Raises InvalidRequest."""
    focus = question.focus()
    if focus.kind != "number" or question.options.get("threshold") is not None:
        return Same(focus, decision_of(question), None)
    margins = margins_of(question.model.artifact, COVERAGE)
    score = float(focus.of(question.output)[0])
    within = margins[focus.place].at(score) if focus.place < len(margins) else None
    if within is None:
        raise InvalidRequest(
            "the option threshold must be given: this version has no intervals that could stand for it"
        )
    return Same(focus, None, within)


def _meaning(question: Question, same: Same, output: Output) -> dict[str, Any]:
    """Say in the wire form what counted as the same answer."""
    if same.decision is None:
        return {"decision": None, "threshold": None, "within": same.within}
    decided = same.decision.name(question, int(same.decision.of(output.of(slice(1)))[0]))
    return {"decision": decided, "threshold": same.decision.threshold, "within": None}


def _disturbances(question: Question, percent: float) -> Disturbances:
    """Find how far each feature may be moved: not out of the training range, unless the case is outside already."""
    found = []
    for place, own in enumerate(question.case.tolist()):
        if np.isnan(own) or not is_ordered(question, place) or not percent:
            continue
        scale, spread = scale_of(question, place), question.subject.spreads[place]
        most = max(1, int(percent / 100 * spread / scale.step + 1e-9))
        lowest, highest = -most, most
        if scale.low <= own <= scale.high:
            lowest = max(lowest, int(np.ceil((scale.low - own) / scale.step - 1e-9)))
            highest = min(highest, int(np.floor((scale.high - own) / scale.step + 1e-9)))
        if lowest < highest:
            found.append((place, own, scale.step, lowest, highest))
    places, owns, steps, low, high = (np.array(column) for column in zip(*found, strict=True)) if found else _NONE
    return Disturbances(places.astype(np.intp), owns, steps, low.astype(np.intp), high.astype(np.intp))


_NONE = (np.empty(0),) * 5


def _sizes(question: Question, count: int, disturbed: int, unknown: int) -> tuple[int, int, int]:
    """Give how many cases are asked about: disturbed at once, for each disturbed by itself, for each unknown."""
    wanted = 1 + count + ALONE * disturbed + VALUES * unknown
    share = affordable(question, wanted, SHARE) / wanted
    few = (max(FEWEST, int(count * share)), max(FEWEST_VALUES, int(ALONE * share)))
    return *few, max(FEWEST_VALUES, int(VALUES * share))


def _rows(question: Question, places: Any, codes: Floats) -> Floats:
    """Give the case n times with some features replaced, of which n × m codes are given, or n for a single one."""
    rows = np.repeat(question.case[None], len(codes), axis=0)
    rows[:, places] = codes.reshape(len(codes), len(places))
    return rows


def _usual(question: Question, place: int, count: int) -> Floats:
    """Take values of a feature as often as they occur in the reference sample, at most n."""
    known = known_codes(question, place)
    if len(known) <= count:
        return known
    return known[((np.arange(count) + 0.5) / count * len(known)).astype(np.intp)]


def _most_sensitive(question: Question, disturbed: Disturbances, kept: list[Any]) -> list[dict[str, Any]]:
    """List the features that change the answer by themselves, those first that leave it the same least often."""
    shares = [float(answers.mean()) for answers in kept]
    listed = [
        {"feature": question.features[place].name, "share_kept_when_only_it_is_disturbed": share}
        for place, share in zip(disturbed.places, shares, strict=True)
        if share < 1
    ]
    return sorted(listed, key=lambda item: item["share_kept_when_only_it_is_disturbed"])[:LISTED]


def _unknown(question: Question, places: list[int], scores: list[Floats]) -> list[dict[str, Any]]:
    """Tell how much each unknown value could matter; `low` to `high` is what nine in ten of its values give."""
    listed = []
    for place, found in zip(places, scores, strict=True):
        if len(found):
            low, high = np.quantile(found, (0.05, 0.95)).tolist()
            name = question.features[place].name
            listed.append({"feature": name, "spread": float(found.std()), "low": low, "high": high})
    return sorted(listed, key=lambda item: -item["spread"])


def _approximation(disturbed: int, share: float, count: int, wanted: int) -> dict[str, Any] | None:
    if not disturbed:
        return {"why": "nothing was disturbed: no known value can be moved", "standard_error": 0.0}
    likely = (share * count + 1) / (count + 2)  # or the error of a share of 1 would be 0
    error = float(np.sqrt(likely * (1 - likely) / count))
    fewer = f" instead of {wanted}, because the model takes long" if count < wanted else ""
    why = f"the share is that of {count} random disturbances{fewer}; its standard error is {percent(error, 1)}"
    return {"why": why, "standard_error": error}
