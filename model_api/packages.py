"""Model packages: installed Python packages that bring a model with code of their own.

A package names a module under the entry point group `servery.models`. Of the functions in it the first two are
required: one to load the model, the other to publish it, because the form and the checks are made from the data.

    load_model() -> model                     anything
    load_data() -> (X, y)                     the predefined data, as a data frame and the true values
    load_test_data() -> (X, y)                rows that the model has not seen: with them, answers say how sure they are
    preprocess_data(X) -> X                   what is done to a data frame first
    feature_engineering(X) -> X               and then
    predict(model, X) -> answers              numbers; labels; or a data frame of probabilities, a column a class

and it may say TITLE, DESCRIPTION, CARD, FEATURES and TARGET, as `servery.publish` takes them. Installing a package is
the operator's word that its code may run; `MODEL_API_PACKAGES` narrows it down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from model_api.artifact import MODEL_NAME
from model_api.errors import ArtifactError

GROUP = "servery.models"
EVERY = "*"


@dataclass(frozen=True)
class ModelPackage:
    """An installed model package."""

    name: str
    """Name of the model."""
    module: str
    """The module that its entry point names."""
    distribution: str
    """What was installed with pip."""
    version: str
    """Version of the distribution."""


def installed_packages(allowed: Sequence[str] = (EVERY,)) -> list[ModelPackage]:
    """List the installed model packages that an operator allows, by name; nothing of theirs is imported."""
    found = {}
    for entry in entry_points(group=GROUP):
        if MODEL_NAME.fullmatch(entry.name) and (EVERY in allowed or entry.name in allowed):
            found[entry.name] = _described(entry)
    return [found[name] for name in sorted(found)]


def _described(entry: EntryPoint) -> ModelPackage:
    distribution = entry.dist
    name = distribution.name if distribution else "unknown"
    return ModelPackage(entry.name, entry.value, name, distribution.version if distribution else "0")


def find_package(name: str, allowed: Sequence[str] = (EVERY,)) -> ModelPackage:
    """Find an installed package by the name of its model. Raises ArtifactError, naming those that are there."""
    known = {package.name: package for package in installed_packages(allowed)}
    if name not in known:
        there = ", ".join(known) or "none"
        raise ArtifactError(f"no model package {name!r} is installed and allowed; there is {there}")
    return known[name]


def import_package(package: ModelPackage) -> ModuleType:
    """Import a package's module: from here on its code runs. Raises ArtifactError."""
    (entry,) = (entry for entry in entry_points(group=GROUP) if entry.name == package.name)
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:  # somebody else's code can fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise ArtifactError(f"the model package {package.distribution} cannot be imported: {reason}") from error
    if not callable(getattr(module, "load_model", None)):
        raise ArtifactError(f"the model package {package.distribution} has no function load_model")
    found: ModuleType = module
    return found


def written(package: ModelPackage) -> dict[str, Any]:
    """Say in a manifest which package a version came from."""
    return {"name": package.name, "distribution": package.distribution, "version": package.version}
