"""Why: the panel of contributions."""

import pytest

from tests.dashboard.conftest import AskApi
from tests.dashboard.guest import Guest
from tests.dashboard.page import text_of

MODELS = ("diabetes", "breast-cancer", "wine", "loans")


@pytest.mark.parametrize("name", MODELS)
def test_every_feature_s_contribution_is_in_the_table(guest: Guest, ask_api: AskApi, name: str) -> None:
    signature = ask_api("GET", f"/models/{name}/versions/1")["signature"]
    page = guest.page(f"/models/{name}/panels/why", htmx=True)
    rows = page.root.findall(".//tbody/tr")

    assert not page.is_whole
    assert len(rows) == len(signature["features"])


def test_the_contributions_add_up_to_the_prediction(guest: Guest, ask_api: AskApi) -> None:
    data = {
        feature["name"]: feature["default"]
        for feature in ask_api("GET", "/models/diabetes/versions/1")["signature"]["features"]
    }
    said = ask_api("POST", "/models/diabetes/explanations/contributions", {"data": data | {"bmi": 40}})
    csv = guest.get("/models/diabetes/versions/1/panels/why/contributions.csv?bmi=40").text.splitlines()[1:]

    total = sum(float(line.split(",")[2]) for line in csv)
    assert total == pytest.approx(said["prediction"] - said["base"], abs=1e-6)


def test_the_sentence_names_what_raises_it_most(guest: Guest) -> None:
    sentence = text_of(guest.page("/models/diabetes/panels/why?bmi=42").one("p[@class='sentence']"))

    assert "Body mass index (42" in sentence
    assert "raises it most" in sentence


def test_an_approximation_is_called_one(guest: Guest) -> None:
    assert "An approximation" in guest.page("/models/breast-cancer/panels/why").html
    assert "An approximation" not in guest.page("/models/diabetes/panels/why").html


def test_a_contribution_is_not_called_a_cause(guest: Guest) -> None:
    assert guest.page("/models/loans/panels/why").html.count("a contribution is not a cause") == 1
