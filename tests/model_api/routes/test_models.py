"""What the service says of its models, and of the versions that it will not serve."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer
from starlette.testclient import TestClient

Reseal = Callable[[Path, str, bytes], None]


def test_the_models_are_listed_with_their_champions(client: TestClient) -> None:
    listed = client.get("/models").json()

    assert listed["default"] == "diabetes"
    assert [model["name"] for model in listed["models"]] == ["breast-cancer", "diabetes", "loans", "wine"]
    for model in listed["models"]:
        assert model["aliases"] == {"champion": "1"}
        (version,) = model["versions"]
        assert (version["version"], version["state"], version["reason"]) == ("1", "ready", None)
        assert version["runtime"] in ("plan", "onnx")
        assert (model["waiting"], model["problems"]) == ({}, [])
        assert model["champion"]["version"] == "1"
        assert model["champion"]["title"]
        assert model["champion"]["quality"]["metrics"]


def test_a_model_is_described_with_its_card(client: TestClient) -> None:
    described = client.get("/models/wine").json()

    assert described["name"] == "wine"
    assert described["card"].startswith("# Wine cultivars")
    assert described["champion"]["target"]["classes"] == ["cultivar 1", "cultivar 2", "cultivar 3"]
    assert described["champion"]["features"] == 13


@pytest.mark.parametrize("version", ["1", "champion"])
def test_a_version_is_described_with_signature_quality_and_provenance(
    client: TestClient, models_folder: Path, version: str
) -> None:
    answer = client.get(f"/models/loans/versions/{version}")
    described = answer.json()

    assert answer.headers["Servery-Model"] == "loans/1"
    assert (described["name"], described["version"], described["synthetic"]) == ("loans", "1", True)
    assert len(described["signature"]["features"]) == 10
    assert described["reference_rows"] == 1000
    assert described["quality"]["method"] == "10-fold cross-validation on 2,000 rows"
    provenance = described["provenance"]
    estimator = (models_folder / "loans" / "1" / "estimator.skops").read_bytes()
    assert provenance["files"]["estimator.skops"] == hashlib.sha256(estimator).hexdigest()
    assert provenance["estimator"]["class"] == "sklearn.pipeline.Pipeline"
    assert set(provenance["libraries"]) >= {"servery", "scikit-learn", "skops", "numpy", "pandas", "python"}


# Versions that must not be served. Each damages `rent`, the default model; `spam` stands beside it.

CANARY = "canary-that-code-in-the-file-would-make"


def alter_a_file(version: Path, reseal: Reseal) -> str:
    path = version / "estimator.skops"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    return "estimator.skops is not the file that was published: its SHA-256 differs"


def alter_the_signature(version: Path, reseal: Reseal) -> str:
    path = version / "signature.json"
    path.write_text(path.read_text().replace("m²", "m³"))
    return "signature.json is not the file that was published: its SHA-256 differs"


def alter_the_quality(version: Path, reseal: Reseal) -> str:
    path = version / "quality.json"
    path.write_text(path.read_text().replace('"r2": 0.9', '"r2": 1.0'))
    return "quality.json is not the file that was published: its SHA-256 differs"


def alter_the_card(version: Path, reseal: Reseal) -> str:
    (version / "card.md").write_text("Trust me." * 1000)
    return "card.md is not the file that was published: its SHA-256 differs"


def empty_a_file(version: Path, reseal: Reseal) -> str:
    (version / "estimator.skops").write_bytes(b"")
    return "estimator.skops is incomplete: 0 of "


def lose_a_file(version: Path, reseal: Reseal) -> str:
    (version / "reference.json").unlink()
    return "reference.json cannot be read: No such file or directory"


def lose_the_calibration(version: Path, reseal: Reseal) -> str:
    (version / "calibration.json").unlink()
    return "calibration.json cannot be read"


def link_a_file(version: Path, reseal: Reseal) -> str:
    elsewhere = shutil.move(version / "estimator.skops", version.parent.parent.parent / "elsewhere.skops")
    (version / "estimator.skops").symlink_to(elsewhere)
    return "estimator.skops cannot be read"


def put_a_folder_for_a_file(version: Path, reseal: Reseal) -> str:
    (version / "estimator.skops").unlink()
    (version / "estimator.skops").mkdir()
    return "estimator.skops is not a regular file"


def put_a_pipe_for_a_file(version: Path, reseal: Reseal) -> str:
    (version / "estimator.skops").unlink()
    os.mkfifo(version / "estimator.skops")
    return "estimator.skops is not a regular file"


def bring_the_manifest_of_another_version(version: Path, reseal: Reseal) -> str:
    manifest = json.loads((version / "manifest.json").read_bytes())
    (version / "manifest.json").write_text(json.dumps(manifest | {"version": "2"}))
    return "manifest.json is of rent/2, not of this folder"


def bring_the_manifest_of_another_model(version: Path, reseal: Reseal) -> str:
    shutil.copy(version.parent.parent / "spam" / "1" / "manifest.json", version / "manifest.json")
    return "manifest.json is of spam/1, not of this folder"


def bring_a_manifest_of_another_format(version: Path, reseal: Reseal) -> str:
    manifest = json.loads((version / "manifest.json").read_bytes())
    (version / "manifest.json").write_text(json.dumps(manifest | {"format": 2}))
    return "manifest.json is of another format than 1"


def bring_a_manifest_that_is_not_json(version: Path, reseal: Reseal) -> str:
    (version / "manifest.json").write_text("format: 1\nname: rent\n")
    return "manifest.json is not a manifest"


def lose_the_manifest(version: Path, reseal: Reseal) -> str:
    (version / "manifest.json").unlink()
    return "it is incomplete: it has no manifest.json yet"


def call_the_shell(version: Path, reseal: Reseal) -> str:
    reseal(version, "estimator.skops", skops.io.dumps(FunctionTransformer(func=os.system)))
    return "estimator.skops holds types that are not trusted: posix.system"


def call_a_function_of_ones_own(version: Path, reseal: Reseal) -> str:
    reseal(version, "estimator.skops", skops.io.dumps(FunctionTransformer(func=shutil.rmtree)))
    return "estimator.skops holds types that are not trusted: shutil.rmtree"


def disguise_a_pickle(version: Path, reseal: Reseal) -> str:
    reseal(version, "estimator.skops", f"cos\nsystem\n(S'touch {version.parent / CANARY}'\ntR.".encode())
    return "it looks like a pickle, and that format is refused"


def bring_garbage(version: Path, reseal: Reseal) -> str:
    reseal(version, "estimator.skops", b"PK\x03\x04 not an archive")
    return "estimator.skops is not a skops file"


def bring_an_estimator_of_something_else(version: Path, reseal: Reseal) -> str:
    data = (version.parent.parent.parent / "models" / "spam" / "1" / "estimator.skops").read_bytes()
    parity = (version / "parity.json").read_bytes()
    reseal(version, "estimator.skops", data)
    reseal(version, "parity.json", parity)
    return "the compiled forms were proved equal to another estimator than the one that is here"


def bring_a_signature_that_is_none(version: Path, reseal: Reseal) -> str:
    reseal(version, "signature.json", b'{"features": "many"}')
    return "signature.json is not what it should be"


DAMAGES = [
    *(alter_a_file, alter_the_signature, alter_the_quality, alter_the_card, empty_a_file),
    *(lose_a_file, lose_the_calibration, link_a_file, put_a_folder_for_a_file, put_a_pipe_for_a_file),
    *(bring_the_manifest_of_another_version, bring_the_manifest_of_another_model, bring_a_manifest_of_another_format),
    *(bring_a_manifest_that_is_not_json, lose_the_manifest, call_the_shell, call_a_function_of_ones_own),
    *(disguise_a_pickle, bring_garbage, bring_an_estimator_of_something_else, bring_a_signature_that_is_none),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_version_is_set_aside_with_its_reason_and_the_others_keep_serving(
    serving: Callable[..., TestClient],
    small_models: Path,
    flat: dict[str, Any],
    reseal: Reseal,
    damage: Callable[[Path, Reseal], str],
) -> None:
    reason = damage(small_models / "rent" / "1", reseal)

    client = serving(small_models)

    described = client.get("/models/rent").json()
    (version,) = described["versions"]
    assert (version["version"], version["state"]) == ("1", "failed")
    assert reason in version["reason"]
    assert (described["champion"], described["card"]) == (None, None)
    assert client.get("/models").status_code == 200
    for answer in (
        client.get("/models/rent/predict"),
        client.post("/models/rent/predict", json={"data": flat}),
        client.post("/models/rent/versions/1/predict", json={"data": flat}),
        client.get("/models/rent/versions/1"),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert "version 1 of rent could not be loaded" in answer.json()["detail"]
        assert reason in answer.json()["detail"]
    assert client.get("/health/ready").status_code == 200
    assert client.get("/predict").json()["model"] == "spam"
    assert client.get("/models/spam/versions/1").status_code == 200
    assert "/models/spam/predict" in client.get("/openapi.json").json()["paths"]
    assert list(small_models.rglob(CANARY)) == []


@pytest.mark.parametrize("damage", DAMAGES[::4], ids=lambda damage: damage.__name__)
def test_a_damaged_new_version_leaves_the_old_champion_serving(
    serving: Callable[..., TestClient],
    small_models: Path,
    flat: dict[str, Any],
    reseal: Reseal,
    damage: Callable[[Path, Reseal], str],
) -> None:
    new = Path(shutil.copytree(small_models / "rent" / "1", small_models / "rent" / "7"))
    manifest = json.loads((new / "manifest.json").read_bytes())
    (new / "manifest.json").write_text(json.dumps(manifest | {"version": "7"}))
    damage(new, reseal)

    client = serving(small_models)

    states = [(version["version"], version["state"]) for version in client.get("/models/rent").json()["versions"]]
    assert states == [("1", "ready"), ("7", "failed")]
    assert client.post("/predict", json={"data": flat}).headers["Servery-Model"] == "rent/1"
    assert client.post("/models/rent/versions/7/predict", json={"data": flat}).status_code == 503


def test_versions_are_listed_in_the_order_of_their_numbers(
    serving: Callable[..., TestClient], small_models: Path
) -> None:
    for number in ("2", "10"):
        folder = Path(shutil.copytree(small_models / "rent" / "1", small_models / "rent" / number))
        manifest = json.loads((folder / "manifest.json").read_bytes())
        (folder / "manifest.json").write_text(json.dumps(manifest | {"version": number}))
    (small_models / "rent" / "2" / "card.md").unlink()

    listed = serving(small_models).get("/models/rent").json()["versions"]

    assert [version["version"] for version in listed] == ["1", "2", "10"]
