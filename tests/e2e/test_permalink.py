"""The address of an answer: it can be reloaded, shared, and gone back to."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.api import MODELS, Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage
from tests.e2e.watch import Watch

PAGES = ("document", "fetch")
LANDMARKS: tuple[Literal["banner", "main", "contentinfo"], ...] = ("banner", "main", "contentinfo")


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_is_the_same_after_a_reload_and_for_somebody_else(
    model_page: ModelPage, open_page: OpenPage, api: Api, model: str
) -> None:
    row = 12
    model_page.open(model).fill(api.instance(model, row))
    model_page.predict()
    prediction = api.reference(model, row)["prediction"][0]
    model_page.expect_number(prediction)
    page, values = model_page.page, model_page.values()
    expect(page).to_have_url(re.compile(r"\?"))
    page.reload()
    model_page.expect_number(prediction)
    assert model_page.values() == values
    friend = ModelPage(open_page())
    friend.page.goto(page.url)
    friend.expect_number(prediction)
    assert friend.values() == values


def test_back_and_forward_restore_whole_pages(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("diabetes").page
    for bmi in ("25", "35"):
        model_page.field("bmi").fill(bmi)
        model_page.predict()
        expect_case(model_page, api, bmi)
    page.go_back()
    expect_case(model_page, api, "25")
    page.go_back()
    expect(model_page.number).to_have_count(0)
    expect(model_page.field("bmi")).to_have_value("25.7")
    expect_whole(page)
    page.go_forward()
    expect_case(model_page, api, "25")
    page.go_forward()
    expect_case(model_page, api, "35")


def test_an_answer_after_back_is_a_working_page(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("diabetes").page
    model_page.predict()
    expect(model_page.number).to_be_visible()
    page.go_back()
    expect(model_page.number).to_have_count(0)
    model_page.field("bmi").fill("41")
    model_page.predict()
    expect_case(model_page, api, "41")


def test_back_from_another_page_shows_the_answer_again(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("diabetes").page
    model_page.field("bmi").fill("25")
    model_page.predict()
    expect_case(model_page, api, "25")
    page.get_by_role("link", name="Models").click()
    expect(page.locator(".card")).to_have_count(len(MODELS))
    page.go_back()
    expect_case(model_page, api, "25")
    page.go_back()
    expect(model_page.number).to_have_count(0)


def test_a_link_inside_the_page_reloads_nothing(open_page: OpenPage, api: Api) -> None:
    model_page = ModelPage(open_page(viewport={"width": 390, "height": 700}))
    page = model_page.open("diabetes").page
    model_page.field("bmi").fill("25")
    model_page.predict()
    expect_case(model_page, api, "25")
    requests: list[str] = []
    model_page.field("bmi").fill("26")
    page.on("request", lambda request: requests.append(request.url) if loads_a_page(request) else None)
    page.locator(".pinned").click()
    expect(page.locator("#answer")).to_be_in_viewport()
    expect(model_page.field("bmi")).to_have_value("26")
    page.go_back()
    expect(model_page.field("bmi")).to_have_value("26")
    assert requests == []


def test_an_address_with_some_values_takes_the_typical_ones_for_the_rest(model_page: ModelPage, api: Api) -> None:
    model_page.open("diabetes", "?bmi=33")
    expect_case(model_page, api, "33")
    expect(model_page.field("age")).to_have_value("50")


def test_an_address_of_a_row_that_is_not_there_says_which_are(page: Page, watch: Watch) -> None:
    watch.expect_status(422)
    page.goto("/models/diabetes?example=443")
    expect(page.get_by_role("heading", level=1)).to_have_text("This address cannot be used")
    expect(page.locator(".lead")).to_have_text("There are reference rows 1 to 442.")


def expect_case(model_page: ModelPage, api: Api, bmi: str) -> None:
    """Expect a whole page: the typical patient with this body mass index, and the answer for it."""
    model_page.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": bmi})["prediction"])
    expect(model_page.field("bmi")).to_have_value(bmi)
    expect(model_page.page).to_have_url(re.compile(re.escape(f"bmi={bmi}")))
    expect_whole(model_page.page)


def loads_a_page(request: Request) -> bool:
    """Tell whether a request is for a page or a part of one, other than a panel that is scrolled to."""
    return request.resource_type in PAGES and "/panels/" not in request.url


def expect_whole(page: Page) -> None:
    """Expect everything around the form, once."""
    expect(page).to_have_title("Diabetes progression – Servery")
    for role in LANDMARKS:
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.locator("h1")).to_have_text("Diabetes progression")
    expect(page.locator("form#case")).to_have_count(1)
