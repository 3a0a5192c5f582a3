"""What if it were different: the panel of one feature's curve, and of two features' map."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.explanations import Explanation
from dashboard.explanations_what_if import Curve, FeatureMap, Flips
from tests.dashboard import kitchen
from tests.dashboard.conftest import AskApi, GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.panels.service import explaining
from tests.dashboard.upstream import only, pass_on, saying

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
AT = "/models/diabetes/panels/what-if?bmi=30&ask.feature=bmi"
BESIDE = {"HX-Current-URL": "http://localhost/models/diabetes"}


def read(record: type[Explanation], said: Mapping[str, Any]) -> Explanation:
    """Read an answer as it comes over the wire."""
    return record.model_validate_json(json.dumps(said))


def sentence(page: Page) -> str:
    """Read what is said of the chosen value."""
    return text_of(page.by_id("what-if-result").findall("p[@class='sentence']")[0])


@pytest.mark.parametrize("name", MODELS)
def test_each_model_has_a_feature_to_begin_with(guest: Guest, ask_api: AskApi, name: str) -> None:
    page = guest.page(f"/models/{name}/panels/what-if", htmx=True)
    features = [feature["name"] for feature in ask_api("GET", f"/models/{name}/versions/1")["signature"]["features"]]

    assert not page.is_whole
    assert [option.get("value") for option in page.by_id("what-if-feature")] == features
    assert "as in this case" in sentence(page)
    assert not page.has_id("what-if-use")


def test_the_feature_that_contributes_most_comes_first(guest: Guest, ask_api: AskApi) -> None:
    features = ask_api("GET", "/models/diabetes/versions/1")["signature"]["features"]
    data = {feature["name"]: feature["default"] for feature in features} | {"bmi": 41}
    said = ask_api("POST", "/models/diabetes/explanations/contributions", {"data": data})
    page = guest.page("/models/diabetes/panels/what-if?bmi=41")

    assert page.named("ask.of").get("value") == said["contributions"][0]["feature"] == "bmi"


def test_another_value_has_the_model_s_own_number(guest: Guest, ask_api: AskApi) -> None:
    page = guest.page(f"{AT}&ask.value=35.5")
    features = ask_api("GET", "/models/diabetes/versions/1")["signature"]["features"]
    data = {feature["name"]: feature["default"] for feature in features} | {"bmi": 35.5}
    predicted = ask_api("POST", "/models/diabetes/predict", {"data": data})["prediction"]

    assert float(page.by_id("what-if-number-shown").get("value", "")) == predicted
    assert "Body mass index: 35.5 kg/m². That is" in sentence(page)
    assert "more than" in sentence(page)


def test_a_slider_goes_over_the_range_of_the_training_data(guest: Guest) -> None:
    slider = guest.page(f"{AT}&ask.value=35.5").by_id("what-if-value")

    assert {name: slider.get(name) for name in ("type", "min", "max", "step", "value")} == {
        "type": "range", "min": "18", "max": "42.2", "step": "0.1", "value": "35.5"
    }  # fmt: skip
    assert slider.get("hx-sync") == "this:replace"


def test_a_moving_slider_gets_nothing_but_what_it_changes(guest: Guest) -> None:
    headers = {**BESIDE, "HX-Target": "div#what-if-result"}
    page = Page(guest.get(f"{AT}&ask.value=35.5", htmx=True, headers=headers).text)

    assert page.has_id("what-if-result")
    assert not page.has_id("what-if-value")
    assert not page.has_id("what-if-numbers")


def test_the_picture_stays_while_the_slider_moves(guest: Guest) -> None:
    one, other = (guest.page(f"{AT}&ask.value={value}") for value in ("25", "40"))

    assert one.by_id("what-if-chart").get("src") == other.by_id("what-if-chart").get("src")
    rings = [[circle.get("cx") for circle in page.all("circle") if circle.get("r") == "7"] for page in (one, other)]
    assert rings[0] != rings[1]


def test_the_downloads_hold_the_chosen_value(guest: Guest) -> None:
    page = guest.page(f"{AT}&ask.value=40")
    links = [link.get("href", "") for link in page.by_id("what-if-result").iter("a") if "download" in link.attrib]

    assert len(links) == 4
    assert all("ask.value=40" in link for link in links)
    for link in links:
        assert guest.get(link).status_code == 200
    assert guest.get(links[1]).text != guest.get(page.by_id("what-if-chart").get("src", "")).text


def test_the_value_can_be_used_in_the_form(guest: Guest) -> None:
    beside = Page(guest.get(f"{AT}&ask.value=40", htmx=True, headers=BESIDE).text).by_id("what-if-use")
    alone = guest.page(f"{AT}&ask.value=40").by_id("what-if-use")

    assert beside.get("hx-target") == "#workspace"
    assert alone.get("hx-get") is None
    address = urlsplit(alone.get("href", ""))
    assert address.path == "/models/diabetes"
    assert parse_qs(address.query)["bmi"] == ["40"]


def test_the_slider_of_another_feature_does_not_count(guest: Guest) -> None:
    page = guest.page("/models/diabetes/panels/what-if?bmi=30&ask.feature=age&ask.of=bmi&ask.value=35.5")

    assert "Age: 50 years, as in this case." in sentence(page)


@pytest.mark.parametrize("value", ["big", "", "1e999"])
def test_what_is_no_value_is_said_beside_the_control(guest: Guest, value: str) -> None:
    page = guest.page(f"{AT}&ask.value={value}")
    errors = [text_of(element) for element in page.by_id("what-if-result") if element.get("class") == "error"]

    assert len(errors) == 1
    assert not page.has_id("what-if-use")


@pytest.mark.parametrize(
    ("feature", "kind"),
    [("purpose", "select"), ("home_owner", "fieldset"), ("amount", "input"), ("employment", "select")],
)
def test_each_kind_of_feature_has_its_control(guest: Guest, feature: str, kind: str) -> None:
    page = guest.page(f"/models/loans/panels/what-if?age=30&ask.feature={feature}")

    assert page.by_id("what-if-value").tag == kind


def test_a_level_is_chosen_from_a_list(guest: Guest, ask_api: AskApi) -> None:
    page = guest.page("/models/loans/panels/what-if?age=30&ask.feature=employment&ask.value=unemployed")

    assert "Employment: unemployed. That is" in sentence(page)
    assert "probability of defaulted" in text_of(page.by_id("what-if-result"))


def test_what_an_unknown_value_would_give_is_said(guest: Guest) -> None:
    assert "Were it unknown:" in guest.page("/models/loans/panels/what-if?ask.feature=yearly_income").html
    unknown = guest.page("/models/loans/panels/what-if?unknown=yearly_income&ask.feature=yearly_income")
    assert "Yearly income: unknown, as in this case." in sentence(unknown)


def test_of_three_classes_one_is_looked_at(guest: Guest) -> None:
    page = guest.page("/models/wine/panels/what-if?ask.feature=proline&ask.class=cultivar 3")

    assert len(list(page.by_id("what-if-number"))) == 3
    assert "probability of cultivar 3" in text_of(page.by_id("what-if-result"))


def test_two_features_have_a_map(guest: Guest) -> None:
    page = guest.page("/models/wine/panels/what-if?alcohol=13&ask.feature=alcohol&ask.and=proline")
    table = page.by_id("what-if-map-numbers")

    assert len(table.findall(".//tbody/tr")) == 21
    assert "With Alcohol and Proline together" in text_of(page.by_id("what-if-map"))
    csv = guest.get(page.by_id("what-if-map-chart").get("src", "").replace(".svg", ".csv")).text
    assert len(csv.splitlines()) == 21 * 21 + 1


def test_one_feature_twice_has_no_map(guest: Guest) -> None:
    assert not guest.page("/models/wine/panels/what-if?ask.feature=ash&ask.and=ash").has_id("what-if-map")
    assert guest.get("/models/wine/versions/1/panels/what-if/map.svg?ask.feature=ash").status_code == 404


def test_features_of_one_name_are_told_apart(guest: Guest) -> None:
    page = guest.page("/models/breast-cancer/panels/what-if")
    titles = [option.text for option in page.by_id("what-if-feature")]

    assert len(set(titles)) == 30


def test_a_feature_that_is_not_there_is_refused(guest: Guest) -> None:
    assert guest.get("/models/diabetes/panels/what-if?ask.feature=shoe", htmx=True).status_code == 422


def test_the_model_service_away(guest_before: GuestBefore, upstream: MakeUpstream, model_service: str) -> None:
    away = saying(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    response = guest_before(upstream(only("POST", away, pass_on(model_service)))).get(AT, htmx=True)

    assert response.status_code == 503
    assert "Try again" in response.text


ROOM = kitchen.feature("size", label="<b>Size</b> " + "x" * 28)
HEAD = {"unit": "€", "output": None}
CURVE = {
    **HEAD,
    "feature": "size",
    "kind": "line",
    "points": [{"value": 20.0, "score": 100.0}, {"value": 150.0, "score": 900.0}],
    "density": {"edges": [20.0, 150.0], "counts": [3]},
    "case": {"value": 70.5, "score": 400.0},
    "missing": None,
}


def test_nothing_of_a_model_s_words_becomes_markup(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    model, rows = kitchen.model(ROOM), kitchen.reference([100.0], row={"size": 70.5})
    service = upstream(explaining(model, rows, {"curve": CURVE}, lambda _: kitchen.prediction(400.0)))
    page = guest_before(service, timeout=10).page("/models/rent/panels/what-if?size=70.5&ask.feature=size")

    assert not page.all("b")
    assert "<b>Size</b>" in sentence(page)


@pytest.mark.parametrize(
    "changes",
    [
        {"feature": "shoe"},
        {"points": []},
        {"density": {"edges": [20.0], "counts": [3]}},
        {"density": {"counts": [3]}},
        {"kind": "pie"},
    ],
)
def test_a_curve_that_makes_no_sense_is_not_shown(
    guest_before: GuestBefore, upstream: MakeUpstream, changes: dict[str, object]
) -> None:
    model, rows = kitchen.model(ROOM), kitchen.reference([100.0], row={"size": 70.5})
    service = upstream(explaining(model, rows, {"curve": CURVE | changes}, lambda _: kitchen.prediction(400.0)))

    assert (
        guest_before(service, timeout=10).get("/models/rent/panels/what-if?size=70.5&ask.feature=size").status_code
        == 502
    )


def test_what_the_service_says_is_checked_to_be_whole() -> None:
    model = kitchen.model(kitchen.feature("a"), kitchen.feature("b"))
    said: dict[str, Any] = {"unit": None, "approximation": None, "milliseconds": 1.0}
    case = {"values": [1.0, 2.0], "score": 1.0}
    whole = {**said, "features": ["a", "b"], "values": [[1.0], [2.0]], "scores": [[1.0]], "case": case}

    flips: dict[str, Any] = {**said, "decision": "below", "threshold": 1.0, "flips": []}

    assert read(FeatureMap, whole).fits(model)
    assert not read(FeatureMap, whole | {"scores": [[1.0, 2.0]]}).fits(model)
    assert not read(FeatureMap, whole | {"features": ["a", "c"]}).fits(model)
    assert not read(Flips, flips).fits(model)
    assert not read(Curve, {**said, **CURVE}).fits(model)


def test_numbers_are_written_as_people_read_them(guest: Guest) -> None:
    page = guest.page("/models/wine/panels/what-if?ask.feature=proline&ask.and=alcohol")
    cells = [text_of(cell) for cell in page.by_id("what-if-map-numbers").iter("td")]

    assert all(re.fullmatch(r"(less than |more than )?[\d.]+ %", cell) for cell in cells)
