"""Why: how much each feature contributes to the difference between this prediction and the usual one.

The contributions are Shapley values against the reference sample (interventional): what a feature changes when it takes
the value of the case, on average over all orders in which the features could take theirs, and over the background rows
from which they start. They add up exactly to the prediction minus the base value, the mean over the background.
Lundberg & Lee, A Unified Approach to Interpreting Model Predictions (NeurIPS 2017); antithetic permutations as in
Mitchell, Cooper, Frank & Holmes, Sampling Permutations for Shapley Value Estimation (JMLR 23, 2022).
"""

from dataclasses import dataclass, replace
from functools import cache
from math import factorial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from model_api.errors import UnusablePrediction
from model_api.explanations.coding import same
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Question, described
from model_api.explanations.subject import CELLS, Focus
from model_api.runtimes import Floats
from model_api.values import percent

MOST_EXACT = 10
"""Features that differ up to which every coalition of them is asked about."""
COALITIONS = 16
"""Random coalitions on which a model is seen to add up."""
SAME = 1e-9
"""Largest difference that counts as none, in spreads of the prediction."""
ROUNDING = 1e-13
"""Part of the prediction, or of its spread, below which a contribution is nothing but rounding."""
ENOUGH = 0.004
"""Standard error, in spreads of the prediction, below which no more permutations are drawn."""
ROUNDS = 8
"""How often orders are drawn for each background row, time allowing, before their errors are believed.

After fewer draws what happens in few orders may not have been seen at all.
"""
SHARE = 0.7
"""Part of the time left that is planned for: an estimate can be wrong."""
FEWEST = 10
"""Background rows below which the base value would be of little use."""
SEED = 0


@dataclass(frozen=True)
class Contributions:
    """What was found."""

    base: float
    """Mean of the background."""
    values: Floats
    """One a feature."""
    errors: Floats
    """Their standard errors, 0 where they are exact."""
    method: Literal["additive", "exact", "sampled"]
    rows: int
    """How many background rows there were."""
    remainder: float = 0.0
    """What rounding left of the difference between prediction and base; the largest value has been given it."""


def contributions(question: Question) -> dict[str, Any]:
    """Answer the call `contributions`; its options are `class` or `output`."""
    question.require_options(*OPTIONS["contributions"])
    question.require_data()
    focus = question.focus()
    prediction = float(focus.of(question.output)[0])
    found = contributions_of(question, focus, prediction)
    spread = question.subject.spread_of(focus)
    listed = [
        {"feature": feature.name, "value": question.row[feature.name], "contribution": value, "error": error}
        for feature, value, error in zip(question.features, found.values.tolist(), found.errors.tolist(), strict=True)
    ]
    return {
        **described(question, focus),
        "base": found.base,
        "prediction": prediction,
        "contributions": sorted(listed, key=lambda item: -abs(item["contribution"])),
        "method": found.method,
        "background_rows": found.rows,
        "approximation": _approximation(found, len(question.subject.background), spread),
    }


def _approximation(found: Contributions, rows: int, spread: float) -> dict[str, Any] | None:
    """Say what was left out of all orders of the features and of all `rows` of the background."""
    why: list[str] = []
    more: dict[str, float] = {}
    if found.rows < rows:
        why.append(f"there was time for {found.rows} of {rows} background rows")
    if found.method == "sampled":
        more["largest_error"] = float(found.errors.max())
        share = percent(more["largest_error"] / spread, 1)
        why.append(f"orders of the features were sampled; standard errors are at most {share} of the usual spread")
    return {"why": "; ".join(why), **more} if why else None


@np.errstate(over="ignore", invalid="ignore")
def contributions_of(question: Question, focus: Focus, prediction: float) -> Contributions:
    """Find the contributions in the cheapest way that is exact, else as exactly as there is time for.

    Raises UnusablePrediction where they are too large for a number.
    """
    subject, case = question.subject, question.case
    background = _affordable(question, subject.background)
    starts = subject.scores(background, focus)
    base = float(starts.mean())
    found = _additive(question, focus, background, base, prediction)
    if found is None and _coalitions(background, case) is not None:
        found = _exact(question, focus, background, base)
    if found is None:
        found = _sampled(question, focus, background, base)
    noise = ROUNDING * max(abs(base), abs(prediction), subject.spread_of(focus))
    found.values[np.abs(found.values) <= noise] = 0.0  # a feature that the model ignores has no part at all
    return _settled(found, prediction)


def _settled(found: Contributions, prediction: float) -> Contributions:
    """Let the values add up to the last digit: what rounding left goes to the largest. Raises UnusablePrediction."""
    values = found.values.copy()
    remainder = prediction - found.base - float(values.sum())
    if not np.isfinite(remainder):
        raise UnusablePrediction("what the features contribute to this prediction is not finite")
    values[np.abs(values).argmax()] += remainder
    return replace(found, values=values, remainder=remainder)


def _affordable(question: Question, background: Floats) -> Floats:
    """Leave out background rows when there is no time for an order of the features and its reverse for each.

    Before that each feature is changed alone, to see whether the model adds up.
    """
    subject = question.subject
    each = subject.count + 2 * (subject.count + 1)
    most = CELLS // (each * subject.count)
    seconds = subject.seconds(each * len(background)) / len(background)
    most = min(most, int(question.budget.left * SHARE / seconds)) if seconds else most
    return background[:: -(-len(background) // max(FEWEST, most))] if most < len(background) else background


def _additive(
    question: Question, focus: Focus, background: Floats, base: float, prediction: float
) -> Contributions | None:
    """Change one feature at a time; that is all there is to it where the model adds up, as linear models do.

    Whether it does is seen on this case: on the sum, and on random coalitions.
    """
    subject, case = question.subject, question.case
    count, rows = subject.count, len(background)
    mixed = np.repeat(background[None], count, axis=0)  # count × rows × count
    mixed[np.arange(count), :, np.arange(count)] = case[:, None]
    values = subject.scores(mixed.reshape(-1, count), focus).reshape(count, rows).mean(axis=1) - base
    limit = SAME * subject.spread_of(focus)
    if abs(base + values.sum() - prediction) > limit:
        return None
    taken = np.random.default_rng(SEED).random((COALITIONS, count)) < 0.5
    together = np.where(taken[:, None, :], case, background).reshape(-1, count)
    seen = subject.scores(together, focus).reshape(COALITIONS, rows).mean(axis=1)
    if np.abs(seen - base - taken @ values).max() > limit:
        return None
    return Contributions(base, values, np.zeros(count), "additive", rows)


def _coalitions(background: Floats, case: Floats) -> int | None:
    """Count all coalitions of features that differ, over all background rows; None where they are too many."""
    differing = (~same(background, case)).sum(axis=1)
    return int((2**differing).sum()) if differing.max(initial=0) <= MOST_EXACT else None


def _exact(question: Question, focus: Focus, background: Floats, base: float) -> Contributions | None:
    """Ask about every coalition of the features in which a background row differs; None where that takes too long."""
    subject, case = question.subject, question.case
    asked = _coalitions(background, case)
    if asked is None or subject.seconds(asked) > question.budget.left * SHARE:
        return None
    differing = ~same(background, case)
    mixed = [_mixed(row, case, np.flatnonzero(differs)) for row, differs in zip(background, differing, strict=True)]
    scores = np.split(subject.scores(np.concatenate(mixed), focus), np.cumsum([len(rows) for rows in mixed])[:-1])
    values = np.zeros(subject.count)
    for differs, score in zip(differing, scores, strict=True):
        values[differs] += _weights(int(differs.sum())) @ score
    return Contributions(base, values / len(background), np.zeros(subject.count), "exact", len(background))


def _mixed(row: Floats, case: Floats, places: npt.NDArray[np.intp]) -> Floats:
    """Give a row with every subset of some features taken from the case, 2^k × features."""
    mixed = np.repeat(row[None], 2 ** len(places), axis=0)
    mixed[:, places] = np.where(_members(len(places)), case[places], row[places])
    return mixed


@cache
def _members(count: int) -> npt.NDArray[np.bool_]:
    """Tell for every subset which things are in it, 2^k × k."""
    return (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)


@cache
def _weights(count: int) -> Floats:
    """Give for each of k players the weight of each coalition's worth in its Shapley value, k × 2^k."""
    members = _members(count)
    sizes = members.sum(axis=1)
    share = [factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)] + [0.0]
    weights = np.array(share)
    signed: Floats = np.where(members.T, weights[sizes - 1], -weights[sizes])
    return signed


def _sampled(question: Question, focus: Focus, background: Floats, base: float) -> Contributions:
    """Draw orders of the features, each with its reverse, for every background row alike, until it is exact enough."""
    subject, random = question.subject, np.random.default_rng(SEED)
    total = np.zeros(background.shape)
    squares = np.zeros(background.shape)
    limit = ENOUGH * subject.spread_of(focus)
    rounds, errors = 0, np.full(subject.count, np.inf)
    began = question.budget.left
    while not rounds or (
        (rounds < ROUNDS or errors.max() > limit)
        and question.budget.left - (began - question.budget.left) / rounds > (1 - SHARE) * began
    ):
        places = random.permuted(np.tile(np.arange(subject.count), (len(background), 1)), axis=1)
        sample = (
            _along(question, focus, background, places)
            + _along(question, focus, background, subject.count - 1 - places)
        ) / 2
        rounds, total, squares = rounds + 1, total + sample, squares + sample**2
        errors = _errors(total, squares, rounds)
    return Contributions(base, total.mean(axis=0) / rounds, errors, "sampled", len(background))


def _along(question: Question, focus: Focus, background: Floats, places: npt.NDArray[Any]) -> Floats:
    """Let the features take the case's values one after the other; gives what each changed, rows × features.

    `places`: for each background row when each feature has its turn.
    """
    rows, count = background.shape
    turns = np.arange(count + 1)[None, :, None]
    mixed = np.where(places[:, None, :] < turns, question.case, background[:, None, :])  # rows × turns × features
    scores = question.subject.scores(mixed.reshape(-1, count), focus).reshape(rows, count + 1)
    changes: Floats = np.take_along_axis(np.diff(scores, axis=1), places, axis=1)
    return changes


def _errors(total: Floats, squares: Floats, rounds: int) -> Floats:
    """Give the standard error of each feature's mean over background rows, which were drawn from equally often."""
    rows = len(total)
    if rounds == 1:  # nothing is known of how orders differ for one row, so rows stand for it: too large, if anything
        return np.asarray(total.std(axis=0) / np.sqrt(rows))
    within = np.maximum(squares - total**2 / rounds, 0) / (rounds - 1)
    return np.asarray(np.sqrt(within.sum(axis=0) / rounds) / rows)
