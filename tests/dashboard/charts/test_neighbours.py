"""What was true of known cases, against the prediction for this one."""

import re

import pytest

from dashboard.charts import Chart
from dashboard.charts.bars import Table
from dashboard.charts.neighbours import KnownClass, KnownValue, neighbour_classes, neighbour_values
from dashboard.charts.rendering import Key, render
from dashboard.charts.style import configure

TABLE = Table(("case", "true"), (("row 1", 1.0),))


def drawn(made: Chart, size: str = "wide") -> str:
    """Draw a chart as SVG."""
    configure()
    return render(made, Key("d", made.name, "svg", size="narrow" if size == "narrow" else "wide")).decode()


def of_numbers(value: float, *cases: tuple[float, float], unit: str = "€") -> Chart:
    """Make the chart of cases, each with its true and its predicted number."""
    known = [
        KnownValue(f"row {number + 1}", true, f"{true} {unit}", predicted)
        for number, (true, predicted) in enumerate(cases)
    ]
    return neighbour_values("What was true.", (value, f"{value} {unit}"), known, TABLE)


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_each_case_has_its_label_and_its_true_number(size: str) -> None:
    svg = drawn(of_numbers(10.0, (9.0, 10.0), (12.0, 11.0)), size)

    for text in ("row 1", "9.0 €", "row 2", "12.0 €", "true", "predicted"):
        assert f">{text}</text>" in svg
    assert "10.0 €</text>" in svg


@pytest.mark.parametrize("numbers", [(0.0, 0.0), (1e17, 1e17), (-1.7e308, 1.7e308), (1e-300, 5e-324)])
def test_any_numbers_make_a_chart(numbers: tuple[float, float]) -> None:
    assert "<svg" in drawn(of_numbers(0.0, numbers))


def test_twenty_cases_have_a_row_each() -> None:
    made = of_numbers(1.0, *[(float(n), float(n)) for n in range(20)])

    assert made.sizes["narrow"][1] > 20 * 20
    assert len(re.findall(r">row \d+</text>", drawn(made))) == 20


def test_long_units_are_shortened_and_not_clipped() -> None:
    svg = drawn(of_numbers(1.0, (1.0, 1.0), unit="u" * 100), "narrow")

    assert max(len(text) for text in re.findall(r">([^<]*)</text>", svg)) < 50


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_of_classes_each_has_its_count_and_what_is_predicted_is_named(size: str) -> None:
    made = neighbour_classes("So many.", [KnownClass("benign", 4, True), KnownClass("malignant", 1, False)], TABLE)
    svg = drawn(made, size)

    for text in ("benign, predicted for this case", "4 of 5", "malignant", "1 of 5"):
        assert f">{text}</text>" in svg


def test_a_class_with_a_long_name_takes_two_lines() -> None:
    short = neighbour_classes("So many.", [KnownClass("a", 1, True)], TABLE)
    long = neighbour_classes("So many.", [KnownClass("a long name of a class, " * 4, 1, True)], TABLE)

    assert long.sizes["narrow"][1] > short.sizes["narrow"][1]
