"""Why this prediction: loaded after the answer, a page of its own without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS, Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn


@pytest.mark.parametrize("model", MODELS)
def test_the_reasons_come_after_the_answer(model_page: ModelPage, api: Api, model: str) -> None:
    page = model_page.open(model).page
    expect(page.locator(".explain")).to_have_count(0)
    model_page.predict()
    panel = page.locator("#panel-why")
    expect(panel.locator("table tbody tr")).to_have_count(len(api.defaults(model)))
    expect_drawn(panel.locator("#why-chart"))
    expect(panel.locator(".sentence")).not_to_be_empty()


def test_another_case_has_other_reasons(model_page: ModelPage) -> None:
    page = model_page.open("diabetes", "?bmi=40").page
    sentence = page.locator("#panel-why .sentence")
    expect(sentence).to_contain_text("Body mass index (40")
    model_page.field("bmi").fill("41")
    model_page.predict()
    expect(sentence).to_contain_text("Body mass index (41")


def test_the_reasons_go_with_the_answer_that_they_are_about(model_page: ModelPage) -> None:
    page = model_page.open("diabetes", "?bmi=40").page
    expect(page.locator("#panel-why .sentence")).to_be_visible()
    page.get_by_role("link", name="Reset").click()
    expect(page.locator(".explain")).to_have_count(0)


def test_it_works_without_javascript_as_a_page(open_page: OpenPage) -> None:
    page: Page = open_page(java_script_enabled=False)
    ModelPage(page).open("loans", "?age=30")
    page.get_by_role("link", name="Why this prediction?").click()
    expect(page.locator("#panel-why .sentence")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Loans (synthetic data)")
    page.get_by_role("link", name="Back to the case").click()
    expect(page.locator('#case [name="age"]')).to_have_value("30")


def test_the_numbers_open_by_keyboard(model_page: ModelPage) -> None:
    page = model_page.open("wine", "?alcohol=13").page
    summary = page.locator("#why-numbers summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#why-numbers table")).to_be_visible()
