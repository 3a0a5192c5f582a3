"""The case with another value, and the control with which it is chosen."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from flask import Flask

from dashboard.errors import InvalidQuery
from dashboard.explanations_what_if import Curve
from dashboard.forms import defaults
from dashboard.model_client import ModelClient
from dashboard.panels import Case
from dashboard.panels.changes import changed, control_of, slider_step
from dashboard.records import Feature, Value
from tests.dashboard import kitchen

AREA = kitchen.feature("area", step=0.5, missing_allowed=True)
TOWN = kitchen.feature("town", "category", missing_allowed=True)
BUILT = kitchen.feature("built", "date")
MODEL = kitchen.model(AREA, TOWN, BUILT)


@pytest.fixture(autouse=True)
def in_a_request() -> Iterator[None]:
    """A request, as forms need one."""
    app = Flask(__name__)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context():
        yield


def case() -> Case:
    """Make the typical case."""
    query = (("area", "70.5"), ("town", "south"), ("built", "2022-06-15"))
    return Case(cast("ModelClient", None), MODEL, defaults(MODEL), query, {})


def curve(feature: Feature, *values: Value, kind: str = "line") -> Curve:
    """Make a curve over some values."""
    points: list[dict[str, Any]] = [{"value": value, "score": 1.0} for value in values]
    said = {"unit": None, "feature": feature.name, "kind": kind, "points": points, "density": None, "missing": None}
    return Curve.model_validate({**said, "case": points[0], "approximation": None, "milliseconds": 1.0})


def test_one_value_is_another_and_all_else_stays() -> None:
    other = changed(case(), AREA, "80")

    assert other.instance == {**defaults(MODEL), "area": 80.0}
    assert ("area", "80") in other.query
    assert ("town", "south") in other.query


@pytest.mark.parametrize("feature", [AREA, TOWN])
def test_nothing_is_unknown_where_that_is_allowed(feature: Feature) -> None:
    other = changed(case(), feature, "")

    assert other.instance[feature.name] is None
    assert changed(other, feature, "80" if feature is AREA else "east").instance[feature.name] in (80.0, "east")


@pytest.mark.parametrize(
    ("feature", "text", "why"),
    [(AREA, "big", "Enter a number"), (BUILT, "", "Enter a date"), (TOWN, "nowhere", "Choose")],
)
def test_what_the_feature_cannot_be_is_refused(feature: Feature, text: str, why: str) -> None:
    with pytest.raises(InvalidQuery, match=why):
        changed(case(), feature, text)


def test_a_number_has_a_slider_over_its_range_in_the_steps_of_the_data() -> None:
    control = control_of(AREA, curve(AREA, 20.3, 150.0))

    assert (control.kind, control.low, control.high, control.step) == ("range", "20", "150", "0.5")


@pytest.mark.parametrize(
    ("low", "high", "about"),
    [
        (20.0, 150.0, "in the training data"),
        (5.0, 150.0, "20 to 150 in the training data"),
        (20.0, 400.0, "20 to 150 in the training data"),
    ],
)
def test_a_slider_that_goes_beyond_the_training_data_says_so(low: float, high: float, about: str) -> None:
    assert control_of(AREA, curve(AREA, low, high)).about == about


def test_a_feature_is_found_by_its_name() -> None:
    assert changed(case(), AREA.model_copy(), "80").instance["area"] == 80.0


@pytest.mark.parametrize(
    ("kind", "step", "span", "expected"),
    [
        ("integer", None, 10.0, 1.0),
        ("number", 0.01, 3.8, 0.01),
        ("number", 1.0, 123_900.0, 200.0),
        ("number", None, 1.0, 0.001),
        ("number", None, 0.0, 1.0),
        ("number", 0.0001, 2.0, 0.002),
    ],
)
def test_a_slider_has_at_most_a_thousand_places(kind: str, step: float | None, span: float, expected: float) -> None:
    assert slider_step(kitchen.feature(kind=kind, step=step), span) == pytest.approx(expected)


def test_few_levels_are_buttons_and_many_a_list() -> None:
    two = kitchen.feature("new", "boolean")
    few, many = curve(two, False, True, kind="bars"), curve(TOWN, "north", "south", "east", kind="bars")

    assert control_of(two, few).choices == (("false", "no"), ("true", "yes"))
    assert control_of(two, few).kind == "radio"
    assert control_of(TOWN, many).kind == "select"
    assert control_of(TOWN, many).choices[-1] == ("", "Unknown")


def test_a_date_has_a_calendar() -> None:
    assert control_of(BUILT, curve(BUILT, "2019-01-01", "2024-12-31")).kind == "date"
