"""As much of a Parquet file as tells what it unpacks to: where its columns lie, and the header of every page.

Read here and not with pyarrow, whose own view of a footer ends the process when the footer is broken in certain ways.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from model_api.errors import BodyTooLarge, UnreadableBody

MAGIC = b"PAR1"
MOST_CHUNKS = 200_000
"""Columns times row groups of a file."""
DEEPEST = 16
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
INTEGERS = (4, 5, 6)
"""Kinds of values in the compact protocol of Thrift."""


class Chunk(NamedTuple):
    """Where a column of a row group lies."""

    start: int
    stop: int


def chunks(data: bytes) -> Iterator[Chunk]:
    """Find the columns of all row groups. Raises UnreadableBody or BodyTooLarge."""
    length = int.from_bytes(data[-8:-4], "little")
    if not data.endswith(MAGIC) or length + 8 > len(data):
        raise UnreadableBody("the table cannot be read as Parquet: it has no footer")
    found: list[Chunk] = []

    def group(reader: "Compact") -> None:
        reader.fields({1: lambda reader: reader.items(chunk)})

    def chunk(reader: "Compact") -> None:
        reader.fields({3: about})

    def about(reader: "Compact") -> None:
        told = reader.integers(7, 9, 11)
        start = min(told[9], told.get(11) or told[9])
        found.append(Chunk(start, start + told[7]))
        if len(found) > MOST_CHUNKS:
            raise BodyTooLarge(f"the file has more than {MOST_CHUNKS} pieces of columns")

    try:
        Compact(data, len(data) - 8 - length).fields({4: lambda reader: reader.items(group)})
    except (IndexError, ValueError, KeyError) as error:
        raise UnreadableBody("the table cannot be read as Parquet: its footer is broken") from error
    yield from found


def pages(data: bytes, chunk: Chunk) -> Iterator[int]:
    """Give the unpacked size of each page of a column. Raises UnreadableBody."""
    if not 0 <= chunk.start <= chunk.stop <= len(data):
        raise UnreadableBody("the table cannot be read as Parquet: a column lies outside of the file")
    at = chunk.start
    while at < chunk.stop:
        reader = Compact(data, at)
        try:
            sizes = reader.integers(2, 3)
            unpacked, packed = sizes[2], sizes[3]
        except (IndexError, ValueError, KeyError) as error:
            raise UnreadableBody("the table cannot be read as Parquet: a page has no header") from error
        if unpacked < 0 or packed < 0 or reader.at + packed > chunk.stop:
            raise UnreadableBody("the table cannot be read as Parquet: a page is longer than its column")
        yield unpacked
        at = reader.at + packed


Visit = Callable[["Compact"], object]


class Compact:
    """Reads the compact protocol of Thrift, and passes over what nobody asks for."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at
        self._kind = STRUCT

    def fields(self, wanted: dict[int, Visit], depth: int = 0) -> None:
        """Read a struct: a function for each field that is wanted, by number."""
        field = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            field = field + step if step else self._zigzag()
            if field in wanted:
                self._kind = kind
                wanted[field](self)
            else:
                self._skip(kind, depth)

    def integers(self, *wanted: int) -> dict[int, int]:
        """Read a struct of which some numbers are wanted."""
        found: dict[int, int] = {}

        def take(field: int) -> Visit:
            def visit(reader: Compact) -> None:
                found[field] = reader.integer()

            return visit

        self.fields({field: take(field) for field in wanted})
        return found

    def integer(self) -> int:
        """Read a number."""
        if self._kind not in INTEGERS:
            raise ValueError("a field that is no number")
        return self._zigzag()

    def items(self, visit: Visit) -> None:
        """Read a list of structs."""
        if self._kind != LIST:
            raise ValueError("a field that is no list")
        count, kind = self._list()
        if kind != STRUCT:
            raise ValueError("a list of something else")
        for _ in range(count):
            self._kind = STRUCT
            visit(self)

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number that does not end")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > len(self._data):
            raise ValueError("a list that is longer than the file")
        return count, head & 15

    def _skip(self, kind: int, depth: int) -> None:
        """Pass over a value of some kind."""
        if depth > DEEPEST:
            raise ValueError("values that are nested too deeply")
        if kind == STRUCT:
            self.fields({}, depth + 1)
        elif kind in (LIST, SET):
            self._skip_list(depth)
        elif kind in INTEGERS:
            self._varint()
        elif kind == BINARY:
            length = self._varint()
            self.at += length
        elif kind in (BYTE, DOUBLE):
            self.at += 1 if kind == BYTE else 8
        elif kind not in (TRUE, FALSE):
            raise ValueError("a kind of value that Parquet does not use")

    def _skip_list(self, depth: int) -> None:
        count, kind = self._list()
        for _ in range(count):
            if kind in (TRUE, FALSE):
                self.at += 1
            else:
                self._skip(kind, depth + 1)
