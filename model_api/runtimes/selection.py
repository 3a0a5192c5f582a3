"""Which runtime serves an artifact: the fastest of the compiled forms that were proved equal, else the estimator."""

from model_api.artifact import Artifact
from model_api.runtimes import Predictor
from model_api.trust import Trust


def load_predictor(artifact: Artifact, trust: Trust) -> Predictor:
    """Load what computes an artifact's predictions. Raises ArtifactError."""
    from model_api.runtimes import sklearn

    return sklearn.load(artifact, trust)
