"""From what is to what could be: dumbbells over the range of each feature."""

import re

import pytest

from dashboard.charts.dumbbells import WIDTHS, Step, Way, dumbbells
from dashboard.charts.rendering import SIZES, THEMES, Key, Size, Theme, render
from dashboard.charts.style import configure

TABLE = ((1, "age", 40, 30, 0.4, 0.3, "yes"),)
LONG = Step("A label of a great many characters indeed " * 9 + ": from here → to there", 0.1, 0.9)


def svg(*ways: Way, size: Size = "wide", theme: Theme = "light") -> str:
    configure()
    return render(dumbbells("A finding.", ways, TABLE), Key("m", "c", "svg", theme, size)).decode()


def texts(drawn: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawn)


def test_each_way_has_its_heading_and_each_change_its_label() -> None:
    words = texts(svg(Way("1. yes", (Step("age: 40 → 30", 0.4, 0.3), Step("place: south → east", None, None)))))

    assert words == ["1. yes", "age: 40 → 30", "place: south → east", "lowest in training", "highest", "○ now   ● then"]


def test_what_has_no_order_has_no_line() -> None:
    words = texts(svg(Way("1. yes", (Step("place: south → east", None, None),))))

    assert "lowest in training" not in words


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_is_as_high_as_what_is_in_it(size: Size) -> None:
    one = dumbbells("f", [Way("1", (Step("a", 0, 1),))], TABLE).sizes[size]
    three = dumbbells("f", [Way("1", (Step("a", 0, 1), Step("b", 0, 1), Step("c", None, None)))], TABLE).sizes[size]

    assert one[0] == three[0] == WIDTHS[size]
    assert three[1] > one[1] + 40


@pytest.mark.parametrize("size", SIZES)
def test_long_labels_are_broken_twice_and_then_cut(size: Size) -> None:
    words = [word for word in texts(svg(Way("1", (LONG,)), size=size)) if "characters" in word or "…" in word]

    assert len(words) == 3
    assert words[-1].endswith("…")
    assert max(map(len, words)) * 6.6 <= WIDTHS[size]


def test_a_value_outside_the_range_stays_in_the_picture() -> None:
    drawn = svg(Way("1", (Step("a", -5.0, 99.0),)))
    places = [float(x) * 96 / 72 for x in re.findall(r'<use xlink:href="#[^"]+" x="([\d.]+)"', drawn)]

    assert places
    assert all(0 <= x <= WIDTHS["wide"] for x in places)


@pytest.mark.parametrize("theme", THEMES)
def test_now_is_hollow_and_then_is_filled(theme: Theme) -> None:
    both = svg(Way("1", (Step("a", 0.2, 0.8),)), theme=theme)
    unknown = svg(Way("1", (Step("a", None, 0.8),)), theme=theme)
    dots = r"<use xlink:href"

    assert len(re.findall(dots, both)) == 2
    assert len(re.findall(dots, unknown)) == 1


def test_the_table_has_a_name_for_each_column() -> None:
    chart = dumbbells("f", [Way("1", (Step("a", 0, 1),))], TABLE)

    assert all(len(row) == len(chart.header) for row in chart.rows)


def test_no_text_of_the_model_is_drawn_as_something_else() -> None:
    drawn = svg(Way("<script>$x$\0", (Step("\N{RIGHT-TO-LEFT OVERRIDE}a", 0, 1),)))

    assert "<script>" not in drawn
    assert "\0" not in drawn
    assert "&lt;script&gt;$x$" in drawn
