"""What the model service says would change a prediction, as frozen records; see records.py."""

from pydantic import Field

from dashboard.explanations import Explanation, known_features, same_features
from dashboard.records import ModelVersion, Output, Record, Value


class Change(Record):
    """One feature that has another value."""

    feature: str
    before: Value = Field(alias="from")
    after: Value = Field(alias="to")


class Counterfactual(Record):
    """A case near the one that was asked about, of which the model says what is wanted."""

    instance: dict[str, Value]
    changes: tuple[Change, ...] = Field(strict=False)
    prediction: Output
    probabilities: dict[str, float] | None
    effort: float = Field(ge=0)
    """All changes together, in usual spreads of their features."""
    distance_percentile: float = Field(ge=0, le=1)
    """Share of reference cases that are farther from their nearest neighbour than this one is: 1 is most usual."""

    def fits(self, model: ModelVersion) -> bool:
        """Tell whether it is a case of a model, with an answer that the model can give."""
        return (
            same_features(model, list(self.instance))
            and known_features(model, [change.feature for change in self.changes])
            and model.signature.target.fits(self.prediction, self.probabilities)
        )


class Counterfactuals(Explanation):
    """What would change it, the least effort first."""

    counterfactuals: tuple[Counterfactual, ...] = Field(strict=False)
    why_none: str | None

    def fits(self, _model: ModelVersion) -> bool:
        """Tell whether all are cases of a model."""
        return all(found.fits(_model) for found in self.counterfactuals)
