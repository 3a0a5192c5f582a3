"""The documentation page needs nothing from elsewhere."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

import model_api

STATIC = Path(model_api.__file__).parent / "static"
VENDORED = STATIC / "vendor" / "swagger-ui"
SUMS = {line.split()[1]: line.split()[0] for line in (VENDORED / "SHA256SUMS").read_text().splitlines()}


class References(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 # as inherited
        self.found += [value for name, value in attrs if name in ("src", "href", "action", "data") and value]


@pytest.fixture
def references(client: TestClient) -> list[str]:
    page = References()
    page.feed(client.get("/docs").text)
    return page.found


def test_the_page_refers_only_to_paths_of_this_service(references: list[str]) -> None:
    assert len(references) == 4
    for reference in references:
        parts = urlsplit(reference)
        assert (parts.scheme, parts.netloc) == ("", "")
        assert parts.path.startswith("/docs/")


def test_everything_that_the_page_refers_to_is_there(client: TestClient, references: list[str]) -> None:
    for reference in references:
        answer = client.get(reference)
        assert answer.status_code == 200
        assert answer.content


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/start.js", "text/javascript; charset=utf-8"),
        ("/docs/icon.svg", "image/svg+xml"),
        ("/docs/swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
        ("/docs/swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ],
)
def test_every_part_is_served_as_what_it_is(client: TestClient, path: str, content_type: str) -> None:
    assert client.get(path).headers["Content-Type"] == content_type


def test_the_script_asks_for_our_own_document(client: TestClient) -> None:
    (url,) = re.findall(r'url: "([^"]*)"', client.get("/docs/start.js").text)

    assert url == "/openapi.json"
    assert client.get(url).status_code == 200


def test_the_stylesheet_loads_nothing_from_elsewhere(client: TestClient) -> None:
    style = client.get("/docs/swagger-ui/swagger-ui.css").text

    assert "@import" not in style
    assert {urlsplit(url.strip("'\"")).scheme for url in re.findall(r"url\(([^)]*)\)", style)} <= {"data"}


def test_the_page_allows_only_our_own_scripts_and_no_inline_ones(client: TestClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert re.findall(r"https?:|\*", policy) == []
    assert "<script>" not in client.get("/docs").text


def test_the_checksums_cover_every_vendored_file() -> None:
    assert set(SUMS) == {path.name for path in VENDORED.iterdir()} - {"SHA256SUMS", "VERSION"}


@pytest.mark.parametrize("name", sorted(SUMS))
def test_a_vendored_file_is_the_one_that_was_checked(name: str) -> None:
    assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == SUMS[name]


def test_the_vendored_version_is_written_down() -> None:
    assert re.search(r"^version: \d+\.\d+\.\d+$", (VENDORED / "VERSION").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    [
        "/docs/swagger-ui/%2e%2e/%2e%2e/start.js",
        "/docs/swagger-ui/..%2f..%2fstart.js",
        "/docs/swagger-ui/..%5c..%5cstart.js",
        "/docs/swagger-ui//etc/passwd",
        "/docs/swagger-ui/%00",
        "/docs/swagger-ui/swagger-ui.css%00",
        f"/docs/swagger-ui/{'x' * 300}",
        "/docs/swagger-ui/",
        "/docs/swagger-ui",
    ],
)
def test_nothing_outside_the_vendored_folder_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
