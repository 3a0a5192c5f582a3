"""/docs of the model service: complete without the internet, and its examples can be run."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS
from tests.e2e.services import Services


@pytest.fixture
def docs(page: Page, services: Services) -> Page:
    """The page, complete."""
    page.goto(f"{services.api}/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    return page


def test_every_model_is_there(docs: Page) -> None:
    expect(docs.get_by_role("heading", name="Servery model service")).to_be_visible()
    shown = "".join(docs.locator(".opblock-summary-path").all_inner_texts()).replace("\u200b", "")
    for model in MODELS:
        assert f"/models/{model}/predict" in shown
    expect(docs.locator(".errors-wrapper")).to_have_count(0)


def test_every_example_can_be_run(docs: Page, services: Services) -> None:
    for path in ("/predict", *(f"/models/{model}/predict" for model in MODELS)):
        block = docs.locator(".opblock-post").filter(has=docs.locator(f'.opblock-summary-path[data-path="{path}"]'))
        block.locator(".opblock-summary-control").click()
        with docs.expect_response(services.api + path) as waiting:
            block.get_by_role("button", name="Execute").click()
        assert waiting.value.status == 200
        expect(block.locator(".live-responses-table td.response-col_status").last).to_have_text("200")
        expect(block.locator(".live-responses-table")).to_contain_text('"prediction"')
        block.locator(".opblock-summary-control").click()
