"""The keyboard alone does everything, and one always sees where one is."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage

REACHABLE = """() => {
  const kinds = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']";
  const radios = (e) => e.type === "radio" && !e.checked;
  window.stops = [...document.querySelectorAll(kinds)].filter((e) => !e.disabled && !radios(e) && e.checkVisibility());
  return window.stops.map((e) => e.id || e.textContent.trim().slice(0, 40));
}"""
"""Remembers every element that Tab must reach, and gives their names (of radio buttons: the chosen one of a group)."""
WHERE = """() => {
  const e = document.activeElement;
  const box = e.getClientRects()[0]; // of a link on two lines, the first
  const shown = e.closest(".control") ?? e;
  const style = getComputedStyle(shown);
  const x = Math.max(1, box.left) + Math.min(box.width, 40) / 2;
  const y = (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2;
  const top = document.elementFromPoint(x, y);
  return {
    stop: window.stops.indexOf(e),
    name: e.id || e.textContent.trim().slice(0, 40),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    uncovered: !!top && (e.contains(top) || top.contains(e) && top.closest("label, .choice, .control") !== null),
  };
}"""
"""Where the focus is, whether it is marked, and whether anything lies over it."""
SIZES = {"wide": {"width": 1280, "height": 720}, "phone": {"width": 390, "height": 700}}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/models/diabetes",
        "/models/diabetes?bmi=30",
        "/models/loans?example=3",
        "/models/breast-cancer",
        "/predict?page=2",
    ],
)
def test_tab_reaches_everything_and_shows_where_it_is(open_page: OpenPage, path: str, size: str) -> None:
    page = open_page(viewport=SIZES[size])
    page.goto(path)
    load_panels(page)
    names = page.evaluate(REACHABLE)
    visited = []
    for _ in names:
        page.keyboard.press("Tab")
        where = page.evaluate(WHERE)
        assert where["outlined"], f"no outline: {where}"
        assert where["uncovered"], f"covered: {where}"
        visited.append(where["stop"])
    assert visited == list(range(len(names)))


def load_panels(page: Page) -> None:
    """Scroll to every panel until it is loaded, and back to the top."""
    for panel in page.evaluate("[...document.querySelectorAll('.explain')].map(panel => panel.id)"):
        page.evaluate("id => document.getElementById(id).scrollIntoView()", panel)
        expect(page.locator(f"#{panel}")).not_to_have_attribute("aria-busy", "true")
    page.evaluate("scrollTo(0, 0)")


def test_enter_predicts_and_the_focus_stays(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("diabetes").page
    model_page.field("bmi").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("30")
    page.keyboard.press("Enter")
    model_page.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": 30})["prediction"])
    expect(model_page.field("bmi")).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    model_page.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": 35})["prediction"])
    expect(model_page.field("bmi")).to_be_focused()


def test_the_skip_link_leads_past_the_header(page: Page) -> None:
    page.goto("/models/diabetes")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="See its predictions")).to_be_focused()


def test_predict_by_its_button_keeps_the_focus_there(model_page: ModelPage) -> None:
    page = model_page.open("loans").page
    model_page.predict_button.focus()
    page.keyboard.press("Space")
    expect(model_page.number).to_be_visible()
    expect(model_page.predict_button).to_be_focused()


def test_an_example_keeps_the_focus_on_its_link(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    example = page.get_by_role("link", name="Random example")
    example.focus()
    for _ in range(2):
        before = page.url
        page.keyboard.press("Enter")
        expect(page).not_to_have_url(before)
        expect(page.locator(".true-value")).to_be_visible()
        expect(example).to_be_focused()


def test_groups_fold_with_the_space_bar(page: Page) -> None:
    page.goto("/models/breast-cancer")
    page.locator("#group-1 summary").focus()
    page.keyboard.press("Space")
    expect(page.locator("#group-1")).not_to_have_attribute("open", "")
    page.keyboard.press("Enter")
    expect(page.locator("#group-1")).to_have_attribute("open", "")


def test_choices_are_made_with_arrows_and_the_space_bar(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("loans").page
    page.get_by_role("radiogroup", name="Owns a home").get_by_label("no").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radiogroup", name="Owns a home").get_by_label("yes")).to_be_checked()
    model_page.field("purpose").focus()
    page.keyboard.press("ArrowDown")
    model_page.unknown("yearly_income").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    answer = api.predict(
        "loans", api.defaults("loans") | {"home_owner": True, "purpose": "education", "yearly_income": None}
    )
    expect(page.get_by_role("meter", name="Probability of defaulted")).to_have_attribute(
        "value", str(answer["probabilities"]["defaulted"])
    )


def test_pages_of_the_table_turn_and_the_focus_stays(page: Page) -> None:
    page.goto("/predict")
    page.locator("#page-next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results-heading")).to_have_text("Rows 21 to 40 of 442")
    expect(page.locator("#page-next")).to_be_focused()


def test_a_wide_table_scrolls_with_the_arrows(open_page: OpenPage) -> None:
    page = open_page(viewport=SIZES["phone"])
    page.goto("/predict")
    table = page.get_by_role("region", name="Table of the rows")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("table => table.scrollLeft > 0", arg=table.element_handle())
