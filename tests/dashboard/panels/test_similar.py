"""Who was like this: the nearest known cases, what was true of them, and how they differ."""

from typing import Any

import pytest

from dashboard.records import ModelVersion, Prediction
from tests.dashboard import kitchen
from tests.dashboard.conftest import AskApi, GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.panels.service import explaining

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
PANEL = "/models/rent/panels/similar"
FLAT = kitchen.model(
    kitchen.feature(), kitchen.feature("part", "category"), kitchen.feature("built", "date"),
    of=kitchen.target(unit="€"), rows=9,
)  # fmt: skip
OWN = {"area": 70.5, "part": "south", "built": "2022-06-15"}


def neighbour(row: int, true: Any, distance: float = 0.1, **changes: Any) -> dict[str, Any]:
    """Describe a known flat that differs from the usual one in some features."""
    differences = [
        {"feature": name, "case": OWN[name], "other": value, "notable": True} for name, value in changes.items()
    ]
    return {
        "row": row, "distance": distance, "instance": {**OWN, **changes}, "true": true, "prediction": 700.0,
        "probabilities": None, "differences": differences,
    }  # fmt: skip


TWO = [neighbour(4, 650.0, area=90.0), neighbour(7, 750.0, part="north", built="2020-01-01")]


@pytest.fixture
def before(upstream: MakeUpstream, guest_before: GuestBefore) -> Any:
    """Open a dashboard before a service made by hand, which names some known cases: `before(rows)`."""

    def start(
        rows: list[dict[str, Any]], model: ModelVersion = FLAT, predicted: Prediction | None = None, usual: float = 0.1
    ) -> Guest:
        reference = kitchen.reference([])
        said = {"similar": {"rows": rows, "of": 9, "usual_distance": usual}}
        answer = explaining(model, reference, said, lambda _: predicted or kitchen.prediction(710.0))
        return guest_before(upstream(answer), timeout=10)

    return start


def sentence(page: Page) -> str:
    """Give the first sentence of a panel."""
    return text_of(page.one("p[@role='status']"))


def cells(page: Page) -> list[list[str]]:
    """Give the table of cases, row by row."""
    table = next(e for e in page.root.iter() if "neighbours" in e.get("class", "").split())
    return [[text_of(cell) for cell in row] for row in table.iter("tr")]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("count", [5, 20])
def test_every_embedded_model_names_as_many_cases_as_were_asked_for(
    guest: Guest, ask_api: AskApi, name: str, count: int
) -> None:
    features = ask_api("GET", f"/models/{name}/versions/1")["signature"]["features"]
    table = cells(guest.page(f"/models/{name}/panels/similar?ask.count={count}", htmx=True))

    assert len(table) == 4 + len(features)
    assert {len(row) for row in table} == {2 + count}


def test_a_reference_row_is_nearest_to_itself_and_its_link_leads_to_it(guest: Guest, ask_api: AskApi) -> None:
    reference = ask_api("GET", "/models/diabetes/versions/1/predict?limit=20&offset=12")
    query = "&".join(f"{name}={value}" for name, value in reference["data"][0].items())
    page = guest.page(f"/models/diabetes/panels/similar?{query}")
    link = next(e for e in page.all("a") if "example=" in e.get("href", ""))

    assert link.get("href") == "/models/diabetes?example=13"
    assert "Row 13 has the very same values." in sentence(page)
    assert f"{reference['target'][0]:g}" in cells(page)[1][2]
    assert "row 13 of the reference data" in guest.page(link.get("href", "")).html


def test_the_sentence_tells_what_was_true_of_them(before: Any) -> None:
    assert sentence(before(TWO).page(PANEL)) == (
        "The true rent of the 2 most alike of 9 reference cases was from 650 € to 750 €, on average 700 €. "
        "The prediction for this case is 710 €. The nearest is as near as reference cases usually are to each other."
    )


@pytest.mark.parametrize(
    ("true", "said"),
    [
        ("aaa", "all were really a, which is also what the model says here."),
        ("aab", "2 were really a, which is also what the model says here."),
        ("abb", "1 was really a, which is what the model says here."),
        ("bbb", "none were really a, which is what the model says here."),
        ("aa?", "Of the 2 whose true rent is known among the 3 most alike of 9 reference cases, all were really a"),
        ("a??", "Of the 1 whose true rent is known among the 3 most alike of 9 reference cases, all were really a"),
    ],
)
def test_of_classes_it_tells_how_many_were_what_is_predicted(before: Any, true: str, said: str) -> None:
    model = kitchen.model(of=kitchen.target("a", "b"), rows=9)
    rows = [
        {
            **neighbour(number, None if letter == "?" else letter), "instance": {"area": 70.5}, "prediction": "a",
            "probabilities": {"a": 0.6, "b": 0.4},
        }
        for number, letter in enumerate(true)
    ]  # fmt: skip
    page = before(rows, model, kitchen.prediction("a", {"a": 0.8, "b": 0.2})).page(PANEL)

    assert said in sentence(page)
    assert cells(page)[2] == ["Predicted", "a, 80 %", *["a, 60 %"] * 3]


def test_a_true_number_that_is_not_known_is_not_counted(before: Any) -> None:
    said = sentence(before([*TWO, neighbour(8, None)]).page(PANEL))

    assert "of the 3 most alike of 9 reference cases, as far as it is known (2 of 3), was from 650 € to 750 €" in said


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (0.0, "Row 5 has the very same values."),
        (0.12, "The nearest is as near as reference cases usually are to each other."),
        (0.2, "The nearest is 2.0 times as far away as reference cases usually are from each other."),
        (0.4, "4.0 times as far away as reference cases usually are from each other: nobody was much like this."),
    ],
)
def test_it_tells_how_near_the_nearest_is(before: Any, distance: float, said: str) -> None:
    assert said in sentence(before([neighbour(4, 650.0, distance)]).page(PANEL))


def test_what_differs_is_told_in_words_and_stands_first(before: Any) -> None:
    rows = cells(before(TWO).page(PANEL))

    assert rows[0][1:] == ["This case", "Row 5", "Row 8"]
    assert rows[1] == ["True rent", "not known", "650 €", "750 €"]
    assert rows[2] == ["Predicted", "710.0 €", "700.0 €", "700.0 €"]
    assert rows[4:] == [
        ["area", "70.5", "90 higher", "70.5"],
        ["part", "south", "south", "north different"],
        ["built", "2022-06-15", "2022-06-15", "2020-01-01 earlier"],
    ]


def test_what_is_unknown_is_told_apart(before: Any) -> None:
    row = neighbour(4, None, area=None)

    assert cells(before([row]).page(PANEL))[4] == ["area", "70.5", "unknown unknown"]


def test_the_numbers_of_the_chart_are_those_of_the_cases(before: Any) -> None:
    rows = before(TWO).get("/models/rent/versions/1/panels/similar/neighbours.csv").text.splitlines()

    assert rows == [
        "case,true,predicted,distance", "this case,,710.0,0.0", "row 5,650.0,700.0,0.1", "row 8,750.0,700.0,0.1",
    ]  # fmt: skip


def test_cases_without_a_true_value_make_a_sentence_and_no_failure(before: Any) -> None:
    page = before([neighbour(1, None)]).page(PANEL)

    assert "What was true of the 1 most alike of 9 reference cases is not known." in sentence(page)


@pytest.mark.parametrize("count", ["0", "6", "many"])
def test_a_count_that_cannot_be_chosen_is_refused(guest: Guest, count: str) -> None:
    assert guest.get(f"/models/diabetes/panels/similar?ask.count={count}").status_code == 422


@pytest.mark.parametrize(
    "row",
    [
        {**neighbour(1, 650.0), "row": 9},
        {**neighbour(1, 650.0), "instance": {}},
        {**neighbour(1, 650.0), "true": "much"},
        {**neighbour(1, 650.0), "prediction": "a"},
        {**neighbour(1, 650.0), "distance": 2.0},
        {**neighbour(1, 650.0), "differences": [{"feature": "rooms", "case": 1, "other": 2, "notable": True}]},
    ],
)
def test_a_case_that_the_model_cannot_have_is_refused(before: Any, row: dict[str, Any]) -> None:
    assert before([row]).get(PANEL, htmx=True).status_code == 502
