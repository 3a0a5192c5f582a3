"""What the model service says, as frozen records. Its answers are input: each field is checked."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Level = str | int | float
Value = bool | int | float | str | None


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


class Target(Record):
    """What a model predicts."""

    name: str
    task: Literal["regression", "binary", "multiclass"]
    unit: str | None
    description: str
    classes: tuple[Level, ...] = Field(strict=False)
    positive: Level | None


class Quality(Record):
    """How good a model is on rows it had not seen."""

    method: str
    headline: str
    metrics: dict[str, float]


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
    reference_rows: int
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


class Refusal(Record):
    """One problem of an instance that the service refused."""

    feature: str | None
    message: str


class Problem(Record):
    """An error answer."""

    detail: str
    errors: tuple[Refusal, ...] = Field(default=(), strict=False)
