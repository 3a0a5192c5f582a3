"""Every kind of feature and target, on real pages: dates, times, texts, many levels, many outputs, labels alone."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from model_api.publishing import publish
from tests.e2e.api import Api, Instance
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn
from tests.e2e.services import Services, running_servery
from tests.e2e.watch import Watch

ROWS = 240
CITIES = [f"Town {number}" for number in range(220)]
WORDS = ["quiet", "bright", "noisy", "garden", "balcony", "stairs", "old", "new", "warm", "cold"]
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
CASE: Instance = {
    "day": "2024-02-29",
    "arrival": "2024-07-14T09:30",
    "wish": "A quiet room, please.\nWith a garden.",
    "breakfast": True,
    "board": "half",
    "city": "Town 7",
    "children": 2,
}
"""A valid case of the model `stays`, as it is typed."""


def stays() -> pd.DataFrame:
    """Make up hotel stays: a column of each kind."""
    random = np.random.default_rng(7)
    hours = pd.to_timedelta(random.integers(0, 4 * 365 * 24, ROWS), unit="h")
    arrival = pd.Series(pd.Timestamp("2021-01-01T12:30", tz="Europe/Amsterdam") + hours)
    children = pd.Series(random.integers(0, 5, ROWS), dtype="Int64")
    children[random.random(ROWS) < 0.1] = pd.NA
    return pd.DataFrame(
        {
            "day": (arrival.dt.tz_localize(None).dt.normalize() - pd.to_timedelta(30, unit="D")),
            "arrival": arrival,
            "wish": [" ".join(random.choice(WORDS, 6)) for _ in range(ROWS)],
            "breakfast": random.random(ROWS) < 0.5,
            "board": random.choice(["none", "half", "full"], ROWS),
            "city": [CITIES[row % len(CITIES)] for row in range(ROWS)],
            "children": children,
        }
    )


def pipeline(estimator: Ridge | LinearSVC) -> Pipeline:
    """Use what an estimator can use, and leave out the dates."""
    kinds = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["children", "breakfast"]),
            ("words", OneHotEncoder(handle_unknown="ignore"), ["board", "city"]),
            ("text", TfidfVectorizer(), "wish"),
        ],
        remainder="drop",
    )
    return make_pipeline(kinds, estimator)


@pytest.fixture(scope="module")
def kinds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of every kind: `stays` and `sizes` predict numbers, `returns` yes or no, `bare` came without data."""
    folder = tmp_path_factory.mktemp("kinds")
    random = np.random.default_rng(8)
    X = stays()
    described: dict[str, dict[str, Any]] = {
        "day": {"label": "Booked on"},
        "arrival": {"label": "Arrival", "description": "When the guests come"},
        "wish": {"label": "Wish"},
        "city": {"unknown_categories": False},
    }
    price = 80 + 20 * X["children"].fillna(0).astype(float) + random.normal(0, 5, ROWS)
    publish(
        pipeline(Ridge()).fit(X, price),
        X,
        price.rename("price"),
        name="stays",
        title="Hotel stays",
        description="What a stay costs.",
        features=described,
        target={"unit": "€"},
        models=folder,
        compiled=False,
    )
    sizes = pd.DataFrame({"height": price * 2, "width": price / 3, "depth": price / 50, "weight": price})
    publish(
        pipeline(Ridge()).fit(X, sizes),
        X,
        sizes,
        name="sizes",
        title="Sizes of luggage",
        features=described,
        target={"name": "size", "unit": "cm"},
        models=folder,
        compiled=False,
    )
    back = (X["children"].fillna(0) > 1).astype(bool).rename("comes back")
    publish(
        pipeline(LinearSVC()).fit(X, back),
        X,
        back,
        name="returns",
        title="Returning guests",
        models=folder,
        compiled=False,
    )
    bare = make_pipeline(StandardScaler(), Ridge()).fit(pd.DataFrame({"a": [1.0, 2.5, 4.0], "b": [0, 1, 5]}), [1, 2, 3])
    publish(bare, name="bare", title="Without data", models=folder, compiled=False)
    return folder


@pytest.fixture(scope="module")
def kinds(kinds_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Both services with these models."""
    with running_servery(kinds_folder, tmp_path_factory.mktemp("empty")) as services:
        yield services
        assert "Traceback" not in services.command.output


@pytest.fixture(scope="module")
def kinds_api(kinds: Services) -> Iterator[Api]:
    """The model service of these models, as a program asks it."""
    api = Api(kinds.api)
    yield api
    api.close()


@pytest.fixture
def form(open_page: OpenPage, kinds: Services) -> ModelPage:
    """A page of the ordinary kind, with hands for a form."""
    return ModelPage(open_page(base_url=kinds.dashboard))


@pytest.fixture
def plain(open_page: OpenPage, kinds: Services) -> ModelPage:
    """A page with JavaScript off."""
    return ModelPage(open_page(base_url=kinds.dashboard, java_script_enabled=False))


# The form


def test_each_kind_of_value_is_typed_sent_and_answered(form: ModelPage, kinds_api: Api) -> None:
    form.open("stays").fill(CASE)
    form.predict()
    form.expect_number(kinds_api.predict("stays", CASE)["prediction"])


def test_the_address_of_an_answer_brings_every_kind_of_value_back(form: ModelPage, kinds_api: Api) -> None:
    form.open("stays").fill(CASE | {"children": ""})
    form.unknown("children").check()
    form.predict()
    prediction = kinds_api.predict("stays", CASE | {"children": None})["prediction"]
    form.expect_number(prediction)
    before = form.values()
    form.page.reload()
    form.expect_number(prediction)
    assert form.values() == before
    expect(form.unknown("children")).to_be_checked()
    expect(form.field("wish")).to_have_value(str(CASE["wish"]))


def test_a_time_is_typed_by_the_clock_of_its_zone(form: ModelPage, kinds_api: Api) -> None:
    form.open("stays").field("arrival").fill("2030-01-01T00:30")
    form.predict()
    (warning,) = kinds_api.predict("stays", CASE | {"arrival": "2029-12-31T23:30:00+00:00"})["warnings"]
    expect(form.page.locator(".warning")).to_contain_text(warning["message"])


def test_an_example_is_filled_in_by_the_clock_of_its_zone(form: ModelPage, kinds_api: Api) -> None:
    row = kinds_api.instance("stays", 3)
    form.open("stays", "?example=3")
    local = pd.Timestamp(str(row["arrival"])).tz_convert("Europe/Amsterdam").strftime("%Y-%m-%dT%H:%M")
    expect(form.field("arrival")).to_have_value(local)
    expect(form.field("day")).to_have_value(str(row["day"]))
    expect(form.field("wish")).to_have_value(str(row["wish"]))
    before = kinds_api.reference("stays", 3)["prediction"][0]
    form.expect_number(before)
    form.predict()
    expect(form.page.locator(".true-value")).to_have_count(0)
    form.expect_number(before)


def test_typed_values_stay_after_an_invalid_date(form: ModelPage, watch: Watch, kinds_api: Api) -> None:
    watch.expect_status(422)
    form.open("stays").fill(CASE)
    form.field("day").evaluate("field => { field.type = 'text'; }")  # as a browser without calendars has it
    form.field("day").fill("29 February")
    form.predict()
    expect(form.message("day")).to_have_text("Error: Enter a date such as 2026-11-24: “29 February” is not one.")
    expect(form.field("day")).to_have_value("29 February")
    for feature in ("arrival", "wish", "city"):
        expect(form.field(feature)).to_have_value(str(CASE[feature]))
    form.field("day").fill("2024-02-29")
    form.predict()
    form.expect_number(kinds_api.predict("stays", CASE)["prediction"])
    expect(form.field("day")).to_have_attribute("type", "date")
    expect(form.field("day")).to_have_value("2024-02-29")


def test_an_address_with_an_invalid_date_shows_what_it_says(form: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    form.open("stays", "?day=30+Feb&arrival=noon")
    expect(form.field("day")).to_have_value("30 Feb")
    expect(form.field("arrival")).to_have_value("noon")
    expect(form.summary.get_by_role("link")).to_have_text(["Booked on", "Arrival"])


def test_a_date_that_is_cleared_is_asked_for(form: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    form.open("stays").field("day").fill("")
    form.field("wish").fill("Typed before,\nkept after.")
    form.predict()
    expect(form.message("day")).to_have_text("Error: Enter a date.")
    expect(form.field("wish")).to_have_value("Typed before,\nkept after.")


def test_a_level_out_of_hundreds_is_suggested_and_checked(form: ModelPage, watch: Watch) -> None:
    watch.expect_status(422)
    page = form.open("stays").page
    assert page.evaluate("document.querySelector('[name=city]').list.options.length") == len(CITIES)
    form.field("city").fill("Twon 117")
    form.predict()
    expect(form.message("city")).to_contain_text("Did you mean “Town 117”?")
    expect(form.field("city")).to_have_value("Twon 117")


def test_typing_a_text_takes_the_tick_away_and_a_long_one_is_answered(form: ModelPage, kinds_api: Api) -> None:
    form.open("stays", "?unknown=children")
    form.field("children").press_sequentially("3")
    expect(form.unknown("children")).not_to_be_checked()
    form.fill(CASE | {"wish": "quiet " * 1_600})
    form.predict()
    form.expect_number(kinds_api.predict("stays", CASE | {"wish": "quiet " * 1_600})["prediction"])
    expect(form.page.locator("#answer")).to_contain_text("too long for an address")
    assert form.page.url.endswith("/models/stays")


# The answers


def test_several_numbers_have_a_table_and_a_chart_each(form: ModelPage, kinds_api: Api) -> None:
    page = form.open("sizes", "?example=3").page
    answer = kinds_api.predict("sizes", kinds_api.instance("sizes", 3))["prediction"]
    expect(page.locator(".outputs tbody th")).to_have_text(list(answer))
    form.expect_number(answer["height"])
    for image in ("#chart", "#chart-2", "#chart-3"):
        expect_drawn(page.locator(image))
    assert len({page.locator(image).get_attribute("src") for image in ("#chart", "#chart-2", "#chart-3")}) == 3
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV of the chart of depth").click()
    assert "_standing_depth_" in waiting.value.suggested_filename


def test_a_class_without_probabilities_is_said_to_be_one(form: ModelPage, kinds_api: Api) -> None:
    instance = kinds_api.instance("returns", 5)
    answer = kinds_api.predict("returns", instance)
    assert "probabilities" not in answer
    page = form.open("returns", "?example=5").page
    expect(form.number).to_have_text("yes" if answer["prediction"] else "no")
    expect(page.locator("#answer .sentence")).to_contain_text("a class and no probabilities")
    expect(page.locator("figure")).to_have_count(0)


def test_a_model_without_data_answers_and_claims_nothing(form: ModelPage, kinds_api: Api) -> None:
    page = form.open("bare").page
    expect(page.locator(".note")).to_contain_text("Published without its data.")
    expect(page.get_by_role("link", name="Random example")).to_have_count(0)
    form.field("a").fill("3")
    form.predict()
    form.expect_number(kinds_api.predict("bare", kinds_api.defaults("bare") | {"a": 3})["prediction"])
    page.goto("/models/bare/predict")
    expect(page.locator("#results")).to_contain_text("This model came without data")
    page.get_by_role("link", name="Hotel stays").click()
    expect_drawn(page.locator("#quality-chart"))


# Without JavaScript, on every size, for everybody


def test_without_javascript_every_kind_is_sent_refused_and_answered(
    plain: ModelPage, watch: Watch, kinds_api: Api
) -> None:
    watch.expect_status(422)
    page = plain.open("stays").page
    plain.fill(CASE | {"day": ""})
    plain.predict_button.click()
    expect(plain.message("day")).to_have_text("Error: Enter a date.")
    expect(plain.field("wish")).to_have_value(str(CASE["wish"]))
    plain.field("day").fill(str(CASE["day"]))
    plain.predict_button.click()
    prediction = kinds_api.predict("stays", CASE)["prediction"]
    plain.expect_number(prediction)
    expect(page).to_have_url(re.compile(re.escape("day=2024-02-29&arrival=2024-07-14T09%3A30&wish=A+quiet+room")))
    page.reload()
    plain.expect_number(prediction)
    expect(plain.field("wish")).to_have_value(str(CASE["wish"]))


def test_without_javascript_a_case_too_long_for_an_address_is_answered(plain: ModelPage, kinds_api: Api) -> None:
    plain.open("stays").field("wish").fill("quiet " * 1_600)
    plain.predict_button.click()
    expect(plain.number).to_be_visible()
    expect(plain.field("wish")).to_have_value("quiet " * 1_600)


PAGES = (
    "/",
    "/models/stays?example=3",
    "/models/stays?day=30+Feb&arrival=noon&city=x&children=y",
    "/models/sizes?example=3",
    "/models/returns?example=3",
    "/models/bare?a=1",
    "/models/stays/predict",
    "/models/sizes/predict",
    "/models/bare/predict",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_every_screen_and_axe_objects_to_nothing(form: ModelPage, watch: Watch, path: str) -> None:
    watch.expect_status(*({422} if "noon" in path else ()))
    page = form.page
    page.goto(path)
    expect(page.get_by_role("contentinfo")).to_be_attached()
    page.evaluate(Axe().axe_script)
    for width, theme in itertools.product((320, 390, 1280), THEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        violations = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert not [(violation["id"], violation["nodes"][0]["html"][:200]) for violation in violations], (width, theme)


def test_the_form_of_every_kind_is_filled_in_by_keyboard(form: ModelPage, kinds_api: Api) -> None:
    page = form.open("returns", "?children=1").page
    form.field("wish").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Two lines,")
    page.keyboard.press("Enter")
    page.keyboard.type("by keyboard.")
    expect(form.field("wish")).to_have_value("Two lines,\nby keyboard.")
    form.field("city").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Town 12")
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.keyboard.press("Enter")
    instance = kinds_api.defaults("returns") | {"children": 1, "city": "Town 12", "wish": "Two lines,\nby keyboard."}
    form.expect_number(kinds_api.predict("returns", instance)["prediction"])
    expect(page).to_have_url(re.compile(r"city=Town\+12"))  # the address follows the answer
