"""Where does the decision change: the panel of flips."""

from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.explanations_what_if import Flipping
from dashboard.panels.flips import turns_of
from tests.dashboard.conftest import AskApi
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of

MODELS = ("diabetes", "breast-cancer", "wine", "loans")


def sentence(page: Page) -> str:
    """Read the finding."""
    return text_of(page.one("p[@class='sentence']"))


def flipping(**changes: object) -> Flipping:
    """Make what is said of one feature; nothing changes the decision."""
    said = dict.fromkeys(("flips_at", "decision", "below", "above", "effort", "levels"))
    return Flipping.model_validate({"feature": "area", "value": 5.0, **said, **changes})


@pytest.mark.parametrize("name", MODELS)
def test_every_feature_is_in_the_table(guest: Guest, ask_api: AskApi, name: str) -> None:
    page = guest.page(f"/models/{name}/panels/flips", htmx=True)
    features = ask_api("GET", f"/models/{name}/versions/1")["signature"]["features"]

    assert not page.is_whole
    assert len(page.by_id("flips-numbers").findall(".//tbody/tr")) == len(features)
    assert sentence(page)


def test_the_nearest_change_does_change_the_decision(guest: Guest, ask_api: AskApi) -> None:
    page = guest.page("/models/loans/panels/flips?age=30")
    link = next(page.by_id("flips-numbers").iter("a"))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link.get("href", "")).query).items()}
    features = ask_api("GET", "/models/loans/versions/1")["signature"]["features"]
    data = {feature["name"]: feature["default"] for feature in features} | {"age": 30}
    before = ask_api("POST", "/models/loans/predict", {"data": data})["prediction"]
    after = ask_api("POST", "/models/loans/predict", {"data": data | {asked["ask.feature"]: asked["ask.value"]}})

    assert after["prediction"] != before
    assert f"would be {after['prediction']} instead of {before}" in sentence(page)


def test_a_change_can_be_tried(guest: Guest) -> None:
    headers = {"HX-Current-URL": "http://localhost/models/diabetes"}
    beside = Page(guest.get("/models/diabetes/panels/flips?bmi=30", htmx=True, headers=headers).text)
    alone = guest.page("/models/diabetes/panels/flips?bmi=30")
    link = next(beside.by_id("flips-numbers").iter("a"))

    assert link.get("hx-target") == "#panel-what-if"
    assert next(alone.by_id("flips-numbers").iter("a")).get("hx-get") is None
    tried = guest.page(link.get("href", ""))
    value = text_of(link).split(" – ")[0]
    assert value in text_of(tried.by_id("what-if-result"))


def test_a_number_is_compared_with_the_middle_of_the_predictions(guest: Guest) -> None:
    page = guest.page("/models/diabetes/panels/flips")

    assert 100 < float(page.by_id("flips-threshold").get("value", "")) < 200
    assert "instead of" in sentence(page)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/models/diabetes/panels/flips?ask.threshold=200", "at least 200 points instead of below 200 points"),
        ("/models/loans/panels/flips?ask.threshold=30", "at least 30 % instead of below 30 %"),
        ("/models/diabetes/panels/flips?ask.threshold=9999", "stays below 9999 points"),
    ],
)
def test_a_person_can_set_the_threshold(guest: Guest, address: str, said: str) -> None:
    assert said in sentence(guest.page(address))


@pytest.mark.parametrize("text", ["much", "nan", "1e999", "-5", "1_0"])
def test_what_is_no_threshold_is_said_beside_its_field(guest: Guest, text: str) -> None:
    page = guest.page(f"/models/loans/panels/flips?ask.threshold={text}")
    field = page.by_id("flips-threshold")

    assert field.get("value") == text
    assert field.get("aria-invalid") == "true"
    assert "Error: Enter" in page.described(field)
    assert page.all("tbody/tr")


@pytest.mark.parametrize(("bmi", "is_beyond"), [(30, False), (60, True)])
def test_a_case_outside_the_training_data_is_said_to_make_its_line_longer(
    guest: Guest, bmi: int, *, is_beyond: bool
) -> None:
    html = guest.page(f"/models/diabetes/panels/flips?bmi={bmi}").html

    assert ("drawn longer where this case lies outside it" in html) == is_beyond


def test_three_classes_have_no_threshold(guest: Guest) -> None:
    assert not guest.page("/models/wine/panels/flips").has_id("flips-threshold")


def test_the_chart_and_its_numbers(guest: Guest) -> None:
    page = guest.page("/models/breast-cancer/panels/flips?ask.threshold=30")
    source = page.by_id("flips-chart").get("src", "")
    csv = guest.get(source.replace(".svg", ".csv")).text.splitlines()

    assert guest.get(source).status_code == 200
    assert csv[0] == "feature,now,changes at,becomes,spreads of the feature"
    assert len({line.rsplit(",", 4)[0] for line in csv[1:]}) == 30


def test_both_sides_are_turns_and_the_nearest_is_first() -> None:
    low, high = {"value": 2.0, "decision": "below"}, {"value": 7.0, "decision": "below"}
    item = flipping(flips_at=7.0, decision="below", below=low, above=high, effort=0.5)

    assert turns_of(item) == [(7.0, "below"), (2.0, "below")]
    assert turns_of(flipping()) == []


def test_only_levels_that_change_the_decision_are_turns() -> None:
    levels = [
        {"value": value, "decision": said} for value, said in (("a", "no"), ("b", "yes"), ("c", "no"), ("d", "yes"))
    ]
    item = flipping(value="a", flips_at="d", decision="yes", levels=levels, effort=1.0)

    assert turns_of(item) == [("d", "yes"), ("b", "yes")]
