"""What if: how the prediction changes along one feature, or along two, while all else stays as it is.

`curve` and `map` are of the case (individual conditional expectation: Goldstein, Kapelner, Bleich & Pitkin, Peeking
Inside the Black Box, JCGS 24, 2015); `dependence` is the mean over reference rows (partial dependence: Friedman, Greedy
Function Approximation, Annals of Statistics 29, 2001).
"""

from typing import Any

import numpy as np

from model_api.errors import InvalidRequest
from model_api.explanations.coding import same
from model_api.explanations.grids import (
    affordable,
    is_ordered,
    known_codes,
    level_counts,
    levels_left_out,
    levels_of,
    replaced,
    scale_of,
    without_noise,
)
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Question, described
from model_api.runtimes import Floats
from model_api.values import echo

POINTS, MOST_POINTS = 41, 200
MAP_POINTS, MOST_MAP_POINTS = 21, 50
ROWS, FEWEST_ROWS = 50, 10
"""Reference rows over which the mean is taken, and how few there may be when the model is slow."""
BINS = 24
SHARE = 0.6
"""Part of the time left that is planned for: an estimate can be wrong."""


def curve(question: Question) -> dict[str, Any]:
    """Answer the call `curve`; its options are `feature`, `points`, and `class` or `output`."""
    question.require_options(*OPTIONS["curve"])
    place, wanted, focus = _place(question), question.whole("points", POINTS, 2, MOST_POINTS), question.focus()
    points = max(2, affordable(question, wanted, SHARE))
    own = question.case[place]
    codes = _values(question, place, points, own)
    if is_ordered(question, place) and not np.isnan(own):
        codes = np.union1d(codes, [own])
    asked, unknown = _with_missing(question, place, codes)
    scores = question.subject.scores(replaced(question.case, place, asked), focus)
    name = question.features[place].name
    return {
        **described(question, focus),
        **_about(question, place, codes),
        "points": _points(question, place, codes, {"score": scores}),
        "case": {"value": question.row[name], "score": float(scores[same(asked, own)][0])},
        "missing": {"score": float(scores[-1])} if unknown else None,
        "approximation": _fewer_points(question, [place], points, wanted),
    }


def dependence(question: Question) -> dict[str, Any]:
    """Answer the call `dependence`; its options are those of `curve`.

    Of the case only this matters: which class is looked at, where the caller does not say.
    """
    question.require_options(*OPTIONS["dependence"])
    question.require_data()
    place, wanted, focus = _place(question), question.whole("points", POINTS, 2, MOST_POINTS), question.focus()
    most = affordable(question, ROWS * (wanted + 1), SHARE)
    points = min(wanted, max(2, most // FEWEST_ROWS))
    codes = _values(question, place, points, np.nan)
    asked, unknown = _with_missing(question, place, codes)
    rows = _some(question.subject.background, max(FEWEST_ROWS, min(ROWS, most // len(asked))))
    mixed = np.repeat(rows, len(asked), axis=0)
    mixed[:, place] = np.tile(asked, len(rows))
    scores = question.subject.scores(mixed, focus).reshape(len(rows), len(asked))
    low, high = np.quantile(scores, (0.1, 0.9), axis=0)
    measured = {"score": scores.mean(axis=0), "low": low, "high": high}
    return {
        **described(question, focus),
        **_about(question, place, codes),
        "points": _points(question, place, codes, measured),
        "missing": {name: float(numbers[-1]) for name, numbers in measured.items()} if unknown else None,
        "rows": len(rows),
        "approximation": _fewer_rows(question, len(rows)) or _fewer_points(question, [place], points, wanted),
    }


def map_(question: Question) -> dict[str, Any]:
    """Answer the call `map`; its options are `features`, `points`, and `class` or `output`."""
    question.require_options(*OPTIONS["map"])
    across, down = _places(question)
    wanted, focus = question.whole("points", MAP_POINTS, 2, MOST_MAP_POINTS), question.focus()
    points = max(2, int(affordable(question, wanted**2 + 1, SHARE) ** 0.5))
    columns, rows = (_values(question, place, points, question.case[place]) for place in (across, down))
    asked = np.repeat(question.case[None], len(columns) * len(rows) + 1, axis=0)  # the last is the case itself
    asked[:-1, across] = np.tile(columns, len(rows))
    asked[:-1, down] = np.repeat(rows, len(columns))
    scores = question.subject.scores(asked, focus)
    names = [question.features[place].name for place in (across, down)]
    values = question.subject.coding.values
    return {
        **described(question, focus),
        "features": names,
        "values": [values(across, columns), values(down, rows)],
        "scores": scores[:-1].reshape(len(rows), len(columns)).tolist(),
        "case": {"values": [question.row[name] for name in names], "score": float(scores[-1])},
        "approximation": _fewer_points(question, [across, down], points, wanted),
    }


def _place(question: Question) -> int:
    """Read the option `feature`. Raises InvalidRequest."""
    if question.options.get("feature") is None:
        raise InvalidRequest("the option feature must be given: the name of the feature that is changed")
    return question.feature_place(question.options["feature"])


def _places(question: Question) -> tuple[int, int]:
    """Read the option `features`. Raises InvalidRequest."""
    names = question.options.get("features")
    if not isinstance(names, list) or len(names) != 2:
        raise InvalidRequest(f"the option features must be a list of two names of features, not {echo(names)}")
    across, down = (question.feature_place(name, "features") for name in names)
    if across == down:
        raise InvalidRequest(f"the option features must name two features, not {echo(names[0])} twice")
    return across, down


def _values(question: Question, place: int, points: int, own: float) -> Floats:
    """Give the codes that are asked about: all levels, or about so many over the range, widened to the case."""
    if not is_ordered(question, place):
        return levels_of(question, place)
    scale = scale_of(question, place).including(own)
    return scale.line(points, scale.unit())


def _with_missing(question: Question, place: int, codes: Floats) -> tuple[Floats, bool]:
    """Add "unknown" where that is allowed; tells whether it was."""
    allowed = question.features[place].missing_allowed
    return (np.append(codes, np.nan) if allowed else codes), allowed


def _some(rows: Floats, count: int) -> Floats:
    """Take so many rows, spread over all."""
    return rows[np.linspace(0, len(rows) - 1, count).astype(np.intp)] if len(rows) > count else rows


def _about(question: Question, place: int, codes: Floats) -> dict[str, Any]:
    ordered = is_ordered(question, place)
    return {
        "feature": question.features[place].name,
        "kind": "line" if ordered else "bars",
        "density": _histogram(question, place) if ordered else {"counts": _counts(question, place, codes)},
    }


def _counts(question: Question, place: int, codes: Floats) -> list[int]:
    counted: list[int] = level_counts(question, place)[codes.astype(np.intp)].tolist()
    return counted


def _histogram(question: Question, place: int) -> dict[str, Any] | None:
    """Count the reference values in bins of one width, each with its lower edge, so that a whole number is in one."""
    known = known_codes(question, place)
    if not len(known):
        return None
    scale = scale_of(question, place)
    unit, low, span = scale.unit(), known[0], known[-1] - known[0]
    width = unit * np.ceil((span / unit + 1) / BINS)
    edges = without_noise(low + width * np.arange(np.floor(span / width + 1e-9) + 2), scale.step)
    counts = np.histogram(known, edges)[0].tolist()
    return {"edges": question.subject.coding.values(place, edges), "counts": counts}


def _points(question: Question, place: int, codes: Floats, measured: dict[str, Floats]) -> list[dict[str, Any]]:
    values = question.subject.coding.values(place, codes)
    numbers = [column[: len(codes)].tolist() for column in measured.values()]
    return [
        {"value": value, **dict(zip(measured, row, strict=True))} for value, *row in zip(values, *numbers, strict=True)
    ]


def _fewer_points(question: Question, places: list[int], points: int, wanted: int) -> dict[str, Any] | None:
    for place in places:
        if fewer := levels_left_out(question, place):
            return fewer
    if points < wanted and any(is_ordered(question, place) for place in places):
        return {"why": f"{points} points instead of {wanted}, because the model takes long", "points": points}
    return None


def _fewer_rows(question: Question, rows: int) -> dict[str, Any] | None:
    known = len(question.subject.reference)
    return {"why": f"the mean is over {rows} of the {known} reference rows", "rows": rows} if rows < known else None
