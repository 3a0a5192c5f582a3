"""Each chart at its own address, in four formats, two themes and two sizes."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from flask import Flask
from pypdf import PdfReader

from dashboard.records import ModelVersion, Prediction, Provenance, ReferencePredictions
from dashboard.views.charts import SVG_POLICY, CaseChart, chart_names, quality_chart
from tests.dashboard import kitchen
from tests.dashboard.conftest import GuestBefore, MakeUpstream, Serving
from tests.dashboard.guest import Guest
from tests.dashboard.page import Page, text_of
from tests.dashboard.upstream import FAULTS, by_hand

DIABETES = "/models/diabetes/versions/1/charts"
LOANS = "/models/loans/versions/1/charts"
CASE = f"{DIABETES}/standing.svg?value=152.13"
SHARE = f"{LOANS}/standing.svg?value=0.25&class=defaulted"
ADDRESSES = [CASE, SHARE, f"{DIABETES}/predicted-true.svg", f"{LOANS}/confusion.svg"]
RENT = kitchen.model()
ROWS = kitchen.reference([700.0, 800.0, 950.0])
SIZES = kitchen.model(of=kitchen.target(name="size", outputs=("height", "a & b=c")))
SIZES_ROWS = kitchen.reference([{"height": 10.0 * i, "a & b=c": float(i)} for i in range(3)])


def in_format(address: str, form: str, **parameters: Any) -> str:
    path, _, query = address.partition("?")
    return f"{path.removesuffix('.svg')}.{form}?{urlencode([*parse_qsl(query), *parameters.items()])}"


def rows_of(model: ModelVersion) -> ReferencePredictions:
    """Make three rows that fit a model."""
    target = model.signature.target
    if target.outputs:
        return SIZES_ROWS
    if not target.classes:
        return ROWS
    shares = [{"a": 1.0, "b": 0.0}] * 3 if target.probabilities else None
    return kitchen.reference(["a", "a", "b"], probabilities=shares)


# Formats


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_svg_parses_and_may_do_nothing_but_style_itself(guest: Guest, address: str) -> None:
    response = guest.get(address)

    assert ET.fromstring(response.data).tag == "{http://www.w3.org/2000/svg}svg"
    assert response.mimetype == "image/svg+xml"
    assert response.headers["Content-Security-Policy"] == SVG_POLICY
    assert {part.strip().split()[0] for part in SVG_POLICY.split(";")} == {"default-src", "style-src", "sandbox"}
    assert "'none'" in SVG_POLICY
    assert "Content-Disposition" not in response.headers


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_png_is_a_download(guest: Guest, address: str) -> None:
    response = guest.get(in_format(address, "png"))

    assert response.mimetype == "image/png"
    assert response.data.startswith(b"\x89PNG\r\n\x1a\n")
    assert response.headers["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize("address", [CASE, f"{LOANS}/confusion.svg"])
def test_a_pdf_is_a_download(guest: Guest, address: str) -> None:
    response = guest.get(in_format(address, "pdf"))

    assert response.mimetype == "application/pdf"
    assert len(PdfReader(io.BytesIO(response.data)).pages) == 1
    assert response.headers["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize(
    "page", ["/models/diabetes?bmi=30", "/models/loans?age=30", "/models/diabetes/predict", "/models/wine/predict"]
)
def test_a_csv_holds_the_table_of_the_page(guest: Guest, page: str) -> None:
    shown = guest.page(page)
    (link,) = [link for link in shown.all("a[@download]") if text_of(link).startswith("CSV")]
    response = guest.get(link.get("href", ""))
    header, *rows = csv.reader(io.StringIO(response.text, newline=""), strict=True)

    assert response.content_type == "text/csv; charset=utf-8"
    table = shown.one("details[@class='numbers']").findall(".//tr")
    assert [text_of(cell) for cell in table[0]] == header
    assert [[text_of(cell) for cell in row] for row in table[1:]] == [
        [cell if not re.fullmatch(r"-?[\d.e-]+", cell) else f"{float(cell):.15g}" for cell in row] for row in rows
    ]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (in_format(CASE, "png"), "diabetes-v1_standing_152.13"),
        (in_format(CASE, "svg", download=1), "diabetes-v1_standing_152.13"),
        (in_format(SHARE, "csv"), "loans-v1_standing_0.25"),
        (f"{LOANS}/confusion.pdf", "loans-v1_confusion"),
        (f"{DIABETES}/standing.png?value=-1e300", "diabetes-v1_standing_-1e-300"),
    ],
)
def test_a_download_is_named_after_what_is_in_it(guest: Guest, address: str, name: str) -> None:
    disposition = guest.get(address).headers["Content-Disposition"]
    form = address.partition("?")[0].rpartition(".")[2]

    assert re.fullmatch(rf'attachment; filename="{re.escape(name)}_\d{{4}}-\d\d-\d\d\.{form}"', disposition)


def test_a_hostile_model_name_makes_a_harmless_file_name(serving: Serving) -> None:
    name = '..\\x"\r\nSet-Cookie: a=b;größe' + "x" * 200

    response = serving(kitchen.model(name=name), rows=ROWS).get(
        f"/models/{quote(name, safe='')}/versions/1/charts/predicted-true.csv"
    )

    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]{1,104}"', response.headers["Content-Disposition"])
    assert "Set-Cookie" not in response.headers


# The browser's copy


@pytest.mark.parametrize("form", ["svg", "png", "csv"])
@pytest.mark.parametrize("address", [CASE, f"{LOANS}/confusion.svg"])
def test_what_the_browser_has_is_not_sent_again(guest: Guest, address: str, form: str) -> None:
    first = guest.get(in_format(address, form))
    again = guest.get(in_format(address, form), headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"] == "private, no-cache"
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    assert again.headers.get("Vary") == first.headers.get("Vary")


def test_nothing_is_asked_and_nothing_drawn_for_what_the_browser_has(
    guest_before: GuestBefore, upstream: MakeUpstream
) -> None:
    service = upstream(by_hand(kitchen.answers(RENT, rows=ROWS)))
    first, other = guest_before(service, timeout=10), guest_before(service, timeout=10)
    etag = first.get("/models/rent/versions/1/charts/predicted-true.svg").headers["ETag"]
    asked = len(service.asked)

    response = other.get("/models/rent/versions/1/charts/predicted-true.svg", headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert [sent.path for sent in service.asked[asked:]] == ["/models/rent/versions/1"]


@pytest.mark.parametrize("tags", ['"other"', 'W/"other"', '"a", "b"', "rubbish", ""])
def test_another_copy_is_replaced(guest: Guest, tags: str) -> None:
    assert guest.get(CASE, headers={"If-None-Match": tags}).status_code == 200


def test_one_of_several_copies_will_do(guest: Guest) -> None:
    etag = guest.get(CASE).headers["ETag"]

    assert guest.get(CASE, headers={"If-None-Match": f'"a", {etag}, "b"'}).status_code == 304


def test_each_look_and_each_case_has_its_own_etag(guest: Guest) -> None:
    addresses = [CASE, CASE + "4", SHARE, SHARE.replace("0.25", "0.26"), SHARE.replace("defaulted", "repaid")]
    addresses += [in_format(CASE, "svg", theme="dark"), in_format(CASE, "svg", size="narrow"), in_format(CASE, "png")]
    addresses += [in_format(CASE, "svg", size="narrow", theme="dark"), *ADDRESSES[2:]]

    assert len({guest.get(address).headers["ETag"] for address in addresses}) == len(addresses)


def test_two_dashboards_give_the_same_bytes_and_etag(app: Flask, guest_before: GuestBefore, model_service: str) -> None:
    ours, theirs = Guest(app).get(CASE), guest_before(model_service, timeout=20).get(CASE)

    assert ours.data == theirs.data
    assert ours.headers["ETag"] == theirs.headers["ETag"]


def test_a_new_version_is_another_chart(serving: Serving) -> None:
    address = "/models/rent/versions/1/charts/predicted-true.svg"
    first = serving(RENT, rows=ROWS).get(address)
    second = serving(kitchen.model(provenance=Provenance(digest="d2")), rows=ROWS).get(address)

    assert first.headers["ETag"] != second.headers["ETag"]


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        f"{DIABETES}/standing.gif?value=1",
        f"{DIABETES}/standing.SVG?value=1",
        f"{DIABETES}/standing.svg.png?value=1",
        f"{DIABETES}/standing.?value=1",
        f"{DIABETES}/standing?value=1",
        f"{DIABETES}/pie.svg",
        f"{DIABETES}/confusion.svg",
        f"{LOANS}/predicted-true.svg",
        f"{DIABETES}/../standing.svg?value=1",
        "/models/diabetes/versions/2/charts/standing.svg?value=1",
        "/models/diabetes/versions/-1/charts/standing.svg?value=1",
        "/models/diabetes/versions/1e0/charts/standing.svg?value=1",
        "/models/diabetes/versions/%2e%2e/charts/standing.svg?value=1",
        "/models/diabetes/versions/1%00/charts/standing.svg?value=1",
        "/models/nope/versions/1/charts/standing.svg?value=1",
    ],
)
def test_a_chart_that_does_not_exist_is_not_there(guest: Guest, address: str) -> None:
    assert guest.get(address).status_code == 404


@pytest.mark.parametrize("parameters", [{"theme": "pink"}, {"theme": ""}, {"size": "1000000"}, {"size": "Wide"}])
def test_a_look_that_does_not_exist_is_refused_with_those_that_do(guest: Guest, parameters: dict[str, str]) -> None:
    response = guest.get(in_format(CASE, "svg", **parameters))

    assert response.status_code == 422
    assert "must be light or dark" in response.text or "must be wide or narrow" in response.text


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "-inf", "1e999", "1,5", "<script>", "1;2"])
def test_a_case_that_is_no_number_is_refused(guest: Guest, value: str) -> None:
    response = guest.ask("GET", f"{DIABETES}/standing.svg", query_string={"value": value})

    assert response.status_code == 422
    assert "must be a number" in Page(response.text).one("p[@class='lead']").itertext().__next__()
    assert "<script>" not in response.text.replace('<script src="', "")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?class=defaulted",
        "?value=0.5",
        "?value=0.5&class=nope",
        "?value=1.1&class=repaid",
        "?value=-0.1&class=repaid",
    ],
)
def test_a_case_that_is_no_probability_of_a_class_is_refused(guest: Guest, query: str) -> None:
    assert guest.get(f"{LOANS}/standing.svg{query}").status_code == 422


@pytest.mark.parametrize("value", ["0", "-0.0", "1e17", "-1e300", "1.79e308", "-1.79e308", "5e-324"])
@pytest.mark.parametrize("form", ["svg", "csv"])
def test_a_case_may_be_any_number(guest: Guest, value: str, form: str) -> None:
    assert guest.get(f"{DIABETES}/standing.{form}?value={value}").status_code == 200


@pytest.mark.parametrize("name", ["trickles its body", "resets in the middle of its body", "answers with NaN"])
def test_a_fault_of_the_service_has_its_status(guest_before: GuestBefore, upstream: MakeUpstream, name: str) -> None:
    fault, status = FAULTS[name]

    response = guest_before(upstream(fault), timeout=0.2).get("/models/rent/versions/1/charts/predicted-true.svg")

    assert response.status_code == status


# Which chart


def test_the_case_of_a_regression_is_its_number() -> None:
    (chart,) = CaseChart.all_of(RENT, kitchen.prediction(870.25))

    assert chart.query == {"value": "870.25"}


@pytest.mark.parametrize(
    ("positive", "query"),
    [("let", {"value": "0.3", "class": "let"}), (None, {"value": "0.7", "class": "empty"})],
)
def test_the_case_of_a_classification_is_the_class_that_people_look_for(
    positive: str | None, query: dict[str, str]
) -> None:
    model = kitchen.model(of=kitchen.target("let", "empty", positive=positive))

    (chart,) = CaseChart.all_of(model, kitchen.prediction("empty", {"let": 0.3, "empty": 0.7}))

    assert chart.query == query


def test_the_case_of_a_class_that_is_true_is_the_probability_of_true() -> None:
    model = kitchen.model(of=kitchen.target(False, True, positive=True))
    (chart,) = CaseChart.all_of(model, kitchen.prediction(False, {"False": 0.7, "True": 0.3}))

    assert chart.query == {"value": "0.3", "class": "True"}
    with Flask(__name__).test_request_context(query_string=chart.query):
        assert CaseChart.from_query(model).case.of is True


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (2, 2), (3, 3), (4, 3), (40, 3)])
def test_the_cases_of_several_numbers_are_the_first_three(count: int, shown: int) -> None:
    names = [f"out {i}" for i in range(count)]
    model = kitchen.model(of=kitchen.target(outputs=names))
    charts = CaseChart.all_of(model, kitchen.prediction({name: i / 2 for i, name in enumerate(names)}))

    assert [chart.query for chart in charts] == [
        {"value": repr(i / 2), "output": name} for i, name in enumerate(names[:shown])
    ]


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (kitchen.model(of=kitchen.target("a", "b", probabilities=False)), kitchen.prediction("a")),
        (kitchen.model(rows=0), kitchen.prediction(5.0)),
        (kitchen.model(of=kitchen.target("a", "b"), rows=0), kitchen.prediction("a", {"a": 1.0, "b": 0.0})),
        (kitchen.model(of=kitchen.target(outputs=("a",)), rows=0), kitchen.prediction({"a": 1.0})),
    ],
)
def test_there_is_no_case_where_there_is_nothing_to_stand_among(model: ModelVersion, answer: Prediction) -> None:
    assert CaseChart.all_of(model, answer) == []


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (RENT, {"standing", "predicted-true"}),
        (kitchen.model(of=kitchen.target("a", "b")), {"standing", "confusion"}),
        (kitchen.model(of=kitchen.target("a", "b", probabilities=False)), {"confusion"}),
        (SIZES, {"standing", "predicted-true"}),
        (kitchen.model(rows=0), set()),
    ],
)
def test_a_model_has_the_charts_of_its_kind_and_no_others(
    serving: Serving, model: ModelVersion, names: set[str]
) -> None:
    guest = serving(model, rows=rows_of(model))
    query = "?value=0.5&class=a&output=height"
    statuses = {
        name: guest.get(f"/models/rent/versions/1/charts/{name}.csv{query}").status_code
        for name in ("standing", "predicted-true", "confusion")
    }

    assert set(chart_names(model)) == names
    assert {name for name, status in statuses.items() if status == 200} == names
    assert {status for status in statuses.values() if status != 200} <= {404}


@pytest.mark.parametrize("value", [152.13348161257547, 1e-300, 0.1 + 0.2, -5.0])
def test_the_address_of_a_case_reads_back_exactly(value: float) -> None:
    (case,) = CaseChart.all_of(RENT, kitchen.prediction(value))

    with Flask(__name__).test_request_context(query_string=case.query):
        assert CaseChart.from_query(RENT) == case


def test_the_address_of_an_output_reads_back_exactly() -> None:
    for case in CaseChart.all_of(SIZES, kitchen.prediction({"height": 0.1 + 0.2, "a & b=c": 5.0})):
        with Flask(__name__).test_request_context(query_string=case.query):
            assert CaseChart.from_query(SIZES) == case


def test_an_address_that_names_no_output_means_the_first(serving: Serving) -> None:
    guest = serving(SIZES, rows=SIZES_ROWS)
    address = "/models/rent/versions/1/charts/standing.svg?value=15"
    first, same, other = (guest.get(address + more) for more in ("", "&output=height", "&output=a+%26+b%3Dc"))

    assert first.data == same.data != other.data
    assert first.headers["ETag"] == same.headers["ETag"] != other.headers["ETag"]


@pytest.mark.parametrize("output", ["", "Height", "weight", "<script>"])
def test_an_output_that_the_model_lacks_is_refused(serving: Serving, output: str) -> None:
    guest = serving(SIZES, rows=SIZES_ROWS)
    response = guest.ask(
        "GET", "/models/rent/versions/1/charts/standing.svg", query_string={"value": "1", "output": output}
    )

    assert response.status_code == 422
    assert "must name an output of the model" in response.text


def test_a_download_of_an_output_is_named_after_it(serving: Serving) -> None:
    address = "/models/rent/versions/1/charts/standing.csv?value=15&output=a+%26+b%3Dc"
    disposition = serving(SIZES, rows=SIZES_ROWS).get(address).headers["Content-Disposition"]

    assert disposition.startswith('attachment; filename="rent-v1_standing_a---b-c_15_')


def test_classes_that_are_numbers_read_back_as_numbers() -> None:
    model = kitchen.model(of=kitchen.target(0, 1, positive=1))

    with Flask(__name__).test_request_context(query_string={"value": "0.5", "class": "1"}):
        assert CaseChart.from_query(model).case.of == 1


def test_the_quality_of_a_model_is_shown_by_its_kind() -> None:
    classes = kitchen.model(of=kitchen.target("a", "b"))

    assert quality_chart(RENT, ROWS).name == "predicted-true"
    assert quality_chart(classes, kitchen.reference(["a", "b", "b"])).name == "confusion"
