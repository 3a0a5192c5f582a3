"""Everything that is known of a version, as frozen records: what its datasheet shows. See records.py."""

from typing import Any, Self

from pydantic import Field, model_validator

from dashboard.records import Level, ModelVersion, Quality, Record, Value

Points = tuple[float, ...]


class Pairs(Record):
    """Two rows of numbers of the same length."""

    def both(self) -> tuple[Points, Points]:
        """Give x and y."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _are_pairs(self) -> Self:
        x, y = self.both()
        if not x or len(x) != len(y):
            raise ValueError("a curve whose coordinates are not pairs")
        return self


class Roc(Pairs):
    """How many of the others are taken along when so many of a class are found."""

    false_positive_rate: Points = Field(strict=False)
    true_positive_rate: Points = Field(strict=False)

    def both(self) -> tuple[Points, Points]:
        """Give false positive and true positive rates."""
        return self.false_positive_rate, self.true_positive_rate


class PrecisionRecall(Pairs):
    """How many of those that are named are right, when so many of a class are found."""

    recall: Points = Field(strict=False)
    precision: Points = Field(strict=False)

    def both(self) -> tuple[Points, Points]:
        """Give recall and precision."""
        return self.recall, self.precision


class Calibration(Pairs):
    """How often what was said to be so likely came true."""

    said: Points = Field(strict=False)
    true: Points = Field(strict=False)
    rows: tuple[int, ...] = Field(strict=False)

    def both(self) -> tuple[Points, Points]:
        """Give what was said and how often it was so."""
        return self.said, self.true

    @model_validator(mode="after")
    def _counts_every_group(self) -> Self:
        if len(self.rows) != len(self.said):
            raise ValueError("a calibration curve whose rows do not go with its points")
        return self

    @property
    def error(self) -> float:
        """How far what was said is off on average, by rows (expected calibration error); 0 where there are none."""
        parts = zip(self.said, self.true, self.rows, strict=True)
        return sum(abs(said - true) * rows for said, true, rows in parts) / max(1, sum(self.rows))


class PredictedTrue(Pairs):
    """Predictions for rows that the model had not seen."""

    true: Points = Field(strict=False)
    predicted: Points = Field(strict=False)

    def both(self) -> tuple[Points, Points]:
        """Give true and predicted numbers."""
        return self.true, self.predicted


class Residuals(Record):
    """How far off the predictions were: a histogram."""

    edges: Points = Field(strict=False)
    counts: tuple[int, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _is_histogram(self) -> Self:
        if len(self.edges) != len(self.counts) + 1 or not self.counts:
            raise ValueError("a histogram whose edges do not go with its counts")
        return self


class Confusion(Record):
    """Which class was predicted for which."""

    classes: tuple[Level, ...] = Field(strict=False)
    counts: list[list[int]]

    @model_validator(mode="after")
    def _is_square(self) -> Self:
        if any(len(row) != len(self.classes) for row in self.counts) or len(self.counts) != len(self.classes):
            raise ValueError("a confusion matrix that is not square")
        return self


class Curves(Record):
    """What is behind the metrics; a regression has some of them, a classification the others."""

    confusion: Confusion | None = None
    roc: dict[str, Roc] = Field(default_factory=dict)
    precision_recall: dict[str, PrecisionRecall] = Field(default_factory=dict)
    calibration: dict[str, Calibration] = Field(default_factory=dict)
    predicted_true: dict[str, PredictedTrue] = Field(default_factory=dict)
    residuals: dict[str, Residuals] = Field(default_factory=dict)


class Weight(Record):
    """How much worse the model gets when a feature is shuffled."""

    feature: str
    mean: float
    deviation: float


class Importance(Record):
    """That for each feature, the largest first."""

    error: str
    rows: int
    unshuffled: float | None
    features: tuple[Weight, ...] = Field(strict=False)


class Slice(Record):
    """How good the model is for a group."""

    feature: str
    level: Value
    rows: int
    metric: float | None


class Measured(Quality):
    """The whole of what was measured."""

    rows: int
    curves: Curves = Curves()
    importance: Importance | None = None
    slices: tuple[Slice, ...] = Field(default=(), strict=False)

    @model_validator(mode="before")
    @classmethod
    def _name_the_metric(cls, said: Any) -> Any:
        """Put what a group's headline metric is called into one word, so that it can be a field."""
        if not isinstance(said, dict) or not isinstance(said.get("slices"), list):
            return said
        headline = said.get("headline")
        rows = [{**row, "metric": row.get(headline)} if isinstance(row, dict) else row for row in said["slices"]]
        return {**said, "slices": rows}


class Timing(Record):
    """How fast a form answers."""

    one_row_us: float
    thousand_rows_ms: float


class Form(Record):
    """What the proof says of a compiled form."""

    proved: bool
    reason: str = ""
    largest_difference: float | None = None
    tolerance: float | None = None
    numbers: str | None = None


class Runtime(Record):
    """What answers, and how fast."""

    one_row: str
    many_rows: str
    measured: dict[str, Timing]
    forms: dict[str, Form]
    measured_at_publishing: dict[str, Timing] = Field(default_factory=dict)


class Estimator(Record):
    """What was published."""

    name: str = Field(default="", alias="class")


class Origin(Record):
    """Where a version came from, file by file."""

    published_at: str
    digest: str
    files: dict[str, str]
    estimator: Estimator
    libraries: dict[str, str]


class About(Record):
    """A version's datasheet; what a form needs of it is in `ModelVersion`."""

    name: str
    version: str
    card: str = ""
    quality: Measured | None
    runtime: Runtime
    provenance: Origin

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether it is about a version, and about no features that this has not."""
        known = {feature.name for feature in model.signature.features}
        importance = self.quality.importance if self.quality else None
        named = {weight.feature for weight in importance.features} if importance else set()
        return (self.name, self.version) == (model.name, model.version) and named <= known
