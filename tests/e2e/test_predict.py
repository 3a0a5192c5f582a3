"""Predict: the page shows what the model service answers, for every embedded model."""

import html
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS, Api, Instance
from tests.e2e.model_page import ModelPage, typed
from tests.e2e.services import Services
from tests.e2e.watch import Watch

ROW = 7
ROWS = 50
NUMBER = re.compile(r'<data id="number"[^>]* value="([^"]*)"')


@pytest.mark.parametrize("model", MODELS)
def test_the_page_shows_the_answer_of_the_model_service(model_page: ModelPage, api: Api, model: str) -> None:
    instance = api.instance(model, ROW)
    answer = api.predict(model, instance)
    model_page.open(model).fill(instance)
    model_page.predict()
    model_page.expect_number(answer["prediction"])
    for name, share in answer.get("probabilities", {}).items():
        meter = model_page.page.get_by_role("meter", name=f"Probability of {name}")
        assert float(meter.get_attribute("value") or "") == share
    expect(model_page.page.locator(".provenance")).to_contain_text(f"Answered by {model}, version 1, in")


@pytest.mark.parametrize("model", MODELS)
def test_the_same_number_for_fifty_reference_rows(page: Page, api: Api, model: str) -> None:
    reference = api.reference(model, 1, ROWS)
    assert len(reference["data"]) == ROWS
    for instance, prediction in zip(reference["data"], reference["prediction"], strict=True):
        found = NUMBER.search(page.request.get(permalink(model, instance)).text())
        assert found
        if isinstance(prediction, str):
            assert html.unescape(found[1]) == prediction
        else:
            assert float(found[1]) == pytest.approx(prediction, rel=1e-9)


def test_a_number_is_shown_with_its_unit_and_its_range(model_page: ModelPage, api: Api) -> None:
    model_page.open("diabetes")
    answer = api.predict("diabetes", api.defaults("diabetes"))
    model_page.predict()
    expect(model_page.number).to_have_text(f"{answer['prediction']:.2f}")
    expect(model_page.page.locator(".hero")).to_contain_text("points")
    interval = answer["interval"]
    expect(model_page.page.locator("#answer .sentence")).to_contain_text(
        f"between {interval['low']:.3g} and {interval['high']:.3g}"
    )


def test_a_class_is_shown_with_its_probability(model_page: ModelPage, api: Api) -> None:
    model_page.open("breast-cancer", "?example=1")
    expect(model_page.number).to_have_text(api.reference("breast-cancer", 1)["prediction"][0])
    expect(model_page.page.locator(".hero-unit")).to_contain_text("%")


def test_every_probability_of_three_classes_is_shown_highest_first(model_page: ModelPage, api: Api) -> None:
    model_page.open("wine")
    model_page.predict()
    shares = api.predict("wine", api.defaults("wine"))["probabilities"]
    names = model_page.page.locator(".probabilities tbody th").all_inner_texts()
    assert sorted(names) == sorted(shares)
    assert [shares[name] for name in names] == sorted(shares.values(), reverse=True)


def test_a_value_outside_the_training_data_gets_a_warning(model_page: ModelPage, api: Api) -> None:
    model_page.open("diabetes")
    model_page.field("bmi").fill("61")
    model_page.predict()
    warning = api.predict("diabetes", api.defaults("diabetes") | {"bmi": 61})["warnings"][0]
    expect(model_page.page.locator(".warning")).to_have_count(1)
    expect(model_page.page.locator(".warning")).to_contain_text(warning["message"])


def test_only_the_form_and_its_answer_are_exchanged(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    page.evaluate("window.mark = 1")
    model_page.predict()
    expect(model_page.number).to_be_visible()
    assert page.evaluate("window.mark") == 1
    expect(page.get_by_role("banner")).to_have_count(1)


def test_pressing_twice_in_a_row_gives_one_answer(model_page: ModelPage, watch: Watch, api: Api) -> None:
    model_page.open("diabetes")
    model_page.field("bmi").fill("30")
    watch.expect_replaced()
    model_page.predict_button.evaluate("button => { button.click(); button.click(); }")
    model_page.expect_number(api.predict("diabetes", api.defaults("diabetes") | {"bmi": 30})["prediction"])
    expect(model_page.errors).to_be_empty()


def test_the_answer_is_announced(model_page: ModelPage) -> None:
    live = model_page.open("diabetes").page.locator("#live")
    expect(live).to_be_empty()
    model_page.predict()
    expect(live).to_contain_text("Predicted disease progression after one year:")


def test_typed_values_leave_no_trace_in_the_logs(model_page: ModelPage, services: Services) -> None:
    model_page.open("diabetes")
    model_page.field("bmi").fill("31.41592")
    model_page.predict()
    expect(model_page.number).to_be_visible()
    assert "/models/diabetes" in services.command.output
    assert "31.41592" not in services.command.output


def permalink(model: str, instance: Instance) -> str:
    """Write the address of an instance as people share it."""
    boxes = ("yearly_income",)  # its box says that it is unknown; choices have an empty one for that
    unknown = [("unknown", name) for name in boxes if name in instance and instance[name] is None]
    rest = [(name, typed(value)) for name, value in instance.items() if ("unknown", name) not in unknown]
    return f"/models/{model}?" + urlencode(rest + unknown)
