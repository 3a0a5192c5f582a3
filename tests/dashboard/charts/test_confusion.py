"""Which class was predicted for which, for a classification."""

import numpy as np
import pytest

from dashboard.charts.confusion import confusion
from dashboard.charts.style import PALETTES, new_figure, text_on
from dashboard.records import Level
from tests.dashboard import kitchen

SPACE = "\N{NO-BREAK SPACE}"


def test_each_pair_of_classes_has_its_count() -> None:
    model = kitchen.model(of=kitchen.target("benign", "malignant"))
    rows = kitchen.reference(
        ["benign", "benign", "malignant", "malignant", "malignant"],
        ["benign", "malignant", "malignant", "malignant", "benign"],
    )

    chart = confusion(model, rows)

    assert chart.header == ("true", "predicted", "cases")
    assert chart.rows == (
        ("benign", "benign", 1),
        ("benign", "malignant", 1),
        ("malignant", "benign", 1),
        ("malignant", "malignant", 2),
    )
    assert chart.finding.replace(SPACE, " ") == "3 of the 5 reference cases (60 %) are predicted correctly."


def test_nearly_all_is_never_called_all() -> None:
    true: list[Level | None] = ["a"] * 1000
    chart = confusion(kitchen.model(of=kitchen.target("a", "b")), kitchen.reference(["a"] * 999 + ["b"], true))

    assert "999 of the 1,000 reference cases (99.9" in chart.finding


def test_a_class_that_never_occurs_has_no_case() -> None:
    chart = confusion(kitchen.model(of=kitchen.target("a", "b", "c")), kitchen.reference(["a", "b"]))

    assert len(chart.rows) == 9
    assert sum(int(row[2]) for row in chart.rows) == 2


def test_rows_whose_true_class_is_unknown_are_left_out() -> None:
    chart = confusion(kitchen.model(of=kitchen.target("a", "b")), kitchen.reference(["a", "b"], ["a", None]))

    assert "1 of the 1 reference cases" in chart.finding


def test_without_any_true_class_nothing_is_claimed() -> None:
    chart = confusion(kitchen.model(of=kitchen.target("a", "b")), kitchen.reference(["a"], [None]))

    assert chart.finding.startswith("0 of the 0")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("right", range(0, 101, 10))
def test_every_count_is_readable_on_its_square(theme: str, right: int) -> None:
    predicted: list[Level] = ["a" if row < right else "b" for row in range(100)]
    chart = confusion(kitchen.model(of=kitchen.target("a", "b")), kitchen.reference(predicted, ["a"] * 100))
    figure = new_figure(chart.sizes["wide"])
    chart.draw(figure, PALETTES[theme])

    (axes,) = figure.axes
    (squares,) = axes.collections
    figure.draw_without_rendering()  # gives the squares their colours
    counts = [int(text.get_text()) for text in axes.texts]
    assert counts == [right, 100 - right, 0, 0]
    for text, (red, green, blue, alpha) in zip(axes.texts, np.asarray(squares.get_facecolor()).tolist(), strict=True):
        assert text.get_color() == text_on((red, green, blue, alpha))


def test_classes_may_be_numbers() -> None:
    chart = confusion(kitchen.model(of=kitchen.target(0, 1)), kitchen.reference([0, 1, 1], [0, 0, 1]))

    assert chart.rows[1] == ("0", "1", 1)


def test_true_and_false_are_called_yes_and_no() -> None:
    chart = confusion(kitchen.model(of=kitchen.target(False, True)), kitchen.reference([False, True], [True, True]))

    assert chart.rows == (("no", "no", 0), ("no", "yes", 0), ("yes", "no", 1), ("yes", "yes", 1))


def test_a_model_without_probabilities_has_counts_all_the_same() -> None:
    model = kitchen.model(of=kitchen.target("a", "b", probabilities=False))

    assert confusion(model, kitchen.reference(["a", "b"])).finding.startswith("2 of the 2")
