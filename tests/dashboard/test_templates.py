"""What is true of every template, and of every page and fragment that is made of them."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from dashboard.assets import PACKAGE, folder
from dashboard.records import Prediction, Target
from tests.dashboard import kitchen
from tests.dashboard.conftest import GuestBefore, MakeUpstream, Serving
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import BROKEN

TEMPLATES = sorted(folder("templates").glob("*.html"))
CODE = sorted(PACKAGE.rglob("*.py"))
MODELS = ("diabetes", "breast-cancer", "wine", "loans")
PAGES = [
    "/",
    "/predict",
    "/nothing",
    "/models/nope",
    "/models/wine?example=0",
    "/predict?page=0",
    *(f"/models/{name}" for name in MODELS),
    *(f"/models/{name}?example=1" for name in MODELS),
    *(f"/models/{name}/predict?page=2" for name in MODELS),
    "/models/diabetes?bmi=30",
    "/models/diabetes?bmi=x&age=y",
    "/models/loans?unknown=yearly_income&employment=&purpose=nope&home_owner=perhaps",
]
PARTS = {
    "a form": ("/models/wine", "workspace"),
    "an answer": ("/models/wine?example=1", "workspace"),
    "a wrong value": ("/models/diabetes?bmi=x", "workspace"),
    "a table": ("/models/wine/predict?page=2", "results"),
}


OpenedPage = Callable[[str], Page]


@pytest.fixture(scope="module")
def opened(app: Flask) -> OpenedPage:
    """Open a page once for all tests: `opened("/predict")`."""
    return cache(lambda address: Page(Guest(app).get(address).text))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_lifts_the_escaping(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"\|\s*safe\b|autoescape|Markup|\|\s*tojson", text)


@pytest.mark.parametrize("path", [path for path in CODE if path.name != "card.py"], ids=lambda path: path.name)
def test_no_code_lifts_the_escaping(path: Path) -> None:
    # The card of a model is Markdown: test_card.py looks at what becomes of it.
    text = path.read_text()

    assert not re.search(r"Markup|render_template_string|markupsafe", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_what_the_policy_forbids(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"\sstyle=|<style|\son\w+=|hx-on|javascript:|hx-trigger=\"[^\"]*\[|\bjs:|https?://", text)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_a_language_a_title_and_one_heading(opened: OpenedPage, address: str) -> None:
    page = opened(address)

    assert page.is_whole
    assert page.html.startswith("<!doctype html>")
    assert page.one("html").get("lang") == "en"
    assert text_of(page.one("title")).endswith("Servery")
    assert text_of(page.one("h1"))
    assert page.one("main").get("id") == "main"
    assert page.one("a[@class='skip-link']").get("href") == "#main"


@pytest.mark.parametrize("address", PAGES)
def test_no_page_holds_anything_that_the_policy_forbids(opened: OpenedPage, address: str) -> None:
    keep_to_the_policy(opened(address))


@pytest.mark.parametrize("address", [address for address, _ in PARTS.values()])
def test_no_fragment_holds_anything_that_the_policy_forbids(guest: Guest, address: str) -> None:
    keep_to_the_policy(Page(guest.get(address, htmx=True).text))


def keep_to_the_policy(page: Page) -> None:
    for element in page.root.iter():
        assert element.tag not in ("style", "iframe", "object", "embed", "base")
        assert element.tag != "script" or (
            element.get("src", "").startswith("/static/") and not (element.text or "").strip()
        )
        for name, value in element.attrib.items():
            assert name != "style"
            assert not name.startswith(("on", "hx-on", "data-hx-on"))
            assert not value.strip().lower().startswith(("javascript:", "js:", "data:"))
            if name in ("src", "href", "action", "srcset") or name.startswith("hx-get"):
                assert value.startswith(("/", "#"))
                assert not value.startswith("//")


@pytest.mark.parametrize("address", PAGES)
def test_every_reference_within_a_page_leads_to_something(opened: OpenedPage, address: str) -> None:
    page = opened(address)
    pointers = ("for", "aria-labelledby", "aria-describedby", "form")

    named = {name for e in page.root.iter() for key in pointers for name in e.get(key, "").split()}
    anchors = {link.get("href", "")[1:] for link in page.all("a") if link.get("href", "").startswith("#")}
    assert named | anchors <= set(page.ids)


EVERY_KIND = [
    kitchen.feature("day", "date", missing_allowed=True),
    kitchen.feature("at", "datetime", **kitchen.AMSTERDAM),
    kitchen.feature("wish", "text", missing_allowed=True),
    kitchen.feature("town", "category", categories=tuple(f"Town {i}" for i in range(200)), missing_allowed=True),
    kitchen.feature("guess", guessed=("minimum",)),
]
ROW = {feature.name: feature.default for feature in EVERY_KIND}
TARGETS: dict[str, tuple[Target, Prediction]] = {
    "several numbers": (kitchen.target(outputs=("a", "b", "c", "d")), kitchen.prediction(dict.fromkeys("abcd", 1.0))),
    "a class alone": (kitchen.target("a", "b", probabilities=False), kitchen.prediction("a")),
    "yes or no": (kitchen.target(False, True), kitchen.prediction(True, {"False": 0.2, "True": 0.8})),
}


@pytest.mark.parametrize(("target", "answer"), TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("rows", [3, 0])
@pytest.mark.parametrize("query", ["", "?guess=1", "?day=x&at=y&town=z&guess=v", "?example=1", "/predict"])
def test_pages_of_every_kind_of_model_are_pages_like_the_others(
    serving: Serving, target: Target, answer: Prediction, rows: int, query: str
) -> None:
    shares = None if answer.probabilities is None else [answer.probabilities] * 3
    reference = kitchen.reference([answer.prediction] * 3, probabilities=shares, row=ROW)
    guest = serving(kitchen.model(*EVERY_KIND, of=target, rows=rows), predicted=answer, rows=reference)
    page = Page(guest.get(f"/models/rent{query}").text)

    keep_to_the_policy(page)
    assert all(page.label(control.get("id", "")) for control in controls(page))
    pointers = ("for", "aria-labelledby", "aria-describedby", "list")
    assert {name for e in page.root.iter() for key in pointers for name in e.get(key, "").split()} <= set(page.ids)


@pytest.mark.parametrize("address", PAGES)
def test_every_control_has_a_label(opened: OpenedPage, address: str) -> None:
    page = opened(address)

    assert all(page.label(control.get("id", "")) for control in controls(page))


def controls(page: Page) -> list[ET.Element]:
    tags = ("input", "select", "textarea")
    return [element for element in page.root.iter() if element.tag in tags and element.get("type") != "hidden"]


@pytest.mark.parametrize("address", PAGES)
def test_headings_go_down_one_step_at_a_time(opened: OpenedPage, address: str) -> None:
    page = opened(address)
    levels = [int(e.tag[1]) for e in page.root.iter() if re.fullmatch(r"h[1-6]", e.tag)]

    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))


@pytest.mark.parametrize(("address", "root"), PARTS.values(), ids=PARTS)
def test_a_fragment_is_one_element_with_the_id_that_it_replaces(guest: Guest, address: str, root: str) -> None:
    fragment = Page(guest.get(address, htmx=True).text)

    assert [element.get("id") for element in fragment.root] == [root]
    assert not fragment.is_whole
    assert not fragment.all("title")
    assert root in Page(guest.get(address).text).ids


HTMX_PAGES = ["/models/wine", "/models/wine?example=1", "/models/wine/predict?page=2", "/models/diabetes?bmi=x"]


@pytest.mark.parametrize("address", HTMX_PAGES)
def test_what_asks_by_htmx_works_without_it_at_the_same_address(opened: OpenedPage, address: str) -> None:
    asking = [e for e in opened(address).root.iter() if "hx-get" in e.attrib or "hx-post" in e.attrib]

    assert asking
    for element in asking:
        # What is loaded by itself has a link inside.
        links = [link.get("href") for link in element.iter("a")]
        assert element.get("hx-get", element.get("hx-post")) in (element.get("href"), element.get("action"), *links)


@pytest.mark.parametrize("address", HTMX_PAGES)
def test_what_asks_by_htmx_names_a_place_for_the_answer_and_one_for_errors(opened: OpenedPage, address: str) -> None:
    page = opened(address)
    asking = [e for e in page.root.iter() if "hx-get" in e.attrib or "hx-post" in e.attrib]

    for element in asking:
        assert element.get("hx-target", "")[1:] in page.ids
        for status in ("403", "404", "413", "502", "503"):
            place = element.get(f"hx-status:{status}") or element.get(f"hx-status:{status[0]}xx")
            own = f"target:#{element.get('id')} swap:outerHTML"  # a panel tells by itself what went wrong
            assert place == ("target:#errors swap:innerHTML" if element.tag != "section" else own)
            assert "errors" in page.ids


@pytest.mark.parametrize("status", ["400", "422"])
def test_a_form_that_comes_back_takes_the_place_of_the_form(opened: OpenedPage, status: str) -> None:
    form = opened("/models/wine").by_id("case")

    assert form.get(f"hx-status:{status}") == "target:#workspace swap:outerMorph"


@pytest.mark.parametrize("address", ["/", "/models/wine", "/predict"])
def test_a_page_about_an_error_of_the_service_is_a_page_like_the_others(
    guest_before: GuestBefore, upstream: MakeUpstream, address: str
) -> None:
    page = Page(guest_before(upstream(BROKEN["closes at once"])).get(address).text)

    keep_to_the_policy(page)
    assert page.one("html").get("lang") == "en"
    assert text_of(page.one("title")) == "The model service is away – Servery"
    assert len(page.all("h1")) == 1


TITLES: dict[str, tuple[Callable[[Guest], TestResponse], str]] = {
    "models": (lambda guest: guest.get("/"), "Models – Servery"),
    "predictions": (lambda guest: guest.get("/models/wine/predict"), "Predictions of "),
    "not there": (lambda guest: guest.get("/nothing"), "There is nothing here – Servery"),
    "expired": (lambda guest: guest.post("/models/wine", {}), "Wine"),
}


@pytest.mark.parametrize(("ask", "title"), TITLES.values(), ids=TITLES)
def test_the_title_says_where_one_is(guest: Guest, ask: Callable[[Guest], TestResponse], title: str) -> None:
    assert text_of(Page(ask(guest).text).one("title")).startswith(title.strip())
