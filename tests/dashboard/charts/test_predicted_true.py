"""Predicted against true values, for a regression."""

import pytest

from dashboard.charts.predicted_true import predicted_true
from tests.dashboard import kitchen

SPACE = "\N{NO-BREAK SPACE}"


def test_the_finding_says_by_how_much_predictions_miss() -> None:
    chart = predicted_true(kitchen.model(of=kitchen.target(unit="€")), kitchen.reference([10.0, 20.0], [12.0, 16.0]))

    assert chart.finding.replace(SPACE, " ") == (
        "Predictions for the 2 reference cases miss the true value by 3.00 € on average."
    )


def test_each_row_is_a_true_and_a_predicted_value() -> None:
    chart = predicted_true(kitchen.model(), kitchen.reference([10.0, 20.0], [12.0, 16.0]))

    assert chart.header == ("true", "predicted")
    assert chart.rows == ((12.0, 10.0), (16.0, 20.0))


def test_rows_whose_true_value_is_unknown_are_left_out() -> None:
    chart = predicted_true(kitchen.model(), kitchen.reference([10.0, 20.0, 30.0], [12.0, None, 30.0]))

    assert len(chart.rows) == 2
    assert "2 reference cases" in chart.finding


def test_many_cases_are_written_with_a_separator() -> None:
    assert "1,000 reference cases" in predicted_true(kitchen.model(), kitchen.reference([1.0] * 1000)).finding


@pytest.mark.parametrize("values", [[5.0], [0.0, 0.0], [1e300, -1e300], [1e-300]])
def test_any_numbers_make_a_chart(values: list[float]) -> None:
    assert len(predicted_true(kitchen.model(), kitchen.reference(values)).rows) == len(values)


def test_a_hostile_unit_is_cleaned_in_the_finding() -> None:
    chart = predicted_true(kitchen.model(of=kitchen.target(unit="k\x00g")), kitchen.reference([1.0]))

    assert "\x00" not in chart.finding


def test_of_several_outputs_the_first_is_shown() -> None:
    model = kitchen.model(of=kitchen.target(unit="cm", outputs=("height", "width")))
    rows = kitchen.reference(
        [{"width": 1.0, "height": 10.0}, {"width": 2.0, "height": 20.0}], [{"width": 5.0, "height": 12.0}, None]
    )
    chart = predicted_true(model, rows)

    assert chart.rows == ((12.0, 10.0),)
    assert chart.finding.replace(SPACE, " ") == (
        "Predictions of height for the 1 reference cases miss the true value by 2.00 cm on average."
    )
