"""The charts of a datasheet: curves in a square, rankings, histograms."""

import numpy as np
import pytest

from dashboard.charts import Chart
from dashboard.charts.histogram import histogram
from dashboard.charts.ranking import ranking
from dashboard.charts.relation import Line, Words, relation
from dashboard.charts.style import PALETTES, new_figure

WORDS = Words("roc", "A finding.", "Others", "Found", "guessing")


def draw(chart: Chart) -> None:
    for size in chart.sizes.values():
        for palette in PALETTES.values():
            chart.draw(new_figure(size), palette)


def test_every_point_of_every_curve_is_in_the_numbers() -> None:
    lines = [Line(f"class {i}", (0.0, 0.5, 1.0), (0.0, 0.9, 1.0)) for i in range(6)]
    chart = relation(WORDS, lines)
    draw(chart)

    assert len(chart.rows) == 18
    assert chart.header == ("class", "others", "found")


@pytest.mark.parametrize("lengths", [[3.0, 1.0, -0.5], [0.0, 0.0], []])
def test_lengths_of_any_sign_can_be_ranked(lengths: list[float]) -> None:
    bars = [(f"feature {i}", length, f"{length:+.1f}") for i, length in enumerate(lengths)]
    rows = tuple((label, length) for label, length, _ in bars)
    chart = ranking("importance", "x", ("feature", "growth"), bars, rows)
    taller = ranking("importance", "x", ("feature", "growth"), [*bars, ("one more", 0.1, "+0.1")], rows)
    draw(chart)

    assert chart.rows == rows
    assert set(chart.sizes) == {"wide", "narrow"}
    assert all(chart.sizes[size][1] < taller.sizes[size][1] for size in chart.sizes)


def test_a_histogram_has_a_row_for_each_bin() -> None:
    counts, edges = np.histogram(np.random.default_rng(0).normal(size=100), 24)
    chart = histogram("residuals", "x", "True minus predicted, in €", edges.tolist(), counts.tolist())
    draw(chart)

    assert sum(int(row[2]) for row in chart.rows) == 100


def test_a_histogram_of_nothing_can_be_drawn() -> None:
    chart = histogram("residuals", "x", "y", [0.0, 0.0], [0])
    draw(chart)

    assert chart.rows == ((0.0, 0.0, 0),)
    assert all(width > 0 and height > 0 for width, height in chart.sizes.values())
