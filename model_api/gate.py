"""The gate: a version beside the champion, before it takes its place.

The candidate is tried in a process of its own first; then both answer the reference rows of both. `RULES` says what is
too much, a function a rule.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model_api.errors import ArtifactError, OperatorError
from model_api.folders import versions_of
from model_api.loading import LoadedModel, load_version
from model_api.runtimes import Output
from model_api.runtimes.timing import timed
from model_api.signature import Columns
from model_api.trial import Limits, Trial, require_trial
from model_api.trust import Trust

WORSE_ERROR, WORSE_SCORE = 0.02, 0.01
"""By how much an error may grow, relative, and a score from 0 to 1 may fall."""
SLOWER, SLOW_MS = 10.0, 5.0
"""One row may take so many times as long as the champion's, unless it is still below so many milliseconds."""
AGAIN = 3
"""How often both are measured again before the new one is called much slower."""
HUNGRIER, MUCH_MEMORY = 4.0, 2**28
"""Loading may take so many times the champion's memory, unless it is still below so many bytes."""
ERRORS = ("mean_absolute_error", "root_mean_squared_error", "median_absolute_error", "log_loss", "brier_score")
"""Metrics of which less is better."""


class NoSuchVersion(OperatorError):
    """There is no such version in the model's folder."""


@dataclass(frozen=True)
class Check:
    """One rule, and what was found."""

    rule: str
    passed: bool
    found: str
    compared: bool = True
    """Whether there was anything to compare; what could not be compared is not held against the candidate."""


@dataclass(frozen=True)
class Report:
    """A candidate beside the champion."""

    name: str
    candidate: str
    champion: str | None
    checks: tuple[Check, ...]
    facts: tuple[tuple[str, str], ...]
    """What else was found: agreement, shift, metrics, time and memory, each in words."""

    @property
    def broken(self) -> list[str]:
        """Name the rules that are broken."""
        return [check.rule for check in self.checks if not check.passed]


@dataclass(frozen=True)
class _Side:
    """One of the two versions, loaded."""

    model: LoadedModel
    trial: Trial


def examine(model: Path, candidate: str, against: str | None, trust: Trust, limits: Limits) -> Report:
    """Compare a version with another one of the same model, or with none. Raises NoSuchVersion."""
    if candidate not in versions_of(model):
        raise NoSuchVersion(f"{model.name} has no version {candidate}; there is {', '.join(versions_of(model))}")
    try:
        new = _load(model / candidate, trust, limits)
    except ArtifactError as error:
        return Report(model.name, candidate, against, (Check("it can be served", False, str(error)),), ())
    own = Check("it can be served", True, f"it answers its own {_count(new)} examples")
    if against is None or against == candidate:
        return Report(model.name, candidate, None, (own,), ())
    try:
        old = _load(model / against, trust, limits)
    except ArtifactError as error:
        facts = (("champion", f"version {against} cannot be loaded, so there is nothing to compare with: {error}"),)
        return Report(model.name, candidate, against, (own,), facts)
    checks = tuple(check(new, old) for check in RULES)
    return Report(model.name, candidate, against, (own, *checks), tuple(_facts(new, old)))


def _load(version: Path, trust: Trust, limits: Limits) -> _Side:
    trial = require_trial(version, trust, limits)
    return _Side(load_version(version, trust), trial)


def _count(side: _Side) -> int:
    return len(next(iter(side.model.artifact.examples.columns.values())))


# The rules.


def _same_target(new: _Side, old: _Side) -> Check:
    ours, theirs = new.model.artifact.signature.target, old.model.artifact.signature.target
    compared = {
        "task": (ours.task, theirs.task),
        "classes": (sorted(map(str, ours.classes)), sorted(map(str, theirs.classes))),
        "unit": (ours.unit, theirs.unit),
        "outputs": (ours.outputs, theirs.outputs),
    }
    other = [f"its {what}: {a or 'none'}, the champion's: {b or 'none'}" for what, (a, b) in compared.items() if a != b]
    return Check("it predicts the same thing", not other, "; ".join(other) or "same task, classes and unit")


def _same_callers(new: _Side, old: _Side) -> Check:
    reference = old.model.artifact.reference
    if not len(reference):
        words = "not compared: the champion was published without data, so it has no reference rows"
        return Check("it takes what the champion takes", True, words, compared=False)
    rows = [reference.row(place) for place in range(len(reference))]
    checked = new.model.artifact.signature.check(rows)
    bad = {problem.row for problem in checked.problems}
    if not bad:
        return Check("it takes what the champion takes", True, f"all {len(rows):,} reference rows are valid")
    first = checked.problems[0].message
    return Check("it takes what the champion takes", False, f"{len(bad):,} of {len(rows):,} rows are not: {first}")


def _as_good(new: _Side, old: _Side) -> Check:
    rule = "it is as good"
    ours, theirs = new.model.artifact.quality, old.model.artifact.quality
    if theirs is None:
        words = "not compared: the champion was published without data, so its quality was never measured"
        return Check(rule, True, words, compared=False)
    if ours is None:
        return Check(rule, False, "its quality was never measured, because it was published without data")
    metric = theirs["headline"]
    if metric not in ours["metrics"]:
        return Check(rule, False, f"{metric} is not known of it")
    mine, other = ours["metrics"][metric], theirs["metrics"][metric]
    worse = mine > other * (1 + WORSE_ERROR) if metric in ERRORS else mine < other - WORSE_SCORE
    words = f"{metric.replace('_', ' ')} {mine:.4g}, the champion's {other:.4g}"
    if ours["method"] != theirs["method"]:
        words += f" ({ours['method']}; the champion's by {theirs['method']})"
    return Check(rule, not worse, words)


def _as_fast(new: _Side, old: _Side) -> Check:
    mine, other = _one_row_ms(new), _one_row_ms(old)
    for _ in range(AGAIN):  # perhaps the machine was busy just then
        if not _is_slow(mine, other):
            break
        mine, other = min(mine, _one_row_ms_now(new)), min(other, _one_row_ms_now(old))
    slow = _is_slow(mine, other)
    return Check("it is not much slower", not slow, f"one row takes {mine:.3g} ms, the champion's {other:.3g} ms")


def _as_small(new: _Side, old: _Side) -> Check:
    mine, other = new.trial.memory, old.trial.memory
    large = mine > MUCH_MEMORY and mine > HUNGRIER * other
    return Check(
        "it is not much larger", not large, f"loading takes {mine / 1e6:.0f} MB, the champion's {other / 1e6:.0f}"
    )


RULES: tuple[Callable[[_Side, _Side], Check], ...] = (_same_target, _same_callers, _as_good, _as_fast, _as_small)


def _one_row_ms(side: _Side) -> float:
    choice = side.model.predictor.choice
    return choice.timings[choice.one]["one_row_us"] / 1000


def _one_row_ms_now(side: _Side) -> float:
    return timed(side.model.predictor, side.model.artifact.examples.columns)["one_row_us"] / 1000


def _is_slow(mine: float, other: float) -> bool:
    return mine > SLOW_MS and mine > SLOWER * other


# What else is shown.


def _facts(new: _Side, old: _Side) -> list[tuple[str, str]]:
    """Replay the reference rows of both on both, as far as both take them."""
    if new.model.artifact.signature.target.classes != old.model.artifact.signature.target.classes:
        return []
    facts = []
    for whose, side in (("the champion's", old), ("its own", new)):
        columns, true = _common_rows(side, new, old)
        if not true:
            continue
        mine, other = new.model.predictor.predict(columns), old.model.predictor.predict(columns)
        where = f"on {len(true):,} rows of {whose} reference sample"
        errors = f"{_error(mine, true, new):.4g}, the champion's {_error(other, true, old):.4g}"
        facts += [(f"agreement {where}", _agreement(mine, other)), (f"error {where}", errors)]
    return facts


def _common_rows(side: _Side, new: _Side, old: _Side) -> tuple[Columns, list[Any]]:
    reference = side.model.artifact.reference
    rows = [reference.row(place) for place in range(len(reference))]
    good = set(range(len(rows)))
    for signature in (new.model.artifact.signature, old.model.artifact.signature):
        good &= set(signature.check(rows).good)
    kept = sorted(good)
    names = new.model.artifact.signature.names
    columns = {name: [reference.columns[name][place] for place in kept] for name in names if name in reference.columns}
    return columns, [reference.target[place] for place in kept] if len(columns) == len(names) else []


def _agreement(mine: Output, other: Output) -> str:
    if mine.numbers is not None and other.numbers is not None:
        shift, spread = mine.numbers - other.numbers, float(np.std(other.numbers)) or 1.0
        either = f"{np.abs(shift).mean():.3g} either way, of a spread of {spread:.3g}"
        return f"numbers shift by {shift.mean():+.3g} on average, {either}"
    assert mine.labels is not None
    words = f"the same class for {float((mine.labels == other.labels).mean()):.1%}"
    if mine.probabilities is not None and other.probabilities is not None:
        words += f"; probabilities shift by {np.abs(mine.probabilities - other.probabilities).mean():.3g} on average"
    return words


def _error(output: Output, true: list[Any], side: _Side) -> float:
    """Give the mean absolute error, or the share of wrong labels."""
    target = side.model.artifact.signature.target
    if output.labels is not None:
        said = [target.classes[label] for label in output.labels.tolist()]
        return float(np.mean([mine != theirs for mine, theirs in zip(said, true, strict=True)]))
    assert output.numbers is not None
    rows = [[row[name] for name in target.outputs] if target.outputs else row for row in true]
    return float(np.abs(output.numbers - np.array(rows, dtype=np.float64)).mean())


def as_dict(report: Report) -> dict[str, Any]:
    """Give a report in a form that JSON can write."""
    return asdict(report)
