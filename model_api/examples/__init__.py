"""The embedded models: trained here and now from data that scikit-learn ships, and one documented synthetic table."""

from collections.abc import Callable, Iterable
from pathlib import Path

from model_api.folders import models_in

NAMES = ("diabetes", "breast-cancer", "wine", "loans")
"""In the order of publishing: the first one becomes the default model."""


def publish_examples(models: Path, names: Iterable[str] = NAMES) -> list[Path]:
    """Train and publish the named embedded models; gives their version folders."""
    from model_api.examples import breast_cancer, diabetes, loans, wine

    publishers: dict[str, Callable[[Path], Path]] = {
        "diabetes": diabetes.publish_model,
        "breast-cancer": breast_cancer.publish_model,
        "wine": wine.publish_model,
        "loans": loans.publish_model,
    }
    return [publishers[name](models) for name in names]


def absent(models: Path) -> list[str]:
    """Name the embedded models that a folder lacks; none when the folder holds models of the user's own."""
    present = {folder.name for folder in models_in(models)}
    return [] if present - set(NAMES) else [name for name in NAMES if name not in present]
