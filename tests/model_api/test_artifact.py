"""A version's folder is looked at before anything in it is used."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_api import artifact
from model_api.artifact import Artifact, Reference, ScoreGroups, digest_of
from model_api.errors import ArtifactError
from model_api.folders import models_in, read_aliases, versions_of

DOCUMENTS = ("signature.json", "reference.json", "quality.json", "calibration.json", "examples.json", "parity.json")
FILES = (*DOCUMENTS, "estimator.skops", "plan.json", "plan.bin", "card.md")


@pytest.fixture
def version(small_models: Path) -> Path:
    """The folder of a version that the test may damage."""
    return small_models / "rent" / "1"


def why_refused(folder: Path, name: str = "quality.json") -> str:
    with pytest.raises(ArtifactError) as refusal:
        Artifact(folder).read(name)
    return str(refusal.value)


def edit_manifest(version: Path, changes: dict[str, Any]) -> None:
    manifest = json.loads((version / "manifest.json").read_bytes())
    (version / "manifest.json").write_text(json.dumps(manifest | changes))


def test_the_manifest_lists_every_other_file_with_its_hash(version: Path) -> None:
    opened = Artifact(version)

    assert set(opened.manifest.files) == {path.name for path in version.iterdir()} - {"manifest.json"} == set(FILES)
    assert (opened.manifest.name, opened.manifest.version) == ("rent", "1")
    for name in FILES:
        assert opened.read(name) == (version / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_an_altered_file_is_refused(version: Path, name: str) -> None:
    data = (version / name).read_bytes()
    (version / name).write_bytes(data[:-1] + b"x")

    assert why_refused(version, name) == f"{name} is not the file that was published: its SHA-256 differs"


@pytest.mark.parametrize("name", FILES)
def test_a_check_looks_at_every_file(version: Path, name: str) -> None:
    Artifact(version).check()
    (version / name).unlink()

    with pytest.raises(ArtifactError, match=f"{name} cannot be read"):
        Artifact(version).check()


@pytest.mark.parametrize("data", [b"", b"[]"])
def test_a_file_that_is_still_being_copied_is_incomplete(version: Path, data: bytes) -> None:
    whole = (version / "quality.json").stat().st_size
    (version / "quality.json").write_bytes(data)

    assert why_refused(version) == f"quality.json is incomplete: {len(data)} of {whole:,} bytes are there"


def test_a_missing_file_is_refused(version: Path) -> None:
    (version / "quality.json").unlink()

    assert why_refused(version) == "quality.json cannot be read: No such file or directory"


def test_a_link_is_not_followed_even_to_the_right_content(version: Path, tmp_path: Path) -> None:
    elsewhere = (version / "quality.json").rename(tmp_path / "elsewhere.json")
    (version / "quality.json").symlink_to(elsewhere)

    assert "quality.json cannot be read" in why_refused(version)


def test_a_linked_manifest_is_not_followed(version: Path, tmp_path: Path) -> None:
    elsewhere = (version / "manifest.json").rename(tmp_path / "elsewhere.json")
    (version / "manifest.json").symlink_to(elsewhere)

    assert "manifest.json cannot be read" in why_refused(version)


def test_a_pipe_is_refused_without_waiting_for_it(version: Path) -> None:
    (version / "quality.json").unlink()
    os.mkfifo(version / "quality.json")

    assert why_refused(version) == "quality.json is not a regular file"


def test_a_folder_is_no_file(version: Path) -> None:
    (version / "quality.json").unlink()
    (version / "quality.json").mkdir()

    assert why_refused(version) == "quality.json is not a regular file"


def test_a_refused_folder_leaves_no_open_descriptor(version: Path) -> None:
    (version / "quality.json").unlink()
    (version / "quality.json").mkdir()
    opened = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 # counts descriptors, not files

    why_refused(version)

    assert len(os.listdir("/proc/self/fd")) == opened  # noqa: PTH208 # likewise


def test_a_file_that_is_too_large_is_refused_unread(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (version / "quality.json").open("wb") as sparse:
        sparse.truncate(artifact.MAX_FILE_BYTES + 1)

    assert "is larger than" in why_refused(version)


def test_a_file_that_the_manifest_does_not_list_is_refused(version: Path) -> None:
    (version / "extra.json").write_text("{}")

    assert why_refused(version, "extra.json") == "extra.json is not listed in manifest.json"


def test_a_folder_without_a_manifest_is_refused(version: Path) -> None:
    (version / "manifest.json").unlink()

    assert why_refused(version) == "it is incomplete: it has no manifest.json yet"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        '"text"',
        "{}",
        '{"format": 1}',
        '{"format": 1, "name": "rent"}',
        "\x00",
        "[" * 100_000,
    ],
)
def test_what_is_no_manifest_is_refused(version: Path, text: str) -> None:
    (version / "manifest.json").write_text(text)

    assert "manifest.json is not a manifest" in why_refused(version)


def test_a_manifest_that_is_not_utf8_is_refused(version: Path) -> None:
    (version / "manifest.json").write_bytes(b'{"format": "\xff"}')

    assert "manifest.json is not a manifest" in why_refused(version)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 99}, "manifest.json is of another format than 1"),
        ({"format": "1"}, "manifest.json is of another format than 1"),
        ({"version": "2"}, "manifest.json is of rent/2, not of this folder"),
        ({"name": "spam"}, "manifest.json is of spam/1, not of this folder"),
        ({"surprise": 1}, "manifest.json is not a manifest"),
        ({"files": {"../secret": "0"}}, "manifest.json is not a manifest"),
        ({"sizes": {"card.md": "many"}}, "manifest.json is not a manifest"),
        ({"synthetic": float("nan")}, "manifest.json is not a manifest"),
    ],
)
def test_a_manifest_that_does_not_belong_here_is_refused(version: Path, changes: dict[str, Any], words: str) -> None:
    edit_manifest(version, changes)

    assert words in why_refused(version)


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"null", b'{"scores": [["x"]]}', b'{"scores": NaN}', b"\xff", b"[" * 100_000]
)
def test_a_file_of_the_right_hash_but_the_wrong_content_is_refused(
    version: Path, data: bytes, reseal: Callable[[Path, str, bytes], None]
) -> None:
    reseal(version, "calibration.json", data)

    with pytest.raises(ArtifactError, match=r"calibration\.json is not what it should be"):
        _ = Artifact(version).calibration


SIZED = {"scores": [[1.0, 2.0]], "groups": [{"edges": [5.0], "scores": [[1.0], [2.0]]}]}


def test_scores_by_size_are_read_where_there_are_some(
    version: Path, reseal: Callable[[Path, str, bytes], None]
) -> None:
    assert Artifact(version).calibration_groups == [None]

    reseal(version, "calibration.json", json.dumps(SIZED).encode())

    assert Artifact(version).calibration_groups == [ScoreGroups((5.0,), ((1.0,), (2.0,)))]
    assert Artifact(version).calibration == [[1.0, 2.0]]


@pytest.mark.parametrize(
    "groups",
    [
        *([], [None, None], 3, ["x"], [{"edges": [5.0]}]),
        [{"edges": [5.0], "scores": [[1.0]]}],
        [{"edges": [5.0], "scores": [[1.0], []]}],
        [{"edges": [5.0, 1.0], "scores": [[1.0], [2.0], [3.0]]}],
        [{"edges": ["low"], "scores": [[1.0], [2.0]]}],
    ],
)
def test_scores_by_size_that_are_none_are_refused(
    version: Path, groups: Any, reseal: Callable[[Path, str, bytes], None]
) -> None:
    reseal(version, "calibration.json", json.dumps({**SIZED, "groups": groups}).encode())

    with pytest.raises(ArtifactError, match=r"calibration\.json is not what it should be"):
        Artifact(version).check()


def test_a_metric_that_is_not_finite_is_refused(version: Path, reseal: Callable[[Path, str, bytes], None]) -> None:
    reseal(version, "quality.json", b'{"metrics": {"r2": NaN}}')

    with pytest.raises(ArtifactError, match=r"quality\.json is not what it should be"):
        _ = Artifact(version).quality


def test_the_files_are_parsed(version: Path) -> None:
    opened = Artifact(version)

    assert opened.signature.names == ["area", "rooms", "furnished", "district", "balcony"]
    assert len(opened.reference) == 60
    assert opened.quality is not None
    assert opened.quality["rows"] == 60
    assert [scores == sorted(scores) for scores in opened.calibration] == [True]
    assert opened.card.startswith("A model of rents.")
    assert set(opened.forms) >= {"plan"}
    assert list(opened.examples.columns) == opened.signature.names


def test_a_reference_sample_gives_rows_and_slices() -> None:
    sample = Reference({"a": [1, 2, 3], "b": ["x", None, "z"]}, [10, 20, 30])

    assert sample.row(1) == {"a": 2, "b": None}
    assert sample.slice(1, 9) == Reference({"a": [2, 3], "b": [None, "z"]}, [20, 30])
    assert len(sample.slice(5, 9)) == 0


def test_versions_are_numbered_folders_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "1", "01", "0", "-1", "1e3", "v2", ".publishing-x", "1234567890"):
        (tmp_path / name).mkdir()
    (tmp_path / "2").touch()

    assert versions_of(tmp_path) == ["1", "9", "10"]


def test_models_are_folders_with_a_fit_name_and_a_version(tmp_path: Path) -> None:
    for name in ("wine", "breast-cancer", "a.b_c", "Upper", ".hidden", "-x", "white space", "a" * 65):
        (tmp_path / name / "1").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()

    assert [model.name for model in models_in(tmp_path)] == ["a.b_c", "breast-cancer", "wine"]
    assert models_in(tmp_path / "absent") == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3"])
def test_what_is_no_table_of_aliases_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "aliases.json").write_text(text)

    with pytest.raises(ArtifactError, match=r"aliases\.json is not a table of aliases"):
        read_aliases(tmp_path)


def test_the_digest_depends_on_content_and_description_but_not_on_order() -> None:
    digest = digest_of({"a": "1", "b": "2"}, {"title": "t"})

    assert digest_of({"b": "2", "a": "1"}, {"title": "t"}) == digest
    assert digest_of({"a": "1", "b": "3"}, {"title": "t"}) != digest
    assert digest_of({"a": "1", "b": "2"}, {"title": "u"}) != digest
