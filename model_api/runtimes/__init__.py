"""Artifact → predictor. A predictor takes columns of checked values and gives numbers or probabilities."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model_api.signature import Columns

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Output:
    """What a model says of n instances."""

    numbers: Floats | None = None
    """Regression: n predictions in the target's unit."""
    probabilities: Floats | None = None
    """Classification: n × k probabilities, columns in the order of the target's classes."""


class Predictor(Protocol):
    """A loaded model, whatever it runs on."""

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances, given as one list of n values per feature; None is missing."""
        ...
