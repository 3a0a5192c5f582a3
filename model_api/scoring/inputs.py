"""IN → a source of pieces."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from model_api import json_body
from model_api.bulk.csv_records import MOST_RECORD, CsvSource
from model_api.bulk.ipc import ArrowSource
from model_api.bulk.parquet import ParquetSource
from model_api.bulk.sources import Piece, Position, Source
from model_api.errors import Problem, UnreadableBody
from model_api.scoring.errors import CannotScore
from model_api.values import echo


class Input(NamedTuple):
    """An opened file."""

    source: Source
    names: Sequence[str] | None
    """Its columns, if it has any."""
    hint: str
    """What may be wrong with them."""


@contextmanager
def open_input(path: Path) -> Iterator[Input]:
    """Open a file. Raises CannotScore, or what is wrong with it."""
    kind = path.suffix.lower()
    if kind in (".csv", ".jsonl", ".ndjson"):
        with path.open("rb") as stream:
            size = path.stat().st_size
            if kind == ".csv":
                table = CsvSource(stream, size)
                yield Input(table, table.names, table.hint)
            else:
                yield Input(JsonLines(stream, size), None, "")
    elif kind in (".parquet", ".pq"):
        file = ParquetSource(path)
        yield Input(file, file.names, "")
    elif kind in (".arrow", ".feather", ".arrows"):
        batches = ArrowSource(path)
        yield Input(batches, batches.names, "")
    else:
        raise CannotScore(f"{path} must end in .csv, .jsonl, .parquet, .arrow or .feather")


class JsonLines:
    """A source of instances, one a line; a line that is no object is a bad row, and the others are not."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size = stream, size

    def pieces(self, rows: int, start: Position | None = None) -> Iterator[Piece]:
        """Read pieces."""
        at, line, total = (start[key] for key in ("byte", "line", "row")) if start else (0, 0, 0)
        self._stream.seek(at)
        instances: list[object] = []
        broken: list[Problem] = []
        while text := self._stream.readline(MOST_RECORD + 1):
            at, line = at + len(text), line + 1
            if len(text) > MOST_RECORD:
                raise UnreadableBody(f"line {line} is longer than {MOST_RECORD} bytes")
            if not text.strip():
                continue
            count = len(instances) + len(broken)
            instance = _instance(text, line, count)
            if isinstance(instance, Problem):
                broken.append(instance)
            else:
                instances.append(instance)
            if count + 1 == rows:
                total += rows
                yield self._piece(instances, broken, {"byte": at, "line": line, "row": total})
                instances, broken = [], []
        if instances or broken:
            total += len(instances) + len(broken)
            yield self._piece(instances, broken, {"byte": at, "line": line, "row": total})

    def _piece(self, instances: list[object], broken: list[Problem], after: Position) -> Piece:
        done = min(1.0, after["byte"] / max(1, self._size))
        return Piece(len(instances) + len(broken), None, instances, broken, after, done)


def _instance(text: bytes, line: int, row: int) -> object:
    try:
        instance = json_body.parse(text.strip())
    except UnreadableBody as error:
        message = f"line {line} cannot be read: {str(error).replace('the body', 'it')}"
        return Problem(None, "unreadable", message, "an object", None, row)
    if not isinstance(instance, dict):
        message = f"line {line} must be an object of features, not {echo(instance)}"
        return Problem(None, "not_an_object", message, "an object", None, row)
    return instance
