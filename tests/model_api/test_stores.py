"""Models that are kept elsewhere: fetched into a copy that is checked, and brought back."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from model_api.artifact import Artifact
from model_api.folders import highest_number, move_alias, read_aliases, write_down_number
from model_api.stores import LocalStore, NotAllFetched, RemoteStore, StoreFailed, open_store


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


def another_version(store: RemoteStore, title: str) -> Path:
    """Publish a second version of a model in the copy, as a publisher does: numbered by what the copy knows."""
    model = store.folder / "rent"
    number = str(highest_number(model) + 1)
    copy = Path(shutil.copytree(model / "1", model / number))
    manifest = json.loads((copy / "manifest.json").read_bytes())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "version": number, "title": title}))
    write_down_number(model, number)
    return copy


def test_of_two_who_publish_the_same_number_the_second_is_refused_and_gets_the_next(
    store: RemoteStore, url: str, tmp_path: Path
) -> None:
    other = open_store(url, tmp_path / "another cache")
    assert isinstance(other, RemoteStore)
    for each in (store, other):
        each.pull()
    another_version(store, "first")
    mine = another_version(other, "second")
    store.push("rent")

    with pytest.raises(StoreFailed, match=r"rent/2 was published to .* by somebody else meanwhile, so yours is not"):
        other.push("rent")
    assert not mine.exists()
    assert json.loads(read(url, "rent/2/manifest.json"))["title"] == "first"

    other.pull()
    assert Artifact(other.folder / "rent" / "2").manifest.title == "first"
    another_version(other, "second")
    other.push("rent")
    assert json.loads(read(url, "rent/3/manifest.json"))["title"] == "second"


def test_a_version_that_somebody_else_has_begun_to_publish_is_not_mixed_with(store: RemoteStore, url: str) -> None:
    store.pull()
    another_version(store, "mine")
    write(url, "rent/2/card.md", b"# Theirs")

    with pytest.raises(StoreFailed, match=r"rent/2 in .* holds other files already, and no manifest\.json"):
        store.push("rent")
    assert read(url, "rent/2/card.md") == b"# Theirs"


def test_what_was_interrupted_is_brought_to_its_end(store: RemoteStore, url: str) -> None:
    store.pull()
    version = another_version(store, "mine")
    write(url, "rent/2/card.md", (version / "card.md").read_bytes())

    store.push("rent")

    assert read(url, "rent/2/manifest.json") == (version / "manifest.json").read_bytes()


def test_a_place_that_cannot_be_written_to_leaves_nothing_in_the_copy(
    tmp_path: Path, published_small_models: Path
) -> None:
    store = open_store(f"memory:///{tmp_path.name}", tmp_path)
    assert isinstance(store, RemoteStore)
    store.pull()
    shutil.copytree(published_small_models / "rent", store.folder / "rent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_write", no_permission)
        with pytest.raises(StoreFailed, match="no permission"):
            store.push("rent")

    assert list(store.folder.iterdir()) == []
    store.pull()


def no_permission(place: str, data: bytes) -> None:
    raise StoreFailed("no permission")


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_what_was_fetched_stays_when_the_place_holds_nothing_any_more(store: RemoteStore, url: str, how: str) -> None:
    store.pull()
    files, root = fsspec.core.url_to_fs(url)
    files.rm(root, recursive=True)
    files.makedirs(root if how == "empty" else f"{root}-other", exist_ok=True)

    with pytest.raises(StoreFailed, match="is missing or holds no model any more; what was fetched before is kept"):
        store.pull()

    assert sorted(path.name for path in store.folder.iterdir()) == ["rent", "spam"]
    files.makedirs(root, exist_ok=True)


def test_a_broken_version_is_told_apart_from_a_place_that_cannot_be_reached(store: RemoteStore, url: str) -> None:
    write(url, "rent/1/card.md", b"Trust me.")

    with pytest.raises(NotAllFetched):
        store.pull()


def test_a_broken_version_keeps_its_number(store: RemoteStore, url: str) -> None:
    write(url, "rent/7/card.md", b"# Half")

    with pytest.raises(NotAllFetched, match="rent/7: it is incomplete"):
        store.pull()

    assert highest_number(store.folder / "rent") == 7


def test_a_version_that_was_replaced_is_fetched_again(store: RemoteStore, url: str, tmp_path: Path) -> None:
    store.pull()
    manifest = json.loads(read(url, "rent/1/manifest.json"))
    write(url, "rent/1/manifest.json", json.dumps({**manifest, "title": "Other"}).encode())
    write(url, "rent/history.jsonl", b'{"published": "1"}\n')
    store.pull()
    assert Artifact(store.folder / "rent" / "1").manifest.title == "Other"

    write(url, "rent/1/manifest.json", json.dumps({**manifest, "title": "A third"}).encode())
    open_store(url, tmp_path / "cache").pull()  # a service that was started anew
    assert Artifact(store.folder / "rent" / "1").manifest.title == "A third"


@pytest.mark.parametrize("table", ["traffic.json", "decisions.json"])
def test_a_table_that_is_gone_there_goes_here(store: RemoteStore, url: str, table: str) -> None:
    write(url, f"rent/{table}", b"{}")
    store.pull()
    assert (store.folder / "rent" / table).exists()
    files, root = fsspec.core.url_to_fs(url)
    files.rm_file(f"{root}/rent/{table}")

    store.pull()

    assert not (store.folder / "rent" / table).exists()


def test_a_place_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    store = open_store("memory://nowhere", tmp_path)
    store.pull()

    assert list(store.folder.iterdir()) == []


def test_a_protocol_that_nobody_speaks_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="gopher://models cannot be reached"):
        open_store("gopher://models", tmp_path)
