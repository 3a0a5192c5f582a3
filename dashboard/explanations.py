"""What the model service says about one case beside its prediction, as frozen records; see records.py."""

from typing import Any, ClassVar

from pydantic import Field

from dashboard.records import Level, ModelVersion, Record, Value


class Approximation(Record):
    """Why an answer is not exact."""

    why: str


class Explanation(Record):
    """What every answer has."""

    approximation: Approximation | None
    milliseconds: float
    lasting: ClassVar[bool] = True
    """Whether the same question always has this answer, so that it can be kept."""

    def fits(self, _model: ModelVersion) -> bool:
        """Tell whether the answer can be about a model."""
        return True


class Looked(Explanation):
    """An answer about one number of the prediction."""

    unit: str | None
    of: Level | None = Field(default=None, alias="class")
    """The class whose probability it is."""
    output: str | None = None
    """Of a prediction with several numbers, the name of the one."""


class Contribution(Record):
    """What one feature contributes."""

    feature: str
    value: Value
    contribution: float
    error: float


class Contributions(Looked):
    """Why: what each feature contributes to the difference from the base value; the largest first."""

    base: float
    prediction: float
    contributions: tuple[Contribution, ...] = Field(strict=False)
    method: str
    background_rows: int

    def fits(self, _model: ModelVersion) -> bool:
        """Tell whether each feature is there once."""
        return same_features(_model, [item.feature for item in self.contributions])


def same_features(model: ModelVersion, names: list[str]) -> bool:
    """Tell whether names are those of all features of a model."""
    return sorted(names) == sorted(feature.name for feature in model.signature.features)


def known_features(model: ModelVersion, names: Any) -> bool:
    """Tell whether names are all of features of a model."""
    return set(names) <= {feature.name for feature in model.signature.features}
