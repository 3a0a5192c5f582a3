"""How far an answer can be trusted: which known cases are like it, and what small changes do to it.

Records of the model service's answers; see explanations.py.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from dashboard.explanations import Explanation, Looked, known_features, same_features
from dashboard.records import Level, ModelVersion, Output, Record, Value

Status = Literal["inside", "edge", "outside"]
"""Where a case is, seen from the training data."""


class FeatureTrust(Record):
    """Where one value is among those of the training data."""

    feature: str
    status: Status
    value: Value
    percentile: float | None
    message: str | None


class Combination(Record):
    """The number that goes least with the other values, and what these suggest."""

    status: Status
    feature: str
    value: Value
    expected: Value
    other: str | None
    """The feature that it goes least with, if it is at odds with one other already."""


class JointTrust(Record):
    """Where all values together are: how far the nearest known case is, and how far it usually is."""

    status: Status
    distance: float
    usual: float
    limit: float
    percentile: float
    combination: Combination | None = None


class Trust(Explanation):
    """Whether a case is like those that the model learnt from."""

    status: Status
    sentence: str
    features: tuple[FeatureTrust, ...] = Field(strict=False)
    joint: JointTrust

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether each feature is there once, and no other is named."""
        combined = self.joint.combination
        named = [name for name in (combined.feature, combined.other) if name] if combined else []
        return same_features(model, [item.feature for item in self.features]) and known_features(model, named)


class Difference(Record):
    """A feature in which a known case differs from this one."""

    feature: str
    case: Value
    other: Value
    notable: bool


class Neighbour(Record):
    """A known case that is like this one."""

    row: int = Field(ge=0)
    """Its position among the reference rows."""
    distance: float = Field(ge=0, le=1)
    instance: dict[str, Value]
    true: Output | None
    prediction: Output
    probabilities: dict[str, float] | None
    differences: tuple[Difference, ...] = Field(strict=False)

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether it is a row that a model can have."""
        target, names = model.signature.target, {feature.name for feature in model.signature.features}
        return (
            self.row < model.reference_rows
            and self.instance.keys() >= names
            and (self.true is None or target.has(self.true))
            and target.fits(self.prediction, self.probabilities)
            and known_features(model, [item.feature for item in self.differences])
        )


class Similar(Explanation):
    """The known cases that are most like this one, the nearest first."""

    rows: tuple[Neighbour, ...] = Field(strict=False)
    of: int
    """How many there are to choose from."""
    usual_distance: float
    """How far a known case usually is from the one nearest to it."""

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether each of them is one of the model's."""
        return all(row.fits(model) for row in self.rows)


class Sensitive(Record):
    """A feature whose small changes change the answer."""

    feature: str
    share_kept_when_only_it_is_disturbed: float = Field(ge=0, le=1)


class UnknownValue(Record):
    """A value that is not known, and what it could do if it were."""

    feature: str
    spread: float
    low: float
    high: float
    """Of nine in ten of the values that it usually has, what they give."""


class Robustness(Looked):
    """How often small changes of a case leave the answer as it is."""

    share: float = Field(ge=0, le=1)
    count: int
    kept: int
    changed: int
    decision: Level | None
    """What stays or changes: a class, or one side of `threshold`."""
    threshold: float | None
    within: float | None
    """Of a number without threshold, how far it may move and still count as the same."""
    most_sensitive: tuple[Sensitive, ...] = Field(strict=False)
    unknown: tuple[UnknownValue, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _says_what_stays(self) -> Self:
        decided = self.decision is not None and (self.of is not None or self.threshold is not None)
        if self.within is None and not decided:
            raise ValueError("neither a decision nor how far the number may move")
        return self

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether all features are the model's."""
        return known_features(
            model, [item.feature for item in self.most_sensitive] + [item.feature for item in self.unknown]
        )
