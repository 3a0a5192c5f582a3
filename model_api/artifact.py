"""One version of a model on disk: a folder whose manifest lists every file with its SHA-256.

    models/<name>/aliases.json           {"champion": "1"}
    models/<name>/<version>/manifest.json
                            signature.json    features and target
                            estimator.skops   the fitted estimator
                            reference.json    up to 1,000 real training rows and their true values
                            quality.json      cross-validated metrics
                            calibration.json  conformal scores, sorted
                            card.md           what a reader should know of the model

Everything is looked at before anything in it is loaded, and the bytes that are parsed are the bytes that were hashed.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from model_api.errors import ArtifactError
from model_api.signature import Columns, Signature, Value

T = TypeVar("T")
FORMAT = 1
MANIFEST = "manifest.json"
ALIASES = "aliases.json"
CHAMPION = "champion"
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
MAX_FILE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Manifest:
    """What a version says of itself."""

    name: str
    """Name of the model."""
    version: str
    """Number of this version."""
    title: str
    """What people call the model."""
    description: str
    """One or two sentences: what it predicts, and from what."""
    published_at: str
    """When it was published, ISO 8601 in UTC."""
    digest: str
    """SHA-256 over the hashes of all files, title and description: one digest means the same content."""
    files: Mapping[str, str]
    """SHA-256 of each file, by its name."""
    estimator: Mapping[str, Any]
    """Class of the estimator and the dtype of each column it was fitted on."""
    libraries: Mapping[str, str]
    """Versions of the libraries that made it."""
    synthetic: bool = False
    """Whether the training data was made up by a program."""


@dataclass(frozen=True)
class Reference:
    """The reference sample: real training rows, in columns, with their true values."""

    columns: Columns
    """Values by feature, n each."""
    target: list[Value]
    """True values, n."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.target)

    def row(self, position: int) -> dict[str, Value]:
        """Give one row as an instance."""
        return {name: column[position] for name, column in self.columns.items()}

    def slice(self, start: int, stop: int) -> "Reference":
        """Give the rows from `start` up to `stop`."""
        columns = {name: column[start:stop] for name, column in self.columns.items()}
        return Reference(columns, self.target[start:stop])


class Artifact:
    """A version's folder, opened but not loaded. Its files are read, checked and parsed when asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _read_manifest(folder)

    def read(self, name: str) -> bytes:
        """Give a file's bytes, checked against the manifest. Raises ArtifactError."""
        if name not in self.manifest.files:
            raise ArtifactError(f"{name} is not listed in {MANIFEST}")
        data = read_regular_file(self.folder / name)
        if hashlib.sha256(data).hexdigest() != self.manifest.files[name]:
            raise ArtifactError(f"{name} is not the file that was published: its SHA-256 differs")
        return data

    @cached_property
    def signature(self) -> Signature:
        """The model's features and target."""
        return self._parse("signature.json", Signature.from_dict)

    @cached_property
    def reference(self) -> Reference:
        """The reference sample."""
        return self._parse("reference.json", lambda data: Reference(data["columns"], data["target"]))

    @cached_property
    def quality(self) -> dict[str, Any]:
        """Cross-validated metrics."""
        return self._parse("quality.json", dict)

    @cached_property
    def calibration(self) -> list[float]:
        """Conformal scores of the training rows, ascending."""
        return self._parse("calibration.json", lambda data: [float(score) for score in data["scores"]])

    @cached_property
    def card(self) -> str:
        """The model card, in Markdown."""
        return self.read("card.md").decode()

    def check(self) -> None:
        """Read and check every part now, so that no request meets a broken one. Raises ArtifactError."""
        _ = self.signature, self.reference, self.quality, self.calibration, self.card

    def _parse(self, name: str, build: Callable[[Any], T]) -> T:
        try:
            return build(_read_json(self.read(name)))
        except (ValueError, TypeError, KeyError) as error:
            raise ArtifactError(f"{name} is not what it should be: {error}") from error


def _read_manifest(folder: Path) -> Manifest:
    try:
        data = _read_json(read_regular_file(folder / MANIFEST))
        if data.pop("format") != FORMAT:
            raise ArtifactError(f"{MANIFEST} is of another format than {FORMAT}")
        manifest = Manifest(**data)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactError(f"{MANIFEST} is not a manifest: {error}") from error
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise ArtifactError(f"{MANIFEST} is of {manifest.name}/{manifest.version}, not of this folder")
    return manifest


def read_regular_file(path: Path) -> bytes:
    """Read a file in one go, without following a link. Raises ArtifactError when it is absent, odd or too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{path.name} is not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise ArtifactError(f"{path.name} is larger than {MAX_FILE_BYTES} bytes")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def _read_json(data: bytes) -> Any:
    """Read JSON, but not NaN or Infinity, which could not be sent on. Raises ValueError."""
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def digest_of(files: Mapping[str, str], about: Mapping[str, Any]) -> str:
    """Give one hash for a set of files with their hashes, and for what is said about them."""
    return hashlib.sha256(json.dumps([files, about], sort_keys=True).encode()).hexdigest()


def versions_of(model: Path) -> list[str]:
    """List the version numbers in a model's folder, oldest first."""
    return sorted((p.name for p in model.iterdir() if VERSION.fullmatch(p.name) and p.is_dir()), key=int)


def models_in(folder: Path) -> list[Path]:
    """List the model folders in a models folder, by name; none when the folder does not exist."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if MODEL_NAME.fullmatch(p.name) and p.is_dir() and versions_of(p))


def read_aliases(model: Path) -> dict[str, str]:
    """Read which alias means which version. Raises ArtifactError."""
    try:
        aliases = _read_json(read_regular_file(model / ALIASES))
        return {str(alias): str(version) for alias, version in aliases.items()}
    except (ValueError, AttributeError) as error:
        raise ArtifactError(f"{ALIASES} is not a table of aliases: {error}") from error
