"""The corpus of bad input: exact statuses, messages that name the fault, and a service that is well afterwards.

The letters are those of the corpus: T transport, J JSON text, F fields, N numbers, C categories.
"""

import json
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

MAX_REPLY = 16 * 1024


def problem_of(client: TestClient, answer: httpx2.Response, status: int, *words: str) -> dict[str, Any]:
    """Check an error answer, and that the service is well after it."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.content) <= MAX_REPLY
    for word in words:
        assert word in answer.text
    assert client.get("/health/ready").status_code == 200
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    return problem


def body_with(patient: dict[str, Any], token: str, feature: str = "bmi") -> bytes:
    """Write an instance for diabetes with a bare token in place of one value."""
    return json.dumps({"data": patient | {feature: "TOKEN"}}).replace('"TOKEN"', token).encode()


J_UNREADABLE = {
    "J1 nothing": (b"", "the body is empty"),
    "J6 a trailing comma": (b'{"data": {},}', "offset 12"),
    "J7 single quotes": (b"{'data': {}}", "offset 1"),
    "J8 a comment": (b'{"data": {}} // why', "offset 13"),
    "J9 two documents": (b'{"data": {}}{"data": {}}', "offset 12"),
    "J10 half a document": (b'{"data": {"bmi": 3', "offset 18"),
    "J16 half a character pair as value": (rb'{"data": {"bmi": "\ud800"}}', "Unicode"),
    "J17 half a character pair as key": (rb'{"data": {"\ud800": 1}}', "Unicode"),
    "J18 a bad UTF-8 byte": (b'{"data": {"bmi": "\xff"}}', "not UTF-8: byte 18"),
    "J19 UTF-16 with its mark": ('{"data": {}}'.encode("utf-16"), "not UTF-8: byte 0"),
    "J19 UTF-16 without": ('{"data": {}}'.encode("utf-16-be"), "not JSON"),
    "J20 a byte order mark": (b'\xef\xbb\xbf{"data": {}}', "BOM"),
    "J23 a key twice": (b'{"data": {"bmi": 20, "bmi": 40}}', "the key 'bmi' is given twice"),
    "J23 data twice": (b'{"data": {}, "data": {}}', "the key 'data' is given twice"),
    "J24 depth 33": (b'{"data": ' + b"[" * 32 + b"]" * 32 + b"}", "depth 32"),
    "J25 depth 200,000": (b"[" * 200_000, "depth 32"),
    "J25 depth 200,000 of objects": (b'{"a":' * 200_000, "depth 32"),
}


@pytest.mark.parametrize("name", J_UNREADABLE)
def test_text_that_is_not_json_cannot_be_read(client: TestClient, name: str) -> None:
    body, words = J_UNREADABLE[name]

    problem_of(client, client.post("/predict", content=body), 400, words)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        *(("NaN", "NaN is not JSON"), ("Infinity", "Infinity is not JSON"), ("-Infinity", "-Infinity is not JSON")),
        *((token, "offset") for token in ("01", "+1", ".5", "1.", "0x10", "1_000", "1e", "nan", "inf", "None", "True")),
    ],
)
def test_a_token_that_is_no_json_number_cannot_be_read(
    client: TestClient, patient: dict[str, Any], token: str, words: str
) -> None:
    problem_of(client, client.post("/predict", content=body_with(patient, token)), 400, words)


J_NO_REQUEST = {
    "J2 null": (b"null", "must be an object"),
    "J3 an empty array": (b"[]", "at least 1 instance"),
    "J4 a string": (b'"text"', "must be an object"),
    "J5 a number": (b"3", "must be an object"),
    "J24 depth 32": (b'{"data": ' + b"[" * 31 + b"]" * 31 + b"}", "must be an object"),
    "J26 a million empty rows": (b"[" + b"{}," * 999_999 + b"{}]", "1000000 instances are more than the 10000"),
    "F6 no rows": (b'{"data": []}', "at least 1 instance"),
    "F7 one row too many": (b"[" + b"{}," * 10_000 + b"{}]", "10001 instances are more than the 10000"),
    "features without data": (b'{"bmi": 20}', r"put the features under \"data\""),
}


@pytest.mark.parametrize("name", J_NO_REQUEST)
def test_json_that_is_no_prediction_request_is_refused(client: TestClient, name: str) -> None:
    body, words = J_NO_REQUEST[name]

    problem_of(client, client.post("/predict", content=body), 422, words)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Content-Type": "text/plain"}, "'text/plain' is not taken; send application/json"),
        ({"Content-Type": "text/plain; charset=utf-8"}, "send application/json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "send application/json"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, "send application/json"),
        ({"Content-Type": "application/octet-stream"}, "send application/json"),
        ({"Content-Type": "application/json, text/plain"}, "send application/json"),
        ({"Content-Type": "x" * 5000}, "send application/json"),
        ({"Content-Type": "application/json; charset=latin-1"}, "'latin-1' is not taken; send UTF-8"),
        ({"Content-Type": 'application/json; charset="utf-16"'}, "send UTF-8"),
        ({"Content-Encoding": "gzip"}, "content encoding"),
        ({"Content-Encoding": "x"}, "content encoding"),
    ],
)
def test_another_media_type_is_refused(
    client: TestClient, patient: dict[str, Any], headers: dict[str, str], words: str
) -> None:
    answer = client.post("/predict", content=json.dumps({"data": patient}), headers=headers)

    problem_of(client, answer, 415, words)


def test_a_body_beyond_the_limit_is_refused_unread(client: TestClient) -> None:
    problem_of(client, client.post("/predict", content=b" " * (4 * 2**20 + 1)), 413, "4194304 bytes")


def test_a_body_at_the_limit_is_read(client: TestClient) -> None:
    problem_of(client, client.post("/predict", content=b" " * (4 * 2**20)), 400, "not JSON")


def test_the_accept_header_does_not_matter(client: TestClient, patient: dict[str, Any]) -> None:
    answer = client.post("/predict", json={"data": patient}, headers={"Accept": "application/xml"})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        *(("true", "not_a_number"), ("[30]", "not_a_number"), ('{"value": 30}', "not_a_number")),
        *(
            (f'"{text}"', "not_a_number")
            for text in ("abc", "1_000", "1,5", "١", "１２", "nan", "Infinity", "PT1H", " 30")
        ),
        *(('"30\\u0000"', "not_a_number"), ('"\\u202e30"', "not_a_number"), ('"=1+1"', "not_a_number")),
        *(("null", "missing"), ('""', "missing")),
        *(
            ("1e400", "out_of_range"),
            ("-1e400", "out_of_range"),
            ("9" * 4400, "out_of_range"),
            ("9" * 309, "out_of_range"),
        ),
        *((f'"{"9" * 400}"', "out_of_range"), ('"1e999"', "out_of_range"), ("9" * 400 + ".5", "out_of_range")),
        ('"' + "x" * 1_000_000 + '"', "not_a_number"),
    ],
)
def test_a_bad_number_is_refused_with_its_feature(
    client: TestClient, patient: dict[str, Any], token: str, code: str
) -> None:
    answer = client.post("/predict", content=body_with(patient, token))

    (error,) = problem_of(client, answer, 422, "18 to 42.2 kg/m²")["errors"]
    assert (error["feature"], error["code"], error["row"]) == ("bmi", code, 0)
    assert error["value"] is None or len(error["value"]) <= 64


@pytest.mark.parametrize(
    "token", ["1E2", "1e2", "1e+2", "100", "100.0", '"100"', '"1E2"', "1" + "0" * 2 + "." + "0" * 400]
)
def test_a_number_may_be_written_in_any_way_that_json_knows(
    client: TestClient, patient: dict[str, Any], token: str
) -> None:
    answer = client.post("/predict", content=body_with(patient, token))

    assert answer.status_code == 200
    assert (
        answer.json()["prediction"]
        == client.post("/predict", json={"data": patient | {"bmi": 100}}).json()["prediction"]
    )


@pytest.mark.parametrize("value", [-0.0, 1e-46, 5e-324, 2**53 + 1, 2**63, -(2**63) - 1])
def test_a_number_at_the_edges_of_64_bits_is_taken(client: TestClient, patient: dict[str, Any], value: float) -> None:
    answer = client.post("/predict", json={"data": patient | {"bmi": value}})

    assert answer.status_code == 200
    assert answer.json()["warnings"][0]["code"] == "outside_training_range"


@pytest.mark.parametrize("feature", ["age", "bmi", "s1", "s5"])
@pytest.mark.parametrize("value", [1e308, -1e308, 1.7976931348623157e308])
def test_a_number_that_the_models_arithmetic_cannot_hold_is_refused(
    client: TestClient, patient: dict[str, Any], feature: str, value: float
) -> None:
    answer = client.post("/predict", json={"data": {**patient, feature: value, "s3": value, "s4": value}})

    problem_of(client, answer, 422)


@pytest.mark.parametrize("model", ["breast-cancer", "wine"])
@pytest.mark.parametrize("value", [1e308, 3.5e38, -1e39])
def test_every_model_survives_a_huge_number(client: TestClient, model: str, value: float) -> None:
    row = client.get(f"/models/{model}/predict?limit=1").json()["data"][0]

    answer = client.post(f"/models/{model}/predict", json={"data": dict.fromkeys(row, value)})

    assert answer.status_code in (200, 422)
    assert client.post(f"/models/{model}/predict", json={"data": row}).status_code == 200


def test_a_number_beyond_32_bits_is_refused_where_the_model_computes_in_32_bits(client: TestClient) -> None:
    row = client.get("/models/wine/predict?limit=1").json()["data"][0]

    answer = client.post("/models/wine/predict", json={"data": row | {"ash": 1e39}})

    assert problem_of(client, answer, 422)["type"] == "/problems/unusable-prediction"


@pytest.mark.parametrize(
    ("feature", "value", "code"),
    [
        ("age", 1.5, "not_an_integer"),
        ("age", "1.5", "not_an_integer"),
        ("age", True, "not_an_integer"),
        ("age", 2**53 + 1, "out_of_range"),
        ("age", 2**63, "out_of_range"),
        ("home_owner", "yes", "not_a_boolean"),
        ("home_owner", 2, "not_a_boolean"),
        ("home_owner", None, "missing"),
        ("purpose", ["car"], "unknown_category"),
        ("purpose", None, "missing"),
        ("purpose", "", "missing"),
        ("yearly_income", "3O000", "not_a_number"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_feature(
    client: TestClient, applicant: dict[str, Any], feature: str, value: object, code: str
) -> None:
    answer = client.post("/models/loans/predict", json={"data": {**applicant, feature: value}})

    (error,) = problem_of(client, answer, 422)["errors"]
    assert (error["feature"], error["code"]) == (feature, code)


@pytest.mark.parametrize(
    ("feature", "value", "plain"),
    [
        ("age", 40.0, 40),
        ("age", "40", 40),
        ("home_owner", 1, True),
        ("home_owner", "false", False),
        ("defaulted_before", "1", True),
        ("defaulted_before", "", None),
        ("yearly_income", "", None),
        ("employment", "", None),
    ],
)
def test_a_value_that_is_written_otherwise_means_the_same(
    client: TestClient, applicant: dict[str, Any], feature: str, value: object, plain: object
) -> None:
    answers = [
        client.post("/models/loans/predict", json={"data": {**applicant, feature: written}})
        for written in (value, plain)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["probabilities"] == answers[1].json()["probabilities"]


def test_all_missing_features_are_listed(client: TestClient, patient: dict[str, Any]) -> None:
    problem = problem_of(client, client.post("/predict", json={"data": {}}), 422)

    assert [error["feature"] for error in problem["errors"]] == list(patient)
    assert {error["code"] for error in problem["errors"]} == {"missing"}


@pytest.mark.parametrize("rows", [[None], [[1, 2]], ["text"], [3]])
def test_a_row_that_is_no_object_is_refused_with_its_number(
    client: TestClient, patient: dict[str, Any], rows: list[object]
) -> None:
    problem = problem_of(client, client.post("/predict", json=[patient, *rows]), 422)

    assert [(error["row"], error["code"]) for error in problem["errors"]] == [(1, "not_an_object")]


@pytest.mark.parametrize(
    ("name", "near"),
    [("BMI", "bmi"), ("bmi ", "bmi"), ("bmj", "bmi"), ("agé", "age"), ("age\u0301", "age"), ("S1", "s1")],
)
def test_a_misspelt_feature_is_named_with_the_nearest_one(
    client: TestClient, patient: dict[str, Any], name: str, near: str
) -> None:
    sent = {(name if feature == near else feature): value for feature, value in patient.items()}

    errors = problem_of(client, client.post("/predict", json={"data": sent}), 422)["errors"]

    assert [(error["feature"], error["code"]) for error in errors] == [(near, "missing"), (name, "unknown_feature")]
    assert errors[1]["expected"] == near


def test_a_hundred_thousand_unknown_features_are_counted(client: TestClient, patient: dict[str, Any]) -> None:
    sent = patient | {f"k{number}": 1 for number in range(100_000)}

    problem = problem_of(client, client.post("/predict", json={"data": sent}), 422, "99980 more features")

    assert len(problem["errors"]) == 21


@pytest.mark.parametrize(
    "name", ["__proto__", "constructor", "<script>", "x" * 100_000, "", "\x00", "=cmd|' /C calc'!A0"]
)
def test_a_hostile_feature_name_is_an_unknown_feature(client: TestClient, patient: dict[str, Any], name: str) -> None:
    (error,) = problem_of(client, client.post("/predict", json={"data": {**patient, name: 1}}), 422)["errors"]

    assert error["code"] == "unknown_feature"
    assert len(error["feature"]) <= 64
    assert "\x00" not in error["message"]


C_HOSTILE = {
    "C1 never seen": "student loan shark",
    "C3 a Cyrillic look-alike": "sаlaried",
    "C4 full-width": "ｓalaried",
    "C5 zero-width": "sala\u200bried",
    "C6 a no-break space": "\u00a0salaried",
    "C7 decomposed": "sala\u0301ried",
    "C8 a space after it": "salaried ",
    "C9 another case": "Salaried",
    "C10 right-to-left": "\u202esalaried",
    "C11 joined emoji": "👩‍👩‍👧",
    "C13 10 KB": "salaried" * 1280,
    "C14 a script": "<script>alert(1)</script>",
    "C15 a template": "{{7*7}}${7*7}",
    "C16 SQL": "'; DROP TABLE loans; --",
    "C17 a formula": "=cmd|' /C calc'!A0",
    "C18 a forged line": "x\r\n2026-01-01 INFO forged",
    "C19 a terminal escape": "\x1b[31mred",
    "C20 half a formula": r"$\frac{1}{$",
    "C21 nan": "nan",
    "C21 None": "None",
    "C21 NULL": "NULL",
    "C22 a number": "01",
    "C23 a thousand marks": "a" + "\u0301" * 1000,
    "C24 unassigned": "\U000e0fff",
}


@pytest.mark.parametrize("name", C_HOSTILE)
def test_a_category_that_is_none_is_refused_with_the_known_ones(
    client: TestClient, applicant: dict[str, Any], name: str
) -> None:
    answer = client.post("/models/loans/predict", json={"data": applicant | {"employment": C_HOSTILE[name]}})

    (error,) = problem_of(client, answer, 422)["errors"]
    assert (error["feature"], error["code"]) == ("employment", "unknown_category")
    assert '"salaried", "self-employed", "retired", "student", "unemployed"' in error["expected"]
    assert error["message"].isprintable()
    assert len(error["value"]) <= 64
    assert "49" not in error["message"]


def test_a_category_never_seen_has_a_longest_length(small_client: TestClient, flat: dict[str, Any]) -> None:
    answer = small_client.post("/models/rent/predict", json={"data": flat | {"district": C_HOSTILE["C13 10 KB"]}})

    (error,) = problem_of(small_client, answer, 422)["errors"]
    assert (error["feature"], error["code"]) == ("district", "too_long")
    assert "2,000 characters" in error["message"]


@pytest.mark.parametrize("name", [name for name in C_HOSTILE if name != "C13 10 KB"])
def test_a_category_never_seen_is_a_warning_where_the_model_ignores_it(
    small_client: TestClient, flat: dict[str, Any], name: str
) -> None:
    answer = small_client.post("/models/rent/predict", json={"data": flat | {"district": C_HOSTILE[name]}})

    assert answer.status_code == 200
    (warning,) = answer.json()["warnings"]
    assert (warning["feature"], warning["code"]) == ("district", "unknown_category")
    assert warning["message"].isprintable()
    assert len(warning["message"]) < 200
