"""`/static/<hash>/<name>`: files named by their content."""

import gzip
import hashlib
import re

import pytest

from dashboard.assets import folder
from tests.dashboard.guest import Guest

NAMES = ["styles.css", "app.js", "icon.svg", "vendor/htmx/htmx.min.js"]


@pytest.fixture
def addresses(guest: Guest) -> dict[str, str]:
    """The address of each file that a page asks for, by name."""
    page = guest.page("/")
    found = [element.get("href") or element.get("src") or "" for tag in ("link", "script") for element in page.all(tag)]
    return {address.split("/", 3)[3]: address for address in found}


def test_a_page_asks_for_its_files_and_no_others(addresses: dict[str, str]) -> None:
    assert set(addresses) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_be_kept_for_good_because_its_address_is_its_content(
    guest: Guest, addresses: dict[str, str], name: str
) -> None:
    response = guest.get(addresses[name])

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert addresses[name].split("/")[2] == hashlib.sha256(response.data).hexdigest()[:12]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("styles.css", "text/css"), ("app.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
def test_a_file_has_its_media_type(guest: Guest, addresses: dict[str, str], name: str, kind: str) -> None:
    assert guest.get(addresses[name]).mimetype == kind


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_compressed_for_who_takes_it(guest: Guest, addresses: dict[str, str], name: str) -> None:
    plain = guest.get(addresses[name])
    packed = guest.get(addresses[name], headers={"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_the_script_that_is_served_is_the_one_that_was_reviewed(guest: Guest, addresses: dict[str, str]) -> None:
    sums = (folder("static") / "vendor" / "htmx" / "SHA256SUMS").read_text()

    served = guest.get(addresses["vendor/htmx/htmx.min.js"]).data

    assert f"{hashlib.sha256(served).hexdigest()}  htmx.min.js" in sums


@pytest.mark.parametrize("digest", ["000000000000", "0", "latest", "%20", "../x", "ffffffffffffffff"])
def test_another_hash_is_another_file_which_is_not_there(guest: Guest, digest: str) -> None:
    assert guest.get(f"/static/{digest}/app.js").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "../app.js",
        "%2e%2e/app.js",
        "..%2f..%2fpyproject.toml",
        "%252e%252e/app.js",
        "....//app.js",
        "/etc/passwd",
        "%00app.js",
        "app.js%00",
        "app.js/",
        "APP.JS",
        "vendor/htmx/LICENSE",
        "vendor/htmx/SHA256SUMS",
        "styles/base.css",
        "..\\app.js",
        ".",
        "",
    ],
)
def test_nothing_else_can_be_asked_for(guest: Guest, addresses: dict[str, str], name: str) -> None:
    digest = addresses["app.js"].split("/")[2]
    response = guest.ask("GET", f"/static/{digest}/{name}")

    assert response.status_code in (308, 404)
    assert b"byId" not in response.data


def test_styles_ask_for_nothing_from_elsewhere(guest: Guest, addresses: dict[str, str]) -> None:
    styles = guest.get(addresses["styles.css"]).text

    assert "@import" not in styles
    assert not re.findall(r"url\((?!['\"]?data:)", styles)


@pytest.mark.parametrize("name", ["app.js", "vendor/htmx/htmx.min.js"])
def test_no_script_names_a_map_that_is_not_there(guest: Guest, addresses: dict[str, str], name: str) -> None:
    assert "sourceMappingURL" not in guest.get(addresses[name]).text
