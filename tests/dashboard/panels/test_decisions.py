"""Where the line should be drawn: what the reader says of costs, what the service is asked, and what is said."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from dashboard.explanations_decisions import Decisions
from dashboard.panels.decisions import counted, side
from dashboard.records import ModelVersion, Quality
from tests.dashboard import kitchen
from tests.dashboard.conftest import GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import Behaviour, Upstream, by_hand, message

MODEL = kitchen.model(of=kitchen.target("repaid", "defaulted", name="outcome", positive="defaulted"))
PATH = "/models/rent/panels/decisions"
CALL = "/models/rent/versions/1/explanations/decisions"


def point(threshold: float, wrong: float, missed: float, cost: float, flagged: float) -> dict[str, float]:
    """Make what 400 held-out rows, 100 of them of the class, come to at a threshold."""
    return {
        "threshold": threshold, "false_positives": wrong, "false_negatives": missed, "cost": cost, "flagged": flagged,
    }  # fmt: skip


BEST = point(0.3, 32, 10, 0.205, 0.305)
SERVED = {"class": "defaulted", **point(0.5, 10, 30, 0.4, 0.2)}


def said(**changes: Any) -> dict[str, Any]:
    """Make the service's answer."""
    return {
        "class": "defaulted", "unit": "probability", "positives": 100, "negatives": 300,
        "points": [point(0.0, 300, 0, 0.75, 1.0), BEST, point(1.0, 0, 100, 1.25, 0.0)],
        "best": BEST, "why_none": None, "served": None,
        "case": {"probability": 0.44, "decision": "defaulted", "margin": 0.14},
        "method": "5-fold cross-validation", "approximation": None, "milliseconds": 0.5, **changes,
    }  # fmt: skip


class Desk:
    """A guest before a service that gives one answer, and what the service was asked."""

    def __init__(self, guest: Guest, service: Upstream) -> None:
        self.guest, self._service = guest, service

    def open(self, asked: Mapping[str, str] | None = None, status: int = 200, *, htmx: bool = False) -> Page:
        """Open the panel with its parameters: `open({"capacity": "20"})`; `htmx=True` as a fragment."""
        pairs = urlencode({f"ask.{name}": value for name, value in (asked or {}).items()})
        response = self.guest.get(f"{PATH}?area=40&{pairs}", htmx=htmx)
        assert response.status_code == status, response.text[-2000:]
        return Page(response.text)

    def sentences(self, asked: Mapping[str, str] | None = None) -> str:
        """Give what the panel says first."""
        return " ".join(text_of(found) for found in self.open(asked).all("p[@class='sentence']"))

    @property
    def options(self) -> list[dict[str, Any]]:
        """The options of each call."""
        return [json.loads(asked.body)["options"] for asked in self._service.asked if asked.path == CALL]


MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(upstream: MakeUpstream, guest_before: GuestBefore) -> MakeDesk:
    """Open the panel before a service with an answer: `desk(said())`."""

    def start(answer: Mapping[str, Any] | None = None, model: ModelVersion = MODEL) -> Desk:
        service = upstream(by_hand({**kitchen.answers(model), f"POST {CALL}": dict(answer or said())}))
        return Desk(guest_before(service, timeout=10), service)

    return start


def test_both_mistakes_cost_the_same_unless_told_otherwise(desk: MakeDesk) -> None:
    at = desk()
    page = at.open()

    assert at.options == [{"cost_false_positive": 1.0, "cost_false_negative": 1.0}]
    assert page.label("cost-false-positive") == "Cost of a false alarm: “repaid” taken for “defaulted”"
    assert page.label("cost-false-negative") == "Cost of a miss: “defaulted” taken for “repaid”"


def test_costs_and_a_capacity_in_percent_are_sent_and_stay_in_the_form(desk: MakeDesk) -> None:
    at = desk()
    page = at.open({"false_positive": "0", "false_negative": "2.5e1", "capacity": "20"})

    assert at.options == [{"cost_false_positive": 0.0, "cost_false_negative": 25.0, "capacity": 0.2}]
    assert [page.by_id(f"cost-{name}").get("value") for name in ("false-positive", "false-negative", "capacity")] == [
        "0", "2.5e1", "20",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("false_positive", "", "Enter a number from 0 to 1000000000000."),
        ("false_positive", "-1", "Enter a number from 0 to 1000000000000, not -1."),
        ("false_negative", "dear", "Enter a number from 0 to 1000000000000: “dear” is no number."),
        ("false_negative", "2e12", "Enter a number from 0 to 1000000000000, not 2e12."),
        ("capacity", "101", "Enter a number from 0 to 100, not 101."),
        ("capacity", "5 %", "Enter a number from 0 to 100: “5 %” is no number."),
    ],
)
def test_a_wrong_number_is_refused_beside_its_field_and_kept(desk: MakeDesk, name: str, text: str, error: str) -> None:
    at = desk()
    page = at.open({name: text}, 422)

    field = page.by_id("cost-" + name.replace("_", "-"))
    assert page.described(field) == f"Error: {error}"
    assert field.get("value") == text
    assert [link.get("href") for link in page.all("div[@class='summary']//a")] == [f"#{field.get('id')}"]
    assert at.options == []


def test_the_sentences_say_the_best_line_its_mistakes_and_where_the_case_is(desk: MakeDesk) -> None:
    assert desk().sentences() == (
        "Taking a case for “defaulted” from a probability of 30 % on costs least: 0.205 per case and 205 per 1,000 "
        "cases, among them 80 false alarms and 25 misses. "
        "This case, with a probability of 44 %, is 14 percentage points above the line: it is taken for “defaulted”."
    )


def test_a_capacity_is_part_of_the_sentence(desk: MakeDesk) -> None:
    assert "costs least of what takes at most 35 % of the cases for it:" in desk().sentences({"capacity": "35"})


@pytest.mark.parametrize(
    ("flagged", "words"), [(1.0, "Taking every case for “defaulted” costs least"), (0.0, "Taking no case")]
)
def test_a_line_with_all_cases_on_one_side_is_called_so(desk: MakeDesk, flagged: float, words: str) -> None:
    assert words in desk(said(best={**BEST, "flagged": flagged})).sentences()


def test_the_line_in_use_is_compared_with_the_best(desk: MakeDesk) -> None:
    at = desk(said(served=SERVED))

    assert at.sentences().endswith(
        "The line in use is at 50 %, and this case is 6.0 percentage points below the line. "
        "It costs 400 per 1,000 cases, 195 more than the best one."
    )
    rows = [[text_of(cell) for cell in row] for row in at.open().one("table[@class='lines']").iter("tr")]
    assert rows == [
        ["Line", "From", "Cost", "False alarms", "Misses", "Taken"],
        ["Best", "30 %", "205", "80", "25", "30.5 %"],
        ["In use", "50 %", "400", "25", "75", "20 %"],
    ]


def test_a_line_in_use_that_is_as_good_is_called_so(desk: MakeDesk) -> None:
    assert (
        desk(said(served={**SERVED, "cost": 0.205})).sentences().endswith("205 per 1,000 cases, as the best one does.")
    )


def test_a_line_in_use_may_cost_less_by_taking_more_than_can_be(desk: MakeDesk) -> None:
    assert "5.00 less, but takes more cases than can be." in desk(said(served={**SERVED, "cost": 0.2})).sentences()


def test_when_no_line_is_within_the_capacity_it_says_why(desk: MakeDesk) -> None:
    case = {"probability": 0.44, "decision": None, "margin": None}
    none = said(best=None, why_none="each threshold flags more than 0 of the held-out rows", case=case)

    assert desk(none).sentences() == ("No line can be drawn. Each threshold flags more than 0 of the held-out rows.")


def test_the_small_print_names_the_rows_and_how_they_were_held_out(desk: MakeDesk) -> None:
    at = desk(said(approximation={"why": "the served threshold lies between two"}))
    text = text_of(at.open().by_id("main"))

    assert "Counted on 400 held-out rows, 100 of them “defaulted”, by 5-fold cross-validation" in text
    assert "An approximation: the served threshold lies between two." in text


def test_the_chart_has_the_numbers_of_every_threshold(desk: MakeDesk) -> None:
    at = desk()
    page = at.open({"capacity": "50"})
    csv = next(
        link.get("href", "") for link in page.all("div[@class='downloads']//a") if ".csv" in link.get("href", "")
    )

    assert "ask.capacity=50" in csv
    assert at.guest.get(csv).text.splitlines() == [
        "threshold,false positives,false negatives,share flagged,cost per case",
        "0.0,300.0,0.0,1.0,0.75",
        "0.3,32.0,10.0,0.305,0.205",
        "1.0,0.0,100.0,0.0,1.25",
    ]


@pytest.mark.parametrize("htmx", [True, False])
def test_a_version_whose_mistakes_were_not_counted_says_so_plainly(
    upstream: MakeUpstream, guest_before: GuestBefore, htmx: bool
) -> None:
    rest = by_hand(kitchen.answers(MODEL))
    problem = message(b'{"detail": "the mistakes were not counted"}', "501 Not Implemented", "application/problem+json")
    behaviour: Behaviour = lambda asked, c: c.send(problem) if asked.path == CALL else rest(asked, c)  # noqa: E731 -- its type is told where it is made
    page = guest_before(upstream(behaviour), timeout=10).page(f"{PATH}?area=40", htmx=htmx)

    assert text_of(page.one("p[@class='sentence']")) == "This cannot be told. The mistakes were not counted."
    assert not page.all("form")
    assert not page.all("img")


@pytest.mark.parametrize(
    "wrong",
    [
        {"class": "nobody"},
        {"positives": 0, "negatives": 0},
        {"points": [BEST, BEST]},
        {"points": [BEST]},
        {"best": {**BEST, "threshold": 1.5}},
        {"case": {"probability": 2.0, "decision": None, "margin": None}},
    ],
)
def test_an_answer_that_makes_no_sense_is_a_bad_answer(desk: MakeDesk, wrong: dict[str, Any]) -> None:
    desk(said(**wrong)).open(status=502)


@pytest.mark.parametrize(
    "model",
    [
        kitchen.model(),
        kitchen.model(of=kitchen.target("a", "b", "c")),
        kitchen.model(of=kitchen.target("a", "b", probabilities=False)),
        kitchen.model(of=kitchen.target("a", "b"), rows=0),
    ],
    ids=["a number", "three classes", "no probabilities", "not measured"],
)
def test_only_two_classes_with_probabilities_have_a_line(desk: MakeDesk, model: ModelVersion) -> None:
    desk(model=model).open(status=404)


def test_without_a_positive_class_the_second_one_is_looked_for(desk: MakeDesk) -> None:
    page = desk(said(**{"class": True}), kitchen.model(of=kitchen.target(False, True))).open()

    assert page.label("cost-false-negative") == "Cost of a miss: “yes” taken for “no”"


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.3, "exactly on the line"),
        (0.3001, "less than 0.1 percentage points above the line"),
        (0.25, "5.0 percentage points below the line"),
    ],
)
def test_the_side_of_the_line_is_said_with_the_distance(probability: float, words: str) -> None:
    assert side(probability, 0.3) == words


@pytest.mark.parametrize(
    ("mistakes", "name", "words"),
    [
        (0, "miss", "no miss"),
        (0.4, "miss", "1 miss"),
        (1, "miss", "2.5 misses"),
        (40, "false alarm", "100 false alarms"),
    ],
)
def test_mistakes_are_counted_among_1000_cases(mistakes: float, name: str, words: str) -> None:
    assert counted(Decisions.model_validate(said()), mistakes, name) == words


def test_every_control_has_a_label(desk: MakeDesk) -> None:
    page = desk().open()

    controls = [e for e in page.root.iter() if e.tag in ("input", "select") and e.get("type") != "hidden"]
    assert len(controls) == 3
    assert all(page.label(control.get("id", "")) for control in controls)


@pytest.mark.parametrize("honest", [True, False])
def test_rows_are_called_held_out_only_where_they_were(desk: MakeDesk, *, honest: bool) -> None:
    quality = Quality(method="some rows", honest=honest, headline="accuracy", metrics={"accuracy": 0.9})
    html = desk(model=MODEL.model_copy(update={"quality": quality})).open().html

    assert ("400 held-out rows" in html) == honest
    assert ("that the model had not seen" in html) == honest
    assert ("that the model was fitted on" in html) != honest
