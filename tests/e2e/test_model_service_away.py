"""A service dies, hangs or comes back while somebody works: what was typed stays, and work goes on afterwards."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, address, expect_drawn
from tests.e2e.services import TwoServices
from tests.e2e.watch import Watch

MOST_SECONDS = 2.5
"""Until a person is told that the model service does not answer: the deadline of 2 s, and the way there and back."""


@pytest.fixture
def at_work(open_page: OpenPage, two_services: TwoServices) -> ModelPage:
    """The page of diabetes after a prediction, with a new value typed and not yet sent."""
    model_page = ModelPage(open_page(base_url=two_services.dashboard_url)).open("diabetes")
    model_page.predict()
    expect(model_page.number).to_be_visible()
    model_page.field("bmi").fill("31")
    return model_page


def expect_answer(model_page: ModelPage) -> None:
    """Expect the whole answer for the value that was typed, and no failure."""
    expect(model_page.page).to_have_url(re.compile("bmi=31&"))
    expect(model_page.number).to_be_visible()
    expect(model_page.errors).to_be_empty()
    expect_drawn(model_page.chart)


def test_killed_in_the_middle_and_brought_back(at_work: ModelPage, two_services: TwoServices, watch: Watch) -> None:
    watch.expect_status(503)
    two_services.kill_api()
    at_work.predict()
    expect(at_work.errors).to_contain_text("The model service is away")
    expect(at_work.errors).to_contain_text("Nothing that you typed is lost.")
    expect(at_work.errors).to_contain_text("Request ")
    expect(at_work.field("bmi")).to_have_value("31")
    expect(at_work.number, "the answer to earlier values").to_be_hidden()
    at_work.try_again.click()
    expect(at_work.errors).to_contain_text("The model service is away")
    two_services.restart_api()
    at_work.try_again.click()
    expect_answer(at_work)


def test_a_hanging_service_is_given_up_in_time(at_work: ModelPage, two_services: TwoServices, watch: Watch) -> None:
    watch.expect_status(504)
    page = at_work.page
    two_services.pause_api()
    with page.expect_response(lambda response: response.status == 504) as waiting:
        at_work.predict_button.click()
        expect(page.locator("#busy")).to_be_visible()
        expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    expect(at_work.errors).to_contain_text("The model service did not answer in time")
    assert waiting.value.request.timing["responseStart"] < MOST_SECONDS * 1000
    expect(page.locator("#busy")).to_be_hidden()
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
    expect(at_work.field("bmi")).to_have_value("31")
    two_services.resume_api()
    at_work.try_again.click()
    expect_answer(at_work)


def test_a_random_example_that_cannot_be_had_leaves_the_form(
    at_work: ModelPage, two_services: TwoServices, watch: Watch
) -> None:
    watch.expect_status(504)
    two_services.pause_api()
    at_work.page.get_by_role("link", name="Random example").click()
    expect(at_work.errors).to_contain_text("The model service did not answer in time")
    expect(at_work.field("bmi")).to_have_value("31")


def test_pages_of_the_table_that_cannot_be_had(open_page: OpenPage, two_services: TwoServices, watch: Watch) -> None:
    watch.expect_status(504)
    page = open_page(base_url=two_services.dashboard_url)
    page.goto("/predict")
    two_services.pause_api()
    page.locator("#page-next").click()
    expect(page.get_by_role("alert")).to_contain_text("The model service did not answer in time")
    expect(page.locator("#results tbody tr")).to_have_count(20)
    two_services.resume_api()
    page.locator("#page-next").click()
    expect(page.locator("#results-heading")).to_have_text("Rows 21 to 40 of 442")
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_page_that_cannot_be_had_says_so_and_is_there_later(
    open_page: OpenPage, two_services: TwoServices, watch: Watch
) -> None:
    watch.expect_status(503)
    two_services.kill_api()
    two_services.dashboard.close()
    two_services.restart_dashboard()
    page = open_page(base_url=two_services.dashboard_url)
    for path in ("/models/diabetes?bmi=30", "/predict?page=2", "/"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("The model service is away")
        expect(page.get_by_role("banner")).to_be_visible()
    two_services.restart_api()
    page.get_by_role("link", name="Try again").click()
    expect(page).to_have_url(address("/"))
    expect(page.locator(".card")).to_have_count(4)


def test_the_dashboard_itself_killed_and_brought_back(
    at_work: ModelPage, two_services: TwoServices, watch: Watch
) -> None:
    watch.expect_no_answer()
    watch.expect_status(400)  # it comes back with another key: the form's token is of no use to it
    two_services.kill_dashboard()
    at_work.predict_button.click()
    expect(at_work.errors).to_contain_text("Could not reach the server")
    expect(at_work.page.locator("#answer")).to_have_attribute("aria-busy", "false")
    expect(at_work.field("bmi")).to_have_value("31")
    two_services.restart_dashboard()
    at_work.try_again.click()
    expect(at_work.errors).to_contain_text("Nothing is lost: press Predict once more.")
    expect(at_work.field("bmi")).to_have_value("31")
    at_work.predict_button.click()
    expect_answer(at_work)
