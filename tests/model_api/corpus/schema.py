"""F: JSON that does not fit the signature, and addresses that nobody answers at."""

import json

from tests.model_api.corpus.case import (
    ROWS,
    Case,
    Cases,
    accepted,
    asked,
    bad,
    refused,
    request,
    with_token,
    without,
)

PATIENT = ROWS["diabetes"]


def rows(instances: list[object], *words: str, errors: tuple[tuple[int, str | None, str], ...] = ()) -> Case:
    """Expect an array of instances to be refused."""
    return refused(request(instances), 422, *words, errors=errors)


def renamed(name: str, near: str) -> Case:
    """Expect a misspelt feature to be told from the one that is meant."""
    sent = {name if feature == near else feature: value for feature, value in PATIENT.items()}
    errors = ((0, near, "missing"), (0, name, "unknown_feature"))
    return refused(request({"data": sent}), 422, f"did you mean {near}?", errors=errors)


def unknown(name: object, shown: str) -> Case:
    """Expect a feature that is near to no other to be named, short and printable."""
    sent = request(json.dumps({"data": {**PATIENT, str(name): 1}}).encode())
    return refused(sent, 422, errors=((0, shown, "unknown_feature"),))


def nowhere(path: str, *words: str) -> Case:
    return refused(request({"data": PATIENT}, path), 404, *words)


def no_date(value: object) -> Case:
    return bad("stay", "arrived", value, "not_a_date", "a date such as 2026-11-24")


def no_moment(value: object) -> Case:
    return bad("stay", "booked", value, "not_a_datetime", "a date and time such as 2026-11-24T09:30")


CASES: Cases = {
    "F1 a missing feature": refused(
        request({"data": without("diabetes", "bmi")}), 422, "bmi is missing", errors=((0, "bmi", "missing"),)
    ),
    "F1 a missing feature of the second row": rows(
        [PATIENT, without("diabetes", "age")], "of row 1", errors=((1, "age", "missing"),)
    ),
    "F2 all missing": refused(
        request({"data": {}}), 422, "10 features of row 0", errors=tuple((0, name, "missing") for name in PATIENT)
    ),
    "F3 an unknown feature": refused(
        asked("diabetes", {"bmj": 1}), 422, "bmj is not a feature of this model; did you mean bmi?",
        errors=((0, "bmj", "unknown_feature"),),
    ),
    "F3 features without data": refused(request(PATIENT), 422, 'put the features under "data"'),
    "F3 a script as name": unknown("<script>", "<script>"),
    "F3 a formula as name": unknown("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    "F3 a NUL as name": unknown("\0", r"\u0000"),
    "F3 no name": unknown("", ""),
    "F3 a name of 100 KB": unknown("x" * 100_000, "x" * 63 + "…"),
    "F3 a misspelt feature in each of ten thousand rows": refused(
        request([{f"compactness_eror_{row}_{n}": 1 for n in range(9)} for row in range(10_000)],
                "/models/breast-cancer/predict"),
        422, "390000 features in 10000 of 10000 rows are not valid",
    ),
    "F4 another case": renamed("BMI", "bmi"),
    "F4 another case of a short name": renamed("S1", "s1"),
    "F4 a space": renamed("bmi ", "bmi"),
    "F4 composed": renamed("agé", "age"),
    "F4 decomposed": renamed("age\u0301", "age"),
    "F5 a row without features": rows([{}], errors=tuple((0, name, "missing") for name in PATIENT)),
    "F5 a thousand rows without features": rows([{}] * 1000, "10000 features in 1000 of 1000 rows"),
    "F6 no rows": refused(request({"data": []}), 422, "at least 1 instance"),
    "F6 no instances": refused(request({"instances": []}), 422, "at least 1 instance"),
    "F7 a row too many": rows([{}] * 10_001, "10001 instances are more than the 10000"),
    "F8 a row that is null": rows([PATIENT, None], "row 1", errors=((1, None, "not_an_object"),)),
    "F8 a row that is an array": rows([PATIENT, [1, 2]], "row 1", errors=((1, None, "not_an_object"),)),
    "F8 a row that is text": rows(["text", PATIENT], "row 0", errors=((0, None, "not_an_object"),)),
    "F8 a row that is a number": rows([3], "row 0", errors=((0, None, "not_an_object"),)),
    "F9 the seventh of ten rows": rows(
        [*[PATIENT] * 7, PATIENT | {"bmi": "fat"}, *[PATIENT] * 2], "of row 7", errors=((7, "bmi", "not_a_number"),)
    ),
    "F10 columns that differ in length": refused(  # only MLflow's clients send columns, and /v2: V37
        request({"inputs": {name: [value] * (1 + (name == "age")) for name, value in PATIENT.items()}}, "/invocations"),
        400, "differ in length: age 2, sex 1",
    ),
    "F11 a number as text": accepted(asked("diabetes", {"bmi": "32.1"}), like=asked("diabetes")),  # as a form sends it
    "F11 a word for a number": bad("diabetes", "bmi", "fat", "not_a_number", 'not "fat"', "18 to 42.2"),
    "F11 a letter O for a zero": bad("loans", "yearly_income", "3O000", "not_a_number", "a number"),
    "F12 true for a number": bad("diabetes", "bmi", True, "not_a_number", "must be a number, not true"),
    "F12 true for a whole number": bad("loans", "age", True, "not_an_integer", "a whole number, not true"),
    "F13 a fraction for a whole number": bad("loans", "age", 1.5, "not_an_integer", "a whole number, not 1.5"),
    "F13 a fraction as text": bad("loans", "age", "1.5", "not_an_integer", "a whole number"),
    "F14 a whole number as float": accepted(with_token("73.0", "loans", "age"), like=asked("loans")),
    "F14 a whole number as text": accepted(asked("loans", {"age": "73"}), like=asked("loans")),
    "F15 a list for a number": bad("diabetes", "bmi", [30], "not_a_number", "not a list"),
    "F15 an object for a number": bad("diabetes", "bmi", {"value": 30}, "not_a_number", "not an object"),
    "F15 a list for a category": bad("loans", "purpose", ["car"], "unknown_category", "not a list"),
    "F16 null for a number": bad("diabetes", "bmi", None, "missing", "bmi is missing"),
    "F16 nothing for a number": bad("diabetes", "bmi", "", "missing", "bmi is missing"),
    "F16 null for a boolean": bad("loans", "home_owner", None, "missing", "home_owner is missing"),
    "F16 null for a category": bad("loans", "purpose", None, "missing", "purpose is missing"),
    "F17 null for a number that may be missing": accepted(
        asked("loans", {"yearly_income": None}), "yearly_income is unknown",
        like=request({"data": without("loans", "yearly_income")}, "/models/loans/predict"),
    ),
    "F17 nothing for a number that may be missing": accepted(
        asked("loans", {"yearly_income": ""}), like=asked("loans", {"yearly_income": None})
    ),
    "F17 nothing for a boolean that may be missing": accepted(
        asked("loans", {"defaulted_before": ""}), like=asked("loans", {"defaulted_before": None})
    ),
    "F17 nothing for a category that may be missing": accepted(
        asked("loans", {"employment": ""}), like=asked("loans", {"employment": None})
    ),
    "F18 day first": no_date("24-11-2025"),
    "F18 slashes": no_date("2025/11/24"),
    "F18 no such day": no_date("2025-02-30"),
    "F18 no leading zeros": no_date("2025-1-2"),
    "F18 a week": no_date("2025-W48-2"),
    "F18 without dashes": no_date("20251124"),
    "F18 seconds since 1970": no_date(1732406400),
    "F18 a space before it": no_date(" 2025-11-24"),
    "F18 digits of another script": no_date("２０２５-11-24"),
    "F18 a time with a date": no_date("2025-11-24T10:00"),
    "F18 a word": no_date("today"),
    "F18 a year that no clock here holds": bad("stay", "arrived", "9999-12-31", "out_of_range", "1678 to 2261"),
    "F18 no such hour": no_moment("2025-11-24T25:00"),
    "F18 a zone by name": no_moment("2025-11-24T10:00 CET"),
    "F18 an offset where there is none": bad(
        "stay", "booked", "2025-11-24T10:00+01:00", "not_a_datetime", "must have no time zone"
    ),
    "F19 yes": bad("loans", "home_owner", "yes", "not_a_boolean", 'must be true or false, not "yes"'),
    "F19 two": bad("loans", "home_owner", 2, "not_a_boolean", "must be true or false, not 2"),
    "F19 one": accepted(asked("loans", {"home_owner": 1}), like=asked("loans")),
    "F19 true as text": accepted(asked("loans", {"home_owner": "true"}), like=asked("loans")),
    "F19 zero as text": accepted(asked("loans", {"defaulted_before": "0"}), like=asked("loans")),
    "F20 an unknown model": nowhere("/models/nobody/predict", "'nobody'", "diabetes"),
    "F21 an unknown version": nowhere("/models/diabetes/versions/7/predict", "'7'", "champion"),
    "F22 version -1": nowhere("/models/diabetes/versions/-1/predict", "'-1'", "champion"),
    "F22 version 1e3": nowhere("/models/diabetes/versions/1e3/predict", "'1e3'", "champion"),
    "F22 version 01": nowhere("/models/diabetes/versions/01/predict", "'01'", "champion"),
    "F22 version ../1": nowhere("/models/diabetes/versions/..%2f1/predict"),
    "F22 version ../1, not escaped": nowhere("/models/diabetes/versions/../1/predict"),
    "F23 up": nowhere("/models/../models/diabetes/predict"),
    "F23 up, escaped": nowhere("/models/%2e%2e%2fmodels%2fdiabetes/predict"),
    "F23 up, escaped as one name": nowhere("/models/%2e%2e/predict", "'..'"),
    "F23 NUL": nowhere("/models/diabetes%00/predict", r"diabetes\x00"),
    "F23 300 characters": nowhere(f"/models/{'d' * 300}/predict", "d" * 60),
    "F23 another case": nowhere("/models/Diabetes/predict", "'Diabetes'", "diabetes"),
    "F24 an id of 10 KB": accepted(asked("diabetes", None, "X-Request-ID: " + "7" * 10_000), like=asked("diabetes")),
    "F24 an id with spaces": accepted(asked("diabetes", None, "X-Request-ID: 7 8"), like=asked("diabetes")),
    "F24 an id that begins another header": accepted(
        asked("diabetes", None, "X-Request-ID: 7%0d%0aX-Evil: 1"), like=asked("diabetes")
    ),
    "F26 probabilities of a regression": refused(
        request({"data": PATIENT, "options": {"proba": True}}), 422, "there is no option 'proba'"
    ),
    "F26 probabilities of a regression, in the Open Inference Protocol": refused(
        request({"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]}],
                 "outputs": [{"name": "predict_proba"}]}, "/v2/models/line/infer"),
        400, "there is no output predict_proba; there is predict",
    ),
}  # fmt: skip

NOT_APPLICABLE = {
    "F25": "there are no idempotency keys: predicting changes nothing, so each request is answered by itself",
}
"""Numbers that mean nothing here, and why."""
