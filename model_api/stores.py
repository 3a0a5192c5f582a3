"""Where models are kept: a folder of this machine, or any place that fsspec reaches (`s3://`, `gs://`, `az://`, …).

What is elsewhere is served from a copy in a local cache. A version is fetched aside, every file checked against the
manifest, and renamed into place as a whole; it is fetched once, because a version never changes, and again only where
the model's history shows that somebody replaced it. What was fetched stays when the place cannot be reached or holds no
model any more.
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
from model_api.folders import DECISIONS, HISTORY, NEWEST, TRAFFIC, versions_of, write_aside, write_durably

REMOTE = re.compile(r"[a-z][a-z0-9+.-]+://", re.ASCII)
TABLES = (ALIASES, TRAFFIC, DECISIONS, HISTORY)
"""Files beside the versions."""
MOST_TABLE_BYTES = 2**22


class StoreFailed(OperatorError):
    """The place where models are kept cannot be reached, or what is there cannot be trusted."""


class NotAllFetched(StoreFailed):
    """The place was reached, but some versions there cannot be fetched; all others were."""


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
        self._compared: set[str] = set()
        """Models whose copies were compared with the place, version by version."""
        self.folder = cache / hashlib.sha256(url.encode()).hexdigest()[:16]

    def pull(self) -> None:
        """Bring the copy up to date. Raises StoreFailed; what could be fetched is there nevertheless."""
        self.folder.mkdir(parents=True, exist_ok=True)
        problems: list[str] = []
        models = self._models()
        for name, found in models.items():
            self._pull_model(name, found, problems)
        for copy in self.folder.iterdir():
            if copy.name not in models:
                shutil.rmtree(copy)
        if problems:
            raise NotAllFetched("; ".join(problems))

    def push(self, model: str) -> None:
        """Bring what is new in the copy of one model to the place itself: a version's manifest last, aliases after.

        Raises StoreFailed; a version that could not be brought there is not kept here either.
        """
        here = self.folder / model
        for version in versions_of(here):
            try:
                self._push_version(f"{model}/{version}", here / version)
            except StoreFailed:
                shutil.rmtree(here / version)
                if not versions_of(here):
                    shutil.rmtree(here)
                raise
        for table in TABLES:
            if (here / table).exists():
                self._write(f"{model}/{table}", (here / table).read_bytes())

    def _push_version(self, place: str, folder: Path) -> None:
        """Bring a version to the place. Raises StoreFailed when another one has its number there."""
        there = self._names(place)
        if MANIFEST not in there:
            for file in sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST):
                data = file.read_bytes()
                if file.name in there and self._read(f"{place}/{file.name}", MAX_FILE_BYTES) != data:
                    begun = f"{place} in {self._url} holds other files already, and no {MANIFEST}"
                    raise StoreFailed(f"{begun}: somebody is publishing it, or was interrupted and should delete it")
                self._write(f"{place}/{file.name}", data)
        if self._read(f"{place}/{MANIFEST}", MOST_TABLE_BYTES) != (folder / MANIFEST).read_bytes():
            raise StoreFailed(
                f"{place} was published to {self._url} by somebody else meanwhile, so yours is not there: publish it "
                "again, and it gets the next number"
            )

    def _models(self) -> dict[str, list[str]]:
        """List the models of the place, and what lies in each. Raises StoreFailed when they are all gone at once."""
        models = {name: self._names(name) for name in sorted(self._names("")) if MODEL_NAME.fullmatch(name)}
        models = {name: found for name, found in models.items() if any(map(VERSION.fullmatch, found))}
        if not models and any(self.folder.iterdir()):
            raise StoreFailed(
                f"{self._url} is missing or holds no model any more; what was fetched before is kept: delete "
                f"{self.folder} if that is meant"
            )
        return models

    def _pull_model(self, name: str, found: Sequence[str], problems: list[str]) -> None:
        copy = self.folder / name
        copy.mkdir(exist_ok=True)
        versions = sorted((item for item in found if VERSION.fullmatch(item)), key=int)
        try:
            tables = {table: self._read(f"{name}/{table}", MOST_TABLE_BYTES) for table in TABLES if table in found}
        except ArtifactError as error:
            problems.append(f"{name}: {error}")
            return
        again = name not in self._compared or tables.get(HISTORY) != _bytes_of(copy / HISTORY)
        for version in versions:
            try:
                if again or not (copy / version).exists():
                    self._pull_version(name, version)
            except ArtifactError as error:
                problems.append(f"{name}/{version}: {error}")
        self._compared.add(name)
        for table, data in {**tables, NEWEST: versions[-1].encode()}.items():
            if _bytes_of(copy / table) != data:
                write_aside(copy / table, data)
        for path in copy.iterdir():
            if VERSION.fullmatch(path.name) and path.name not in found:
                shutil.rmtree(path)
            elif path.name in TABLES and path.name not in tables:
                path.unlink()

    def _pull_version(self, name: str, version: str) -> None:
        """Fetch a version aside, check it, and put it in place, unless it is there already. Raises ArtifactError."""
        place, here = f"{name}/{version}", self.folder / name / version
        if MANIFEST not in self._names(place):
            raise ArtifactError(f"it is incomplete: it has no {MANIFEST} yet")
        manifest = self._read(f"{place}/{MANIFEST}", MOST_TABLE_BYTES)
        if _bytes_of(here / MANIFEST) == manifest:
            return
        files = _listed_files(manifest)
        aside = Path(tempfile.mkdtemp(prefix=".fetching-", dir=self.folder / name))
        try:
            for file, digest in files.items():
                data = self._read(f"{place}/{file}", MAX_FILE_BYTES)
                if hashlib.sha256(data).hexdigest() != digest:
                    raise ArtifactError(f"{file} is not the file that was published: its SHA-256 differs")
                write_durably(aside / file, data)
            write_durably(aside / MANIFEST, manifest)
            if here.exists():
                shutil.rmtree(here)
            aside.rename(here)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise

    def _names(self, place: str) -> list[str]:
        """List what lies in a folder of the place, by name; nothing when it does not exist. Raises StoreFailed."""
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


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


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
