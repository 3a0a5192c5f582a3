"""axe-core finds nothing to object to, on every page, in both themes, on a desk and on a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.api import MODELS
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage
from tests.e2e.services import TwoServices
from tests.e2e.watch import Watch

WIDTHS = (1280, 390)
RUN = "axe.run({resultTypes: ['violations']})"


@pytest.fixture(scope="module")
def objections() -> Callable[[Page], list[str]]:
    """Ask axe-core about a page in both themes and both widths; gives what it objects to."""
    script = Axe().axe_script

    def objections(page: Page) -> list[str]:
        page.evaluate(script)
        found = []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme="light" if theme == "light" else "dark")
                for violation in page.evaluate(RUN)["violations"]:
                    nodes = [node["html"][:200] for node in violation["nodes"]]
                    found.append(f"{theme}, {width} wide: {violation['id']}: {violation['help']}: {nodes}")
        return found

    return objections


Objections = Callable[[Page], list[str]]


def test_the_models(page: Page, objections: Objections) -> None:
    page.goto("/")
    assert not objections(page)


@pytest.mark.parametrize("model", MODELS)
def test_a_form_with_refused_values_and_with_its_answer(
    model_page: ModelPage, objections: Objections, watch: Watch, model: str
) -> None:
    watch.expect_status(422)
    page = model_page.open(model).page
    assert not objections(page)
    fields = page.locator('#case input[type="text"]').all()[:3]
    values = [field.input_value() for field in fields]
    for field in fields:
        field.fill("a word")
    model_page.predict()
    expect(model_page.summary).to_be_visible()
    assert not objections(page)
    for field, value in zip(fields, values, strict=True):
        field.fill(value)
    model_page.predict()
    expect(model_page.number).to_be_visible()
    page.locator("#standing-numbers summary").click()
    assert not objections(page)


def test_an_answer_with_warnings_and_a_true_value(page: Page, objections: Objections) -> None:
    page.goto("/models/diabetes?bmi=80&age=150")
    expect(page.locator(".warning")).to_have_count(2)
    assert not objections(page)
    page.goto("/models/loans?example=34")
    assert not objections(page)


@pytest.mark.parametrize(("model", "number"), [("diabetes", 1), ("breast-cancer", 29), ("wine", 9), ("loans", 50)])
def test_the_predictions(page: Page, objections: Objections, model: str, number: int) -> None:
    """The first page of the table and last ones, on which there is nothing before and nothing after."""
    page.goto(f"/models/{model}/predict?page={number}")
    assert not objections(page)


def test_pages_of_errors(page: Page, objections: Objections, watch: Watch) -> None:
    watch.expect_status(404, 422)
    page.goto("/models/nothing")
    assert not objections(page)
    page.goto("/models/diabetes?example=none")
    assert not objections(page)


def test_the_model_service_away(
    open_page: OpenPage, two_services: TwoServices, objections: Objections, watch: Watch
) -> None:
    watch.expect_status(504)
    model_page = ModelPage(open_page(base_url=two_services.dashboard_url)).open("diabetes")
    two_services.pause_api()
    model_page.predict()
    expect(model_page.try_again).to_be_visible()
    assert not objections(model_page.page)
    model_page.page.goto("/predict")
    assert not objections(model_page.page)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/models/breast-cancer/panels/counterfactuals", 200),
        ("/models/loans/panels/counterfactuals?ask.low.age=60&ask.high.age=20&ask.levels.purpose=moon", 422),
        ("/models/diabetes/panels/counterfactuals?ask.bound=few", 422),
        ("/models/loans/panels/decisions?ask.capacity=20", 200),
        ("/models/loans/panels/decisions?ask.false_positive=-1", 422),
    ],
)
def test_what_would_change_it_and_where_the_line_is(
    page: Page, objections: Objections, watch: Watch, address: str, status: int
) -> None:
    if status != 200:
        watch.expect_status(status)
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert not objections(page)
