"""Would small changes matter: how often the answer stays, what it hangs on, and what is worth finding out."""

import json
from typing import Any

import pytest

from dashboard.records import ModelVersion
from tests.dashboard import kitchen
from tests.dashboard.conftest import AskApi, GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.panels.service import explaining
from tests.dashboard.upstream import Asked, Connection, saying_json

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
PANEL = "/models/rent/panels/robustness"
RENT = kitchen.model(kitchen.feature(), kitchen.feature("rooms"), of=kitchen.target(unit="€"))
LOAN = kitchen.model(kitchen.feature(), kitchen.feature("rooms"), of=kitchen.target("bad", "good", positive="bad"))
NUMBER = {"output": None, "unit": "€", "decision": None, "threshold": None, "within": 50.0}
CLASS = {"class": "bad", "unit": "probability", "decision": "good", "threshold": None, "within": None}


def said(kept: int, **changes: Any) -> dict[str, Any]:
    """Say that so many of 500 small changes leave the answer."""
    counts = {"share": kept / 500, "count": 500, "kept": kept, "changed": 500 - kept}
    return {**counts, "most_sensitive": [], "unknown": [], **changes}


@pytest.fixture
def before(upstream: MakeUpstream, guest_before: GuestBefore) -> Any:
    """Open a dashboard before a service made by hand: `before(RENT, said(490, **NUMBER))`."""

    def start(model: ModelVersion, answer: dict[str, Any]) -> Guest:
        behaviour = explaining(model, kitchen.reference([]), {"robustness": answer}, lambda _: kitchen.prediction(1.0))
        return guest_before(upstream(behaviour), timeout=10)

    return start


def sentence(page: Page) -> str:
    """Give the first sentence of a panel."""
    return text_of(page.one("p[@role='status']"))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("percent", [1, 5, 10])
def test_every_embedded_model_tells_the_share_that_stays(
    guest: Guest, ask_api: AskApi, name: str, percent: int
) -> None:
    features = ask_api("GET", f"/models/{name}/versions/1")["signature"]["features"]
    data = {feature["name"]: feature["default"] for feature in features}
    asked = {"data": data, "options": {"percent": percent, "milliseconds": 2000}}
    share = ask_api("POST", f"/models/{name}/explanations/robustness", asked)["share"]
    csv = guest.get(f"/models/{name}/versions/1/panels/robustness/stays.csv?ask.percent={percent}").text

    assert float(csv.splitlines()[1].split(",")[1]) == pytest.approx(share, abs=0.1)
    page = guest.page(f"/models/{name}/panels/robustness?ask.percent={percent}", htmx=True)
    checked = [element.get("value") for element in page.all("input[@type='radio']") if "checked" in element.attrib]
    assert checked == [str(percent)]


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (500, "No: all of 500 small changes leave the prediction within ±50.0 €."),
        (490, "Hardly: 98 % of 500 small changes leave the prediction within ±50.0 €, 2 % do not."),
        (400, "Sometimes: 80 % of 500 small changes leave the prediction within ±50.0 €, 20 % do not."),
        (100, "Yes: 20 % of 500 small changes leave the prediction within ±50.0 €, 80 % do not."),
    ],
)
def test_the_sentence_answers_the_question(before: Any, kept: int, words: str) -> None:
    assert sentence(before(RENT, said(kept, **NUMBER)).page(PANEL)).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (CLASS, "leave the answer “good”"),
        ({**CLASS, "decision": "at_least", "threshold": 0.3}, "leave the probability of bad at or above 30 %"),
        ({**CLASS, "decision": "below", "threshold": 0.3}, "leave the probability of bad below 30 %"),
    ],
)
def test_it_tells_what_counts_as_the_same_answer(before: Any, changes: dict[str, Any], words: str) -> None:
    assert words in sentence(before(LOAN, said(490, **changes)).page(PANEL))


def test_a_number_is_compared_with_a_threshold_that_was_asked_for(before: Any) -> None:
    guest = before(RENT, said(490, **{**NUMBER, "within": None, "threshold": 800.0, "decision": "below"}))

    assert "leave the predicted rent below 800.0 €" in sentence(guest.page(f"{PANEL}?ask.threshold=800"))


def test_what_is_no_number_to_compare_with_is_refused_beside_the_field(before: Any) -> None:
    response = before(RENT, said(490, **NUMBER)).get(f"{PANEL}?ask.threshold=much", htmx=True)
    page = Page(response.text)

    assert response.status_code == 422
    assert "“much” is no number" in page.described(page.named("ask.threshold"))
    assert page.named("ask.threshold").get("value") == "much"
    assert "small changes" in sentence(page)


def test_a_number_without_a_range_is_compared_with_the_middle_of_the_predictions(
    upstream: MakeUpstream, guest_before: GuestBefore
) -> None:
    rows = kitchen.reference([700.0, 800.0, 900.0], row={"area": 70.5, "rooms": 3.0})
    answer = said(490, **{**NUMBER, "within": None, "threshold": 800.0, "decision": "below"})
    knowing = explaining(RENT, rows, {"robustness": answer}, lambda _: kitchen.prediction(1.0))
    wanted = saying_json({"detail": "the option threshold must be given"}, "422 Unprocessable Content")

    def answer_with_a_threshold(asked: Asked, connection: Connection) -> None:
        is_given = b"threshold" in asked.body or not asked.path.endswith("/robustness")
        (knowing if is_given else wanted)(asked, connection)

    service = upstream(answer_with_a_threshold)
    page = guest_before(service, timeout=10).page(PANEL, htmx=True)
    field = page.named("ask.threshold")

    assert json.loads(service.asked[-1].body)["options"]["threshold"] == 800
    assert field.get("value") == "800"
    assert "the middle of the predictions" in page.described(field)
    assert "leave the predicted rent below 800.0 €" in sentence(page)


def test_classes_are_not_compared_with_a_number_that_is_typed(before: Any) -> None:
    guest = before(LOAN, said(490, **CLASS))

    assert "ask.threshold" not in guest.page(PANEL).html
    assert guest.get(f"{PANEL}?ask.threshold=much").status_code == 422


def test_it_names_what_the_answer_hangs_on(before: Any) -> None:
    hangs = [{"feature": "rooms", "share_kept_when_only_it_is_disturbed": 0.9}]
    guest = before(LOAN, said(400, **CLASS, most_sensitive=hangs))

    assert "It hangs most on rooms." in sentence(guest.page(PANEL))
    rows = guest.get("/models/rent/versions/1/panels/robustness/stays.csv").text.splitlines()
    assert rows == ["changed,share that stays", "all values at once,0.8", "only rooms,0.9"]


def test_it_tells_what_an_unknown_value_could_change(before: Any) -> None:
    unknown = [
        {"feature": "rooms", "spread": 0.2, "low": 0.1, "high": 0.6},
        {"feature": "area", "spread": 0.1, "low": 0.2, "high": 0.3},
    ]
    page = before(LOAN, said(500, **CLASS, unknown=unknown)).page(PANEL)

    assert "To know rooms would narrow the answer most: with its usual values the probability of bad" in sentence(page)
    assert "10 % to 60 %" in text_of(page.one("table[@class='unusual']"))


@pytest.mark.parametrize("percent", ["0", "7", "all"])
def test_a_percentage_that_cannot_be_chosen_is_refused(guest: Guest, percent: str) -> None:
    assert guest.get(f"/models/diabetes/panels/robustness?ask.percent={percent}").status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"share": 2.0},
        {"decision": None},
        {"unknown": [{"feature": "doors", "spread": 0.1, "low": 0.2, "high": 0.3}]},
        {"most_sensitive": [{"feature": "doors", "share_kept_when_only_it_is_disturbed": 0.9}]},
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(before: Any, changes: dict[str, Any]) -> None:
    assert before(LOAN, {**said(490, **CLASS), **changes}).get(PANEL, htmx=True).status_code == 502


def test_a_case_without_numbers_has_nothing_that_could_move(before: Any) -> None:
    model = kitchen.model(kitchen.feature("part", "category"), of=kitchen.target("bad", "good", positive="bad"))
    guest = before(model, said(500, **CLASS))

    page = guest.page(PANEL)
    assert "nothing that small changes could move" in sentence(page)
    assert not page.all("picture")
    assert guest.get("/models/rent/versions/1/panels/robustness/stays.svg").status_code == 404
