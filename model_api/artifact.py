"""One version of a model on disk: a folder whose manifest lists every file with its SHA-256.

    models/<name>/<version>/manifest.json
                            signature.json    features and target
                            estimator.skops   the fitted estimator (or estimator.pickle, which servers refuse)
                            plan.json …       compiled forms that were proved equal to it: see runtimes/
                            parity.json       the proof: which form, on how many rows, or why not
                            examples.json     instances with the estimator's answers, tried before anything is served
                            reference.json    up to 1,000 real training rows and their true values
                            quality.json      metrics, curves, slices and importance; null without data
                            calibration.json  conformal scores, sorted, a list for each number of a prediction; and
                                              by the size of the number, where they differ with it
                            card.md           what a reader should know of the model

Everything is looked at before anything in it is loaded, and the bytes that are parsed are the bytes that were hashed.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from model_api.errors import ArtifactError
from model_api.facts import FLAG, TEXT, read_quality, read_signature, require_facts
from model_api.signature import Columns, Signature
from model_api.values import Value

T = TypeVar("T")
FORMAT = 1
MANIFEST = "manifest.json"
ALIASES = "aliases.json"
PARITY = "parity.json"
ESTIMATORS = ("estimator.skops", "estimator.pickle")
"""The file that holds the estimator; never both."""
CHAMPION = "champion"
WORDS = {
    **dict.fromkeys(("name", "version", "title", "description", "published_at", "digest"), TEXT),
    "synthetic": FLAG,
}
"""What a manifest says in words."""
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
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
    sizes: Mapping[str, int]
    """Bytes of each file, by its name: a shorter one is still being copied."""
    estimator: Mapping[str, Any]
    """Class of the estimator, the columns it was fitted on, and how it is to be asked."""
    libraries: Mapping[str, str]
    """Versions of the libraries that made it."""
    timings: Mapping[str, Any] = field(default_factory=dict)
    """How long each form took where it was published: one row in µs, a thousand in ms."""
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


@dataclass(frozen=True)
class Examples:
    """Instances, and what the estimator answered for them when it was published."""

    columns: Columns
    """Values by feature, n each."""
    numbers: list[Any] | None
    """Regression: n predictions."""
    labels: list[int] | None
    """Classification: n positions among the classes."""
    probabilities: list[list[float]] | None
    """Classification: n × k."""
    scale: float | list[float]
    """Size below which differences are measured against it, for each number of a prediction."""


@dataclass(frozen=True)
class ScoreGroups:
    """Conformal scores of a number by its size, where large numbers are predicted better or worse than small ones."""

    edges: tuple[float, ...]
    """Predicted numbers with which the next group begins, ascending; one less than groups."""
    scores: tuple[tuple[float, ...], ...]
    """Scores of each group, ascending."""

    def __post_init__(self) -> None:
        """Look at the shape, because it comes from a file. Raises ValueError."""
        if len(self.scores) != len(self.edges) + 1 or not all(self.scores) or list(self.edges) != sorted(self.edges):
            raise ValueError("the groups of its scores are not one more than their edges, or are empty")


class Artifact:
    """A version's folder, opened but not loaded. Its files are read, checked and parsed when asked for."""

    def __init__(self, folder: Path, *, anywhere: bool = False) -> None:
        """Read the manifest, which has to be that of this folder, unless the folder may be `anywhere`."""
        self.folder = folder
        data = _manifest_bytes(folder)
        self.manifest_hash = hashlib.sha256(data).hexdigest()
        self.manifest = _read_manifest(data)
        manifest = self.manifest
        if not anywhere and (manifest.name, manifest.version) != (folder.parent.name, folder.name):
            raise ArtifactError(f"{MANIFEST} is of {manifest.name}/{manifest.version}, not of this folder")

    def read(self, name: str) -> bytes:
        """Give a file's bytes, checked against the manifest. Raises ArtifactError."""
        if name not in self.manifest.files:
            raise ArtifactError(f"{name} is not listed in {MANIFEST}")
        data = read_regular_file(self.folder / name)
        promised = self.manifest.sizes.get(name)
        if promised is not None and len(data) < promised:
            raise ArtifactError(f"{name} is incomplete: {len(data):,} of {promised:,} bytes are there")
        if hashlib.sha256(data).hexdigest() != self.manifest.files[name]:
            raise ArtifactError(f"{name} is not the file that was published: its SHA-256 differs")
        return data

    @cached_property
    def signature(self) -> Signature:
        """The model's features and target."""
        return self._parse("signature.json", read_signature)

    @cached_property
    def reference(self) -> Reference:
        """The reference sample."""
        return self._parse("reference.json", lambda data: Reference(data["columns"], data["target"]))

    @cached_property
    def quality(self) -> dict[str, Any] | None:
        """Metrics, curves, slices and importance; None when it was published without data."""
        return self._parse("quality.json", read_quality)

    @cached_property
    def forms(self) -> dict[str, dict[str, Any]]:
        """What the proof says of each compiled form."""
        return self._parse("parity.json", lambda data: {name: dict(form) for name, form in data["forms"].items()})

    def require_proof(self) -> None:
        """Show that the compiled forms were proved equal to the estimator that is here. Raises ArtifactError."""
        proved = self._parse(PARITY, lambda data: data.get("estimator"))
        files = self.manifest.files
        if proved != next((files[name] for name in ESTIMATORS if name in files), None):
            raise ArtifactError("the compiled forms were proved equal to another estimator than the one that is here")

    @cached_property
    def examples(self) -> "Examples":
        """Instances with the estimator's answers."""
        return self._parse("examples.json", lambda data: Examples(**data))

    @cached_property
    def calibration(self) -> list[list[float]]:
        """Conformal scores of rows that the model had not seen, ascending; a list for each number of a prediction."""
        return self._parse("calibration.json", lambda data: [list(map(float, scores)) for scores in data["scores"]])

    @cached_property
    def calibration_groups(self) -> list[ScoreGroups | None]:
        """Of each number of a prediction the same scores by its size, None where that makes no difference."""
        return self._parse("calibration.json", _groups)

    @cached_property
    def card(self) -> str:
        """The model card, in Markdown."""
        return self.read("card.md").decode()

    def check(self) -> None:
        """Read and check every part now, so that no request meets a broken one. Raises ArtifactError."""
        for name in self.manifest.files:
            self.read(name)
        _ = self.signature, self.reference, self.quality, self.card, self.forms, self.examples
        _ = self.calibration, self.calibration_groups
        self.require_proof()

    def _parse(self, name: str, build: Callable[[Any], T]) -> T:
        try:
            return build(parse_json(self.read(name)))
        except (ValueError, TypeError, KeyError) as error:
            raise ArtifactError(f"{name} is not what it should be: {error}") from error


def _groups(data: Any) -> list[ScoreGroups | None]:
    told = data["groups"] if "groups" in data else [None] * len(data["scores"])
    if len(told) != len(data["scores"]):
        raise ValueError("it has groups of other numbers than it has scores of")
    return [group and ScoreGroups(_floats(group["edges"]), tuple(map(_floats, group["scores"]))) for group in told]


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(map(float, values))


def _manifest_bytes(folder: Path) -> bytes:
    if not (folder / MANIFEST).exists():
        raise ArtifactError(f"it is incomplete: it has no {MANIFEST} yet")
    return read_regular_file(folder / MANIFEST)


def _read_manifest(data: bytes) -> Manifest:
    try:
        document = parse_json(data)
        if document.pop("format") != FORMAT:
            raise ArtifactError(f"{MANIFEST} is of another format than {FORMAT}")
        manifest = Manifest(**document)
        _require_tables(manifest)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactError(f"{MANIFEST} is not a manifest: {error}") from error
    return manifest


def _require_tables(manifest: Manifest) -> None:
    """Look at the types of what is looked up or told later; raises TypeError or ValueError."""
    require_facts("it", {key: getattr(manifest, key) for key in WORDS}, WORDS)
    for name, digest in manifest.files.items():
        if FILE_NAME.fullmatch(name) is None or not isinstance(digest, str):
            raise ValueError(f"it lists the file {name[:64]!r}")
    if not all(isinstance(size, int) for size in manifest.sizes.values()):
        raise TypeError("the sizes of its files are no numbers")
    if not isinstance(manifest.estimator, dict):
        raise TypeError("what it says of the estimator is no table")
    for key in ("libraries", "timings"):
        if not isinstance(getattr(manifest, key), dict):
            raise TypeError(f"what it says of the {key} is no table")


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


def parse_json(data: bytes) -> Any:
    """Read JSON, but no NaN or Infinity, which could not be sent on, and no key twice. Raises ValueError."""
    try:
        return json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("it names a key twice")
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def digest_of(files: Mapping[str, str], about: Mapping[str, Any]) -> str:
    """Give one hash for a set of files with their hashes, and for what is said about them.

    The record of the proof is left out: how large the largest difference was may depend on the machine.
    """
    content = {name: digest for name, digest in files.items() if name != PARITY}
    return hashlib.sha256(json.dumps([content, about], sort_keys=True).encode()).hexdigest()
