"""Random example and Reset: a real reference row, and the typical case."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.api import MODELS, Api
from tests.e2e.model_page import ModelPage, address


@pytest.mark.parametrize("model", MODELS)
def test_an_example_fills_the_form_and_shows_what_was_true(model_page: ModelPage, api: Api, model: str) -> None:
    page = model_page.open(model).page
    page.get_by_role("link", name="Random example").click()
    expect(page).to_have_url(re.compile(rf"/models/{model}\?example=\d+$"))
    row = int(page.url.rpartition("=")[2])
    reference = api.reference(model, row)
    model_page.expect_number(reference["prediction"][0])
    true = page.locator(".true-value")
    expect(true).to_contain_text(f"This is row {row} of the reference data.")
    expect(true.locator("strong")).to_contain_text(str(reference["target"][0]).removesuffix(".0"))
    shown = model_page.values()
    for name, value in reference["data"][0].items():
        if value is None:
            assert name in shown.get("unknown", []) or shown[name] == [""]
        elif isinstance(value, bool | str):
            assert shown[name] == [str(value).lower()]
        else:
            assert float(shown[name][0]) == value


def test_examples_differ(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    seen = set()
    for _ in range(6):
        before = page.url
        page.get_by_role("link", name="Random example").click()
        expect(page).not_to_have_url(before)
        seen.add(page.url)
    assert len(seen) > 2


def test_an_example_can_be_reloaded(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("wine", "?example=100").page
    model_page.expect_number(api.reference("wine", 100)["prediction"][0])
    page.reload()
    model_page.expect_number(api.reference("wine", 100)["prediction"][0])
    expect(page.locator(".true-value")).to_contain_text("row 100")


def test_a_changed_example_is_no_longer_called_one(model_page: ModelPage) -> None:
    page = model_page.open("diabetes", "?example=1").page
    expect(page.locator(".true-value")).to_be_visible()
    model_page.field("bmi").fill("20")
    model_page.predict()
    expect(page.locator(".true-value")).to_have_count(0)
    assert "example" not in page.url


def test_reset_gives_the_typical_case_without_an_answer(model_page: ModelPage, api: Api) -> None:
    page = model_page.open("loans", "?example=3").page
    expect(model_page.number).to_be_visible()
    page.get_by_role("link", name="Reset").click()
    expect(page).to_have_url(address("/models/loans"))
    expect(model_page.number).to_have_count(0)
    assert model_page.values()["yearly_income"] == ["34600"]
    assert model_page.values()["employment"] == [api.defaults("loans")["employment"]]
