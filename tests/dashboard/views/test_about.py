"""`/models/<name>/about`: the datasheet of a model."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.dashboard.conftest import AskApi, GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
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
    shown = {img.get("id", "") for img in page.root.iter("img")}
    assert {image for image in shown if "dependence" not in image} == {f"about-{chart}" for chart in CHARTS[name]}
    assert len({image for image in shown if "dependence" in image}) == 6


def test_the_most_important_features_have_their_curve(guest: Guest, ask_api: AskApi) -> None:
    told = ask_api("GET", "/models/loans/versions/1")["quality"]["importance"]["features"]
    features = [weight["feature"] for weight in told]

    assert guest.get(f"/models/loans/versions/1/about/dependence.svg?feature={features[0]}").status_code == 200
    assert guest.get(f"/models/loans/versions/1/about/dependence.svg?feature={features[-1]}").status_code == 404
    csv = guest.get("/models/loans/versions/1/about/dependence.csv?feature=amount").text.splitlines()
    said = ask_api(
        "POST",
        "/models/loans/explanations/dependence",
        {
            "data": {
                f["name"]: f["default"] for f in ask_api("GET", "/models/loans/versions/1")["signature"]["features"]
            },
            "options": {"feature": "amount"},
        },
    )
    assert [float(line.rpartition(",")[2]) for line in csv[1:]] == pytest.approx([p["score"] for p in said["points"]])


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
        {"calibration": {"a": {"said": [0.1, 0.9], "true": [0.1, 0.9], "rows": [1]}}},
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


Changed = Callable[[dict[str, Any]], Page]


@pytest.fixture
def changed(upstream: MakeUpstream, guest_before: GuestBefore, ask_api: AskApi) -> Changed:
    """Open the datasheet of loans with other words about its quality: `changed({"honest": False})`."""

    def start(quality: dict[str, Any]) -> Page:
        told = ask_api("GET", "/models/loans/versions/1")
        told["quality"] |= quality
        answers = {"/models": ask_api("GET", "/models"), "/models/loans/versions/1": told}
        return guest_before(upstream(by_hand(answers)), timeout=10).page("/models/loans/about")

    return start


def test_a_calibration_curve_without_rows_can_be_shown(changed: Changed) -> None:
    curve = {"said": [0.1], "true": [0.3], "rows": [0]}

    assert changed({"curves": {"calibration": {"a": curve}}}).has_id("about-calibration")


@pytest.mark.parametrize("honest", [True, False])
def test_rows_are_called_new_to_the_model_only_where_they_were(changed: Changed, *, honest: bool) -> None:
    html = changed({"honest": honest}).html

    assert ("had not seen" in html) == honest
    assert ("was fitted on: with new ones" in html) != honest


@pytest.mark.parametrize(
    ("mean", "said"),
    [(0.2, "matters most: when it is shuffled, the"), (0.0, "No feature matters by itself: whichever is shuffled")],
)
def test_a_feature_matters_only_where_the_error_grows(changed: Changed, mean: float, said: str) -> None:
    weights = [{"feature": "age", "mean": mean, "deviation": 0.1}]
    importance = {"error": "log_loss", "rows": 100, "unshuffled": 0.5, "features": weights}

    assert said in text_of(changed({"importance": importance}).one("section[@aria-labelledby='importance-heading']"))
