"""A version's folder → a loaded model that has shown that it works."""

import time
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path

from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.runtimes.selection import ChosenPredictor, load_predictor
from model_api.trial import Limits, require_trial
from model_api.trust import Trust


@dataclass(frozen=True)
class LoadedModel:
    """One version, ready to predict."""

    artifact: Artifact
    """Its files, already checked."""
    predictor: ChosenPredictor
    """What computes its predictions."""
    seconds: float = 0.0
    """How long it took to load."""

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.artifact.manifest.name

    @property
    def version(self) -> str:
        """Number of the version."""
        return self.artifact.manifest.version

    @property
    def warning(self) -> str | None:
        """What an operator should know of it, though it serves."""
        return _other_scikit_learn(self.artifact, {self.predictor.choice.one, self.predictor.choice.many})


def load_tried(folder: Path, trust: Trust, limits: Limits) -> LoadedModel:
    """Load a version that a process of its own has tried first. Raises ArtifactError, whatever is wrong."""
    tried = require_trial(folder, trust, limits)
    model = load_version(folder, trust)
    if model.artifact.manifest_hash != tried.manifest:
        raise ArtifactError("its files changed while it was being loaded")
    return model


def load_version(folder: Path, trust: Trust) -> LoadedModel:
    """Check, load and try out one version. Raises ArtifactError, whatever is wrong with the folder."""
    try:
        began = time.perf_counter()
        artifact = Artifact(folder)
        artifact.check()
        _require_reference_row(artifact)
        predictor = load_predictor(artifact, trust)
        return LoadedModel(artifact, predictor, round(time.perf_counter() - began, 3))
    except ArtifactError:
        raise
    except Exception as error:  # a folder can be odd in any way, and must not keep the others from being served
        raise ArtifactError(f"it cannot be loaded: {type(error).__name__}: {error}") from error


def _require_reference_row(artifact: Artifact) -> None:
    """Show that signature and data belong together."""
    signature, reference, examples = artifact.signature, artifact.reference, artifact.examples
    if set(examples.columns) != set(signature.names):
        raise ArtifactError(f"the examples have {len(examples.columns)} features, the signature {len(signature.names)}")
    if bool(signature.target.classes) != (examples.labels is not None):
        raise ArtifactError("the signature is of a classification or of a regression, the examples of the other")
    if len(reference):
        checked = signature.check([reference.row(0)])
        if checked.problems:
            raise ArtifactError(f"its own reference row is not valid: {checked.problems[0].message}")
    known = len(examples.probabilities[0]) if examples.probabilities else None
    if known not in (None, len(signature.target.classes)):
        raise ArtifactError(f"the estimator knows {known} classes, the signature {len(signature.target.classes)}")


def _other_scikit_learn(artifact: Artifact, forms: set[str]) -> str | None:
    """Say that scikit-learn itself serves what another version of it fitted; a compiled form does not care."""
    fitted = artifact.manifest.libraries.get("scikit-learn")
    if "estimator" not in forms or fitted in (None, here := installed("scikit-learn")):
        return None
    return (
        f"version {artifact.manifest.version} was fitted with scikit-learn {fitted} and is served by {here}; "
        "it answers its stored examples as it did then"
    )
