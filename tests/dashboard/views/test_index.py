"""`/`: the models as cards."""

import pytest

from dashboard.records import Level
from tests.dashboard import kitchen
from tests.dashboard.conftest import GuestBefore, MakeUpstream, Serving
from tests.dashboard.guest import Guest
from tests.dashboard.kitchen import feature
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import LEAK, by_hand

NAMES = ("diabetes", "breast-cancer", "wine", "loans")


def facts(page: Page) -> dict[str, str]:
    """Read the facts of the only card."""
    rows = list(page.one("dl[@class='facts']").findall("div"))
    return {text_of(row.findall("dt")[0]): text_of(row.findall("dd")[0]) for row in rows}


def test_every_model_has_a_card_that_leads_to_its_form(guest: Guest) -> None:
    links = [link.get("href") for link in guest.page("/").all("h2/a")]

    assert sorted(map(str, links)) == sorted(f"/models/{name}" for name in NAMES)
    assert all(guest.get(str(link)).status_code == 200 for link in links)


def test_made_up_data_is_called_so(guest: Guest) -> None:
    badged = [text_of(card) for card in guest.page("/").all("li[@class='card ']") if "Synthetic data" in text_of(card)]

    assert len(badged) == 1
    assert badged[0].startswith("Loans")


def test_the_default_model_is_named(guest: Guest) -> None:
    (default,) = [text_of(card) for card in guest.page("/").all("li") if "default model" in text_of(card)]

    assert default.startswith("Diabetes")


def test_a_card_tells_what_is_predicted_and_how_well(serving: Serving) -> None:
    model = kitchen.model(feature("a"), feature("b"), of=kitchen.target(unit="€"), version="7")

    assert facts(serving(model).page("/")) == {
        "Predicts": "rent, in €",
        "From": "2 features",
        "Quality": "mean error ±0.900 € · 5-fold cross-validation",
        "Version": "7 · default model",
    }


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        (("low", "high"), "rent: low and high"),
        ((0, 1, 2), "rent: 0, 1 and 2"),
        (("a", "b", "c", "d"), "rent: 4 classes"),
        ((False, True), "rent: no and yes"),
    ],
)
def test_a_card_names_a_few_classes_and_counts_many(serving: Serving, classes: tuple[Level, ...], text: str) -> None:
    assert facts(serving(kitchen.model(of=kitchen.target(*classes))).page("/"))["Predicts"] == text


def test_a_card_counts_the_numbers_of_one_prediction(serving: Serving) -> None:
    model = kitchen.model(of=kitchen.target(name="size", unit="cm", outputs=("height", "width")))

    assert facts(serving(model).page("/"))["Predicts"] == "size: 2 numbers, in cm"


def test_a_card_of_a_model_that_came_without_data_says_that_nothing_was_measured(serving: Serving) -> None:
    assert facts(serving(kitchen.model(rows=0)).page("/"))["Quality"] == "not measured · published without data"


def test_a_model_whose_newest_version_failed_is_not_explained_with_words_of_the_service(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    version = {"version": "1", "state": "failed", "reason": LEAK}
    listing = {"name": "rent", "champion": None, "versions": [version], "waiting": True, "problems": [LEAK]}
    page = guest_before(upstream(by_hand({"/models": {"models": [listing], "default": "rent"}}))).page("/")

    assert "no version that can be served now" in text_of(page.one("li"))
    assert LEAK not in page.html


def test_a_model_that_cannot_be_served_says_so_and_leads_nowhere(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    empty = {"models": [{"name": "rent", "champion": None}], "default": "rent"}
    page = guest_before(upstream(by_hand({"/models": empty}))).page("/")

    assert "no version that can be served now" in text_of(page.one("li"))
    assert not page.all("h2/a")


def test_a_service_without_models_gives_an_empty_list(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    page = guest_before(upstream(by_hand({"/models": {"models": [], "default": ""}}))).page("/")

    assert text_of(page.one("h1")) == "Models"
    assert not page.all("li")


def test_a_hostile_model_stays_text(serving: Serving) -> None:
    hostile = "<img src=x onerror=alert(1)>{{7*7}}"
    page = serving(kitchen.model(title=hostile, description=hostile, of=kitchen.target(hostile, "b"))).page("/")

    assert not page.all("img")
    assert text_of(page.one("h2")) == hostile


def test_the_page_is_marked_as_the_current_one(guest: Guest) -> None:
    (current,) = [link for link in guest.page("/").all("nav/a") if link.get("aria-current") == "page"]

    assert current.get("href") == "/"
