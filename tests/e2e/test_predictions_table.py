"""The predictions for the data that came with a model: pages, by htmx and by Back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS, Api
from tests.e2e.model_page import ModelPage, address

PAGE_ROWS = 20


@pytest.mark.parametrize("model", MODELS)
def test_the_table_shows_predictions_true_values_and_features(page: Page, api: Api, model: str) -> None:
    page.goto(f"/models/{model}/predict")
    reference = api.reference(model, 1, PAGE_ROWS)
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(PAGE_ROWS)
    expect(page.locator("#results-heading")).to_have_text(f"Rows 1 to 20 of {reference['total']:,}")
    features = api.describe(model)["signature"]["features"]
    expect(page.locator("#results thead th")).to_have_count(3 + len(features))
    for number, prediction in enumerate(reference["prediction"]):
        shown = rows.nth(number).locator("td").first.inner_text()
        assert shown == prediction if isinstance(prediction, str) else float(shown) == pytest.approx(prediction, 1e-4)


def test_the_default_model_answers_when_none_is_named(page: Page) -> None:
    page.goto("/predict")
    expect(page.locator(".tabs [aria-current]")).to_have_text("Diabetes progression")


def test_another_model_is_one_link_away(page: Page) -> None:
    page.goto("/predict")
    page.get_by_role("navigation", name="Model").get_by_role("link", name="Wine cultivars").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Predictions for the reference data")
    expect(page).to_have_url(address("/models/wine/predict"))


def test_pages_turn_without_a_reload_and_with_an_address(page: Page) -> None:
    page.goto("/models/diabetes/predict")
    page.evaluate("window.mark = 1")
    page.locator("#page-next").click()
    expect_rows(page, 21, 40)
    expect(page).to_have_url(re.compile(r"/models/diabetes/predict\?page=2$"))
    page.locator("#page-next").click()
    expect_rows(page, 41, 60)
    page.locator("#page-previous").click()
    expect_rows(page, 21, 40)
    assert page.evaluate("window.mark") == 1
    expect(page.locator("#quality-chart")).to_have_count(1)


def test_back_and_forward_turn_pages(page: Page) -> None:
    page.goto("/models/diabetes/predict")
    page.locator("#page-next").click()
    expect_rows(page, 21, 40)
    page.locator("#page-next").click()
    expect_rows(page, 41, 60)
    page.go_back()
    expect_rows(page, 21, 40)
    page.go_back()
    expect_rows(page, 1, 20)
    expect(page.get_by_role("banner")).to_have_count(1)
    page.go_forward()
    expect_rows(page, 21, 40)
    page.locator("#page-next").click()
    expect_rows(page, 41, 60)


def test_a_page_of_the_table_can_be_reloaded(page: Page) -> None:
    page.goto("/models/diabetes/predict?page=2")
    expect_rows(page, 21, 40)
    page.reload()
    expect_rows(page, 21, 40)
    expect(page.get_by_role("banner")).to_be_visible()


def test_the_last_page_holds_the_rest(page: Page) -> None:
    page.goto("/models/diabetes/predict?page=22")
    expect_rows(page, 421, 440)
    page.locator("#page-next").click()
    expect_rows(page, 441, 442)
    expect(page.locator("#page-next")).not_to_have_attribute("href", "")
    expect(page.get_by_role("link", name="Next")).to_have_count(0)


def test_a_row_opens_as_a_case(page: Page, api: Api) -> None:
    page.goto("/models/wine/predict?page=3")
    page.get_by_role("link", name=re.compile("^45\\b")).click()
    ModelPage(page).expect_number(api.reference("wine", 45)["prediction"][0])
    expect(page.locator(".true-value")).to_contain_text("row 45")


def expect_rows(page: Page, first: int, last: int) -> None:
    """Expect these rows and no others."""
    expect(page.locator("#results-heading")).to_have_text(f"Rows {first} to {last} of 442")
    expect(page.locator("#results tbody th")).to_have_count(last - first + 1)
    expect(page.locator("#results tbody th").first).to_have_text(f"{first}: open this case")
