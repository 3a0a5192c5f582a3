"""CSV is read as RFC 4180 has it, wherever blocks and pieces happen to end, and what is not CSV is told by its line."""

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_api.bulk import csv_records
from model_api.bulk.csv_records import CsvSource
from model_api.errors import ServeryError, UnreadableBody, UnsupportedMediaType


def opened(content: bytes) -> CsvSource:
    return CsvSource(io.BytesIO(content), len(content))


def rows_of(content: bytes, piece: int = 8192) -> list[list[str]]:
    source = opened(content)
    rows: list[list[str]] = []
    for found in source.pieces(piece):
        columns = found.columns or {}
        assert found.broken == []
        rows += map(list, zip(*(column.to_pylist() for column in columns.values()), strict=True))
    return rows


def written(field: str, quoted: bool) -> str:
    """Write a field in quotes where it needs them, or always."""
    doubled = field.replace('"', '""')
    return f'"{doubled}"' if quoted or set(field) & set('",\n\r') else field


FIELD = st.text(alphabet='ab",\n\r é=\t', max_size=6)


@given(st.lists(st.tuples(FIELD, FIELD), max_size=9), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_tables_are_read_as_they_were_written(
    monkeypatch: pytest.MonkeyPatch, table: list[tuple[str, str]], end: str, quoted: bool, data: st.DataObject
) -> None:
    monkeypatch.setattr(csv_records, "BLOCK", data.draw(st.integers(1, 60)))
    content = "".join(",".join(written(field, quoted) for field in row) + end for row in [("x", "y"), *table]).encode()
    if not data.draw(st.booleans()):
        content = content.removesuffix(end.encode())

    assert rows_of(content, data.draw(st.integers(1, 4))) == [list(row) for row in table]


@given(st.binary(max_size=60) | st.text(alphabet='ab",\n\r', max_size=40).map(str.encode), st.integers(1, 9))
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_bytes_are_read_or_refused(monkeypatch: pytest.MonkeyPatch, content: bytes, block: int) -> None:
    """Whatever is accepted is what the standard library reads in its strict mode, rows of other lengths aside."""
    monkeypatch.setattr(csv_records, "BLOCK", block)
    try:
        source = opened(b"x,y\n" + content)
        found = list(source.pieces(3))
    except ServeryError:
        return
    rows = [list(row) for piece in found for row in zip(*(c.to_pylist() for c in piece.columns.values()), strict=True)]  # type: ignore[union-attr] # a table has columns
    expected = [row for row in csv.reader(io.StringIO(content.decode(), newline=""), strict=True) if row]

    assert rows == [row for row in expected if len(row) == 2]
    assert sum(len(piece.broken) for piece in found) == sum(len(row) != 2 for row in expected)


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\n1,2\n3,4\n",
        b"x,y\n1,2\n3,4",
        b"x,y\r\n1,2\r\n3,4\r\n",
        b"x,y\r1,2\r3,4\r",
        b"x,y\n1,2\r\n3,4\r",
        b"\xef\xbb\xbfx,y\n1,2\n3,4\n",
        b'"x","y"\n"1","2"\n"3","4"\n',
        b"\n\r\n\nx,y\n\n1,2\n\n\n3,4\n\n\n\n",
    ],
)
@pytest.mark.parametrize("block", [1, 2, 5, 100])
def test_every_way_to_end_lines_is_understood(monkeypatch: pytest.MonkeyPatch, content: bytes, block: int) -> None:
    monkeypatch.setattr(csv_records, "BLOCK", block)

    assert opened(content).names == ["x", "y"]
    assert rows_of(content) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the body is empty"),
        (b"\n\n\r\n", "the body is empty"),
        (b"\xef\xbb\xbf", "the body is empty"),
        (b'x,y\n1,"2\n3,4\n', "the quote that opens in line 2 is never closed"),
        (b'x,y\n"1""\n",2\n"3,4\n5,6', "the quote that opens in line 4 is never closed"),
        (b'x,y\n1,2\n3,a"b\n', "line 3 has a quote in the middle of a field"),
        (b'x,y\n"1"2,3\n', "line 2 has a quote in the middle of a field"),
        (b'x,y\n1, "2"\n', "line 2 has a quote in the middle of a field"),
        (b'x,y\n""2"",3\n', "line 2 has a quote in the middle of a field"),
        (b'x,"y\n1,2\n', "the quote that opens in line 1 is never closed"),
        (b"x,y\n1,2\n3,\xff\n", "not UTF-8: line 3, byte 0xff"),
        (b"x,\xe9\n1,2\n", "not UTF-8: line 1"),
        ("x,y\n1,2\n".encode("utf-16"), "is the body UTF-8?"),
        ("x,y\n1,2\n".encode("utf-16-le"), "NUL byte"),
        (b"x,y\n1,2\n3,\x00\n", "line 3 holds a NUL byte"),
    ],
)
def test_what_is_not_csv_is_told_by_its_line(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableBody) as raised:
        rows_of(content)

    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("content", "noun"),
    [
        (b"PK\x03\x04rest", "zip"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"PAR1rest", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_other_files_are_recognised(content: bytes, noun: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=noun):
        opened(content)


def test_rows_of_another_length_are_broken_and_the_others_are_not() -> None:
    (piece,) = opened(b'x,y\n1,2\n3\n"4\n",5,6\n\n7,8\n').pieces(10)

    assert piece.rows == 4
    assert piece.columns
    assert piece.columns["x"].to_pylist() == ["1", "7"]
    assert [(problem.row, problem.code, problem.message) for problem in piece.broken] == [
        (1, "wrong_number_of_fields", "row 1 (line 3) has 1 field, and the header 2"),
        (2, "wrong_number_of_fields", "row 2 (line 4) has 3 fields, and the header 2"),
    ]


def test_a_record_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "MOST_RECORD", 1000)
    monkeypatch.setattr(csv_records, "BLOCK", 100)

    with pytest.raises(UnreadableBody, match="line 2 begins a record of more than 1000 bytes"):
        rows_of(b"x,y\n" + b"1" * 5000)
    with pytest.raises(UnreadableBody, match="the quote that opens in line 3 is never closed"):
        rows_of(b'x,y\n1,2\n3,"' + b"4\n" * 5000)


@pytest.mark.parametrize(
    ("header", "hint"),
    [(b"x;y\n", "semicolons"), (b"x\ty\n", "tabs"), (b"1,2.5\n", "it holds numbers"), (b"x,y\n", "")],
)
def test_what_may_be_wrong_with_a_header_is_guessed(header: bytes, hint: str) -> None:
    found = opened(header).hint

    assert hint in found
    assert bool(hint) == bool(found)


def test_reading_goes_on_where_a_piece_ended() -> None:
    content = b"x,y\n" + b"".join(b'%d,"a\nb"\n' % number for number in range(20))
    pieces = list(opened(content).pieces(3))

    for number, piece in enumerate(pieces[:-1]):
        rest: list[Any] = list(opened(content).pieces(3, piece.after))
        assert rest == pieces[number + 1 :]
