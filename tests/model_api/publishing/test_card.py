"""The model card: what is known of a model, and nothing in it that breaks the page."""

from typing import Any

import pytest

from model_api.publishing.card import write_card
from model_api.signature import Feature, Signature, Target

AREA = Feature("area", "number", unit="m²", minimum=20.0, maximum=150.0, description="Living area")
CITY = Feature("city", "category", categories=("ams", "ber"), missing_allowed=True, missing_rate=0.123)
RENT = Target("rent", "regression", unit="€", description="per month")
QUALITY: dict[str, Any] = {
    "metrics": {"mean_absolute_error": 12.3456789, "r2": 0.9},
    "method": "5-fold cross-validation",
    "honest": True,
    "headline": "mean_absolute_error",
    "slices": [
        {"feature": "city", "level": "ams", "rows": 40, "mean_absolute_error": 10.0},
        {"feature": "city", "level": None, "rows": 3, "mean_absolute_error": None},
    ],
    "importance": {
        "features": [{"feature": "area", "mean": 8.25, "deviation": 0.5}],
        "error": "mean_absolute_error",
        "rows": 1000,
    },
}


def card(*features: Feature, target: Target = RENT, quality: Any = None, **texts: str) -> str:
    about = {"title": "Rents", "description": "What a flat costs.", "text": "", "about": "sklearn…Ridge", **texts}
    return write_card(Signature(features or (AREA, CITY), target), quality, **about)


def test_a_card_says_what_it_predicts_from_what_and_how_it_was_made() -> None:
    assert card() == (
        "# Rents\n\nWhat a flat costs.\n\n"
        "## What it predicts\n\n**rent**: a number in €. per month.\n\n"
        "## From what\n\n"
        "| feature | kind | training values | unit | missing | what it is |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| area | number | 20 to 150 | m² | not allowed | Living area |\n"
        "| city | category | ams, ber |  | 12% |  |\n\n"
        "## How it was made\n\nsklearn…Ridge\n"
    )


def test_the_users_own_text_comes_first_and_replaces_title_and_description() -> None:
    assert card(text="\n# My rents\n\nRead **me**.\n").startswith("# My rents\n\nRead **me**.\n\n## What it predicts")
    assert "What a flat costs." not in card(text="# My rents")


def test_a_title_alone_is_enough() -> None:
    assert card(description="").startswith("# Rents\n\n## What it predicts")


@pytest.mark.parametrize(
    ("target", "what"),
    [
        (Target("spam", "binary", classes=("no", "yes")), "**spam**: one of `no`, `yes`."),
        (Target("grade", "multiclass", classes=(1, 2, 3)), "**grade**: one of `1`, `2`, `3`."),
        (Target("both", "regression", outputs=("rent", "costs")), "**both**: 2 numbers: `rent`, `costs`."),
        (Target("rent", "regression"), "**rent**: a number."),
    ],
)
def test_it_says_what_one_prediction_is(target: Target, what: str) -> None:
    assert what in card(target=target)


def test_it_says_how_good_the_model_is_for_whom_and_by_what_it_goes() -> None:
    text = card(quality=QUALITY)

    assert "By 5-fold cross-validation.\n\n| metric | value |\n| --- | --- |\n| mean absolute error | 12.35 |" in text
    assert "flatter" not in text
    assert "| city | ams | 40 | 10 |\n| city | missing | 3 | – |" in text
    assert "By how much the mean absolute error grows when the feature is shuffled, on 1,000 rows." in text
    assert "| area | 8.25 | ±0.5 |" in text


def test_figures_on_the_training_rows_are_said_to_flatter() -> None:
    assert "These figures flatter the model." in card(quality={**QUALITY, "honest": False})


def test_without_slices_there_is_no_such_heading() -> None:
    assert "For whom" not in card(quality={**QUALITY, "slices": []})


def test_without_data_nothing_is_said_of_quality() -> None:
    assert "How good" not in card(quality=None)


def test_many_levels_are_counted() -> None:
    many = Feature("zip", "category", categories=tuple(f"{i:03}" for i in range(500)))

    assert "| 000, 001, 002, 003, 004, 005, 006, 007, … (500 in all) |" in card(many)


def test_guessed_ranges_say_that_they_are() -> None:
    guessed = Feature("x", "number", minimum=-1.0, maximum=1.0, guessed=("minimum", "maximum"))

    assert "| -1 to 1 (guessed) |" in card(guessed)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a|b", "a\\|b"),
        ("a\nb", "a b"),
        ("a\r\n\r\n# b", "a # b"),
        ("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
        ("a`b", "a\\`b"),
        ("a\\", "a\\\\"),
        ("a\\|b", "a\\\\\\|b"),
        ("\u2028x", "x"),
    ],
)
def test_nothing_in_a_name_ends_its_cell_or_its_row(name: str, written: str) -> None:
    text = card(Feature(name, "number", unit=name, description=name))

    assert f"\n| {written} | number |  | {written} | not allowed | {written} |\n" in text


@pytest.mark.parametrize("level", ["a|b", "<b>", "a\nb"])
def test_nothing_in_a_level_ends_its_cell_or_its_row(level: str) -> None:
    text = card(Feature("x", "category", categories=(level,)))

    (row,) = (line for line in text.splitlines() if line.startswith("| x |"))
    assert row.replace("\\|", "").count("|") == 7
    assert "<b>" not in row.replace("\\<", "")


@pytest.mark.parametrize("level", ["<=50K", ">50K", "a|b", "a`b"])
def test_a_class_is_written_in_a_card_as_it_is(level: str) -> None:
    signature = Signature((), Target("income", "binary", classes=(level, "other")))

    text = write_card(signature, None, title="Income", description="", text="", about="")

    (line,) = (line for line in text.splitlines() if line.startswith("**income**"))
    fence = "``" if "`" in level else "`"
    assert f"{fence}{level}{fence}" in line.replace(f"{fence} ", fence).replace(f" {fence}", fence)
