"""Columns → CSV, Parquet, Arrow or JSON, piece by piece."""

import json
from typing import Any, BinaryIO, Protocol

import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from model_api import wire
from model_api.bulk.arrow import pa, pc
from model_api.bulk.media import Form
from model_api.bulk.predicting import Scored
from model_api.bulk.results import Results
from model_api.signature import Target

ACTIVE = r"^([=+\-@\t\r\n\x00＝＋－＠])"
"""How a text begins that a spreadsheet would take for a formula."""
GROUP_ROWS = 2**16
"""Rows of a row group of Parquet, and of a batch of an Arrow file."""


class Writer(Protocol):
    """Writes one answer."""

    def write(self, batch: Any, scored: Scored) -> None:
        """Add the rows of a piece."""
        ...

    def close(self) -> None:
        """Write what comes last."""
        ...


class CsvWriter:
    """Writes CSV with a header. A text that a spreadsheet would run gets an apostrophe before it; numbers never do."""

    def __init__(self, sink: BinaryIO, schema: Any, *, header: bool = True) -> None:
        self._sink = sink
        if header:
            names = pa.array([_harmless_name(name) for name in schema.names])
            empty = pa.RecordBatch.from_arrays([pa.array([], pa.string())] * len(names), names.to_pylist())
            arrow_csv.write_csv(empty, sink)

    def write(self, batch: Any, scored: Scored | None = None) -> None:  # noqa: ARG002 -- of the protocol
        """Add the rows of a piece."""
        columns = [_harmless(column) for column in batch.columns]
        flat = pa.RecordBatch.from_arrays(columns, batch.schema.names)
        arrow_csv.write_csv(flat, self._sink, arrow_csv.WriteOptions(include_header=False))

    def close(self) -> None:
        """Do nothing: nothing comes last."""


def _harmless(column: Any) -> Any:
    """Write sets as lists of JSON, and keep texts from being run."""
    if pa.types.is_list(column.type):
        return _sets_as_json(column)
    if pa.types.is_string(column.type):
        return pc.replace_substring_regex(column, ACTIVE, "'\\1")
    return column


def _harmless_name(name: str) -> str:
    return f"'{name}" if name[:1] and name[0] in "=+-@\t\r\n\0＝＋－＠" else name


def _sets_as_json(column: Any) -> Any:
    levels = column.values.dictionary_encode()
    written = pa.array([json.dumps(level, ensure_ascii=False) for level in levels.dictionary.to_pylist()], pa.string())
    texts = pa.ListArray.from_arrays(column.offsets, written.take(levels.indices), mask=column.is_null())
    return pc.binary_join_element_wise("[", pc.binary_join(texts, ", "), "]", "")


class ParquetWriter:
    """Writes Parquet, in row groups of one size."""

    def __init__(self, sink: BinaryIO, schema: Any) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(sink, schema, compression="snappy")
        self._waiting: list[Any] = []

    def write(self, batch: Any, scored: Scored | None = None) -> None:  # noqa: ARG002 -- of the protocol
        """Add the rows of a piece."""
        self._waiting.append(batch)
        if sum(waiting.num_rows for waiting in self._waiting) >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema), GROUP_ROWS * 2)
        self._waiting = []

    def close(self) -> None:
        """Write the last rows, and the footer."""
        self._flush()
        self._writer.close()


class ArrowWriter:
    """Writes an Arrow stream, or a file."""

    def __init__(self, sink: BinaryIO, schema: Any, *, file: bool) -> None:
        self._writer = (pa.ipc.new_file if file else pa.ipc.new_stream)(sink, schema)

    def write(self, batch: Any, scored: Scored | None = None) -> None:  # noqa: ARG002 -- of the protocol
        """Add the rows of a piece."""
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Write what comes last."""
        self._writer.close()


class JsonWriter:
    """Writes the answer that a request of many instances in JSON gets."""

    def __init__(self, sink: BinaryIO, target: Target, coverage: float, who: dict[str, str]) -> None:
        """`who`: the model, its version, and the request."""
        self._sink, self._target, self._coverage, self._who = sink, target, coverage, who
        keys = ["prediction", *(["probabilities"] if target.classes and target.probabilities else [])]
        self._parts: dict[str, list[bytes]] = {key: [] for key in (*keys, "interval", "warnings")}

    def write(self, batch: Any, scored: Scored) -> None:
        """Add the rows of a piece."""
        problems: dict[int, list[Any]] = {}
        for problem in scored.problems:
            problems.setdefault(problem.row, []).append(problem.to_dict())
        rows = rows_as_json(batch, scored.good, self._target, self._coverage)
        for row, found in problems.items():
            rows["prediction"][row - scored.start] = {"row": row, "errors": found[: wire.MAX_PROBLEMS]}
        rows["warnings"] = [
            [warning.to_dict() for warning in scored.warnings.get(row, ())] for row in range(scored.rows)
        ]
        for key, parts in self._parts.items():
            parts.append(wire.encode(rows[key])[1:-1])

    def close(self) -> None:
        """Write it all."""
        document = {key: b"[" + b",".join(parts) + b"]" for key, parts in self._parts.items()}
        document |= {key: wire.encode(value) for key, value in self._who.items()}
        pairs = (wire.encode(key) + b":" + value for key, value in document.items())
        self._sink.write(b"{" + b",".join(pairs) + b"}")


def rows_as_json(batch: Any, good: Any, target: Target, coverage: float) -> dict[str, list[Any]]:
    """Give columns as the values, probabilities and intervals of a JSON answer; null for rows without a prediction."""
    columns = {name: batch.column(name).to_pylist() for name in batch.schema.names if name not in ("warnings", "error")}
    sound = [False] * batch.num_rows
    for row in good.tolist():
        sound[row] = True
    if target.classes:
        return _classes_as_json(columns, sound, target, coverage)
    if target.outputs:
        low, high, values = (_named(columns, part, target) for part in ("interval_low", "interval_high", "prediction"))
    else:
        low, high, values = columns["interval_low"], columns["interval_high"], columns["prediction"]
    known = [is_sound and _known(bound) for is_sound, bound in zip(sound, low, strict=True)]
    intervals = [
        {"low": one, "high": other, "coverage": coverage} if is_known else None
        for one, other, is_known in zip(low, high, known, strict=True)
    ]
    return {"prediction": values, "interval": intervals}


def _named(columns: dict[str, list[Any]], part: str, target: Target) -> list[Any]:
    rows = zip(*(columns[f"{part}_{name}"] for name in target.outputs), strict=True)
    return [dict(zip(target.outputs, row, strict=True)) for row in rows]


def _known(bound: Any) -> bool:
    return None not in bound.values() if isinstance(bound, dict) else bound is not None


def _classes_as_json(
    columns: dict[str, list[Any]], sound: list[bool], target: Target, coverage: float
) -> dict[str, list[Any]]:
    levels = {str(level): level for level in target.classes}
    found: dict[str, list[Any]] = {"prediction": [levels.get(str(value)) for value in columns["prediction"]]}
    if target.probabilities:
        names = [str(level) for level in target.classes]
        shares = zip(*(columns[f"probability_{name}"] for name in names), strict=True)
        found["probabilities"] = [
            dict(zip(names, row, strict=True)) if is_sound and None not in row else None
            for is_sound, row in zip(sound, shares, strict=True)
        ]
    found["interval"] = [
        None if kept is None else {"classes": [levels[str(level)] for level in kept], "coverage": coverage}
        for kept in columns["interval_classes"]
    ]
    return found


def open_writer(form: Form, sink: BinaryIO, results: Results, who: dict[str, str]) -> Writer:
    """Begin an answer in some form; `who` made it."""
    if form == "json":
        return JsonWriter(sink, results.target, results.coverage, who)
    if form == "csv":
        return CsvWriter(sink, results.schema)
    if form == "parquet":
        return ParquetWriter(sink, results.schema)
    return ArrowWriter(sink, results.schema, file=form == "arrow-file")
