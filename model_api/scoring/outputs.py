"""OUT: written aside, only ever appended to, and put in place as a whole.

CSV and JSON Lines are appended to as they will be. Parquet and Arrow files end in a table of contents, so their rows
wait in an Arrow stream, and the file is made of that at the end.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from model_api import wire
from model_api.bulk.arrow import pa
from model_api.bulk.writing import ArrowWriter, CsvWriter, ParquetWriter
from model_api.errors import Problem
from model_api.scoring.errors import CannotScore

Kind = Literal["csv", "jsonl", "parquet", "arrow"]
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}


def kind_of(path: Path) -> Kind:
    """Tell what a file is to be. Raises CannotScore."""
    if path.suffix.lower() not in KINDS:
        raise CannotScore(f"{path} must end in .csv, .jsonl, .parquet, .arrow or .feather")
    return KINDS[path.suffix.lower()]


class Appended:
    """A file that grows, and can be cut back to what it was."""

    def __init__(self, path: Path, size: int) -> None:
        """Open it with its first `size` bytes; the rest is of a part that was not finished."""
        self.path = path
        if size and path.stat().st_size < size:
            raise CannotScore(f"{path} is shorter than it was; begin anew with --force")
        self._file = path.open("r+b" if size else "wb")
        self._file.truncate(size)
        self._file.seek(size)

    @property
    def size(self) -> int:
        """Bytes that were written."""
        return self._file.tell()

    def write(self, content: bytes) -> None:
        """Append."""
        self._file.write(content)

    def sync(self) -> None:
        """Bring it to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close it."""
        self._file.close()


class Output:
    """The unfinished OUT."""

    def __init__(self, path: Path, unfinished: Path, size: int) -> None:
        """`size`: bytes of the unfinished file that are of finished parts."""
        self._path, self._kind = path, kind_of(path)
        self.file = Appended(unfinished, size)

    def write(self, batch: Any) -> None:
        """Append the rows of a piece."""
        if self._kind == "csv":
            sink = io.BytesIO()
            CsvWriter(sink, batch.schema, header=not self.file.size).write(batch)
            self.file.write(sink.getvalue())
        elif self._kind == "jsonl":
            self.file.write(b"".join(wire.encode(row) + b"\n" for row in batch.to_pylist()))
        else:
            if not self.file.size:
                self.file.write(batch.schema.serialize())
            self.file.write(batch.serialize())

    def finish(self) -> None:
        """Put it in place, once its file is closed."""
        if self._kind in ("csv", "jsonl"):
            self.file.path.replace(self._path)
            return
        aside = self.file.path.with_name(self.file.path.name + ".whole")
        with aside.open("wb") as sink, pa.OSFile(str(self.file.path)) as rows:
            reader = pa.ipc.open_stream(rows)
            if self._kind == "parquet":
                writer: ParquetWriter | ArrowWriter = ParquetWriter(sink, reader.schema)
            else:
                writer = ArrowWriter(sink, reader.schema, file=True)
            for batch in reader:
                writer.write(batch)
            writer.close()
            sink.flush()
            os.fsync(sink.fileno())
        aside.replace(self._path)
        self.file.path.unlink()


def write_errors(file: Appended, problems: Sequence[Problem]) -> int:
    """Append a line for each bad row; gives how many there are."""
    rows: dict[int, list[dict[str, Any]]] = {}
    for problem in problems:
        rows.setdefault(problem.row, []).append(problem.to_dict())
    for row, errors in rows.items():
        file.write(wire.encode({"row": row, "errors": errors}) + b"\n")
    return len(rows)
