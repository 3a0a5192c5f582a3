"""Signature → form, and typed text → instance."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from dashboard.fields import ButtonsField, ListField, NumberField
from dashboard.forms import FOLD_FROM, InstanceForm, defaults, field_name, form_class, form_values
from dashboard.records import Feature, Value
from tests.dashboard import kitchen
from tests.dashboard.conftest import Serving
from tests.dashboard.kitchen import feature
from tests.dashboard.page import Page, text_of

Typed = Sequence[tuple[str, str]]
HOSTILE = "<script>alert(1)</script>\"'&{{777*777}}"


@pytest.fixture(autouse=True)
def _a_request() -> Iterator[None]:
    """A form has a token, and that needs a session."""
    app = Flask(__name__)
    app.secret_key = "k" * 32
    with app.test_request_context():
        yield


def filled(typed: Typed, *features: Feature, start: dict[str, Value] | None = None) -> InstanceForm:
    """Make the form as it is after somebody typed; `start` is what was in it before."""
    version = kitchen.model(*features)
    data = None if start is None else form_values(version, start)
    form = form_class(version)(MultiDict(typed), data=data)
    for field in form.fields:
        field.validate(form)
    return form


def fresh(*features: Feature) -> InstanceForm:
    """Make the form before anybody typed."""
    return form_class(kitchen.model(*features))(MultiDict())


def value_of(text: str, **about: Any) -> Value:
    """Give what becomes of a text that is valid."""
    form = filled([("area", text)], feature(**about))
    assert not form.errors
    return form.instance()["area"]


def error_of(text: str, **about: Any) -> str:
    """Give the one message that a text which is not valid gets."""
    (message,) = filled([("area", text)], feature(**about)).fields[0].errors
    return str(message)


# Which control


@pytest.mark.parametrize(
    ("about", "control"),
    [
        ({"kind": "number"}, NumberField),
        ({"kind": "integer"}, NumberField),
        ({"kind": "boolean"}, ButtonsField),
        ({"kind": "category", "categories": ("a",)}, ButtonsField),
        ({"kind": "category", "categories": ("a", "b", "c")}, ButtonsField),
        ({"kind": "category", "categories": ("a", "b", "c", "d")}, ListField),
        ({"kind": "category", "categories": (1, 2)}, ButtonsField),
    ],
)
def test_each_kind_of_feature_has_its_control(about: dict[str, Any], control: type) -> None:
    (field,) = fresh(feature(**about)).fields

    assert type(field) is control


def test_the_fields_stand_in_the_order_of_the_signature() -> None:
    form = fresh(*(feature(name) for name in ("z", "a", "m")))

    assert [field.feature.name for field in form.fields] == ["z", "a", "m"]


def test_fields_stand_under_the_heading_of_their_group() -> None:
    features = [feature(name, group=group) for name, group in (("a", "One"), ("b", None), ("c", "One"), ("d", "Two"))]
    groups = fresh(*features).groups

    assert [(heading, [field.feature.name for field in fields]) for heading, fields in groups] == [
        ("One", ["a", "c"]),
        (None, ["b"]),
        ("Two", ["d"]),
    ]


@pytest.mark.parametrize(("count", "folds"), [(1, False), (FOLD_FROM, False), (FOLD_FROM + 1, True)])
def test_a_form_of_more_than_twelve_features_can_be_folded(count: int, folds: bool) -> None:
    assert fresh(*(feature(f"f{i}") for i in range(count))).folds is folds


def test_the_hint_says_what_was_usual_in_training() -> None:
    (usual, unbounded) = fresh(feature("a", minimum=-1.5), feature("b", minimum=None)).fields

    assert usual.hint == "-1.5 to 150 in the training data"
    assert unbounded.hint == ""


def test_a_form_is_made_once_for_a_version() -> None:
    assert form_class(kitchen.model()) is form_class(kitchen.model())
    assert form_class(kitchen.model()) is not form_class(kitchen.model(version="2"))


def test_the_typical_instance_is_the_signature_s_defaults() -> None:
    version = kitchen.model(feature("a", default=1.5), feature("b", kind="category"), feature("c", default=None))

    assert defaults(version) == {"a": 1.5, "b": "south", "c": None}


# What becomes of numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42.0),
        ("-0.5", -0.5),
        ("  42.5  ", 42.5),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("007", 7.0),
        ("-0", 0.0),
        ("0." + "1" * 300, 0.1111111111111111),
    ],
)
def test_a_typed_number_becomes_a_number(text: str, value: float) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize("text", ["1e999", "-1e999", "9" * 400])
def test_a_number_too_large_for_us_is_left_for_the_service_to_judge(text: str) -> None:
    assert value_of(text) == text


@pytest.mark.parametrize("text", ["3", "3.0", "3e0", "30e-1"])
def test_a_whole_number_may_be_written_in_any_way(text: str) -> None:
    assert value_of(text, kind="integer") == 3


@pytest.mark.parametrize(
    "text",
    [
        *("abc", "1_000", "0x10", "+1", ".5", "5.", "1,000", "1e", "--1", "1 000", "1e5.5", "1\x00", "1\n2"),
        *("nan", "NaN", "inf", "-Infinity", "true", "None", "٣", "１２", "½", "1\u200b", "−1", HOSTILE),
    ],
)
def test_what_is_not_a_number_is_refused_and_shown(text: str) -> None:
    assert error_of(text).startswith(f"Enter a number: “{text}” is not one.")


@pytest.mark.parametrize("text", ["1,5", "1.000,5"])
def test_a_decimal_comma_is_explained(text: str) -> None:
    assert error_of(text).endswith("Write decimals with a point.")


def test_other_slips_do_not_speak_of_commas() -> None:
    assert "point" not in error_of("abc")


@pytest.mark.parametrize("text", ["1.5", "1e-1", "1e999", "abc"])
def test_what_is_not_a_whole_number_is_refused(text: str) -> None:
    assert error_of(text, kind="integer") == f"Enter a whole number: “{text}” is not one."


@pytest.mark.parametrize("text", ["", "   ", "\t"])
def test_an_empty_field_asks_for_a_number(text: str) -> None:
    assert error_of(text) == "Enter a number."
    assert error_of(text, kind="integer") == "Enter a whole number."
    assert error_of(text, missing_allowed=True) == "Enter a number or tick “unknown”."


def test_a_long_text_is_cut_where_it_is_repeated() -> None:
    assert error_of("x" * 10_000) == f"Enter a number: “{'x' * 39}…” is not one."


def test_what_was_typed_stays_in_the_field() -> None:
    (field,) = filled([("area", " 12,5 ")], feature()).fields

    assert isinstance(field, NumberField)
    assert field.shown == "12,5"


def test_a_field_that_was_not_sent_is_missed() -> None:
    assert filled([], feature()).invalid


def test_a_value_sent_twice_is_refused() -> None:
    form = filled(
        [("area", "1"), ("area", "2"), ("side", "north"), ("side", "south")], feature(), feature("side", "category")
    )

    assert [field.errors for field in form.fields] == [["This value was sent twice."]] * 2


# Unknown values


def test_a_ticked_box_makes_a_number_unknown() -> None:
    form = filled([("area", "70"), ("unknown", "area")], feature(missing_allowed=True))

    assert not form.errors
    assert form.instance() == {"area": None}


def test_each_ticked_box_is_for_its_own_number() -> None:
    form = filled(
        [("a", "1"), ("b", "2"), ("unknown", "a"), ("unknown", "nothing of ours")],
        feature("a", missing_allowed=True),
        feature("b", missing_allowed=True),
    )

    assert form.instance() == {"a": None, "b": 2.0}


def test_a_number_that_may_be_unknown_is_so_when_it_is_not_sent() -> None:
    assert filled([], feature(missing_allowed=True)).instance() == {"area": None}


def test_an_unknown_default_ticks_the_box() -> None:
    version = kitchen.model(feature(missing_allowed=True, default=None))
    (field,) = form_class(version)(MultiDict(), data=form_values(version, defaults(version))).fields

    assert isinstance(field, NumberField)
    assert field.unknown
    assert field.shown == ""


@pytest.mark.parametrize("levels", [("left", "right"), ("a", "b", "c", "d", "e")])
def test_a_choice_that_an_address_calls_unknown_is_so_and_not_the_default(levels: tuple[str, ...]) -> None:
    side = feature("side", type="category", categories=levels, missing_allowed=True)

    form = filled([("unknown", "side")], side, start={"side": levels[0]})

    assert not form.errors
    assert form.instance() == {"side": None}
    assert form.query() == [("side", "")]


def test_a_choice_that_cannot_be_unknown_asks_for_one_when_an_address_calls_it_so() -> None:
    side = feature("side", type="category", categories=("left", "right"))

    form = filled([("unknown", "side")], side, start={"side": "left"})

    assert form.errors
    assert form.invalid[0].errors == ["Choose one of left and right."]


def test_the_empty_choice_is_unknown() -> None:
    form = filled([("side", "")], feature("side", "category", missing_allowed=True))

    assert not form.errors
    assert form.instance() == {"side": None}


# Choices


@pytest.mark.parametrize(
    ("about", "text", "value"),
    [
        ({"kind": "boolean"}, "true", True),
        ({"kind": "boolean"}, "false", False),
        ({"kind": "category"}, "east", "east"),
        ({"kind": "category", "categories": (1, 2)}, "2", 2),
        ({"kind": "category", "categories": (0.5, 1.5)}, "1.5", 1.5),
        ({"kind": "category", "categories": (HOSTILE, "b")}, HOSTILE, HOSTILE),
        ({"kind": "category", "categories": ("", "b")}, "", ""),
    ],
)
def test_a_choice_becomes_its_level(about: dict[str, Any], text: str, value: Value) -> None:
    level = value_of(text, **about)

    assert level == value
    assert type(level) is type(value)


@pytest.mark.parametrize("text", ["South", "south ", "up", "1", "None", "ѕouth"])
def test_only_what_can_be_chosen_is_taken(text: str) -> None:
    assert error_of(text, kind="category") == (
        f"Choose one of north, south, east and west: “{text}” is not one of them."
    )


@pytest.mark.parametrize("text", ["True", "1", "yes", "on"])
def test_yes_and_no_have_one_spelling_each(text: str) -> None:
    assert error_of(text, kind="boolean") == f"Choose one of yes and no: “{text}” is not one of them."


def test_a_choice_that_was_not_made_is_missed() -> None:
    assert error_of("", kind="category") == "Choose one of north, south, east and west."
    (field,) = filled([], feature(kind="boolean")).fields
    assert field.errors == ["Choose one of yes and no."]


def test_a_message_names_ten_choices_at_most() -> None:
    levels = tuple(f"level{i:02}" for i in range(50))

    assert "level09" in error_of("x", kind="category", categories=levels)
    assert "level10" not in error_of("x", kind="category", categories=levels)


def test_the_only_choice_is_named_alone() -> None:
    assert error_of("x", kind="category", categories=("a",)) == "Choose a: “x” is not one of them."


# Addresses


def test_the_address_reproduces_the_form() -> None:
    features = [
        feature("area"),
        feature("rooms", "integer", missing_allowed=True),
        feature("furnished", "boolean"),
        feature("side", "category", missing_allowed=True),
    ]
    form = filled([("area", "1e2"), ("unknown", "rooms"), ("furnished", "false"), ("side", "")], *features)

    again = filled(form.query(), *features)

    assert form.query() == [("area", "1e2"), ("unknown", "rooms"), ("furnished", "false"), ("side", "")]
    assert again.instance() == form.instance() == {"area": 100.0, "rooms": None, "furnished": False, "side": None}


def test_a_partial_address_is_completed_from_the_typical_instance() -> None:
    features = [feature("area"), feature("side", "category")]

    form = filled([("side", "west")], *features, start={"area": 70.5, "side": "south"})

    assert form.instance() == {"area": 70.5, "side": "west"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (1e22, "1e+22"),
        (-2.5, "-2.5"),
        (5, "5"),
        (0.1 + 0.2, repr(0.1 + 0.2)),
    ],
)
def test_a_reference_value_is_written_so_that_it_reads_back_the_same(value: float, text: str) -> None:
    version = kitchen.model(feature())
    (field,) = form_class(version)(MultiDict(), data=form_values(version, {"area": value})).fields

    assert field.data == text
    assert value_of(text) == value


# Objections of the model service


def test_an_objection_stands_beside_its_field() -> None:
    form = filled([("a", "1"), ("b", "2")], feature("a"), feature("b"))
    form.refuse({"b": "b is out of the range of a 64-bit number", "c": "is not ours"})

    assert [field.errors for field in form.fields] == [[], ["B is out of the range of a 64-bit number."]]
    assert [field.feature.name for field in form.invalid] == ["b"]


# Names that clash

NAMES = ["data", "errors", "csrf_token", "unknown", "example", "example_", "unknown_", "fields", "model", "instance"]
NAMES += [
    "process",
    "meta",
    "a b",
    'say "hi"',
    "it's",
    HOSTILE,
    "größe",
    "x[0]",
    "a&b=c",
    "a;b",
    "__class__",
    "feature_0",
]


def test_features_may_have_any_name() -> None:
    features = [feature(name) for name in NAMES]
    typed = [(field_name(f), str(i)) for i, f in enumerate(features)]

    form = filled(typed, *features)

    assert not form.errors
    assert form.instance() == {name: float(i) for i, name in enumerate(NAMES)}
    assert filled(form.query(), *features).instance() == form.instance()


def test_no_two_features_share_a_parameter() -> None:
    parameters = [field_name(feature(name)) for name in NAMES]

    assert len(set(parameters)) == len(NAMES)
    assert not {"unknown", "example", "csrf_token"} & set(parameters)


# As HTML


def rendered(serving: Serving, *features: Feature, address: str = "/models/rent") -> Page:
    return serving(kitchen.model(*features)).page(address)


def test_a_number_is_a_text_field_with_its_unit_hint_and_description(serving: Serving) -> None:
    page = rendered(serving, feature(label="Living area", unit="m²", description="Without the balcony"))
    control = page.named("area")

    assert (control.tag, control.get("type"), control.get("value")) == ("input", "text", "70.5")
    assert page.label(control.get("id", "")) == "Living area"
    assert page.described(control) == "Without the balcony 20 to 150 in the training data"
    assert text_of(page.one("span[@class='unit']")) == "m²"


@pytest.mark.parametrize(
    ("about", "mode"),
    [
        ({"kind": "integer", "minimum": 0.0}, "numeric"),
        ({"kind": "number", "minimum": 0.0}, "decimal"),
        ({"kind": "integer", "minimum": -1.0}, "text"),
        ({"kind": "number", "minimum": -1.0}, "text"),
    ],
)
def test_a_phone_shows_the_keys_that_are_needed(serving: Serving, about: dict[str, Any], mode: str) -> None:
    assert rendered(serving, feature(**about)).named("area").get("inputmode") == mode


def test_a_few_choices_are_buttons_with_the_default_pressed(serving: Serving) -> None:
    page = rendered(serving, feature("furnished", "boolean", unit="now"))
    buttons = page.all("input[@type='radio']")

    assert [(b.get("name"), b.get("value"), "checked" in b.attrib) for b in buttons] == [
        ("furnished", "true", True),
        ("furnished", "false", False),
    ]
    assert [page.label(b.get("id", "")) for b in buttons] == ["yes", "no"]
    assert page.one("div[@role='radiogroup']").get("aria-labelledby") in page.ids
    assert "(now)" in text_of(page.one("span[@class='label']"))


def test_many_choices_are_a_list_with_the_default_chosen(serving: Serving) -> None:
    page = rendered(serving, feature("side", "category", missing_allowed=True))
    options = page.named("side").findall("option")

    assert [(o.get("value"), text_of(o), "selected" in o.attrib) for o in options] == [
        ("north", "north", False),
        ("south", "south", True),
        ("east", "east", False),
        ("west", "west", False),
        ("", "Unknown", False),
    ]


def test_only_a_number_that_may_be_unknown_has_a_box_for_it(serving: Serving) -> None:
    page = rendered(serving, feature("a", missing_allowed=True), feature("b"))
    box = page.one("input[@type='checkbox']")

    assert (box.get("name"), box.get("value"), "checked" in box.attrib) == ("unknown", "a", False)
    assert page.label(box.get("id", "")) == "Unknown: a"


def test_a_feature_without_a_default_starts_empty(serving: Serving) -> None:
    page = rendered(serving, feature(default=None), feature("side", "category", default=None))

    assert page.named("area").get("value") == ""
    assert text_of(page.named("side").findall("option")[0]) == "Choose…"


def test_groups_are_headed_and_long_forms_fold(serving: Serving) -> None:
    short = rendered(serving, feature("a", group="One"), feature("b"))
    long = rendered(serving, *(feature(f"f{i}", group="One" if i < 9 else "Two") for i in range(13)))

    assert [text_of(legend) for legend in short.all("legend")] == ["One"]
    assert not short.all("details[@class='group']")
    groups = long.all("details[@class='group']")
    assert [text_of(group.findall("summary")[0]) for group in groups] == ["One9", "Two4"]
    assert all("open" in group.attrib for group in groups)


def test_hostile_names_and_words_stay_text(serving: Serving) -> None:
    words: dict[str, Any] = {"label": HOSTILE, "unit": HOSTILE, "description": HOSTILE, "group": HOSTILE}
    features = [
        feature(HOSTILE, **words),
        feature("b", "boolean", **words),
        feature("c", "category", categories=(HOSTILE, "2", "3", "4"), default=HOSTILE, **words),
        feature("d", "category", categories=(HOSTILE, "2"), default=HOSTILE, missing_allowed=True, **words),
    ]
    guest = serving(kitchen.model(*features, title=HOSTILE, description=HOSTILE))
    page = guest.page("/models/rent")
    refused = guest.fill_in(page, {HOSTILE: HOSTILE, "b": HOSTILE, "c": HOSTILE + "?", "d": HOSTILE + "?"})

    for html in (page.html, refused.text):
        assert len(Page(html).all("script")) == 2
        assert "<script>" not in html
        assert "603729" not in html  # what a template would make of 777*777
    assert text_of(page.one("h1")) == HOSTILE
    assert page.named(HOSTILE).get("type") == "text"
    assert page.named("c").findall("option")[0].get("value") == HOSTILE
    assert Page(refused.text).named(HOSTILE).get("value") == HOSTILE


def test_features_with_the_names_of_a_form_s_own_parts_are_sent_and_shown(serving: Serving) -> None:
    features = [feature(name) for name in NAMES]
    guest = serving(
        kitchen.model(*features),
        predicted=kitchen.prediction(700.0),
        rows=kitchen.reference([700.0, 800.0, 900.0], row=dict.fromkeys(NAMES, 1.0)),
    )

    answer = guest.submit("/models/rent", {"example_": "1.5", "data": "2.5"})
    page = guest.page(answer.location)

    assert answer.status_code == 303
    assert page.named("example_").get("value") == "1.5"
    assert page.named("data").get("value") == "2.5"
    assert page.by_id("number").get("value") == "700.0"
