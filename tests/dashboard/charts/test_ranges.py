"""A prediction on a number line, with a range for each coverage."""

import re

import pytest

from dashboard.charts import Chart
from dashboard.charts.bars import Table
from dashboard.charts.ranges import Range, ranges, span
from dashboard.charts.rendering import Key, render
from dashboard.charts.style import configure


def chart(value: float, *ends: tuple[float, float], unit: str = "€") -> Chart:
    """Make the chart of ranges with the coverages 80, 81, …; the first is chosen."""
    around = [
        Range(f"{80 + number} %", low, high, f"{low} to {high} {unit}", not number)
        for number, (low, high) in enumerate(ends)
    ]
    table = Table(("coverage", "low", "high"), tuple((one.label, one.low, one.high) for one in around))
    return ranges("Where it is.", (value, f"{value} {unit}"), around, table)


def drawn(made: Chart, size: str = "wide") -> str:
    """Draw a chart as SVG."""
    configure()
    return render(made, Key("d", made.name, "svg", size="narrow" if size == "narrow" else "wide")).decode()


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_each_range_is_labelled_with_its_ends_and_the_prediction_with_its_number(size: str) -> None:
    svg = drawn(chart(10.0, (9.0, 11.0), (5.0, 15.0)), size)

    for text in ("80 %: 9.0 to 11.0 €", "81 %: 5.0 to 15.0 €"):
        assert f">{text}</text>" in svg
    assert "10.0 €</text>" in svg


def test_only_the_chosen_range_is_bold() -> None:
    svg = drawn(chart(10.0, (9.0, 11.0), (5.0, 15.0)))
    bold = re.findall(r"font-weight: 700[^>]*>([^<]*)<", svg)

    assert "80 %: 9.0 to 11.0 €" in bold
    assert "81 %: 5.0 to 15.0 €" not in bold


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(0.0, 0.0, 0.0), (1e17, 1e17, 1e17), (1e-300, 0.0, 2e-300), (0.0, -1.7e308, 1.7e308), (1.79e308, 1.0, 1.79e308)],
)
def test_any_numbers_make_a_chart(value: float, low: float, high: float) -> None:
    assert "<svg" in drawn(chart(value, (low, high)))


def test_the_number_line_holds_all_values_with_room() -> None:
    low, high = span([3.0, 1.0, 2.0])

    assert low < 1
    assert high > 3


def test_a_long_unit_is_shortened_and_not_clipped() -> None:
    svg = drawn(chart(10.0, (9.0, 11.0), unit="u" * 200), "narrow")

    assert max(len(text) for text in re.findall(r">([^<]*)</text>", svg)) < 60


def test_the_chart_grows_with_the_ranges() -> None:
    one, three = chart(1.0, (0.0, 2.0)), chart(1.0, *[(0.0, 2.0)] * 3)

    assert one.sizes["wide"][1] < three.sizes["wide"][1]
    assert len(three.rows) == 3
