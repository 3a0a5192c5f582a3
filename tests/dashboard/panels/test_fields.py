"""Controls of panels' forms."""

import pytest

from dashboard.panels.fields import typed_number


@pytest.mark.parametrize(("text", "number"), [("", None), (" 2.5 ", 2.5), ("-1e3", -1000.0)])
def test_a_number_can_be_typed_or_left_out(text: str, number: float | None) -> None:
    assert typed_number(text) == (number, "")


@pytest.mark.parametrize("text", ["1_000", "much", "nan", "inf", "1e999", "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    number, error = typed_number(text)

    assert number is None
    assert error.startswith("Enter a number")


@pytest.mark.parametrize("text", ["-1", "101"])
def test_a_number_outside_its_bounds_is_refused(text: str) -> None:
    assert typed_number(text, low=0, high=100) == (None, f"Enter a number from 0 to 100, not {text}.")
