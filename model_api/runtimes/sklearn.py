"""The estimator as scikit-learn runs it: read from skops, fed a data frame of the dtypes it was fitted on."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import skops.io
from sklearn.base import is_classifier
from skops.io.exceptions import UntrustedTypesFoundException

from model_api.artifact import ESTIMATORS, Artifact
from model_api.errors import ArtifactError, UnusablePrediction
from model_api.runtimes import Output, Positions
from model_api.runtimes.frames import Layout, to_frame, to_matrix
from model_api.runtimes.sound import require_sound
from model_api.signature import Columns
from model_api.trust import Trust

SKOPS, PICKLE = ESTIMATORS


class SklearnPredictor:
    """Runs an estimator as it is."""

    def __init__(
        self, estimator: Any, layout: Layout, classes: Sequence[Any] = (), *, by_probability: bool = False,
        bare: bool = False,
    ) -> None:  # fmt: skip
        """`classes`: the target's, in the estimator's order.

        `by_probability`: the label is always that of the largest probability, so that one question is enough.
        `bare`: ask with an array rather than a data frame.
        """
        self._estimator = estimator
        self._layout = list(layout)
        self._table = to_matrix if bare else to_frame
        self._classifies = is_classifier(estimator)
        self._shares = self._classifies and hasattr(estimator, "predict_proba")
        self._by_probability = by_probability and self._shares
        self._positions = {level: position for position, level in enumerate(classes)}

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances, given as one list of n values per feature; None is missing."""
        try:
            table = self._table(columns, self._layout)
        except (ValueError, TypeError, OverflowError) as error:  # valid, but the columns' dtypes hold no such value
            raise UnusablePrediction("the model cannot take these values: one is too large, or missing") from error
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # who asks looks at the outcome
                return self._classify(table) if self._classifies else self._estimate(table)
        except ValueError as error:  # a value that is valid, but not in float32 or not after scaling
            raise UnusablePrediction("the model cannot compute with these values: one may be too large") from error

    def _estimate(self, table: Any) -> Output:
        numbers = np.asarray(self._estimator.predict(table), dtype=np.float64)
        return Output(numbers=numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers)

    def _classify(self, table: Any) -> Output:
        shares = np.asarray(self._estimator.predict_proba(table), dtype=np.float64) if self._shares else None
        if shares is not None and self._by_probability:
            return Output(labels=shares.argmax(axis=1), probabilities=shares)
        return Output(labels=self._labels(self._estimator.predict(table)), probabilities=shares)

    def _labels(self, predicted: Any) -> Positions:
        return np.array([self._positions[level] for level in np.asarray(predicted).tolist()], dtype=np.intp)


def load(artifact: Artifact, trust: Trust, *, bare: bool = False) -> SklearnPredictor:
    """Read the artifact's estimator; raises ArtifactError, naming the types, when it holds untrusted ones."""
    # Both are said of columns and types, not of values, once for every process; a log line each time helps nobody.
    for message in ("X does not have valid feature names", "Found unknown categories"):
        warnings.filterwarnings("ignore", message, UserWarning)
    about = artifact.manifest.estimator
    read = _read_pickle if PICKLE in artifact.manifest.files else _read_skops
    estimator = read(artifact, trust)
    require_sound(estimator)
    return SklearnPredictor(
        estimator,
        about["columns"],
        artifact.signature.target.classes,
        by_probability=about["by_probability"],
        bare=bare or about["bare"],
    )


def _read_skops(artifact: Artifact, trust: Trust) -> Any:
    data = artifact.read(SKOPS)
    try:
        return skops.io.loads(data, trusted=trust.all_types)
    except UntrustedTypesFoundException as error:
        names = ", ".join(untrusted_types(data, trust))
        raise ArtifactError(f"{SKOPS} holds types that are not trusted: {names}") from error
    except Exception as error:  # a broken file can fail anywhere inside the reader
        raise ArtifactError(f"{SKOPS} cannot be read: {type(error).__name__}: {error}") from error


def untrusted_types(data: bytes, trust: Trust) -> list[str]:
    """Name the types in a skops file that neither skops nor the operator trusts."""
    return sorted(set(skops.io.get_untrusted_types(data=data)) - set(trust.all_types))


def _read_pickle(artifact: Artifact, trust: Trust) -> Any:
    """Unpickle, which can run any code: only where the operator allows it."""
    if not trust.pickle:
        raise ArtifactError(
            "it was published from a pickle, which can run any code when it is loaded; an operator who trusts its "
            "publisher can set MODEL_API_TRUST_PICKLE=true"
        )
    import pickle  # noqa: TID251 -- the operator allowed it by name

    try:
        return pickle.loads(artifact.read(PICKLE))  # noqa: S301 -- likewise
    except Exception as error:  # a pickle can raise anything
        raise ArtifactError(f"{PICKLE} cannot be read: {type(error).__name__}: {error}") from error
