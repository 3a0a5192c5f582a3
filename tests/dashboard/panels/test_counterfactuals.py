"""What would change it: the reader's wish and limits, what the service is asked, and how its answers are said."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from dashboard.panels.counterfactuals import effort, usual
from dashboard.records import ModelVersion, Output, Prediction, ReferencePredictions, Value
from tests.dashboard import kitchen
from tests.dashboard.conftest import GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import Behaviour, Upstream, by_hand, message

FEATURES = (
    kitchen.feature("age", "integer", unit="years"),
    kitchen.feature("income", missing_allowed=True),
    kitchen.feature("place", "category", missing_allowed=True),
    kitchen.feature("owner", "boolean"),
    kitchen.feature("since", "date"),
    kitchen.feature("at", "datetime", **kitchen.AMSTERDAM),
    kitchen.feature("wish", "text"),
    kitchen.feature("town", "category", categories=tuple(f"Town {i}" for i in range(60)), default="Town 1"),
)
CASE: dict[str, Value] = {
    "age": 40, "income": 70.5, "place": "south", "owner": True, "since": "2022-06-15",
    "at": "2022-06-15T07:30:00+00:00", "wish": "A bright flat.", "town": "Town 1",
}  # fmt: skip
CLASSES = kitchen.model(*FEATURES, of=kitchen.target("good", "bad", "ugly", name="risk"))
NUMBERS = kitchen.model(*FEATURES, of=kitchen.target(unit="€"), rows=5)
SHARES = {"good": 0.2, "bad": 0.5, "ugly": 0.3}
PATH = "/models/rent/panels/counterfactuals"
CALL = "/models/rent/versions/1/explanations/counterfactuals"
QUERY = urlencode({"age": "40", "place": "south"})


def found(*changes: tuple[str, Value, Value], prediction: Output = "ugly", **more: Any) -> dict[str, Any]:
    """Make one answer of the service."""
    shares = {"good": 0.2, "bad": 0.25, "ugly": 0.55} if isinstance(prediction, str) else None
    return {
        "instance": CASE | {name: after for name, _, after in changes},
        "changes": [{"feature": name, "from": before, "to": after} for name, before, after in changes],
        "prediction": prediction,
        "probabilities": shares,
        "effort": 0.75,
        "distance_percentile": 0.8,
        **more,
    }


def said(*answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make the service's answer."""
    return {
        "counterfactuals": list(answers), "found": len(answers), "wanted": {}, "why_none": None,
        "approximation": None, "milliseconds": 9.0, **more,
    }  # fmt: skip


Asked = Mapping[str, str | Sequence[str]]


class Desk:
    """A guest before a service that gives one answer, and what the service was asked."""

    def __init__(self, guest: Guest, service: Upstream) -> None:
        self.guest, self._service = guest, service

    def open(self, asked: Asked | None = None, status: int = 200, *, htmx: bool = False) -> Page:
        """Open the panel with its parameters: `open({"low.age": "30"})`; `htmx=True` as a fragment."""
        pairs = urlencode({f"ask.{name}": value for name, value in (asked or {}).items()}, doseq=True)
        response = self.guest.get(f"{PATH}?{QUERY}&{pairs}", htmx=htmx)
        assert response.status_code == status, response.text[-2000:]
        return Page(response.text)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the last call."""
        bodies = [json.loads(asked.body) for asked in self._service.asked if asked.path == CALL]
        options: dict[str, Any] = bodies[-1]["options"]
        return options

    @property
    def calls(self) -> int:
        return sum(asked.path == CALL for asked in self._service.asked)


MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(upstream: MakeUpstream, guest_before: GuestBefore) -> MakeDesk:
    """Open the panel of a model with a prediction: `desk(model, answer, predicted=…)`."""

    def start(
        model: ModelVersion = CLASSES,
        answer: Mapping[str, Any] | None = None,
        *,
        predicted: Prediction | None = None,
        rows: ReferencePredictions | None = None,
    ) -> Desk:
        prediction = predicted or kitchen.prediction("bad", SHARES)
        known = kitchen.answers(model, predicted=prediction, rows=rows)
        service = upstream(by_hand({**known, f"POST {CALL}": dict(answer or said())}))
        return Desk(guest_before(service, timeout=10), service)

    return start


def numbers_before(desk: MakeDesk, now: float, answer: Mapping[str, Any] | None = None) -> Desk:
    """Open the panel of a regression whose true numbers are 100, 200, 300, 400 and 500."""
    true = [100.0, 200.0, 300.0, 400.0, 500.0]
    return desk(NUMBERS, answer, predicted=kitchen.prediction(now), rows=kitchen.reference(true, row=CASE))


def test_the_likeliest_other_class_is_asked_for_unless_told_otherwise(desk: MakeDesk) -> None:
    at = desk()
    page = at.open()

    assert at.options == {"class": "ugly", "count": 3}
    options = page.by_id("wish-class").findall("option")
    assert [option.get("value") for option in options] == ["good", "ugly"]
    assert page.label("wish-class") == "What should be predicted?"


def test_another_class_can_be_asked_for(desk: MakeDesk) -> None:
    at = desk()
    page = at.open({"class": "good"})

    assert at.options["class"] == "good"
    assert page.by_id("wish-class").findall("option")[0].get("selected") is not None


@pytest.mark.parametrize("name", ["bad", "nobody"])
def test_a_class_that_cannot_be_wanted_is_refused_beside_its_field(desk: MakeDesk, name: str) -> None:
    at = desk()
    page = at.open({"class": name}, 422)

    field = page.by_id("wish-class")
    assert field.get("aria-invalid") == "true"
    assert page.described(field) == f"Error: Choose one of good and ugly: “{name}” is not there."
    assert at.calls == 0


@pytest.mark.parametrize(("now", "side", "bound"), [(350.0, "at_most", 200.0), (150.0, "at_least", 400.0)])
def test_a_better_quarter_of_what_was_true_is_proposed_for_a_number(
    desk: MakeDesk, now: float, side: str, bound: float
) -> None:
    at = numbers_before(desk, now)
    page = at.open()

    assert at.options == {side: bound, "count": 3}
    assert page.by_id("wish-bound").get("value") == f"{bound:g}"


def test_without_usual_numbers_a_fifth_less_is_proposed(desk: MakeDesk) -> None:
    at = desk(kitchen.model(*FEATURES, rows=2), predicted=kitchen.prediction(50.0))  # its rows cannot be had
    at.open()

    assert at.options == {"at_most": 40.0, "count": 3}


def test_a_number_can_be_asked_for(desk: MakeDesk) -> None:
    at = numbers_before(desk, 300.0)
    at.open({"side": "at_least", "bound": " 1e3 "})

    assert at.options == {"at_least": 1000.0, "count": 3}


def test_of_several_numbers_one_is_asked_for(desk: MakeDesk) -> None:
    model = kitchen.model(*FEATURES, of=kitchen.target(outputs=("first", "second")))
    numbers = {"first": 10.0, "second": 100.0}
    answer = said(found(("age", 40, 30), prediction={"first": 1.0, "second": 79.0}))
    at = desk(model, answer, predicted=kitchen.prediction(numbers))
    page = at.open({"output": "second"})

    assert at.options == {"at_most": 80.0, "output": "second", "count": 3}
    assert "second: at most 80 instead of 100.00" in text_of(page.all("p[@class='sentence']")[0])
    assert "79.000" in text_of(page.one("ol[@class='ways']"))


@pytest.mark.parametrize(
    ("bound", "error"),
    [
        ("", "Enter a number."),
        ("many", "Enter a number: “many” is no number."),
        ("1,5", "Enter a number: “1,5” is no number. Write decimals with a point."),
        ("nan", "Enter a number: “nan” is no number."),
        ("1e999", "Enter a number, not 1e999."),
    ],
)
def test_a_wanted_number_that_is_none_is_refused_beside_its_field(desk: MakeDesk, bound: str, error: str) -> None:
    at = numbers_before(desk, 300.0)
    page = at.open({"bound": bound}, 422)

    field = page.by_id("wish-bound")
    assert page.described(field) == f"Error: {error}"
    assert field.get("value") == bound
    assert at.calls == 0


def test_limits_are_sent_as_values_of_their_features(desk: MakeDesk) -> None:
    at = desk()
    at.open(
        {
            "lock": ["income", "town"],
            "low.age": "30",
            "high.age": "50",
            "low.since": "2020-01-01",
            "high.at": "2023-01-01T10:00",
            "levels.place": ["north", "east"],
            "levels.owner": ["false"],
            "way.age": "down",
            "way.since": "",
        }
    )

    assert at.options["locked"] == ["income", "town"]
    assert at.options["ranges"] == {
        "age": [30.0, 50.0],
        "place": ["north", "east"],
        "owner": [False],
        "since": ["2020-01-01", None],
        "at": [None, "2023-01-01T10:00"],
    }
    assert at.options["directions"] == {"age": "down"}


def test_limits_stay_in_the_form_and_are_counted(desk: MakeDesk) -> None:
    asked: dict[str, str | list[str]] = {
        "lock": "income", "low.age": "30", "levels.place": ["north"], "way.since": "up",
    }  # fmt: skip
    page = desk().open(asked)

    assert "4 of 8 features limited" in text_of(page.one("details[@class='limits']"))
    assert page.by_id("wish-1-lock").get("checked") is not None
    assert page.by_id("wish-0-lock").get("checked") is None
    assert page.by_id("wish-0-low").get("value") == "30"
    assert page.by_id("wish-2-levels-0").get("checked") is not None
    assert next(o for o in page.by_id("wish-4-way").findall("option") if "selected" in o.attrib).get("value") == "up"


@pytest.mark.parametrize(
    ("asked", "field", "error"),
    [
        ({"low.age": "old"}, "wish-0-low", "Enter a whole number: “old” is not one."),
        ({"high.age": "2.5"}, "wish-0-high", "Enter a whole number: “2.5” is not one."),
        ({"low.income": "1e999"}, "wish-1-low", "Enter a smaller number than 1e999."),
        ({"low.age": "50", "high.age": "9"}, "wish-0-low", "The lowest value, 50, is above the highest, 9."),
        (
            {"low.since": "2021-01-02", "high.since": "2021-01-01"},
            "wish-4-low",
            "The lowest value, 2021-01-02, is above the highest, 2021-01-01.",
        ),
        (
            {"low.at": "2021-01-01T10:00", "high.at": "2021-01-01T09:59"},
            "wish-5-low",
            "The lowest value, 2021-01-01T10:00, is above the highest, 2021-01-01T09:59.",
        ),
        ({"low.since": "soon"}, "wish-4-low", "Enter a date such as 2026-11-24: “soon” is not one."),
        (
            {"way.age": "sideways"},
            "wish-0-way",
            "Choose one of up or down, up only and down only: “sideways” is not there.",
        ),
    ],
)
def test_a_wrong_limit_is_refused_beside_its_field_and_kept(
    desk: MakeDesk, asked: dict[str, str], field: str, error: str
) -> None:
    at = desk()
    page = at.open(asked, 422)

    control = page.by_id(field)
    assert page.described(control) == f"Error: {error}"
    assert control.tag == "select" or control.get("value") in asked.values()
    assert f"#{field}" in [link.get("href") for link in page.all("div[@class='summary']//a")]
    assert page.one("details[@class='limits']").get("open") is not None
    assert not page.all("ol[@class='ways']")
    assert at.calls == 0


def test_a_level_that_there_is_not_is_refused_beside_the_levels(desk: MakeDesk) -> None:
    page = desk().open({"levels.place": ["north", "moon"]}, 422)

    assert "Choose one of north, south, east and west: “moon” is not there." in text_of(
        page.by_id("wish-2-levels-error")
    )


@pytest.mark.parametrize("asked", [{"low.rent": "1"}, {"lock": "rent"}, {"low.place": "1"}, {"levels.town": "Town 1"}])
def test_a_limit_of_something_else_is_never_left_out_silently(desk: MakeDesk, asked: dict[str, str]) -> None:
    page = desk().open(asked, 422)

    assert "This model has nothing that could be limited by" in text_of(page.by_id("main"))


def test_a_fragment_that_refuses_is_the_panel_with_its_form(desk: MakeDesk) -> None:
    page = desk().open({"low.age": "old"}, 422, htmx=True)

    assert [element.get("id") for element in page.root] == ["panel-counterfactuals"]
    assert page.one("form").get("hx-target") == "#panel-counterfactuals"


def test_what_the_service_objects_to_is_said_above_the_form(upstream: MakeUpstream, guest_before: GuestBefore) -> None:
    rest = by_hand(kitchen.answers(CLASSES, predicted=kitchen.prediction("bad", SHARES)))
    problem = message(b'{"detail": "the option ranges: since is too early"}', "422 Unprocessable Content")
    behaviour: Behaviour = lambda asked, c: c.send(problem) if asked.path == CALL else rest(asked, c)  # noqa: E731 -- its type is told where it is made
    response = guest_before(upstream(behaviour), timeout=10).get(f"{PATH}?{QUERY}&ask.low.since=1700-01-01")
    page = Page(response.text)

    assert response.status_code == 422
    assert text_of(page.one("div[@class='summary']")) == "The option ranges: since is too early."
    assert page.by_id("wish-4-low").get("value") == "1700-01-01"


def test_an_answer_is_a_sentence_a_card_and_a_table(desk: MakeDesk) -> None:
    page = desk(answer=said(found(("age", 40, 30), ("income", 70.5, 90.123456789)))).open()

    sentence = text_of(page.all("p[@class='sentence']")[0])
    assert sentence == (
        "To get “ugly” instead of “bad”: change age from 40 to 30 years and income from 70.5 to 90.12346. "
        "The model would then say ugly (55 %)."
    )
    (card,) = page.all("ol[@class='ways']/li")
    heading = next(card.iter("h3"))
    assert text_of(heading) == "Change age from 40 to 30 years and income from 70.5 to 90.12346 →gives ugly (55 %)"
    rows = [[text_of(cell) for cell in row] for row in card.iter("tr")]
    assert rows == [["Feature", "Now", "Then"], ["age", "40 years", "30 years"], ["income", "70.5", "90.12346"]]
    facts = [text_of(fact) for fact in card.iter("li") if fact is not card]
    assert facts == [
        "A step: 0.75 usual spreads in all.",
        "An ordinary case: about as near to real ones as they are to each other.",
    ]


def test_of_many_changes_a_heading_names_a_few(desk: MakeDesk) -> None:
    changes: list[tuple[str, Value, Value]] = [
        ("age", 40, 30),
        ("income", 70.5, 9.0),
        ("place", "south", "east"),
        ("owner", True, False),
    ]
    page = desk(answer=said(found(*changes, ("since", "2022-06-15", "2020-01-01")))).open()

    heading = text_of(next(page.one("ol[@class='ways']").iter("h3")))
    assert heading.startswith(
        "Change age from 40 to 30 years, income from 70.5 to 9, place from south to east and 2 more"
    )
    assert len(list(page.one("ol[@class='ways']").iter("tr"))) == 6


def test_apply_leads_to_the_page_with_the_answer_in_its_form(desk: MakeDesk) -> None:
    at = desk(answer=said(found(("age", 40, 30), ("owner", True, False))))
    plain = next(at.open().one("ol[@class='ways']").iter("a"))
    live = next(at.open(htmx=True).one("ol[@class='ways']").iter("a"))

    address = urlsplit(plain.get("href", ""))
    typed = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert address.path == "/models/rent"
    assert typed == {
        "age": "30", "income": "70.5", "place": "south", "owner": "false", "since": "2022-06-15",
        "at": "2022-06-15T09:30", "wish": "A bright flat.", "town": "Town 1",
    }  # fmt: skip
    assert "hx-get" not in plain.attrib
    assert live.get("hx-get") == live.get("href") == plain.get("href")
    assert live.get("hx-target") == "#workspace"


def test_what_is_unknown_stays_unknown_when_it_is_applied(desk: MakeDesk) -> None:
    answer = found(("age", 40, 30))
    answer["instance"]["income"] = None
    page = desk(answer=said(answer)).open()

    address = urlsplit(next(page.one("ol[@class='ways']").iter("a")).get("href", ""))
    assert parse_qs(address.query)["unknown"] == ["income"]


def test_when_there_is_none_it_says_so_and_why(desk: MakeDesk) -> None:
    page = desk(answer=said(why_none="age is locked, and it would have to change")).open()

    assert text_of(page.all("p[@class='sentence']")[0]) == (
        "No way to “ugly” instead of “bad” was found. Age is locked, and it would have to change."
    )
    assert not page.all("ol[@class='ways']")
    assert not page.all("img")


def test_what_holds_already_needs_no_change(desk: MakeDesk) -> None:
    at = numbers_before(desk, 150.0, said(why_none="the prediction is already as wanted"))
    page = at.open({"side": "at_most", "bound": "160"})

    assert text_of(page.all("p[@class='sentence']")[0]) == (
        "Nothing needs to change: the prediction is at most 160 € and already 150.00 €."
    )


def test_an_approximation_says_why(desk: MakeDesk) -> None:
    answer = said(found(("age", 40, 30)), approximation={"why": "there was no time for all"})

    assert "An approximation: there was no time for all." in text_of(desk(answer=answer).open().by_id("main"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"instance": {"age": 1}},
        {"changes": [{"feature": "rent", "from": 1, "to": 2}]},
        {"prediction": "nobody"},
        {"effort": -1.0},
        {"distance_percentile": 1.5},
    ],
)
def test_an_answer_about_another_model_is_a_bad_answer(desk: MakeDesk, wrong: dict[str, Any]) -> None:
    desk(answer=said({**found(("age", 40, 30)), **wrong})).open(status=502)


def test_the_chart_has_the_numbers_of_every_change(desk: MakeDesk) -> None:
    at = desk(answer=said(found(("age", 46, 20), ("place", "south", "east")), found(("income", None, 150.0))))
    page = at.open()
    csv = next(
        link.get("href", "") for link in page.all("div[@class='downloads']//a") if ".csv" in link.get("href", "")
    )

    assert at.guest.get(csv).text.splitlines() == [
        "way,feature,from,to,from as share of range,to as share of range,prediction",
        "1,age,46,20,0.2,0.0,ugly (55\N{NO-BREAK SPACE}%)",
        "1,place,south,east,,,ugly (55\N{NO-BREAK SPACE}%)",
        "2,income,unknown,150.0,,1.0,ugly (55\N{NO-BREAK SPACE}%)",
    ]
    assert page.by_id("changes-chart").get("alt", "").startswith("To get “ugly” instead of “bad”")


def test_there_is_no_chart_of_nothing(desk: MakeDesk) -> None:
    at = desk(answer=said(why_none="no"))
    address = "/models/rent/versions/1/panels/counterfactuals/changes"

    assert at.guest.get(f"{address}.svg?{QUERY}").status_code == 404
    assert at.guest.get(f"{address}.svg?{QUERY}&ask.low.age=old").status_code == 404


@pytest.mark.parametrize(
    ("spreads", "words"),
    [
        (0.2, "A small step: 0.20 usual spreads in all"),
        (1.0, "A step: 1.0 usual spreads in all"),
        (1.5, "A large step: 1.5 usual spreads in all"),
        (7.0, "A very large step: 7.0 usual spreads in all"),
    ],
)
def test_effort_is_said_in_plain_words(spreads: float, words: str) -> None:
    assert effort(spreads) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.5, "An ordinary case: about as near to real ones as they are to each other"),
        (0.2, "A less usual case: 20 % of the real ones are farther from their nearest neighbour"),
        (0.02, "Unlike the data: only 2 % of the real cases are so far from the others, and there may be no such case"),
        (0.0, "Unlike the data: none of the real cases is so far from the others, and there may be no such case"),
    ],
)
def test_plausibility_is_said_in_plain_words(share: float, words: str) -> None:
    assert usual(share).replace("\N{NO-BREAK SPACE}", " ") == words


def test_a_model_without_data_has_no_such_panel(desk: MakeDesk) -> None:
    at = desk(kitchen.model(*FEATURES, of=kitchen.target("good", "bad"), rows=0))

    assert at.guest.get(f"{PATH}?{QUERY}").status_code == 404


def test_every_control_has_a_label_and_no_id_is_there_twice(desk: MakeDesk) -> None:
    page = desk(answer=said(found(("age", 40, 30)))).open()
    controls = [e for e in page.root.iter() if e.tag in ("input", "select") and e.get("type") != "hidden"]

    assert len(controls) > 20
    assert all(page.label(control.get("id", "")) for control in controls)
