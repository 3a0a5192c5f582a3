"""A version's folder, written aside and renamed into place, so that nobody ever sees half of it."""

import hashlib
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from model_api.artifact import CHAMPION, FORMAT, MANIFEST, MODEL_NAME, Artifact, digest_of
from model_api.errors import ArtifactError
from model_api.folders import (
    ALIAS,
    as_json,
    highest_number,
    move_alias,
    read_aliases,
    versions_of,
    write_down_number,
    write_durably,
)

LIBRARIES = ("servery", "scikit-learn", "skops", "numpy", "pandas", "onnxruntime", "skl2onnx")


@dataclass(frozen=True)
class Draft:
    """Everything that a new version will hold."""

    title: str
    description: str
    synthetic: bool
    estimator: Mapping[str, Any]
    """What the manifest says of the estimator."""
    timings: Mapping[str, Any]
    """How long each form took here; no part of the content, because it is never twice the same."""
    documents: Mapping[str, Any]
    """Files that are JSON."""
    files: Mapping[str, bytes]
    """All other files."""

    def all_files(self) -> dict[str, bytes]:
        """Give every file but the manifest."""
        return {**{name: as_json(document) for name, document in self.documents.items()}, **self.files}


def write_version(models: Path, name: str, draft: Draft, alias: str | None) -> Path:
    """Write the next version of a model; the same content again makes no new version.

    `alias` is pointed at it; without one, the champion where there is none yet: who has a champion promotes the next
    one when it has been looked at. Raises ValueError for a name that cannot be served.
    """
    require_name(name, alias)
    model = models / name
    model.mkdir(parents=True, exist_ok=True)
    files = draft.all_files()
    hashes = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    about = {"title": draft.title, "description": draft.description, "synthetic": draft.synthetic}
    sizes = {path: len(data) for path, data in files.items()}
    manifest = {**about, "digest": digest_of(hashes, about), "files": hashes, "sizes": sizes, **_provenance(draft)}
    folder = _published_already(model, manifest["digest"]) or _write(model, files, manifest)
    if alias or CHAMPION not in read_aliases(model):
        move_alias(model, alias or CHAMPION, folder.name, by="publish")
    return folder


def require_name(name: str, alias: str | None) -> None:
    """Refuse a name or an alias that cannot be served; raises ValueError."""
    if not MODEL_NAME.fullmatch(name):
        raise ValueError(f"the model name {name!r} must match {MODEL_NAME.pattern}")
    if alias is not None and not ALIAS.fullmatch(alias):
        raise ValueError(f"the alias {alias!r} must match {ALIAS.pattern}")


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
            write_durably(aside / path, data)
        while True:
            number = str(highest_number(model) + 1)
            whole = {"format": FORMAT, "name": model.name, "version": number, **manifest}
            write_durably(aside / MANIFEST, as_json(whole))
            try:
                aside.rename(model / number)
            except OSError:  # another publisher took the number in between
                if not (model / number).exists():
                    raise
            else:
                (model / number).chmod(0o755)
                write_down_number(model, number)
                return model / number
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _provenance(draft: Draft) -> dict[str, Any]:
    return {
        "published_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "estimator": draft.estimator,
        "timings": draft.timings,
        "libraries": {"python": platform.python_version(), **{name: installed(name) for name in LIBRARIES}},
    }
