"""Dates and times as text, and how a clock shows them."""

from datetime import UTC, datetime
from functools import partial

import pytest

from dashboard.moments import clock_time, find_zone, is_written_so, read_date, read_moment

AMSTERDAM = "Europe/Amsterdam"


@pytest.mark.parametrize("text", ["2026-11-24", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_date_reads_back_as_it_was_written(text: str) -> None:
    assert read_date(text).isoformat() == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "24-11-2026", "2026-1-1", "20261124", "2026-W48-2", "2026-11-24T00:00", " 2026-11-24"),
        *("2026-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "２０２６-11-24", "2026-11-24\n", "10000-01-01"),
    ],
)
def test_what_is_not_a_date_of_the_calendar_is_refused(text: str) -> None:
    assert not is_written_so(read_date, text)


@pytest.mark.parametrize("value", [None, 20261124, 0.5, True, ["2026-11-24"]])
def test_what_is_no_text_is_no_date(value: object) -> None:
    assert not is_written_so(read_date, value)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-24", "2026-11-24T9:30", "2026-11-24T25:00", "2026-11-24T09:60", "2026-02-30T09:30", "09:30"),
        *("2026-11-24T09", "2026-11-24T09:30:15.1234567", "2026-11-24T09:30 pm", "2026-11-24t09:30", "now"),
    ],
)
@pytest.mark.parametrize("zone", [None, AMSTERDAM])
def test_what_is_not_a_moment_is_refused(text: str, zone: str | None) -> None:
    assert not is_written_so(partial(read_moment, zone=zone), text)


@pytest.mark.parametrize("text", ["2026-11-24T09:30Z", "2026-11-24T09:30+01:00", "2026-11-24 09:30-00:30"])
def test_an_offset_needs_a_time_zone(text: str) -> None:
    assert is_written_so(partial(read_moment, zone=AMSTERDAM), text)
    with pytest.raises(ValueError, match="offset"):
        read_moment(text, None)


def test_a_moment_without_an_offset_is_in_its_zone() -> None:
    with_offset, without = read_moment("2026-07-01T08:30Z", AMSTERDAM), read_moment("2026-07-01T10:30", AMSTERDAM)

    assert with_offset.astimezone(UTC) == without.astimezone(UTC) == datetime(2026, 7, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+00:00", "9999-12-31T23:59-12:00"])
def test_a_moment_that_no_clock_can_show_is_refused(text: str) -> None:
    zone = "America/New_York" if text.startswith("0001") else "Asia/Tokyo"

    with pytest.raises(ValueError, match="beyond the calendar"):
        read_moment(text, zone)


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "Europe", "../etc/passwd", "/etc/passwd", "", "x" * 5000, "a\0b", "UTC+99:00"]
)
def test_a_zone_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the words are Python's for some of them
        find_zone(name)


@pytest.mark.parametrize(
    ("text", "zone", "shown"),
    [
        ("2026-11-24T08:30:00+00:00", AMSTERDAM, "2026-11-24T09:30"),
        ("2026-07-24T08:30:00+00:00", AMSTERDAM, "2026-07-24T10:30"),
        ("2026-11-24T23:30:00+00:00", AMSTERDAM, "2026-11-25T00:30"),
        ("2026-11-24T08:30:00+00:00", "UTC", "2026-11-24T08:30"),
        ("2026-11-24T08:30:00+00:00", "UTC-03:30", "2026-11-24T05:00"),
        ("2026-11-24T08:30:00", None, "2026-11-24T08:30"),
        ("2026-11-24T08:30:15", None, "2026-11-24T08:30:15"),
        ("2026-11-24T08:30:15.500000", None, "2026-11-24T08:30:15.500"),
        ("2026-11-24T08:30:15.123456", None, "2026-11-24T08:30:15.123456"),
    ],
)
def test_a_moment_is_written_as_its_clock_shows_it(text: str, zone: str | None, shown: str) -> None:
    assert clock_time(text, zone) == shown


@pytest.mark.parametrize("utc", ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00", "2026-03-29T01:30:00+00:00"])
def test_what_a_clock_shows_leads_back_to_the_same_moment_even_where_it_is_put_back(utc: str) -> None:
    shown = clock_time(utc, AMSTERDAM)

    # Within one zone Python compares what clocks show, so both go to another first.
    assert read_moment(shown, AMSTERDAM).astimezone(UTC) == datetime.fromisoformat(utc)


def test_an_hour_that_comes_twice_has_its_offset_the_second_time() -> None:
    assert clock_time("2026-10-25T00:30:00+00:00", AMSTERDAM) == "2026-10-25T02:30"
    assert clock_time("2026-10-25T01:30:00+00:00", AMSTERDAM) == "2026-10-25T02:30+01:00"


@pytest.mark.parametrize("text", ["soon", "", "2026-11-24", "2026-11-24T08:30Z"])
def test_a_text_that_is_no_moment_stays_as_it_is(text: str) -> None:
    assert clock_time(text, None) == text
