"""Static files, named by their content."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from dashboard.assets import SERVED, STYLES, Assets, folder

HTMX = folder("static") / "vendor" / "htmx"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small folder of static files."""
    (tmp_path / "styles").mkdir()
    for name in STYLES:
        (tmp_path / "styles" / f"{name}.css").write_text(f".{name} {{}}\n")
    (tmp_path / "app.js").write_text("let a = 1;\n")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "lib.js").write_text("let b = 2;\n")
    (tmp_path / "secret.env").write_text("KEY=1\n")
    return tmp_path


def test_the_address_of_a_file_holds_the_hash_of_its_content(root: Path) -> None:
    before = Assets(root).url("app.js")
    (root / "app.js").write_text("let a = 2;\n")
    after = Assets(root).url("app.js")

    assert re.fullmatch(r"/static/[0-9a-f]{12}/app\.js", before)
    assert after != before


def test_all_styles_are_one_file_from_general_to_specific(root: Path) -> None:
    assets = Assets(root)
    _, _, digest, name = assets.url("styles.css").split("/")

    styles = assets.find(digest, name)

    assert styles
    assert styles.data.decode() == "".join(f".{name} {{}}\n" for name in STYLES)
    assert assets.find(digest, "styles/base.css") is None


def test_a_file_is_found_by_its_name_and_hash_only(root: Path) -> None:
    assets = Assets(root)
    digest = assets.url("vendor/lib.js").split("/")[2]

    assert assets.find(digest, "vendor/lib.js")
    assert assets.find("0" * 12, "vendor/lib.js") is None
    assert assets.find("", "vendor/lib.js") is None
    assert assets.find(digest, "app.js") is None
    assert assets.find(digest, "vendor/../vendor/lib.js") is None


def test_only_what_a_page_needs_is_served(root: Path) -> None:
    with pytest.raises(KeyError):
        Assets(root).url("secret.env")
    with pytest.raises(KeyError):
        Assets(root).url("vendor")


def test_a_file_is_compressed_to_the_same_bytes_each_time(root: Path) -> None:
    def compressed() -> bytes:
        assets = Assets(root)
        found = assets.find(assets.url("app.js").split("/")[2], "app.js")
        assert found
        return found.compressed

    assert gzip.decompress(compressed()) == b"let a = 1;\n"
    assert compressed() == compressed()
    assert compressed()[4:8] == bytes(4)  # the time in the head of a gzip file


@pytest.mark.parametrize(
    ("name", "kind"), [("app.js", "text/javascript"), ("styles.css", "text/css"), ("icon.svg", "image/svg+xml")]
)
def test_a_file_has_its_media_type(name: str, kind: str) -> None:
    assets = Assets(folder("static"))
    found = assets.find(assets.url(name).split("/")[2], name)

    assert found
    assert found.media_type == kind


def test_every_stylesheet_of_the_folder_is_served() -> None:
    assert {path.stem for path in (folder("static") / "styles").iterdir()} == set(STYLES)
    assert set(SERVED) == {".css", ".js", ".svg"}


def test_the_vendored_htmx_is_the_file_that_was_reviewed() -> None:
    lines = [line.split() for line in (HTMX / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}

    assert "htmx.min.js" in sums
    assert sums == {name: hashlib.sha256((HTMX / name).read_bytes()).hexdigest() for name in sums}


def test_the_vendored_htmx_says_its_version_itself() -> None:
    version = re.search(r"^version: (.+)$", (HTMX / "VERSION").read_text(), re.MULTILINE)

    assert version
    assert f'"{version[1]}"' in (HTMX / "htmx.min.js").read_text()


def test_our_own_script_stays_small() -> None:
    assert (folder("static") / "app.js").stat().st_size <= 2560
