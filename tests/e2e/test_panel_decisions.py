"""Where the line should be drawn: costs typed, the line moves."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn
from tests.e2e.watch import Watch

PANEL = "#panel-decisions"


def opened(model_page: ModelPage, model: str) -> Page:
    """Open a page and wait for the panel."""
    page = model_page.open(model, "?example=5").page
    page.locator(PANEL).scroll_into_view_if_needed()
    expect(page.locator(f"{PANEL} form.ask")).to_be_visible()
    return page


def line_of(page: Page) -> float:
    """Read the best threshold in percent."""
    cell = page.locator(f"{PANEL} .lines tbody tr").first.locator("td").first.inner_text()
    return float(cell.replace("\N{NO-BREAK SPACE}", " ").split(" ")[0])


@pytest.mark.parametrize("model", ["loans", "breast-cancer"])
def test_the_best_line_is_said_and_drawn(model_page: ModelPage, model: str) -> None:
    page = opened(model_page, model)

    expect(page.locator(f"{PANEL} .sentence").first).to_contain_text("costs least")
    expect(page.locator(f"{PANEL} .sentence").last).to_contain_text("This case, with a probability of")
    expect_drawn(page.locator("#costs-chart"))


@pytest.mark.parametrize("model", ["diabetes", "wine"])
def test_other_models_have_no_line(model_page: ModelPage, model: str) -> None:
    page = model_page.open(model, "?example=5").page
    expect(page.locator("#panel-why")).to_be_visible()
    expect(page.locator(PANEL)).to_have_count(0)


def test_dear_misses_lower_the_line_and_a_capacity_raises_it(model_page: ModelPage) -> None:
    page = opened(model_page, "loans")
    alike = line_of(page)
    page.locator("#cost-false-negative").fill("10")
    page.locator("#cost-false-negative").press("Enter")
    expect(page.locator(f"{PANEL} .sentence").first).not_to_contain_text(f"of {alike:g}")
    dear = line_of(page)
    assert dear < alike
    page.locator("#cost-capacity").fill("10")
    page.get_by_role("button", name="Draw the line").click()
    expect(page.locator(f"{PANEL} .sentence").first).to_contain_text("at most 10")
    assert line_of(page) > dear
    expect(page.locator("#cost-false-negative")).to_have_value("10")


def test_a_wrong_cost_is_refused_beside_its_field(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    page = opened(model_page, "loans")
    page.locator("#cost-false-positive").fill("-3")
    page.locator("#cost-false-positive").press("Enter")

    expect(page.locator("#cost-false-positive-error")).to_contain_text("not -3.")
    expect(page.locator("#cost-false-positive")).to_have_value("-3")
    expect(page.locator("#cost-false-positive")).to_be_focused()


def test_it_works_without_javascript_as_a_page(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    ModelPage(page).open("loans", "?age=30")
    page.get_by_role("link", name="Where should the line be drawn?").click()
    page.locator("#cost-false-negative").fill("7")
    page.get_by_role("button", name="Draw the line").click()
    expect(page.locator("#cost-false-negative")).to_have_value("7")
    expect(page.locator(".sentence").first).to_contain_text("costs least")
    page.get_by_role("link", name="Back to the case").click()
    expect(page.locator('#case [name="age"]')).to_have_value("30")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_page(open_page: OpenPage, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    page.goto("/models/breast-cancer/panels/decisions")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
