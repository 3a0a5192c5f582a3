"""CSV (RFC 4180) → pieces of columns of text. Where records end, how many fields they have and whether their quotes
are right is found here, by whole blocks; pyarrow then reads only what is known to be sound, and reads it as it stands.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.csv as arrow_csv

from model_api.bulk.arrow import pa
from model_api.bulk.sources import Piece, Position
from model_api.errors import BodyTooLarge, InvalidRequest, Problem, UnreadableBody, UnsupportedMediaType

BLOCK = 2**20
"""Bytes that are read at a time."""
MOST_RECORD = 2**24
"""Bytes of one record: beyond that, a quote was surely not closed."""
MOST_BLOCK = 2**30
MOST_COLUMNS = 10_000
BOM = b"\xef\xbb\xbf"
QUOTE, COMMA, LF, CR, NUL = b'",\n\r\0'
BEFORE = np.array([COMMA, LF, CR, QUOTE])
"""What may stand before a quote that opens, or after one that closes: the end of a field, or another quote."""
MAGIC = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "compressed with gzip",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "Arrow",
    b"%PDF": "PDF",
    b"\x89PNG": "a picture",
}
"""How files begin that are no CSV."""
Places = npt.NDArray[np.int64]


class Records(NamedTuple):
    """Where the whole records of a block lie."""

    starts: Places
    stops: Places
    """Where their content ends, before the end of the line."""
    nexts: Places
    """Where the next line begins."""
    fields: Places
    """How many fields they have."""


class CsvSource:
    """Reads a table from a stream of bytes."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        """Read the header; `size` is that of all bytes. Raises UnreadableBody or UnsupportedMediaType."""
        self._stream, self._size = stream, size
        start = stream.read(8)
        for magic, noun in MAGIC.items():
            if start.startswith(magic):
                raise UnsupportedMediaType(f"the body is {noun}, not CSV")
        self._at = len(BOM) if start.startswith(BOM) else 0
        self._line, self._row = 1, 0
        self.names = self._read_header()

    def _read_header(self) -> list[str]:
        for block, records, _ in self._blocks():
            for start, stop, after in zip(records.starts, records.stops, records.nexts, strict=True):
                if stop > start:
                    text = _text(block[start:stop], self._line + _lines(block[:start]))
                    self._move(block[:after])
                    return _header(text)
        raise UnreadableBody("the body is empty; send CSV whose first line names the columns")

    @property
    def hint(self) -> str:
        """What may be the matter when the columns are not the features."""
        for separator, noun in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if len(self.names) == 1 and separator in self.names[0]:
                return f"; the fields seem to be separated by {noun}, and must be by commas"
        if self.names and all(_is_number(name) for name in self.names):
            return "; the first line must name the columns, and it holds numbers"
        return ""

    def pieces(self, rows: int, start: Position | None = None) -> Iterator[Piece]:
        """Read pieces; a row that has more or fewer fields than the header is broken, and the others are not."""
        if start:
            self._at, self._line, self._row = start["byte"], start["line"], start["row"]
        for block, records, last in self._blocks():
            kept = records.stops > records.starts  # an empty line is no record
            starts, stops, nexts, fields = (part[kept] for part in records)
            count = len(starts) if last else len(starts) // rows * rows
            before = 0
            for begin in range(0, count, rows):
                some = slice(begin, min(begin + rows, count))
                after = int(nexts[some][-1])
                yield self._piece(block, before, after, Records(starts[some], stops[some], nexts[some], fields[some]))
                before = after

    def _piece(self, block: bytes, before: int, after: int, records: Records) -> Piece:
        width = len(self.names)
        content = block[before:after]
        _text(content, self._line)
        broken = self._broken(block, before, records)
        if broken:
            sound = np.flatnonzero(records.fields == width)
            spans = zip(records.starts[sound].tolist(), records.nexts[sound].tolist(), strict=True)
            content = b"".join(block[start:stop] for start, stop in spans)
        columns = _columns(content, self.names)
        count = len(records.starts)
        assert not columns or len(columns[self.names[0]]) == count - len(broken)
        self._move(block[before:after])
        self._row += count
        position = {"byte": self._at, "line": self._line, "row": self._row}
        return Piece(count, columns, (), broken, position, min(1.0, self._at / max(1, self._size)))

    def _broken(self, block: bytes, before: int, records: Records) -> list[Problem]:
        """Tell which records have more or fewer fields than the header, and where."""
        line, width = self._line, len(self.names)
        broken = []
        for row in np.flatnonzero(records.fields != width).tolist():
            start = int(records.starts[row])
            line += _lines(block[before:start])
            before = start
            broken.append(_ragged(row, self._row + row, line, int(records.fields[row]), width))
        return broken

    def _blocks(self) -> Iterator[tuple[bytes, Records, bool]]:
        """Give blocks that begin with a record, and where the whole records in them lie; whether it is the last.

        Whoever takes a part of a block moves on by it; the rest comes again, with more behind it.
        """
        last = False
        size = BLOCK
        while not last:
            self._stream.seek(self._at)
            block = self._stream.read(size)
            last = len(block) < size
            at = self._at
            yield block, scan(block, self._line, last=last), last
            size = BLOCK if self._at > at else size * 2
            if size > MOST_BLOCK:
                raise BodyTooLarge(f"the records from line {self._line} on are too long to be read together")

    def _move(self, passed: bytes) -> None:
        self._at += len(passed)
        self._line += _lines(passed)


def scan(block: bytes, line: int, *, last: bool) -> Records:
    """Find the records of a block that begins with one, on some line. Raises UnreadableBody."""
    found = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(found == QUOTE) if b'"' in block else np.empty(0, dtype=np.int64)
    if len(quotes):
        _require_quotes(block, found, quotes, line, last=last)
    ends = np.flatnonzero(found == LF)
    if b"\r" in block:
        returns = np.flatnonzero(found == CR)
        inner = returns[returns + 1 < len(found)]
        alone = inner[found[inner + 1] != LF]
        if last and len(returns) and returns[-1] == len(found) - 1:
            alone = np.append(alone, returns[-1])
        ends = np.sort(np.concatenate([ends, alone]))
    commas = np.flatnonzero(found == COMMA)
    if len(quotes):
        ends, commas = _outside(ends, quotes), _outside(commas, quotes)
    nexts = ends + 1
    if last and (nexts[-1] if len(nexts) else 0) < len(found):  # the last line has no end
        ends, nexts = np.append(ends, len(found)), np.append(nexts, len(found))
    starts = np.concatenate([[0], nexts[:-1]]).astype(np.int64)[: len(ends)]
    stops = ends.copy()
    ended = np.flatnonzero((ends > starts) & (ends < len(found)))
    crlf = ended[(found[ends[ended]] == LF) & (found[ends[ended] - 1] == CR)]
    stops[crlf] -= 1
    fields = np.searchsorted(commas, ends) - np.searchsorted(commas, starts) + 1
    if not len(ends) and len(block) > MOST_RECORD:
        raise UnreadableBody(f"line {line} begins a record of more than {MOST_RECORD} bytes")
    return Records(starts, stops, nexts, fields)


def _outside(places: Places, quotes: Places) -> Places:
    """Give the places that are not within quotes: an even number of them stands before."""
    outside: Places = places[np.searchsorted(quotes, places) % 2 == 0]
    return outside


def _require_quotes(block: bytes, found: Any, quotes: Places, line: int, *, last: bool) -> None:
    """See that quotes enclose whole fields. The first, third … opens or stands behind its twin, the others close."""
    opening, closing = quotes[::2], quotes[1::2]
    bad = opening[(opening > 0) & ~np.isin(found[opening - 1], BEFORE)]
    inner = closing[closing + 1 < len(found)]
    bad = np.concatenate([bad, inner[~np.isin(found[inner + 1], BEFORE)]])
    if len(bad):
        place = int(bad.min())
        raise UnreadableBody(
            f"line {line + _lines(block[:place])} has a quote in the middle of a field; a field with quotes is "
            'enclosed in quotes, and those in it are doubled: "say ""hello"""'
        )
    if len(quotes) % 2 and (last or len(block) > MOST_RECORD):
        first = np.flatnonzero(np.concatenate([[True], opening[1:] - 1 != closing[: len(opening) - 1]]))
        place = int(opening[first[-1]])
        if last or len(block) - place > MOST_RECORD:
            raise UnreadableBody(f"the quote that opens in line {line + _lines(block[:place])} is never closed")


def _lines(passed: bytes) -> int:
    """Count the ends of lines, whichever way they are written."""
    return passed.count(b"\n") + passed.count(b"\r") - passed.count(b"\r\n")


def _text(content: bytes, line: int) -> str:
    if (place := content.find(NUL)) >= 0:
        raise UnreadableBody(f"line {line + _lines(content[:place])} holds a NUL byte; is the body UTF-8?")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        where = f"line {line + _lines(content[: error.start])}, byte {content[error.start]:#04x}"
        raise UnreadableBody(f"the body is not UTF-8: {where}") from error


def _header(text: str) -> list[str]:
    names = next(csv.reader(io.StringIO(text, newline=""), strict=True))
    if len(names) > MOST_COLUMNS:
        raise InvalidRequest(f"the table has {len(names)} columns; {MOST_COLUMNS} can be read")
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ragged(row: int, total: int, line: int, fields: int, width: int) -> Problem:
    noun = "field" if fields == 1 else "fields"
    message = f"row {total} (line {line}) has {fields} {noun}, and the header {width}"
    return Problem(None, "wrong_number_of_fields", message, f"{width} fields", None, row)


def _columns(content: bytes, names: Sequence[str]) -> dict[str, Any]:
    """Read sound records as text; a field of nothing is the empty text."""
    places = [str(place) for place in range(len(names))]
    if not content:
        return {name: pa.array([], pa.string()) for name in names}
    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        arrow_csv.ReadOptions(use_threads=False, block_size=len(content) + 1, column_names=places),
        arrow_csv.ParseOptions(newlines_in_values=True),
        arrow_csv.ConvertOptions(
            check_utf8=False, strings_can_be_null=False, column_types=dict.fromkeys(places, pa.string())
        ),
    )
    return {name: table.column(place).combine_chunks() for place, name in enumerate(names)}
