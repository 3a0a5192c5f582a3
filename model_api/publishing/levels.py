"""The order in which a person would list the levels of a category."""

import re
from collections.abc import Sequence
from typing import Any

from model_api.values import Level

SCALES = (
    ("none", "very low", "low", "medium", "moderate", "high", "very high"),
    ("never", "rarely", "seldom", "sometimes", "often", "usually", "always"),
    ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"),
    ("tiny", "small", "medium", "large", "huge"),
    ("poor", "fair", "average", "good", "very good", "excellent"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    (
        *("january", "february", "march", "april", "may", "june"),
        *("july", "august", "september", "october", "november", "december"),
    ),
    ("spring", "summer", "autumn", "fall", "winter"),
    ("primary", "secondary", "bachelor", "master", "doctorate", "phd"),
)
"""Orders that everybody knows, in small letters."""
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def in_sensible_order(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Order levels: along a known scale, else by the numbers in them, else by the alphabet."""
    for scale in SCALES:
        places = {word: place for place, word in enumerate(scale)}
        if len(levels) > 1 and all(str(level).strip().casefold() in places for level in levels):
            return tuple(sorted(levels, key=lambda level: places[str(level).strip().casefold()]))
    return tuple(sorted(levels, key=_natural))


def _natural(level: Level) -> tuple[Any, ...]:
    """Compare numbers by value and words by letters: "item 2" before "item 10", "<18" before "18-30"."""
    if not isinstance(level, str):
        return (0, float(level), "")
    found = NUMBER.search(level)
    before = level[: found.start()] if found else ""
    if found and not before.strip("<>≤≥=~ -+$€£(["):
        number = -float(found[0]) if before.endswith("-") else float(found[0])
        below = level.lstrip().startswith(("<", "≤"))
        return (0, number - (0.5 if below else 0.0), level)
    pieces = re.split(r"(\d+)", level.casefold())
    parts = tuple((1, int(piece), "") if piece.isdecimal() and piece.isascii() else (0, 0, piece) for piece in pieces)
    return (1, 0.0, parts, level)
