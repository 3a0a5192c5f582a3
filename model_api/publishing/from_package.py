"""An installed model package → artifact: what it says of itself, and its data, beside a note which package it is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from model_api.errors import ArtifactError
from model_api.facts import MODEL, require_described, require_facts
from model_api.packages import ModelPackage, import_package, written
from model_api.publishing.artifact_draft import Subject, draft_of
from model_api.publishing.quality.unseen import Table
from model_api.publishing.signature_inference import infer_signature
from model_api.publishing.tables import as_table
from model_api.publishing.version_folder import write_version
from model_api.runtimes.frames import layout_of
from model_api.runtimes.package import PackagePredictor

ASKED = 200
"""Rows by whose answers it is seen whether whole numbers are classes."""


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

    Raises ArtifactError or ValueError when the package has no data to learn the signature from, or cannot answer for
    it: whatever its code raises.
    """
    try:
        return _publish(package, import_package(package), models, alias)
    except (ArtifactError, ValueError):
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ArtifactError(f"the model package {package.distribution} fails: {reason}") from error


def _publish(package: ModelPackage, module: ModuleType, models: Path, alias: str | None) -> Path:
    target, features = getattr(module, "TARGET", {}), getattr(module, "FEATURES", {})
    about = {name: getattr(module, name.upper()) for name in MODEL if hasattr(module, name.upper())}
    require_described(features, target)
    require_facts("the model", about, MODEL)
    training = _data(module, "load_data")
    if training is None:
        raise ArtifactError(f"{package.distribution} has no function load_data: its columns are not known")
    X, y = training
    model = _called(module, "load_model")
    layout = layout_of(X)

    def asked(classes: list[Any]) -> PackagePredictor:
        return PackagePredictor(module, model, layout, classes)

    classes = _classes(asked, X, y, target)
    predictor = asked(classes)
    estimator = _estimator(predictor, classes, X)
    signature = infer_signature(estimator, X, y, features, target)
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
        **{"title": package.name, "description": "", "card": "", "synthetic": False, **about},
        compiled=False,
    )
    return write_version(models, package.name, draft, alias)


def _called(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)()
    except (Exception, SystemExit) as error:  # somebody else's code can fail in any way
        raise ArtifactError(f"{module.__name__}.{name} fails: {type(error).__name__}: {error}") from error


def _data(module: ModuleType, name: str) -> Table | None:
    if not hasattr(module, name):
        return None
    found = _called(module, name)
    if not isinstance(found, tuple) or len(found) != 2:
        raise ArtifactError(f"{module.__name__}.{name} must give a pair (X, y), not {type(found).__name__}")
    return as_table(*found)


def _classes(
    asked: Callable[[list[Any]], PackagePredictor], X: pd.DataFrame, y: Any, target: Mapping[str, Any]
) -> list[Any]:
    """Give the classes, none of a regression: what TARGET says, else labels that are no floats.

    Whole numbers can be either: they are classes if the package answers with nothing else.
    """
    if target.get("classes"):
        return list(target["classes"])
    if target.get("task") == "regression" or isinstance(y, pd.DataFrame) or pd.api.types.is_float_dtype(y.dtype):
        return []
    labels = sorted(y.unique().tolist())
    if "task" in target or not pd.api.types.is_integer_dtype(y.dtype):
        return labels
    try:
        asked(labels).answers(X.head(ASKED))
    except KeyError:  # an answer that is none of them
        return []
    return labels


def _estimator(predictor: PackagePredictor, classes: list[Any], X: pd.DataFrame) -> Any:
    if not classes:
        return _Regressor(predictor)
    answers = predictor.answers(X.head(1))
    return (_Classifier if answers.probabilities is None else _WithProbabilities)(predictor, classes)
