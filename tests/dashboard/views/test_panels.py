"""`/models/<name>/panels/<panel>`: fragment, page, and charts."""

from typing import Any

import pytest

from dashboard import model_client
from dashboard.panels.all import PANELS
from dashboard.records import Provenance
from tests.dashboard import kitchen
from tests.dashboard.conftest import GuestBefore, MakeUpstream, Serving
from tests.dashboard.guest import Guest
from tests.dashboard.page import text_of
from tests.dashboard.panels.service import explaining
from tests.dashboard.upstream import Behaviour, by_hand

ROBUST: dict[str, Any] = {
    "output": None, "unit": "€", "decision": None, "threshold": None, "within": 50.0, "count": 500,
    "most_sensitive": [], "unknown": [], "milliseconds": 1.0,
}  # fmt: skip


def firm(kept: int, approximation: dict[str, str] | None = None) -> dict[str, Any]:
    """Say that so many of 500 small changes leave the answer."""
    return {**ROBUST, "kept": kept, "changed": 500 - kept, "share": kept / 500, "approximation": approximation}


def test_htmx_gets_a_panel_and_everybody_else_a_page(guest: Guest) -> None:
    fragment, page = (
        guest.page("/models/diabetes/panels/why?bmi=30", htmx=True),
        guest.page("/models/diabetes/panels/why?bmi=30"),
    )

    assert not fragment.is_whole
    assert page.is_whole
    assert page.by_id("panel-why") is not None
    assert "bmi=30" in page.one("a[.='Back to the case and its prediction']").get("href", "")


def test_an_answer_names_each_panel_with_an_address_for_its_case(guest: Guest) -> None:
    page = guest.page("/models/loans?age=33&unknown=yearly_income")
    places = page.by_id("panels").findall("section")

    assert [place.get("id") for place in places] == [f"panel-{panel.name}" for panel in PANELS]
    for place in places:
        address = place.get("hx-get", "")
        assert "age=33" in address
        assert "unknown=yearly_income" in address
        assert place.findall("h2/a")[0].get("href") == address


def test_without_an_answer_there_is_nothing_to_explain(guest: Guest) -> None:
    assert not guest.page("/models/loans").by_id("panels").findall("section")


def test_a_model_without_data_has_no_panels(serving: Serving) -> None:
    bare = kitchen.model(kitchen.feature("area"), reference_rows=0)
    guest = serving(bare)

    assert guest.get("/models/rent/panels/why?area=50").status_code == 404


@pytest.mark.parametrize("panel", [panel.name for panel in PANELS])
def test_a_value_that_is_none_is_refused_by_every_panel(guest: Guest, panel: str) -> None:
    response = guest.get(f"/models/diabetes/panels/{panel}?bmi=rubbish", htmx=True)
    if response.status_code == 404:  # not a panel of a regression
        response = guest.get(f"/models/loans/panels/{panel}?age=rubbish", htmx=True)

    assert response.status_code == 422


def test_an_unknown_panel_is_not_there(guest: Guest) -> None:
    assert guest.get("/models/diabetes/panels/nonsense").status_code == 404


def test_a_panel_s_chart_is_drawn_once(guest: Guest) -> None:
    address = "/models/diabetes/versions/1/panels/why/contributions.svg?bmi=30"
    first = guest.get(address)
    again = guest.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert first.status_code == 200
    assert again.status_code == 304
    assert guest.get(address.replace("30", "31")).headers["ETag"] != first.headers["ETag"]


def test_a_feature_called_like_a_panel_s_parameter_is_no_trouble(serving: Serving) -> None:
    odd = kitchen.model(kitchen.feature("ask.feature"), kitchen.feature("area"))
    page = serving(odd).page("/models/rent")

    assert {"_ask.feature", "area"} <= {name for name, _ in page.fields()}


def test_what_went_wrong_is_said_in_the_panel(guest: Guest) -> None:
    page = guest.get("/models/diabetes/panels/why?ask.class=malignant", htmx=True)

    assert page.status_code == 422
    assert 'id="panel-why"' in page.text
    assert "he option class is for models that predict classes" in page.text


def test_text_of_the_model_is_escaped(guest: Guest) -> None:
    html = guest.page("/models/diabetes/panels/why").html

    assert "<script" not in html.replace("<script src=", "")
    assert text_of(guest.page("/models/diabetes/panels/why", htmx=True).one("h2")) == "Why this prediction?"


def test_a_chart_of_an_approximate_answer_is_known_by_its_numbers(
    upstream: MakeUpstream, guest_before: GuestBefore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_client, "MOMENT_SECONDS", 0.0)

    def saying_kept(kept: int) -> Behaviour:
        answer = {"robustness": firm(kept, {"why": "there was little time"})}
        return explaining(kitchen.model(), kitchen.reference([]), answer, lambda _: kitchen.prediction(1.0))

    service = upstream(saying_kept(400))
    guest, address = guest_before(service, timeout=10), "/models/rent/versions/1/panels/robustness/stays.csv"
    kept = {"If-None-Match": guest.get(address).headers["ETag"]}
    assert guest.get(address, headers=kept).status_code == 304
    service.behaviour = saying_kept(300)

    other = guest.get(address, headers=kept)
    assert other.status_code == 200
    assert "0.6" in other.text


def test_a_panel_is_about_the_version_whose_number_stands_above_it(
    upstream: MakeUpstream, guest_before: GuestBefore
) -> None:
    versions = [kitchen.model(version=number, provenance=Provenance(digest=f"d{number}")) for number in ("1", "2")]
    answers = {**kitchen.answers(versions[0]), **kitchen.answers(versions[1])}
    paths = [f"/models/rent/versions/{number}/explanations/robustness" for number in ("1", "2")]
    service = upstream(by_hand(answers | {f"POST {path}": firm(400) for path in paths}))
    guest = guest_before(service, timeout=10)

    for address in ("?area=50&ask.version=1", "?area=50"):
        guest.page(f"/models/rent/panels/robustness{address}")

    assert [asked.path for asked in service.asked if asked.method == "POST"] == paths
    assert guest.get("/models/rent/panels/robustness?ask.version=9").status_code == 404


def test_an_answer_s_panels_are_about_the_version_that_answered(guest: Guest) -> None:
    places = guest.page("/models/loans?age=33").by_id("panels").findall("section")

    assert all("ask.version=1" in place.get("hx-get", "") for place in places)


@pytest.mark.parametrize("panel", [panel.name for panel in PANELS])
def test_the_controls_of_a_panel_keep_its_version(guest: Guest, panel: str) -> None:
    page = guest.page(f"/models/loans/panels/{panel}?age=33&ask.version=1")

    for form in page.all("form[@method='get']"):
        hidden = [(e.get("name"), e.get("value")) for e in form.findall("input[@type='hidden']")]
        assert hidden.count(("ask.version", "1")) == 1
    assert "ask.version" not in page.one("a[.='Back to the case and its prediction']").get("href", "")


def test_a_refused_value_is_named_with_what_is_wrong_with_it(guest: Guest) -> None:
    html = guest.get("/models/diabetes/panels/why?bmi=rubbish", htmx=True).text

    assert "Body mass index: Enter a number: “rubbish” is not one." in html
