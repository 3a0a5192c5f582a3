"""A version is there as a whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model_api.artifact import CHAMPION, Artifact
from model_api.folders import read_aliases, read_history, versions_of
from model_api.publishing import version_folder
from model_api.publishing.version_folder import Draft, write_version

WHOLE = {"manifest.json", "signature.json", "quality.json", "estimator.skops", "card.md"}


def draft(**changes: Any) -> Draft:
    """Give a draft of a version; what it holds does not matter here."""
    facts: dict[str, Any] = {
        "title": "Line",
        "description": "",
        "synthetic": False,
        "estimator": {"class": "a.B"},
        "timings": {},
        "documents": {"signature.json": {"features": []}, "quality.json": {"rows": 1}},
        "files": {"estimator.skops": b"bytes", "card.md": b"# Line"},
    }
    return Draft(**{**facts, **changes})


def visible(models: Path) -> set[str]:
    """Name everything below a folder, hidden files included."""
    return {str(path.relative_to(models)) for path in models.rglob("*")}


def test_a_version_is_written_with_all_its_files(tmp_path: Path) -> None:
    folder = write_version(tmp_path, "line", draft(), CHAMPION)

    assert {path.name for path in folder.iterdir()} == WHOLE
    for name in WHOLE - {"manifest.json"}:
        assert Artifact(folder).read(name)
    assert visible(tmp_path / "line") == {"1", "aliases.json", "history.jsonl"} | {f"1/{name}" for name in WHOLE}


def test_a_version_can_be_read_by_other_users(tmp_path: Path) -> None:
    assert write_version(tmp_path, "line", draft(), CHAMPION).stat().st_mode & 0o777 == 0o755


def test_versions_are_numbered_upwards_even_past_a_gap(tmp_path: Path) -> None:
    (tmp_path / "line" / "9").mkdir(parents=True)

    assert write_version(tmp_path, "line", draft(), CHAMPION).name == "10"


def test_a_broken_version_is_not_taken_for_the_same_content(tmp_path: Path) -> None:
    first = write_version(tmp_path, "line", draft(), CHAMPION)
    (first / "manifest.json").unlink()

    assert write_version(tmp_path, "line", draft(), CHAMPION).name == "2"


class DiskFull(OSError):
    """What the disk says in these tests."""


@pytest.mark.parametrize("successes", range(5))
def test_nothing_is_visible_when_a_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, successes: int
) -> None:
    left = iter(range(successes))

    def fsync(descriptor: int) -> None:
        if next(left, None) is None:
            raise DiskFull

    monkeypatch.setattr(os, "fsync", fsync)

    with pytest.raises(DiskFull):
        write_version(tmp_path, "line", draft(), CHAMPION)

    assert visible(tmp_path) == {"line"}


def test_nothing_is_visible_when_the_version_cannot_be_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(self: Path, target: Path) -> Path:
        raise DiskFull

    monkeypatch.setattr(Path, "rename", rename)

    with pytest.raises(DiskFull):
        write_version(tmp_path, "line", draft(), CHAMPION)

    assert visible(tmp_path) == {"line"}


def test_an_interruption_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", rename)

    with pytest.raises(KeyboardInterrupt):
        write_version(tmp_path, "line", draft(), CHAMPION)

    assert visible(tmp_path) == {"line"}


def test_a_failure_leaves_the_champion_and_its_version_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_version(tmp_path, "line", draft(), CHAMPION)
    before = visible(tmp_path)

    def fsync(descriptor: int) -> None:
        raise DiskFull

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DiskFull):
        write_version(tmp_path, "line", draft(title="Another"), CHAMPION)

    assert visible(tmp_path) == before
    assert read_aliases(tmp_path / "line") == {"champion": "1"}


def test_publishing_again_mends_an_alias_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(self: Path, target: Path) -> Path:
        raise DiskFull

    write_version(tmp_path, "line", draft(), CHAMPION)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(DiskFull):
            write_version(tmp_path, "line", draft(title="Another"), CHAMPION)

    assert read_aliases(tmp_path / "line") == {"champion": "1"}
    assert {name for name in visible(tmp_path) if Path(name).name.startswith(".")} == set()
    assert write_version(tmp_path, "line", draft(title="Another"), CHAMPION).name == "2"
    assert read_aliases(tmp_path / "line") == {"champion": "2"}


def test_a_number_that_another_publisher_took_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_version(tmp_path, "line", draft(), CHAMPION)
    theirs = (tmp_path / "line" / "1" / "manifest.json").read_bytes()
    stale: Iterator[list[str]] = iter(
        [[], []]
    )  # what was there when this publisher looked, before the other one was done

    monkeypatch.setattr(version_folder, "versions_of", lambda model: next(stale, None) or versions_of(model))
    monkeypatch.setattr(version_folder, "_published_already", lambda *_: None)
    folder = write_version(tmp_path, "line", draft(title="Another"), CHAMPION)

    assert folder.name == "2"
    assert Artifact(folder).manifest.version == "2"
    assert (tmp_path / "line" / "1" / "manifest.json").read_bytes() == theirs


def test_a_number_that_is_not_finite_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_version(tmp_path, "line", draft(documents={"quality.json": {"r2": float("nan")}}), CHAMPION)

    assert visible(tmp_path) <= {"line"}


def test_the_first_version_becomes_the_champion_and_later_ones_wait_to_be_promoted(tmp_path: Path) -> None:
    write_version(tmp_path, "line", draft(), None)
    write_version(tmp_path, "line", draft(title="Another"), None)

    assert versions_of(tmp_path / "line") == ["1", "2"]
    assert read_aliases(tmp_path / "line") == {"champion": "1"}


def test_every_move_of_an_alias_is_written_down(tmp_path: Path) -> None:
    write_version(tmp_path, "line", draft(), CHAMPION)
    write_version(tmp_path, "line", draft(title="Another"), CHAMPION)

    moves = [(move["alias"], move["from"], move["to"], move["by"]) for move in read_history(tmp_path / "line")]
    assert moves == [("champion", None, "1", "publish"), ("champion", "1", "2", "publish")]


def test_what_was_measured_is_no_part_of_the_content(tmp_path: Path) -> None:
    write_version(tmp_path, "line", draft(timings={"plan": {"one_row_us": 3.0}}), None)
    write_version(tmp_path, "line", draft(timings={"plan": {"one_row_us": 4.0}}), None)

    assert versions_of(tmp_path / "line") == ["1"]


def test_the_number_of_a_deleted_version_is_not_given_again(tmp_path: Path) -> None:
    write_version(tmp_path, "line", draft(), CHAMPION)
    second = write_version(tmp_path, "line", draft(title="Second"), None)
    shutil.rmtree(second)

    assert write_version(tmp_path, "line", draft(title="Third"), None).name == "3"
