"""`/models/<name>/panels/<panel>`: fragment, page, and charts."""

import pytest

from dashboard.panels.all import PANELS
from tests.dashboard import kitchen
from tests.dashboard.conftest import Serving
from tests.dashboard.guest import Guest
from tests.dashboard.page import text_of


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
