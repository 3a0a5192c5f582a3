"""Parquet → columns of values, for /invocations. Reading it, and how far it may unpack, is `model_api.bulk`."""

from typing import Any

from model_api.errors import InvalidRequest
from model_api.values import clip

INFLATION = 16
"""How many times longer than the longest body its content may be."""


def columns_of(body: bytes, max_rows: int, max_bytes: int) -> dict[str, list[Any]]:
    """Read a table. Raises UnreadableBody, InvalidRequest or BodyTooLarge."""
    from model_api.bulk.parquet import ParquetSource  # pyarrow: only a process that gets such a body pays for it
    from model_api.bulk.plain import plain
    from model_api.bulk.sources import Bounds

    source = ParquetSource(body, Bounds(max_rows, max_bytes * INFLATION))
    if len(set(source.names)) < len(source.names):
        twice = next(name for name in source.names if list(source.names).count(name) > 1)
        raise InvalidRequest(f"the table has the column {clip(twice)} twice")
    columns: dict[str, list[Any]] = {name: [] for name in source.names}
    for piece in source.pieces(max_rows):
        for name, column in (piece.columns or {}).items():
            columns[name] += plain(name, column).to_pylist()
    return columns
