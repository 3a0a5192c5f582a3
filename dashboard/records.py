"""What the model service says, as frozen records. Its answers are input: each field is checked."""

import sys
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Level = str | int | float
Value = bool | int | float | str | None
MOST_ROWS = 1000
"""Rows that the model service gives in one answer."""


class Record(BaseModel):
    """A part of an answer; fields that we do not know are left out."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())


class Feature(Record):
    """One input of a model."""

    name: str
    type: Literal["number", "integer", "boolean", "category"]
    label: str
    unit: str | None
    description: str
    group: str | None
    minimum: float | None
    maximum: float | None
    step: float | None
    categories: tuple[Level, ...] = Field(strict=False)
    unknown_categories: bool
    missing_allowed: bool
    default: Value

    @property
    def title(self) -> str:
        """What to call the feature."""
        return self.label or self.name

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if self.type == "category" and not self.categories:
            raise ValueError("a category without levels")
        return self


class Target(Record):
    """What a model predicts."""

    name: str
    task: Literal["regression", "binary", "multiclass"]
    unit: str | None
    description: str
    classes: tuple[Level, ...] = Field(strict=False)
    positive: Level | None

    @model_validator(mode="after")
    def _has_classes(self) -> Self:
        if (self.task == "regression") == bool(self.classes):
            raise ValueError("a regression has no classes, a classification has")
        if self.positive is not None and self.positive not in self.classes:
            raise ValueError("the positive class is not among the classes")
        return self

    def has(self, value: Level) -> bool:
        """Tell whether the target can have a value."""
        if self.classes:
            return value in self.classes
        return not isinstance(value, str) and abs(value) <= sys.float_info.max

    def fits(self, prediction: Level, probabilities: Mapping[str, float] | None) -> bool:
        """Tell whether an answer is one that a model with this target can give."""
        if probabilities is None or not self.classes:
            return self.has(prediction) and probabilities is None and not self.classes
        known = probabilities.keys() == {str(level) for level in self.classes}
        return self.has(prediction) and known and all(0 <= share <= 1 for share in probabilities.values())


class Quality(Record):
    """How good a model is on rows it had not seen."""

    method: str
    headline: str
    metrics: dict[str, float]

    @model_validator(mode="after")
    def _has_headline(self) -> Self:
        if self.headline not in self.metrics:
            raise ValueError("the headline is not among the metrics")
        return self


class Headline(Record):
    """A model's champion, in a few words."""

    version: str
    title: str
    description: str
    synthetic: bool
    features: int
    target: Target
    quality: Quality


class Listing(Record):
    """One model of the catalogue."""

    name: str
    champion: Headline | None


class Catalogue(Record):
    """All models, and the one that answers when none is named."""

    models: tuple[Listing, ...] = Field(strict=False)
    default: str

    def champion(self, name: str) -> Headline | None:
        """Find a model's champion, if the model is there and can be served."""
        return next((listing.champion for listing in self.models if listing.name == name), None)


class Signature(Record):
    """A model's features and target."""

    features: tuple[Feature, ...] = Field(strict=False)
    target: Target


class Provenance(Record):
    """Where a version came from."""

    digest: str


class ModelVersion(Record):
    """Everything about one version; a version never changes."""

    name: str
    version: str
    title: str
    description: str
    synthetic: bool
    quality: Quality
    signature: Signature
    reference_rows: int = Field(ge=1, le=MOST_ROWS)
    provenance: Provenance

    def __hash__(self) -> int:
        """Hash by identity of the version, so that what is made of it can be kept."""
        return hash((self.name, self.version, self.provenance.digest))


class Interval(Record):
    """What holds the true value with a stated probability: numbers for a regression, else classes."""

    coverage: float
    low: float | None = None
    high: float | None = None
    classes: tuple[Level, ...] | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _has_bounds(self) -> Self:
        if not self.classes and (self.low is None or self.high is None):
            raise ValueError("an interval without bounds and without classes")
        return self


class InputWarning(Record):
    """Something that the reader should know about the input."""

    feature: str
    code: str
    message: str


class Prediction(Record):
    """One answer."""

    prediction: Level
    probabilities: dict[str, float] | None = None
    interval: Interval | None
    warnings: tuple[InputWarning, ...] = Field(strict=False)
    model: str
    version: str
    request_id: str


class ReferencePredictions(Record):
    """Predictions for the data that came with the model, n rows."""

    prediction: tuple[Level, ...] = Field(strict=False)
    probabilities: tuple[dict[str, float], ...] | None = Field(default=None, strict=False)
    data: tuple[dict[str, Value], ...] = Field(strict=False)
    target: tuple[Level | None, ...] = Field(strict=False)
    offset: int
    total: int

    def fits(self, signature: Signature) -> bool:
        """Tell whether the rows are whole, and such as a model with this signature has."""
        shares = self.probabilities or [None] * len(self.prediction)
        names = {feature.name for feature in signature.features}
        return (
            len(self.data) == len(self.target) == len(self.prediction) == len(shares)
            and all(map(signature.target.fits, self.prediction, shares))
            and all(row.keys() >= names for row in self.data)
            and all(true is None or signature.target.has(true) for true in self.target)
        )


class Refusal(Record):
    """One problem of an instance that the service refused."""

    feature: str | None
    message: str


class Problem(Record):
    """An error answer."""

    detail: str
    errors: tuple[Refusal, ...] = Field(default=(), strict=False)
