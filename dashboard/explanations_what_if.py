"""What the model service says about a case with other values, as frozen records; see explanations.py."""

from typing import Literal

from pydantic import Field

from dashboard.explanations import Looked, known_features, same_features
from dashboard.records import Level, ModelVersion, Record, Value


class Point(Record):
    """The number that is looked at, for one value of a feature."""

    value: Value
    score: float


class Score(Record):
    """The number that is looked at, for a value that is unknown."""

    score: float


class Density(Record):
    """How often values occur in the reference sample: n counts between n + 1 edges, or one for each point."""

    edges: tuple[Level, ...] | None = Field(default=None, strict=False)
    counts: tuple[int, ...] = Field(strict=False)


class Curve(Looked):
    """How the number that is looked at changes with one feature, while all else stays as it is."""

    feature: str
    kind: Literal["line", "bars"]
    points: tuple[Point, ...] = Field(strict=False, min_length=1)
    density: Density | None
    case: Point
    missing: Score | None
    """What it were if the value was unknown, where that is allowed."""

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether it is about a feature of the model, with as many counts as there is room for."""
        if not known_features(model, [self.feature]):
            return False
        if self.density is None:
            return True
        edges = self.density.edges
        room = len(self.points) if self.kind == "bars" else len(edges or ()) - 1
        return (edges is not None) == (self.kind == "line") and len(self.density.counts) == room


class MapCase(Record):
    """Where the case is on a map."""

    values: tuple[Value, Value] = Field(strict=False)
    score: float


class FeatureMap(Looked):
    """How the number that is looked at changes with two features at once."""

    features: tuple[str, str] = Field(strict=False)
    values: tuple[tuple[Value, ...], tuple[Value, ...]] = Field(strict=False)
    """Those of the first feature, and those of the second."""
    scores: tuple[tuple[float, ...], ...] = Field(strict=False)
    """A row for each value of the second feature, with a number for each value of the first."""
    case: MapCase

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether it is about features of the model, and whole."""
        across, down = map(len, self.values)
        whole = len(self.scores) == down > 0 and all(len(row) == across > 0 for row in self.scores)
        return whole and known_features(model, self.features)


class Flip(Record):
    """Another value, and what would be decided."""

    value: Value
    decision: Level


class Flipping(Record):
    """At which value of one feature the decision changes."""

    feature: str
    value: Value
    """The case's."""
    flips_at: Value
    """The nearest; None where there is none."""
    decision: Level | None
    """What it becomes."""
    below: Flip | None
    above: Flip | None
    effort: float | None
    """How far that is, in spreads of the feature."""
    levels: tuple[Flip, ...] | None = Field(default=None, strict=False)
    """Of a feature without an order, what is decided for each value."""


class Flips(Looked):
    """For each feature by itself, where the decision changes; the nearest first."""

    decision: Level
    """A class; with a threshold `at_least` or `below`."""
    threshold: float | None
    flips: tuple[Flipping, ...] = Field(strict=False)

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether each feature is there once."""
        return same_features(model, [item.feature for item in self.flips])
