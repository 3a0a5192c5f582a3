"""What mistakes cost at each threshold."""

import re
from itertools import pairwise

import pytest

from dashboard.charts import Chart
from dashboard.charts.costs import Mark, Point, costs
from dashboard.charts.rendering import SIZES, Key, Size, render
from dashboard.charts.style import CHARACTER, configure

POINTS = [Point(place / 100, 100 + (place - 30) ** 2 / 10, True) for place in range(101)]
TABLE = (("threshold",), ((0.0,),))
PIXELS = 96 / 72
"""CSS pixels to a point, in which SVG measures."""
AXIS = "Line at a probability of “defaulted”"


def chart(*marks: Mark | None, points: list[Point] = POINTS) -> Chart:
    return costs("A finding.", AXIS, points, marks, TABLE)


def svg(drawn: Chart, size: Size = "wide") -> str:
    configure()
    return render(drawn, Key("m", "c", "svg", "light", size)).decode()


def texts(drawn: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawn)


def test_the_best_the_served_and_the_case_are_named() -> None:
    words = texts(svg(chart(Mark("best", 0.3, 100.0), Mark("in use", 0.5, 140.0), Mark("this case", 0.4))))

    assert {"best", "in use", "this case", "Expected cost of 1,000 cases", AXIS} <= set(words)


def test_what_there_is_not_is_left_out_and_the_others_keep_their_shapes() -> None:
    words = texts(svg(chart(None, None, Mark("this case", 0.4))))

    assert "this case" in words
    assert "best" not in words


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("threshold", [0.0, 0.001, 0.25, 0.49, 0.5, 0.51, 0.75, 0.999, 1.0])
def test_names_stay_in_the_picture_wherever_their_marks_are(size: Size, threshold: float) -> None:
    label = "in use: 99.9 %, costs 123,456,789"
    drawn = svg(chart(Mark(label, threshold, 110.0), Mark(label, threshold, 110.0), Mark("case", threshold)), size)
    width = chart().sizes[size][0]
    named = re.findall(r'<text style="([^"]*)" x="([\d.]+)"[^>]*>(in use[^<]*)</text>', drawn)

    assert len(named) == 2
    for style, x, text in named:
        start = float(x) * PIXELS - (len(text) * CHARACTER if "text-anchor: end" in style else 0)
        assert start >= 0
        assert start + len(text) * CHARACTER <= width + 1


def test_what_a_mark_costs_is_left_out_where_there_is_no_room_rather_than_cut() -> None:
    marked = chart(Mark("best: 48.8 %", 0.488, 179.0, note=", costs 179"))

    assert "best: 48.8 %, costs 179" in texts(svg(marked, "wide"))
    assert "best: 48.8 %" in texts(svg(marked, "narrow"))


@pytest.mark.parametrize("size", SIZES)
def test_names_of_marks_are_below_each_other(size: Size) -> None:
    marks = [Mark("one", 0.3, 100.0), Mark("two", 0.3, 100.0), Mark("three", 0.3)]
    drawn = svg(chart(*marks), size)
    heights = [float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>(?:one|two|three)<', drawn)]

    assert len(heights) == 3
    assert all((below - above) * PIXELS >= 16 for above, below in pairwise(heights))


def test_thresholds_beyond_the_capacity_are_dashed() -> None:
    half = [point._replace(allowed=point.threshold >= 0.5) for point in POINTS]

    assert "stroke-dasharray" not in svg(chart())
    assert svg(chart(points=half)).count("stroke-dasharray") == 1


def test_thresholds_of_which_none_is_allowed_are_all_dashed() -> None:
    none = [point._replace(allowed=False) for point in POINTS]

    assert svg(chart(points=none)).count("stroke-dasharray") == 1


@pytest.mark.parametrize("cost", [0.0, 1e-9, 1.0, 1e15])
def test_costs_of_any_size_can_be_drawn(cost: float) -> None:
    drawn = svg(chart(points=[Point(0.0, cost, True), Point(1.0, cost / 2, True)]))

    assert "nan" not in drawn.lower()


def test_costs_far_above_the_least_are_cut_off_and_the_title_says_so() -> None:
    steep = [Point(0.0, 100.0, True), Point(0.5, 10.0, True), Point(1.0, 5000.0, True)]

    assert "Cost of 1,000 cases (higher ones cut off)" in texts(svg(chart(points=steep)))
    assert "1,000" not in texts(svg(chart(points=steep)))
    assert "Expected cost of 1,000 cases" in texts(svg(chart()))


def test_the_cost_of_a_mark_is_never_cut_off() -> None:
    steep = [Point(0.0, 100.0, True), Point(0.5, 10.0, True), Point(1.0, 5000.0, True)]

    assert "2,000" in texts(svg(chart(None, Mark("in use", 0.7, 2000.0), points=steep)))
