"""What if it were different: a slider that is followed at once; and where the decision changes."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, Route, expect

from tests.e2e.api import MODELS, Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn
from tests.e2e.watch import Watch


def open_at(model_page: ModelPage, model: str, query: str, feature: str) -> Page:
    """Open the page of a case, and choose the feature of its slider."""
    page = model_page.open(model, query).page
    page.locator("#panel-what-if").scroll_into_view_if_needed()
    page.locator("#what-if-form").evaluate("form => form.setAttribute('data-before', '')")
    page.locator("#what-if-feature").select_option(feature)
    page.locator("#what-if-form:not([data-before])").wait_for()
    return page


@pytest.mark.parametrize("model", MODELS)
def test_the_panels_come_when_they_are_scrolled_to(model_page: ModelPage, model: str) -> None:
    page = model_page.open(model).page
    model_page.predict()
    for panel in ("what-if", "flips"):
        page.locator(f"#panel-{panel}").scroll_into_view_if_needed()
        expect(page.locator(f"#panel-{panel} .sentence").first).not_to_be_empty()
        expect_drawn(page.locator(f"#{panel}-chart"))


def test_the_number_follows_the_arrow_keys(model_page: ModelPage, api: Api) -> None:
    page = open_at(model_page, "diabetes", "?bmi=30", "bmi")
    slider, number = page.locator("#what-if-value"), page.locator("#what-if-number-shown")
    slider.focus()
    for value in (30.1, 30.2):
        page.keyboard.press("ArrowRight")
        predicted = api.predict("diabetes", api.defaults("diabetes") | {"bmi": value})["prediction"]
        expect(page.locator("#what-if-value-output")).to_have_text(str(value))
        expect(number).to_have_attribute("value", str(predicted))
        expect(slider).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#what-if-result .sentence")).to_contain_text("42.2")


def test_the_last_move_wins_and_the_slider_is_never_replaced(model_page: ModelPage, api: Api, watch: Watch) -> None:
    watch.expect_replaced()
    page = open_at(model_page, "diabetes", "?bmi=30", "bmi")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        held.append(route)

    page.route(re.compile(r"ask\.value=3\d"), hold_the_first)
    slider = page.locator("#what-if-value")
    slider.evaluate("slider => slider.marked = true")
    page.locator("#what-if-chart").evaluate("image => image.marked = true")
    slider.focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    predicted = api.predict("diabetes", api.defaults("diabetes") | {"bmi": 34})["prediction"]
    expect(page.locator("#what-if-number-shown")).to_have_attribute("value", str(predicted))
    assert slider.evaluate("slider => slider.marked")
    assert page.locator("#what-if-chart").evaluate("image => image.marked")
    expect(slider).to_be_focused()
    expect(slider).to_have_value("34")


def test_no_number_is_left_beside_a_value_without_an_answer(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_no_answer()
    page = open_at(model_page, "diabetes", "?bmi=30", "bmi")
    page.route(re.compile(r"ask\.value=30\.1"), lambda route: route.abort())
    page.locator("#what-if-value").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#what-if-result")).to_have_text("Could not reach the server. Try again in a moment.")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#what-if-number-shown")).to_be_visible()
    expect(page.locator("#what-if-chart")).to_be_visible()


def test_the_ring_goes_where_the_slider_is_pressed(model_page: ModelPage) -> None:
    page = open_at(model_page, "diabetes", "?bmi=30", "bmi")
    ring = page.locator("#what-if-result .mark-wide circle")
    before = float(ring.get_attribute("cx") or 0)
    slider = page.locator("#what-if-value")
    box = slider.bounding_box()
    assert box
    slider.click(position={"x": box["width"] * 0.9, "y": box["height"] / 2})
    expect(ring).not_to_have_attribute("cx", str(before))
    expect(page.locator("#what-if-result .sentence")).to_contain_text("more than")


def test_no_move_loads_the_picture_again(model_page: ModelPage) -> None:
    page = open_at(model_page, "wine", "?alcohol=13", "alcohol")
    expect_drawn(page.locator("#what-if-chart"))
    pictures: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "image":
            pictures.append(request.url)

    page.on("request", note)
    page.locator("#what-if-value").focus()
    page.keyboard.press("PageUp")
    expect(page.locator("#what-if-use")).to_be_visible()
    assert not pictures


def test_using_a_value_fills_the_form(model_page: ModelPage, api: Api) -> None:
    page = open_at(model_page, "diabetes", "?bmi=30", "bmi")
    page.locator("#what-if-value").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("link", name="Use this value").click()
    expect(model_page.field("bmi")).to_have_value("30.1")
    expect(page).to_have_url(re.compile("bmi=30.1"))
    model_page.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": 30.1})["prediction"])
    expect(page.locator("#answer")).to_be_focused()


def test_two_features_have_a_map(model_page: ModelPage) -> None:
    page = open_at(model_page, "loans", "?age=30", "amount")
    page.locator("#what-if-and").focus()
    page.locator("#what-if-and").select_option("purpose")
    expect_drawn(page.locator("#what-if-map-chart"))
    expect(page.locator("#what-if-and")).to_be_focused()
    page.locator("#what-if-map-numbers summary").click()
    expect(page.locator("#what-if-map-numbers tbody tr")).to_have_count(5)


def test_choices_are_followed_too(model_page: ModelPage) -> None:
    page = open_at(model_page, "loans", "?age=30", "employment")
    page.locator("#what-if-value").select_option("unemployed")
    expect(page.locator("#what-if-result .sentence")).to_contain_text("Employment: unemployed")
    page.locator("#what-if-feature").select_option("home_owner")
    page.locator("#panel-what-if").get_by_label("yes", exact=True).check()
    expect(page.locator("#what-if-result .sentence")).to_contain_text("Owns a home: yes")


def test_a_flip_opens_what_if_at_its_value(model_page: ModelPage) -> None:
    page = model_page.open("loans", "?age=30").page
    page.locator("#panel-flips").scroll_into_view_if_needed()
    expect(page.locator("#what-if-result .sentence")).to_be_visible()
    page.get_by_role("link", name="unemployed – try Employment at this value").click()
    expect(page.locator("#what-if-result .sentence")).to_contain_text("Employment: unemployed")
    expect(page.locator("#what-if-feature")).to_have_value("employment")


def test_a_flip_that_is_pressed_before_what_if_has_come_is_what_comes(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_replaced()
    page, held = model_page.page, list[Route]()

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(r"/panels/what-if\?"), hold_the_first)
    model_page.open("loans", "?age=30")
    page.locator("#panel-flips").scroll_into_view_if_needed()
    page.get_by_role("link", name="unemployed – try Employment at this value").click()
    expect(page.locator("#what-if-result .sentence")).to_contain_text("Employment: unemployed")
    expect(page.locator("#what-if-feature")).to_have_value("employment")


def test_a_threshold_is_set_by_keyboard(model_page: ModelPage) -> None:
    page = model_page.open("diabetes", "?bmi=30").page
    page.locator("#panel-flips").scroll_into_view_if_needed()
    field = page.locator("#flips-threshold")
    field.fill("200")
    field.press("Enter")
    expect(page.locator("#panel-flips .sentence")).to_contain_text("at least 200 points")
    expect(field).to_be_focused()
    field.fill("much")
    field.press("Enter")
    expect(page.locator("#flips-error")).to_contain_text("Enter a number")


def test_both_work_without_javascript_as_pages(open_page: OpenPage) -> None:
    page: Page = open_page(java_script_enabled=False)
    ModelPage(page).open("loans", "?age=30")
    page.get_by_role("link", name="What if it were different?").click()
    page.locator("#what-if-feature").select_option("purpose")
    page.get_by_role("button", name="Show").click()
    page.locator("#what-if-value").select_option("business")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#what-if-result .sentence")).to_contain_text("Purpose: business")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV of the curve").click()
    assert Path(waiting.value.path()).stat().st_size > 50
    page.get_by_role("link", name="Use this value").click()
    expect(page.locator('#case [name="purpose"]')).to_have_value("business")
    page.get_by_role("link", name="Where does the decision change?").click()
    page.get_by_role("link", name="unemployed – try Employment at this value").click()
    expect(page.locator("#what-if-result .sentence")).to_contain_text("Employment: unemployed")


@pytest.mark.parametrize("panel", ["what-if?alcohol=13&ask.feature=alcohol&ask.and=proline&ask.value=12", "flips"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, panel: str, theme: str) -> None:
    page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    page.goto(f"/models/wine/panels/{panel}")
    for details in page.locator("details").all():
        details.evaluate("details => details.open = true")
    page.evaluate(Axe().axe_script)
    assert not page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations.map(v => v.id))")


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("address", ["breast-cancer/panels/flips?ask.threshold=30", "breast-cancer/panels/what-if"])
def test_nothing_is_wider_than_the_page(page: Page, width: int, address: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/models/{address}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
