"""What `servery inspect` tells: types, sizes, versions, hashes and signature, of files that nobody has to trust."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from model_api.artifact import MANIFEST, Artifact, read_regular_file
from model_api.errors import ArtifactError
from model_api.folders import models_in, read_aliases, versions_of
from model_api.inspection import mlflow_model, onnx_file, pickle_file, require_sound_files, skops_file
from model_api.signature import Feature
from model_api.trust import Trust
from model_api.values import show

Facts = dict[str, Any]


def facts_of(path: Path, trust: Trust | None = None) -> Facts:
    """Tell what a path holds; `problems` lists what is wrong, also types that `trust` does not let in.

    Raises ArtifactError when it is nothing known here.
    """
    trust = trust or Trust()
    if (path / MANIFEST).exists():
        return _of_version(path, trust)
    if (path / mlflow_model.ABOUT).exists():
        return _of_mlflow(path, trust)
    if path.is_dir():
        return _of_folder(path)
    return {"path": str(path), **_of_path(path, trust)}


def _of_path(path: Path, trust: Trust) -> Facts:
    data = read_regular_file(path)
    facts: Facts = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {**facts, **_of_file(path.name, data, trust)}


def _of_mlflow(folder: Path, trust: Trust) -> Facts:
    """Tell of an MLflow model, and of the file that its scikit-learn flavour names."""
    found = mlflow_model.look_into(folder)
    file = _of_path(found.file, trust)
    about = {"kind": "an MLflow model", "path": str(folder), "flavours": found.flavours, "model file": found.file.name}
    problems = {"problems": file.pop("problems")} if "problems" in file else {}
    return {**about, "in it": file, **problems}


def _of_file(name: str, data: bytes, trust: Trust) -> Facts:
    if data[:4] == b"PK\x03\x04":
        return _attempted("a skops file", lambda: _of_skops(data, trust))
    if skops_file.is_pickle(data):
        return {"kind": "a pickle: loading it runs whatever code it names", "names": pickle_file.names_in(data)}
    if name.endswith(".onnx"):
        return _attempted("an ONNX file", lambda: vars(onnx_file.look_into(data, name)))
    raise ArtifactError(f"{name} is no version, no skops, ONNX or pickle file: nothing is known of it")


def _attempted(kind: str, look: Any) -> Facts:
    try:
        return {"kind": kind, **look()}
    except ArtifactError as error:
        return {"kind": kind, "problems": [str(error)]}


def _of_skops(data: bytes, trust: Trust) -> Facts:
    found = skops_file.look_into(data)
    refused = found.refused(trust)
    problems = {"problems": [f"it holds types that are not trusted: {', '.join(refused)}"]} if refused else {}
    return {**vars(found), **problems}


def _of_folder(path: Path) -> Facts:
    """List models, or the versions of one."""
    if versions_of(path):
        return _of_model(path)
    models = models_in(path)
    if not models:
        raise ArtifactError(f"{path} holds no version and no model")
    return {
        "kind": "a folder of models",
        "path": str(path),
        "models": {model.name: _of_model(model) for model in models},
    }


def _of_model(model: Path) -> Facts:
    return {"kind": "a model", "versions": versions_of(model), "aliases": read_aliases(model)}


def _of_version(path: Path, trust: Trust) -> Facts:
    artifact = Artifact(path.resolve(), anywhere=True)
    manifest = artifact.manifest
    problems = []
    try:
        artifact.check()
        require_sound_files(artifact, trust)
    except ArtifactError as error:
        problems.append(str(error))
    facts: Facts = {
        "kind": "a version",
        "path": str(path),
        "name": manifest.name,
        "version": manifest.version,
        "title": manifest.title,
        "published_at": manifest.published_at,
        "digest": manifest.digest,
        "estimator": manifest.estimator.get("class") or manifest.estimator.get("package"),
        "libraries": dict(manifest.libraries),
        "files": {n: {"bytes": manifest.sizes.get(n), "sha256": h} for n, h in manifest.files.items()},
        **_parts(artifact),
    }
    return {**facts, "problems": problems} if problems else facts


def _parts(artifact: Artifact) -> Facts:
    """Tell of those parts that can be read; what is wrong with the others is among the problems."""
    facts: Facts = {}
    for name, look in (("signature", _signature), ("forms", _forms), ("types", _types)):
        with suppress(ArtifactError, KeyError, TypeError, ValueError):
            facts[name] = look(artifact)
    return {name: fact for name, fact in facts.items() if fact is not None}


def _signature(artifact: Artifact) -> Facts:
    signature = artifact.signature
    features = {feature.name: _feature(feature) for feature in signature.features}
    target = signature.target
    return {"features": features, "target": {"name": target.name, "task": target.task, "classes": list(target.classes)}}


def _feature(feature: Feature) -> str:
    values = ""
    if feature.categories:
        values = f": {', '.join(map(str, feature.categories[:6]))}" + (", …" if len(feature.categories) > 6 else "")
    elif feature.minimum is not None:
        values = f", {show(feature.minimum)} to {show(feature.maximum)}" + _guessed(feature, "minimum", "maximum")
    return (
        feature.type
        + _guessed(feature, "type")
        + values
        + (f" {feature.unit}" if feature.unit else "")
        + (", may be missing" if feature.missing_allowed else "")
    )


def _guessed(feature: Feature, *facts: str) -> str:
    """Mark what was guessed, because the version was published without its data."""
    return " (guessed)" if set(facts) & set(feature.guessed) else ""


def _forms(artifact: Artifact) -> Facts:
    return {
        name: f"proved, {form['largest_difference']:.1e}" if form["proved"] else form["reason"]
        for name, form in artifact.forms.items()
    }


def _types(artifact: Artifact) -> dict[str, int] | None:
    name = next((file for file in artifact.manifest.files if file.endswith(".skops")), None)
    return skops_file.look_into(artifact.read(name)).types if name else None


def as_text(facts: Facts) -> str:
    """Write facts for a person: a line a fact, tables indented."""
    return "\n".join(_lines(facts, ""))


def _lines(facts: Facts, indent: str) -> Iterator[str]:
    for name, value in facts.items():
        shown = _printable(name)
        if isinstance(value, dict) and set(value) == {"bytes", "sha256"}:
            yield f"{indent}{shown}: {value['bytes'] or 0:,} bytes, sha256 {value['sha256']}"
        elif isinstance(value, dict):
            yield f"{indent}{shown}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list | tuple):
            yield f"{indent}{shown}: {_printable(', '.join(map(str, value))) or '–'}"
        else:
            yield f"{indent}{shown}: {_printable(value)}"


def _printable(value: Any) -> str:
    """Write a file's text so that it cannot steer the terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(value))
