"""Values as they are sent, the hostile ones among them: each is read, or refused with a reason that repeats little."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from model_api import values
from model_api.values import Rejected, Value

READERS: dict[str, Callable[[object], Value]] = {
    "number": values.number,
    "integer": values.integer,
    "boolean": values.boolean,
    "date": values.date,
    "moment": lambda value: values.date_time(value, None),
    "moment in UTC": lambda value: values.date_time(value, "UTC"),
    "moment in a zone": lambda value: values.date_time(value, "Europe/Amsterdam"),
    "text": values.text,
}
NULL = "a\x00b"
HOSTILE: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**53, 2**64, -(10**400), 10**5000, -(10**5000), 1e308, 5e-324, -0.0),
    *(math.nan, math.inf, -math.inf, "nan", "inf", "1e400", "1e-400", "-0", "0x10", "1_000", "٣", "１２"),
    *("", " ", "\t", "\n", NULL, "\x1b[31m", "\u202e", "\ufeff1", "\ud800", "é" * 70, "😀" * 70, "a" * 10_001),
    *("2026-02-30", "2026-13-01", "2026-00-10", "2026-01-00", "0000-01-01", "0001-01-01", "9999-12-31"),
    *("２０２６-01-01", "2026-1-1", "20260101", "2026-W01-1", "2026-001", "+2026-01-01", "-2026-01-01"),
    *("2026-01-01T24:00", "2026-01-01T23:60", "2026-01-01T23:59:60", "2026-01-01T25:00", "2026-06-30T23:59:60Z"),
    *("2026-01-01T00:00+24:00", "2026-01-01T00:00+99:99", "2026-01-01T00:00+0100", "2026-01-01T00:00:00,5"),
    *("2026-01-01T00", "2026-01-01T", "2026-01-01Z", "2026-01-01+01:00", "2026-01-01T00:00z", "2026-01-01T00:00 Z"),
    *("2026-01-01\n", "2026-01-01T00:00\n", " 2026-01-01", "2026-01-01T00:00:00.1234567", "today", "now"),
    *([], {}, [1], {"a": 1}, [[[]]], (), b"bytes", 1j, datetime(2026, 1, 1, tzinfo=UTC), object()),
]


def outcome(read: Callable[[object], Value], sent: object) -> Value | Rejected:
    """Give what was read, or the refusal."""
    try:
        return read(sent)
    except Rejected as refusal:
        return refusal


@pytest.mark.parametrize("name", READERS)
def test_whatever_is_sent_is_read_as_plain_json_or_refused_in_few_words(name: str) -> None:
    for sent in HOSTILE:
        found = outcome(READERS[name], sent)
        if isinstance(found, Rejected):
            assert found.code
            assert len(found.reason) < 200
            assert found.reason.isprintable()
        else:
            assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("name", READERS)
def test_what_was_read_once_is_read_again_as_the_same(name: str) -> None:
    for sent in HOSTILE:
        found = outcome(READERS[name], sent)
        assert isinstance(found, Rejected) or READERS[name](found) == found


def test_the_code_of_a_refusal_is_one_that_programs_know() -> None:
    found = [outcome(read, sent) for read in READERS.values() for sent in HOSTILE]

    assert {refusal.code for refusal in found if isinstance(refusal, Rejected)} == {
        *("not_a_number", "not_an_integer", "not_a_boolean", "not_a_date", "not_a_datetime", "not_a_text"),
        *("out_of_range", "too_long"),
    }


@pytest.mark.parametrize(
    ("sent", "date"),
    [
        ("2026-11-24", "2026-11-24"),
        ("2024-02-29", "2024-02-29"),
        ("1678-01-01", "1678-01-01"),
        ("2261-12-31", "2261-12-31"),
        ("2026-11-24T00:00", "2026-11-24"),
        ("2026-11-24 00:00:00", "2026-11-24"),
        ("2026-11-24T00:00:00.000000", "2026-11-24"),
    ],
)
def test_a_date_is_written_in_one_form(sent: str, date: str) -> None:
    assert values.date(sent) == date


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ("2026-02-30", "not_a_date", 'must be a date such as 2026-11-24; there is no "2026-02-30"'),
        ("2023-02-29", "not_a_date", 'there is no "2023-02-29"'),
        ("2100-02-29", "not_a_date", 'there is no "2100-02-29"'),
        ("2026-04-31", "not_a_date", 'there is no "2026-04-31"'),
        ("0000-01-01", "not_a_date", 'there is no "0000-01-01"'),
        ("1677-12-31", "out_of_range", 'must be in the years 1678 to 2261, not "1677-12-31"'),
        ("2262-01-01", "out_of_range", "must be in the years 1678 to 2261"),
        ("0001-01-01", "out_of_range", "must be in the years 1678 to 2261"),
        ("2026-11-24T09:30", "not_a_date", 'must be a date without a time, not "2026-11-24T09:30"'),
        ("2026-11-24T00:00:00.000001", "not_a_date", "must be a date without a time"),
        ("2026-11-24T00:00Z", "not_a_date", "must be a date without a time"),
        ("２０２６-01-01", "not_a_date", 'must be a date such as 2026-11-24, not "２０２６-01-01"'),
        ("24.11.2026", "not_a_date", 'must be a date such as 2026-11-24, not "24.11.2026"'),
        ("11/24/2026", "not_a_date", "must be a date such as"),
        (20261124, "not_a_date", "must be a date such as 2026-11-24, not 20261124"),
        (1.7e9, "not_a_date", "must be a date such as"),
        (None, "not_a_date", "must be a date such as"),
        ([2026, 11, 24], "not_a_date", "must be a date such as 2026-11-24, not a list"),
        ({"year": 2026}, "not_a_date", "must be a date such as 2026-11-24, not an object"),
    ],
)
def test_what_is_no_date_is_refused(sent: Any, code: str, reason: str) -> None:
    with pytest.raises(Rejected) as refusal:
        values.date(sent)

    assert refusal.value.code == code
    assert reason in refusal.value.reason


def test_every_day_of_the_calendar_is_a_date_and_no_other() -> None:
    for year in (1678, 1900, 2000, 2023, 2024, 2261):
        for month in range(15):
            for day in range(34):
                sent = f"{year}-{month:02}-{day:02}"
                found = outcome(values.date, sent)
                try:
                    datetime(year, month, day, tzinfo=UTC)
                except ValueError:
                    assert isinstance(found, Rejected)
                else:
                    assert found == sent


@pytest.mark.parametrize(
    ("sent", "zone", "moment"),
    [
        ("2026-11-24T09:30", None, "2026-11-24T09:30:00"),
        ("2026-11-24 09:30", None, "2026-11-24T09:30:00"),
        ("2026-11-24", None, "2026-11-24T00:00:00"),
        ("2026-11-24T09:30:15.5", None, "2026-11-24T09:30:15.500000"),
        ("2026-11-24T09:30", "UTC", "2026-11-24T09:30:00+00:00"),
        ("2026-11-24T09:30Z", "UTC", "2026-11-24T09:30:00+00:00"),
        ("2026-11-24T09:30+05:45", "UTC", "2026-11-24T03:45:00+00:00"),
        ("2026-11-24T09:30", "Europe/Amsterdam", "2026-11-24T08:30:00+00:00"),
        ("2026-07-24T09:30", "Europe/Amsterdam", "2026-07-24T07:30:00+00:00"),
        ("2026-07-24T09:30-08:00", "Europe/Amsterdam", "2026-07-24T17:30:00+00:00"),
        ("2026-03-29T02:30", "Europe/Amsterdam", "2026-03-29T01:30:00+00:00"),
        ("2026-10-25T02:30", "Europe/Amsterdam", "2026-10-25T00:30:00+00:00"),
        ("1678-01-01T00:00+14:00", "UTC", "1677-12-31T10:00:00+00:00"),
        ("2261-12-31T23:59:59.999999-12:00", "UTC", "2262-01-01T11:59:59.999999+00:00"),
        ("2026-11-24T23:59-23:59", "UTC", "2026-11-25T23:58:00+00:00"),
        ("2026-11-24T09:30", "UTC+02:00", "2026-11-24T07:30:00+00:00"),
        ("2026-11-24T09:30", "UTC-09:30", "2026-11-24T19:00:00+00:00"),
    ],
)
def test_a_moment_is_written_in_one_form(sent: str, zone: str | None, moment: str) -> None:
    assert values.date_time(sent, zone) == moment


@pytest.mark.parametrize(
    ("sent", "zone", "code"),
    [
        ("2026-11-24T09:30Z", None, "not_a_datetime"),
        ("2026-11-24T09:30+00:00", None, "not_a_datetime"),
        ("2026-11-24T23:59:60", "UTC", "not_a_datetime"),
        ("2026-11-24T24:00", "UTC", "not_a_datetime"),
        ("2026-11-24T09:30+24:00", "UTC", "not_a_datetime"),
        ("2026-11-24T09:30+0100", "UTC", "not_a_datetime"),
        ("2026-11-24T09:30:00.1234567", "UTC", "not_a_datetime"),
        ("2026-11-24T0９:30", "UTC", "not_a_datetime"),
        ("1677-12-31T23:59Z", "UTC", "out_of_range"),
        ("9999-12-31T23:59-12:00", "UTC", "out_of_range"),
        (1_764_000_000, "UTC", "not_a_datetime"),
        ("", "UTC", "not_a_datetime"),
    ],
)
def test_what_is_no_moment_is_refused(sent: Any, zone: str | None, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        values.date_time(sent, zone)

    assert refusal.value.code == code


def test_earlier_moments_sort_before_later_ones() -> None:
    random = np.random.default_rng(0)
    start = datetime(1700, 1, 1, tzinfo=UTC)
    moments = [
        start + timedelta(seconds=int(s), microseconds=int(u))
        for s, u in zip(random.integers(0, 10**10, 500), random.choice([0, 1, 500_000, 999_999], 500), strict=True)
    ]
    moments += [moment + timedelta(microseconds=1) for moment in moments]
    zones = [timezone(timedelta(minutes=int(m))) for m in random.integers(-720, 840, len(moments))]

    written = [
        str(values.date_time(moment.astimezone(zone).isoformat(), "UTC"))
        for moment, zone in zip(moments, zones, strict=True)
    ]

    assert [text for _, text in sorted(zip(moments, written, strict=True))] == sorted(written)
    assert [datetime.fromisoformat(text) for text in written] == moments


@pytest.mark.parametrize(
    "text", ["", " ", "a\tb\nc\r\n", "été", "😀", "\u00a0", "\u202e", "<script>", "'; DROP TABLE", "a" * 10_000, "\x7f"]
)
def test_free_text_is_taken_as_it_is(text: str) -> None:
    assert values.text(text) == text


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ("a" * 10_001, "too_long", "is longer than 10,000 characters"),
        (NULL, "not_a_text", 'holds control characters: "a\\u0000b"'),
        ("\x1b[2J", "not_a_text", 'holds control characters: "\\u001b[2J"'),
        ("a\x0bb", "not_a_text", "holds control characters"),
        (5, "not_a_text", "must be text, not 5"),
        (True, "not_a_text", "must be text, not true"),
        (None, "not_a_text", "must be text, not None"),
        (["a"], "not_a_text", "must be text, not a list"),
    ],
)
def test_what_is_no_free_text_is_refused(sent: Any, code: str, reason: str) -> None:
    with pytest.raises(Rejected) as refusal:
        values.text(sent)

    assert refusal.value.code == code
    assert refusal.value.reason.startswith(reason)


def test_numbers_read_what_python_writes() -> None:
    random = np.random.default_rng(0)
    for number in (random.normal(size=300) * 10.0 ** random.integers(-300, 300, 300)).tolist():
        assert values.number(number) == values.number(repr(number).replace("e+", "e")) == number


def test_whole_numbers_read_what_python_writes() -> None:
    for number in (0, 1, -1, 2**31, 2**53 - 1, -(2**53) + 1, 10**15):
        for sent in (number, float(number), str(number), f"{number}.0", f"{number}e0"):
            read = values.integer(sent)
            assert read == number
            assert type(read) is int


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("short", "short"),
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 63 + "…"),
        ("a\nb", "a\\u000ab"),
        ("\x00" * 20, "\\u0000" * 10 + "\\u0…"),
        ("\ud800", "\\ud800"),
        (10**100, "1" + "0" * 62 + "…"),
        (1.5, "1.5"),
        (None, "None"),
    ],
)
def test_what_is_repeated_is_short_and_printable(value: Any, shown: str) -> None:
    assert values.clip(value) == shown
    assert len(values.clip(value)) <= values.MAX_ECHO


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Berln", "Berlin"),
        (" köln", "Köln"),
        ("SÃO PAULO", "São Paulo"),
        ("Paris", None),
        ("", None),
        ("B" * 10**6, None),
    ],
)
def test_the_nearest_name_is_found_if_there_is_one(name: str, near: str | None) -> None:
    assert values.nearest(name, ["Berlin", "Köln", "São Paulo"]) == near


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (0.1 + 0.2, "0.3"), (42.2, "42.2"), (1e21, "1e+21"), ("2026-01-01", "2026-01-01")]
)
def test_training_values_are_shown_without_noise(value: Any, shown: str) -> None:
    assert values.show(value) == shown
