"""Files of strangers: every byte may be another, what they unpack to is known first, and nothing ends the process."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_api.bulk import thrift
from model_api.bulk.ipc import ArrowSource
from model_api.bulk.parquet import ParquetSource
from model_api.bulk.sources import Bounds
from model_api.errors import BodyTooLarge, ServeryError, UnreadableBody
from tests.model_api.bulk.tables import file, parquet, stream

BOUNDS = Bounds(rows=1000, inflated=2**20, together=2**19)
SMALL = pa.table({"x": [1.0, None], "y": pa.array(["a", "b"]).dictionary_encode()})
FILES: dict[str, tuple[Callable[..., Any], bytes]] = {
    "parquet": (ParquetSource, parquet(SMALL)),
    "parquet, compressed": (ParquetSource, parquet(SMALL, compression="zstd", data_page_version="2.0")),
    "stream": (ArrowSource, stream(SMALL)),
    "stream, compressed": (ArrowSource, stream(SMALL, compression="zstd")),
    "file": (ArrowSource, file(SMALL, compression="lz4")),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_every_byte_may_be_another(name: str, flip: int) -> None:
    """pyarrow's own view of the footer ends the process for some of these."""
    source, content = FILES[name]
    read = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= flip
        with suppress(ServeryError):
            read += len(list(source(bytes(changed), BOUNDS).pieces(10)))

    assert read


@pytest.mark.parametrize("name", FILES)
def test_a_file_may_end_anywhere(name: str) -> None:
    source, content = FILES[name]
    for length in range(len(content)):
        try:
            found = list(source(content[:length], BOUNDS).pieces(10))
        except ServeryError:
            continue
        assert sum(piece.rows for piece in found) in (0, 2)


def test_where_the_pages_of_a_file_lie_is_read_as_pyarrow_reads_it() -> None:
    table = pa.table({"x": [float(number) for number in range(5000)], "y": [str(number % 7) for number in range(5000)]})
    content = parquet(table, compression="zstd", row_group_size=2000, data_page_size=1000, write_batch_size=100)
    about = pq.ParquetFile(pa.BufferReader(content)).metadata
    columns = [about.row_group(group).column(place) for group in range(about.num_row_groups) for place in range(2)]

    found = list(thrift.chunks(content))

    assert [chunk.stop - chunk.start for chunk in found] == [column.total_compressed_size for column in columns]
    for chunk, column in zip(found, columns, strict=True):
        assert 0 < sum(thrift.pages(content, chunk)) <= column.total_uncompressed_size


def test_what_inflates_is_refused() -> None:
    zeros = pa.table({"x": [0.0] * 900_000})

    with pytest.raises(BodyTooLarge, match="inflates"):
        ParquetSource(parquet(zeros, compression="zstd", use_dictionary=False), Bounds(10**6, inflated=2**20))
    for write in (stream, file):
        with pytest.raises(BodyTooLarge, match="inflates"):
            ArrowSource(write(zeros, compression="zstd"), Bounds(10**6, inflated=2**20))


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1PAR1", b"PAR1\xff\xff\xff\xffPAR1", b"ARROW1\0\0", b"\xff" * 64]
)
def test_what_only_begins_as_a_file_is_refused(content: bytes) -> None:
    for source in (ParquetSource, ArrowSource):
        with pytest.raises(UnreadableBody):
            list(source(content, BOUNDS).pieces(10))


@pytest.mark.parametrize("source", [(ParquetSource, parquet), (ArrowSource, stream), (ArrowSource, file)])
def test_reading_goes_on_where_a_piece_ended(source: Any) -> None:
    opened, write = source
    table = pa.concat_tables([pa.table({"x": list(range(start, start + 25))}) for start in range(0, 200, 25)])
    content = write(table, **({"row_group_size": 30} if opened is ParquetSource else {}))
    pieces = list(opened(content, BOUNDS).pieces(40))
    rows = [piece.columns["x"].to_pylist() for piece in pieces]

    assert sum(rows, []) == list(range(200))  # noqa: RUF017 -- a handful
    assert max(map(len, rows)) <= 40
    for number, piece in enumerate(pieces):
        rest = [later.columns["x"].to_pylist() for later in opened(content, BOUNDS).pieces(40, piece.after)]
        assert rest == rows[number + 1 :]
