"""Unknown: where a model takes missing values, a person can say that a value is not known."""

import re

from playwright.sync_api import expect

from tests.e2e.api import Api
from tests.e2e.model_page import ModelPage


def test_a_ticked_box_sends_a_missing_value(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("loans").page
    model_page.unknown("yearly_income").check()
    model_page.predict()
    instance = api.defaults("loans") | {"yearly_income": None}
    answer = api.predict("loans", instance)
    model_page.expect_number(answer["prediction"])
    meter = page.get_by_role("meter", name="Probability of defaulted")
    expect(meter).to_have_attribute("value", str(answer["probabilities"]["defaulted"]))
    expect(page).to_have_url(re.compile("unknown=yearly_income"))
    page.reload()
    expect(model_page.unknown("yearly_income")).to_be_checked()
    expect(model_page.field("yearly_income")).to_have_value("")


def test_typing_a_value_takes_the_tick_away(model_page: ModelPage, api: Api) -> None:
    model_page.open("loans", "?unknown=yearly_income")
    expect(model_page.unknown("yearly_income")).to_be_checked()
    model_page.field("yearly_income").press_sequentially("50000")
    expect(model_page.unknown("yearly_income")).not_to_be_checked()
    model_page.predict()
    answer = api.predict("loans", api.defaults("loans") | {"yearly_income": 50000})
    expect(model_page.page.get_by_role("meter", name="Probability of defaulted")).to_have_attribute(
        "value", str(answer["probabilities"]["defaulted"])
    )


def test_choices_have_an_unknown_of_their_own(model_page: ModelPage, api: Api) -> None:
    model_page.open("loans")
    model_page.field("employment").select_option(label="Unknown")
    model_page.page.get_by_role("radiogroup", name="Defaulted before").get_by_label("Unknown").check()
    model_page.predict()
    answer = api.predict("loans", api.defaults("loans") | {"employment": None, "defaulted_before": None})
    expect(model_page.page.get_by_role("meter", name="Probability of repaid")).to_have_attribute(
        "value", str(answer["probabilities"]["repaid"])
    )


def test_only_values_that_may_be_missing_can_be_unknown(model_page: ModelPage) -> None:
    model_page.open("loans")
    expect(model_page.page.locator('[name="unknown"]')).to_have_count(1)
    model_page.open("diabetes")
    expect(model_page.page.get_by_text("Unknown", exact=True)).to_have_count(0)
