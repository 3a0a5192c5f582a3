"""A version's folder, written aside and renamed into place, so that nobody ever sees half of it."""

import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from model_api.artifact import (
    ALIASES,
    FORMAT,
    MANIFEST,
    MODEL_NAME,
    Artifact,
    Reference,
    digest_of,
    read_aliases,
    versions_of,
)
from model_api.errors import ArtifactError
from model_api.signature import Signature

ALIAS = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
LIBRARIES = ("servery", "scikit-learn", "skops", "numpy", "pandas")


@dataclass(frozen=True)
class Draft:
    """Everything that a new version will hold."""

    title: str
    description: str
    synthetic: bool
    signature: Signature
    estimator: bytes
    estimator_class: str
    dtypes: Mapping[str, str]
    reference: Reference
    quality: Mapping[str, Any]
    scores: list[float]
    card: str

    def files(self) -> dict[str, bytes]:
        """Give every file but the manifest."""
        return {
            "signature.json": _json(self.signature.to_dict()),
            "estimator.skops": self.estimator,
            "reference.json": _json(asdict(self.reference)),
            "quality.json": _json(self.quality),
            "calibration.json": _json({"scores": self.scores}),
            "card.md": self.card.encode(),
        }


def write_version(models: Path, name: str, draft: Draft, alias: str) -> Path:
    """Write the next version of a model and point `alias` at it; the same bytes again make no new version.

    Raises ValueError for a name that cannot be served.
    """
    if not MODEL_NAME.fullmatch(name):
        raise ValueError(f"the model name {name!r} must match {MODEL_NAME.pattern}")
    if not ALIAS.fullmatch(alias):
        raise ValueError(f"the alias {alias!r} must match {ALIAS.pattern}")
    model = models / name
    model.mkdir(parents=True, exist_ok=True)
    files = draft.files()
    hashes = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    about = {"title": draft.title, "description": draft.description, "synthetic": draft.synthetic}
    manifest = {**about, "digest": digest_of(hashes, about), "files": hashes, **_provenance(draft)}
    folder = _published_already(model, manifest["digest"]) or _write(model, files, manifest)
    _set_alias(model, alias, folder.name)
    return folder


def _published_already(model: Path, digest: str) -> Path | None:
    for number in versions_of(model):
        try:
            if Artifact(model / number).manifest.digest == digest:
                return model / number
        except ArtifactError:
            continue  # a broken version is not the one that is being published
    return None


def _write(model: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Path:
    aside = Path(tempfile.mkdtemp(prefix=".publishing-", dir=model))
    try:
        for path, data in files.items():
            _write_durably(aside / path, data)
        while True:
            number = str(max(map(int, versions_of(model)), default=0) + 1)
            whole = {"format": FORMAT, "name": model.name, "version": number, **manifest}
            _write_durably(aside / MANIFEST, _json(whole))
            try:
                aside.rename(model / number)
            except OSError:  # another publisher took the number in between
                if not (model / number).exists():
                    raise
            else:
                (model / number).chmod(0o755)
                return model / number
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _provenance(draft: Draft) -> dict[str, Any]:
    return {
        "published_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "estimator": {"class": draft.estimator_class, "dtypes": draft.dtypes},
        "libraries": {"python": platform.python_version(), **{name: installed(name) for name in LIBRARIES}},
    }


def _set_alias(model: Path, alias: str, number: str) -> None:
    aliases = read_aliases(model) if (model / ALIASES).exists() else {}
    aside = model / f".{ALIASES}.{os.getpid()}"
    try:
        _write_durably(aside, _json({**aliases, alias: number}))
        aside.replace(model / ALIASES)
    finally:
        aside.unlink(missing_ok=True)


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()
