"""The folder of models: what lies in it, where its aliases point, and how they came to."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from model_api.artifact import ALIASES
from model_api.errors import ArtifactError
from model_api.folders import (
    HISTORY,
    NEWEST,
    as_json,
    highest_number,
    models_in,
    move_alias,
    read_aliases,
    read_history,
    remove_alias,
    strangers_in,
    versions_of,
    write_aside,
    write_down_number,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder with three versions."""
    folder = tmp_path / "rent"
    for number in ("1", "2", "10"):
        (folder / number).mkdir(parents=True)
    return folder


def test_versions_are_in_the_order_of_their_numbers(model: Path) -> None:
    for name in ("0", "01", "-1", "1.5", "v2", "1234567890", "٣", ".publishing-x"):
        (model / name).mkdir()
    (model / "3").write_text("a file")

    assert versions_of(model) == ["1", "2", "10"]


def test_models_are_folders_of_a_fit_name_that_have_a_version(model: Path) -> None:
    models = model.parent
    (models / "empty").mkdir()
    (models / "Rent" / "1").mkdir(parents=True)
    (models / ".rent" / "1").mkdir(parents=True)
    (models / "a-file").write_text("")

    assert models_in(models) == [model]
    assert models_in(models / "nowhere") == []


def test_what_cannot_be_served_is_named_with_its_reason(model: Path) -> None:
    models = model.parent
    (models / "Rent").mkdir()
    (models / "notes.txt").write_text("")
    (models / ".git").mkdir()

    assert strangers_in(models) == {
        "Rent": "is not the name of a model, which must match [a-z0-9][a-z0-9._-]{0,63}",
        "notes.txt": "is not a folder",
    }
    assert strangers_in(models / "nowhere") == {}


def test_nobody_gave_an_alias_yet(model: Path) -> None:
    assert read_aliases(model) == {}
    assert read_history(model) == []


def test_an_alias_is_moved_and_the_others_stay(model: Path) -> None:
    move_alias(model, "champion", "1")
    move_alias(model, "challenger", "2")
    move_alias(model, "champion", "10")

    assert read_aliases(model) == {"champion": "10", "challenger": "2"}


def test_every_move_is_written_down_with_its_reason(model: Path) -> None:
    before = datetime.now(UTC)
    move_alias(model, "champion", "1", by="publish")
    move_alias(model, "champion", "2", by="anna", reason="10 % fewer errors – été")

    first, second = read_history(model)

    assert {**first, "at": ""} == {"at": "", "alias": "champion", "from": None, "to": "1", "by": "publish"}
    assert (second["from"], second["to"], second["by"]) == ("1", "2", "anna")
    assert second["reason"] == "10 % fewer errors – été"
    assert abs((datetime.fromisoformat(second["at"]) - before).total_seconds()) < 60


def test_a_move_to_where_an_alias_is_already_changes_nothing(model: Path) -> None:
    move_alias(model, "champion", "1")
    files = {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}

    move_alias(model, "champion", "1", by="anna")

    assert {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()} == files


def test_moves_at_the_same_time_are_all_kept(model: Path) -> None:
    names = [f"alias{i}" for i in range(8)]
    threads = [threading.Thread(target=move_alias, args=(model, name, "1")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read_aliases(model) == dict.fromkeys(names, "1")
    assert sorted(move["alias"] for move in read_history(model)) == names


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "null", '"champion"', '{"a": "1", "a": "2"}', '{"a": NaN}', "\x00"]
)
def test_aliases_that_cannot_be_read_are_refused(model: Path, text: str) -> None:
    (model / ALIASES).write_text(text)

    with pytest.raises(ArtifactError, match=r"aliases\.json is not a table of aliases"):
        read_aliases(model)


def test_aliases_that_are_a_link_are_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text("{}")
    (model / ALIASES).symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(ArtifactError, match=r"aliases\.json cannot be read"):
        read_aliases(model)


@pytest.mark.parametrize("line", ["", "half a line", '{"at": "2026-0', "[1, 2]", "3", "\x00\x00", "null"])
def test_a_line_of_the_history_that_cannot_be_read_is_left_out(model: Path, line: str) -> None:
    move_alias(model, "champion", "1")
    with (model / HISTORY).open("a") as file:
        file.write(line + "\n")
    move_alias(model, "champion", "2")

    assert [move["to"] for move in read_history(model)] == ["1", "2"]


def test_bytes_that_are_no_text_do_not_hide_the_rest_of_the_history(model: Path) -> None:
    (model / HISTORY).write_bytes(b"\xff\xfe\n" + json.dumps({"to": "7"}).encode() + b"\n")

    assert read_history(model) == [{"to": "7"}]


def test_a_file_is_replaced_in_one_step_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "aliases.json"
    path.write_bytes(b"old")

    write_aside(path, b"new")

    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["aliases.json"]  # noqa: PTH208 -- names alone


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "aliases.json"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="no space left"):
        write_aside(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["aliases.json"]


@pytest.mark.parametrize("value", [{}, [], None, {"a": [1, 2.5, None, "é", True]}, {"été": {"b": {}}}])
def test_json_is_written_for_people_and_read_again(value: Any) -> None:
    data = as_json(value)

    assert json.loads(data) == value
    assert data.endswith(b"\n")
    assert b"\\u" not in data


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"a": number})


def test_a_move_after_a_crash_is_not_lost(tmp_path: Path) -> None:
    move_alias(tmp_path, "champion", "1")
    with (tmp_path / HISTORY).open("a") as file:
        file.write('{"at": "2026-11-24T10')
    move_alias(tmp_path, "champion", "2")

    assert [move["to"] for move in read_history(tmp_path)] == ["1", "2"]


def test_a_number_that_was_given_once_is_known_after_its_version_was_deleted(model: Path) -> None:
    assert highest_number(model) == 10
    write_down_number(model, "11")
    assert highest_number(model) == 11
    move_alias(model, "champion", "12")
    move_alias(model, "champion", "1")
    assert highest_number(model) == 12
    (model / NEWEST).write_text("13")
    assert highest_number(model) == 13


@pytest.mark.parametrize("text", ["", "x", "-3", "1e9", "٣"])
def test_what_is_no_number_is_not_counted(model: Path, text: str) -> None:
    (model / NEWEST).write_text(text)
    (model / HISTORY).write_text(json.dumps({"published": text}) + "\n" + json.dumps({"published": 99}) + "\n")
    (model / ALIASES).write_text("[")

    assert highest_number(model) == 10


def test_that_a_version_was_published_is_no_move(model: Path) -> None:
    write_down_number(model, "11")

    assert read_history(model) == []


def test_an_alias_is_taken_away_and_that_is_written_down(model: Path) -> None:
    move_alias(model, "champion", "1")
    move_alias(model, "challenger", "2")

    assert remove_alias(model, "challenger", by="demote") == "2"

    assert read_aliases(model) == {"champion": "1"}
    assert {**read_history(model)[-1], "at": ""} == {
        "at": "",
        "alias": "challenger",
        "from": "2",
        "to": None,
        "by": "demote",
    }
    with pytest.raises(ArtifactError, match="rent has no alias 'challenger'; there is champion"):
        remove_alias(model, "challenger")
