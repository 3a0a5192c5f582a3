"""Models that are kept elsewhere: fetched into a copy that is checked, and brought back."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from model_api.artifact import Artifact
from model_api.folders import move_alias, read_aliases
from model_api.stores import LocalStore, RemoteStore, StoreFailed, open_store


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path, published_small_models: Path) -> Iterator[str]:
    """A place elsewhere with the two small models: in memory, and in a folder that is reached by fsspec."""
    files = fsspec.filesystem(request.param)
    root = "/bucket/models" if request.param == "memory" else str(tmp_path / "elsewhere")
    files.put(f"{published_small_models}/", root, recursive=True)
    yield f"{request.param}://{root}"
    files.rm(root, recursive=True)


@pytest.fixture
def store(url: str, tmp_path: Path) -> RemoteStore:
    """The place, with an empty copy."""
    opened = open_store(url, tmp_path / "cache")
    assert isinstance(opened, RemoteStore)
    return opened


def write(url: str, place: str, data: bytes) -> None:
    files, root = fsspec.core.url_to_fs(url)
    files.makedirs(f"{root}/{place}".rpartition("/")[0], exist_ok=True)
    files.pipe_file(f"{root}/{place}", data)


def read(url: str, place: str) -> bytes:
    files, root = fsspec.core.url_to_fs(url)
    data: bytes = files.cat_file(f"{root}/{place}")
    return data


def test_a_path_is_a_folder_of_this_machine(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "models"))
    store.pull()
    store.push("rent")

    assert isinstance(store, LocalStore)
    assert store.folder == tmp_path / "models"


def test_a_copy_holds_what_is_there_and_every_file_is_checked(store: RemoteStore) -> None:
    store.pull()

    assert sorted(path.name for path in store.folder.iterdir()) == ["rent", "spam"]
    assert read_aliases(store.folder / "rent") == {"champion": "1"}
    Artifact(store.folder / "rent" / "1").check()


def test_copies_of_two_places_are_apart(tmp_path: Path) -> None:
    one, two = (open_store(f"memory://{name}", tmp_path) for name in "ab")

    assert one.folder != two.folder


def test_a_moved_alias_is_fetched_and_a_version_only_once(store: RemoteStore, url: str) -> None:
    store.pull()
    before = (store.folder / "rent" / "1" / "manifest.json").stat()

    write(url, "rent/aliases.json", b'{"champion": "1", "challenger": "1"}')
    store.pull()

    assert read_aliases(store.folder / "rent") == {"champion": "1", "challenger": "1"}
    assert (store.folder / "rent" / "1" / "manifest.json").stat() == before


def test_a_file_that_was_altered_is_not_fetched_and_the_others_are(store: RemoteStore, url: str) -> None:
    write(url, "rent/1/card.md", b"Trust me.")

    with pytest.raises(StoreFailed, match=r"rent/1: card\.md is not the file that was published: its SHA-256 differs"):
        store.pull()

    assert not (store.folder / "rent" / "1").exists()
    assert (store.folder / "spam" / "1" / "manifest.json").exists()
    assert not list(store.folder.rglob(".fetching-*"))


def test_a_version_without_its_manifest_is_not_there_yet(store: RemoteStore, url: str) -> None:
    files, root = fsspec.core.url_to_fs(url)
    manifest = read(url, "rent/1/manifest.json")
    files.rm_file(f"{root}/rent/1/manifest.json")

    with pytest.raises(StoreFailed, match=r"rent/1: it is incomplete: it has no manifest\.json yet"):
        store.pull()
    write(url, "rent/1/manifest.json", manifest)
    store.pull()

    assert (store.folder / "rent" / "1").is_dir()


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"{", "is not a manifest"),
        (b'{"format": 9, "files": {}}', "another format"),
        (b'{"format": 1, "files": {"../../x": "0"}}', "lists the file"),
        (b'{"format": 1, "files": {"manifest.json": "0"}}', "lists the file"),
        (b'{"format": 1, "files": 3}', "is not a manifest"),
    ],
)
def test_a_manifest_that_is_none_is_refused(store: RemoteStore, url: str, manifest: bytes, words: str) -> None:
    write(url, "rent/1/manifest.json", manifest)

    with pytest.raises(StoreFailed, match=words):
        store.pull()

    assert not list(store.folder.rglob("x"))


def test_what_is_gone_there_goes_here(store: RemoteStore, url: str) -> None:
    store.pull()
    files, root = fsspec.core.url_to_fs(url)
    files.rm(f"{root}/spam", recursive=True)

    store.pull()

    assert [path.name for path in store.folder.iterdir()] == ["rent"]


def test_names_that_cannot_be_served_are_left_where_they_are(store: RemoteStore, url: str) -> None:
    write(url, "Upper/1/manifest.json", b"{}")
    write(url, "readme.txt/x", b"")

    store.pull()

    assert sorted(path.name for path in store.folder.iterdir()) == ["rent", "spam"]


def test_a_new_version_and_a_moved_alias_are_brought_there(store: RemoteStore, url: str, tmp_path: Path) -> None:
    store.pull()
    copy = Path(shutil.copytree(store.folder / "rent" / "1", store.folder / "rent" / "2"))
    manifest = json.loads((copy / "manifest.json").read_bytes())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "version": "2"}))
    move_alias(store.folder / "rent", "champion", "2")

    store.push("rent")

    other = open_store(url, tmp_path / "another cache")
    other.pull()
    assert read_aliases(other.folder / "rent") == {"champion": "2"}
    Artifact(other.folder / "rent" / "2").check()


def test_a_place_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    store = open_store("memory://nowhere", tmp_path)
    store.pull()

    assert list(store.folder.iterdir()) == []


def test_a_protocol_that_nobody_speaks_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="gopher://models cannot be reached"):
        open_store("gopher://models", tmp_path)
