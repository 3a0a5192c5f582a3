"""The look of charts: colours, safe text, and a light number line."""

import itertools
import math
import re

import pytest
from matplotlib.colors import to_rgb, to_rgba

from dashboard.assets import folder
from dashboard.charts.style import (
    DPI,
    MAX_LABEL,
    PALETTES,
    Strip,
    calm_axes,
    clean,
    configure,
    fit,
    new_figure,
    place_axes,
    text_on,
    tick_label,
    ticks,
)


def luminance(color: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def tokens() -> dict[str, tuple[str, str]]:
    """Read the colours of both themes from the stylesheet."""
    css = (folder("static") / "styles" / "tokens.css").read_text()
    return {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((\S+), (\S+)\);", css)}


@pytest.mark.parametrize("name", ["ink", "quiet", "hairline", "accent", "paper"])
def test_a_chart_has_the_colours_of_its_page(name: str) -> None:
    assert (getattr(PALETTES["light"], name), getattr(PALETTES["dark"], name)) == tokens()[name]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", [0, 1])
def test_text_is_readable_on_paper_and_on_the_ground_of_the_page(theme: str, ground: int) -> None:
    palette, index = PALETTES[theme], ("light", "dark").index(theme)
    below = [palette.paper, tokens()["ground"][index]][ground]

    assert contrast(palette.ink, below) >= 7
    assert contrast(palette.quiet, below) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_line_of_the_case_stands_out_from_the_histogram(theme: str) -> None:
    assert contrast(PALETTES[theme].accent, PALETTES[theme].fill) >= 3


@pytest.mark.parametrize("gray", [i / 50 for i in range(51)])
def test_text_on_any_colour_is_readable(gray: float) -> None:
    color = f"#{round(gray * 255):02x}" + f"{round(gray * 200):02x}" * 2

    assert contrast(text_on(color), color) >= 4.5


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Body mass index", "Body mass index"),
        (42, "42"),
        ("größe 漢字 😀", "größe 漢字 😀"),
        ("a\x00b\x07c\x1bd\ne", "a�b�c�d�e"),
        ("half \ud800 a character", "half � a character"),
        ("right-to-left \u202egnp.exe", "right-to-left gnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("private \ue000 and unassigned \u0378", "private � and unassigned �"),
        ("<script>", "<script>"),
        ("", ""),
        ("x" * MAX_LABEL, "x" * MAX_LABEL),
        ("x" * 20_000, "x" * (MAX_LABEL - 1) + "…"),
    ],
)
def test_text_is_made_safe_to_draw(text: object, drawn: str) -> None:
    assert clean(text) == drawn


def test_text_is_shortened_to_its_room() -> None:
    assert fit("short", 1000) == "short"
    assert fit("a long title of a chart", 66) == "a long ti…"
    assert fit("a title", 0) == "…"


def test_a_figure_has_the_size_of_its_place_on_the_page_and_no_ground() -> None:
    figure = new_figure((560, 210))

    assert tuple(figure.get_size_inches() * DPI) == (560, 210)
    assert to_rgba(figure.get_facecolor())[3] == 0


def test_ticks_are_few_and_round_and_inside() -> None:
    assert ticks(0, 1, 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert ticks(25, 346, 4) == [100, 200, 300]
    assert ticks(-3, 3, 2) == [-2.5, 0, 2.5]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1e-9), (-1e300, 1e300), (1e17, 1.02e17), (-5.0, -4.999)])
def test_ticks_of_any_range_lie_in_it(low: float, high: float) -> None:
    found = ticks(low, high, 4)

    assert 1 <= len(found) <= 5
    assert all(low - abs(low) * 1e-9 <= tick <= high + abs(high) * 1e-9 for tick in found)


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (50, 50, "50"),
        (0.2, 0.2, "0.2"),
        (2.5, 2.5, "2.5"),
        (0.25, 0.25, "0.25"),
        (10_000, 5000, "10,000"),
        (-0.5, 0.5, "−0.5"),
        (3, 0, "3"),
        (1e-9, 1e-9, "0.000000001"),
        (1e-12, 1e-12, "0.0000000000"),
    ],
)
def test_a_tick_has_as_many_decimals_as_its_step_needs(value: float, step: float, text: str) -> None:
    assert tick_label(value, step) == text


def test_a_strip_puts_values_between_its_ends() -> None:
    strip = Strip(new_figure((560, 210)), (0.1, 0.2, 0.8, 0.6), 100, 200)

    assert [strip.place(value) for value in (100, 150, 200)] == pytest.approx([0.1, 0.5, 0.9])


@pytest.mark.parametrize("size", [(560, 210), (330, 210)])
@pytest.mark.parametrize(
    ("low", "high", "percent"),
    [
        (0.0, 1.0, False),
        (0.0, 1.0, True),
        (25.0, 346.0, False),
        (0.0, 123_456_789.0, False),
        (-0.0002, 0.0001, False),
    ],
)
def test_the_labels_of_a_strip_leave_each_other_room_and_lie_inside(
    size: tuple[int, int], low: float, high: float, percent: bool
) -> None:
    configure()
    figure = new_figure(size)
    Strip(figure, (0.04, 0.2, 0.92, 0.6), low, high).line(PALETTES["light"], percent=percent)
    figure.draw_without_rendering()

    boxes = sorted((text.get_window_extent().x0, text.get_window_extent().x1) for text in figure.texts)
    assert len(boxes) >= 2
    assert boxes[0][0] >= 0
    assert boxes[-1][1] <= size[0]
    assert all(left[1] < right[0] for left, right in itertools.pairwise(boxes))
    assert [text.get_text() for text in figure.texts] == list(dict.fromkeys(text.get_text() for text in figure.texts))


def test_a_strip_of_shares_is_labelled_in_percent() -> None:
    figure = new_figure((560, 210))
    Strip(figure, (0.04, 0.2, 0.92, 0.6), 0, 1).line(PALETTES["light"], percent=True)

    assert figure.texts[0].get_text() == "0 %"
    assert figure.texts[-1].get_text() == "100 %"


def test_axes_have_margins_in_pixels_whatever_the_size() -> None:
    axes = place_axes(new_figure((560, 420)), left=62, bottom=54)

    x, y, _, _ = axes.get_position().bounds
    assert math.isclose(x * 560, 62)
    assert math.isclose(y * 420, 54)


def test_axes_keep_half_of_the_figure_for_the_chart() -> None:
    axes = place_axes(new_figure((330, 300)), left=5000, bottom=54)

    assert axes.get_position().width > 0.4


def test_axes_have_no_box_and_quiet_colours() -> None:
    axes = place_axes(new_figure((560, 420)), left=62, bottom=54)
    calm_axes(axes, PALETTES["dark"])

    assert not axes.spines["top"].get_visible()
    assert not axes.spines["right"].get_visible()
    assert axes.xaxis.label.get_color() == PALETTES["dark"].ink
