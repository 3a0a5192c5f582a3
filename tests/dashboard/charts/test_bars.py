"""Bars of shares, with labels above them."""

import pytest

from dashboard.charts import Chart
from dashboard.charts.bars import ShareBar, Table, share_bars
from dashboard.charts.frames import LINE
from dashboard.charts.rendering import Key, render
from dashboard.charts.style import CHARACTER, configure, label_lines

LONG = "W" * 40


def chart(*bars: ShareBar) -> Chart:
    """Make a chart of bars."""
    table = Table(("what", "share"), tuple((bar.label, bar.share) for bar in bars))
    return share_bars("shares", "What is so.", bars, table)


def drawn(made: Chart, size: str) -> str:
    """Draw a chart as SVG."""
    configure()
    key = Key("d", made.name, "svg", size="narrow" if size == "narrow" else "wide")
    return render(made, key).decode()


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_labels_and_words_are_in_the_drawing(size: str) -> None:
    svg = drawn(chart(ShareBar("malignant", 0.3, "30 %, possible", True), ShareBar("benign", 0, "none", False)), size)

    for text in ("malignant", "30 %, possible", "benign", "none"):
        assert f">{text}</text>" in svg


def test_a_long_label_takes_two_lines_and_the_chart_grows() -> None:
    short, long = chart(ShareBar("a", 0.5, "50 %", True)), chart(ShareBar(f"{LONG} {LONG}", 0.5, "50 %", True))

    assert long.sizes["narrow"][1] > short.sizes["narrow"][1]
    assert long.sizes["narrow"][1] - short.sizes["narrow"][1] == LINE


@pytest.mark.parametrize("room", [60.0, 200.0, 400.0])
def test_no_line_is_wider_than_its_room(room: float) -> None:
    assert all(len(line) * CHARACTER <= room for line in label_lines(f"{LONG} {LONG} {LONG}", room))
    assert len(label_lines(f"{LONG} {LONG} {LONG}", room)) <= 2


def test_a_label_without_text_has_a_line_too() -> None:
    assert label_lines("", 100) == [""]


def test_control_characters_are_not_drawn() -> None:
    assert "\x00" not in drawn(chart(ShareBar("a\x00b", 1.0, "a\x00ll", True)), "wide")


def test_the_numbers_are_those_of_the_bars() -> None:
    made = chart(ShareBar("a", 0.25, "25 %", True))

    assert made.header == ("what", "share")
    assert made.rows == (("a", 0.25),)


def test_a_label_of_wide_letters_gets_fewer_of_them_on_a_line() -> None:
    assert len(label_lines("W" * 60, 200)[0]) < len(label_lines("i" * 60, 200)[0])
