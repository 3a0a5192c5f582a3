"""Static files: read once, named by their content, compressed once. Templates ask `asset("app.js")` for an address."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).parent
STYLES = ("tokens", "base", "components", "index", "predict", "panels", "about", "predict_results", "print")
"""From general to specific; served as one file, styles.css."""
SERVED = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Suffix → media type; not the machine's table, which may call a script plain text."""


def folder(name: str) -> Path:
    """Find `static` or `templates`: inside the package when installed, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


@dataclass(frozen=True)
class Asset:
    """One static file."""

    name: str
    """Path below static/."""
    data: bytes
    """Its bytes."""

    @cached_property
    def digest(self) -> str:
        """Short hash of the content, part of the address: another content is another address."""
        return hashlib.sha256(self.data).hexdigest()[:12]

    @cached_property
    def compressed(self) -> bytes:
        """The bytes for a browser that takes gzip."""
        return gzip.compress(self.data, 9, mtime=0)

    @property
    def media_type(self) -> str:
        """Content type."""
        return SERVED[Path(self.name).suffix]


class Assets:
    """All static files, by name. A request names one of them or gets nothing: no path is ever built from it."""

    def __init__(self, root: Path) -> None:
        styles = b"".join((root / "styles" / f"{name}.css").read_bytes() for name in STYLES)
        self._assets = {"styles.css": Asset("styles.css", styles)}
        for path in root.rglob("*"):
            name = path.relative_to(root).as_posix()
            if path.suffix in SERVED and not name.startswith("styles/"):
                self._assets[name] = Asset(name, path.read_bytes())

    def find(self, digest: str, name: str) -> Asset | None:
        """Find a file by its name and the hash of its content."""
        asset = self._assets.get(name)
        return asset if asset and asset.digest == digest else None

    def url(self, name: str) -> str:
        """Give the address of a file."""
        return f"/static/{self._assets[name].digest}/{name}"
