"""Where models are kept: a folder of this machine, or any place that fsspec reaches (`s3://`, `gs://`, `az://`, …).

What is elsewhere is served from a copy in a local cache. A version is fetched aside, every file checked against the
manifest, and renamed into place as a whole; it is fetched once, because a version never changes. What was fetched stays
when the place cannot be reached.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_api.artifact import ALIASES, FORMAT, MANIFEST, MAX_FILE_BYTES, MODEL_NAME, VERSION, parse_json
from model_api.errors import ArtifactError, OperatorError
from model_api.folders import HISTORY, TRAFFIC, write_aside, write_durably

REMOTE = re.compile(r"[a-z][a-z0-9+.-]+://", re.ASCII)
TABLES = (ALIASES, TRAFFIC, HISTORY)
"""Files beside the versions."""
MOST_TABLE_BYTES = 2**22


class StoreFailed(OperatorError):
    """The place where models are kept cannot be reached, or what is there cannot be trusted."""


class LocalStore:
    """A folder of this machine; nothing has to be fetched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pull(self) -> None:
        """Do nothing: the folder is the place itself."""

    def push(self, model: str) -> None:
        """Do nothing: what was written is there."""


class RemoteStore:
    """A place elsewhere, and the copy of it that is served."""

    def __init__(self, url: str, cache: Path) -> None:
        """`cache`: folder for the copies of all places. Raises StoreFailed when nothing speaks the url's protocol."""
        import fsspec

        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreFailed(f"{url} cannot be reached: {error}") from error
        self._url = url
        self.folder = cache / hashlib.sha256(url.encode()).hexdigest()[:16]

    def pull(self) -> None:
        """Bring the copy up to date. Raises StoreFailed; what could be fetched is there nevertheless."""
        self.folder.mkdir(parents=True, exist_ok=True)
        problems: list[str] = []
        models = {name: self._names(name) for name in sorted(self._names("")) if MODEL_NAME.fullmatch(name)}
        models = {name: found for name, found in models.items() if any(map(VERSION.fullmatch, found))}
        for name, found in models.items():
            self._pull_model(name, found, problems)
        for copy in self.folder.iterdir():
            if copy.name not in models:
                shutil.rmtree(copy)
        if problems:
            raise StoreFailed("; ".join(problems))

    def push(self, model: str) -> None:
        """Bring what is new in the copy of one model to the place itself: a version's manifest last, aliases after."""
        here = self.folder / model
        there = set(self._names(model))
        for folder in sorted(path for path in here.iterdir() if VERSION.fullmatch(path.name)):
            if folder.name not in there or MANIFEST not in self._names(f"{model}/{folder.name}"):
                for file in sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST):
                    self._write(f"{model}/{folder.name}/{file.name}", file.read_bytes())
        for table in TABLES:
            if (here / table).exists():
                self._write(f"{model}/{table}", (here / table).read_bytes())

    def _pull_model(self, name: str, found: Sequence[str], problems: list[str]) -> None:
        copy = self.folder / name
        copy.mkdir(exist_ok=True)
        for version in sorted((item for item in found if VERSION.fullmatch(item)), key=int):
            if not (copy / version).exists():
                try:
                    self._pull_version(name, version)
                except ArtifactError as error:
                    problems.append(f"{name}/{version}: {error}")
        for table in TABLES:
            if table in found:
                data = self._read(f"{name}/{table}", MOST_TABLE_BYTES)
                if not (copy / table).exists() or (copy / table).read_bytes() != data:
                    write_aside(copy / table, data)
        for folder in copy.iterdir():
            if VERSION.fullmatch(folder.name) and folder.name not in found:
                shutil.rmtree(folder)

    def _pull_version(self, name: str, version: str) -> None:
        """Fetch a version aside, check it, and put it in place in one step. Raises ArtifactError."""
        place = f"{name}/{version}"
        if MANIFEST not in self._names(place):
            raise ArtifactError(f"it is incomplete: it has no {MANIFEST} yet")
        manifest = self._read(f"{place}/{MANIFEST}", MOST_TABLE_BYTES)
        files = _listed_files(manifest)
        aside = Path(tempfile.mkdtemp(prefix=".fetching-", dir=self.folder / name))
        try:
            for file, digest in files.items():
                data = self._read(f"{place}/{file}", MAX_FILE_BYTES)
                if hashlib.sha256(data).hexdigest() != digest:
                    raise ArtifactError(f"{file} is not the file that was published: its SHA-256 differs")
                write_durably(aside / file, data)
            write_durably(aside / MANIFEST, manifest)
            aside.rename(self.folder / name / version)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise

    def _names(self, place: str) -> list[str]:
        """List what lies in a folder of the place, by name; nothing when it does not exist."""
        try:
            self._files.invalidate_cache()
            listed: list[Any] = self._files.ls(self._path(place), detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:  # each protocol has errors of its own
            raise StoreFailed(f"{self._url} cannot be listed: {type(error).__name__}: {error}") from error
        return [str(path).rstrip("/").rpartition("/")[2] for path in listed]

    def _read(self, place: str, most: int) -> bytes:
        try:
            size = int(self._files.size(self._path(place)) or 0)
            if size > most:
                raise ArtifactError(f"{place.rpartition('/')[2]} is larger than {most} bytes")
            data: bytes = self._files.cat_file(self._path(place))
        except ArtifactError:
            raise
        except Exception as error:  # each protocol has errors of its own
            raise ArtifactError(f"{place} cannot be read: {type(error).__name__}: {error}") from error
        return data

    def _write(self, place: str, data: bytes) -> None:
        try:
            self._files.makedirs(self._path(place.rpartition("/")[0]), exist_ok=True)
            self._files.pipe_file(self._path(place), data)
        except Exception as error:  # each protocol has errors of its own
            raise StoreFailed(f"{self._url} cannot be written to: {type(error).__name__}: {error}") from error

    def _path(self, place: str) -> str:
        return f"{self._root.rstrip('/')}/{place}" if place else self._root


Store = LocalStore | RemoteStore


def open_store(models: str | Path, cache: Path | None = None) -> Store:
    """Open the place that an operator named: a path of this machine, or a url. Raises StoreFailed."""
    if isinstance(models, str) and REMOTE.match(models):
        return RemoteStore(models, cache or default_cache())
    return LocalStore(Path(models))


def default_cache() -> Path:
    """Give the folder for copies, where the system keeps such things."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "servery"


def _listed_files(manifest: bytes) -> dict[str, str]:
    """Read which files a manifest lists. Raises ArtifactError."""
    try:
        document = parse_json(manifest)
        files = {str(name): str(digest) for name, digest in document["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactError(f"{MANIFEST} is not a manifest: {error}") from error
    if document.get("format") != FORMAT:
        raise ArtifactError(f"{MANIFEST} is of another format than {FORMAT}")
    for name in files:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name, re.ASCII) or name == MANIFEST:
            raise ArtifactError(f"{MANIFEST} lists the file {name[:64]!r}")
    return files
