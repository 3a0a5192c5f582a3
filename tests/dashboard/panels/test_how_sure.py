"""How sure is it: ranges and sets at a coverage that is chosen, calibration, and the trust line."""

from typing import Any
from urllib.parse import urlencode

import pytest

from dashboard.records import Interval, ModelVersion, Prediction
from tests.dashboard import kitchen
from tests.dashboard.conftest import AskApi, GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.panels.service import datasheet, explaining, trust

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
RENT = kitchen.model(kitchen.feature(unit="m²"), of=kitchen.target(unit="€"), rows=4)
RENT_ROWS = kitchen.reference([100.0] * 4, [50.0, 91.0, 109.0, 500.0])
SAFE = kitchen.model(of=kitchen.target("a", "b", "c"))
SAFE_ROWS = kitchen.reference(["a"], probabilities=[{"a": 0.7, "b": 0.2, "c": 0.1}])
SETS = {0.8: ("a",), 0.9: ("a", "b"), 0.95: ("a", "b", "c")}
PANEL = "/models/rent/panels/how-sure"


def rent(coverage: float) -> Prediction:
    """Predict 100, and a range that grows with the coverage."""
    half = {0.8: 5.0, 0.9: 10.0, 0.95: 20.0}[coverage]
    return kitchen.prediction(100.0, interval=Interval(coverage=coverage, low=100 - half, high=100 + half))


def safe(coverage: float) -> Prediction:
    """Predict a, and a set that grows with the coverage."""
    shares = {"a": 0.7, "b": 0.2, "c": 0.1}
    return kitchen.prediction("a", shares, interval=Interval(coverage=coverage, classes=SETS[coverage]))


@pytest.fixture
def before(upstream: MakeUpstream, guest_before: GuestBefore) -> Any:
    """Open a dashboard before a service made by hand: `before(RENT, RENT_ROWS, rent)`."""

    def start(model: ModelVersion, rows: Any, predicted: Any, about: Any = None, **said: Any) -> Guest:
        answer = explaining(model, rows, {"trust": trust(model, **said)}, predicted, about)
        return guest_before(upstream(answer), timeout=10)

    return start


def sentence(page: Page) -> str:
    """Give the first sentence of a panel."""
    return text_of(page.one("p[@role='status']"))


@pytest.mark.parametrize("name", MODELS)
def test_every_embedded_model_has_the_panel(guest: Guest, name: str) -> None:
    page = guest.page(f"/models/{name}/panels/how-sure", htmx=True)

    assert not page.is_whole
    assert page.root[0].get("id") == "panel-how-sure"
    assert "This case is inside the training data" in page.html
    assert "90" in sentence(page)


@pytest.mark.parametrize("coverage", [80, 90, 95])
def test_the_range_is_that_of_the_coverage(guest: Guest, ask_api: AskApi, coverage: int) -> None:
    features = ask_api("GET", "/models/diabetes/versions/1")["signature"]["features"]
    data = {feature["name"]: feature["default"] for feature in features}
    asked = {"data": data, "options": {"coverage": coverage / 100}}
    interval = ask_api("POST", "/models/diabetes/predict", asked)["interval"]
    rows = guest.get(
        f"/models/diabetes/versions/1/panels/how-sure/ranges.csv?ask.coverage={coverage}"
    ).text.splitlines()
    found = {row.split(",")[0]: row.split(",")[1:] for row in rows[1:]}

    assert list(map(float, found[f"{coverage} %"])) == [interval["low"], interval["high"]]
    page = guest.page(f"/models/diabetes/panels/how-sure?ask.coverage={coverage}")
    assert f"in about {coverage} of 100 cases" in sentence(page)
    checked = [element.get("value") for element in page.all("input[@type='radio']") if "checked" in element.attrib]
    assert checked == [str(coverage)]


def test_a_coverage_that_cannot_be_chosen_is_refused(guest: Guest) -> None:
    response = guest.get("/models/diabetes/panels/how-sure?ask.coverage=99", htmx=True)

    assert response.status_code == 422
    assert "must be 80, 90 or 95" in response.text


def test_the_sentence_of_a_number_gives_both_ends_with_the_unit(before: Any) -> None:
    said = sentence(before(RENT, RENT_ROWS, rent).page(PANEL))

    assert said.startswith(
        "The true rent is likely between 90.0 and 110 €: in about 90 of 100 cases it lies in such a range."
    )


def test_the_range_is_compared_with_all_reference_cases(before: Any) -> None:
    page = before(RENT, RENT_ROWS, rent).page(PANEL)

    assert "50 % of all 4 reference cases have their true value in this range" in page.html.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        (80, "At 80 % coverage only a remains possible."),
        (90, "At 90 % coverage a and b remain possible, 2 of 3 classes."),
        (95, "At 95 % coverage a, b and c all remain possible: the model cannot tell them apart here."),
    ],
)
def test_the_sentence_of_classes_names_those_that_remain(before: Any, coverage: int, said: str) -> None:
    page = before(SAFE, SAFE_ROWS, safe, datasheet(None)).page(f"{PANEL}?ask.coverage={coverage}")

    assert sentence(page).startswith(said)


def test_the_classes_are_told_with_the_coverages_at_which_they_are_possible(before: Any) -> None:
    guest = before(SAFE, SAFE_ROWS, safe, datasheet(None))
    rows = guest.get("/models/rent/versions/1/panels/how-sure/ranges.csv").text.splitlines()

    assert rows == [
        "class,probability,possible at 80 %,possible at 90 %,possible at 95 %",
        "a,0.7,yes,yes,yes", "b,0.2,no,yes,yes", "c,0.1,no,no,yes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("true", "said"),
    [
        (
            [0.1, 0.72],
            "were measured to be calibrated: off by 1.0 percentage points on average, in 5-fold cross-validation",
        ),
        ([0.1, 0.96], "were measured, and are not calibrated: off by 13 percentage points on average"),
    ],
)
def test_probabilities_are_called_calibrated_only_where_that_was_measured(
    before: Any, true: list[float], said: str
) -> None:
    curve = {"said": [0.1, 0.7], "true": true, "rows": [50, 50]}
    page = before(SAFE, SAFE_ROWS, safe, datasheet({"a": curve})).page(PANEL)

    assert said in page.html.replace("\xa0", " ")
    assert f"Of the 50 cases given about 70 %, {true[1] * 100:.0f} % were a." in page.html.replace("\xa0", " ")


def test_probabilities_measured_on_known_cases_are_not_called_calibrated(before: Any) -> None:
    sheet = datasheet({"a": {"said": [0.1, 0.7], "true": [0.1, 0.72], "rows": [50, 50]}})
    sheet["quality"]["honest"] = False
    html = before(SAFE, SAFE_ROWS, safe, sheet).page(PANEL).html

    assert "calibrated" not in html
    assert "cases that it knew, so it may be further off on new ones" in html


def test_probabilities_that_nobody_measured_are_not_called_calibrated(before: Any) -> None:
    assert "was not measured" in before(SAFE, SAFE_ROWS, safe, datasheet(None)).page(PANEL).html
    assert "could not be found out" in before(SAFE, SAFE_ROWS, safe).page(PANEL).html


def test_a_model_without_probabilities_says_so_and_has_the_trust_line(before: Any) -> None:
    model = kitchen.model(of=kitchen.target("a", "b", probabilities=False))
    guest = before(model, kitchen.reference(["a"]), lambda _: kitchen.prediction("a"))
    page = guest.page(PANEL)

    assert "cannot say how sure it is" in sentence(page)
    assert "inside the training data" in page.html
    assert not page.all("picture")
    assert guest.get("/models/rent/versions/1/panels/how-sure/ranges.svg").status_code == 404


def test_too_few_cases_for_a_range_are_said_to_be_too_few(before: Any) -> None:
    page = before(RENT, RENT_ROWS, lambda _: kitchen.prediction(100.0, interval=None)).page(PANEL)

    assert sentence(page) == "There were too few cases to say at 90 % where the true rent is."
    assert not page.all("picture")


def test_of_several_numbers_one_is_chosen(before: Any) -> None:
    model = kitchen.model(of=kitchen.target(name="size", unit="cm", outputs=("height", "width")))
    rows = kitchen.reference([{"height": 1.0, "width": 2.0}])

    def predicted(coverage: float) -> Prediction:
        ends = {"low": {"height": 10.0, "width": 20.0}, "high": {"height": 11.0, "width": 22.0}}
        return kitchen.prediction({"height": 10.5, "width": 21.0}, interval=Interval(coverage=coverage, **ends))  # type: ignore[arg-type]

    guest = before(model, rows, predicted)
    assert "true height is likely between 10.0 and 11.0 cm" in sentence(guest.page(PANEL))
    page = guest.page(f"{PANEL}?ask.output=width")
    assert "true width is likely between 20.0 and 22.0 cm" in sentence(page)
    hidden = [e.get("value") for e in page.all("input[@type='hidden']") if e.get("name") == "ask.output"]
    assert hidden == ["width"], "the choice of a coverage keeps the output"
    assert guest.get(f"{PANEL}?ask.output=depth").status_code == 422


@pytest.mark.parametrize(
    ("status", "words"), [("inside", "✓Inside"), ("edge", "!At the edge"), ("outside", "✕Outside")]
)
def test_the_trust_line_is_told_in_words_and_by_a_mark(before: Any, status: str, words: str) -> None:
    line = text_of(before(RENT, RENT_ROWS, rent, status=status).page(PANEL).one("p[@class='trust']"))

    assert line == f"{words} This case is {status} the training data."


def test_what_is_unusual_stands_in_a_table(guest: Guest) -> None:
    page = guest.page("/models/diabetes/panels/how-sure?age=150")
    rows = [text_of(row) for row in page.all("table[@class='unusual']")[0].findall("tbody/tr")]

    assert len(rows) == 1
    assert rows[0].startswith("Age")
    assert "above every training value" in rows[0]
    assert rows[0].endswith("Outside")


def test_an_approximation_is_called_one(before: Any) -> None:
    page = before(RENT, RENT_ROWS, rent, approximation={"why": "there are few rows"}).page(PANEL)

    assert "An approximation: there are few rows." in page.html


def test_what_the_service_says_is_text_and_no_markup(before: Any) -> None:
    page = before(RENT, RENT_ROWS, rent, sentence="<b>Bold</b>").page(PANEL)

    assert "&lt;b&gt;Bold" in page.html


@pytest.mark.parametrize(
    "changes",
    [{"features": []}, {"status": "near"}, {"joint": {"status": "inside"}}],
)
def test_trust_that_makes_no_sense_is_refused(before: Any, changes: dict[str, Any]) -> None:
    response = before(RENT, RENT_ROWS, rent, **changes).get(PANEL, htmx=True)

    assert response.status_code == 502


def test_a_range_with_another_coverage_than_was_asked_for_is_refused(before: Any) -> None:
    response = before(RENT, RENT_ROWS, lambda _: rent(0.9)).get(PANEL, htmx=True)

    assert response.status_code == 502


def test_the_form_keeps_the_case(guest: Guest) -> None:
    page = guest.page(f"/models/loans/panels/how-sure?{urlencode({'age': 41, 'unknown': 'yearly_income'})}")
    hidden = [(e.get("name"), e.get("value")) for e in page.all("input[@type='hidden']")]

    assert ("age", "41") in hidden
    assert ("unknown", "yearly_income") in hidden
