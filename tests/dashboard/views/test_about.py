"""`/models/<name>/about`: the datasheet of a model."""

from typing import Any

import pytest

from tests.dashboard.conftest import AskApi, GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import text_of
from tests.dashboard.upstream import by_hand

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
CHARTS = {
    "diabetes": {"predicted-true", "residuals", "importance"},
    "breast-cancer": {"confusion", "roc", "precision-recall", "calibration", "importance"},
    "wine": {"confusion", "roc", "precision-recall", "calibration", "importance"},
    "loans": {"confusion", "roc", "precision-recall", "calibration", "importance"},
}


@pytest.mark.parametrize("name", MODELS)
def test_the_datasheet_shows_every_metric_and_chart(guest: Guest, ask_api: AskApi, name: str) -> None:
    page = guest.page(f"/models/{name}/about")
    told = ask_api("GET", f"/models/{name}/versions/1")

    assert told["quality"]["method"] in page.html
    assert len(page.root.findall(".//dl[@class='metrics']/div")) == len(told["quality"]["metrics"])
    assert {img.get("id") for img in page.root.iter("img")} == {f"about-{chart}" for chart in CHARTS[name]}


@pytest.mark.parametrize(("name", "chart"), [(name, chart) for name in MODELS for chart in sorted(CHARTS[name])])
def test_each_chart_is_there_in_every_format(guest: Guest, name: str, chart: str) -> None:
    for form, begins in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("csv", b"")):
        response = guest.get(f"/models/{name}/versions/1/about/{chart}.{form}?download=1")
        assert response.status_code == 200
        assert response.data.startswith(begins)
        assert f"{name}-v1_" in response.headers["Content-Disposition"]


def test_features_are_listed_with_their_ranges_and_gaps(guest: Guest, ask_api: AskApi) -> None:
    page = guest.page("/models/loans/about")
    features = ask_api("GET", "/models/loans/versions/1")["signature"]["features"]
    income = next(feature for feature in features if feature["name"] == "yearly_income")
    table = page.one("section[@aria-labelledby='features-heading']")
    row = next(text_of(row) for row in table.iter("tr") if "yearly_income" in text_of(row))

    assert f"{income['minimum']:.0f} to {income['maximum']:.0f}" in row
    assert f"{income['missing_rate'] * 100:.3g}" in row


def test_provenance_has_the_hash_of_every_file(guest: Guest, ask_api: AskApi) -> None:
    html = guest.page("/models/wine/about").html

    for digest in ask_api("GET", "/models/wine/versions/1")["provenance"]["files"].values():
        assert digest in html


def test_an_unknown_chart_is_not_there(guest: Guest) -> None:
    assert guest.get("/models/loans/versions/1/about/residuals.svg").status_code == 404
    assert guest.get("/models/loans/versions/1/about/roc.exe").status_code == 404


@pytest.mark.parametrize(
    "odd",
    [
        {"confusion": {"classes": ["a"], "counts": [[1, 2]]}},
        {"roc": {"a": {"false_positive_rate": [0], "true_positive_rate": []}}},
        {"residuals": {"a": {"edges": [0, 1], "counts": [1, 2]}}},
    ],
)
def test_curves_that_make_no_sense_are_the_service_s_fault(
    upstream: MakeUpstream, guest_before: GuestBefore, ask_api: AskApi, odd: dict[str, Any]
) -> None:
    told = ask_api("GET", "/models/loans/versions/1")
    told["quality"]["curves"] = odd
    answers = {"/models": ask_api("GET", "/models"), "/models/loans/versions/1": told}
    guest = guest_before(upstream(by_hand(answers)), timeout=10)

    assert guest.get("/models/loans/about").status_code == 502
