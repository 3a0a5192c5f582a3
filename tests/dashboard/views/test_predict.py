"""`/models/<name>`: the form, and the answer to it; one URL for both, for page and fragment."""

import re
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboard import model_client
from dashboard.charts import Chart
from dashboard.charts.rendering import Key, Renderer
from dashboard.records import InputWarning, Interval, Prediction, ReferencePredictions
from tests.dashboard import kitchen
from tests.dashboard.conftest import SLACK, TIMEOUT, AskApi, GuestBefore, MakeUpstream, Serving
from tests.dashboard.guest import HTMX, Guest, Typed
from tests.dashboard.kitchen import feature
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import (
    BROKEN,
    FAULTS,
    LEAK,
    SLOW,
    Behaviour,
    by_hand,
    only,
    redirecting,
    saying,
    saying_json,
)

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
AIMED_AT_ANSWER = {"HX-Target": "section#answer"}
"""What htmx sends when only the answer is going to be replaced."""
RENT = kitchen.model(
    feature("area", unit="m²"),
    feature("rooms", "integer", missing_allowed=True),
    feature("furnished", "boolean"),
    feature("side", "category"),
    of=kitchen.target(unit="€"),
)
ROW: Mapping[str, Any] = {"area": 70.5, "rooms": 3, "furnished": True, "side": "south"}
ROWS = kitchen.reference([700.0, 800.0, 950.0], [720.0, None, 1000.0], row=ROW)
KITCHEN = kitchen.answers(RENT, predicted=kitchen.prediction(870.25), rows=ROWS)
LET = kitchen.model(of=kitchen.target("let", "empty", positive="let"))
LET_ROWS = kitchen.reference(["let"] * 3, probabilities=[{"let": 0.6, "empty": 0.4}] * 3)


@pytest.fixture
def rent(serving: Serving) -> Guest:
    """A guest of a dashboard with the one model `rent`, which always predicts 870.25 €."""
    return serving(RENT, predicted=kitchen.prediction(870.25), rows=ROWS)


def number(page: Page) -> str:
    """Give the prediction, exactly."""
    return page.by_id("number").get("value", "")


# The form


def test_the_form_opens_with_a_typical_case_and_no_answer(guest: Guest, ask_api: AskApi) -> None:
    page = guest.page("/models/diabetes")
    features = ask_api("GET", "/models/diabetes/versions/1")["signature"]["features"]

    shown = dict(page.fields())
    assert {f["name"]: float(f["default"]) for f in features} == {f["name"]: float(shown[f["name"]]) for f in features}
    assert not page.has_id("number")
    assert "typical case" in text_of(page.by_id("answer"))


def test_form_and_htmx_send_to_the_same_address(rent: Guest) -> None:
    form = rent.page("/models/rent").by_id("case")

    assert form.get("action") == form.get("hx-post") == "/models/rent"
    assert form.get("method") == "post"


def test_made_up_data_is_called_so_on_its_page(guest: Guest) -> None:
    assert "Synthetic data." in guest.page("/models/loans").html
    assert "Synthetic data." not in guest.page("/models/wine").html


@pytest.mark.parametrize("name", ["nope", "DIABETES", "..", "diabetes%00", "%ff", "a" * 300, "{{7*7}}", "x%0d%0ay"])
def test_an_unknown_model_is_not_there(guest: Guest, name: str) -> None:
    response = guest.get(f"/models/{name}")

    assert response.status_code == 404
    assert text_of(Page(response.text).one("h1")) in ("There is no such model", "There is nothing here")


# The answer by htmx


def test_htmx_gets_the_answer_alone_with_its_address(rent: Guest) -> None:
    response = rent.submit("/models/rent", {"area": "80"}, htmx=True)
    fragment = Page(response.text)

    assert response.status_code == 200
    assert not fragment.is_whole
    assert [(element.tag, element.get("id") or element.get("hx-target")) for element in fragment.root] == [
        ("section", "answer"),
        ("hx-partial", "#panels"),
        ("hx-partial", "#pinned"),
    ]
    assert number(fragment) == "870.25"
    assert response.headers["HX-Push-Url"] == "/models/rent?area=80&rooms=3&furnished=true&side=south"


def test_after_errors_htmx_gets_the_whole_workspace(rent: Guest) -> None:
    refused = Page(rent.submit("/models/rent", {"area": "x"}, htmx=True).text)
    response = rent.fill_in(refused, {"area": "80"}, htmx=True)
    fragment = Page(response.text)

    assert refused.by_id("case").get("hx-target") == "#workspace"
    assert [element.get("id") for element in fragment.root] == ["workspace"]
    assert number(fragment) == "870.25"
    assert fragment.by_id("case").get("hx-target") == "#answer"


@pytest.mark.parametrize("target", ["", "div#workspace", "<script>alert(1)</script>", "#answers", "answer", "x" * 5000])
def test_another_target_gets_the_whole_workspace_and_is_not_repeated(rent: Guest, target: str) -> None:
    opened = rent.page("/models/rent")
    response = rent.post("/models/rent", dict(opened.fields()), htmx=True, headers={"HX-Target": target})

    assert [element.get("id") for element in Page(response.text).root] == ["workspace"]
    assert "alert(1)" not in response.text
    assert "xxx" not in response.text


@pytest.mark.parametrize("name", MODELS)
def test_the_address_of_an_answer_opens_as_a_page_with_the_same_answer(guest: Guest, name: str) -> None:
    by_htmx = guest.submit(f"/models/{name}", htmx=True)
    page = guest.page(by_htmx.headers["HX-Push-Url"])

    assert page.is_whole
    assert number(page) == number(Page(by_htmx.text))
    assert page.fields()[1:] == guest.page(f"/models/{name}").fields()[1:]  # all but the token


def test_the_number_is_announced_and_pinned(rent: Guest) -> None:
    fragment = Page(rent.submit("/models/rent", htmx=True).text)

    assert fragment.text("live") == "Predicted rent: 870.25 €"
    assert text_of(fragment.one("hx-partial[@hx-target='#pinned']")) == "870.25 €"
    assert rent.page("/models/rent?area=80").text("pinned") == "870.25 €"
    assert fragment.by_id("live").get("role") == "status"


def test_the_answer_says_who_answered(rent: Guest) -> None:
    fragment = Page(rent.submit("/models/rent", htmx=True).text)

    provenance = text_of(fragment.one("p[@class='provenance quiet']"))
    assert re.fullmatch(r"Answered by rent, version 1, in \d+\.\d ms Request r1", provenance)


def test_an_interval_is_said_in_words(rent: Guest) -> None:
    sentence = text_of(Page(rent.submit("/models/rent", htmx=True).text).one("p[@class='sentence']"))

    assert sentence == (
        "Predicted rent. The true value is likely between 1.00 and 1,000 €: in about 90 of 100 cases it lies in such a "
        "range."
    )


@pytest.mark.parametrize(
    ("interval", "sentence"),
    [
        (Interval(coverage=0.9, classes=("let",)), "At 90 % coverage, only let remains possible."),
        (
            Interval(coverage=0.9, classes=("let", "empty")),
            "At 90 % coverage, let and empty all remain possible: the model cannot tell them apart here.",
        ),
        (None, "There were too few cases to say how sure this is."),
    ],
)
def test_a_set_of_classes_is_said_in_words(serving: Serving, interval: Interval | None, sentence: str) -> None:
    predicted = kitchen.prediction("let", {"let": 0.7, "empty": 0.3}, interval=interval)
    page = serving(LET, predicted=predicted, rows=LET_ROWS).page("/models/rent?area=80")

    assert text_of(page.one("p[@class='sentence']")) == f"Predicted rent. {sentence}"


def test_a_class_comes_with_the_probability_of_each(serving: Serving) -> None:
    predicted = kitchen.prediction("let", {"empty": 0.3, "let": 0.7})
    page = serving(LET, predicted=predicted, rows=LET_ROWS).page("/models/rent?area=80")
    rows = page.one("table[@class='probabilities']").findall("tbody/tr")

    assert number(page) == "let"
    assert [[text_of(cell) for cell in row] for row in rows] == [["let", "70 %", "70 %"], ["empty", "30 %", "30 %"]]
    assert [meter.get("value") for meter in page.all("meter")] == ["0.7", "0.3"]
    assert page.text("live") == "Predicted rent: let · 70 %"


def test_warnings_stand_with_the_answer(serving: Serving) -> None:
    warning = InputWarning(feature="area", code="outside_training_range", message="area 300 is above <all>")
    page = serving(RENT, predicted=kitchen.prediction(870.25, warnings=(warning,)), rows=ROWS).page(
        "/models/rent?area=300"
    )

    assert [text_of(item) for item in page.all("li[@class='warning']")] == ["!Note: area 300 is above <all>"]


def test_hostile_answers_stay_text(serving: Serving) -> None:
    hostile = "<script>alert(1)</script>"
    model = kitchen.model(of=kitchen.target(hostile, "b", name=hostile, positive=hostile))
    shares = {hostile: 0.7, "b": 0.3}
    warning = InputWarning(feature=hostile, code=hostile, message=hostile)
    predicted = kitchen.prediction(hostile, shares, warnings=(warning,), model=hostile, version=hostile)
    rows = kitchen.reference([hostile] * 3, probabilities=[shares] * 3)

    page = serving(model, predicted=predicted, rows=rows).page("/models/rent?area=80")

    assert number(page) == hostile
    assert len(page.all("script")) == 2
    assert "<script>" not in page.html


def test_the_chart_of_an_answer_says_its_finding_and_shows_its_numbers(rent: Guest) -> None:
    page = rent.page("/models/rent?area=80")
    finding = text_of(page.one("figcaption"))

    assert finding.startswith("The prediction, 870.25 €, is higher than for 67 %")
    assert text_of(page.one("picture/img")) == ""
    assert " ".join(page.by_id("chart").get("alt", "").split()) == finding
    assert len(page.one("details[@class='numbers']").findall(".//tbody/tr")) == 24


@pytest.mark.parametrize("name", ["diabetes", "wine"])
def test_every_picture_and_download_of_an_answer_is_there(guest: Guest, name: str) -> None:
    page = guest.page(f"/models/{name}?example=1")
    pictures = [source.get("srcset", "") for source in page.all("source")] + [page.by_id("chart").get("src", "")]
    downloads = [link.get("href", "") for link in page.all("a[@download]")]

    assert len(pictures) == 4
    assert len(downloads) == 4
    assert [guest.get(address).status_code for address in pictures + downloads] == [200] * 8


def test_the_number_is_shown_though_its_chart_could_not_be_had(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    without_rows = kitchen.answers(RENT, predicted=kitchen.prediction(870.25))
    page = guest_before(upstream(by_hand(without_rows)), timeout=10).page("/models/rent?area=80")

    assert number(page) == "870.25"
    assert not page.has_id("chart")
    assert "could not be had just now" in text_of(page.by_id("answer"))


# The answer without JavaScript


def test_without_htmx_the_answer_is_at_its_own_address(rent: Guest) -> None:
    response = rent.submit("/models/rent", {"area": "80"})

    assert response.status_code == 303
    assert response.location == "/models/rent?area=80&rooms=3&furnished=true&side=south"
    assert number(rent.page(response.location)) == "870.25"


def test_the_default_model_answers_at_predict(guest: Guest) -> None:
    response = guest.post("/predict", dict(guest.page("/models/diabetes").fields()))

    assert response.status_code == 303
    assert response.location.startswith("/models/diabetes?")
    assert number(guest.page(response.location))


def test_a_partial_address_is_completed_with_typical_values(guest: Guest) -> None:
    page = guest.page("/models/diabetes?bmi=31.5")
    typical = guest.page("/models/diabetes")

    assert number(page)
    assert page.named("bmi").get("value") == "31.5"
    assert page.named("age").get("value") == typical.named("age").get("value")


@pytest.mark.parametrize("query", ["", "?", "?utm_source=mail", "?page=2"])
def test_an_address_that_names_no_feature_shows_the_form_alone(guest: Guest, query: str) -> None:
    assert not guest.page(f"/models/diabetes{query}").has_id("number")


def test_an_unknown_value_survives_its_address(guest: Guest) -> None:
    page = guest.page(guest.submit("/models/loans", {"unknown": ["yearly_income"]}).location)
    box = next(box for box in page.all("input[@type='checkbox']") if box.get("value") == "yearly_income")

    assert "checked" in box.attrib
    assert page.named("yearly_income").get("value") == ""
    assert "yearly_income is unknown" in text_of(page.by_id("answer"))


@pytest.mark.parametrize("typed", [{}, {"area": "80"}])
def test_what_is_sent_to_the_model_service_is_typed(
    guest_before: GuestBefore, upstream: MakeUpstream, typed: Typed
) -> None:
    service = upstream(by_hand(KITCHEN))

    guest_before(service, timeout=10).submit("/models/rent", typed, htmx=True)

    (asked,) = [asked for asked in service.asked if asked.method == "POST"]
    area = b"80.0" if typed else b"70.5"
    assert asked.body == b'{"data": {"area": ' + area + b', "rooms": 3.0, "furnished": true, "side": "south"}}'


# Values that are not valid


@pytest.mark.parametrize("htmx", [True, False])
def test_messages_stand_beside_their_fields(rent: Guest, htmx: bool) -> None:
    response = rent.submit(
        "/models/rent", {"area": "70,5", "rooms": "2.5", "furnished": "maybe", "side": "up"}, htmx=htmx
    )
    page = Page(response.text)

    assert response.status_code == 422
    assert page.is_whole is not htmx
    for name, message in {"area": "“70,5” is not one", "rooms": "“2.5” is not one", "side": "“up” is not one"}.items():
        assert page.named(name).get("aria-invalid") == "true"
        assert message in page.described(page.named(name))
    group = page.one("div[@role='radiogroup']")
    assert group.get("aria-invalid") == "true"
    assert "“maybe” is not one" in page.described(group)


@pytest.mark.parametrize("htmx", [True, False])
def test_the_summary_leads_to_each_field_with_an_error(rent: Guest, htmx: bool) -> None:
    page = Page(rent.submit("/models/rent", {"area": "x", "rooms": "y"}, htmx=htmx).text)
    summary = page.by_id("error-summary")

    assert "2 values need another look" in text_of(summary)
    assert summary.get("role") == "alert"
    links = [link.get("href", "")[1:] for link in summary.iter("a")]
    assert [page.by_id(link).get("name") for link in links] == ["area", "rooms"]


def test_a_single_error_is_announced_in_the_singular(rent: Guest) -> None:
    page = Page(rent.submit("/models/rent", {"area": "x"}, htmx=True).text)

    assert "1 value needs another look" in page.text("error-summary")


def test_a_valid_form_complains_of_nothing(rent: Guest) -> None:
    page = rent.page("/models/rent?area=80")

    assert not page.has_id("error-summary")
    assert not [element for element in page.root.iter() if "aria-invalid" in element.attrib]


@pytest.mark.parametrize("htmx", [True, False])
def test_typed_text_is_kept_after_an_error(rent: Guest, htmx: bool) -> None:
    typed = {"area": "70,5", "rooms": "", "unknown": ["rooms"], "furnished": "false", "side": "up"}
    page = Page(rent.submit("/models/rent", typed, htmx=htmx).text)

    assert page.fields()[1:] == [
        ("area", "70,5"),
        ("rooms", ""),
        ("unknown", "rooms"),
        ("furnished", "false"),
        ("side", "up"),
    ]


def test_nothing_is_asked_for_values_that_are_not_valid(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))

    guest_before(service, timeout=10).submit("/models/rent", {"area": "x"}, htmx=True)

    assert {asked.method for asked in service.asked} == {"GET"}


def test_an_error_has_no_address(rent: Guest) -> None:
    assert "HX-Push-Url" not in rent.submit("/models/rent", {"area": "x"}, htmx=True).headers


@pytest.mark.parametrize("change", [{"area": []}, {"area": ["1", "2"]}, {"side": []}, {"side": ["north", "south"]}])
def test_a_value_missing_or_sent_twice_is_refused(rent: Guest, change: Typed) -> None:
    (name,) = change
    response = rent.submit("/models/rent", change, htmx=True)

    assert response.status_code == 422
    assert Page(response.text).named(name).get("aria-invalid") == "true"


@pytest.mark.parametrize("value", ["1e999", "-1e999", "9" * 400])
def test_what_only_the_service_can_judge_comes_back_beside_its_field(guest: Guest, value: str) -> None:
    response = guest.submit("/models/diabetes", {"bmi": value}, htmx=True)
    page = Page(response.text)

    assert response.status_code == 422
    assert "out of the range of a 64-bit number" in page.described(page.named("bmi"))
    assert page.named("bmi").get("value") == value


def test_a_refusal_for_no_field_is_shown_with_the_answer(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    problem = {"detail": "the model cannot compute with these values", "errors": []}
    refusing = only("POST", saying_json(problem, "422 Unprocessable Content"), by_hand(KITCHEN))

    response = guest_before(upstream(refusing), timeout=10).submit("/models/rent", htmx=True)

    assert response.status_code == 422
    assert "cannot compute with these values" in Page(response.text).text("errors")


def test_a_refusal_for_an_unknown_feature_is_shown_with_the_answer(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    problem = {"detail": "it is not valid", "errors": [{"feature": "floor", "message": "floor is not a feature"}]}
    refusing = only("POST", saying_json(problem, "422 Unprocessable Content"), by_hand(KITCHEN))

    response = guest_before(upstream(refusing), timeout=10).submit("/models/rent", htmx=True)

    assert response.status_code == 422
    said = Page(response.text).text("errors")
    assert "does not take these values" in said
    assert "floor: Floor is not a feature." in said


def test_a_form_with_too_many_fields_or_too_long_ones_is_refused(rent: Guest) -> None:
    token = rent.token("/models/rent")

    assert rent.post("/models/rent", {"csrf_token": token, "area": "1" * 600_000}).status_code == 413
    many = {f"field{i}": "x" for i in range(1001)}
    assert rent.post("/models/rent", {**many, "csrf_token": token}, htmx=True).status_code == 422


# Reference rows


@pytest.mark.parametrize("htmx", [True, False])
def test_a_random_example_leads_to_a_reference_row(guest: Guest, htmx: bool) -> None:
    response = guest.get("/models/wine/example", htmx=htmx)

    assert response.status_code == 303
    assert re.fullmatch(r"/models/wine\?example=[1-9][0-9]*", response.location)
    assert "no-store" in response.headers["Cache-Control"]
    assert number(guest.page(response.location))


def test_examples_differ(guest: Guest) -> None:
    assert len({guest.get("/models/wine/example").location for _ in range(20)}) > 5


@pytest.mark.parametrize("name", MODELS)
def test_an_example_shows_its_values_and_what_was_true(guest: Guest, ask_api: AskApi, name: str) -> None:
    rows = ask_api("GET", f"/models/{name}/predict?limit=3")
    page = guest.page(f"/models/{name}?example=3")

    sentence = text_of(page.one("p[@class='true-value']"))
    assert sentence.startswith("This is row 3 of the reference data. Its true ")
    assert f": {rows['target'][2]:g}" in sentence if name == "diabetes" else f": {rows['target'][2]}." in sentence
    shown = dict(page.fields())
    numbers = {key: value for key, value in rows["data"][2].items() if isinstance(value, float)}
    assert {key: float(shown[key]) for key in numbers} == numbers


def test_a_fragment_of_an_example_has_the_address_of_its_row(guest: Guest) -> None:
    assert guest.get("/models/wine?example=3", htmx=True).headers["HX-Push-Url"] == "/models/wine?example=3"


def test_a_row_whose_true_value_is_unknown_claims_none(rent: Guest) -> None:
    sentence = text_of(rent.page("/models/rent?example=2").one("p[@class='true-value']"))

    assert sentence == "This is row 2 of the reference data."


@pytest.mark.parametrize("text", ["0", "-1", "4", "99999999", "1e0", "1.0", "", "x", "²", "٣", "1 ", "+1", "' OR 1=1"])
def test_a_row_that_is_not_there_is_refused(rent: Guest, text: str) -> None:
    response = rent.ask("GET", "/models/rent", query_string={"example": text})

    assert response.status_code == 422
    assert "There are reference rows 1 to 3." in response.text


@pytest.mark.parametrize("name", MODELS)
def test_fifty_reference_rows_show_what_the_service_predicts(
    monkeypatch: pytest.MonkeyPatch, guest_before: GuestBefore, model_service: str, ask_api: AskApi, name: str
) -> None:
    monkeypatch.setattr("dashboard.app.Renderer", Undrawn)
    guest = guest_before(model_service, timeout=20)
    rows = ask_api("GET", f"/models/{name}/predict?limit=50")["data"]
    assert len(rows) == 50

    for position, row in enumerate(rows, start=1):
        answer = ask_api("POST", f"/models/{name}/predict", {"data": row})
        shown = Page(guest.get(f"/models/{name}?example={position}", headers=HTMX | AIMED_AT_ANSWER).text)
        assert number(shown) == str(answer["prediction"])
        assert shown_shares(shown) == (answer.get("probabilities") or {})


class Undrawn(Renderer):
    """Draws nothing ahead: the numbers are what matters."""

    def start(self, key: Key, chart: Chart) -> Future[bytes]:  # noqa: ARG002 -- as the parent takes them
        nothing: Future[bytes] = Future()
        nothing.set_result(b"")
        return nothing


@pytest.mark.parametrize("name", MODELS)
def test_typed_reference_rows_show_what_the_service_predicts(guest: Guest, ask_api: AskApi, name: str) -> None:
    rows = ask_api("GET", f"/models/{name}/predict?limit=5")["data"]

    for position, row in enumerate(rows, start=1):
        answer = ask_api("POST", f"/models/{name}/predict", {"data": row})
        example = guest.page(f"/models/{name}?example={position}")
        typed = Page(guest.fill_in(example, htmx=True).text)
        assert number(typed) == str(answer["prediction"])
        assert shown_shares(typed) == (answer.get("probabilities") or {})


def shown_shares(page: Page) -> dict[str, float]:
    rows = page.all("table[@class='probabilities']/tbody/tr")
    return {text_of(row[0]): float(row.findall("td/meter")[0].get("value", "")) for row in rows}


# The token


def spoilt(token: str) -> dict[str, str]:
    return {"missing": "", "wrong": "x" + token, "of another form": "IjEi.abc.def"}


@pytest.mark.parametrize("kind", ["missing", "wrong", "of another form"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_form_whose_token_is_not_good_comes_back_as_it_was_typed(rent: Guest, kind: str, htmx: bool) -> None:
    opened = rent.page("/models/rent")
    token = spoilt(opened.named("csrf_token").get("value", ""))[kind]

    response = rent.fill_in(opened, {"csrf_token": token, "area": "12.34", "side": "west"}, htmx=htmx)
    page = Page(response.text)

    assert response.status_code == 400
    assert page.is_whole is not htmx
    assert page.named("area").get("value") == "12.34"
    assert ("side", "west") in page.fields()
    assert "Nothing is lost" in page.text("errors")
    assert not page.has_id("number")


@pytest.mark.parametrize("htmx", [True, False])
def test_pressing_again_after_a_bad_token_works(rent: Guest, htmx: bool) -> None:
    refused = rent.submit("/models/rent", {"csrf_token": "", "area": "12.34"}, htmx=htmx)

    again = rent.fill_in(Page(refused.text), htmx=htmx)

    assert again.status_code == (200 if htmx else 303)
    assert "area=12.34" in (again.headers.get("HX-Push-Url") or again.location)


def test_a_page_that_was_open_over_a_restart_keeps_what_was_typed(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    service = upstream(by_hand(KITCHEN))
    before, after = guest_before(service, timeout=10), guest_before(service, timeout=10)
    opened = before.page("/models/rent")
    session = before.client.get_cookie("servery")
    assert session
    after.client.set_cookie("servery", session.value)

    refused = after.fill_in(opened, {"area": "12.34"}, htmx=True)

    assert refused.status_code == 400
    assert Page(refused.text).named("area").get("value") == "12.34"
    assert after.fill_in(Page(refused.text), htmx=True).status_code == 200


def test_a_token_of_another_visitor_is_not_good(rent: Guest) -> None:
    stranger = Guest(rent.client.application)

    assert rent.submit("/models/rent", {"csrf_token": stranger.token("/models/rent")}).status_code == 400


def test_a_page_may_stay_open_all_day(rent: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = rent.page("/models/rent")
    tomorrow = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: tomorrow)

    assert rent.fill_in(opened).status_code == 303


def test_a_token_that_is_not_good_asks_nothing(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))

    guest_before(service, timeout=10).submit("/models/rent", {"csrf_token": ""})

    assert {asked.method for asked in service.asked} == {"GET"}


def test_the_default_form_comes_back_too(guest: Guest) -> None:
    response = guest.post("/predict", {"bmi": "31.5"})

    assert response.status_code == 400
    assert Page(response.text).named("bmi").get("value") == "31.5"


@pytest.mark.parametrize("address", ["/models/nope", "/models/nope?x=1"])
def test_a_form_of_no_model_without_a_token_is_not_there(guest: Guest, address: str) -> None:
    assert guest.post(address, {"a": "1"}).status_code == 404


# Faults of the model service

SOME_FAULTS = {
    name: FAULTS[name]
    for name in ("trickles its body", "resets in the middle of its body", "answers with NaN", "fails with a traceback")
}


@pytest.mark.parametrize(("fault", "status"), FAULTS.values(), ids=FAULTS)
def test_a_fault_leaves_the_page_with_what_was_typed(
    guest_before: GuestBefore, upstream: MakeUpstream, fault: Behaviour, status: int
) -> None:
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service)
    opened = guest.page("/models/rent")
    service.behaviour = fault
    began = time.monotonic()

    response = guest.fill_in(opened, {"area": "12.34"})
    took = time.monotonic() - began
    page = Page(response.text)

    assert took < TIMEOUT + SLACK
    assert response.status_code == status
    assert page.is_whole
    assert page.named("area").get("value") == "12.34"
    assert "Nothing that you typed is lost" in page.text("errors")
    assert LEAK not in response.text
    assert "secret.py" not in response.text


@pytest.mark.parametrize(("fault", "status"), SOME_FAULTS.values(), ids=SOME_FAULTS)
def test_a_fault_gives_htmx_a_note_to_put_beside_the_form(
    guest_before: GuestBefore, upstream: MakeUpstream, fault: Behaviour, status: int
) -> None:
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service)
    opened = guest.page("/models/rent")
    service.behaviour = fault
    began = time.monotonic()

    response = guest.fill_in(opened, {"area": "12.34"}, htmx=True)
    took = time.monotonic() - began
    note = Page(response.text)

    assert took < TIMEOUT + SLACK
    assert response.status_code == status
    assert [element.get("class") for element in note.root] == ["failure"]
    assert text_of(note.one("button[@form='case']")) == "Try again"
    assert "HX-Push-Url" not in response.headers
    assert LEAK not in response.text


@pytest.mark.parametrize(("fault", "status"), SOME_FAULTS.values(), ids=SOME_FAULTS)
@pytest.mark.parametrize(
    "address", ["/models/rent", "/models/rent?area=1", "/models/rent/example", "/models/rent?example=1"]
)
def test_a_fault_before_anything_was_seen_is_a_page_that_says_so(
    guest_before: GuestBefore, upstream: MakeUpstream, fault: Behaviour, status: int, address: str
) -> None:
    guest = guest_before(upstream(fault), timeout=0.2)
    began = time.monotonic()

    response = guest.get(address)

    assert time.monotonic() - began < 0.2 + SLACK
    assert response.status_code == status
    assert text_of(Page(response.text).one("h1")).startswith("The model service")
    assert LEAK not in response.text


def test_a_form_opens_from_memory_while_the_service_is_away(
    guest_before: GuestBefore, upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_client, "CATALOGUE_SECONDS", 0)
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service)
    guest.page("/models/rent")
    service.refuse()

    page = guest.page("/models/rent")
    response = guest.fill_in(page, {"area": "12.34"})

    assert response.status_code == 503
    assert Page(response.text).named("area").get("value") == "12.34"


def test_all_that_a_page_asks_has_one_deadline(
    guest_before: GuestBefore, upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_client, "CATALOGUE_SECONDS", 0)
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service, timeout=0.9)
    opened = guest.page("/models/rent")
    service.behaviour = SLOW["accepts and says nothing"]
    began = time.monotonic()

    response = guest.fill_in(opened, {"area": "12.34"})

    assert response.status_code == 504
    assert time.monotonic() - began < 0.9 + SLACK


@pytest.mark.parametrize(
    "fault", [BROKEN["closes at once"], SLOW["trickles its body"], saying(b"HTTP/1.1 500 No\r\n\r\n")]
)
def test_it_answers_again_when_the_service_is_back(
    guest_before: GuestBefore, upstream: MakeUpstream, fault: Behaviour
) -> None:
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service)
    opened = guest.page("/models/rent")
    service.behaviour = fault
    failed = guest.fill_in(opened)
    service.behaviour = by_hand(KITCHEN)

    answered = guest.fill_in(Page(failed.text), htmx=True)

    assert failed.status_code >= 502
    assert number(Page(answered.text)) == "870.25"


def test_it_answers_again_after_the_service_was_killed_and_started_anew(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service)
    opened = guest.page("/models/rent")
    service.refuse()
    away = guest.fill_in(opened)
    service.come_back()

    assert away.status_code == 503
    assert number(guest.page("/models/rent?area=80")) == "870.25"


def test_a_redirect_leads_nobody_elsewhere(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    other = upstream(by_hand(KITCHEN))
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service)
    opened = guest.page("/models/rent")
    service.behaviour = redirecting(f"{other.url}/models/rent/versions/1/predict")

    assert guest.fill_in(opened).status_code == 502
    assert other.connections == 0


NONSENSE = {
    "a word of a regression": kitchen.prediction("high"),
    "probabilities of a regression": kitchen.prediction(870.0, {"870.0": 1.0}),
    "a number beyond all numbers": kitchen.prediction(10**400),
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_a_well_formed_answer_that_makes_no_sense_is_a_fault(serving: Serving, answer: Prediction) -> None:
    response = serving(RENT, predicted=answer, rows=ROWS).get("/models/rent?area=80")

    assert response.status_code == 502


@pytest.mark.parametrize(
    "rows", [kitchen.reference([]), kitchen.reference([700.0] * 2, row=ROW), kitchen.reference([700.0] * 3)]
)
def test_an_example_needs_reference_rows_that_make_sense(serving: Serving, rows: ReferencePredictions) -> None:
    guest = serving(RENT, predicted=kitchen.prediction(870.25), rows=rows)

    assert guest.get("/models/rent?example=3").status_code == 502
    assert number(guest.page("/models/rent?area=80")) == "870.25"


# Several numbers

SIZES = kitchen.model(of=kitchen.target(name="size", unit="cm", outputs=("height", "width", "depth", "weight")))
SIZE = {"height": 30.0, "width": 20.5, "depth": 0.125, "weight": 7.0}
SIZES_ROWS = kitchen.reference(
    [{name: value + i for name, value in SIZE.items()} for i in (-1, 0, 1)],
    [SIZE, None, SIZE],
)


def sizes(serving: Serving, answer: Prediction | None = None) -> Guest:
    return serving(SIZES, predicted=answer or kitchen.prediction(SIZE), rows=SIZES_ROWS)


def output_rows(page: Page) -> list[list[str]]:
    return [[text_of(cell) for cell in row] for row in page.one("table[@class='outputs']").iter("tr")]


def test_each_of_several_numbers_stands_in_a_table_with_its_range(serving: Serving) -> None:
    page = sizes(serving).page("/models/rent?area=80")

    assert output_rows(page) == [
        ["Output", "Predicted cm", "Likely range"],
        ["height", "30.000", "1.00 to 1,000"],
        ["width", "20.500", "1.00 to 1,000"],
        ["depth", "0.12500", "1.00 to 1,000"],
        ["weight", "7.0000", "1.00 to 1,000"],
    ]
    assert "in about 90 of 100 cases" in text_of(page.one("p[@class='sentence']"))


def test_the_first_of_several_numbers_are_large_and_announced(serving: Serving) -> None:
    page = sizes(serving).page("/models/rent?area=80")
    large = page.one("dl[@class='hero hero-several']").findall("div")

    assert [text_of(part) for part in large] == ["height 30.000 cm", "width 20.500 cm", "depth 0.12500 cm"]
    assert number(page) == "30.0"
    assert page.text("live") == "Predicted size: height 30.000 cm · width 20.500 cm · depth 0.12500 cm and 1 more"
    assert page.text("pinned") == "height 30.000 cm · width 20.500 cm · depth 0.12500 cm and 1 more"


def test_several_numbers_without_ranges_claim_none(serving: Serving) -> None:
    page = sizes(serving, kitchen.prediction(SIZE, interval=None)).page("/models/rent?area=80")

    assert output_rows(page)[0] == ["Output", "Predicted cm"]
    assert "too few cases" in text_of(page.one("p[@class='sentence']"))


def test_a_reference_row_of_several_numbers_has_its_true_ones_beside_them(serving: Serving) -> None:
    guest = sizes(serving)
    known, unknown = guest.page("/models/rent?example=1"), guest.page("/models/rent?example=2")

    assert output_rows(known)[1] == ["height", "30.000", "1.00 to 1,000", "30"]
    assert "Its true values are in the table." in text_of(known.one("p[@class='true-value']"))
    assert output_rows(unknown)[0] == ["Output", "Predicted cm", "Likely range"]
    assert text_of(unknown.one("p[@class='true-value']")) == "This is row 2 of the reference data."


def test_the_first_three_of_several_numbers_have_a_chart_each(serving: Serving) -> None:
    guest = sizes(serving)
    page = guest.page("/models/rent?area=80")
    findings = [text_of(caption) for caption in page.all("figcaption")]
    links = [link.get("href", "") for link in page.all("a[@download]")]
    pictures = [page.by_id(name).get("src", "") for name in ("chart", "chart-2", "chart-3")]

    assert [finding.split(",")[0] for finding in findings] == [
        f"The predicted {name}" for name in ("height", "width", "depth")
    ]
    assert len({guest.get(address).headers["ETag"] for address in links}) == 12
    assert len({guest.get(address).headers["ETag"] for address in pictures}) == 3
    assert "CSV of the chart of width" in [text_of(link) for link in page.all("a[@download]")]


@pytest.mark.parametrize(
    "answer",
    [
        kitchen.prediction(30.0),
        kitchen.prediction({"height": 30.0}),
        kitchen.prediction({**SIZE, "colour": 1.0}),
        kitchen.prediction(SIZE, interval=Interval(coverage=0.9, low=1.0, high=2.0)),
        kitchen.prediction(SIZE, interval=Interval(coverage=0.9, low={"height": 1.0}, high={"height": 2.0})),
        kitchen.prediction(SIZE, SIZE),
    ],
)
def test_several_numbers_that_are_not_those_of_the_model_are_a_fault(serving: Serving, answer: Prediction) -> None:
    assert sizes(serving, answer).get("/models/rent?area=80").status_code == 502


def test_hostile_outputs_stay_text(serving: Serving) -> None:
    hostile = "<script>alert(1)</script>{{7*7}}"
    model = kitchen.model(of=kitchen.target(name=hostile, unit=hostile, outputs=(hostile, "b")))
    both = {hostile: 1.0, "b": 2.0}
    guest = serving(model, predicted=kitchen.prediction(both), rows=kitchen.reference([both] * 3))
    page = guest.page("/models/rent?example=1")

    assert len(page.all("script")) == 2
    assert "<script>" not in page.html
    assert output_rows(page)[1][0] == hostile
    assert guest.get(page.by_id("chart").get("src", "")).status_code == 200


# Classes: without probabilities, and yes or no


def test_a_class_without_probabilities_says_that_it_cannot_tell_how_sure_it_is(serving: Serving) -> None:
    model = kitchen.model(of=kitchen.target("let", "empty", probabilities=False))
    guest = serving(model, predicted=kitchen.prediction("let"), rows=kitchen.reference(["let", "empty", "let"]))
    page = guest.page("/models/rent?example=1")

    assert number(page) == "let"
    assert text_of(page.one("p[@class='hero']")) == text_of(page.by_id("pinned")) == "let"
    assert text_of(page.one("p[@class='sentence']")) == (
        "Predicted rent. This model gives a class and no probabilities, so it cannot say how sure it is."
    )
    assert not page.all("meter")
    assert not page.all("figure")
    assert "could not be had" not in text_of(page.by_id("answer"))
    assert "Its true rent: let." in text_of(page.one("p[@class='true-value']"))


def test_a_class_without_probabilities_needs_no_reference_rows(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    model = kitchen.model(of=kitchen.target("let", "empty", probabilities=False))
    service = upstream(by_hand(kitchen.answers(model, predicted=kitchen.prediction("let"))))

    assert number(guest_before(service, timeout=10).page("/models/rent?area=80")) == "let"
    assert "/models/rent/versions/1/predict" not in [asked.path for asked in service.asked if asked.method == "GET"]


def test_true_and_false_are_said_as_yes_and_no(serving: Serving) -> None:
    model = kitchen.model(of=kitchen.target(False, True, name="let", positive=True))
    shares = {"False": 0.3, "True": 0.7}
    answer = kitchen.prediction(True, shares, interval=Interval(coverage=0.9, classes=(True, False)))
    rows = kitchen.reference([True] * 3, [False] * 3, probabilities=[shares] * 3)
    page = serving(model, predicted=answer, rows=rows).page("/models/rent?example=1")
    shown = [[text_of(cell) for cell in row] for row in page.one("table[@class='probabilities']").findall("tbody/tr")]

    assert page.text("live") == "Predicted let: yes · 70 %"
    assert shown == [["yes", "70 %", "70 %"], ["no", "30 %", "30 %"]]
    assert page.one("tr[@class='is-predicted']").findall("th")[0].text == "yes"
    assert "yes and no all remain possible" in text_of(page.one("p[@class='sentence']"))
    assert "Its true let: no." in text_of(page.one("p[@class='true-value']"))
    assert text_of(page.one("figcaption")).startswith("The probability of yes, 70 %")


# Published without data


@pytest.fixture
def bare(serving: Serving) -> Guest:
    """A guest of a dashboard with a model that came without data."""
    model = kitchen.model(feature(guessed=("minimum", "maximum", "default")), rows=0)
    return serving(model, predicted=kitchen.prediction(5.0, interval=None))


def test_a_model_that_came_without_data_says_what_is_guessed(bare: Guest) -> None:
    page = bare.page("/models/rent")
    head = text_of(page.one("div[@class='page-head']"))

    assert "Published without its data. The ranges and the typical values in the form are guesses" in head
    assert "Quality not measured: published without data." in head
    assert "reference data" not in head
    assert not page.has_id("example")
    assert "about 20 to 150, guessed" in page.described(page.named("area"))
    assert "typical case" not in text_of(page.by_id("answer"))


def test_facts_that_were_told_are_not_called_guesses(serving: Serving) -> None:
    page = serving(kitchen.model(rows=0)).page("/models/rent")

    assert "guess" not in page.html
    assert "Quality not measured: published without data." in page.html


def test_a_model_that_came_without_data_predicts_without_charts(bare: Guest) -> None:
    page = Page(bare.submit("/models/rent", htmx=True).text)

    assert number(page) == "5.0"
    assert "published without data, so there is nothing to tell how sure this is" in text_of(
        page.one("p[@class='sentence']")
    )
    assert not page.all("figure")
    assert "could not be had" not in text_of(page.by_id("answer"))


@pytest.mark.parametrize("address", ["/models/rent/example", "/models/rent?example=1", "/models/rent?example=0"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_model_that_came_without_data_has_no_examples(bare: Guest, address: str, htmx: bool) -> None:
    response = bare.get(address, htmx=htmx)

    assert response.status_code == 422
    assert "came without data: it has no examples" in response.text


# Cases that are too long for an address

TALES = kitchen.model(feature("tale", "text"))


def told(serving: Serving) -> Guest:
    rows = kitchen.reference([1.0] * 3, row={"tale": "Once"})
    return serving(TALES, predicted=kitchen.prediction(1.5), rows=rows)


@pytest.mark.parametrize("htmx", [True, False])
def test_a_text_that_fits_in_an_address_is_kept_in_it(serving: Serving, htmx: bool) -> None:
    guest, tale = told(serving), "a\n" * 1_000
    response = guest.submit("/models/rent", {"tale": tale}, htmx=htmx)
    page = guest.page(response.headers["HX-Push-Url"] if htmx else response.location)

    assert number(page) == "1.5"
    assert dict(page.fields())["tale"] == tale
    assert "too long" not in page.html


def test_a_longer_text_is_answered_at_once_and_says_that_it_has_no_address(serving: Serving) -> None:
    response = told(serving).submit("/models/rent", {"tale": "long " * 1_999})
    page = Page(response.text)

    assert response.status_code == 200
    assert page.is_whole
    assert number(page) == "1.5"
    assert dict(page.fields())["tale"] == "long " * 1_999
    assert "too long for an address" in text_of(page.by_id("answer"))


def test_htmx_shows_a_longer_text_under_no_other_case_s_address(serving: Serving) -> None:
    response = told(serving).submit("/models/rent", {"tale": "long " * 1_999}, htmx=True)

    assert number(Page(response.text)) == "1.5"
    assert response.headers["HX-Push-Url"] == "/models/rent"


# Drawn ahead


@pytest.mark.parametrize(
    ("hints", "theme", "size"),
    [
        ({}, "light", "wide"),
        ({"Sec-CH-Prefers-Color-Scheme": '"dark"'}, "dark", "wide"),
        ({"Sec-CH-Prefers-Color-Scheme": '"light"'}, "light", "wide"),
        ({"Sec-CH-Viewport-Width": "390"}, "light", "narrow"),
        ({"Sec-CH-Viewport-Width": "640", "Sec-CH-Prefers-Color-Scheme": '"dark"'}, "dark", "narrow"),
        ({"Sec-CH-Viewport-Width": "641"}, "light", "wide"),
        ({"Sec-CH-Viewport-Width": "²"}, "light", "wide"),
    ],
)
def test_the_chart_is_drawn_ahead_as_the_browser_will_want_it(
    monkeypatch: pytest.MonkeyPatch, serving: Serving, hints: dict[str, str], theme: str, size: str
) -> None:
    begun: list[Key] = []

    class Noting(Renderer):
        def start(self, key: Key, chart: Chart) -> Future[bytes]:
            begun.append(key)
            return super().start(key, chart)

    monkeypatch.setattr("dashboard.app.Renderer", Noting)
    guest = serving(RENT, predicted=kitchen.prediction(870.25), rows=ROWS)
    response = guest.get("/models/rent?area=80", headers={**HTMX, **hints})
    page = Page(response.text)
    response.close()  # sent
    (ahead,) = begun
    sources = [page.by_id("chart").get("src", "")] + [source.get("srcset", "") for source in page.all("source")]
    (wanted,) = [address for address in sources if looks(address) == (theme, size)]

    assert guest.get(wanted).headers["ETag"] == f'"{ahead.etag}"'


def looks(address: str) -> tuple[str, str]:
    query = dict(parse_qsl(urlsplit(address).query))
    return query.get("theme", "light"), query.get("size", "wide")
