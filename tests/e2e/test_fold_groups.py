"""A long form has groups that fold, and they stay as the reader left them."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.model_page import ModelPage
from tests.e2e.watch import Watch


def group(page: Page, number: int) -> Locator:
    """One of the three groups."""
    return page.locator(f"#group-{number}")


def fold(page: Page, number: int) -> None:
    """Press a group's heading."""
    group(page, number).locator("summary").click()
    expect(group(page, number)).not_to_have_attribute("open", "")


def test_groups_are_open_at_first(page: Page) -> None:
    page.goto("/models/breast-cancer")
    expect(page.locator("details.group[open]")).to_have_count(3)
    expect(page.locator("details.group summary h3")).to_have_text(
        ["Mean of all nuclei", "Standard error of the mean", "Mean of the three largest"]
    )


def test_a_folded_group_stays_folded_after_a_prediction(model_page: ModelPage) -> None:
    page = model_page.open("breast-cancer").page
    fold(page, 2)
    model_page.predict()
    expect(model_page.number).to_be_visible()
    expect(group(page, 2)).not_to_have_attribute("open", "")
    expect(group(page, 1)).to_have_attribute("open", "")
    group(page, 2).locator("summary").click()
    model_page.predict()
    expect(page.locator("details.group[open]")).to_have_count(3)


def test_the_numbers_of_a_chart_stay_open(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    model_page.predict()
    page.locator("#standing-numbers summary").click()
    model_page.field("bmi").fill("40")
    model_page.predict()
    expect(page.locator("#standing-numbers")).to_have_attribute("open", "")


def test_a_refused_value_in_a_folded_group_can_be_reached(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    page = model_page.open("breast-cancer").page
    model_page.field("worst radius").fill("wide")
    fold(page, 3)
    model_page.predict()
    model_page.summary.get_by_role("link", name="Radius").click()
    expect(model_page.message("worst radius")).to_be_visible()
    expect(model_page.field("worst radius")).to_be_focused()
