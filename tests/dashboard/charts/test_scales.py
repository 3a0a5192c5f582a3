"""The values of a feature along a line."""

from typing import Any

import pytest

from dashboard.charts.scales import Scale, percent_ticks
from dashboard.records import Value
from tests.dashboard import kitchen


def labels(kind: str, values: list[Value], room: float = 500, **changes: Any) -> list[str]:
    """Write what stands beside the line."""
    return [text for _, text in Scale.of(kitchen.feature(kind=kind, **changes), values).labels(room)]


def test_a_number_is_where_it_is() -> None:
    feature = kitchen.feature()
    scale = Scale.of(feature, [10.0, None, 30.0])

    assert (scale.low, scale.high) == (10.0, 30.0)
    assert scale.place(feature, 20) == 20.0
    assert scale.place(feature, None) is None


def test_one_value_has_room_on_both_sides() -> None:
    scale = Scale.of(kitchen.feature(), [5.0])

    assert scale.low < 5.0 < scale.high


def test_levels_stand_side_by_side() -> None:
    feature = kitchen.feature(kind="category")
    scale = Scale.of(feature, ["north", "south", "east"])

    assert [scale.place(feature, level) for level in ("north", "south", "east")] == [0.0, 1.0, 2.0]
    assert (scale.low, scale.high) == (-0.5, 2.5)
    assert scale.place(feature, "elsewhere") is None
    assert [text for _, text in scale.labels(500)] == ["north", "south", "east"]


def test_true_and_false_are_called_yes_and_no() -> None:
    assert labels("boolean", [False, True]) == ["no", "yes"]


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        ("2000-03-01", "2024-06-01", ["2005", "2010", "2015", "2020"]),
        ("2023-01-15", "2023-12-15", ["2023-04", "2023-07", "2023-10"]),
        ("2023-03-01", "2023-03-05", ["2023-03-01", "2023-03-02", "2023-03-03", "2023-03-04", "2023-03-05"]),
    ],
)
def test_dates_are_written_as_finely_as_they_need_to_be(low: str, high: str, shown: list[str]) -> None:
    assert labels("date", [low, high], 1000) == shown


def test_moments_are_by_the_clock_of_their_zone() -> None:
    feature = kitchen.feature(kind="datetime", **kitchen.AMSTERDAM)
    scale = Scale.of(feature, ["2024-01-01T00:00:00+00:00", "2024-01-01T06:00:00+00:00"])

    assert scale.place(feature, "2024-01-01T05:00:00+00:00") == pytest.approx(scale.low + 5 / 24)
    assert scale.labels(1000)[0][1] == "01-01 01:00"


def test_less_room_has_fewer_labels() -> None:
    assert len(labels("number", [0.0, 1000.0], 120)) < len(labels("number", [0.0, 1000.0], 600))


def test_shares_are_written_as_percents() -> None:
    assert percent_ticks(0.1, 0.5, 5)[0][1] == "10 %"
