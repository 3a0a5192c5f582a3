"""How sure, who was like this, would small changes matter: in a real browser, with mouse, keys, and no JavaScript."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.e2e.api import MODELS
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn

PANELS = {"how-sure": "How sure is it?", "similar": "Who was like this?", "robustness": "Would small changes matter?"}
RUN = "axe.run('#main', {resultTypes: ['violations']})"


def panel(page: Page, name: str) -> Locator:
    """Scroll to a panel, and wait until it is there."""
    found = page.locator(f"#panel-{name}")
    found.evaluate("panel => panel.scrollIntoView()")  # it is replaced while one scrolls to it
    expect(found).not_to_have_attribute("aria-busy", "true")
    return found


@pytest.fixture
def loans(model_page: ModelPage) -> Page:
    """The page of a case."""
    return model_page.open("loans", "?age=30").page


@pytest.fixture
def plain(open_page: OpenPage) -> Page:
    """A page with JavaScript off."""
    return open_page(java_script_enabled=False)


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_comes_after_the_answer_with_its_chart(loans: Page, name: str) -> None:
    found = panel(loans, name)

    expect(found.get_by_role("heading", name=PANELS[name])).to_be_visible()
    expect(found.locator(".sentence").first).not_to_be_empty()
    expect_drawn(found.locator("img"))


@pytest.mark.parametrize(
    ("name", "label", "sentence"),
    [
        ("how-sure", "95 %", "At 95 % coverage"),
        ("similar", "10", "10 most alike"),
        ("robustness", "10 %", "small changes"),
    ],
)
def test_a_choice_changes_the_panel_and_nothing_else(loans: Page, name: str, label: str, sentence: str) -> None:
    found, before = panel(loans, name), loans.url
    with loans.expect_response(lambda response: f"/panels/{name}?" in response.url):
        found.get_by_label(label, exact=True).check()

    expect(found.locator(".sentence").first).to_contain_text(sentence)
    expect(found.get_by_label(label, exact=True)).to_be_checked()
    expect_drawn(found.locator("img"))
    assert loans.url == before


def test_a_choice_is_made_with_the_keyboard_and_the_focus_stays(loans: Page) -> None:
    found = panel(loans, "how-sure")
    found.get_by_label("90 %", exact=True).focus()
    loans.keyboard.press("ArrowRight")

    expect(found.locator(".sentence").first).to_contain_text("At 95 % coverage")
    expect(found.get_by_label("95 %", exact=True)).to_be_focused()
    loans.keyboard.press("ArrowLeft")
    expect(found.locator(".sentence").first).to_contain_text("At 90 % coverage")


def test_a_known_case_is_opened_from_its_link(loans: Page) -> None:
    link = panel(loans, "similar").get_by_role("link", name="Row").first
    row = (link.text_content() or "").split()[-1]
    link.click()

    expect(loans.locator(".true-value")).to_contain_text(f"row {row} of the reference data")


def test_what_is_outside_the_training_data_is_said_in_words(model_page: ModelPage) -> None:
    page = model_page.open("diabetes", "?age=150").page
    found = panel(page, "how-sure")

    expect(found.locator(".trust")).to_contain_text("Outside")
    expect(found.locator(".unusual").first).to_contain_text("above every training value")


@pytest.mark.parametrize(("name", "value"), [("how-sure", "80"), ("similar", "20"), ("robustness", "1")])
def test_without_javascript_a_panel_is_a_page_with_a_button(plain: Page, name: str, value: str) -> None:
    plain.goto("/models/loans?age=30")
    plain.get_by_role("link", name=PANELS[name]).click()
    plain.locator(f"#panel-{name} input[type=radio][value='{value}']").check()
    plain.get_by_role("button", name="Show").click()

    expect(plain.locator(f"#panel-{name} input[type=radio][value='{value}']")).to_be_checked()
    assert "age=30" in plain.url
    assert f"={value}" in plain.url
    expect_drawn(plain.locator("img"))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PANELS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page: Page, model: str, name: str) -> None:
    page.goto(f"/models/{model}/panels/{name}")
    page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
    page.evaluate(Axe().axe_script)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            found = page.evaluate(RUN)["violations"]
            assert not found, f"{theme}, {width}: {[(one['id'], one['nodes'][0]['html'][:200]) for one in found]}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
