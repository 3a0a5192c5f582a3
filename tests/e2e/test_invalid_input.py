"""Invalid input: what was typed stays, each message is beside its field, and nothing else happens."""

import pytest
from playwright.sync_api import expect

from tests.e2e.api import Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage
from tests.e2e.watch import Watch


@pytest.fixture
def refused(model_page: ModelPage, watch: Watch) -> ModelPage:
    """The page of diabetes after an attempt with a word for a number, sent with Enter from inside the word."""
    watch.expect_status(422)
    page = model_page.open("diabetes").page
    model_page.field("bmi").fill("twelve")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(model_page.summary).to_be_visible()
    return model_page


def test_the_message_is_beside_the_field(refused: ModelPage) -> None:
    expect(refused.message("bmi")).to_have_text("Error: Enter a number: “twelve” is not one.")
    expect(refused.page.locator(".error")).to_have_count(1)
    field = refused.field("bmi")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "Error: Enter a number: “twelve” is not one. Weight over height squared 18 to 42.2 in the training data"
    )


def test_typed_text_focus_and_caret_stay(refused: ModelPage) -> None:
    field = refused.field("bmi")
    expect(field).to_have_value("twelve")
    expect(field).to_be_focused()
    assert field.evaluate("field => [field.selectionStart, field.selectionEnd]") == [1, 1]
    refused.page.keyboard.type("h")
    expect(field).to_have_value("thwelve")


def test_other_values_stay(refused: ModelPage) -> None:
    refused.field("s5").fill("5.5")
    refused.page.locator('[name="sex"][value="2"]').check()
    refused.predict()
    expect(refused.field("s5")).to_have_value("5.5")
    expect(refused.page.locator('[name="sex"][value="2"]')).to_be_checked()


def test_it_is_not_called_a_failure_of_the_server(refused: ModelPage) -> None:
    expect(refused.errors).to_be_empty()
    expect(refused.page.get_by_text("Could not reach the server")).to_have_count(0)
    expect(refused.page.locator("#answer")).to_have_attribute("aria-busy", "false")


def test_the_address_stays(refused: ModelPage) -> None:
    assert refused.page.url.endswith("/models/diabetes")


def test_the_message_goes_once_the_value_is_corrected(refused: ModelPage, api: Api) -> None:
    refused.field("bmi").fill("30")
    refused.predict()
    refused.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": 30})["prediction"])
    expect(refused.summary).to_have_count(0)
    expect(refused.page.locator(".error")).to_have_count(0)
    expect(refused.field("bmi")).not_to_have_attribute("aria-invalid", "true")


def test_a_link_in_the_summary_leads_to_the_field(refused: ModelPage) -> None:
    page = refused.page
    page.evaluate("window.mark = 1")
    refused.summary.get_by_role("link", name="Body mass index").click()
    expect(refused.field("bmi")).to_be_focused()
    expect(refused.field("bmi")).to_have_value("twelve")
    expect(refused.summary).to_be_visible()
    assert page.evaluate("window.mark") == 1


def test_an_old_answer_does_not_stay_beside_refused_values(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    model_page.open("diabetes").predict()
    expect(model_page.number).to_be_visible()
    model_page.field("age").fill("")
    model_page.predict()
    expect(model_page.number).to_have_count(0)
    expect(model_page.message("age")).to_have_text("Error: Enter a number.")


def test_every_problem_is_told_at_once(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    model_page.open("loans")
    for feature, text in {"age": "40.5", "yearly_income": "", "amount": "1,5", "term": "long"}.items():
        model_page.field(feature).fill(text)
    model_page.predict()
    expect(model_page.message("age")).to_have_text("Error: Enter a whole number: “40.5” is not one.")
    expect(model_page.message("yearly_income")).to_have_text("Error: Enter a number or tick “unknown”.")
    expect(model_page.message("amount")).to_contain_text("Write decimals with a point.")
    expect(model_page.message("term")).to_have_text("Error: Enter a whole number: “long” is not one.")
    expect(model_page.summary.get_by_role("heading")).to_have_text("4 values need another look")
    expect(model_page.summary.get_by_role("link")).to_have_text(["Age", "Yearly income", "Amount", "Term"])


def test_what_only_the_model_service_refuses_is_beside_the_field_too(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    model_page.open("diabetes")
    model_page.field("bmi").fill("1e999")
    model_page.predict()
    expect(model_page.message("bmi")).to_be_visible()
    expect(model_page.field("bmi")).to_have_value("1e999")
    expect(model_page.errors).to_be_empty()


def test_what_was_typed_is_shown_and_never_run(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    text = '"><img src=x onerror=alert(1)>'
    model_page.open("diabetes")
    model_page.field("bmi").fill(text)
    model_page.predict()
    expect(model_page.field("bmi")).to_have_value(text)
    expect(model_page.message("bmi")).to_contain_text("<img src=x")
    expect(model_page.page.locator("img[src=x]")).to_have_count(0)


def test_an_address_with_a_bad_value_gives_the_form_with_the_message(model_page: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    model_page.open("diabetes", "?bmi=twelve")
    expect(model_page.field("bmi")).to_have_value("twelve")
    expect(model_page.message("bmi")).to_be_visible()
    expect(model_page.page.get_by_role("banner")).to_be_visible()


def test_a_page_whose_session_is_over_keeps_what_was_typed(open_page: OpenPage, watch: Watch, api: Api) -> None:
    watch.expect_status(400)
    page = ModelPage(open_page()).open("diabetes")
    page.field("bmi").fill("30")
    page.page.context.clear_cookies()
    page.predict()
    expect(page.errors).to_contain_text("press Predict once more")
    expect(page.field("bmi")).to_have_value("30")
    page.predict()
    page.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": 30})["prediction"])
