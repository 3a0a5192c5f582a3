"""What is in a file, found out without loading anything in it.

Sizes are looked at before anything is inflated, types before anything is made. `require_sound_files` is what every
artifact has to pass before a server loads it; `servery inspect` shows a person the same facts.
"""

from model_api.artifact import ESTIMATORS, Artifact
from model_api.errors import ArtifactError
from model_api.inspection import onnx_file, skops_file
from model_api.trust import Trust

SKOPS, PICKLE = ESTIMATORS


def require_sound_files(artifact: Artifact, trust: Trust) -> None:
    """Look into every file of an artifact. Raises ArtifactError, naming the file and what is wrong with it."""
    for name in artifact.manifest.files:
        data = artifact.read(name)
        if name == SKOPS:
            found = skops_file.look_into(data)
            if refused := found.refused(trust):
                raise ArtifactError(
                    f"{SKOPS} holds types that are not trusted: {', '.join(refused)}; an operator who knows them can "
                    "name them in MODEL_API_TRUSTED_TYPES"
                )
        elif name == PICKLE and not trust.pickle:
            raise ArtifactError(
                "it was published from a pickle, which can run any code when it is loaded; an operator who trusts its "
                "publisher can set MODEL_API_TRUST_PICKLE=true"
            )
        elif name.endswith(".onnx"):
            onnx_file.look_into(data, name)
