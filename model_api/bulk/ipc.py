"""Arrow IPC → pieces of columns: streams, and files, which are streams between two marks and read as such.

Only what has been unpacked can be looked at, and a compressed buffer can become gigabytes. So every message of a
stranger is read here first: what it unpacks to stands before each buffer, and the reader believes it as well.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_api.bulk.arrow import FAILURES, pa, reason
from model_api.bulk.sources import Batches, Bounds, Position, require_types
from model_api.errors import BodyTooLarge, UnreadableBody

MAGIC = b"ARROW1"
BEFORE_STREAM = 8
"""Bytes of a file before the stream in it."""
CONTINUES = 0xFFFFFFFF
SCHEMA, DICTIONARY, BATCH = 1, 2, 3
"""Kinds of messages."""
OLD_COMPRESSION = b"ARROW:experimental_compression"
MOST_MESSAGES = 100_000


class ArrowSource(Batches):
    """Reads a stream or a file, or the bytes of one."""

    def __init__(self, source: Path | bytes, bounds: Bounds | None = None) -> None:
        """`bounds`: what a stranger may send. Raises UnreadableBody, InvalidRequest or BodyTooLarge."""
        self._source = source
        if bounds:
            assert isinstance(source, bytes)
            require_small_messages(source, bounds)
        schema = self._open()[1].schema
        require_types(schema)
        super().__init__(schema.names, self._batches)

    def _open(self) -> tuple[Any, Any]:
        try:
            if isinstance(self._source, bytes):
                file: Any = pa.BufferReader(self._source)
            else:
                file = pa.memory_map(str(self._source))
            start = BEFORE_STREAM if file.read(len(MAGIC)) == MAGIC else 0
            file.seek(start)
            return file, pa.ipc.open_stream(file)
        except FAILURES as error:
            raise UnreadableBody(f"the table cannot be read as Arrow: {reason(error)}") from error

    def _batches(self, start: Position) -> Iterator[tuple[Any, Position, float]]:
        """Give batches from one of them on."""
        file, reader = self._open()
        total = max(1, file.size())
        try:
            for number, batch in enumerate(reader):
                if number >= start.get("batch", 0):
                    yield batch, {"batch": number}, min(1.0, file.tell() / total)
        except FAILURES as error:
            raise UnreadableBody(f"the table cannot be read as Arrow: {reason(error)}") from error


def require_small_messages(data: bytes, bounds: Bounds) -> None:
    """Read every message. Raises BodyTooLarge when they unpack to more, UnreadableBody when they lie."""
    total, rows = 0, 0
    for count, message in enumerate(_messages(data)):
        try:
            size, length = _unpacked(data, *message)
        except (struct.error, IndexError) as error:
            raise UnreadableBody("the table cannot be read as Arrow: a message is not as it says") from error
        total, rows = total + size, rows + length
        if size > bounds.together or total > bounds.inflated or count > MOST_MESSAGES:
            raise BodyTooLarge(f"the table inflates to more than {bounds.inflated} bytes, or {bounds.together} at once")


def _messages(data: bytes) -> Iterator[tuple["_Table", int, int]]:
    """Give the head of each message, and where its body lies."""
    at = BEFORE_STREAM if data.startswith(MAGIC) else 0
    while at + 8 <= len(data):
        continues, length = struct.unpack_from("<Ii", data, at)
        if continues != CONTINUES:
            raise UnreadableBody("the table cannot be read as Arrow: there is no message where one should be")
        if length == 0:
            return
        start = at + 8
        body = start + length
        if length < 0 or body > len(data):
            raise UnreadableBody("the table cannot be read as Arrow: it ends within a message")
        if data.find(OLD_COMPRESSION, start, body) >= 0:
            raise UnreadableBody("the table cannot be read as Arrow: it is compressed as it was before Arrow 1.0")
        try:
            head = _Table(data, start + struct.unpack_from("<I", data, start)[0])
            size = head.number(3, "<q", 0)
        except (struct.error, IndexError) as error:
            raise UnreadableBody("the table cannot be read as Arrow: a message is not as it says") from error
        if size < 0 or body + size > len(data):
            raise UnreadableBody("the table cannot be read as Arrow: it ends within a message")
        yield head, body, size
        at = body + size


def _unpacked(data: bytes, head: "_Table", body: int, size: int) -> tuple[int, int]:
    """Give the bytes that a message unpacks to, and its rows."""
    kind = head.number(1, "<B", 0)
    table = head.table(2)
    if kind == DICTIONARY and table:
        table = table.table(1)
    elif kind != BATCH:
        return 0, 0
    if table is None:
        return 0, 0
    rows = table.number(0, "<q", 0)
    if table.table(3) is None:
        return size, rows
    total = 0
    for offset, length in table.pairs(2):
        if length < 8:
            continue
        if offset < 0 or offset + length > size:
            raise IndexError("a buffer outside of its body")
        (unpacked,) = struct.unpack_from("<q", data, body + offset)
        total += length if unpacked < 0 else unpacked
    return total, rows


class _Table:
    """Reads as much of a flatbuffer as a message needs."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        if self._fields < 0:
            raise IndexError("a table without fields")
        (self._length,) = struct.unpack_from("<H", data, self._fields)

    def _place(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._length:
            return None
        (offset,) = struct.unpack_from("<H", self._data, self._fields + entry)
        return self._at + offset if offset else None

    def number(self, field: int, form: str, default: int) -> int:
        """Give a number."""
        place = self._place(field)
        return default if place is None else int(struct.unpack_from(form, self._data, place)[0])

    def table(self, field: int) -> "_Table | None":
        """Give a table within this one."""
        place = self._place(field)
        return None if place is None else _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        """Give a list of pairs of long numbers."""
        place = self._place(field)
        if place is None:
            return
        start = place + struct.unpack_from("<I", self._data, place)[0]
        (count,) = struct.unpack_from("<I", self._data, start)
        for entry in range(count):
            yield struct.unpack_from("<qq", self._data, start + 4 + 16 * entry)
