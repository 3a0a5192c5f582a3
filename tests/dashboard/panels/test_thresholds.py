"""The number that a prediction is compared with unless a person sets another."""

import math

import pytest

from dashboard.panels.thresholds import short


@pytest.mark.parametrize(
    ("number", "spread", "shown"),
    [
        (2017.0, 5.0, 2017.0),
        (2017.318, 5.0, 2017.32),
        (139.7421, 50.0, 139.7),
        (1_234_567.8, 50_000.0, 1_234_600.0),
        (0.000123456, 0.0001, 0.000123),
    ],
)
def test_digits_below_a_hundredth_of_the_spread_are_left_out(number: float, spread: float, shown: float) -> None:
    assert short(number, spread) == pytest.approx(shown, rel=1e-12)


@pytest.mark.parametrize("spread", [0.0, math.inf, math.nan])
def test_without_a_spread_the_number_stays_as_it_is(spread: float) -> None:
    assert short(3.14159, spread) == 3.14159
