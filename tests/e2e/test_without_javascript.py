"""Everything works with JavaScript off."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS, Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, address
from tests.e2e.services import TwoServices
from tests.e2e.watch import Watch


@pytest.fixture
def plain(open_page: OpenPage) -> Page:
    """A page with JavaScript off."""
    return open_page(java_script_enabled=False)


@pytest.mark.parametrize("model", MODELS)
def test_predict_gives_the_answer_at_its_permalink(plain: Page, api: Api, model: str) -> None:
    row = 5
    form = ModelPage(plain).open(model)
    form.fill(api.instance(model, row))
    form.predict_button.click()
    prediction = api.reference(model, row)["prediction"][0]
    form.expect_number(prediction)
    assert "?" in plain.url
    plain.reload()
    form.expect_number(prediction)


def test_a_refused_value_is_explained_and_can_be_corrected(plain: Page, watch: Watch, api: Api) -> None:
    watch.expect_status(422)
    form = ModelPage(plain).open("diabetes")
    form.field("bmi").fill("twelve")
    form.field("age").fill("61")
    form.predict_button.click()
    expect(form.message("bmi")).to_have_text("Error: Enter a number: “twelve” is not one.")
    expect(form.field("bmi")).to_have_value("twelve")
    expect(form.field("age")).to_have_value("61")
    form.field("bmi").fill("30")
    form.predict_button.click()
    form.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": 30, "age": 61})["prediction"])


def test_unknown_values_are_sent(plain: Page, api: Api) -> None:
    form = ModelPage(plain).open("loans")
    form.unknown("yearly_income").check()
    form.predict_button.click()
    answer = api.predict("loans", api.defaults("loans") | {"yearly_income": None})
    expect(plain.get_by_role("meter", name="Probability of defaulted")).to_have_attribute(
        "value", str(answer["probabilities"]["defaulted"])
    )


def test_an_example_and_the_way_back(plain: Page) -> None:
    form = ModelPage(plain).open("wine")
    plain.get_by_role("link", name="Random example").click()
    expect(plain.locator(".true-value")).to_be_visible()
    plain.get_by_role("link", name="Reset").click()
    expect(plain).to_have_url(address("/models/wine"))
    expect(form.number).to_have_count(0)


def test_pages_of_the_table_turn(plain: Page) -> None:
    plain.goto("/predict")
    plain.get_by_role("link", name="Next").click()
    expect(plain.locator("#results-heading")).to_have_text("Rows 21 to 40 of 442")
    plain.get_by_role("link", name="Previous").click()
    expect(plain.locator("#results-heading")).to_have_text("Rows 1 to 20 of 442")


def test_groups_fold(plain: Page) -> None:
    plain.goto("/models/breast-cancer")
    plain.locator("#group-1 summary").click()
    expect(plain.locator("#group-1")).not_to_have_attribute("open", "")


def test_charts_are_shown_and_can_be_downloaded(plain: Page) -> None:
    plain.goto("/models/diabetes?bmi=30")
    image = plain.locator("#chart")
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") == 560
    for form in ("PNG", "SVG", "PDF", "CSV"):
        with plain.expect_download() as waiting:
            plain.get_by_role("link", name=f"{form} of the chart").click()
        assert waiting.value.suggested_filename.endswith(f".{form.lower()}")
        assert Path(waiting.value.path()).stat().st_size > 100


def test_the_model_service_away_and_back(open_page: OpenPage, two_services: TwoServices, watch: Watch) -> None:
    watch.expect_status(503)
    form = ModelPage(open_page(base_url=two_services.dashboard_url, java_script_enabled=False)).open("diabetes")
    two_services.kill_api()
    form.field("bmi").fill("31")
    form.predict_button.click()
    expect(form.errors).to_contain_text("The model service is away")
    expect(form.field("bmi")).to_have_value("31")
    two_services.restart_api()
    form.try_again.click()
    expect(form.number).to_be_visible()
    expect(form.field("bmi")).to_have_value("31")
