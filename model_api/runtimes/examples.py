"""Does a loaded form still say what the estimator said when it was published? Asked before it may serve."""

from typing import Any

import numpy as np

from model_api.artifact import Examples
from model_api.errors import ArtifactError
from model_api.runtimes import Output, Predictor


def require_examples(predictor: Predictor, examples: Examples, tolerance: float, name: str) -> None:
    """Ask a form for the stored examples, together and one by one. Raises ArtifactError, with what differs most."""
    count = len(next(iter(examples.columns.values()), []))
    if not count:
        raise ArtifactError("it has no examples to be tried with")
    _require(_asked(predictor, examples, slice(None), name), examples, slice(None), tolerance, name)
    for row in range(count):
        only = slice(row, row + 1)
        _require(_asked(predictor, examples, only, name), examples, only, tolerance, name)


def _asked(predictor: Predictor, examples: Examples, rows: slice, name: str) -> Output:
    try:
        return predictor.predict({feature: column[rows] for feature, column in examples.columns.items()})
    except ArtifactError:
        raise
    except Exception as error:  # whatever a form raises, it cannot serve
        raise ArtifactError(f"the form {name} cannot answer its own examples: {error.__cause__ or error}") from error


def _require(given: Output, examples: Examples, rows: slice, tolerance: float, name: str) -> None:
    for part in ("numbers", "probabilities"):
        stored, found = getattr(examples, part), getattr(given, part)
        if (stored is None) != (found is None):
            raise ArtifactError(f"the form {name} gives {'no ' if found is None else ''}{part}, unlike its examples")
        if stored is not None:
            _require_close(np.array(stored[rows], dtype=np.float64), found, examples.scale, tolerance, name)
    if examples.labels is not None:
        _require_labels(examples.labels[rows], given.labels, name)


def _require_close(stored: Any, found: Any, scale: float | list[float], tolerance: float, name: str) -> None:
    if stored.shape != found.shape:
        shapes = f"{list(found.shape)} rather than {list(stored.shape)}"
        raise ArtifactError(f"the form {name} answers its own examples in the shape {shapes}")
    if not np.isfinite(found).all():
        raise ArtifactError(f"the form {name} answers its own examples with a number that is not finite")
    difference = float((np.abs(found - stored) / np.maximum(np.abs(stored), scale)).max(initial=0.0))
    if difference > tolerance:
        raise ArtifactError(
            f"the form {name} answers its own examples differently: by {difference:.3g} of the value, at most "
            f"{tolerance:g} is allowed"
        )


def _require_labels(stored: list[int], found: Any, name: str) -> None:
    if found is None or found.tolist() != list(stored):
        raise ArtifactError(f"the form {name} gives another class for its own examples")
