"""A version's folder → a loaded model that has shown that it works."""

from dataclasses import dataclass
from pathlib import Path

from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.runtimes import Predictor
from model_api.runtimes.selection import load_predictor
from model_api.trust import Trust


@dataclass(frozen=True)
class LoadedModel:
    """One version, ready to predict."""

    artifact: Artifact
    """Its files, already checked."""
    predictor: Predictor
    """What computes its predictions."""

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.artifact.manifest.name

    @property
    def version(self) -> str:
        """Number of the version."""
        return self.artifact.manifest.version


def load_version(folder: Path, trust: Trust) -> LoadedModel:
    """Check, load and try out one version. Raises ArtifactError, whatever is wrong with the folder."""
    try:
        artifact = Artifact(folder)
        artifact.check()
        model = LoadedModel(artifact, load_predictor(artifact, trust))
        _try_out(model)
    except ArtifactError:
        raise
    except Exception as error:  # a folder can be odd in any way, and must not keep the others from being served
        raise ArtifactError(f"it cannot be loaded: {type(error).__name__}: {error}") from error
    return model


def _try_out(model: LoadedModel) -> None:
    """Predict a reference row: pays for lazy imports, and shows that signature and estimator belong together."""
    signature = model.artifact.signature
    checked = signature.check([model.artifact.reference.row(0)])
    if checked.problems:
        raise ArtifactError(f"its own reference row is not valid: {checked.problems[0].message}")
    try:
        output = model.predictor.predict(checked.columns)
    except Exception as error:  # whatever an estimator raises, this version cannot be served
        raise ArtifactError(f"it cannot predict its own reference row: {error.__cause__ or error}") from error
    given = 0 if output.probabilities is None else output.probabilities.shape[1]
    if given != len(signature.target.classes):
        raise ArtifactError(f"the estimator knows {given} classes, the signature {len(signature.target.classes)}")
