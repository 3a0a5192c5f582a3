"""What the panel "what if" shows."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from dashboard.explanations_what_if import Curve, FeatureMap
from dashboard.formatting import clipped, feature_value
from dashboard.forms import ASK
from dashboard.panels.amounts import amount
from dashboard.panels.changes import Control
from dashboard.records import Feature, Level, Value


class Mark(NamedTuple):
    """Where the chosen value is in the picture of a size, in CSS pixels."""

    size: str
    width: int
    height: int
    x: float
    y: float
    foot: float
    """How far down its line goes."""


@dataclass(frozen=True)
class Chosen:
    """The prediction with the value that a person chose."""

    shown: str
    """The number."""
    decision: str | None
    """The class that is predicted."""
    sentence: str
    same: bool
    """Whether the value is the case's own."""
    query: str
    """What reproduces the changed case in an address."""
    value: Value
    score: float


@dataclass(frozen=True)
class WhatIf:
    """What the panel shows."""

    curve: Curve
    feature: Feature
    title: str
    """What it is called."""
    sentence: str
    """The finding about the whole range."""
    control: Control
    value: str
    """What the control holds."""
    error: str
    """What is wrong with the value."""
    chosen: Chosen | None
    name: str
    """What the number is called."""
    choices: tuple[tuple[str, str], ...]
    """Names and titles of all features."""
    second: Feature | None
    second_title: str
    map: FeatureMap | None
    numbers: tuple[Level, ...]
    """Classes or outputs to choose from, where the choice is not plain."""
    query: str
    """The end of the address of what does not depend on the chosen value."""
    marks: tuple[Mark, ...] = ()
    """Where the chosen value is in the picture, for the page to draw over it."""

    def still(self, drawing: Any) -> Any:
        """Give the picture that stays the same while the slider moves."""
        return replace(drawing, query=self.query)

    def moved(self, drawing: Any) -> Any:
        """Give the picture with the chosen value in it, to be downloaded."""
        return replace(drawing, query=f"{self.query}&{urlencode({ASK + 'value': self.value})}")

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The values of the feature with the number for each."""
        return [
            (clipped(feature_value(point.value, self.feature), 200), amount(self.curve, point.score))
            for point in self.curve.points
        ]

    @property
    def cells(self) -> list[tuple[str, list[str]]]:
        """The map: for each value of the second feature the numbers."""
        if self.map is None or self.second is None:
            return []
        values = [feature_value(value, self.second) for value in self.map.values[1]]
        return [
            (value, [amount(self.map, score) for score in line])
            for value, line in zip(values, self.map.scores, strict=True)
        ]
