"""What is wanted and what is allowed: read, or refused with a sentence that names option, value and expectation."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_api.errors import InvalidRequest
from model_api.explanations.question import Question, question_of
from model_api.explanations.subject import Focus
from model_api.explanations.wishes import Limits, Wish, limits_of, wish_of
from model_api.loading import LoadedModel, load_version
from model_api.runtimes import Output
from model_api.trust import Trust

FLAT = {"area": 70.5, "rooms": 3, "furnished": True, "district": "south", "balcony": 4.5}
MAIL = {"links": 1, "capitals": 0, "length": 0.5}


@pytest.fixture(scope="module")
def rent(published_small_models: Path) -> LoadedModel:
    return load_version(published_small_models / "rent" / "1", Trust())


@pytest.fixture(scope="module")
def spam(published_small_models: Path) -> LoadedModel:
    return load_version(published_small_models / "spam" / "1", Trust())


@pytest.fixture(scope="module")
def wine(models_folder: Path) -> LoadedModel:
    return load_version(models_folder / "wine" / "1", Trust())


def about_flat(model: LoadedModel, **options: Any) -> Question:
    return question_of(model, FLAT, options, 250)


def about_mail(model: LoadedModel, **options: Any) -> Question:
    return question_of(model, MAIL, options, 250)


def test_of_two_classes_the_other_one_is_wanted_unless_told_otherwise(spam: LoadedModel) -> None:
    assert about_mail(spam).output.labels == [1]
    wish, wanted = wish_of(about_mail(spam))
    assert wanted == {"class": 0}
    assert wish.predicted
    assert wish.focus.place == 0


def test_a_class_may_be_named_as_text(spam: LoadedModel) -> None:
    assert wish_of(about_mail(spam, **{"class": "1"}))[1] == {"class": 1}


def test_of_three_classes_one_must_be_named(wine: LoadedModel) -> None:
    question = question_of(wine, wine.artifact.reference.row(0), {}, 250)
    with pytest.raises(InvalidRequest, match=r"the option class must be given: which of .*cultivar 1"):
        wish_of(question)


@pytest.mark.parametrize("name", ["threshold", "at_least"])
def test_a_threshold_is_a_probability_that_the_class_should_have_at_least(spam: LoadedModel, name: str) -> None:
    wish, wanted = wish_of(about_mail(spam, **{"class": 0, name: 0.7}))
    assert wanted == {"class": 0, "unit": "probability", name: 0.7}
    assert (wish.low, wish.high, wish.predicted) == (0.7, np.inf, False)


def test_a_number_may_be_wanted_between_two_others(rent: LoadedModel) -> None:
    wish, wanted = wish_of(about_flat(rent, at_least=500, at_most=600))
    assert wanted == {"output": None, "unit": "€", "at_least": 500.0, "at_most": 600.0}
    output = Output(numbers=np.array([499.9, 500.0, 550.0, 600.0, 600.1]))
    assert wish.granted(output).tolist() == [False, True, True, True, False]
    assert (wish.margins(output) >= 0).tolist() == wish.granted(output).tolist()


def test_a_tie_between_classes_is_no_answer() -> None:
    wish = Wish(Focus("probability", 0), predicted=True)
    output = Output(labels=np.array([0, 0, 1]), probabilities=np.array([[0.5, 0.5], [0.6, 0.4], [0.1, 0.9]]))
    assert wish.granted(output).tolist() == [False, True, False]


def test_margins_still_differ_where_probabilities_are_all_but_certain() -> None:
    wish = Wish(Focus("probability", 0), predicted=True)
    shares = np.array([[1.0, 1e-30], [1.0, 1e-20], [1e-20, 1.0], [1e-30, 1.0]])
    margins = wish.margins(Output(labels=shares.argmax(axis=1), probabilities=shares))
    assert (np.diff(margins) < -1).all()


def test_a_true_value_suits_a_wish_by_its_class_or_its_number(spam: LoadedModel, rent: LoadedModel) -> None:
    mail, flat = about_mail(spam), about_flat(rent, at_most=600)
    assert wish_of(mail)[0].suits(mail, [0, 1]).tolist() == [True, False]
    seldom = about_mail(spam, **{"class": 1, "at_most": 0.2})
    assert wish_of(seldom)[0].suits(seldom, [0, 1]).tolist() == [True, False]
    assert wish_of(flat)[0].suits(flat, [600.0, 601.0]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "at_least or at_most must be given"),
        ({"threshold": 1}, "the option threshold is for models that predict classes"),
        ({"at_least": "much"}, 'the option at_least must be a number, not "much"'),
        ({"at_least": 700, "at_most": 600}, "at_most must not be below 700, which is wanted at least, not 600"),
        ({"class": "north", "at_most": 1}, "the option class is for models that predict classes"),
    ],
)
def test_of_a_regression_a_bound_must_be_given(rent: LoadedModel, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(message)):
        wish_of(about_flat(rent, **options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class": "ham"}, 'the option class must be one of the classes, 0, 1, not "ham"'),
        ({"class": 0, "threshold": 1.5}, "the option threshold must be a number from 0 to 1, not 1.5"),
        ({"output": "links"}, "the option output is for models that predict several numbers"),
    ],
)
def test_of_a_classification_a_class_is_wanted(spam: LoadedModel, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(message)):
        wish_of(about_mail(spam, **options))


def test_limits_are_read_by_the_places_of_features(rent: LoadedModel) -> None:
    limits = limits_of(
        about_flat(
            rent,
            locked=["area"],
            ranges={"rooms": [2, None], "district": ["north", "island"], "furnished": [True]},
            directions={"balcony": "down"},
        )
    )
    north, island = (rent.artifact.signature.features[3].categories.index(level) for level in ("north", "island"))
    assert limits == Limits(
        frozenset({0}), {1: (2.0, np.inf)}, {3: frozenset({north, island}), 2: frozenset({1.0})}, {4: -1}
    )


def test_no_limits_are_none(rent: LoadedModel) -> None:
    assert not limits_of(about_flat(rent))
    assert not limits_of(about_flat(rent, locked=[], ranges={}, directions=None))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"locked": "area"}, 'the option locked must be a list of features such as ["age"], not "area"'),
        ({"locked": ["aera"]}, 'the option locked must name a feature, not "aera"; did you mean area?'),
        ({"locked": [["area"]]}, "the option locked must name a feature, not a list"),
        ({"ranges": ["area"]}, "the option ranges must be an object such as"),
        ({"ranges": {"aera": [1, 2]}}, 'the option ranges must name a feature, not "aera"; did you mean area?'),
        ({"ranges": {"area": [1]}}, "the option ranges: area must be [smallest, largest], not a list"),
        ({"ranges": {"area": {"low": 1}}}, "the option ranges: area must be [smallest, largest], not an object"),
        ({"ranges": {"area": ["small", 2]}}, 'the option ranges: area must be a number, not "small"'),
        ({"ranges": {"area": [50, 40]}}, "the option ranges: area must not begin at 50 and end at 40"),
        ({"ranges": {"rooms": [1.5, 3]}}, "the option ranges: rooms must be a whole number, not 1.5"),
        ({"ranges": {"district": []}}, "the option ranges: district must be a list of the values that are allowed"),
        ({"ranges": {"district": "north"}}, "the option ranges: district must be a list of the values that are"),
        ({"ranges": {"district": ["west"]}}, 'the option ranges: district "west" never occurred in training'),
        ({"ranges": {"furnished": ["maybe"]}}, 'the option ranges: furnished must be true or false, not "maybe"'),
        ({"directions": ["up"]}, "the option directions must be an object such as"),
        ({"directions": {"area": "left"}}, 'the option directions: area must be "up" or "down", not "left"'),
        ({"directions": {"area": ["up"]}}, 'the option directions: area must be "up" or "down", not a list'),
        ({"directions": {"district": "up"}}, "the option directions: district has no order"),
    ],
)
def test_a_limit_that_is_no_limit_is_refused(rent: LoadedModel, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(message)):
        limits_of(about_flat(rent, **options))
