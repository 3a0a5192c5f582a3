"""An MLflow model, looked into without MLflow: which flavours it has, and which file holds the estimator."""

from dataclasses import dataclass
from pathlib import Path

from model_api.artifact import read_regular_file
from model_api.errors import ArtifactError

ABOUT = "MLmodel"


@dataclass(frozen=True)
class MlflowModel:
    """What an MLflow model says of itself."""

    flavours: tuple[str, ...]
    """Ways to load it, such as sklearn."""
    file: Path
    """The file of its scikit-learn flavour."""


def look_into(folder: Path) -> MlflowModel:
    """Tell what a folder says. Raises ArtifactError when it is no MLflow model with a scikit-learn flavour."""
    import yaml

    if not (folder / ABOUT).exists():
        raise ArtifactError(f"{folder} is a folder, but no MLflow model: it has no file {ABOUT}")
    try:
        flavours = yaml.safe_load(read_regular_file(folder / ABOUT).decode())["flavors"]
        name = str(flavours["sklearn"]["pickled_model"])
    except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{folder} is an MLflow model without a scikit-learn flavour") from error
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise ArtifactError(f"{folder} names a file outside of itself: {name}")
    return MlflowModel(tuple(map(str, flavours)), file)
