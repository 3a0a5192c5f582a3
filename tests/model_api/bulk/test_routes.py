"""Tables over HTTP: the same predictions whatever the form, exact statuses for what is wrong, and no surprise."""

import io
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pytest
from pyarrow import feather
from starlette.testclient import TestClient

from model_api.bulk import answering, plain, predicting
from tests.model_api.bulk.tables import FILE, FORMS, PARQUET, STREAM, Rows, as_csv, file, parquet, read_back, stream

MODELS = ("diabetes", "breast-cancer", "wine", "loans")
FLAT = {"area": 70.5, "rooms": 3, "furnished": True, "district": "south", "balcony": 4.5}
CSV = "text/csv"


def post(client: TestClient, model: str, content: bytes, kind: str = CSV, accept: str = "", **query: Any) -> Any:
    headers = {"Content-Type": kind, **({"Accept": accept} if accept else {})}
    return client.post(f"/models/{model}/predict", params=query, content=content, headers=headers)


def told(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """Give an error answer, whose status is certain."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    return problem


def flats(**columns: list[Any]) -> Any:
    """Give a table of flats, with other columns in place of some."""
    rows = max((len(column) for column in columns.values()), default=1)
    return pa.table({name: columns.get(name, [value] * rows) for name, value in FLAT.items()})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", FORMS)
def test_the_same_rows_get_the_same_answer_in_every_form(
    client: TestClient, reference_rows: Callable[[str, int], Rows], model: str, kind: str
) -> None:
    rows = reference_rows(model, 120)
    expected = client.post(f"/models/{model}/predict", json={"data": rows}).json()

    answer = post(client, model, FORMS[kind](rows), kind, "application/json")

    assert answer.json() | {"request_id": ""} == expected | {"request_id": ""}
    assert answer.headers["Servery-Model"] == f"{model}/1"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", [CSV, PARQUET, STREAM, FILE])
def test_an_answer_says_the_same_in_every_form(
    client: TestClient, reference_rows: Callable[[str, int], Rows], model: str, kind: str
) -> None:
    rows = reference_rows(model, 50)
    expected = client.post(f"/models/{model}/predict", json={"data": rows}).json()

    answer = post(client, model, as_csv(rows), CSV, kind)
    found = read_back(kind, answer.content)

    assert answer.headers["Content-Type"].startswith(kind)
    assert [row["prediction"] for row in found] == expected["prediction"]
    for row, interval in zip(found, expected["interval"], strict=True):
        if "classes" in interval:
            assert row["interval_classes"] == interval["classes"]
        else:
            assert (row["interval_low"], row["interval_high"]) == (interval["low"], interval["high"])
    for row, shares in zip(found, expected.get("probabilities", []), strict="probabilities" in expected):
        assert {name: row[f"probability_{name}"] for name in shares} == shares
    for row, warnings in zip(found, expected["warnings"], strict=True):
        assert (row["warnings"] or "") == "; ".join(warning["message"] for warning in warnings)


def test_without_accept_an_answer_comes_as_the_table_did(small_client: TestClient) -> None:
    for kind, write in FORMS.items():
        answer = post(small_client, "rent", write([FLAT]), kind)

        assert answer.headers["Content-Type"].split(";")[0] in (kind, PARQUET)


def test_json_may_be_answered_with_a_table(small_client: TestClient) -> None:
    answer = small_client.post("/models/rent/predict?table", json={"data": [FLAT] * 3}, headers={"Accept": CSV})

    assert len(read_back(CSV, answer.content)) == 3


def test_order_of_columns_and_byte_order_mark_make_no_difference(small_client: TestClient) -> None:
    turned = dict(reversed(FLAT.items()))

    assert post(small_client, "rent", b"\xef\xbb\xbf" + as_csv([turned])).content == (
        post(small_client, "rent", as_csv([FLAT]).replace(b"\r\n", b"\n")).content
    )


def test_the_default_model_and_a_version_answer_too(client: TestClient, patient: dict[str, Any]) -> None:
    content, headers = as_csv([patient]), {"Content-Type": CSV}
    answers = [
        client.post(path, content=content, headers=headers).content
        for path in ("/predict", "/models/diabetes/predict", "/models/diabetes/versions/champion/predict")
    ]

    assert answers[0] == answers[1] == answers[2]
    assert client.post("/models/nobody/predict", content=content, headers=headers).status_code == 404


def test_the_coverage_may_be_asked_for(small_client: TestClient) -> None:
    half, most = (
        read_back(CSV, post(small_client, "rent", as_csv([FLAT]), coverage=coverage).content)[0]
        for coverage in (0.5, 0.95)
    )

    assert half["interval_low"] > most["interval_low"]


def test_bad_rows_are_refused_with_all_that_is_wrong(small_client: TestClient) -> None:
    rows = [FLAT, FLAT | {"area": "big", "rooms": "1.5"}, FLAT, FLAT | {"furnished": "maybe"}]
    refused = small_client.post("/models/rent/predict", json={"data": rows}).json()

    problem = told(post(small_client, "rent", as_csv(rows)), 422)

    assert problem["errors"] == refused["errors"]
    assert problem["detail"] == "3 features in 2 of 4 rows are not valid"


@pytest.mark.parametrize("accept", [CSV, PARQUET, STREAM, FILE])
def test_bad_rows_are_reported_between_the_good_ones(small_client: TestClient, accept: str) -> None:
    rows = [FLAT, FLAT | {"area": "big", "rooms": "1.5"}, FLAT | {"area": 999}]

    answer = post(small_client, "rent", as_csv(rows), CSV, accept, on_error="report")
    first, second, third = read_back(accept, answer.content)

    assert first["error"] is None
    assert first["prediction"] is not None
    assert second["prediction"] is second["interval_low"] is None
    assert second["error"] == 'area must be a number, not "big"; rooms must be a whole number, not "1.5"'
    assert third["warnings"].startswith("area 999 is above every training value")


def test_bad_rows_are_reported_in_json_as_those_of_json_are(small_client: TestClient) -> None:
    rows = [FLAT, FLAT | {"area": "big"}, FLAT | {"district": "moon"}]
    body = {"data": rows, "options": {"on_error": "report"}}
    expected = small_client.post("/models/rent/predict", json=body).json()

    answer = post(small_client, "rent", as_csv(rows), CSV, "application/json", on_error="report").json()

    assert answer | {"request_id": ""} == expected | {"request_id": ""}


@pytest.mark.parametrize("model", ["rent", "spam"])
@pytest.mark.parametrize("accept", [CSV, PARQUET, STREAM, FILE, "application/json"])
def test_a_table_of_nothing_but_bad_rows_is_reported(small_client: TestClient, model: str, accept: str) -> None:
    rows = [dict.fromkeys(FLAT if model == "rent" else ("links", "capitals", "length"), "x")] * 2

    answer = post(small_client, model, as_csv(rows), CSV, accept, on_error="report")

    if accept == "application/json":
        assert [row["row"] for row in answer.json()["prediction"]] == [0, 1]
        assert answer.json()["interval"] == [None, None]
    else:
        found = read_back(accept, answer.content)
        assert [(row["prediction"], bool(row["error"])) for row in found] == [(None, True)] * 2


def test_rows_of_another_length_are_bad_rows(small_client: TestClient) -> None:
    content = as_csv([FLAT] * 3).replace(b"\r\n70.5", b"\r\n\r\n1,2\r\n70.5", 1)

    first, second, *_ = read_back(CSV, post(small_client, "rent", content, on_error="report").content)
    problem = told(post(small_client, "rent", content), 422)

    assert first["error"] == "row 0 (line 3) has 2 fields, and the header 5"
    assert second["error"] is None
    assert problem["errors"][0]["code"] == "wrong_number_of_fields"


def test_many_pieces_are_put_together(small_client: TestClient) -> None:
    rows = [FLAT | {"area": 20 + number % 100, "rooms": "x" if number % 1000 == 7 else 3} for number in range(20_000)]

    found = read_back(CSV, post(small_client, "rent", as_csv(rows), on_error="report").content)

    assert [number for number, row in enumerate(found) if row["error"]] == list(range(7, 20_000, 1000))
    assert found[0]["prediction"] == found[19_900]["prediction"]
    errors = post(small_client, "rent", as_csv(rows), CSV, "application/json", on_error="report").json()["prediction"]
    assert [row["row"] for row in errors if isinstance(row, dict)] == list(range(7, 20_000, 1000))


UNREADABLE = {
    "nothing": (b"", "empty"),
    "blank lines": (b"\n\n", "empty"),
    "an open quote": (b'area\n"1', "line 2 is never closed"),
    "a stray quote": (b'area\n1"', "line 2 has a quote"),
    "another encoding": (as_csv([FLAT]) + b"\xff", "line 3, byte 0xff"),
    "UTF-16": ("area\n1".encode("utf-16"), "NUL"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_not_csv_cannot_be_read(small_client: TestClient, name: str) -> None:
    content, words = UNREADABLE[name]

    assert words in told(post(small_client, "rent", content), 400)["detail"]


REFUSED: dict[str, tuple[bytes, str]] = {
    "only a header": (as_csv([FLAT]).splitlines(keepends=True)[0], "the table has no rows"),
    "a column twice": (b"area,area,rooms,furnished,district,balcony\n", "the column area is there 2 times"),
    "a column too few": (b"rooms,furnished,district,balcony\n", "area is missing; give a number"),
    "a column too many": (b"Area,area,rooms,furnished,district,balcony\n", "Area is not a feature of this model; did"),
    "a column without a name": (b"area,rooms,furnished,district,balcony,\n", "a column without a name is not"),
    "semicolons": (b"area;rooms;furnished;district;balcony\n1;2;true;south;3\n", "separated by semicolons"),
    "no header": (b"70.5,3,1,2,4.5\n70.5,3,1,2,4.5\n", "the first line must name the columns"),
    "many unknown columns": (b",".join(b"c%d" % number for number in range(500)) + b"\n", "c0 is not a feature"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_with_other_columns_is_refused(small_client: TestClient, name: str) -> None:
    content, words = REFUSED[name]

    assert words in told(post(small_client, "rent", content), 422)["detail"]


def test_a_table_of_another_kind_is_recognised(small_client: TestClient) -> None:
    assert "gzip" in told(post(small_client, "rent", b"\x1f\x8b\x08\0"), 415)["detail"]
    assert "Parquet" in told(post(small_client, "rent", parquet(flats())), 415)["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/csv; charset=latin-1"}, 415),
        ({"Content-Type": "text/csv; header=absent"}, 415),
        ({"Content-Type": CSV, "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": CSV, "Accept": "application/xml"}, 406),
        ({"Content-Type": CSV, "X-Request-Timeout": "soon"}, 422),
    ],
)
def test_headers_that_cannot_be_met_are_refused(small_client: TestClient, headers: dict[str, str], status: int) -> None:
    told(small_client.post("/models/rent/predict", content=as_csv([FLAT]), headers=headers), status)


@pytest.mark.parametrize(
    "query", ["on_error=ignore", "coverage=2", "coverage=much", "colour=red", "coverage=0.5&coverage=0.6"]
)
def test_unknown_options_are_refused(small_client: TestClient, query: str) -> None:
    answer = small_client.post(f"/models/rent/predict?{query}", content=as_csv([FLAT]), headers={"Content-Type": CSV})

    told(answer, 422)


WRITERS: dict[str, Callable[..., bytes]] = {PARQUET: parquet, STREAM: stream, FILE: file}
TYPED: dict[str, dict[str, Any]] = {
    "nulls": {"balcony": pa.array([None, 2.0])},
    "nothing but nulls": {"balcony": pa.nulls(2)},
    "not a number": {"balcony": pa.array([math.nan, 2.0])},
    "a dictionary": {"district": pa.array(["south", "north"]).dictionary_encode()},
    "large texts": {"district": pa.array(["south", "moon"], pa.large_string())},
    "decimals": {"area": pa.array(["70.50", "12"]).cast(pa.decimal128(8, 2))},
    "small numbers": {"rooms": pa.array([3, 4], pa.uint8()), "area": pa.array([70.5, 2], pa.float32())},
    "numbers as texts": {"rooms": pa.array(["3", "4"]), "furnished": pa.array([0, 1])},
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", TYPED)
def test_columns_of_every_sensible_type_are_taken(small_client: TestClient, name: str, kind: str) -> None:
    table = flats(**TYPED[name])
    plain_rows = [
        {key: None if str(value) == "nan" else value for key, value in row.items()}
        for row in json.loads(json.dumps(table.to_pylist(), default=str))
    ]
    expected = small_client.post("/models/rent/predict", json={"data": plain_rows}).json()

    answer = post(small_client, "rent", WRITERS[kind](table), kind, "application/json").json()

    assert answer | {"request_id": ""} == expected | {"request_id": ""}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1.0], [2.0]]),
        pa.array([{"m2": 1.0}, {"m2": 2.0}]),
        pa.array([b"70", b"80"]),
        pa.array([1, 2], pa.duration("s")),
        pa.array([1, 2], pa.time32("s")),
    ],
    ids=str,
)
def test_columns_that_hold_no_values_are_refused(small_client: TestClient, column: Any, kind: str) -> None:
    problem = told(post(small_client, "rent", WRITERS[kind](flats(area=column)), kind), 422)

    assert problem["errors"][0]["code"] == "unsupported_type"
    assert "area is a column of" in problem["detail"]


@pytest.mark.parametrize("kind", WRITERS)
def test_timestamps_with_a_zone_are_no_numbers_and_say_so(small_client: TestClient, kind: str) -> None:
    zoned = pa.array([0, 1], pa.timestamp("s", "Asia/Tokyo"))

    problem = told(post(small_client, "rent", WRITERS[kind](flats(area=zoned)), kind), 422)

    assert problem["errors"][0]["message"].startswith('area must be a number, not "1970-01-01 00:00:00')


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_is_cut_short_anywhere_is_told(small_client: TestClient, kind: str) -> None:
    whole = WRITERS[kind](flats(area=[float(number) for number in range(1000)]))
    for length in [*range(0, len(whole) - 20, max(1, len(whole) // 60)), len(whole) // 2]:
        answer = post(small_client, "rent", whole[:length], kind)
        if answer.status_code != 200:
            assert told(answer, answer.status_code)["status"] in (400, 422)
        else:  # all batches of a stream are there, and only its end is not
            assert kind != PARQUET


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_a_file_with_other_bytes_in_it_never_fails_inside(
    small_client: TestClient, kind: str, compression: str | None
) -> None:
    """Each byte of the ends, and some in between, turned over; the client fails the test at an answer of 500."""
    whole = WRITERS[kind](
        flats(area=[1.0, 2.0, 3.0]), compression=compression or "none" if kind == PARQUET else compression
    )
    places = {*range(0, min(400, len(whole)), 3), *range(max(0, len(whole) - 400), len(whole), 3)}
    for place in places:
        for flip in (0xFF, 0x01):
            changed = bytearray(whole)
            changed[place] ^= flip
            answer = post(small_client, "rent", bytes(changed), kind)
            assert answer.status_code in (200, 400, 413, 422), (place, answer.text)


def test_a_page_that_inflates_is_refused_before_it_is_unpacked(small_client: TestClient) -> None:
    zeros = flats(area=pa.array([0.0] * 10_000_000))
    bomb = parquet(zeros.select(["area"]), compression="zstd", use_dictionary=False, data_page_size=2**30,
                   row_group_size=10**8, write_batch_size=10**8)  # fmt: skip

    assert len(bomb) < 100_000
    problem = told(post(small_client, "rent", bomb, PARQUET), 422)
    assert "rows are more than" in problem["detail"]


def test_batches_that_inflate_are_refused_before_they_are_unpacked(
    serving: Callable[..., TestClient], published_small_models: Path
) -> None:
    client = serving(published_small_models, max_bulk_rows=10**9)
    sink = io.BytesIO()
    feather.write_feather(pa.table({"area": pa.array([0.0] * 40_000_000)}), sink, "zstd", chunksize=10**8)
    pages = parquet(
        pa.table({"area": pa.array([0.0] * 10_000_000)}), compression="zstd", use_dictionary=False,
        data_page_size=2**30, row_group_size=10**8, write_batch_size=10**8, max_rows_per_page=10**9,
    )  # fmt: skip

    assert len(sink.getvalue()) < 100_000
    assert "inflates" in told(post(client, "rent", sink.getvalue(), FILE), 413)["detail"]
    assert len(pages) < 100_000
    assert "inflates" in told(post(client, "rent", pages, PARQUET), 413)["detail"]


@pytest.mark.parametrize("kind", WRITERS)
def test_one_long_text_for_many_rows_is_refused(small_client: TestClient, kind: str) -> None:
    table = flats(district=pa.DictionaryArray.from_arrays(pa.array([0] * 8000, pa.int32()), pa.array(["x" * 100_000])))

    answer = post(small_client, "rent", WRITERS[kind](table), kind)

    assert str(plain.MOST_TEXT_BYTES) in told(answer, 413)["detail"]


def test_nulls_without_number_are_too_many_rows(small_client: TestClient) -> None:
    endless = pa.table({"balcony": pa.nulls(10**9)})

    for kind in (STREAM, FILE):
        told(post(small_client, "rent", WRITERS[kind](endless), kind), 422)


def test_limits_are_those_of_the_settings(serving: Callable[..., TestClient], published_small_models: Path) -> None:
    client = serving(published_small_models, max_bulk_bytes=2000, max_bulk_rows=5)

    assert "2000 bytes" in told(post(client, "rent", as_csv([FLAT] * 100)), 413)["detail"]
    assert "more than the 5" in told(post(client, "rent", as_csv([FLAT] * 6)), 422)["detail"]
    for kind, write in WRITERS.items():
        told(
            post(client, "rent", write(flats(rooms=[3] * 6)), kind),
            413 if len(write(flats(rooms=[3] * 6))) > 2000 else 422,
        )
    assert post(client, "rent", as_csv([FLAT] * 5)).status_code == 200


def test_a_table_of_bad_rows_is_not_reported_row_by_row(
    small_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_BAD", 2)
    rows = [FLAT | {"rooms": "x"}] * 3

    assert post(small_client, "rent", as_csv(rows[:2]), on_error="report").status_code == 200
    assert "more than 2 rows" in told(post(small_client, "rent", as_csv(rows), on_error="report"), 422)["detail"]


def test_work_ends_between_two_pieces_when_nobody_waits_for_it(
    small_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = []

    def slow(*arguments: Any, **options: Any) -> Any:
        pieces.append(arguments)
        time.sleep(0.1)
        return check(*arguments, **options)

    check = predicting.check
    monkeypatch.setattr("model_api.bulk.answering.check", slow)
    answer = small_client.post(
        "/models/rent/predict",
        content=as_csv([FLAT] * 100_000),
        headers={"Content-Type": CSV, "X-Request-Timeout": "0.15"},
    )
    told(answer, 504)
    begun = len(pieces)
    time.sleep(0.4)

    assert len(pieces) <= begun + 1


def test_class_labels_are_not_run_by_a_spreadsheet(serving: Callable[..., TestClient], formula_model: Path) -> None:
    client = serving(formula_model)

    lines = post(client, "formula", as_csv([{"x": -5.0}, {"x": 5.0}])).text.splitlines()
    rows = read_back(PARQUET, post(client, "formula", as_csv([{"x": -5.0}, {"x": 5.0}]), CSV, PARQUET).content)

    assert [line.split(",")[0] for line in lines[1:]] == ["\"'=cmd|' /C calc'!A0\"", '"\'-1"']
    assert [row["prediction"] for row in rows] == ["=cmd|' /C calc'!A0", "-1"]


def test_what_a_model_cannot_compute_is_refused_or_reported(
    serving: Callable[..., TestClient], overflowing_model: Path
) -> None:
    client = serving(overflowing_model)
    rows = [{"x": 1.0}, {"x": 1e308}, {"x": 2.0}]

    assert told(post(client, "overflow", as_csv(rows)), 422)["type"] == "/problems/unusable-prediction"
    good, bad, other = read_back(CSV, post(client, "overflow", as_csv(rows), on_error="report").content)
    assert bad["prediction"] is None
    assert "not finite" in bad["error"]
    assert None not in (good["prediction"], other["prediction"])
