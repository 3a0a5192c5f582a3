"""The folder of models: `models/<name>/<version>/`, and beside the versions which alias means which of them.

models/<name>/aliases.json        {"champion": "1"}
models/<name>/traffic.json        what a challenger gets, if anything: see traffic.py
models/<name>/decisions.json      the threshold that is served for a version: see served_thresholds.py
models/<name>/history.jsonl       every version published, every move of an alias and every one that the gate refused,
                                  and every threshold that was decided
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from model_api.artifact import ALIASES, MODEL_NAME, VERSION, parse_json, read_regular_file
from model_api.errors import ArtifactError

ALIAS = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
HISTORY = "history.jsonl"
TRAFFIC = "traffic.json"
DECISIONS = "decisions.json"
NEWEST = ".newest"
"""In the copy of a model that is kept elsewhere: the highest number there, whether that version could be fetched."""


def versions_of(model: Path) -> list[str]:
    """List the version numbers in a model's folder, oldest first."""
    return sorted((p.name for p in model.iterdir() if VERSION.fullmatch(p.name) and p.is_dir()), key=int)


def models_in(folder: Path) -> list[Path]:
    """List the model folders in a models folder, by name; none when the folder does not exist."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if MODEL_NAME.fullmatch(p.name) and p.is_dir() and versions_of(p))


def strangers_in(folder: Path) -> dict[str, str]:
    """Name what lies in a models folder and cannot be served, with the reason."""
    if not folder.is_dir():
        return {}
    strangers = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if not path.is_dir():
            strangers[path.name] = "is not a folder"
        elif not MODEL_NAME.fullmatch(path.name):
            strangers[path.name] = f"is not the name of a model, which must match {MODEL_NAME.pattern}"
    return strangers


def read_aliases(model: Path) -> dict[str, str]:
    """Read which alias means which version; none when nobody gave one. Raises ArtifactError."""
    if not (model / ALIASES).exists():
        return {}
    try:
        aliases = parse_json(read_regular_file(model / ALIASES))
        return {str(alias): str(version) for alias, version in aliases.items()}
    except (ValueError, AttributeError) as error:
        raise ArtifactError(f"{ALIASES} is not a table of aliases: {error}") from error


def move_alias(model: Path, alias: str, version: str, **why: Any) -> None:
    """Point an alias at a version, in one step, and write down that it was moved. Raises ArtifactError."""
    with alone(model):
        aliases = read_aliases(model)
        if aliases.get(alias) == version:
            return
        write_aside(model / ALIASES, as_json({**aliases, alias: version}))
        write_down(model, {"alias": alias, "from": aliases.get(alias), "to": version, **why})


def remove_alias(model: Path, alias: str, **why: Any) -> str:
    """Take an alias away, and write it down; gives the version that it meant. Raises ArtifactError."""
    with alone(model):
        aliases = read_aliases(model)
        if alias not in aliases:
            raise ArtifactError(f"{model.name} has no alias {alias!r}; there is {', '.join(aliases) or 'none'}")
        version = aliases.pop(alias)
        write_aside(model / ALIASES, as_json(aliases))
        write_down(model, {"alias": alias, "from": version, "to": None, **why})
    return version


def write_down_number(model: Path, version: str) -> None:
    """Write down that a version was published: its number is taken for ever, also when it is deleted."""
    with alone(model):
        write_down(model, {"published": version})


def highest_number(model: Path) -> int:
    """Give the highest number that any version has or had, as far as the folder knows; 0 where there was none."""
    known: list[object] = [*versions_of(model)]
    with suppress(ArtifactError):
        known += read_aliases(model).values()
    with suppress(OSError, UnicodeDecodeError):
        known.append((model / NEWEST).read_text(encoding="ascii"))
    for line in _history_lines(model):
        known += [line.get(key) for key in ("published", "from", "to")]
    return max((int(n) for n in known if isinstance(n, str) and VERSION.fullmatch(n)), default=0)


def write_down_refusal(model: Path, alias: str, version: str, broken: Sequence[str]) -> None:
    """Write down that an alias was not moved to a version, and which rules this would have broken."""
    with alone(model):
        line = {"alias": alias, "from": read_aliases(model).get(alias), "to": version}
        write_down(model, {**line, "by": "promote", "refused": True, "broken": list(broken)})


def write_down(model: Path, line: Mapping[str, Any]) -> None:
    """Add a line to a model's history, with the time."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    with (model / HISTORY).open("a+b") as file:
        whole = file.tell() == 0 or _last_byte(file) == b"\n"  # a crash can leave half a line
        file.write((b"" if whole else b"\n") + json.dumps({"at": now, **line}).encode() + b"\n")


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


@contextmanager
def alone(model: Path) -> Iterator[None]:
    """Let one process at a time change the tables of a model."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock: the last of two at the same time wins
        yield
        return
    descriptor = os.open(model, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_history(model: Path) -> list[dict[str, Any]]:
    """Give the moves of aliases and those that were refused, oldest first; a line that cannot be read is left out.

    Raises ArtifactError.
    """
    return [line for line in _history_lines(model) if "published" not in line and "decided" not in line]


def _history_lines(model: Path) -> list[dict[str, Any]]:
    if not (model / HISTORY).exists():
        return []
    lines = []
    for line in read_regular_file(model / HISTORY).decode("utf-8", "replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue  # a crash can leave half a line
        if isinstance(found, dict):
            lines.append(found)
    return lines


def write_aside(path: Path, data: bytes) -> None:
    """Replace a file in one step, so that nobody ever reads half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_durably(aside, data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def as_json(value: Mapping[str, Any] | list[Any] | None) -> bytes:
    """Write a document as JSON that a person can read."""
    return (json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()
