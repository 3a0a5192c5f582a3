"""The order in which a person would list the levels of a category."""

from itertools import permutations
from typing import Any

import pytest

from model_api.publishing.levels import SCALES, in_sensible_order


@pytest.mark.parametrize(
    "ordered",
    [
        ("low", "medium", "high"),
        ("none", "low", "very high"),
        ("Never", "sometimes", "ALWAYS"),
        ("XS", "S", "L", "XXL"),
        ("small", "medium", "large"),
        ("poor", "good", "excellent"),
        ("strongly disagree", "neutral", "strongly agree"),
        ("Mon", "Wed", "Sun"),
        ("monday", "friday", "sunday"),
        ("Jan", "May", "Dec"),
        ("January", "May", "December"),
        ("spring", "autumn", "winter"),
        ("spring", "fall", "winter"),
        ("primary", "bachelor", "phd"),
        (" low ", "High"),
    ],
    ids=str,
)
def test_levels_of_a_known_scale_stand_in_its_order(ordered: tuple[str, ...]) -> None:
    assert all(in_sensible_order(levels) == ordered for levels in permutations(ordered))


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_is_in_order_itself_and_in_small_letters(scale: tuple[str, ...]) -> None:
    assert in_sensible_order(sorted(scale)) == scale
    assert len(set(scale)) == len(scale)
    assert all(word == word.casefold().strip() for word in scale)


@pytest.mark.parametrize(
    "ordered",
    [
        ("1", "2", "10"),
        ("1.25", "1.5", "12"),
        ("<18", "18-30", "31-65", ">65"),
        ("< 5", "5", "> 5"),
        ("≤10", "11", "≥20"),
        ("5-10", "50-100", "100+"),
        ("€9", "€10"),
        ("$1", "$1.5", "$20"),
        ("5%", "10%"),
        ("9 km", "10 km"),
        ("(0, 1]", "(2, 3]", "(10, 20]"),
        ("2023-12", "2024-01"),
        ("item 2", "item 10"),
        ("A1", "A2", "A10", "B1"),
        ("v1.9", "v1.10"),
        ("Q1 2024", "Q4 2023"),
        ("-10", "-5", "3"),
    ],
    ids=str,
)
def test_levels_with_numbers_in_them_stand_in_the_order_of_the_numbers(ordered: tuple[str, ...]) -> None:
    assert all(in_sensible_order(levels) == ordered for levels in permutations(ordered))


@pytest.mark.parametrize(
    "ordered",
    [
        ("a", "b", "c"),
        ("Amsterdam", "berlin", "Cologne"),
        ("", "a"),
        ("high", "low", "unknown"),  # one of them is not of the scale
        ("May",),
        (),
    ],
    ids=str,
)
def test_other_levels_stand_in_the_order_of_the_alphabet(ordered: tuple[str, ...]) -> None:
    assert in_sensible_order(tuple(reversed(ordered))) == ordered


@pytest.mark.parametrize(
    ("levels", "ordered"),
    [
        ((3, 1, 2), (1, 2, 3)),
        ((0.5, -1, 10), (-1, 0.5, 10)),
        ((True, False), (False, True)),
        (("b", 2, "a", 1), (1, 2, "a", "b")),
    ],
)
def test_numbers_stand_before_words(levels: tuple[Any, ...], ordered: tuple[Any, ...]) -> None:
    assert in_sensible_order(levels) == ordered


@pytest.mark.parametrize("levels", [("x²", "x1"), ("٣", "1"), ("½", "1"), ("1e3", "200"), ("\x00", "1"), ("😀", "a1")])
def test_odd_levels_are_all_kept(levels: tuple[str, ...]) -> None:
    assert sorted(in_sensible_order(levels)) == sorted(levels)


def test_the_order_does_not_depend_on_that_of_the_data() -> None:
    levels = ("b", "B", "a", "A", "10", "9", "<9")

    assert len({in_sensible_order(order) for order in list(permutations(levels))[::97]}) == 1
