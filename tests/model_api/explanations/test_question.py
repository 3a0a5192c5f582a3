"""What is asked about a case: options are read, and each error names the option, the value and what was expected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model_api.errors import InvalidInstances, InvalidRequest, Unsupported
from model_api.explanations.question import Question, decision_of, described
from model_api.explanations.subject import Focus
from model_api.runtimes import Output

Ask = Callable[..., Question]


def refused(read: Callable[[], object]) -> str:
    """Give the sentence with which an option is refused."""
    with pytest.raises(InvalidRequest) as refusal:
        read()
    return str(refusal.value)


def as_whole(asked: Question) -> str:
    """Give an option as it is read, where 5 and 5.0 differ."""
    return repr(asked.whole("count", 3, 1, 10))


def test_the_case_is_checked_first(question: Ask) -> None:
    with pytest.raises(InvalidInstances) as refusal:
        question("line", changed={"a": "many", "b": None, "z": 1})

    assert {problem.feature for problem in refusal.value.problems} == {"a", "b", "z"}


def test_the_case_is_what_the_model_gets(question: Ask) -> None:
    asked = question("corners", {"x": "0.5", "y": 1, "steps": 2.0, "open": "true"})

    assert asked.row == {"x": 0.5, "y": 1.0, "steps": 2, "open": True}
    assert asked.case.tolist() == [0.5, 1, 2, 1]


def test_a_case_with_values_that_nobody_saw_can_be_asked_about(question: Ask) -> None:
    asked = question("mixed", changed={"board": "picnic", "wish": "words that nobody wrote before", "area": None})
    expected = asked.model.predictor.predict({name: [value] for name, value in asked.row.items()})

    assert asked.output.is_same(expected)
    assert asked.subject.coding.columns(asked.case[None]) == {name: [value] for name, value in asked.row.items()}


def test_an_unknown_option_is_refused_with_what_is_near(question: Ask) -> None:
    message = refused(lambda: question("line", options={"clas": "x"}).require_options("class", "output"))

    assert message == "there is no option 'clas' here; did you mean class?"


def test_an_unknown_option_is_refused_with_what_there_is(question: Ask) -> None:
    message = refused(lambda: question("line", options={"zzz": 1}).require_options("class", "output"))

    assert message == "there is no option 'zzz' here; there is class, output"


def test_known_options_are_taken(question: Ask) -> None:
    question("line", options={"output": None}).require_options("class", "output")
    question("line").require_options()


def test_a_version_without_data_has_nothing_to_compare_with(question: Ask) -> None:
    asked = question("bare", {"a": 1, "b": 2, "c": 3, "idle": 0})

    with pytest.raises(Unsupported, match="published without data"):
        asked.require_data()
    question("line").require_data()


@pytest.mark.parametrize(
    ("name", "options", "head"),
    [
        ("mixed", {}, {"output": None, "unit": "€"}),
        ("pair", {}, {"output": "height", "unit": None}),
        ("pair", {"output": "weight"}, {"output": "weight", "unit": None}),
        ("breast-cancer", {"class": "benign"}, {"class": "benign", "unit": "probability"}),
        ("corners", {"class": "far"}, {"class": "far", "unit": "probability"}),
        ("labels", {"class": "no"}, {"class": "no", "unit": "predicted"}),
    ],
)
def test_a_number_is_looked_at_and_named(question: Ask, name: str, options: Any, head: dict[str, Any]) -> None:
    asked = question(name, options=options)

    assert described(asked, asked.focus()) == head


def test_of_two_classes_the_positive_one_is_looked_at(question: Ask) -> None:
    for name in ("breast-cancer", "loans"):
        asked = question(name)
        assert described(asked, asked.focus())["class"] == asked.subject.target.positive


def test_of_more_classes_the_predicted_one_is_looked_at(question: Ask) -> None:
    seen = set()
    for row in range(20):
        asked = question("corners", row)
        labels = asked.output.labels
        assert labels is not None
        assert asked.focus().place == labels[0]
        seen.add(int(labels[0]))
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("line", {"class": "x"}, "the option class is for models that predict classes; this one predicts a number"),
        ("line", {"output": "x"}, 'there is no output "x"; there is only one'),
        ("pair", {"output": "length"}, 'there is no output "length"; there is "height", "weight"'),
        ("pair", {"output": ["height"]}, 'there is no output a list; there is "height", "weight"'),
        ("corners", {"output": "x"}, "the option output is for models that predict several numbers"),
        (
            "corners",
            {"class": "near"},
            'the option class must be one of the classes, "far", "high", "low", not "near"',
        ),
        ("corners", {"class": None}, 'the option class must be one of the classes, "far", "high", "low", not None'),
        ("corners", {"class": {}}, 'the option class must be one of the classes, "far", "high", "low", not an object'),
    ],
)
def test_a_wrong_class_or_output_is_named(question: Ask, name: str, options: Any, message: str) -> None:
    assert refused(question(name, options=options).focus) == message


def test_a_feature_is_found_by_its_name(question: Ask) -> None:
    asked = question("mixed")

    assert asked.feature_place("wish") == len(asked.features) - 1
    assert refused(lambda: asked.feature_place("bord")) == (
        'the option feature must name a feature, not "bord"; did you mean board?'
    )
    assert refused(lambda: asked.feature_place(["board"], "locked")) == (
        "the option locked must name a feature, not a list"
    )


def test_a_value_is_read_as_the_feature_reads_it(question: Ask) -> None:
    asked = question("mixed")
    place = asked.feature_place

    assert asked.value_code(place("area"), "20.5", "ranges") == 20.5
    assert asked.value_code(place("breakfast"), "true", "ranges") == 1
    assert asked.value_code(place("stars"), "5", "ranges") == 4, "the level 5 is the fifth"
    message = refused(lambda: asked.value_code(place("children"), 1.5, "ranges"))
    assert message == "the option ranges: children must be a whole number, not 1.5"
    message = refused(lambda: asked.value_code(place("board"), "picnic", "ranges"))
    assert message == 'the option ranges: board "picnic" never occurred in training'


@pytest.mark.parametrize("value", [0, 5.5, 100])
def test_a_number_within_its_limits_is_read(question: Ask, value: float) -> None:
    found = question("line", options={"percent": value}).number("percent", 5, 0, 100)

    assert found == value
    assert isinstance(found, float)


def test_an_option_that_is_not_given_has_its_default(question: Ask) -> None:
    asked = question("line")

    assert asked.number("percent", 5, 0, 100) == 5
    assert asked.number("threshold", None, -np.inf, np.inf) is None
    assert asked.whole("count", 3, 1, 10) == 3
    assert as_whole(question("line", options={"count": 5.0})) == "5", "a form may send 5.0"
    assert asked.choice("method", ("exact", "sampled")) == "exact"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-1, "-1"), (101, "101"), ("5", '"5"'), (True, "true"), ([5], "a list"), (np.nan, "nan"), (10**400, "1000")],
)
def test_a_number_beyond_its_limits_is_refused(question: Ask, value: Any, shown: str) -> None:
    message = refused(lambda: question("line", options={"percent": value}).number("percent", 5, 0, 100))

    assert message.startswith(f"the option percent must be a number from 0 to 100, not {shown}")


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 10**400, "1"])
def test_a_number_without_limits_must_still_be_a_finite_one(question: Ask, value: Any) -> None:
    message = refused(lambda: question("line", options={"at_least": value}).number("at_least", None, -np.inf, np.inf))

    assert message.startswith("the option at_least must be a number, not ")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (11, "11"), (2.5, "2.5"), (np.inf, "inf"), ("3", '"3"'), (True, "true"), (None, "None")],
)
def test_a_count_beyond_its_limits_is_refused(question: Ask, value: Any, shown: str) -> None:
    message = refused(lambda: question("line", options={"count": value}).whole("count", 3, 1, 10))

    assert message == f"the option count must be a whole number from 1 to 10, not {shown}"


def test_a_word_that_is_not_known_is_refused(question: Ask) -> None:
    message = refused(lambda: question("line", options={"method": ["up"]}).choice("method", ("up", "down")))

    assert message == "the option method must be up or down, not a list"
    assert question("line", options={"method": "down"}).choice("method", ("up", "down")) == "down"


def test_a_decision_is_the_class_that_is_predicted(question: Ask) -> None:
    asked = question("corners")
    decision = decision_of(asked)
    labels = asked.output.labels
    assert labels is not None

    assert decision.of(asked.output).tolist() == labels.tolist()
    assert decision.name(asked, int(labels[0])) == asked.subject.target.classes[labels[0]]


def test_a_decision_by_a_threshold_is_one_side_of_it_and_the_threshold_is_within(question: Ask) -> None:
    asked = question("line", options={"threshold": 2})
    decision = decision_of(asked)

    sides = decision.of(Output(numbers=np.array([1.9, 2.0, 2.1]))).tolist()

    assert [decision.name(asked, side) for side in sides] == ["below", "at_least", "at_least"]
    assert decision.focus == Focus("number", 0)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("line", {}, "the option threshold must be given: the number that the prediction is compared with"),
        ("corners", {"threshold": 1.5}, "the option threshold must be a number from 0 to 1, not 1.5"),
        ("line", {"threshold": "high"}, 'the option threshold must be a number, not "high"'),
        ("labels", {"threshold": 0.5}, "the option threshold needs probabilities, which this model has not"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(question: Ask, name: str, options: Any, message: str) -> None:
    assert refused(lambda: decision_of(question(name, options=options))) == message
