"""Chart → bytes: each format is what it says, the same chart is the same bytes, and no label breaks one."""

import csv
import hashlib
import io
import os
import re
import struct
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader

from dashboard.charts import Chart, rendering
from dashboard.charts.confusion import confusion
from dashboard.charts.predicted_true import predicted_true
from dashboard.charts.rendering import KEPT, SIZES, THEMES, Format, Key, Renderer, render, to_csv
from dashboard.charts.standing import Standing, standing
from dashboard.charts.style import PALETTES, Palette, configure
from tests.dashboard import kitchen

ROOT = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"
HARMLESS = {"svg", "g", "path", "defs", "use", "style", "title", "metadata", "clipPath", "rect", "text", "tspan"}
DESCRIPTION = re.compile(
    r"\{http://(www\.w3\.org/1999/02/22-rdf-syntax-ns#|purl\.org/dc/elements/1\.1/|creativecommons\.org/ns#)\}"
)


@pytest.fixture(autouse=True)
def _configured() -> None:
    configure()


def charts(name: str = "rent", unit: str | None = "€", level: str = "high") -> dict[str, Chart]:
    """Make one chart of each kind, with these words in it."""
    number = kitchen.model(of=kitchen.target(name=name, unit=unit))
    classes = kitchen.model(of=kitchen.target("low", level, name=name, positive=level))
    shares = [{"low": 1 - share, level: share} for share in (0.2, 0.6, 0.9)]
    numbers = kitchen.reference([700.0, 800.0, 950.0], [720.0, 780.0, 1000.0])
    sizes = kitchen.model(of=kitchen.target(name=name, unit=unit, outputs=(name, "other")))
    several = kitchen.reference([{name: 1.0, "other": 5.0}, {name: 4.0, "other": 6.0}])
    labels = kitchen.reference(["low", level, level], ["low", "low", level], probabilities=shares)
    return {
        "standing": standing(number, numbers, Standing(870.0)),
        "standing of an output": standing(sizes, several, Standing(3.0, output=name)),
        "standing of a class": standing(classes, labels, Standing(0.7, level)),
        "predicted-true": predicted_true(number, numbers),
        "confusion": confusion(classes, labels),
    }


CHARTS = charts()
KINDS = list(CHARTS)


def draw(chart: Chart, form: Format, **changes: Any) -> bytes:
    return render(chart, Key("m1", chart.name, form, **changes))


def elements(svg: bytes) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter())


# Formats


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_an_svg_is_well_formed_and_has_the_size_of_its_place(
    kind: str, theme: rendering.Theme, size: rendering.Size
) -> None:
    chart = CHARTS[kind]
    width, height = chart.sizes[size]

    root = ET.fromstring(draw(chart, "svg", theme=theme, size=size))

    assert root.tag == f"{SVG}svg"
    points = [float(value) for value in root.get("viewBox", "").split()]
    assert points == pytest.approx([0, 0, width * 0.75, height * 0.75], abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_an_svg_holds_drawing_and_text_only_and_asks_for_nothing(kind: str) -> None:
    found = elements(draw(CHARTS[kind], "svg"))
    tags = {element.tag for element in found if not DESCRIPTION.match(element.tag)}
    attributes = [(name.rpartition("}")[2], value) for element in found for name, value in element.attrib.items()]

    assert {tag.removeprefix(SVG) for tag in tags} <= HARMLESS
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert not [value for _, value in attributes if "url(" in value and "url(#" not in value]


@pytest.mark.parametrize("kind", KINDS)
def test_an_svg_has_its_finding_as_title_and_its_text_as_text(kind: str) -> None:
    found = elements(draw(CHARTS[kind], "svg"))

    assert CHARTS[kind].finding in [element.text for element in found if element.tag.endswith("title")]
    assert [element for element in found if element.tag == f"{SVG}text"]


def test_an_svg_is_in_the_font_of_the_page() -> None:
    svg = draw(CHARTS["standing"], "svg").decode()

    assert "system-ui" in svg
    assert svg.count("'DejaVu Sans'") == svg.count("system-ui")


def test_an_svg_lies_on_the_ground_of_the_page_and_a_picture_on_its_own() -> None:
    assert b"#17201d" not in draw(CHARTS["standing"], "svg", theme="dark")
    assert png_corner(draw(CHARTS["standing"], "png", theme="dark")) == (0x17, 0x20, 0x1D, 0xFF)
    assert png_corner(draw(CHARTS["standing"], "png", theme="light")) == (0xFF, 0xFF, 0xFF, 0xFF)


def png_corner(png: bytes) -> tuple[int, ...]:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        return tuple(image.convert("RGBA").tobytes()[:4])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_a_png_is_twice_as_fine_as_the_page(kind: str, size: rendering.Size) -> None:
    png = draw(CHARTS[kind], "png", size=size)
    width, height = CHARTS[kind].sizes[size]

    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (2 * width, 2 * height)
    assert png.endswith(b"IEND\xaeB`\x82")


def test_a_pdf_is_one_page_with_the_finding_as_its_title_and_text_that_can_be_read() -> None:
    chart = CHARTS["confusion"]
    reader = PdfReader(io.BytesIO(draw(chart, "pdf")))
    width, height = chart.sizes["wide"]

    (page,) = reader.pages
    assert [float(page.mediabox.width), float(page.mediabox.height)] == pytest.approx([width * 0.75, height * 0.75])
    assert reader.metadata
    assert reader.metadata.title == chart.finding
    assert reader.metadata.creation_date is None
    assert any(word in page.extract_text() for word in ("rent", "Rent", "high", "Predicted"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_csv_holds_the_numbers_of_the_table(kind: str) -> None:
    chart = CHARTS[kind]
    header, *rows = csv.reader(io.StringIO(draw(chart, "csv").decode(), newline=""), strict=True)

    assert tuple(header) == chart.header
    assert [tuple(row) for row in rows] == [tuple(map(str, row)) for row in chart.rows]


# The same chart, the same bytes


@pytest.mark.parametrize(
    ("kind", "form"),
    [*((kind, "svg") for kind in KINDS), ("confusion", "png"), ("standing", "pdf"), ("standing", "csv")],
)
def test_two_renderers_give_the_same_bytes(kind: str, form: Format) -> None:
    key = Key("m1", CHARTS[kind].name, form)

    assert Renderer().bytes_of(key, CHARTS[kind]) == Renderer().bytes_of(key, charts()[kind])


IN_A_PROCESS = """
import hashlib
from dashboard.charts.rendering import Key, render
from dashboard.charts.standing import Standing, standing
from dashboard.charts.style import configure
from tests.dashboard import kitchen
configure()
chart = standing(kitchen.model(), kitchen.reference([700.0, 800.0, 950.0]), Standing(870.0))
print(hashlib.sha256(render(chart, Key("m1", "standing", "svg"))).hexdigest())
"""


def drawing_with(seed: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}", "SOURCE_DATE_EPOCH": seed}
    command = [sys.executable, "-c", IN_A_PROCESS]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_two_processes_give_the_same_svg() -> None:
    processes = [drawing_with("1"), drawing_with("2")]
    chart = standing(kitchen.model(), kitchen.reference([700.0, 800.0, 950.0]), Standing(870.0))
    here = hashlib.sha256(draw(chart, "svg")).hexdigest()

    assert [process.communicate(timeout=60)[0].strip() for process in processes] == [here, here]


def test_drawing_in_many_threads_gives_the_same_bytes() -> None:
    drawn: list[bytes] = []
    threads = [threading.Thread(target=lambda: drawn.append(draw(CHARTS["confusion"], "svg"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(drawn) == 8
    assert len(set(drawn)) == 1


# What decides the bytes

KEY = Key("m1", "standing", "svg")


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, model="m2"),
        replace(KEY, chart="confusion"),
        replace(KEY, chart="standing "),
        replace(KEY, format="png"),
        replace(KEY, theme="dark"),
        replace(KEY, size="narrow"),
    ],
)
def test_everything_that_changes_a_chart_changes_its_etag(other: Key) -> None:
    assert other.etag != KEY.etag


def test_an_etag_is_the_same_each_time_and_fits_a_header() -> None:
    assert KEY.etag == replace(KEY).etag
    assert re.fullmatch(r"[0-9a-f]{32}", Key("größe\r\n\x00", '"', "svg").etag)


@pytest.mark.parametrize("kind", KINDS)
def test_themes_and_sizes_look_different(kind: str) -> None:
    drawn = {draw(CHARTS[kind], "svg", theme=theme, size=size) for theme in THEMES for size in SIZES}

    assert len(drawn) == 4


# Words that people put into names

HOSTILE = {
    "broken mathtext": "$\\frac{1}{$",
    "deep mathtext": "$" + "\\sqrt{" * 300 + "x" + "}" * 300 + "$",
    "mathtext": "$x^2$ and $y$",
    "NUL": "a\x00b",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "half a character": "a\ud800b\udfff",
    "no character": "a\ufffeb\uffff",
    "20,000 characters": "long " * 4000,
    "markup": "</text></svg><script>alert(1)</script>&amp;<![CDATA[",
    "comment": "--><!-- ]]>",
    "right to left": "\u202egnp.exe\u2066 \u200f",
    "combining marks": "e" + "\u0301" * 1000,
    "lines": "one\ntwo\r\nthree\u2028four",
    "other scripts": "größe 漢字 😀 عربى",
    "nothing": "",
    "spaces": "   ",
}


NO_GLYPH = "ignore:Glyph .* missing from font"
"""DejaVu has no glyph for every character: a box is drawn instead, and a warning given."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings(NO_GLYPH)
def test_no_word_breaks_an_svg(text: str, kind: str) -> None:
    svg = draw(charts(text, text, text or "empty")[kind], "svg")

    assert {element.tag.removeprefix(SVG) for element in elements(svg) if SVG in element.tag} <= HARMLESS
    assert len(svg) < 100_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.filterwarnings(NO_GLYPH)
def test_no_word_breaks_a_picture_or_a_table(text: str) -> None:
    chart = charts(text, text, text or "empty")["confusion"]
    began = time.monotonic()

    assert draw(chart, "png").startswith(b"\x89PNG")
    assert draw(chart, "csv").decode().startswith("true,predicted,cases")
    assert time.monotonic() - began < rendering.SECONDS


@pytest.mark.parametrize("name", ["NUL", "other scripts"])
@pytest.mark.filterwarnings(NO_GLYPH)
def test_no_word_breaks_a_pdf(name: str) -> None:
    text = HOSTILE[name]

    assert len(PdfReader(io.BytesIO(draw(charts(text, text, text)["standing of a class"], "pdf"))).pages) == 1


# CSV for a spreadsheet


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠"])
def test_no_text_opens_as_a_formula(start: str) -> None:
    text = f"{start}cmd|' /C calc'!A0"

    ((name,), (cell,)) = csv.reader(io.StringIO(to_csv((text,), ((text,),)).decode(), newline=""))

    assert name == cell == "'" + text


@pytest.mark.parametrize("number", [-1.5, -3, 0.1 + 0.2, 1e-300, -1e300, 2**53])
def test_every_number_reads_back_the_same(number: float) -> None:
    _, (cell,) = csv.reader(io.StringIO(to_csv(("n",), ((number,),)).decode(), newline=""))

    assert float(cell) == number


@pytest.mark.parametrize(
    "text", ["a,b", 'say "hi"', "two\nlines", "two\r\nlines", "größe 漢字", " space ", "'quoted'", ""]
)
def test_every_text_reads_back_the_same(text: str) -> None:
    _, (cell, last) = csv.reader(io.StringIO(to_csv(("t", "u"), ((text, "end"),)).decode(), newline=""), strict=True)

    assert (cell, last) == (text, "end")


def test_lines_end_as_the_format_wants_them() -> None:
    assert to_csv(("a", "b"), ((1, 2),)) == b"a,b\r\n1,2\r\n"


# The renderer


def counting(calls: list[str], then: Callable[[], object] = lambda: None) -> Chart:
    """Make a chart that notes each time it is drawn."""

    def draw_it(figure: Figure, palette: Palette) -> None:
        calls.append(palette.paper)
        then()

    return replace(CHARTS["standing"], draw=draw_it)


def test_a_chart_is_drawn_once() -> None:
    calls: list[str] = []
    renderer, chart = Renderer(), counting(calls)

    assert renderer.bytes_of(KEY, chart) == renderer.bytes_of(KEY, chart)
    assert calls == [PALETTES["light"].paper]


def test_who_asks_while_it_is_drawn_waits_for_that_one() -> None:
    calls: list[str] = []
    go_on = threading.Event()
    renderer, chart = Renderer(), counting(calls, lambda: go_on.wait(5))

    first, second = renderer.start(KEY, chart), renderer.start(KEY, chart)
    go_on.set()

    assert first is second
    assert first.result(5)
    assert len(calls) == 1


def test_another_theme_is_drawn_anew() -> None:
    calls: list[str] = []
    renderer, chart = Renderer(), counting(calls)
    renderer.bytes_of(KEY, chart)
    renderer.bytes_of(replace(KEY, theme="dark"), chart)

    assert calls == [PALETTES["light"].paper, PALETTES["dark"].paper]


def test_a_chart_that_failed_is_tried_again() -> None:
    calls: list[str] = []
    renderer = Renderer()
    with pytest.raises(ZeroDivisionError):
        renderer.bytes_of(KEY, counting(calls, lambda: 1 / 0))

    assert renderer.bytes_of(KEY, counting(calls))
    assert len(calls) == 2


def test_a_chart_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SECONDS", 0.05)
    go_on = threading.Event()
    began = time.monotonic()
    try:
        with pytest.raises(TimeoutError, match=r"the chart standing took longer than 0\.05 s"):
            Renderer().bytes_of(KEY, counting([], lambda: go_on.wait(10)))
        assert time.monotonic() - began < 1
    finally:
        go_on.set()


def test_only_so_many_charts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "KEPT", 2)
    calls: list[str] = []
    renderer, chart = Renderer(), counting(calls)
    for model in ("m1", "m2", "m1", "m3", "m1", "m2"):
        renderer.bytes_of(replace(KEY, model=model), chart)

    assert KEPT == 256
    assert len(calls) == 4  # m2 was not asked for as lately as m1, and made room for m3
