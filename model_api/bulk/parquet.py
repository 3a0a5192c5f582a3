"""Parquet → pieces of columns. What a stranger's file would unpack to is known before a byte of it is unpacked.

A few bytes of a compressed page can become gigabytes, and the footer need not tell the truth. So the header of every
page is read here; it says how large the page becomes, and the reader believes it as well.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from model_api.bulk import thrift
from model_api.bulk.arrow import FAILURES, pa, reason
from model_api.bulk.plain import is_text
from model_api.bulk.sources import Batches, Bounds, Position, require_types
from model_api.errors import BodyTooLarge, InvalidRequest, UnreadableBody

MOST_PAGES = 200_000
MOST_PAGE = 2**26
"""Bytes that one page may unpack to."""
MOST_SCHEMA = 2**24
"""Bytes of a text in the footer, and items of a list in it."""
READ_ROWS = 2**16
"""Rows that are unpacked at a time."""


class ParquetSource(Batches):
    """Reads a file, or the bytes of one."""

    def __init__(self, source: Path | bytes, bounds: Bounds | None = None) -> None:
        """`bounds`: what a stranger may send. Raises UnreadableBody, InvalidRequest or BodyTooLarge."""
        file = self._open(source, [])
        require_types(file.schema_arrow)
        about = file.metadata
        if bounds:
            assert isinstance(source, bytes)
            if about.num_rows > bounds.rows:
                raise InvalidRequest(f"{about.num_rows} rows are more than the {bounds.rows} of one request")
            require_small_pages(source, bounds.inflated)
        texts = [n for n, kind in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True) if is_text(kind)]
        self._file = self._open(source, texts)  # repeated texts stay as short as they are in the file
        super().__init__(file.schema_arrow.names, self._batches)

    @staticmethod
    def _open(source: Path | bytes, texts: list[str]) -> Any:
        try:
            return pq.ParquetFile(
                pa.BufferReader(source) if isinstance(source, bytes) else str(source),
                read_dictionary=texts,
                pre_buffer=False,
                buffer_size=0 if isinstance(source, bytes) else 2**16,
                thrift_string_size_limit=MOST_SCHEMA,
                thrift_container_size_limit=MOST_SCHEMA,
            )
        except FAILURES as error:
            raise UnreadableBody(f"the table cannot be read as Parquet: {reason(error)}") from error

    def _batches(self, start: Position) -> Iterator[tuple[Any, Position, float]]:
        """Give batches, each within one row group, from one of them on."""
        about, first = self._file.metadata, start.get("group", 0)
        rows = about.num_rows * first / max(1, about.num_row_groups)  # about so many were read before
        for group in range(first, about.num_row_groups):
            skipped = start.get("batch", 0) if group == first else 0
            for number, batch in enumerate(self._group(group)):
                rows += batch.num_rows
                if number >= skipped:
                    yield batch, {"group": group, "batch": number}, min(1.0, rows / max(1, about.num_rows))

    def _group(self, group: int) -> Iterator[Any]:
        try:
            yield from self._file.iter_batches(READ_ROWS, row_groups=[group], use_threads=False)
        except FAILURES as error:
            raise UnreadableBody(f"the table cannot be read as Parquet: {reason(error)}") from error


def require_small_pages(data: bytes, most: int) -> None:
    """Read the header of every page. Raises BodyTooLarge when they unpack to more, UnreadableBody when they lie."""
    total, pages = 0, 0
    for chunk in thrift.chunks(data):
        for size in thrift.pages(data, chunk):
            total, pages = total + size, pages + 1
            if size > MOST_PAGE or total > most or pages > MOST_PAGES:
                raise BodyTooLarge(
                    f"the file inflates to more than {most} bytes, or to a page of more than {MOST_PAGE}"
                )
