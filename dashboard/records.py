"""What the model service says, as frozen records. Its answers are input: each field is checked."""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from dashboard.moments import find_zone, is_written_so, read_date, read_moment

Level = bool | int | float | str
"""A class of a target, or a level of a category."""
Value = Level | None
"""A feature's value; None is unknown."""
Numbers = dict[str, float]
"""Several numbers by name: one prediction of a regression with several outputs."""
Output = Level | Numbers
"""What one prediction, or one true value, can be."""
MOST_ROWS = 1000
"""Rows that the model service gives in one answer."""


class Record(BaseModel):
    """A part of an answer; fields that we do not know are left out."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())


class Feature(Record):
    """One input of a model."""

    name: str
    type: Literal["number", "integer", "boolean", "category", "date", "datetime", "text"]
    label: str
    unit: str | None
    description: str
    group: str | None
    minimum: float | str | None
    maximum: float | str | None
    quantiles: tuple[float, ...] = Field(default=(), strict=False)
    step: float | None
    categories: tuple[Level, ...] = Field(strict=False)
    unknown_categories: bool
    missing_allowed: bool
    missing_rate: float = 0.0
    default: Value
    zone: str | None = None
    """Time zone of a datetime, if its values have one."""
    guessed: tuple[str, ...] = Field(default=(), strict=False)
    """Which of these facts are guesses, because the model was published without its data."""

    @property
    def title(self) -> str:
        """What to call the feature."""
        return self.label or self.name

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if self.type == "category" and not self.categories:
            raise ValueError("a category without levels")
        return self

    @model_validator(mode="after")
    def _has_five_quantiles_or_none(self) -> Self:
        if len(self.quantiles) not in (0, 5):
            raise ValueError("quantiles that are not five")
        return self

    @model_validator(mode="after")
    def _has_a_zone_that_exists(self) -> Self:
        if self.zone is not None:
            if self.type != "datetime":
                raise ValueError("a time zone without a time")
            find_zone(self.zone)
        return self

    @model_validator(mode="after")
    def _has_facts_of_its_type(self) -> Self:
        """Check what is shown as a value of its type; a type without order may keep a stray range."""
        for name in ("minimum", "maximum", "default"):
            fact = getattr(self, name)
            if fact is not None and not self._can_be(name, fact):
                raise ValueError(f"a {name} that is no {self.type}")
        return self

    def _can_be(self, name: str, fact: Level) -> bool:
        if self.type in ("number", "integer"):
            return name == "default" or not isinstance(fact, str)
        if self.type == "date":
            return is_written_so(read_date, fact)
        if self.type == "datetime":
            return is_written_so(partial(read_moment, zone=self.zone), fact)
        return True


class Target(Record):
    """What a model predicts."""

    name: str
    task: Literal["regression", "binary", "multiclass"]
    unit: str | None
    description: str
    classes: tuple[Level, ...] = Field(strict=False)
    positive: Level | None
    outputs: tuple[str, ...] = Field(default=(), strict=False)
    """Names of the numbers of one prediction, when it is more than one."""
    probabilities: bool = True
    """Whether a classification tells how probable each class is."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether an answer comes with the probability of each class."""
        return bool(self.classes) and self.probabilities

    @model_validator(mode="after")
    def _has_classes(self) -> Self:
        if (self.task == "regression") == bool(self.classes):
            raise ValueError("a regression has no classes, a classification has")
        if self.positive is not None and not _among(self.positive, self.classes):
            raise ValueError("the positive class is not among the classes")
        return self

    @model_validator(mode="after")
    def _has_outputs(self) -> Self:
        if self.outputs and self.classes:
            raise ValueError("a classification has no outputs")
        if len(set(self.outputs)) < len(self.outputs):
            raise ValueError("an output is named twice")
        return self

    def has(self, value: Output) -> bool:
        """Tell whether the target can have a value."""
        if isinstance(value, dict):
            return bool(self.outputs) and value.keys() == set(self.outputs)
        if self.classes:
            return _among(value, self.classes)
        return not self.outputs and _is_number(value)

    def fits(self, prediction: Output, probabilities: Mapping[str, float] | None) -> bool:
        """Tell whether an answer is one that a model with this target can give."""
        if not self.gives_probabilities or probabilities is None:
            return self.has(prediction) and probabilities is None and not self.gives_probabilities
        known = probabilities.keys() == {str(level) for level in self.classes}
        return self.has(prediction) and known and all(0 <= share <= 1 for share in probabilities.values())

    def bounds(self, interval: "Interval | None") -> bool:
        """Tell whether an interval can go with an answer."""
        if interval is None:
            return True
        if self.classes:
            return self.probabilities and bool(interval.classes) and all(map(self.has, interval.classes or ()))
        return all(bound is not None and self.has(bound) for bound in (interval.low, interval.high))

    def ranked(self, probabilities: Mapping[str, float]) -> list[tuple[Level, float]]:
        """Give each class with its probability, the likeliest first."""
        shares = [(level, probabilities[str(level)]) for level in self.classes]
        return sorted(shares, key=lambda pair: -pair[1])


def number_of(value: Output, output: str | None) -> float:
    """Give the number of a regression's prediction or true value; of several, the one of an output."""
    if isinstance(value, dict):
        assert output is not None
        return value[output]
    return float(value)


def _among(value: Level, levels: tuple[Level, ...]) -> bool:
    """Tell whether a value is one of the levels; to Python True is 1, to a reader it is not."""
    return any(level == value and isinstance(level, bool) == isinstance(value, bool) for level in levels)


def _is_number(value: Level) -> bool:
    return not isinstance(value, bool | str) and abs(value) <= sys.float_info.max


class Quality(Record):
    """How good a model is, as far as `is_honest` on rows it had not seen."""

    method: str
    honest: bool | None = None
    """Whether they were rows it had not seen; None of a service that does not say."""
    headline: str
    metrics: dict[str, float]

    @property
    def is_honest(self) -> bool:
        """Whether it was measured on rows that the model had not seen, rather than on those it was fitted on."""
        return self.honest if self.honest is not None else "fitted on" not in self.method

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
    quality: Quality | None
    """None when it was never measured, because the model was published without data."""


class Listing(Record):
    """One model of the catalogue."""

    name: str
    champion: Headline | None
    understood: bool = True
    """Whether what the service says of the champion makes sense; if not, it is left out, and other models are not."""

    @model_validator(mode="wrap")
    @classmethod
    def _alone_when_odd(cls, said: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Let what is wrong with one model be no harm to the others."""
        try:
            return read(said)
        except ValidationError:
            if not isinstance(said, dict) or not isinstance(said.get("name"), str):
                raise
            return cls(name=said["name"], champion=None, understood=False)


class Catalogue(Record):
    """All models, and the one that answers when none is named."""

    models: tuple[Listing, ...] = Field(strict=False)
    default: str

    def find(self, name: str) -> Listing | None:
        """Find a model, if it is there."""
        return next((listing for listing in self.models if listing.name == name), None)

    def champion(self, name: str) -> Headline | None:
        """Find a model's champion, if the model is there and can be served."""
        listing = self.find(name)
        return listing.champion if listing else None


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
    quality: Quality | None
    """None when it was never measured, because the model was published without data."""
    signature: Signature
    reference_rows: int = Field(ge=0, le=MOST_ROWS)
    """Rows of the data that came with the model; none when it was published without."""
    provenance: Provenance

    @property
    def guesses(self) -> bool:
        """Whether some facts about the features are guesses."""
        return any(feature.guessed for feature in self.signature.features)

    def __hash__(self) -> int:
        """Hash by identity of the version, so that what is made of it can be kept."""
        return hash((self.name, self.version, self.provenance.digest))


class Interval(Record):
    """What holds the true value with a stated probability: one number or several each way, else classes."""

    coverage: float
    low: float | Numbers | None = None
    high: float | Numbers | None = None
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

    prediction: Output
    probabilities: dict[str, float] | None = None
    interval: Interval | None
    warnings: tuple[InputWarning, ...] = Field(strict=False)
    model: str
    version: str
    request_id: str


class ReferencePredictions(Record):
    """Predictions for the data that came with the model, n rows."""

    prediction: tuple[Output, ...] = Field(strict=False)
    probabilities: tuple[dict[str, float], ...] | None = Field(default=None, strict=False)
    data: tuple[dict[str, Value], ...] = Field(strict=False)
    target: tuple[Output | None, ...] = Field(strict=False)
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
