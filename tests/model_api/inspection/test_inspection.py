"""Every file of an artifact is looked into before a server loads any of them."""

import json
import pickle  # noqa: TID251 -- such a file is refused; here it is made
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.inspection import require_sound_files
from model_api.publishing.estimator_file import dump
from model_api.trust import Trust
from tests.model_api.zoo import ZOO

TOLD = (
    "estimator.skops holds types that are not trusted: builtins.eval; an operator who knows them can name them in "
    "MODEL_API_TRUSTED_TYPES"
)
Reseal = Callable[[Path, str, bytes], None]


def holding(**files: bytes) -> Any:
    """Give what is looked at of an artifact: which files it lists, and their bytes."""
    named = {name.replace("_", ".", 1): data for name, data in files.items()}
    return SimpleNamespace(manifest=SimpleNamespace(files=dict.fromkeys(named, "hash")), read=named.__getitem__)


def test_what_was_published_here_is_let_in(published_small_models: Path) -> None:
    for version in published_small_models.glob("*/1"):
        require_sound_files(Artifact(version), Trust())


def test_an_estimator_that_holds_a_function_nobody_reviewed_is_named(small_models: Path, reseal: Reseal) -> None:
    version = small_models / "rent" / "1"
    reseal(version, "estimator.skops", dump(FunctionTransformer(eval)))

    with pytest.raises(ArtifactError, match=f"^{re.escape(TOLD)}$"):
        require_sound_files(Artifact(version), Trust())
    require_sound_files(Artifact(version), Trust(("builtins.eval",)))


def test_a_damaged_estimator_is_refused(small_models: Path, reseal: Reseal) -> None:
    version = small_models / "rent" / "1"
    reseal(version, "estimator.skops", (version / "estimator.skops").read_bytes()[:-50])

    with pytest.raises(ArtifactError, match=r"estimator\.skops is not a skops file"):
        require_sound_files(Artifact(version), Trust())


def test_a_damaged_pipeline_is_refused(small_models: Path, reseal: Reseal) -> None:
    version = small_models / "spam" / "1"
    reseal(version, "pipeline.onnx", b"text")

    with pytest.raises(ArtifactError, match=r"pipeline\.onnx is not an ONNX file"):
        require_sound_files(Artifact(version), Trust())


def test_trees_of_a_plan_are_looked_into() -> None:
    data = ZOO["tree for numbers"].plan["trees-0.onnx"]

    require_sound_files(holding(trees_onnx=data), Trust())
    with pytest.raises(ArtifactError, match=r"trees\.onnx is not an ONNX file"):
        require_sound_files(holding(trees_onnx=data[:100]), Trust())


def test_a_pickle_is_refused_unless_the_operator_trusts_its_publisher() -> None:
    artifact = holding(estimator_pickle=pickle.dumps(Ridge()))

    with pytest.raises(ArtifactError, match="can set MODEL_API_TRUST_PICKLE=true"):
        require_sound_files(artifact, Trust())
    require_sound_files(artifact, Trust(pickle=True))


def test_documents_are_not_taken_for_models() -> None:
    require_sound_files(holding(plan_json=json.dumps({}).encode(), card_md=b"# A card"), Trust())
