"""Charts: really drawn in every look, and each download opens as its format."""

import csv
import io
import itertools
import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Literal, get_args

import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from tests.e2e.api import MODELS, Api
from tests.e2e.conftest import OpenPage
from tests.e2e.model_page import ModelPage, expect_drawn

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
QUALITY = {"diabetes": "predicted-true", "breast-cancer": "confusion", "wine": "confusion", "loans": "confusion"}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("path", ["/models/diabetes?bmi=30", "/models/breast-cancer?example=2", "/predict"])
def test_a_chart_is_drawn_in_the_look_of_the_page(page: Page, path: str) -> None:
    page.goto(path)
    image = page.locator("#chart, #quality-chart")
    for width, theme in itertools.product((1280, 390), THEMES):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=theme)
        expect_drawn(image)
        narrow = width == 390
        used = image.evaluate("image => image.currentSrc")
        assert ("size=narrow" in used, "theme=dark" in used) == (narrow, theme == "dark")
        assert image.evaluate("image => image.naturalWidth") == (330 if narrow else 560)


@pytest.mark.parametrize("theme", THEMES)
def test_a_phone_asks_only_for_the_chart_of_its_look(open_page: OpenPage, theme: Theme) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=theme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/charts/" in request.url else None)
    page.goto("/models/diabetes?bmi=30")
    expect_drawn(page.locator("#chart"))
    (address,) = asked
    assert ("size=narrow" in address, "theme=dark" in address) == (True, theme == "dark")


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_a_chart_of_its_quality(page: Page, model: str) -> None:
    page.goto(f"/models/{model}/predict")
    expect_drawn(page.locator("#quality-chart"))
    assert f"/charts/{QUALITY[model]}.svg" in (page.locator("#quality-chart").get_attribute("src") or "")


@pytest.mark.parametrize("model", MODELS)
def test_the_chart_follows_the_prediction(model_page: ModelPage, model: str) -> None:
    sources = []
    for example in (1, 150):
        model_page.open(model, f"?example={example}")
        model_page.predict()
        expect(model_page.number).to_be_visible()
        expect_drawn(model_page.chart)
        sources.append(model_page.chart.evaluate("image => image.currentSrc"))
    assert sources[0] != sources[1]


def test_a_new_prediction_draws_a_new_chart(model_page: ModelPage) -> None:
    model_page.open("diabetes").predict()
    expect_drawn(model_page.chart)
    before = model_page.chart.get_attribute("src") or ""
    model_page.field("bmi").fill("40")
    model_page.predict()
    expect(model_page.chart).not_to_have_attribute("src", before)
    expect_drawn(model_page.chart)


def test_a_chart_says_its_finding_to_who_cannot_see_it(model_page: ModelPage) -> None:
    model_page.open("diabetes", "?bmi=30")
    finding = model_page.page.locator("#standing figcaption, .chart:has(#quality-chart) figcaption").inner_text()
    assert re.search(r"than for .*% of the 442 reference cases", finding)
    expect(model_page.chart).to_have_attribute("alt", finding)


def test_a_chart_has_its_place_before_it_is_there(model_page: ModelPage) -> None:
    model_page.open("diabetes", "?bmi=30")
    width, height = (float(model_page.chart.get_attribute(name) or 0) for name in ("width", "height"))
    expect_drawn(model_page.chart)
    box = model_page.chart.bounding_box()
    assert box
    assert box["height"] / box["width"] == pytest.approx(height / width, abs=0.01)


def test_the_numbers_of_a_chart_are_on_the_page(model_page: ModelPage) -> None:
    page = model_page.open("diabetes", "?bmi=30").page
    page.locator("#standing-numbers summary, #predicted-true-numbers summary, #confusion-numbers summary").click()
    cells = page.locator("#standing-numbers tbody td:last-child")
    expect(cells.first).to_be_visible()
    assert sum(map(int, cells.all_inner_texts())) == 442


def test_a_browser_that_has_the_chart_does_not_get_it_again(page: Page) -> None:
    address = "/models/diabetes/versions/1/charts/predicted-true.svg"
    first = page.request.get(address)
    again = page.request.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status, again.status, again.body()) == (200, 304, b"")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/models/diabetes?bmi=30", r"diabetes-v1_standing_\d+\.?\d*_\d{4}-\d\d-\d\d"),
        ("/models/breast-cancer?example=2", r"breast-cancer-v1_standing_\d\.?\d*(e-\d+)?_\d{4}-\d\d-\d\d"),
        ("/predict", r"diabetes-v1_predicted-true_\d{4}-\d\d-\d\d"),
        ("/models/wine/predict", r"wine-v1_confusion_\d{4}-\d\d-\d\d"),
    ],
)
def test_each_download_opens_as_its_format(page: Page, path: str, name: str) -> None:
    page.goto(path)
    finding = page.locator("#standing figcaption, .chart:has(#quality-chart) figcaption").inner_text()
    for form, opens in OPEN.items():
        file_name, data = download(page, page.get_by_role("link", name=f"{form} of the chart", exact=True))
        assert re.fullmatch(rf"{name}\.{form.lower()}", file_name)
        opens(data, page, finding)


def test_a_table_with_the_same_numbers_as_the_page(page: Page, api: Api) -> None:
    page.goto("/models/diabetes/predict")
    _, data = download(page, page.get_by_role("link", name="CSV of the chart"))
    header, *rows = csv.reader(io.StringIO(data.decode()))
    reference = api.reference("diabetes", 1, 442)
    assert header == ["true", "predicted"]
    assert [[float(value) for value in row] for row in rows] == [
        list(pair) for pair in zip(reference["target"], reference["prediction"], strict=True)
    ]


def download(page: Page, link: Locator) -> tuple[str, bytes]:
    """Press a link; gives the name and the bytes of what the browser keeps."""
    with page.expect_download() as waiting:
        link.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def open_png(data: bytes, page: Page, finding: str) -> None:
    """Twice as fine as on the page."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    image = page.locator("#chart, #quality-chart")
    assert (str(width // 2), str(height // 2)) == (image.get_attribute("width"), image.get_attribute("height"))
    assert data[-8:-4] == b"IEND"


def open_svg(data: bytes, page: Page, finding: str) -> None:
    """XML with text in it, and the finding as its title."""
    root = ET.fromstring(data)
    assert root.tag == f"{SVG}svg"
    assert root.findall(f".//{SVG}text")
    assert finding in data.decode()


def open_pdf(data: bytes, page: Page, finding: str) -> None:
    """One page with text."""
    reader = PdfReader(io.BytesIO(data))
    assert len(reader.pages) == 1
    assert reader.pages[0].extract_text().strip()
    assert reader.metadata
    assert reader.metadata.title == finding


def open_csv(data: bytes, page: Page, finding: str) -> None:
    """A header and rows of the same length, as many as in the table on the page."""
    header, *rows = csv.reader(io.StringIO(data.decode()))
    assert all(len(row) == len(header) for row in rows)
    expect(page.locator("#answer .numbers tbody tr, .chart:has(#quality-chart) .numbers tbody tr")).to_have_count(
        len(rows)
    )


OPEN = {"PNG": open_png, "SVG": open_svg, "PDF": open_pdf, "CSV": open_csv}
