"""What counts as a value of each type, and how everything wrong with an instance is told at once."""

import json
import math
from typing import Any

import pytest

from model_api.errors import Problem
from model_api.signature import Feature, FeatureType, Signature, Target, warning_about
from model_api.values import Level

BMI = Feature("bmi", "number", unit="kg/m²", minimum=18, maximum=42.2)
ROOMS = Feature("rooms", "integer", minimum=1, maximum=5)
SMOKES = Feature("smokes", "boolean")
CITY = Feature("city", "category", categories=("Berlin", "Köln", "São Paulo"))
SEX = Feature("sex", "category", categories=(1, 2))
TARGET = Target("rent", "regression")


def checked(feature: Feature, value: object) -> Any:
    """Give the value that the model would get; fails if it is refused."""
    outcome = Signature((feature,), TARGET).check([{feature.name: value}])
    assert outcome.problems == []
    return outcome.columns[feature.name][0]


def refused(feature: Feature, value: object) -> Problem:
    """Give the one problem of a value; fails if it is accepted."""
    outcome = Signature((feature,), TARGET).check([{feature.name: value}])
    assert outcome.good == []
    (problem,) = outcome.problems
    assert problem.feature == feature.name
    assert problem.message.startswith(feature.name)
    return problem


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (12, 12.0),
        (31.5, 31.5),
        (0, 0.0),
        (-3, -3.0),
        (1e-46, 1e-46),
        (5e-324, 5e-324),
        (2**53 + 2, 9007199254740994.0),
        ("12", 12.0),
        ("-1.5e3", -1500.0),
        ("1E2", 100.0),
        ("1e+2", 100.0),
        ("0.1", 0.1),
        ("007", 7.0),
        ("0." + "1" * 400, 1 / 9),
    ],
)
def test_a_number_may_be_sent_as_a_number_or_as_plain_ascii_text(sent: object, number: float) -> None:
    value = checked(BMI, sent)

    assert type(value) is float
    assert value == number


def test_minus_zero_is_zero() -> None:
    assert checked(BMI, -0.0) == checked(BMI, "-0.0") == 0


@pytest.mark.parametrize(
    "sent",
    [
        *(True, False, [31.5], {"value": 31.5}, []),
        *("abc", "nan", "NaN", "inf", "-Infinity", "NULL", "None", "true"),
        *("1_000", "1,5", "1,000", "+1", ".5", "1.", "0x10", "1e", "e5", "--1", "1 000", " 1", "1 ", "1\n", "½"),
        *("٣", "１２", "1۰", "PT1H", "1;DROP", "=1+1", "1\x00"),
        *("9" * 401, "1" * 100_000, "1." + "1" * 100_000 + "x"),
    ],
)
def test_what_is_no_plain_number_is_refused(sent: object) -> None:
    assert refused(BMI, sent).code == "not_a_number"


@pytest.mark.parametrize("sent", [math.inf, -math.inf, math.nan, 10**400, "1e400", "-1e9999", "9" * 310])
def test_a_number_beyond_64_bits_is_out_of_range(sent: object) -> None:
    assert refused(BMI, sent).code == "out_of_range"


@pytest.mark.parametrize(
    ("sent", "number"), [(3, 3), (3.0, 3), ("3", 3), ("3.0", 3), ("3e0", 3), (-1, -1), (2**53 - 1, 2**53 - 1)]
)
def test_a_whole_number_may_be_written_in_any_way_that_is_whole(sent: object, number: int) -> None:
    value = checked(ROOMS, sent)

    assert type(value) is int
    assert value == number


@pytest.mark.parametrize("sent", [1.5, "1.5", True, "three", [3], {}, "1_0"])
def test_what_is_no_whole_number_is_refused(sent: object) -> None:
    assert refused(ROOMS, sent).code == "not_an_integer"


@pytest.mark.parametrize("sent", [2**53 + 1, -(2**53) - 1, "9007199254740993", 2**63, -(2**63) - 1, 1e300, "1e400"])
def test_a_whole_number_that_would_not_be_kept_exactly_is_refused(sent: object) -> None:
    assert refused(ROOMS, sent).code == "out_of_range"


@pytest.mark.parametrize(
    ("sent", "truth"),
    [
        *((True, True), (1, True), (1.0, True), ("1", True), ("true", True), ("True", True), ("TRUE", True)),
        *((False, False), (0, False), (0.0, False), ("0", False), ("false", False)),
    ],
)
def test_a_boolean_takes_true_false_1_and_0(sent: object, truth: bool) -> None:
    assert checked(SMOKES, sent) is truth


@pytest.mark.parametrize("sent", ["yes", "on", "t", " true", 2, -1, 0.5, [True], {}, "truе", math.inf])
def test_what_is_no_boolean_is_refused(sent: object) -> None:
    assert refused(SMOKES, sent).code == "not_a_boolean"


@pytest.mark.parametrize("level", ["Berlin", "Köln", "São Paulo"])
def test_a_category_matches_exactly(level: str) -> None:
    assert checked(CITY, level) == level


@pytest.mark.parametrize(
    ("sent", "near"),
    [
        ("berlin", "Berlin"),
        ("BERLIN", "Berlin"),
        ("Berlin ", "Berlin"),
        (" Berlin", "Berlin"),
        ("Bеrlin", "Berlin"),  # a Cyrillic е
        ("Ｂerlin", "Berlin"),  # full-width
        ("Ber\u200blin", "Berlin"),  # zero-width space
        ("Ko\u0308ln", "Köln"),  # the same letters, decomposed
        ("São\u00a0Paulo", "São Paulo"),  # no-break space
        ("\u202eBerlin", "Berlin"),  # right-to-left override
        ("Berlln", "Berlin"),
    ],
)
def test_a_category_that_only_looks_right_is_refused_and_the_nearest_one_named(sent: str, near: str) -> None:
    problem = refused(CITY, sent)

    assert problem.code == "unknown_category"
    assert f'did you mean "{near}"?' in problem.message
    assert problem.message.isprintable()


@pytest.mark.parametrize(
    "sent", ["Tokyo", "nan", "None", "NULL", "<script>alert(1)</script>", "{{7*7}}", "🏳️‍🌈", 1, True]
)
def test_an_unknown_category_is_refused_and_the_known_ones_are_listed(sent: object) -> None:
    problem = refused(CITY, sent)

    assert problem.code == "unknown_category"
    assert problem.expected == 'one of "Berlin", "Köln", "São Paulo"'


def test_at_most_ten_categories_are_listed() -> None:
    countries = Feature("country", "category", categories=tuple(f"country {n}" for n in range(200)))

    assert countries.expected.count('"country') == 10
    assert countries.expected.endswith("…")


@pytest.mark.parametrize("sent", [2, 2.0, "2", "2.0", "2e0"])
def test_a_category_of_numbers_matches_by_value(sent: object) -> None:
    value = checked(SEX, sent)

    assert type(value) is int
    assert value == 2


@pytest.mark.parametrize("sent", [3, "3", True, 1.5, "female", "01x", math.inf, [1]])
def test_a_number_that_is_no_category_is_refused(sent: object) -> None:
    assert refused(SEX, sent).code == "unknown_category"


def test_text_that_looks_like_a_number_stays_text_where_the_categories_are_text() -> None:
    article = Feature("article", "category", categories=("01", "1"))

    assert checked(article, "01") == "01"
    assert refused(article, 1).code == "unknown_category"


def test_an_unknown_category_is_passed_on_with_a_warning_where_the_model_copes() -> None:
    city = Feature("city", "category", categories=("Berlin", "Köln"), unknown_categories=True)

    outcome = Signature((city,), TARGET).check([{"city": "Tokyo"}])

    assert outcome.columns == {"city": ["Tokyo"]}
    ((warning,),) = outcome.warnings
    assert (warning.feature, warning.code) == ("city", "unknown_category")
    assert '"Tokyo"' in warning.message


@pytest.mark.parametrize("feature", [BMI, ROOMS, SMOKES, CITY, SEX])
@pytest.mark.parametrize("instance", [{}, {"value": None}, {"value": ""}])
def test_a_value_that_is_absent_null_or_empty_is_missing(feature: Feature, instance: dict[str, object]) -> None:
    sent = {feature.name: instance["value"]} if instance else {}

    (problem,) = Signature((feature,), TARGET).check([sent]).problems

    assert (problem.feature, problem.code) == (feature.name, "missing")
    assert feature.expected in problem.message


@pytest.mark.parametrize("feature_type", ["number", "integer", "boolean", "category"])
@pytest.mark.parametrize("instance", [{}, {"x": None}, {"x": ""}])
def test_a_missing_value_is_accepted_where_the_model_was_made_for_it(
    feature_type: FeatureType, instance: dict[str, object]
) -> None:
    feature = Feature("x", feature_type, categories=("a",), missing_allowed=True, missing_rate=0.08)

    outcome = Signature((feature,), TARGET).check([instance])

    assert outcome.columns == {"x": [None]}
    ((warning,),) = outcome.warnings
    assert warning.code == "missing"
    assert "8 %" in warning.message


def test_the_empty_text_is_a_value_where_it_is_a_category() -> None:
    suffix = Feature("suffix", "category", categories=("", "jr."), missing_allowed=True)

    assert checked(suffix, "") == ""


@pytest.mark.parametrize(("value", "side"), [(61.0, "above"), (17.9, "below")])
def test_a_value_outside_the_training_range_is_a_warning(value: float, side: str) -> None:
    warning = warning_about(BMI, value)

    assert warning is not None
    assert warning.to_dict() == {
        "feature": "bmi",
        "code": "outside_training_range",
        "message": f"bmi {value:g} is {side} every training value (18 to 42.2)",
    }


@pytest.mark.parametrize("value", [18.0, 42.2, 30.0])
def test_a_value_inside_the_training_range_is_no_warning(value: float) -> None:
    assert warning_about(BMI, value) is None


SIGNATURE = Signature((BMI, ROOMS, SMOKES, CITY), TARGET)
GOOD = {"bmi": 30.5, "rooms": 2, "smokes": False, "city": "Köln"}


def test_every_problem_of_every_feature_is_told_at_once() -> None:
    outcome = SIGNATURE.check([{"bmi": "abc", "rooms": 1.5, "city": "Bonn", "weight": 80}])

    assert [(problem.feature, problem.code) for problem in outcome.problems] == [
        ("bmi", "not_a_number"),
        ("rooms", "not_an_integer"),
        ("smokes", "missing"),
        ("city", "unknown_category"),
        ("weight", "unknown_feature"),
    ]


def test_a_problem_says_what_was_sent_and_what_is_expected() -> None:
    (problem,) = SIGNATURE.check([GOOD | {"bmi": "abc"}]).problems

    assert problem.to_dict() == {
        "feature": "bmi",
        "code": "not_a_number",
        "message": 'bmi must be a number, not "abc"',
        "expected": "a number, usually 18 to 42.2 kg/m²",
        "value": "abc",
        "row": 0,
    }


def test_the_good_rows_are_kept_and_the_bad_ones_are_named() -> None:
    outcome = SIGNATURE.check([GOOD, GOOD | {"rooms": "x"}, GOOD | {"bmi": 25}, None])

    assert outcome.good == [0, 2]
    assert outcome.columns["bmi"] == [30.5, 25.0]
    assert len(outcome.warnings) == 2
    assert [problem.row for problem in outcome.problems] == [1, 3]


@pytest.mark.parametrize("row", [None, [], [1, 2], "text", 3, True])
def test_a_row_that_is_no_object_is_refused(row: object) -> None:
    (problem,) = SIGNATURE.check([row]).problems

    assert (problem.feature, problem.code) == (None, "not_an_object")
    assert problem.message.startswith("row 0 must be an object")


@pytest.mark.parametrize(
    ("sent", "near"),
    [("BMI", "bmi"), ("bmi ", "bmi"), (" room", "rooms"), ("smoke", "smokes"), ("City", "city"), ("ctiy", "city")],
)
def test_an_unknown_feature_is_named_with_its_nearest_known_one(sent: str, near: str) -> None:
    (problem,) = SIGNATURE.check([GOOD | {sent: 1}]).problems

    assert (problem.feature, problem.code, problem.expected) == (sent, "unknown_feature", near)
    assert f"did you mean {near}?" in problem.message


def test_a_feature_unlike_any_other_gets_no_suggestion() -> None:
    (problem,) = SIGNATURE.check([GOOD | {"__proto__": {"x": 1}}]).problems

    assert problem.code == "unknown_feature"
    assert problem.expected is None
    assert "did you mean" not in problem.message


def test_the_twenty_first_unknown_feature_and_those_after_it_are_only_counted() -> None:
    problems = SIGNATURE.check([GOOD | {f"x{n}": n for n in range(1000)}]).problems

    assert len(problems) == 21
    assert problems[-1].message == "980 more features are not of this model"


@pytest.mark.parametrize("sent", ["x" * 1_000_000, ["x"] * 10_000, {"x": "y" * 1000}, 10**399])
def test_a_long_value_is_clipped_when_it_is_repeated(sent: object) -> None:
    (problem,) = SIGNATURE.check([GOOD | {"city": sent}]).problems

    assert problem.value is not None
    assert len(problem.value) <= 64
    assert len(problem.message) < 300


@pytest.mark.parametrize("sent", ["a\x00b", "a\r\nb", "a\x1b[31mb", "a\u202eb", "a\u200bb", "a\U000e0001b", "a\ue000b"])
def test_unprintable_characters_are_escaped_when_they_are_repeated(sent: str) -> None:
    (problem,) = SIGNATURE.check([GOOD | {"city": sent, sent: 1}][:1]).problems[:1]
    unknown = SIGNATURE.check([GOOD | {sent: 1}]).problems[0]

    for text in (problem.message, problem.value, unknown.message, unknown.feature):
        assert text is not None
        assert text.isprintable()
        assert "\\u" in text


def test_a_signature_survives_its_wire_form() -> None:
    signature = Signature((BMI, ROOMS, SMOKES, CITY, SEX), Target("outcome", "binary", classes=("no", "yes")))

    wire = json.loads(json.dumps(signature.to_dict()))

    assert Signature.from_dict(wire) == signature
    assert Signature.from_dict(wire).names == ["bmi", "rooms", "smokes", "city", "sex"]


def test_a_wire_form_with_an_unknown_type_is_refused() -> None:
    wire = SIGNATURE.to_dict()
    wire["features"][0]["type"] = "colour"

    with pytest.raises(ValueError, match="'bmi' has the unknown type 'colour'"):
        Signature.from_dict(wire)


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (BMI, "a number, usually 18 to 42.2 kg/m²"),
        (ROOMS, "a whole number, usually 1 to 5"),
        (SMOKES, "true or false"),
        (SEX, "one of 1, 2"),
        (Feature("x", "number", missing_allowed=True), "a number, or null if unknown"),
    ],
)
def test_a_feature_says_in_words_what_it_expects(feature: Feature, words: str) -> None:
    assert feature.expected == words


def test_a_feature_without_a_label_is_called_by_its_name() -> None:
    assert BMI.title == "bmi"
    assert Feature("s5", "number", label="Triglycerides").title == "Triglycerides"


@pytest.mark.parametrize("level", ["a", 1])
def test_a_feature_is_frozen(level: Level) -> None:
    with pytest.raises(AttributeError):
        BMI.default = level  # type: ignore[misc] # that is the point
