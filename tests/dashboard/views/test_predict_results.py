"""`GET /predict`: the predictions for the data that came with a model."""

import pytest

from dashboard.records import Quality
from dashboard.views.predict_results import PAGE_ROWS
from tests.dashboard import kitchen
from tests.dashboard.conftest import AskApi, GuestBefore, MakeUpstream, Serving
from tests.dashboard.guest import Guest
from tests.dashboard.kitchen import feature
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import FAULTS, LEAK, Behaviour, by_hand

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
RENT = kitchen.model(feature("area", unit="m²"), feature("furnished", "boolean"), of=kitchen.target(unit="€"))
ROWS = kitchen.reference([700.0, 800.0, 950.0], [720.0, None, 1000.0], row={"area": None, "furnished": False})
KITCHEN = kitchen.answers(RENT, rows=ROWS)


def table(page: Page) -> list[list[str]]:
    """Read the cells of the table of predictions."""
    rows = page.by_id("results").findall("div/table/tbody/tr")
    return [[text_of(cell) for cell in row] for row in rows]


def header(page: Page) -> list[str]:
    return [text_of(cell) for cell in page.by_id("results").findall("div/table/thead/tr/th")]


def test_the_default_model_s_predictions_are_at_predict(guest: Guest) -> None:
    page = guest.page("/predict")

    assert "Diabetes" in text_of(page.one("p[@class='lead']"))
    assert page.is_whole


@pytest.mark.parametrize("name", MODELS)
def test_a_row_shows_what_the_service_predicts_and_what_was_true(guest: Guest, ask_api: AskApi, name: str) -> None:
    served = ask_api("GET", f"/models/{name}/predict?limit=20&offset=20")
    rows = table(guest.page(f"/models/{name}/predict?page=2"))

    assert len(rows) == 20
    for shown, predicted, true in zip(rows, served["prediction"], served["target"], strict=True):
        if isinstance(predicted, str):
            assert shown[1:3] == [predicted, true + (" missed" if predicted != true else "")]
        else:
            assert float(shown[1].replace("−", "-").replace(",", "")) == pytest.approx(predicted, rel=1e-4)
            assert float(shown[2]) == pytest.approx(true)


def test_the_columns_have_their_names_and_units(serving: Serving) -> None:
    page = serving(RENT, rows=ROWS).page("/models/rent/predict")

    assert header(page) == ["Row", "Prediction €", "True value", "area m²", "furnished"]


def test_the_cells_are_written_as_people_read_them(serving: Serving) -> None:
    page = serving(RENT, rows=ROWS).page("/models/rent/predict")

    assert table(page)[1] == ["2: open this case", "800.00", "unknown", "unknown", "no"]


def test_each_row_leads_to_its_case(guest: Guest) -> None:
    page = guest.page("/models/wine/predict?page=2")
    links = [link.get("href") for link in page.by_id("results").iter("a") if "open this case" in text_of(link)]

    assert links == [f"/models/wine?example={row}" for row in range(21, 41)]


def test_pages_lead_to_each_other(guest: Guest) -> None:
    first, second = guest.page("/models/wine/predict"), guest.page("/models/wine/predict?page=2")

    assert first.by_id("page-previous").tag == "span"
    assert first.by_id("page-next").get("href") == "/models/wine/predict?page=2"
    assert second.by_id("page-previous").get("href") == "/models/wine/predict?page=1"
    assert "Page 2 of 9" in text_of(second.one("nav[@class='pages']"))


def test_a_link_and_htmx_ask_for_the_same_page(guest: Guest) -> None:
    link = guest.page("/models/wine/predict").by_id("page-next")

    assert link.get("href") == link.get("hx-get")
    assert link.get("hx-push-url") == "true"


def test_the_last_page_ends_with_the_last_row(guest: Guest, ask_api: AskApi) -> None:
    total = ask_api("GET", "/models/wine/predict?limit=1")["total"]
    last = (total + PAGE_ROWS - 1) // PAGE_ROWS
    page = guest.page(f"/models/wine/predict?page={last}")

    assert page.by_id("page-next").tag == "span"
    assert page.text("results-heading") == f"Rows {(last - 1) * PAGE_ROWS + 1} to {total} of {total}"


def test_htmx_gets_the_table_alone(guest: Guest) -> None:
    fragment = guest.page("/models/wine/predict?page=2", htmx=True)

    assert not fragment.is_whole
    assert [element.get("id") for element in fragment.root] == ["results"]
    assert table(fragment) == table(guest.page("/models/wine/predict?page=2"))


@pytest.mark.parametrize("page", ["0", "-1", "10", "99999999", "1000000000", "abc", "", "1.0", "²", "1 OR 1=1"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_page_that_is_not_there_is_refused(guest: Guest, page: str, htmx: bool) -> None:
    response = guest.get(f"/models/wine/predict?page={page}", htmx=htmx)

    assert response.status_code == 422
    assert "There are pages 1 to 9." in response.text


def test_an_unknown_model_has_no_predictions(guest: Guest) -> None:
    assert guest.get("/models/nope/predict").status_code == 404


def test_the_chart_says_its_finding_and_has_every_format(guest: Guest) -> None:
    page = guest.page("/models/wine/predict")
    links = [link.get("href", "") for link in page.all("a[@download]")]

    assert "are predicted correctly" in text_of(page.one("figcaption"))
    assert [guest.get(link).status_code for link in links] == [200] * 4
    assert guest.get(page.by_id("quality-chart").get("src", "")).mimetype == "image/svg+xml"


def test_tabs_lead_to_the_other_models(guest: Guest) -> None:
    tabs = guest.page("/models/wine/predict").one("nav[@class='tabs']").findall("a")

    assert {tab.get("href") for tab in tabs} == {f"/models/{name}/predict" for name in MODELS}
    assert [tab.get("href") for tab in tabs if tab.get("aria-current")] == ["/models/wine/predict"]


def test_made_up_data_is_called_so(guest: Guest) -> None:
    assert "A program made these rows up" in guest.page("/models/loans/predict").html
    assert "Synthetic" not in guest.page("/models/wine/predict").one("p[@class='lead']").itertext()


def test_hostile_rows_stay_text(serving: Serving) -> None:
    hostile = "<script>alert(1)</script>{{7*7}}"
    model = kitchen.model(
        feature(hostile, "category", categories=(hostile, "b")),
        of=kitchen.target(hostile, "b", name=hostile),
        title=hostile,
    )
    rows = kitchen.reference(
        [hostile] * 3, ["b"] * 3, probabilities=[{hostile: 1.0, "b": 0.0}] * 3, row={hostile: hostile}
    )
    page = serving(model, rows=rows).page("/models/rent/predict")

    assert table(page)[0] == ["1: open this case", hostile, "b missed", hostile]
    assert len(page.all("script")) == 2


@pytest.mark.parametrize("name", ["trickles its body", "resets at once", "answers with another shape", "is overloaded"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_fault_of_the_service_is_said(
    guest_before: GuestBefore, upstream: MakeUpstream, name: str, htmx: bool
) -> None:
    fault: Behaviour
    fault, status = FAULTS[name]
    service = upstream(by_hand(KITCHEN))
    guest = guest_before(service, timeout=0.3)
    guest.page("/models/rent/predict")
    service.behaviour = fault

    response = guest.get("/models/rent/predict", htmx=htmx)

    assert response.status_code == status
    assert LEAK not in response.text
    assert ("<html" in response.text) is not htmx
    assert "case" not in [button.get("form") for button in Page(response.text).all("button")]


def test_rows_of_another_model_are_a_fault(serving: Serving) -> None:
    rows = kitchen.reference([1.0, 2.0], row={"area": 1.0, "furnished": True})

    assert serving(RENT, rows=rows).get("/models/rent/predict").status_code == 502


# Every kind of target and feature


def test_several_numbers_have_two_columns_each(serving: Serving) -> None:
    model = kitchen.model(of=kitchen.target(unit="cm", outputs=("height", "width")))
    rows = kitchen.reference(
        [{"height": 10.0 * i, "width": float(i)} for i in range(1, 4)],
        [{"height": 11.0, "width": 1.23456789012}, None, {"height": 31.0, "width": 3.0}],
    )
    page = serving(model, rows=rows).page("/models/rent/predict")

    assert header(page)[1:5] == ["height, predicted cm", "height, true", "width, predicted cm", "width, true"]
    assert [row[1:5] for row in table(page)] == [
        ["10.000", "11", "1.0000", "1.234568"],
        ["20.000", "unknown", "2.0000", "unknown"],
        ["30.000", "31", "3.0000", "3"],
    ]
    assert text_of(page.one("figcaption")).startswith("Predictions of height for the 2 reference cases")


def test_classes_without_probabilities_have_a_table_and_a_chart(serving: Serving) -> None:
    model = kitchen.model(of=kitchen.target(False, True, probabilities=False))
    page = serving(model, rows=kitchen.reference([False, True, True], [False, True, False])).page(
        "/models/rent/predict"
    )

    assert [row[1:3] for row in table(page)] == [["no", "no"], ["yes", "yes"], ["yes", "no missed"]]
    assert "2 of the 3" in text_of(page.one("figcaption"))


def test_a_time_is_shown_by_the_clock_of_its_zone(serving: Serving) -> None:
    model = kitchen.model(feature("at", "datetime", **kitchen.AMSTERDAM), feature("day", "date"))
    row = {"at": "2026-11-24T08:30:00+00:00", "day": "2026-11-24"}
    page = serving(model, rows=kitchen.reference([1.0] * 3, row=row)).page("/models/rent/predict")

    assert header(page)[3:] == ["at Europe/Amsterdam", "day"]
    assert table(page)[0][3:] == ["2026-11-24 09:30", "2026-11-24"]


def test_a_long_text_is_cut_and_told_on_asking(serving: Serving) -> None:
    model = kitchen.model(feature("wish", "text"), feature("short", "text"))
    row = {"wish": "word " * 2_000, "short": "a word"}
    page = serving(model, rows=kitchen.reference([1.0] * 3, row=row)).page("/models/rent/predict")
    cells = page.by_id("results").findall("div/table/tbody/tr")[0].findall("td")

    assert text_of(cells[2]) == ("word " * 24).strip() + "…"
    assert "clip" in cells[2].get("class", "").split()
    assert len(cells[2].get("title", "")) == 500
    assert text_of(cells[3]) == "a word"
    assert "title" not in cells[3].attrib


@pytest.mark.parametrize("htmx", [True, False])
def test_a_model_that_came_without_data_says_so_kindly(serving: Serving, htmx: bool) -> None:
    guest = serving(kitchen.model(rows=0))
    page = guest.page("/models/rent/predict", htmx=htmx)

    assert page.is_whole is not htmx
    assert "came without data" in text_of(page.by_id("results"))
    assert [link.get("href") for link in page.by_id("results").iter("a")] == ["/models/rent"]
    assert not page.all("img")
    assert guest.page("/predict").is_whole


@pytest.mark.parametrize(
    ("honest", "said"), [(True, "On rows it had not seen: "), (False, "On rows it was fitted on: ")]
)
def test_rows_are_called_new_to_the_model_only_where_they_were(serving: Serving, honest: bool, said: str) -> None:
    error = "mean_absolute_error"
    quality = Quality(method="some rows", honest=honest, headline=error, metrics={error: 1.0})

    assert said in serving(RENT.model_copy(update={"quality": quality}), rows=ROWS).page("/models/rent/predict").html
