"""The four embedded models: what they say of themselves, how good they are, and that they are always the same."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_api.artifact import Artifact
from model_api.examples import NAMES, absent, breast_cancer, loans, publish_examples
from model_api.signature import Feature, Signature

PUBLISH = """
import sys
from pathlib import Path
from model_api.examples import publish_examples
print(*publish_examples(Path(sys.argv[1]), sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def artifacts(models_folder: Path) -> dict[str, Artifact]:
    return {name: Artifact(models_folder / name / "1") for name in NAMES}


def features_of(signature: Signature) -> dict[str, Feature]:
    return {feature.name: feature for feature in signature.features}


def quality_of(artifact: Artifact) -> dict[str, Any]:
    assert artifact.quality is not None
    return artifact.quality


def test_the_four_models_are_published_as_their_first_version(models_folder: Path) -> None:
    assert {path.name for path in models_folder.iterdir()} == set(NAMES)
    for name in NAMES:
        assert {path.name for path in (models_folder / name).iterdir()} == {"1", "aliases.json", "history.jsonl"}
        assert json.loads((models_folder / name / "aliases.json").read_bytes()) == {"champion": "1"}


@pytest.mark.parametrize("name", NAMES)
def test_every_model_says_what_it_is(artifacts: dict[str, Artifact], name: str) -> None:
    manifest = artifacts[name].manifest

    assert manifest.title
    assert manifest.description.endswith(".")
    assert artifacts[name].card.startswith("# ")
    assert "**Limits.**" in artifacts[name].card
    assert artifacts[name].signature.target.description


@pytest.mark.parametrize("name", NAMES)
def test_every_feature_has_a_label(artifacts: dict[str, Artifact], name: str) -> None:
    assert all(feature.label for feature in artifacts[name].signature.features)


@pytest.mark.parametrize("name", NAMES)
def test_the_defaults_are_valid_values(artifacts: dict[str, Artifact], name: str) -> None:
    signature = artifacts[name].signature

    outcome = signature.check([{feature.name: feature.default for feature in signature.features}])

    assert outcome.problems == []
    assert outcome.warnings == [[]]


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_row_is_valid(artifacts: dict[str, Artifact], name: str) -> None:
    reference = artifacts[name].reference

    outcome = artifacts[name].signature.check([reference.row(position) for position in range(len(reference))])

    assert outcome.problems == []
    assert outcome.columns == reference.columns
    assert {warning.code for row in outcome.warnings for warning in row} <= {"missing"}


def test_diabetes_is_a_regression_in_the_original_units(artifacts: dict[str, Artifact]) -> None:
    signature = artifacts["diabetes"].signature
    features = features_of(signature)

    assert signature.names == ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
    assert {name: feature.unit for name, feature in features.items()} == {
        "age": "years",
        "sex": None,
        "bmi": "kg/m²",
        "bp": "mmHg",
        "s1": "mg/dl",
        "s2": "mg/dl",
        "s3": "mg/dl",
        "s4": None,
        "s5": None,
        "s6": "mg/dl",
    }
    assert (features["sex"].type, features["sex"].categories) == ("category", (1, 2))
    assert (features["bmi"].minimum, features["bmi"].maximum, features["bmi"].step) == (18.0, 42.2, 0.1)
    assert (features["age"].minimum, features["age"].maximum) == (19, 79)
    assert {feature.group for feature in features.values()} == {"Patient", "Blood serum"}
    assert (signature.target.task, signature.target.unit) == ("regression", "points")
    assert (signature.target.minimum, signature.target.maximum) == (25, 346)


def test_breast_cancer_has_thirty_features_in_three_groups_of_ten(artifacts: dict[str, Artifact]) -> None:
    signature = artifacts["breast-cancer"].signature
    groups = [feature.group for feature in signature.features]

    assert len(groups) == 30
    assert {group: groups.count(group) for group in groups} == dict.fromkeys(breast_cancer.GROUPS.values(), 10)
    assert all(feature.type == "number" and feature.description for feature in signature.features)
    assert signature.target.classes == ("benign", "malignant")
    assert (signature.target.task, signature.target.positive) == ("binary", "malignant")


def test_wine_has_three_classes(artifacts: dict[str, Artifact]) -> None:
    signature = artifacts["wine"].signature

    assert len(signature.features) == 13
    assert signature.target.task == "multiclass"
    assert signature.target.classes == ("cultivar 1", "cultivar 2", "cultivar 3")
    assert features_of(signature)["alcohol"].unit == "% vol"


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_a_compiled_form_that_is_proved_exact(artifacts: dict[str, Artifact], name: str) -> None:
    plan = artifacts[name].forms["plan"]

    assert plan["proved"]
    assert plan["largest_difference"] < 1e-12


def test_loans_has_every_type_of_feature_and_missing_values(artifacts: dict[str, Artifact]) -> None:
    features = features_of(artifacts["loans"].signature)

    assert {name: feature.type for name, feature in features.items()} == {
        "age": "integer",
        "employment": "category",
        "yearly_income": "number",
        "home_owner": "boolean",
        "open_loans": "integer",
        "defaulted_before": "boolean",
        "amount": "number",
        "term": "integer",
        "purpose": "category",
        "interest_rate": "number",
    }
    missing = {name: feature.missing_rate for name, feature in features.items() if feature.missing_allowed}
    assert set(missing) == {"yearly_income", "employment", "defaulted_before"}
    assert all(0.03 < rate < 0.1 for rate in missing.values())
    assert features["employment"].categories == tuple(loans.EMPLOYMENT)
    assert (features["amount"].unit, features["term"].unit) == ("€", "months")


def test_only_loans_is_synthetic_and_it_says_so_everywhere(artifacts: dict[str, Artifact]) -> None:
    assert {name: artifact.manifest.synthetic for name, artifact in artifacts.items()} == {
        "diabetes": False,
        "breast-cancer": False,
        "wine": False,
        "loans": True,
    }
    assert "**The data is synthetic: a program made it up.**" in artifacts["loans"].card
    assert "synthetic" in artifacts["loans"].manifest.title
    assert "made up" in artifacts["loans"].manifest.description


def test_the_shares_in_the_card_of_loans_are_those_of_the_generator() -> None:
    X, y = loans.load_data()

    assert len(X) == 2000
    assert f"{len(X):,} applications" in loans.CARD
    for share, column in {"8 %": "yearly_income", "5 %": "employment", "6 %": "defaulted_before"}.items():
        assert f"{share} of the" in loans.CARD
        assert X[column].isna().mean() == pytest.approx(int(share[0]) / 100, abs=0.015)
    assert set(y) == {"defaulted", "repaid"}


@pytest.mark.parametrize(
    ("name", "metric", "floor"),
    [
        ("diabetes", "r2", 0.45),
        ("breast-cancer", "roc_auc", 0.99),
        ("breast-cancer", "balanced_accuracy", 0.95),
        ("wine", "balanced_accuracy", 0.96),
        ("loans", "roc_auc", 0.72),
    ],
)
def test_the_model_is_as_good_as_its_data_allows(
    artifacts: dict[str, Artifact], name: str, metric: str, floor: float
) -> None:
    assert floor < quality_of(artifacts[name])["metrics"][metric] <= 1


def test_the_error_of_diabetes_is_below_that_of_the_mean(artifacts: dict[str, Artifact]) -> None:
    true = np.array(artifacts["diabetes"].reference.target, dtype=np.float64)

    assert (
        quality_of(artifacts["diabetes"])["metrics"]["mean_absolute_error"] < 0.75 * np.abs(true - true.mean()).mean()
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_training_row_was_used_for_calibration(artifacts: dict[str, Artifact], name: str) -> None:
    (scores,) = artifacts[name].calibration

    assert len(scores) == quality_of(artifacts[name])["rows"]
    assert scores == sorted(scores)
    assert scores[0] >= 0


def test_a_feature_of_breast_cancer_is_described_from_its_name() -> None:
    assert breast_cancer.describe("worst concave points") == {
        "label": "Concave points",
        "group": "Mean of the three largest",
        "description": "Share of the outline that is hollow",
    }


def test_other_processes_publish_the_same_bytes_and_so_make_no_new_version(models_folder: Path, tmp_path: Path) -> None:
    shares = {"1": ["diabetes", "breast-cancer", "loans"], "2": ["wine"]}  # hash seed → models, for two cores
    folders = {seed: Path(shutil.copytree(models_folder, tmp_path / seed)) for seed in shares}
    processes = {
        seed: subprocess.Popen(
            [sys.executable, "-c", PUBLISH, folders[seed], *names],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, names in shares.items()
    }

    for seed, process in processes.items():
        printed, _ = process.communicate(timeout=120)
        assert printed.split() == [str(folders[seed] / name / "1") for name in shares[seed]]
        assert {path.parent.name for path in folders[seed].glob("*/*/manifest.json")} == {"1"}


def test_an_empty_folder_lacks_all_four(tmp_path: Path) -> None:
    assert absent(tmp_path) == absent(tmp_path / "nowhere") == list(NAMES)


def test_a_complete_folder_lacks_none(models_folder: Path) -> None:
    assert absent(models_folder) == []


@pytest.mark.parametrize(("present", "lacking"), [(["wine"], ["diabetes", "breast-cancer", "loans"]), (["mine"], [])])
def test_what_lacks_depends_on_what_is_there(tmp_path: Path, present: list[str], lacking: list[str]) -> None:
    for name in present:
        (tmp_path / name / "1").mkdir(parents=True)

    assert absent(tmp_path) == lacking


def test_single_models_can_be_published(tmp_path: Path) -> None:
    made: list[Any] = publish_examples(tmp_path, ["diabetes"])

    assert made == [tmp_path / "diabetes" / "1"]
    assert [path.name for path in tmp_path.iterdir()] == ["diabetes"]
