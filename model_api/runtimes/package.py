"""A model package's own code: its model, its preparation of the data, its way to predict."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from model_api.artifact import Artifact
from model_api.errors import ArtifactError, UnusablePrediction
from model_api.packages import find_package, import_package
from model_api.runtimes import Output
from model_api.runtimes.frames import Layout, to_frame
from model_api.signature import Columns
from model_api.trust import Trust

STEPS = ("preprocess_data", "feature_engineering")
"""Functions of a package that prepare a data frame, in this order."""


class PackagePredictor:
    """Runs a package's functions, one after the other."""

    def __init__(self, module: ModuleType, model: Any, layout: Layout, classes: Sequence[Any]) -> None:
        self._predict = getattr(module, "predict", _predict)
        self._steps = [
            getattr(module, name) for name in ("preprocess_data", "feature_engineering") if hasattr(module, name)
        ]
        self._model = model
        self._layout = list(layout)
        self._classes = list(classes)
        self._positions = {level: place for place, level in enumerate(classes)}

    def predict(self, columns: Columns) -> Output:
        """Predict for n instances, given as one list of n values per feature; None is missing."""
        frame = to_frame(columns, self._layout)
        try:
            return self.answers(frame)
        except (ArtifactError, MemoryError):
            raise
        except Exception as error:  # somebody else's code can fail in any way; the row is what it failed on
            raise UnusablePrediction("the model's own code cannot compute with these values") from error

    def answers(self, frame: pd.DataFrame) -> Output:
        """Prepare a frame and ask the model; whatever its code raises is raised."""
        rows = len(frame)
        for step in self._steps:
            frame = step(frame)
        return self._output(self._predict(self._model, frame), rows)

    def _output(self, answers: Any, rows: int) -> Output:
        if isinstance(answers, pd.DataFrame) and self._classes:
            return self._shares(answers)
        found = np.asarray(answers)
        if len(found) != rows:
            raise ArtifactError(f"the package gives {len(found)} answers for {rows} rows")
        if self._classes:
            return Output(labels=np.array([self._positions[level] for level in found.tolist()], dtype=np.intp))
        numbers = found.astype(np.float64)
        return Output(numbers=numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers)

    def _shares(self, answers: pd.DataFrame) -> Output:
        if set(answers.columns) != set(self._classes):
            raise ArtifactError(f"the package gives probabilities of {list(answers.columns)}, not of its classes")
        shares = answers[self._classes].to_numpy(dtype=np.float64)
        return Output(labels=shares.argmax(axis=1), probabilities=shares)


def _predict(model: Any, frame: pd.DataFrame) -> Any:
    """Ask a scikit-learn estimator, for packages that have no way of their own."""
    if hasattr(model, "predict_proba"):
        return pd.DataFrame(model.predict_proba(frame), columns=list(model.classes_))
    return model.predict(frame)


def load(artifact: Artifact, trust: Trust) -> PackagePredictor:
    """Import the package that a version was published from. Raises ArtifactError when it is another one now."""
    about: Mapping[str, str] = artifact.manifest.estimator["package"]
    package = find_package(str(about["name"]), trust.packages)
    if package.version != about["version"] or package.distribution != about["distribution"]:
        there, then = f"{package.distribution} {package.version}", f"{about['distribution']} {about['version']}"
        raise ArtifactError(f"the installed model package is {there}; this version was published from {then}")
    module = import_package(package)
    classes = artifact.signature.target.classes
    try:
        model = module.load_model()
    except Exception as error:  # somebody else's code can fail in any way
        raise ArtifactError(f"{package.distribution} cannot load its model: {type(error).__name__}: {error}") from error
    return PackagePredictor(module, model, artifact.manifest.estimator["columns"], classes)
