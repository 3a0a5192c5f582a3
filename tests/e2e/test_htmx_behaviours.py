"""What we rely on in htmx 4, each by itself: a new version of htmx that does otherwise fails here first."""

import re

from playwright.sync_api import Response, expect

from tests.e2e.api import Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage
from tests.e2e.services import TwoServices
from tests.e2e.watch import Watch

VERSION = "4.0.1"


def test_the_version_that_the_pages_were_made_for(model_page: ModelPage) -> None:
    assert model_page.open("diabetes").page.evaluate("htmx.version") == VERSION


def test_a_fragment_is_asked_for_and_morphed_into_the_page(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    model_page.field("bmi").evaluate("field => { window.field = field; }")
    with page.expect_response(is_post) as waiting:
        model_page.predict_button.click()
    expect(model_page.number).to_be_visible()
    response = waiting.value
    assert response.request.header_value("HX-Request") == "true"
    assert response.request.header_value("HX-Request-Type") == "partial"
    assert response.text().lstrip().startswith('<section id="answer"')
    assert "<html" not in response.text()
    assert model_page.field("bmi").evaluate("field => field === window.field")


def test_a_422_is_morphed_in_and_keeps_caret_and_focus(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    page = model_page.open("diabetes").page
    model_page.field("bmi").fill("a word")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(model_page.summary).to_be_visible()
    expect(model_page.field("bmi")).to_be_focused()
    assert model_page.field("bmi").evaluate("field => [field.selectionStart, field.selectionEnd]") == [0, 1]


def test_a_5xx_goes_to_the_place_for_errors_and_leaves_the_form(
    open_page: OpenPage, two_services: TwoServices, watch: Watch
) -> None:
    watch.expect_status(504)
    model_page = ModelPage(open_page(base_url=two_services.dashboard_url)).open("diabetes")
    model_page.field("bmi").fill("31")
    page = model_page.page
    page.locator("#workspace").evaluate("workspace => { window.workspace = workspace; }")
    two_services.pause_api()
    with page.expect_response(is_post) as waiting:
        model_page.predict_button.click()
    assert waiting.value.status == 504
    expect(model_page.errors.locator(".failure")).to_be_visible()
    assert page.locator("#workspace").evaluate("workspace => workspace === window.workspace")
    expect(model_page.field("bmi")).to_have_value("31")


def test_the_address_that_the_server_names_is_pushed_once(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("diabetes").page
    before = page.evaluate("history.length")
    with page.expect_response(is_post) as waiting:
        model_page.predict_button.click()
    expect(model_page.number).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(waiting.value.header_value("HX-Push-Url") or "nowhere") + "$"))
    assert page.evaluate("history.length") == before + 1


def test_back_asks_for_a_whole_page_and_adds_no_entry(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    model_page.predict()
    model_page.field("bmi").fill("30")
    model_page.predict()
    expect(page).to_have_url(re.compile("bmi=30&"))
    entries = page.evaluate("history.length")
    with page.expect_response(lambda response: "bmi=25.7&" in response.url) as waiting:
        page.go_back()
    assert waiting.value.request.header_value("HX-History-Restore-Request") == "true"
    assert waiting.value.header_value("HX-Push-Url") is None
    assert "<html" in waiting.value.text()
    expect(model_page.field("bmi")).to_have_value("25.7")
    assert page.evaluate("history.length") == entries


def test_nothing_that_was_typed_is_kept_in_the_browser(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    model_page.predict()
    expect(model_page.number).to_be_visible()
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def is_post(response: Response) -> bool:
    """Find the answer to Predict."""
    return response.request.method == "POST"
