"""Dates, times, texts and categories of hundreds of levels: what can be typed, and what becomes of it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from dashboard.fields import (
    MANY_LEVELS,
    MAX_TEXT,
    ButtonsField,
    DateField,
    DateTimeField,
    FeatureMixin,
    ListField,
    SuggestField,
    TextField,
    TypedField,
)
from dashboard.forms import InstanceForm, form_class, form_values
from dashboard.records import Feature, Value
from tests.dashboard import kitchen
from tests.dashboard.conftest import Serving
from tests.dashboard.kitchen import AMSTERDAM, feature
from tests.dashboard.page import Page, text_of, typed_in

TOWNS = tuple(f"Town {number}" for number in range(MANY_LEVELS))
HOSTILE = "</textarea><script>alert(1)</script>\"'&{{7*7}}"


@pytest.fixture(autouse=True)
def _a_request() -> Iterator[None]:
    """A form has a token, and that needs a session."""
    app = Flask(__name__)
    app.secret_key = "k" * 32
    with app.test_request_context():
        yield


def filled(typed: list[tuple[str, str]], *features: Feature) -> InstanceForm:
    """Make the form as it is after somebody typed."""
    form = form_class(kitchen.model(*features))(MultiDict(typed))
    for field in form.fields:
        field.validate(form)
    return form


def value_of(text: str, **about: Any) -> Value:
    """Give what becomes of a text that is valid."""
    form = filled([("area", text)], feature(**about))
    assert not form.errors
    return form.instance()["area"]


def error_of(text: str, **about: Any) -> str:
    """Give the one message that a text which is not valid gets."""
    (message,) = filled([("area", text)], feature(**about)).fields[0].errors
    return str(message)


def holding(value: Value, **about: Any) -> TypedField:
    """Give the field as it is when it is filled with a value."""
    version = kitchen.model(feature(**about))
    (field,) = form_class(version)(MultiDict(), data=form_values(version, {"area": value})).fields
    assert isinstance(field, TypedField)
    return field


def fresh(**about: Any) -> FeatureMixin:
    (field,) = form_class(kitchen.model(feature(**about)))(MultiDict()).fields
    return field


@pytest.mark.parametrize(
    ("about", "control"),
    [
        ({"kind": "date"}, DateField),
        ({"kind": "datetime"}, DateTimeField),
        ({"kind": "text"}, TextField),
        ({"kind": "category", "categories": TOWNS}, SuggestField),
        ({"kind": "category", "categories": TOWNS[1:]}, ListField),
        ({"kind": "category", "categories": TOWNS[:4], "unknown_categories": True}, ListField),
        ({"kind": "category", "categories": (True, False)}, ButtonsField),
    ],
)
def test_each_kind_of_feature_has_its_control(about: dict[str, Any], control: type) -> None:
    assert type(fresh(**about)) is control


# Dates


@pytest.mark.parametrize(("text", "value"), [("2026-11-24", "2026-11-24"), (" 2024-02-29 ", "2024-02-29")])
def test_a_typed_date_goes_on_as_it_was_typed(text: str, value: str) -> None:
    assert value_of(text, kind="date") == value


@pytest.mark.parametrize("text", ["24-11-2026", "tomorrow", "2026-11-24T00:00", "20261124", "2026-1-1", HOSTILE])
def test_what_is_not_a_date_is_refused_with_an_example(text: str) -> None:
    shown = text if len(text) <= 40 else text[:39] + "…"

    assert error_of(text, kind="date") == f"Enter a date such as 2026-11-24: “{shown}” is not one."


@pytest.mark.parametrize("text", ["2026-02-29", "2026-13-01", "0000-01-01"])
def test_a_day_that_no_calendar_has_is_refused(text: str) -> None:
    assert error_of(text, kind="date") == f"Enter a date such as 2026-11-24: there is no “{text}”."


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_field_asks_for_a_date(text: str) -> None:
    assert error_of(text, kind="date") == "Enter a date."
    assert error_of(text, kind="date", missing_allowed=True) == "Enter a date or tick “unknown”."


def test_a_day_before_all_calendars_of_the_service_is_left_for_it_to_judge() -> None:
    assert value_of("0001-01-01", kind="date") == "0001-01-01"


# Dates and times


@pytest.mark.parametrize(
    "text", ["2026-11-24T09:30", "2026-11-24 09:30", "2026-11-24T09:30:15", "2026-11-24T09:30:15.5"]
)
def test_a_typed_time_goes_on_as_it_was_typed(text: str) -> None:
    assert value_of(text, kind="datetime") == text
    assert value_of(text, kind="datetime", **AMSTERDAM) == text


@pytest.mark.parametrize("text", ["2026-11-24", "09:30", "24-11-2026 09:30", "now", "2026-11-24T9:30", "2026-11-24T09"])
def test_what_is_not_a_date_and_time_is_refused_with_an_example(text: str) -> None:
    message = f"Enter a date and time such as 2026-11-24T09:30: “{text}” is not one."

    assert error_of(text, kind="datetime") == error_of(text, kind="datetime", **AMSTERDAM) == message


@pytest.mark.parametrize("text", ["2026-02-30T09:30", "2026-11-24T25:00", "2026-11-24T09:60"])
def test_a_time_that_no_clock_shows_is_refused(text: str) -> None:
    assert error_of(text, kind="datetime") == f"Enter a date and time such as 2026-11-24T09:30: there is no “{text}”."


@pytest.mark.parametrize("text", ["2026-11-24T09:30Z", "2026-11-24T09:30+01:00"])
def test_an_offset_is_for_times_that_have_a_zone(text: str) -> None:
    assert value_of(text, kind="datetime", **AMSTERDAM) == text
    assert error_of(text, kind="datetime") == f"Enter the time without a time zone: “{text}” has one."


def test_an_empty_field_asks_for_a_date_and_time() -> None:
    assert error_of("", kind="datetime") == "Enter a date and time."
    assert error_of("", kind="datetime", missing_allowed=True) == "Enter a date and time or tick “unknown”."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-11-24T08:30:00+00:00", "2026-11-24T09:30"),
        ("2026-07-24T08:30:00+00:00", "2026-07-24T10:30"),
        ("2026-10-25T01:30:00+00:00", "2026-10-25T02:30+01:00"),
    ],
)
def test_a_time_of_the_service_is_shown_by_the_feature_s_clock_and_can_be_sent_so(value: str, shown: str) -> None:
    assert holding(value, kind="datetime", **AMSTERDAM).shown == shown
    assert value_of(shown, kind="datetime", **AMSTERDAM) == shown


def test_a_time_without_a_zone_is_shown_without_needless_seconds() -> None:
    assert holding("2026-11-24T08:30:00", kind="datetime").shown == "2026-11-24T08:30"
    assert holding("2026-11-24T08:30:05", kind="datetime").shown == "2026-11-24T08:30:05"


@pytest.mark.parametrize("value", ["soon", "", "2026-11-24T08:30Z", 5, True, None])
def test_a_row_with_a_value_that_is_no_time_can_still_be_shown(value: Value) -> None:
    assert holding(value, kind="datetime").shown == ("" if value is None else str(value).replace("True", "true"))


# The browser's own controls


@pytest.mark.parametrize(
    ("kind", "value", "control"),
    [
        ("date", "2026-11-24", "date"),
        ("date", None, "date"),
        ("date", "24-11-2026", "text"),
        ("date", "2026-02-30", "text"),
        ("datetime", "2026-11-24T09:30", "datetime-local"),
        ("datetime", "2026-11-24T09:30:15.123", "datetime-local"),
        ("datetime", None, "datetime-local"),
        ("datetime", "2026-11-24T09:30:15.123456", "text"),
        ("datetime", "2026-02-30T09:30", "text"),
        ("datetime", "noon", "text"),
        ("text", "2026-11-24", "text"),
    ],
)
def test_a_calendar_is_offered_unless_it_would_drop_what_is_in_the_field(kind: str, value: Value, control: str) -> None:
    assert holding(value, kind=kind).input_type == control


def test_a_calendar_has_years_of_four_digits() -> None:
    assert holding(None, kind="date").attributes == {"min": "1678-01-01", "max": "2261-12-31"}
    assert holding("never", kind="date").attributes == {}
    assert holding("never", kind="datetime").attributes == {}


@pytest.mark.parametrize(
    ("value", "about", "step"),
    [
        ("2026-11-24T09:30:00", {}, "60"),
        ("2026-11-24T09:30:15", {}, "1"),
        ("2026-11-24T09:30:15.5", {}, "0.001"),
        ("2026-11-24T09:30:00", {"minimum": "2019-01-01T00:00:01"}, "1"),
        ("2026-11-24T09:30:00", {"default": "2019-01-01T00:00:01.25"}, "0.001"),
        ("2026-11-24T09:30:00", {"minimum": None, "maximum": None, "default": None}, "60"),
    ],
)
def test_a_clock_is_as_fine_as_the_known_times(value: str, about: dict[str, Any], step: str) -> None:
    assert holding(value, kind="datetime", **about).attributes["step"] == step


# Texts


@pytest.mark.parametrize("text", ["", "  two  spaces ", "a\nb", "x" * MAX_TEXT, "😀" * MAX_TEXT, "tab\there", HOSTILE])
def test_a_text_is_taken_as_it_is(text: str) -> None:
    assert value_of(text, kind="text") == text


def test_line_ends_are_those_from_before_the_browser_changed_them() -> None:
    assert value_of("\r\na\r\n\r\nb\rc\n", kind="text") == "\na\n\nb\nc\n"


def test_a_text_that_is_too_long_is_refused_with_its_length() -> None:
    message = error_of("x" * 12_345, kind="text")

    assert message == "Shorten this text: it has 12,345 characters, and 10,000 are taken."


@pytest.mark.parametrize("text", ["\x00", "a\x1bb", "bell\x07"])
def test_control_characters_are_refused(text: str) -> None:
    assert error_of(text, kind="text") == "Take the control characters out of this text: they are not taken."


def test_an_empty_text_is_a_text_and_only_a_tick_makes_it_unknown() -> None:
    about = feature(kind="text", missing_allowed=True)

    assert filled([("area", "")], about).instance() == {"area": ""}
    assert filled([("area", "a"), ("unknown", "area")], about).instance() == {"area": None}
    assert filled([], about).instance() == {"area": None}


def test_a_text_that_was_not_sent_is_missed() -> None:
    (field,) = filled([], feature(kind="text")).fields

    assert field.errors == ["Enter a text."]


# Hundreds of levels


@pytest.mark.parametrize("text", ["Town 7", "  Town 7 "])
def test_a_typed_level_becomes_the_level(text: str) -> None:
    assert value_of(text, kind="category", categories=TOWNS) == "Town 7"


def test_levels_that_are_numbers_become_numbers() -> None:
    level = value_of("7", kind="category", categories=tuple(range(MANY_LEVELS)))

    assert level == 7
    assert isinstance(level, int)


def test_levels_that_differ_in_spaces_are_told_apart() -> None:
    levels = (*TOWNS, " Town 7", "Town 7 ")

    assert value_of("Town 7 ", kind="category", categories=levels) == "Town 7 "
    assert value_of(" Town 7", kind="category", categories=levels) == " Town 7"


def test_what_is_not_a_level_is_refused_with_the_nearest_one() -> None:
    message = error_of("Twon 117", kind="category", categories=TOWNS)

    assert message == ("Enter one of the 200 known values: “Twon 117” is not one of them. Did you mean “Town 117”?")


def test_what_resembles_no_level_is_refused_without_a_guess() -> None:
    message = error_of("Ω", kind="category", categories=TOWNS)

    assert message == "Enter one of the 200 known values: “Ω” is not one of them."


def test_where_another_level_is_taken_any_text_goes_on() -> None:
    about = {"kind": "category", "categories": TOWNS, "unknown_categories": True}

    assert value_of(" New Town ", **about) == "New Town"
    assert value_of("Town 7", **about) == "Town 7"
    assert error_of("  ", **about) == "Enter a value."


def test_an_empty_field_asks_for_a_level() -> None:
    about: dict[str, Any] = {"kind": "category", "categories": TOWNS}

    assert error_of("", **about) == "Enter one of the 200 known values."
    assert error_of("", **about, missing_allowed=True) == "Enter one of the 200 known values or tick “unknown”."


def test_nothing_can_be_a_level_too() -> None:
    assert value_of("", kind="category", categories=("", *TOWNS)) == ""


def test_an_unknown_level_is_ticked_and_sent_as_missing() -> None:
    about = feature(kind="category", categories=TOWNS, missing_allowed=True)

    assert filled([("area", "Town 1"), ("unknown", "area")], about).instance() == {"area": None}
    assert holding(None, kind="category", categories=TOWNS, missing_allowed=True).unknown


def test_thousands_of_levels_are_searched_in_no_time() -> None:
    levels = tuple(f"{number:05} A street with a long name" for number in range(5_000))
    began = time.monotonic()

    error_of("00042 A steet with a lnog name" * 300, kind="category", categories=levels)

    assert time.monotonic() - began < 2


# What is said of them


@pytest.mark.parametrize(
    ("about", "hint"),
    [
        ({"kind": "date"}, "2019-01-01 to 2024-12-31 in the training data"),
        ({"kind": "date", "maximum": None}, ""),
        ({"kind": "datetime"}, "2019-01-01 00:30 to 2024-12-31 23:45 in the training data"),
        (
            {"kind": "datetime", **AMSTERDAM},
            "2019-01-01 00:30 to 2024-12-31 23:45 in the training data; times are in Europe/Amsterdam",
        ),
        (
            {"kind": "datetime", "zone": "UTC", "minimum": None, "maximum": None, "default": None},
            "times are in UTC",
        ),
        ({"guessed": ("minimum",), "minimum": 0.0505102, "maximum": 4.94949}, "about 0.0505 to 4.95, guessed"),
        ({"kind": "integer", "guessed": ("maximum", "default")}, "about 20 to 150, guessed"),
        ({"kind": "number", "guessed": ("default",)}, "20 to 150 in the training data"),
        ({"kind": "date", "guessed": ("minimum", "maximum")}, "about 2019-01-01 to 2024-12-31, guessed"),
        ({"kind": "datetime", "guessed": ("minimum",)}, "about 2019-01-01 00:30 to 2024-12-31 23:45, guessed"),
        ({"kind": "text"}, ""),
        ({"kind": "boolean", "minimum": 0.0, "maximum": 1.0}, ""),
        ({"kind": "category"}, ""),
        ({"kind": "category", "categories": TOWNS}, "200 known values, suggested while you type"),
        (
            {"kind": "category", "categories": TOWNS, "unknown_categories": True},
            "200 known values, suggested while you type; another is taken too",
        ),
    ],
)
def test_the_hint_says_what_is_usual_and_what_is_guessed(about: dict[str, Any], hint: str) -> None:
    assert fresh(**about).hint == hint


# Addresses


def test_the_address_reproduces_every_kind() -> None:
    features = [
        feature("day", "date"),
        feature("moment", "datetime", **AMSTERDAM),
        feature("text", "text"),
        feature("town", "category", categories=TOWNS),
        feature("gone", "date", missing_allowed=True),
    ]
    typed = [
        ("day", "2026-11-24"),
        ("moment", "2026-11-24T09:30"),
        ("text", " a\nb & c=d "),
        ("town", "Town 9"),
        ("unknown", "gone"),
    ]
    form = filled(typed, *features)

    again = filled(form.query(), *features)

    assert form.query() == typed
    assert again.instance() == form.instance() == {**dict(typed[:4]), "gone": None}


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ({"kind": "date"}, "2026-11-24"),
        ({"kind": "datetime"}, "2026-11-24T09:30:15.123456"),
        ({"kind": "text"}, "\n\n line\n"),
        ({"kind": "category", "categories": TOWNS}, "Town 100"),
    ],
)
def test_a_reference_value_is_filled_in_so_that_it_reads_back_the_same(about: dict[str, Any], value: str) -> None:
    assert value_of(holding(value, **about).shown, **about) == value


# As HTML


def rendered(serving: Serving, *features: Feature, address: str = "/models/rent") -> Page:
    return serving(kitchen.model(*features)).page(address)


def refused(serving: Serving, features: list[Feature], typed: dict[str, str]) -> Page:
    guest = serving(kitchen.model(*features))
    response = guest.submit("/models/rent", typed)
    assert response.status_code == 422
    return Page(response.text)


def test_a_date_is_a_calendar_with_its_label_and_hint(serving: Serving) -> None:
    page = rendered(serving, feature("day", "date", label="Day of arrival", description="The first night"))
    control = page.named("day")

    assert (control.get("type"), control.get("value")) == ("date", "2022-06-15")
    assert page.label(control.get("id", "")) == "Day of arrival"
    assert page.described(control) == "The first night 2019-01-01 to 2024-12-31 in the training data"


def test_a_date_and_time_is_a_calendar_with_a_clock_of_its_zone(serving: Serving) -> None:
    control = rendered(serving, feature("at", "datetime", **AMSTERDAM)).named("at")

    assert (control.get("type"), control.get("step")) == ("datetime-local", "60")
    assert control.get("value") == "2022-06-15T09:30"


def test_a_text_has_room_and_its_first_empty_line_is_kept(serving: Serving) -> None:
    page = rendered(serving, feature("wish", "text", default="\nQuiet,\nplease", label="Wish"))
    box = page.named("wish")

    assert box.tag == "textarea"
    assert typed_in(box) == "\nQuiet,\nplease"
    assert page.label(box.get("id", "")) == "Wish"


def test_many_levels_are_suggested_and_not_listed(serving: Serving) -> None:
    page = rendered(serving, feature("town", "category", categories=TOWNS, default="Town 3"))
    control = page.named("town")
    suggested = page.by_id(control.get("list", "")).findall("option")

    assert (control.tag, control.get("value")) == ("input", "Town 3")
    assert [option.get("value") for option in suggested] == list(TOWNS)
    assert not page.all("select")


@pytest.mark.parametrize("kind", ["date", "datetime", "text"])
def test_each_kind_that_may_be_unknown_has_a_box_for_it(serving: Serving, kind: str) -> None:
    page = rendered(serving, feature("a", kind, missing_allowed=True, default=None), feature("b", kind))
    box = page.one("input[@type='checkbox']")

    assert (box.get("name"), box.get("value"), "checked" in box.attrib) == ("unknown", "a", True)
    assert page.label(box.get("id", "")) == "Unknown: a"


def test_what_was_typed_stays_in_every_kind_of_field_after_an_error(serving: Serving) -> None:
    features = [
        feature("day", "date"),
        feature("at", "datetime"),
        feature("wish", "text"),
        feature("town", "category", categories=TOWNS),
    ]
    typed = {"day": "30 Feb", "at": "noon", "wish": HOSTILE + "\x07", "town": HOSTILE}
    page = refused(serving, features, typed)

    assert page.fields()[1:] == list(typed.items())
    assert [page.named(name).get("aria-invalid") for name in typed] == ["true"] * 4
    assert [page.named(name).get("type") for name in ("day", "at")] == ["text", "text"]
    assert "“30 Feb” is not one" in page.described(page.named("day"))
    assert len(page.all("script")) == 2
    assert len(text_of(page.by_id("error-summary")).split("another look")[1].split()) == 4


def test_a_corrected_date_is_a_calendar_again(serving: Serving) -> None:
    guest = serving(
        kitchen.model(feature("day", "date")),
        predicted=kitchen.prediction(1.0),
        rows=kitchen.reference([1.0] * 3, row={"day": "2026-11-24"}),
    )
    page = Page(guest.submit("/models/rent", {"day": "soon"}).text)

    corrected = guest.page(guest.fill_in(page, {"day": "2026-11-24"}).location)

    assert corrected.named("day").get("type") == "date"
    assert corrected.named("day").get("value") == "2026-11-24"
