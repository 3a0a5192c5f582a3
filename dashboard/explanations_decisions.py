"""What the model service says of thresholds and what their mistakes cost, as frozen records; see records.py."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from dashboard.explanations import Explanation
from dashboard.records import Level, ModelVersion, Record


class Threshold(Record):
    """What happens on held-out rows when a class is acted on from a probability on."""

    threshold: float = Field(ge=0, le=1)
    false_positives: float = Field(ge=0)
    false_negatives: float = Field(ge=0)
    flagged: float = Field(ge=0, le=1)
    """Share of the rows that are taken for the class."""
    cost: float = Field(ge=0)
    """Of one row, on average."""


class Decided(Record):
    """On which side of the best threshold the case is."""

    probability: float = Field(ge=0, le=1)
    decision: Level | None
    margin: float | None
    """How far above the threshold its probability is; negative below it. None where there is no best one."""


class Decisions(Explanation):
    """Where to draw the line between two classes."""

    lasting: ClassVar[bool] = False
    """An operator may serve another threshold at any time."""
    of: Level = Field(alias="class")
    """The class whose probability is compared with the threshold."""
    positives: int = Field(ge=0)
    negatives: int = Field(ge=0)
    points: tuple[Threshold, ...] = Field(strict=False, min_length=2)
    """Thresholds, ascending."""
    best: Threshold | None
    why_none: str | None
    served: Threshold | None
    case: Decided
    method: str

    @model_validator(mode="after")
    def _has_rows_and_an_order(self) -> Self:
        if not self.rows:
            raise ValueError("no rows on which mistakes were counted")
        thresholds = [point.threshold for point in self.points]
        if thresholds != sorted(set(thresholds)):
            raise ValueError("thresholds that do not ascend")
        return self

    @property
    def rows(self) -> int:
        """How many held-out rows there are."""
        return self.positives + self.negatives

    def fits(self, _model: ModelVersion) -> bool:
        """Tell whether it is about one of two classes of a model."""
        classes = _model.signature.target.classes
        return len(classes) == 2 and _model.signature.target.has(self.of)
