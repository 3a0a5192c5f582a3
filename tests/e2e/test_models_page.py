"""The first page: the models as cards."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS, Api
from tests.e2e.model_page import address
from tests.e2e.watch import Watch


def test_each_model_has_a_card(page: Page) -> None:
    page.goto("/")
    expect(page).to_have_title("Models – Servery")
    expect(page.locator(".card h2")).to_have_text(
        ["Breast cancer", "Diabetes progression", "Loans (synthetic data)", "Wine cultivars"]
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_card_says_what_the_model_predicts_and_leads_to_it(page: Page, api: Api, model: str) -> None:
    about = api.describe(model)
    page.goto("/")
    card = page.locator(".card", has=page.get_by_role("link", name=about["title"], exact=True))
    expect(card).to_contain_text(about["description"])
    expect(card).to_contain_text(f"{len(about['signature']['features'])} features")
    expect(card).to_contain_text(about["signature"]["target"]["name"])
    expect(card.locator("dt")).to_have_text(["Predicts", "From", "Quality", "Version"])
    card.get_by_role("link", name=about["title"]).click()
    expect(page).to_have_url(address(f"/models/{model}"))
    expect(page.get_by_role("heading", level=1)).to_have_text(about["title"])


@pytest.mark.parametrize("path", ["/", "/models/loans", "/models/loans/predict"])
def test_synthetic_data_is_called_synthetic(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator(".badge-note, .note").get_by_text("Synthetic data")).to_be_visible()


def test_the_header_leads_to_every_part(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Predictions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Predictions for the reference data")
    expect(page.get_by_role("link", name="Predictions")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")


def test_an_address_that_leads_nowhere_gets_a_page_with_a_way_out(page: Page, watch: Watch) -> None:
    watch.expect_status(404)
    page.goto("/models/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such model")
    page.get_by_role("link", name="All models").click()
    expect(page.locator(".card")).to_have_count(len(MODELS))
