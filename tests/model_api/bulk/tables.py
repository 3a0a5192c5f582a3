"""A table in every form that is taken, and what came back in any form."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

Rows = list[dict[str, Any]]
PARQUET = "application/vnd.apache.parquet"
STREAM = "application/vnd.apache.arrow.stream"
FILE = "application/vnd.apache.arrow.file"


def as_csv(rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0])
    writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
    return text.getvalue().encode()


def parquet(table: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def stream(table: Any, **options: Any) -> bytes:
    return _ipc(pa.ipc.new_stream, table, **options)


def file(table: Any, **options: Any) -> bytes:
    return _ipc(pa.ipc.new_file, table, **options)


def _ipc(opened: Any, table: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    with opened(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


FORMS: dict[str, Callable[[Rows], bytes]] = {
    "text/csv": as_csv,
    PARQUET: lambda rows: parquet(pa.Table.from_pylist(rows)),
    "application/x-parquet": lambda rows: parquet(pa.Table.from_pylist(rows), compression="zstd"),
    STREAM: lambda rows: stream(pa.Table.from_pylist(rows)),
    FILE: lambda rows: file(pa.Table.from_pylist(rows), compression="lz4"),
}


def read_back(content_type: str, content: bytes) -> Rows:
    """Give the rows of an answer, sets of classes as lists."""
    if content_type.startswith("text/csv"):
        text = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""])
        rows: Rows = pyarrow.csv.read_csv(io.BytesIO(content), convert_options=text).to_pylist()
        for row in rows:
            if row.get("interval_classes"):
                row["interval_classes"] = json.loads(row["interval_classes"])
        return rows
    if "parquet" in content_type:
        return list(pq.read_table(io.BytesIO(content)).to_pylist())
    opened = pa.ipc.open_file if content_type == FILE else pa.ipc.open_stream
    return list(opened(io.BytesIO(content)).read_all().to_pylist())
