"""No page is wider than the screen, with nothing moving where that is asked for, and on paper."""

import io
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn
from tests.e2e.watch import Watch

WIDTHS = (320, 390, 768, 1280, 1920)
PATHS = {
    "/": 200,
    "/models/diabetes": 200,
    "/models/diabetes?bmi=80&age=150": 200,
    "/models/breast-cancer?example=2": 200,
    "/models/wine?example=2": 200,
    "/models/loans?example=34": 200,
    "/models/diabetes?bmi=twelve&age=": 422,
    "/models/breast-cancer/predict": 200,
    "/models/diabetes/predict?page=2": 200,
    "/models/nothing": 404,
}
"""Address → status."""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll("*")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll"))
  .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(("path", "status"), PATHS.items())
def test_no_page_is_wider_than_the_screen(page: Page, watch: Watch, path: str, status: int) -> None:
    watch.expect_status(*({status} - {200}))
    page.goto(path)
    expect(page.get_by_role("contentinfo")).to_be_attached()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(TOO_WIDE) == [], width


def test_the_answer_is_pinned_on_a_phone(open_page: OpenPage) -> None:
    model_page = ModelPage(open_page(viewport={"width": 390, "height": 700})).open("breast-cancer")
    model_page.predict()
    pinned = model_page.page.locator(".pinned")
    expect(pinned).to_be_in_viewport()
    expect(pinned).to_contain_text(model_page.number.inner_text())


def test_form_and_answer_are_side_by_side_on_a_desk(model_page: ModelPage) -> None:
    page = model_page.open("diabetes", "?bmi=30").page
    form, answer = page.locator("#case").bounding_box(), page.locator("#answer").bounding_box()
    assert form
    assert answer
    assert form["x"] + form["width"] <= answer["x"]
    expect(page.locator("#number")).to_be_in_viewport()


def test_nothing_moves_when_the_answer_arrives(model_page: ModelPage) -> None:
    page = model_page.open("diabetes").page
    places = (
        "['#case', '#feature-0', '#predict', '#answer'].map(s => document.querySelector(s).getBoundingClientRect().top)"
    )
    before = page.evaluate(places)
    model_page.predict()
    expect_drawn(model_page.chart)
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate(places) == before


@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_nothing_moves_for_who_does_not_want_it(open_page: OpenPage, motion: str, moves: bool) -> None:
    page = open_page(reduced_motion=motion)
    page.goto("/models/diabetes")
    animation: dict[str, Any] = page.locator(".spinner").evaluate(
        "spinner => ({animation: getComputedStyle(spinner).animationName})"
    )
    assert (animation["animation"] != "none") == moves


@pytest.mark.parametrize("path", ["/models/diabetes?bmi=30", "/models/breast-cancer?example=2", "/predict"])
def test_a_page_can_be_printed(page: Page, path: str) -> None:
    page.goto(path)
    expect_drawn(page.locator("#chart, #quality-chart"))
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".downloads", ".site-header nav"):
        expect(page.locator(hidden).first).to_be_hidden()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
    text = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages)
    assert page.locator("h1").inner_text() in text
    if "?" in path:
        assert page.locator("#number").inner_text() in text
