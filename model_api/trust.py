"""What an operator lets a model's files hold. The artifact's own word about it is never believed."""

from collections.abc import Mapping
from dataclasses import dataclass

REVIEWED_TYPES: Mapping[str, str] = {
    "numpy.dtype": "names an element type; holds no code",
    "sklearn.tree._tree.Tree": "arrays of a fitted tree; its constructor runs no code of the file's",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": "arrays of a fitted tree, as above",
    "sklearn._loss.link.Interval": "two numbers and two flags",
    "sklearn._loss.link.LogitLink": "a formula without state",
    "sklearn._loss.loss.HalfBinomialLoss": "a formula without state",
}
"""What ordinary scikit-learn pipelines hold beyond skops' own list, each with the reason why it is let in."""


@dataclass(frozen=True)
class Trust:
    """The operator's own list, beside the reviewed types."""

    types: tuple[str, ...] = ()
    """Further types that a skops file may hold."""
    pickle: bool = False
    """Whether an artifact that was published with `--trust-pickle` may be loaded: it can run any code."""

    @property
    def all_types(self) -> list[str]:
        """Every type that may be loaded."""
        return [*REVIEWED_TYPES, *self.types]
