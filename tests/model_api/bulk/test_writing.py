"""CSV that a spreadsheet may open."""

import csv
import io

import pyarrow as pa
import pytest

from model_api.bulk.writing import CsvWriter


def written(batch: pa.RecordBatch) -> list[list[str]]:
    sink = io.BytesIO()
    CsvWriter(sink, batch.schema).write(batch)
    return list(csv.reader(io.StringIO(sink.getvalue().decode(), newline=""), strict=True))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠1"]
)
def test_a_text_that_would_be_run_gets_an_apostrophe(text: str) -> None:
    batch = pa.RecordBatch.from_arrays([pa.array([text, f"a{text}", None])], [text])

    assert written(batch) == [[f"'{text}"], [f"'{text}"], [f"a{text}"], []]


def test_numbers_stay_as_they_are() -> None:
    numbers = [-1.5, 1e300, -1e-7, 0.1, 3.0, 2.2250738585072014e-308]
    batch = pa.RecordBatch.from_arrays([pa.array(numbers), pa.array([-3, 2**62, 0, 1, 2, 3])], ["x", "n"])

    rows = written(batch)[1:]

    assert [float(row[0]) for row in rows] == numbers
    assert [int(row[1]) for row in rows] == [-3, 2**62, 0, 1, 2, 3]


def test_sets_are_lists_of_json_and_quotes_are_doubled() -> None:
    sets = pa.array([["a", 'b"c'], [], None, ["=1"]], pa.list_(pa.string()))
    batch = pa.RecordBatch.from_arrays([sets, pa.array(['say "x"', "a,b", "a\nb", ""])], ["sets", "text"])

    assert written(batch)[1:] == [
        ['["a", "b\\"c"]', 'say "x"'],
        ["[]", "a,b"],
        ["", "a\nb"],
        ['["=1"]', ""],
    ]
