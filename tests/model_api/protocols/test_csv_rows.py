"""text/csv: what is read, and which line is named when it cannot be."""

from typing import Any

import pytest

from model_api.errors import RequestError
from model_api.protocols.csv_rows import instances_of, written
from model_api.signature import Feature, Signature, Target

SIGNATURE = Signature(
    (
        Feature("size", "number", missing_allowed=True),
        Feature("kind", "category", categories=("nan", "b")),
        Feature("day", "date", missing_allowed=True),
    ),
    Target("y", "regression"),
)
ROW = {"size": "1", "kind": "b", "day": "2026-01-02"}


def read(text: str | bytes, **options: Any) -> list[object]:
    body = text.encode() if isinstance(text, str) else text
    return instances_of(body, SIGNATURE, options.pop("max_rows", 10), **options)


@pytest.mark.parametrize(
    "text",
    [
        "size,kind,day\n1,b,2026-01-02\n",
        "\ufeffsize,kind,day\n1,b,2026-01-02",
        "size,kind,day\r\n1,b,2026-01-02\r\n\r\n\r\n",
        "size,kind,day\r1,b,2026-01-02\r",
        'day, kind ,"size"\n2026-01-02,b,"1"',
        "1,b,2026-01-02\n",
        "\n1,b,2026-01-02",
        "size,customer,kind,day\n1,c-7,b,2026-01-02",
    ],
)
def test_a_table_is_read(text: str) -> None:
    assert read(text) == [ROW]


def test_gaps_are_those_of_numbers_and_dates_only() -> None:
    assert read("nan,nan,NaT\nNaN,b,\n") == [
        {"size": None, "kind": "nan", "day": None},
        {"size": None, "kind": "b", "day": ""},
    ]


def test_a_feature_that_may_be_missing_may_have_no_column() -> None:
    assert read("kind\nb") == [{"kind": "b"}]


BAD: dict[str, tuple[str | bytes, str]] = {
    "B1 empty": ("", "no rows"),
    "B2 header only": ("size,kind,day\n", "no rows"),
    "B3 blank lines": ("\n\n\n", "no rows"),
    "B5 UTF-16": ("size,kind,day\n".encode("utf-16"), "not UTF-8: byte 0, in line 1"),
    "B6 a bad byte": (b"1,b,2026-01-02\n1,\xff,2026-01-02", "byte 17, in line 2"),
    "B10 an open quote": ('1,b,2026-01-02\n"1,b', "line 2"),
    "B11 a stray quote": ('1,"b"x,2026-01-02', "line 1"),
    "B12 a field of 200 KB": ("1," + "b" * 200_000 + ",2026-01-02", "field larger than field limit"),
    "B13 a short row": ("1,b,2026-01-02\n1,b", "line 2 has 2 cells; expected 3: size, kind, day"),
    "B14 a long row": ("1,b,2026-01-02,4", "line 1 has 4 cells"),
    "B15 a header with a name twice": ("size,size,kind\n1,1,b", "names size twice"),
    "B16 a missing column": ("size,day\n1,2026-01-02", "kind is missing; got size, day"),
    "B18 a name in other case": ("Size,kind\n1,b", "did you mean size?"),
    "B21 semicolons": ("size;kind;day\n1;b;2026-01-02", "line 1 has 1 cells"),
    "B31 too many rows": ("1,b,2026-01-02\n" * 11, "11 instances are more than the 10"),
    "B31 far too many rows": ("1,b,2026-01-02\n" * 1000, "more rows than the 10"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_table_that_cannot_be_read_is_refused(name: str) -> None:
    text, words = BAD[name]

    with pytest.raises(RequestError) as refusal:
        read(text)

    assert words in str(refusal.value)


def test_cells_are_quoted_where_they_must_be() -> None:
    assert written([[1.5], ["a,b"]]) == '1.5\n"a,b"\n'
