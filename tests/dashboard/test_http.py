"""What every answer gets, and who is refused before a view sees the request."""

import gzip
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from dashboard.app import create_app
from dashboard.settings import Settings
from dashboard.views.charts import SVG_POLICY
from tests.dashboard.conftest import GuestBefore, MakeUpstream
from tests.dashboard.guest import HTMX, Guest
from tests.dashboard.upstream import BROKEN, MAD, SLOW, pass_on

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HTMX_HEADERS = {"hx-request", "hx-request-type", "hx-history-restore-request", "hx-boosted", "hx-target"}
VALID = {"age": "50", "sex": "2", "bmi": "26", "bp": "95"}
CHART = "/models/diabetes/versions/1/charts/predicted-true"
STATIC = "/static/000000000000/app.js"

Ask = Callable[[Guest], TestResponse]


def get(address: str, **headers: str) -> Ask:
    return lambda guest: guest.get(address, headers={name.replace("_", "-"): text for name, text in headers.items()})


def asked(method: str, address: str) -> Ask:
    return lambda guest: guest.ask(method, address)


def submitted(address: str, *, htmx: bool = False, **changes: str) -> Ask:
    return lambda guest: guest.submit(address, changes, htmx=htmx)


def posted(address: str, typed: Mapping[str, str], **headers: str) -> Ask:
    return lambda guest: guest.post(address, typed, headers={name.replace("_", "-"): t for name, t in headers.items()})


def submitted_to_the_default(guest: Guest) -> TestResponse:
    return guest.post("/predict", dict(guest.page("/models/diabetes").fields()))


def known_chart(guest: Guest) -> TestResponse:
    return guest.get(f"{CHART}.svg", headers={"If-None-Match": guest.get(f"{CHART}.svg").headers["ETag"]})


def static_file(guest: Guest) -> TestResponse:
    return guest.get(guest.page("/").all("link[@rel='stylesheet']")[0].get("href", ""))


EVERY_ANSWER: dict[str, tuple[Ask, int]] = {
    "first page": (get("/"), 200),
    "first page, HEAD": (asked("HEAD", "/"), 200),
    "first page, OPTIONS": (asked("OPTIONS", "/"), 200),
    "first page, DELETE": (asked("DELETE", "/"), 405),
    "form": (get("/models/diabetes"), 200),
    "form as a fragment": (get("/models/diabetes", **HTMX), 200),
    "form, OPTIONS": (asked("OPTIONS", "/models/diabetes"), 200),
    "form, PUT": (asked("PUT", "/models/diabetes"), 405),
    "form of no model": (get("/models/nope"), 404),
    "form of no model as a fragment": (get("/models/nope", **HTMX), 404),
    "answer by address": (get("/models/diabetes?bmi=30"), 200),
    "answer by a wrong address": (get("/models/diabetes?bmi=x"), 422),
    "answer by form": (submitted("/models/diabetes"), 303),
    "answer by htmx": (submitted("/models/diabetes", htmx=True), 200),
    "wrong value by form": (submitted("/models/diabetes", bmi="x"), 422),
    "wrong value by htmx": (submitted("/models/diabetes", htmx=True, bmi="x"), 422),
    "form without a token": (posted("/models/diabetes", VALID), 400),
    "form of no model without a token": (posted("/models/nope", VALID), 404),
    "form too long": (posted("/models/diabetes", {"bmi": "1" * 600_000}), 413),
    "form from another site": (posted("/models/diabetes", VALID, Sec_Fetch_Site="cross-site"), 403),
    "random example": (get("/models/wine/example"), 303),
    "random example of no model": (get("/models/nope/example"), 404),
    "random example, POST": (asked("POST", "/models/wine/example"), 405),
    "example": (get("/models/wine?example=3"), 200),
    "example that is not there": (get("/models/wine?example=0"), 422),
    "table of the default model": (get("/predict"), 200),
    "table": (get("/models/loans/predict"), 200),
    "table as a fragment": (get("/models/loans/predict?page=2", **HTMX), 200),
    "page of a table that is not there": (get("/predict?page=999"), 422),
    "table, POST": (asked("POST", "/models/loans/predict"), 405),
    "answer of the default model": (submitted_to_the_default, 303),
    "default form without a token": (posted("/predict", VALID), 400),
    "chart": (get(f"{CHART}.svg"), 200),
    "chart, PNG": (get(f"{CHART}.png"), 200),
    "chart, PDF": (get(f"{CHART}.pdf"), 200),
    "chart, CSV": (get(f"{CHART}.csv"), 200),
    "chart that the browser has": (known_chart, 304),
    "chart of another format": (get(f"{CHART}.gif"), 404),
    "chart in another theme": (get(f"{CHART}.svg?theme=pink"), 422),
    "chart, POST": (asked("POST", f"{CHART}.svg"), 405),
    "panel": (get("/models/diabetes/panels/why?bmi=30"), 200),
    "panel as a fragment": (get("/models/diabetes/panels/why?bmi=30", **HTMX), 200),
    "panel of a value that is none": (get("/models/diabetes/panels/why?bmi=x"), 422),
    "panel, unknown": (get("/models/diabetes/panels/nonsense"), 404),
    "panel, POST": (asked("POST", "/models/diabetes/panels/why"), 405),
    "chart of a panel": (get("/models/diabetes/versions/1/panels/why/contributions.svg?bmi=30"), 200),
    "chart of a panel, unknown": (get("/models/diabetes/versions/1/panels/why/nonsense.svg"), 404),
    "chart of a panel, POST": (asked("POST", "/models/diabetes/versions/1/panels/why/contributions.svg"), 405),
    "datasheet": (get("/models/diabetes/about"), 200),
    "datasheet of no model": (get("/models/beer/about"), 404),
    "datasheet, POST": (asked("POST", "/models/diabetes/about"), 405),
    "chart of a datasheet": (get("/models/diabetes/versions/1/about/importance.svg"), 200),
    "chart of a datasheet, unknown": (get("/models/diabetes/versions/1/about/roc.svg"), 404),
    "chart of a datasheet, POST": (asked("POST", "/models/diabetes/versions/1/about/importance.svg"), 405),
    "static file": (static_file, 200),
    "static file of another content": (get(STATIC), 404),
    "static file, POST": (asked("POST", STATIC), 405),
    "readiness": (get("/ready"), 200),
    "readiness, POST": (asked("POST", "/ready"), 405),
    "nothing": (get("/nothing/here"), 404),
    "nothing as a fragment": (get("/nothing/here", **HTMX), 404),
    "slashes to be merged": (get("/models//diabetes"), 308),
    "unknown host": (get("/", Host="evil.example"), 400),
    "unknown host as a fragment": (get("/", Host="evil.example", **HTMX), 400),
}
"""Every route, in every method and with every status that a healthy model service lets it have."""


def sources(policy: str) -> dict[str, str]:
    directives = [directive.split(" ", 1) for directive in policy.split("; ")]
    return dict(directives)


def check_headers(response: TestResponse) -> None:
    """What must be true of any answer."""
    policy = response.headers["Content-Security-Policy"]
    if response.mimetype == "image/svg+xml" or response.status_code == 304:
        assert policy == SVG_POLICY
    else:
        assert sources(policy) == POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert response.headers["X-Request-ID"]
    assert all(len(response.headers.getlist(name)) == 1 for name in set(response.headers.keys()) - {"Set-Cookie"})
    if response.mimetype == "text/html":
        assert response.headers["Cache-Control"] == "no-store"
        assert {name.lower() for name in response.vary} >= HTMX_HEADERS
        assert response.content_type == "text/html; charset=utf-8"


@pytest.mark.parametrize(("ask", "status"), EVERY_ANSWER.values(), ids=EVERY_ANSWER)
def test_every_answer_has_its_status_and_all_security_headers(guest: Guest, ask: Ask, status: int) -> None:
    response = ask(guest)

    assert response.status_code == status
    check_headers(response)


def test_no_route_is_left_out(app: Flask, guest: Guest) -> None:
    seen: set[tuple[str, str]] = set()
    app.before_request_funcs.setdefault(None, []).append(lambda: note(seen))
    try:
        for ask, _ in EVERY_ANSWER.values():
            ask(guest)
    finally:
        app.before_request_funcs[None].pop()

    routes = {(rule.endpoint, method) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert {endpoint for endpoint, _ in routes} == {endpoint for endpoint, _ in seen}
    assert {route for route in routes if route[1] == "POST"} <= seen


def note(seen: set[tuple[str, str]]) -> None:
    from flask import request

    if request.endpoint:
        seen.add((request.endpoint, request.method))


NEED_THE_SERVICE = {
    "first page": get("/"),
    "fragment": get("/", **HTMX),
    "form": get("/models/wine"),
    "random example": get("/models/wine/example"),
    "example": get("/models/wine?example=1"),
    "table": get("/predict"),
    "chart": get("/models/wine/versions/1/charts/confusion.svg"),
    "form without a token": posted("/models/wine", VALID),
    "default form without a token": posted("/predict", VALID),
}


@pytest.mark.parametrize("fault", ["accepts and says nothing", "closes at once", "answers with a page"])
@pytest.mark.parametrize("ask", NEED_THE_SERVICE.values(), ids=NEED_THE_SERVICE)
def test_faults_of_the_model_service_have_all_security_headers(
    guest_before: GuestBefore, upstream: MakeUpstream, fault: str, ask: Ask
) -> None:
    response = ask(guest_before(upstream((SLOW | BROKEN | MAD)[fault]), timeout=0.1))

    assert response.status_code in (502, 503, 504)
    check_headers(response)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_bug_of_ours_has_all_security_headers_and_shows_nothing_of_itself(
    model_service: str, headers: dict[str, str]
) -> None:
    app = create_app(Settings(model_api_url=model_service))
    app.add_url_rule("/broken", view_func=lambda: str(1 / 0))

    response = Guest(app, expect_failure=True).get("/broken", headers=headers)

    assert response.status_code == 500
    check_headers(response)
    assert "Something broke on our side" in response.text
    assert not any(word in response.text for word in ("ZeroDivision", "Traceback", "lambda", ".py"))


# Request id


def test_a_request_id_is_taken_over_and_given_to_the_model_service(
    guest_before: GuestBefore, upstream: MakeUpstream, model_service: str
) -> None:
    service = upstream(pass_on(model_service))

    response = guest_before(service, timeout=10).get("/models/wine?ash=2", headers={"X-Request-ID": "abc-123"})

    assert response.headers["X-Request-ID"] == "abc-123"
    assert "Request abc-123" in response.text
    assert [sent.headers.get("x-request-id") for sent in service.asked if sent.method == "POST"] == ["abc-123"]


@pytest.mark.parametrize("text", ["", "a b", "a" * 129, "größe", "<script>\t"])
def test_a_request_id_that_cannot_be_used_is_replaced(guest: Guest, text: str) -> None:
    given = guest.get("/ready", headers={"X-Request-ID": text}).headers["X-Request-ID"]

    assert len(given) == 32
    assert int(given, 16)


def test_each_request_has_its_own_id(guest: Guest) -> None:
    assert guest.get("/ready").headers["X-Request-ID"] != guest.get("/ready").headers["X-Request-ID"]


# Hosts


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "LOCALHOST", "127.0.0.1", "127.0.0.1:5000", "[::1]", "[::1]:5000"]
)
def test_the_dashboard_opens_under_its_own_names(guest: Guest, host: str) -> None:
    assert guest.get("/ready", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io", "localhost@evil", "*"),
        *("127.0.0.2", "[::2]", "2130706433", "0x7f000001", "", " ", ".", "[", "localhost/", "a\tb"),
        *("localhost:99999", "localhost:", "localhost:5000:5000", "local\u200bhost".encode().decode("latin-1")),
    ],
)
def test_an_unknown_host_is_refused_on_every_address(guest: Guest, host: str) -> None:
    for address in ("/", "/ready", "/models/diabetes", "/nothing", STATIC):
        response = guest.get(address, headers={"Host": host})
        assert response.status_code == 400
        assert "evil" not in response.text


def test_a_forwarded_host_is_not_believed(guest: Guest) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "localhost", "Forwarded": "host=localhost"}

    assert guest.get("/ready", headers=headers).status_code == 400


def test_only_the_hosts_of_the_setting_are_known(model_service: str) -> None:
    guest = Guest(create_app(Settings(model_api_url=model_service, allowed_hosts=("Servery.example",))))

    assert guest.get("/ready", headers={"Host": "servery.example"}).status_code == 200
    assert guest.get("/ready", headers={"Host": "localhost"}).status_code == 400
    assert guest.get("/ready", headers={"Host": "x.servery.example"}).status_code == 400


# Other sites

OWN = "http://localhost"


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Sec-Fetch-Site": "Same-Origin"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": OWN}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OWN}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, False),
        ({"Origin": OWN}, True),
        ({"Origin": "http://localhost:80"}, False),
        ({"Origin": "http://localhost:5000"}, False),
        ({"Origin": "https://localhost"}, False),
        ({"Origin": "http://127.0.0.1"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "http://sub.localhost"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://localhost/"}, False),
        ({"Origin": OWN, "Host": "localhost:5000"}, False),
        ({"Origin": "http://localhost:5000", "Host": "localhost:5000"}, True),
        ({"Origin": "http://[::1]:5000", "Host": "[::1]:5000"}, True),
        ({"Origin": "http://127.0.0.1:5000", "Host": "localhost:5000"}, False),
        ({"Referer": "http://evil.example/"}, True),
        ({"Origin": OWN, "Referer": "http://evil.example/"}, True),
        ({"Sec-Fetch-Site": "cross-site", "HX-Request": "true"}, False),
        ({"Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"}, False),
    ],
)
def test_what_another_site_sends_is_refused(guest: Guest, headers: dict[str, str], allowed: bool) -> None:
    typed = dict(guest.page("/models/diabetes").fields())

    response = guest.post("/models/diabetes", typed, headers=headers)

    # The test client keeps cookies by host: under another name of ours the token is missed, not the site refused.
    assert response.status_code in (
        (303, 200, 400) if allowed and "Host" in headers else (303, 200) if allowed else (403,)
    )


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_link_from_another_site_is_followed(guest: Guest, site: str) -> None:
    assert guest.get("/models/wine?ash=2", headers={"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_method_that_changes_something_comes_from_another_site(guest: Guest, method: str) -> None:
    assert guest.ask(method, "/models/wine", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


# Cookies


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(guest: Guest) -> None:
    (cookie,) = guest.get("/models/diabetes").headers.getlist("Set-Cookie")
    name, *attributes = cookie.split("; ")

    assert name.startswith("servery=")
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Lax"}


@pytest.mark.parametrize("address", ["/", "/predict", "/ready", "/nothing", f"{CHART}.svg"])
def test_only_a_form_needs_a_cookie(guest: Guest, address: str) -> None:
    assert "Set-Cookie" not in guest.get(address).headers


@pytest.mark.parametrize("cookie", ["rubbish", "e30.bad.signature", "x" * 4000, ""])
def test_a_cookie_that_is_not_ours_is_replaced(guest: Guest, cookie: str) -> None:
    guest.client.set_cookie("servery", cookie)

    assert guest.submit("/models/diabetes").status_code == 303


# Compression


@pytest.mark.parametrize("address", ["/", "/models/diabetes", f"{CHART}.svg", f"{CHART}.csv"])
def test_text_is_compressed_for_who_takes_it(guest: Guest, address: str) -> None:
    plain = guest.get(address)
    packed = guest.get(address, headers={"Accept-Encoding": "br, gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    assert without_what_varies(gzip.decompress(packed.data)) == without_what_varies(plain.data)
    assert "Accept-Encoding" in plain.vary
    assert "Accept-Encoding" in packed.vary


def without_what_varies(data: bytes) -> list[bytes]:
    return [line for line in data.splitlines() if b"csrf_token" not in line]


@pytest.mark.parametrize("encoding", ["", "identity", "br", "gzip;q=0"])
def test_nobody_gets_gzip_against_his_will(guest: Guest, encoding: str) -> None:
    assert "Content-Encoding" not in guest.get("/", headers={"Accept-Encoding": encoding}).headers


@pytest.mark.parametrize("address", ["/ready", f"{CHART}.png", f"{CHART}.pdf"])
def test_what_is_short_or_compressed_is_left_as_it_is(guest: Guest, address: str) -> None:
    assert "Content-Encoding" not in guest.get(address, headers={"Accept-Encoding": "gzip"}).headers


# The log


def test_a_request_is_one_line_of_the_log_without_what_was_typed(guest: Guest) -> None:
    with capture_logs() as lines:
        guest.get("/models/diabetes?bmi=31.7", headers={"X-Request-ID": "r1"})

    # The model service is in this process too: its lines name the method of prediction.
    (line,) = [line for line in lines_of(lines, "request") if line["path"] == "/models/diabetes"]
    assert {name: line[name] for name in ("method", "path", "status")} == {
        "method": "GET",
        "path": "/models/diabetes",
        "status": 200,
    }
    assert line["ms"] > 0
    assert "31.7" not in str(line)


@pytest.mark.parametrize("ask", [get("/ready"), static_file])
def test_what_is_asked_all_the_time_is_not_logged(guest: Guest, ask: Ask) -> None:
    with capture_logs() as lines:
        ask(guest)

    assert not [line for line in lines if line.get("path", "").startswith(("/ready", "/static"))]


def lines_of(lines: list[Any], event: str) -> list[Any]:
    return [line for line in lines if line["event"] == event]


def test_a_fault_of_the_model_service_is_a_warning_with_its_reason(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    with capture_logs() as lines:
        guest_before(upstream(BROKEN["is overloaded"])).get("/", headers={"X-Request-ID": "r1"})

    (line,) = lines_of(lines, "Unavailable")
    assert (line["log_level"], line["request_id"]) == ("warning", "r1")
    assert "503" in line["reason"]
