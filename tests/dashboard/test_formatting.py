"""Numbers and words as people read them."""

from typing import Any

import pytest

from dashboard import formatting
from dashboard.records import Level, Value
from tests.dashboard.kitchen import AMSTERDAM, feature, target

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42.2, "42.2"),
        (42.0, "42"),
        (1e-7, "1e-07"),
        (0.1 + 0.2, "0.3"),
        (123456789012345.0, "123456789012345"),
        (-3.5, "-3.5"),
    ],
)
def test_a_plain_number_is_written_as_it_is_typed(value: float, text: str) -> None:
    assert formatting.plain_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (152.13348, "152.13"),
        (0.04123, "0.041230"),
        (34_600.0, "34,600"),
        (1_234_567.8, "1,234,568"),
        (99_999.6, "100,000"),
        (0, "0.0000"),
        (1, "1.0000"),
        (-152.13348, "−152.13"),
        (1.5e-9, "1.5000e−09"),
        (1.5e15, "1.5000e+15"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_significant_number_keeps_its_whole_digits(value: float, text: str) -> None:
    assert formatting.significant(value) == text


def test_a_significant_number_has_as_many_digits_as_asked_for() -> None:
    assert formatting.significant(44.2839, 3) == "44.3"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.92, "92 %"),
        (0.9234, "92.3 %"),
        (0.005, "0.5 %"),
        (0.0009, "less than 0.1 %"),
        (1e-12, "less than 0.1 %"),
        (0.9991, "more than 99.9 %"),
        (1 - 1e-12, "more than 99.9 %"),
        (0.999, "99.9 %"),
    ],
)
def test_a_share_is_written_in_percent_and_honest_at_both_ends(share: float, text: str) -> None:
    assert formatting.percent(share).replace(SPACE, " ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "unknown"), (True, "yes"), (False, "no"), ("north", "north"), ("", ""), (3, "3"), (42.20, "42.2")],
)
def test_a_cell_of_a_table_shows_any_value(value: bool | float | str | None, text: str) -> None:
    assert formatting.cell(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(True, "yes"), (False, "no"), (1, "1"), (0.5, "0.5"), ("True", "True"), ("north", "north")]
)
def test_a_class_is_shown_by_its_name_and_true_as_yes(value: Level, text: str) -> None:
    assert formatting.level(value) == text


@pytest.mark.parametrize(
    ("value", "about", "text"),
    [
        ("2026-11-24T08:30:00+00:00", {"kind": "datetime", **AMSTERDAM}, "2026-11-24 09:30"),
        ("2026-11-24T08:30:00", {"kind": "datetime"}, "2026-11-24 08:30"),
        ("a day", {"kind": "datetime"}, "a day"),
        ("2026-11-24", {"kind": "date"}, "2026-11-24"),
        ("2026-11-24T08:30:00", {"kind": "text"}, "2026-11-24T08:30:00"),
        (None, {"kind": "datetime"}, "unknown"),
        (True, {"kind": "boolean"}, "yes"),
    ],
)
def test_a_feature_s_value_is_shown_as_its_kind(value: Value, about: dict[str, Any], text: str) -> None:
    assert formatting.feature_value(value, feature(**about)) == text


@pytest.mark.parametrize(
    ("text", "most", "short"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("ab cd", 4, "ab…"), ("", 3, "")],
)
def test_a_long_text_is_shortened(text: str, most: int, short: str) -> None:
    assert formatting.clipped(text, most) == short


@pytest.mark.parametrize(
    ("value", "text"),
    [(151.0, "151"), (36.25, "36.25"), (153.194466457175, "153.1945"), (0.1 + 0.2, "0.3"), (1234567.891, "1,234,568")],
)
def test_a_true_number_has_no_more_digits_than_anybody_measured(value: float, text: str) -> None:
    assert formatting.measured(value) == text


@pytest.mark.parametrize(("value", "guess"), [(0.0505102, 0.0505), (1234.5, 1230.0), (-2.3204, -2.32), (0.0, 0.0)])
def test_a_guess_has_three_digits(value: float, guess: float) -> None:
    assert formatting.rounded(value) == guess


def test_a_unit_never_starts_a_line_of_its_own() -> None:
    assert formatting.with_unit("5", "kg") == f"5{SPACE}kg"
    assert formatting.with_unit("5", None) == "5"
    assert formatting.with_unit("5", "") == "5"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        ([0, 1], "0 and 1"),
        ([False, True], "no and yes"),
    ],
)
def test_words_are_joined_as_in_a_sentence(words: list[str | int | float], text: str) -> None:
    assert formatting.listed(words) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("mean_absolute_error", 44.283, "mean error ±44.3 €"),
        ("root_mean_squared_error", 54.1, "root mean squared error ±54.1 €"),
        ("r2", 0.48231, "R² 0.482"),
        ("accuracy", 0.9789, "accuracy 97.9 %"),
        ("balanced_accuracy", 0.5, "balanced accuracy 50 %"),
        ("roc_auc", 0.99512, "ROC AUC 0.995"),
        ("log_loss", 0.1, "log loss 0.100"),
        ("a_metric_of_tomorrow", 0.1, "a metric of tomorrow 0.100"),
    ],
)
def test_a_metric_is_said_in_a_few_words(name: str, value: float, text: str) -> None:
    assert formatting.metric(name, value, target(unit="€")).replace(SPACE, " ") == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("it is too late", "It is too late."), ("Why not?", "Why not?"), ("There are 3 rows.", "There are 3 rows.")],
)
def test_what_the_service_says_becomes_a_sentence(text: str, sentence: str) -> None:
    assert formatting.sentence(text) == sentence
