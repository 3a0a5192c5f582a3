"""The datasheet of a model, in a browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS
from tests.e2e.model_page import expect_drawn


@pytest.mark.parametrize("model", MODELS)
def test_every_chart_is_drawn_and_axe_objects_to_nothing(page: Page, model: str) -> None:
    page.goto(f"/models/{model}/about")
    for chart in page.locator("main img").all():
        expect_drawn(chart)
    page.evaluate(Axe().axe_script)
    for width in (320, 390, 1280):
        for theme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            violations = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
            assert not [(found["id"], found["nodes"][0]["html"][:200]) for found in violations], (width, theme)


def test_it_is_found_from_the_model_s_page(page: Page) -> None:
    page.goto("/models/diabetes")
    page.get_by_role("link", name="About the model").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("About Diabetes progression")
