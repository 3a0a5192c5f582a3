"""An installed model package → artifact: what it says of itself, and its data, beside a note which package it is."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from model_api.errors import ArtifactError
from model_api.packages import ModelPackage, import_package, written
from model_api.publishing.artifact_draft import Subject, draft_of
from model_api.publishing.quality.unseen import Table
from model_api.publishing.signature_inference import infer_signature
from model_api.publishing.tables import as_table
from model_api.publishing.version_folder import write_version
from model_api.runtimes.frames import layout_of
from model_api.runtimes.package import PackagePredictor


class _Asked(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """A package seen as an estimator: enough to be described and assessed, not to be fitted."""

    def __init__(self, predictor: PackagePredictor | None = None, classes: Any = None) -> None:
        self.predictor = predictor
        self.classes = classes

    def _answers(self, X: pd.DataFrame) -> Any:
        assert self.predictor is not None
        return self.predictor.answers(X)


class _Regressor(RegressorMixin, _Asked):  # type: ignore[misc] # likewise
    def predict(self, X: pd.DataFrame) -> Any:
        return self._answers(X).numbers


class _Classifier(ClassifierMixin, _Asked):  # type: ignore[misc] # likewise
    @property
    def classes_(self) -> Any:
        return np.array(self.classes)

    def predict(self, X: pd.DataFrame) -> Any:
        return self.classes_[self._answers(X).labels]


class _WithProbabilities(_Classifier):
    def predict_proba(self, X: pd.DataFrame) -> Any:
        return self._answers(X).probabilities


def publish_package(package: ModelPackage, models: Path, alias: str | None = None) -> Path:
    """Publish what an installed package serves; the same package again makes no new version.

    Raises ArtifactError when the package has no data to learn the signature from, or cannot answer for it.
    """
    module = import_package(package)
    training = _data(module, "load_data")
    if training is None:
        raise ArtifactError(f"{package.distribution} has no function load_data: its columns are not known")
    X, y = training
    model = _called(module, "load_model")
    layout, classes = layout_of(X), _classes(module, y)
    predictor = PackagePredictor(module, model, layout, classes)
    estimator = _estimator(predictor, classes, X)
    target = dict(getattr(module, "TARGET", {}))
    signature = infer_signature(estimator, X, y, getattr(module, "FEATURES", {}), target)
    subject = Subject(
        estimator=estimator,
        predictor=predictor,
        signature=signature,
        layout=layout,
        training=training,
        test=_data(module, "load_test_data"),
        about=f"the model package {package.distribution} {package.version}",
        described={"package": written(package), "by_probability": False, "bare": False},
    )
    draft = draft_of(
        subject,
        title=str(getattr(module, "TITLE", package.name)),
        description=str(getattr(module, "DESCRIPTION", "")),
        card=str(getattr(module, "CARD", "")),
        synthetic=bool(getattr(module, "SYNTHETIC", False)),
        compiled=False,
    )
    return write_version(models, package.name, draft, alias)


def _called(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)()
    except Exception as error:  # somebody else's code can fail in any way
        raise ArtifactError(f"{module.__name__}.{name} fails: {type(error).__name__}: {error}") from error


def _data(module: ModuleType, name: str) -> Table | None:
    return as_table(*_called(module, name)) if hasattr(module, name) else None


def _classes(module: ModuleType, y: Any) -> list[Any]:
    """Give the classes: those that TARGET names, else those of labels that are no floats."""
    told = getattr(module, "TARGET", {}).get("classes")
    if told:
        return list(told)
    if isinstance(y, pd.DataFrame) or pd.api.types.is_float_dtype(y.dtype):
        return []
    return sorted(y.unique().tolist())


def _estimator(predictor: PackagePredictor, classes: list[Any], X: pd.DataFrame) -> Any:
    if not classes:
        return _Regressor(predictor)
    answers = predictor.answers(X.head(1))
    return (_Classifier if answers.probabilities is None else _WithProbabilities)(predictor, classes)
