"""The one table from what went wrong to status and words."""

import pytest
from flask import Flask

from dashboard import errors
from dashboard.app import create_app
from dashboard.errors import DashboardError, ModelServiceError
from dashboard.settings import Settings
from dashboard.views.errors import HTTP_FAILURES, TABLE, failure_of
from tests.dashboard.conftest import GuestBefore, MakeUpstream
from tests.dashboard.guest import HTMX, Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import FAULTS, LEAK, Behaviour, by_hand


def kinds(of: type[DashboardError]) -> set[type[DashboardError]]:
    return {of} | {kind for below in of.__subclasses__() for kind in kinds(below)}


def test_every_error_has_its_status_and_words() -> None:
    assert set(TABLE) == kinds(DashboardError) - {DashboardError, ModelServiceError}


def test_the_tree_in_the_documentation_names_every_error() -> None:
    assert errors.__doc__
    assert all(kind.__name__ in errors.__doc__ for kind in kinds(DashboardError))


def test_trying_again_is_offered_where_it_may_help() -> None:
    assert {kind for kind, failure in TABLE.items() if failure.retry} == kinds(ModelServiceError) - {ModelServiceError}
    assert all(failure.status >= 500 for failure in TABLE.values() if failure.retry)


@pytest.mark.parametrize(
    ("name", "title"),
    [("closes at once", "away"), ("trickles its body", "did not answer in time"), ("answers null", "makes no sense")],
)
def test_a_page_names_the_fault_and_leads_back_to_itself(
    guest_before: GuestBefore, upstream: MakeUpstream, name: str, title: str
) -> None:
    response = guest_before(upstream(FAULTS[name][0]), timeout=0.2).get("/models/rent?area=80")
    page = Page(response.text)

    assert title in text_of(page.one("h1"))
    assert text_of(page.one("p[@class='overline']")) == str(response.status_code)
    links = {text_of(link): link.get("href") for link in page.by_id("main").iter("a")}
    assert links == {"Try again": "/models/rent?area=80", "All models": "/"}


def test_trying_again_without_a_query_asks_for_the_plain_address(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    page = Page(guest_before(upstream(FAULTS["closes at once"][0])).get("/predict").text)

    assert [link.get("href") for link in page.by_id("main").iter("a")] == ["/predict", "/"]


def test_what_cannot_be_mended_by_trying_again_does_not_offer_it(guest: Guest) -> None:
    page = Page(guest.get("/models/nope").text)

    assert [link.get("href") for link in page.by_id("main").iter("a")] == ["/"]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("fault", "status"), [FAULTS[name] for name in FAULTS if "trickles" not in name and FAULTS[name][1] != 504]
)
def test_no_word_of_the_model_service_reaches_a_page(
    guest_before: GuestBefore, upstream: MakeUpstream, fault: Behaviour, status: int, headers: dict[str, str]
) -> None:
    response = guest_before(upstream(fault)).get("/", headers=headers)

    assert response.status_code == status
    assert not any(
        word in response.text for word in (LEAK, "Traceback", "secret.py", "127.0.0.1", "urllib3", "HTTPConnection")
    )


def test_every_error_shows_the_request_to_quote(guest: Guest) -> None:
    for headers in ({}, HTMX):
        response = guest.get("/nothing", headers={**headers, "X-Request-ID": "quote-me"})
        assert "Request quote-me" in response.text


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/models",
        "/models/",
        "/static/",
        "/%00",
        "/%0d%0aSet-Cookie:x",
        "/" + "a" * 5000,
        "/{{777*777}}",
        "/<script>",
    ],
)
def test_an_unknown_address_is_not_there_and_is_not_repeated(guest: Guest, path: str, headers: dict[str, str]) -> None:
    response = guest.get(path, headers=headers)

    assert response.status_code == 404
    assert "603729" not in response.text  # what a template would make of 777*777
    assert "<script>" not in response.text
    assert ("<html" in response.text) is not bool(headers)


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("DELETE", "/", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/models/wine", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/models/wine/predict", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/predict", {"GET", "HEAD", "OPTIONS", "POST"}),
    ],
)
def test_a_method_that_is_not_taken_names_those_that_are(
    guest: Guest, method: str, address: str, allowed: set[str]
) -> None:
    response = guest.ask(method, address)

    assert response.status_code == 405
    assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize(
    "address", ["//evil.example/x", "//evil.example//x", "/\\evil.example", "/models//diabetes", "/https:evil"]
)
def test_no_address_leads_elsewhere(guest: Guest, address: str) -> None:
    response = guest.ask(
        "GET", "/", environ_overrides={"PATH_INFO": address, "RAW_URI": address, "REQUEST_URI": address}
    )

    assert response.status_code in (308, 404)
    assert response.headers.get("Location", "/").startswith(("/", "http://localhost/"))
    assert not response.headers.get("Location", "/").startswith("//")


def test_the_words_for_http_s_own_errors_are_ours(guest: Guest) -> None:
    for status, (title, _) in HTTP_FAILURES.items():
        assert title
        assert 400 <= status < 500
    assert text_of(Page(guest.get("/nothing").text).one("h1")) == HTTP_FAILURES[404][0]


def test_an_error_that_nobody_expected_is_ours_and_says_nothing_of_itself(model_service: str) -> None:
    app = create_app(Settings(model_api_url=model_service))
    app.add_url_rule("/broken", view_func=lambda: {"known": ""}["secret"])
    page = Page(Guest(app, expect_failure=True).get("/broken").text)

    assert text_of(page.one("h1")) == "Something broke on our side"
    assert "secret" not in page.html


@pytest.mark.parametrize("status", [401, 408, 415, 429, 451, 418])
def test_an_error_without_words_of_its_own_is_a_refusal(model_service: str, status: int) -> None:
    from flask import abort

    app = create_app(Settings(model_api_url=model_service))
    app.add_url_rule("/refused", view_func=lambda: abort(status))
    response = Guest(app).get("/refused")

    assert response.status_code == status
    assert text_of(Page(response.text).one("h1")) == "This request was refused"


def test_a_form_keeps_working_after_an_error_page(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    service = upstream(FAULTS["closes at once"][0])
    guest = guest_before(service)
    failed = guest.get("/")
    service.behaviour = by_hand({"/models": {"models": [], "default": ""}})

    assert failed.status_code == 503
    assert guest.get("/").status_code == 200


@pytest.mark.parametrize(
    ("count", "told"), [(1, "f0: No. Check"), (5, "f4: No. Check"), (7, "f4: No. 2 more features are refused. Check")]
)
def test_refused_features_are_named_up_to_a_few(count: int, told: str) -> None:
    with Flask(__name__).app_context():
        text = failure_of(errors.InvalidInstance({f"f{place}": "no" for place in range(count)})).text

    assert text.startswith("f0: No. ")
    assert told in text
