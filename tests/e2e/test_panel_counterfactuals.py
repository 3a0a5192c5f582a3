"""What would change it: limits typed, answers applied, with a mouse, with the keyboard, and without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS, Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn
from tests.e2e.watch import Watch

PANEL = "#panel-counterfactuals"
CLASSIFIERS = [model for model in MODELS if model != "diabetes"]


def opened(model_page: ModelPage, model: str, query: str = "?example=5") -> Page:
    """Open a page and wait for the panel."""
    page = model_page.open(model, query).page
    page.locator(PANEL).scroll_into_view_if_needed()
    expect(page.locator(f"{PANEL} form.ask")).to_be_visible()
    return page


@pytest.mark.parametrize("model", MODELS)
def test_answers_have_a_sentence_cards_and_a_chart(model_page: ModelPage, model: str) -> None:
    page = opened(model_page, model)

    expect(page.locator(f"{PANEL} .sentence")).to_contain_text("The model would then say")
    assert 1 <= page.locator(f"{PANEL} .way").count() <= 3
    expect_drawn(page.locator("#changes-chart"))


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_apply_fills_the_form_and_the_model_says_what_was_promised(model_page: ModelPage, api: Api, model: str) -> None:
    page = opened(model_page, model)
    before = model_page.number.get_attribute("value")
    promised = page.locator(f"{PANEL} .way .way-said").first.inner_text()
    page.locator(PANEL).get_by_role("link", name="Apply").first.click()

    expect(page).not_to_have_url(re.compile("example="))
    after = model_page.number.get_attribute("value")
    assert after != before
    assert str(after) in promised
    expect(model_page.number).to_be_in_viewport()
    expect(page.locator("#answer")).to_be_focused()
    page.locator(PANEL).scroll_into_view_if_needed()
    expect(page.locator(f"{PANEL} .sentence")).to_contain_text(f"instead of “{after}”")


def test_apply_fills_the_form_of_a_number_too(model_page: ModelPage) -> None:
    page = opened(model_page, "diabetes")
    bound = float(page.locator("#wish-bound").input_value())
    page.locator(PANEL).get_by_role("link", name="Apply").first.click()

    expect(page).not_to_have_url(re.compile("example="))
    assert float(model_page.number.get_attribute("value") or "nan") <= bound


def test_what_is_locked_is_left_alone(model_page: ModelPage) -> None:
    page = opened(model_page, "loans", "?age=48")
    page.locator(f"{PANEL} .limits > summary").click()
    for name in ("Defaulted before", "Employment", "Amount"):
        page.get_by_label(f"Keep as it is: {name}").check()
    page.get_by_role("button", name="Look for changes").click()

    expect(page.locator(f"{PANEL} .limits > summary")).to_contain_text("3 of 10 features limited")
    expect(page.get_by_label("Keep as it is: Amount")).to_be_checked()
    expect(page.locator(f"{PANEL} .limits")).to_have_attribute("open", "")
    names = page.locator(f"{PANEL} .way tbody th").all_inner_texts()
    assert names
    assert not {"Defaulted before", "Employment", "Amount"} & set(names)


def test_a_wrong_limit_is_refused_beside_its_field_and_can_be_corrected(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    page = opened(model_page, "loans", "?age=48")
    page.locator(f"{PANEL} .limits > summary").click()
    lowest = page.get_by_label("Lowest: Age")
    lowest.fill("60")
    page.get_by_label("Highest: Age").fill("20")
    page.get_by_label("Highest: Age").press("Enter")

    expect(page.locator("#wish-0-low-error")).to_have_text("Error: The lowest value, 60, is above the highest, 20.")
    expect(lowest).to_have_value("60")
    expect(lowest).to_have_attribute("aria-invalid", "true")
    lowest.fill("20")
    page.get_by_label("Highest: Age").fill("60")
    page.get_by_label("Highest: Age").press("Enter")
    expect(page.locator("#wish-0-low-error")).to_have_count(0)
    expect(page.locator(f"{PANEL} .way").first).to_be_visible()


def test_when_everything_is_locked_it_says_that_there_is_none(model_page: ModelPage) -> None:
    page = opened(model_page, "wine")
    page.locator(f"{PANEL} .limits > summary").click()
    for box in page.locator(f'{PANEL} [name="ask.lock"]').all():
        box.check()
    page.get_by_role("button", name="Look for changes").click()

    expect(page.locator(f"{PANEL} .sentence")).to_contain_text("was found")
    expect(page.locator(f"{PANEL} .sentence")).to_contain_text("No way to")
    expect(page.locator(f"{PANEL} .way")).to_have_count(0)


def test_it_works_with_the_keyboard_alone(model_page: ModelPage) -> None:
    page = opened(model_page, "wine")
    page.locator("#wish-class").focus()
    page.keyboard.press("ArrowDown")
    wanted = page.locator("#wish-class").input_value()
    page.keyboard.press("Tab")
    with page.expect_response(lambda response: "panels/counterfactuals" in response.url):
        page.keyboard.press("Enter")
    expect(page.locator(f"{PANEL} .sentence")).to_contain_text(f"“{wanted}” instead of")
    expect(page.get_by_role("button", name="Look for changes")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(f"{PANEL} .limits")).to_have_attribute("open", "")


def test_it_works_without_javascript_as_a_page(open_page: OpenPage, watch: Watch) -> None:
    watch.expect_status(422)
    page = open_page(java_script_enabled=False)
    form = ModelPage(page).open("diabetes", "?bmi=30")
    page.get_by_role("link", name="What would change it?").click()
    page.locator("#wish-bound").fill("few")
    page.get_by_role("button", name="Look for changes").click()
    expect(page.locator("#wish-bound-error")).to_have_text("Error: Enter a number: “few” is no number.")
    page.locator("#wish-bound").fill("120")
    page.get_by_role("button", name="Look for changes").click()
    expect(page.locator(".sentence")).to_contain_text("at most 120 points")
    page.get_by_role("link", name="Apply").first.click()
    assert float(form.number.get_attribute("value") or "nan") <= 120


def test_what_is_asked_is_in_the_address_of_the_page(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/models/loans/panels/counterfactuals?age=48")
    page.locator(".limits > summary").click()
    page.get_by_label("Direction: Amount").select_option("down")
    page.get_by_role("button", name="Look for changes").click()
    expect(page).to_have_url(re.compile(r"ask\.way\.amount=down"))
    page.reload()
    expect(page.get_by_label("Direction: Amount")).to_have_value("down")
    expect(page.locator(".limits")).to_have_attribute("open", "")


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_wider_than_the_page(open_page: OpenPage, model: str, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    page.goto(f"/models/{model}/panels/counterfactuals")
    page.locator(".limits > summary").click()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
