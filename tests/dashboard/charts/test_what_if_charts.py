"""The charts of the panel "what if": curve, levels and map."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from dashboard.charts import Chart
from dashboard.charts.curve import CurveDrawing, Marked, curve_chart
from dashboard.charts.flips import Row, flips_chart
from dashboard.charts.heat import COLORS, HeatDrawing, Side, color_places, heat_chart
from dashboard.charts.levels import Bar, LevelsDrawing, levels_chart
from dashboard.charts.rendering import SIZES, Key, render
from dashboard.charts.scales import Scale
from dashboard.charts.style import configure

POINT = 72 / 96
"""Of a CSS pixel."""
LONG = "A name of exactly forty characters, yes."
CURVE = CurveDrawing(
    "Area in m²", "predicted rent", Scale(0.0, 10.0), [(0.0, 100.0), (5.0, 150.0), (10.0, 300.0)],
    [(0.0, 5.0, 10), (5.0, 10.0, 40)], Marked(5.0, 150.0, "150 €"),
)  # fmt: skip
LEVELS = LevelsDrawing(
    "probability of high",
    [Bar("north", 0.2, "20 %", 10), Bar(LONG, 0.6, "60 %", 1000), Bar("east", 0.1, "10 %", None)],
    Marked(0.0, 0.2, "20 %"),
    percent=True,
)
MAP = HeatDrawing(
    "predicted rent",
    Side("Area", Scale(0.0, 2.0), [0.0, 1.0, 2.0], 1.0),
    Side(LONG, Scale(-0.5, 1.5, levels=(LONG, "b")), [0.0, 1.0], 0.0),
    np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    "2 €",
    ("1 €", "6 €"),
)


@pytest.fixture(autouse=True, scope="module")
def configured() -> None:
    """Draw with the settings of the dashboard."""
    configure()


def svg(chart: Chart, size: str = "wide", theme: str = "light") -> str:
    """Draw a chart."""
    return render(chart, Key("d", "c", "svg", theme, size)).decode()  # type: ignore[arg-type]


def drawn(drawing: CurveDrawing | LevelsDrawing | HeatDrawing) -> Chart:
    """Make a chart of a drawing."""
    if isinstance(drawing, CurveDrawing):
        return curve_chart(drawing, "A finding.", ("area", "rent"), ())
    if isinstance(drawing, LevelsDrawing):
        return levels_chart(drawing, "A finding.", ("area", "rent"), ())
    return heat_chart(drawing, "A finding.", ("area", "rent"), ())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("drawing", [CURVE, LEVELS, MAP], ids=["curve", "levels", "map"])
def test_every_text_lies_within_the_picture(drawing: CurveDrawing | LevelsDrawing | HeatDrawing, size: str) -> None:
    chart = drawn(drawing)
    width, height = chart.sizes[size]
    texts = re.findall(r'text-anchor: (\w+)[^>]*?x="([\d.-]+)" y="([\d.-]+)"[^>]*>([^<]*)<', svg(chart, size))

    assert texts
    for anchor, x, y, text in texts:
        length = len(unescape(text)) * 5.5
        start = float(x) / POINT - {"start": 0, "middle": length / 2, "end": length}[anchor]
        assert -2 <= start <= start + length <= width + 2, text
        assert 0 <= float(y) / POINT <= height, text


def test_the_curve_has_the_case_and_the_chosen_value() -> None:
    other = svg(drawn(replace(CURVE, chosen=Marked(8.0, 240.0, "240 €"))))
    plain = svg(drawn(CURVE))

    assert "this case: 150 €" in plain
    assert other.count("<use") > plain.count("<use")


def test_a_case_whose_value_is_unknown_has_its_number_and_no_place() -> None:
    text = svg(drawn(replace(CURVE, case=Marked(None, 150.0, "150 €"))), "narrow")

    assert "this case (unknown): 150 €" in text
    assert text.count("<use") < svg(drawn(CURVE), "narrow").count("<use")


def test_what_makes_no_difference_is_a_flat_line() -> None:
    flat = replace(CURVE, points=[(0.0, 150.0), (10.0, 150.000001)])
    low, high = flat.range

    assert high - low > 1


def test_a_probability_never_leaves_its_bounds() -> None:
    for score in (0.0, 0.01, 0.5, 0.99, 1.0):
        low, high = replace(CURVE, percent=True, points=[(0.0, score), (10.0, score)], case=Marked(0, score, "")).range
        assert 0 <= low < high <= 1
        assert high - low >= 0.0999


def test_the_page_marks_the_place_that_the_picture_has() -> None:
    frame = CURVE.frame("wide")

    assert frame.x(0.0) == frame.left
    assert frame.x(10.0) == frame.width - frame.right
    assert frame.y(CURVE.range[0]) == frame.floor
    assert frame.x(99.0) == frame.x(10.0)


def test_each_level_has_its_number_and_how_many_cases_have_it() -> None:
    text = svg(drawn(LEVELS))

    assert "north (10 cases)" in text
    assert "east<" in text
    assert all(shown in text for shown in ("20 %", "60 %", "10 %"))


def test_the_ring_is_in_the_middle_of_its_bar() -> None:
    middles = [LEVELS.middle("wide", place) for place in range(3)]

    assert middles == sorted(middles)
    assert middles[-1] < drawn(LEVELS).sizes["wide"][1]


def test_the_map_has_few_colours_from_least_to_most() -> None:
    places = color_places(MAP.scores)

    assert places.min() == 0
    assert places.max() == COLORS - 1
    assert (color_places(np.full((2, 2), 3.0)) == 0).all()


def test_the_colours_of_the_map_are_explained() -> None:
    text = svg(drawn(MAP))

    assert "1 €" in text
    assert "6 €" in text
    assert "this case: 2 €" in text


def test_a_row_for_each_feature_says_where_the_decision_changes() -> None:
    rows = [
        Row("Area", "now 5 m²; high at 7 m²", Scale(0.0, 10.0), 5.0, 7.0, 2.0),
        Row(LONG, f"now {LONG}; high at b", Scale(-0.5, 1.5, levels=("a", "b")), 0.0, 1.0, None),
        Row("Year", "now unknown; no value changes it", Scale(0.0, 1.0), None, None, None),
    ]
    chart = flips_chart(rows, "A finding.", ("feature",), ())

    assert "now 5 m²; high at 7 m²" in svg(chart)
    assert chart.sizes["narrow"][1] > chart.sizes["wide"][1]
    assert "A name of exactly" in svg(chart, "narrow", "dark")


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert svg(drawn(MAP)) == svg(drawn(MAP))
