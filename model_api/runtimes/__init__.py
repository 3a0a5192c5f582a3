"""Artifact → predictor. A predictor takes columns of checked values and gives numbers, or classes."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from model_api.signature import Columns
from model_api.values import Value

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


class Output(NamedTuple):
    """What a model says of n instances."""

    numbers: Floats | None = None
    """Regression: n predictions in the target's unit; n × m where one prediction is m numbers."""
    labels: Positions | None = None
    """Classification: n positions among the target's classes."""
    probabilities: Floats | None = None
    """Classification: n × k probabilities, in the order of the target's classes; None where the model has none."""

    def of(self, rows: slice) -> "Output":
        """Give what is said of some of the instances."""
        numbers, labels, probabilities = self
        return Output(
            None if numbers is None else numbers[rows],
            None if labels is None else labels[rows],
            None if probabilities is None else probabilities[rows],
        )

    def is_same(self, other: "Output") -> bool:
        """Tell whether another says exactly the same; what is not a number is the same as itself."""
        return all(
            np.array_equal(mine, theirs, equal_nan=True) if mine is not None and theirs is not None else mine is theirs
            for mine, theirs in zip(self, other, strict=True)
        )


Row = tuple[Value, ...]
"""The values of an instance, in the order of the signature's features; None is missing."""


class Predictor(Protocol):
    """A loaded model, whatever it runs on."""

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances, given as one list of n values per feature; None is missing."""
        ...
