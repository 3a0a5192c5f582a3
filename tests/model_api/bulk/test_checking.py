"""Whole columns get the same verdicts as `Signature.check` gives row by row."""

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_api.bulk.checking import check_columns
from model_api.bulk.plain import plain
from model_api.signature import Feature, InputWarning, Signature, Target

FEATURES = (
    Feature("number", "number", minimum=-10.0, maximum=10.5, missing_allowed=True, missing_rate=0.1),
    Feature("needed", "number"),
    Feature("whole", "integer", minimum=0, maximum=5, missing_allowed=True),
    Feature("flag", "boolean"),
    Feature("maybe", "boolean", missing_allowed=True, missing_rate=0.5),
    Feature("city", "category", categories=("Berlin", "Köln", "São Paulo", "=1")),
    Feature("sex", "category", categories=(1, 2), missing_allowed=True),
    Feature("share", "category", categories=(0.5, 1.5, "none")),
    Feature("any", "category", categories=("a", ""), unknown_categories=True),
    Feature("day", "date", minimum="2000-01-01", maximum="2020-12-31", missing_allowed=True),
    Feature("at", "datetime", minimum="2000-01-01T00:00:00", maximum="2020-12-31T00:00:00"),
    Feature("there", "datetime", zone="Europe/Amsterdam", missing_allowed=True),
    Feature("words", "text"),
)
BY_NAME = {feature.name: feature for feature in FEATURES}
TARGET = Target("y", "regression")

WORDS = st.sampled_from(
    [
        *("", " ", "1", "2", "1.0", "0.5", "1.5", "-3", "007", "1e3", "1E+2", "1e-400", "1e400", "1_000", "+1", ".5"),
        *("1.", "nan", "NaN", "inf", "-inf", "٣", "1 ", " 1", "1\n", "0x10", "9" * 30, "9" * 401, "0." + "1" * 60),
        *("true", "True", "FALSE", "0", "yes", "Berlin", "berlin", "Köln", "Ko\u0308ln", "=1", "none", "a", "b"),
        *("2010-05-06", "2010-02-30", "1999-12-31", "2010-05-06T07:08", "2010-05-06 07:08:09.5", "1600-01-01"),
        *("2010-05-06T07:08Z", "2010-05-06T07:08+02:00", "2010-05-06T00:00", "x" * 2001, "x" * 10_001, "tab\tnew\n"),
        *("9007199254740991", "9007199254740992", "9007199254740993", "-0", "-0.0", "1e22", "123456789012345678901.5"),
    ]
)
TEXTS = st.one_of(WORDS, st.text(max_size=8), st.floats().map(str), st.integers().map(str))
COLUMNS: dict[str, Any] = {
    "text": (pa.string(), TEXTS),
    "large text": (pa.large_string(), TEXTS),
    "view": (pa.string_view(), TEXTS),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), WORDS),
    "float64": (pa.float64(), st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.5, 11.0, 2.0**53]))),
    "float32": (pa.float32(), st.floats(width=32)),
    "int64": (pa.int64(), st.one_of(st.integers(-3, 8), st.integers(-(2**63), 2**63 - 1))),
    "uint64": (pa.uint64(), st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1))),
    "int8": (pa.int8(), st.integers(-128, 127)),
    "bool": (pa.bool_(), st.booleans()),
    "decimal": (pa.decimal128(12, 3), st.sampled_from([Decimal(1), Decimal("2.000"), Decimal("-3.125"), Decimal(12)])),
    "date": (pa.date32(), st.dates()),
    "date64": (pa.date64(), st.dates()),
    "timestamp": (pa.timestamp("us"), st.datetimes()),
    "seconds": (pa.timestamp("s"), st.datetimes().map(lambda moment: moment.replace(microsecond=0))),
    "zoned": (pa.timestamp("ms", "America/New_York"), st.integers(0, 2 * 10**12)),
    "nothing": (pa.null(), st.none()),
    "whole dictionary": (pa.dictionary(pa.int32(), pa.int64()), st.integers(0, 3)),
}


def tables() -> st.SearchStrategy[dict[str, Any]]:
    """Give a few rows of some of the features, each in a column of any type."""

    @st.composite
    def draw_table(draw: st.DrawFn) -> dict[str, Any]:
        names = draw(st.lists(st.sampled_from(sorted(BY_NAME)), min_size=1, max_size=5, unique=True))
        rows = draw(st.integers(1, 6))
        table = {}
        for name in names:
            kind, values = COLUMNS[draw(st.sampled_from(sorted(COLUMNS)))]
            column = draw(st.lists(st.one_of(values, values, values, st.none()), min_size=rows, max_size=rows))
            if pa.types.is_dictionary(kind):
                table[name] = pa.array(column, kind.value_type).dictionary_encode()
            else:
                table[name] = pa.array(column, kind)
        return table

    return draw_table()


def as_sent(name: str, value: Any) -> Any:
    """Give a cell as JSON would bring it."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Decimal):
        return str(value)
    return value


def warnings_of(checked: Any) -> list[list[InputWarning]]:
    return [checked.warnings.get(row, []) for row in checked.good.tolist()]


@given(tables())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_tables_get_the_verdicts_of_their_rows(table: dict[str, Any]) -> None:
    signature = Signature(tuple(BY_NAME[name] for name in table), TARGET)
    columns = {name: plain(name, column) for name, column in table.items()}
    rows = len(next(iter(columns.values())))
    cells = {name: [as_sent(name, cell) for cell in column.to_pylist()] for name, column in columns.items()}
    expected = signature.check([{name: cells[name][row] for name in cells} for row in range(rows)])

    found = check_columns(signature, columns, rows)

    assert found.problems == expected.problems
    assert found.good.tolist() == expected.good
    assert warnings_of(found) == expected.warnings
    for name, values in expected.columns.items():
        taken: Any = found.columns[name]
        plain_values = taken.tolist() if isinstance(taken, np.ndarray) else taken
        assert list(map(repr, plain_values)) == [repr(value) for value in values], name


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (pa.array([date(2020, 5, 6)]), ["2020-05-06"]),
        (pa.array([date(2020, 5, 6)], pa.date64()), ["2020-05-06"]),
        (pa.array([datetime.fromisoformat("2020-05-06T07:08:09")]), ["2020-05-06 07:08:09.000000"]),
        (pa.array([datetime.fromisoformat("2020-05-06T07:08:09")], pa.timestamp("s")), ["2020-05-06 07:08:09"]),
        (pa.array([1588748889123456789], pa.timestamp("ns")), ["2020-05-06 07:08:09.123456"]),
        (pa.array([1588748889], pa.timestamp("s", "America/New_York")), ["2020-05-06 07:08:09Z"]),
        (pa.array([2**62], pa.timestamp("s")), ["<value out of range: 4611686018427387904>"]),
        (pa.array([Decimal("1.50"), None]), ["1.50", None]),
        (pa.array([1.5, math.nan, None]), [1.5, None, None]),
        (pa.array([0.5, None], pa.float16()), [0.5, None]),
        (pa.array([2, None]).dictionary_encode(), [2, None]),
        (pa.array([date(2020, 5, 6)]).dictionary_encode(), ["2020-05-06"]),
        (pa.nulls(2), [None, None]),
        (pa.DictionaryArray.from_arrays(pa.array([1, 0, None]), pa.array([None, "x", "y", "z"])), ["x", None, None]),
    ],
)
def test_a_cell_of_any_type_becomes_what_json_would_bring(column: Any, cells: list[Any]) -> None:
    assert plain("x", column).to_pylist() == cells


def test_a_feature_that_may_be_missing_needs_no_column() -> None:
    signature = Signature((BY_NAME["flag"], BY_NAME["maybe"]), TARGET)

    found = check_columns(signature, {"flag": pa.array([True, False])}, 2)

    assert found.columns == {"flag": [True, False], "maybe": [None, None]}
    assert [warning.code for warning in found.warnings[1]] == ["missing"]
