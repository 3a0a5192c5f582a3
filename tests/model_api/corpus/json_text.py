"""J: bodies that are not JSON, or JSON that is no request for a prediction."""

import itertools
import json

from tests.model_api.corpus.case import ROWS, Case, Cases, accepted, asked, bad, refused, request, with_token

LIMIT = 4 * 2**20
"""Bytes of a body, as the service is started."""


def body(content: bytes, status: int, *words: str) -> Case:
    return refused(request(content), status, *words)


def declared(content_type: str, *words: str) -> Case:
    return refused(asked("diabetes", None, f"Content-Type: {content_type}"), 415, *words)


def of_unknown(names: list[str]) -> bytes:
    return asked("diabetes", dict.fromkeys(names, 1))


CASES: Cases = {
    "J1 nothing": body(b"", 400, "the body is empty"),
    "J2 null": body(b"null", 422, "must be an object"),
    "J3 an empty array": body(b"[]", 422, "at least 1 instance"),  # an array of instances is a request
    "J4 a string": body(b'"text"', 422, "must be an object"),
    "J5 a number": body(b"3", 422, "must be an object"),
    "J6 a trailing comma": body(b'{"data": {},}', 400, "offset 12"),
    "J7 single quotes": body(b"{'data': {}}", 400, "offset 1"),
    "J8 a comment": body(b'{"data": {}} // why', 400, "offset 13"),
    "J9 two documents": body(b'{"data": {}}{"data": {}}', 400, "offset 12"),
    "J10 half a document": body(b'{"data": {"bmi": 3', 400, "offset 18"),
    "J11 NaN": refused(with_token("NaN"), 400, "NaN is not JSON", "offset 38"),
    "J12 Infinity": refused(with_token("Infinity"), 400, "Infinity is not JSON", "offset 38"),
    "J13 minus Infinity": refused(with_token("-Infinity"), 400, "-Infinity is not JSON", "offset 38"),
    "J13 nan": refused(with_token("nan"), 400, "offset 38"),
    "J13 inf": refused(with_token("inf"), 400, "offset 38"),
    "J13 None": refused(with_token("None"), 400, "offset 38"),
    "J13 True": refused(with_token("True"), 400, "offset 38"),
    "J14 1e400": refused(with_token("1e400"), 422, "bmi", "range", errors=((0, "bmi", "out_of_range"),)),
    "J15 an integer of 4,400 digits": refused(
        with_token("9" * 4400), 422, "bmi", "range", errors=((0, "bmi", "out_of_range"),)
    ),
    "J16 half a character pair as value": body(rb'{"data": {"bmi": "\ud800"}}', 400, "Unicode"),
    "J17 half a character pair as key": body(rb'{"data": {"\ud800": 1}}', 400, "Unicode"),
    "J18 a bad UTF-8 byte": body(b'{"data": {"bmi": "\xff"}}', 400, "not UTF-8: byte 18"),
    "J19 UTF-16 with its mark": body('{"data": {}}'.encode("utf-16"), 400, "not UTF-8: byte 0"),
    "J19 UTF-16 without": body('{"data": {}}'.encode("utf-16-be"), 400, "not JSON"),
    "J20 a byte order mark": body(b'\xef\xbb\xbf{"data": {}}', 400, "BOM"),
    "J21 Latin-1": declared("application/json; charset=latin-1", "'latin-1' is not taken; send UTF-8"),
    "J21 UTF-16": declared('application/json; charset="utf-16"', "send UTF-8"),
    "J22 a NUL in a number": bad("diabetes", "bmi", "30\0", "not_a_number", r"\u0000"),
    "J22 a NUL in a category": bad("loans", "purpose", "car\0", "unknown_category", r"\u0000"),
    "J23 a feature twice": body(b'{"data": {"bmi": 20, "bmi": 40}}', 400, "the key 'bmi' is given twice"),
    "J23 data twice": body(b'{"data": {}, "data": {}}', 400, "the key 'data' is given twice"),
    "J24 depth 32": body(b'{"data": ' + b"[" * 31 + b"]" * 31 + b"}", 422, "must be an object"),
    "J24 depth 33": body(b'{"data": ' + b"[" * 32 + b"]" * 32 + b"}", 400, "depth 32"),
    "J25 depth 200,000": body(b"[" * 200_000, 400, "depth 32"),
    "J25 depth 200,000 of objects": body(b'{"a":' * 200_000, 400, "depth 32"),
    "J26 a million empty rows": body(
        b"[" + b"{}," * 999_999 + b"{}]", 422, "1000000 instances are more than the 10000"
    ),
    "J27 a hundred thousand unknown keys": refused(
        of_unknown([f"k{number}" for number in range(100_000)]), 422, "k0 is not a feature", "99980 more features"
    ),
    "J28 keys that collide in a hash without a secret": refused(
        of_unknown(["".join(pairs) for pairs in itertools.product(("Aa", "BB"), repeat=15)]), 422, "more features"
    ),
    "J29 a byte too many": body(b" " * (LIMIT + 1), 413, f"{LIMIT} bytes"),
    "J29 a byte too many, in chunks": refused(
        request(b"", "/predict", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        + (b"100000\r\n" + b" " * 2**20 + b"\r\n") * 4 + b"1\r\n \r\n0\r\n\r\n",
        413, f"{LIMIT} bytes",
    ),
    "J30 exactly the limit": accepted(request(json.dumps({"data": ROWS["diabetes"]}).ljust(LIMIT).encode())),
    "J31 a megabyte of text for a number": bad("diabetes", "bmi", "x" * 2**20, "not_a_number", "…"),
    "J32 __proto__": refused(
        asked("diabetes", {"__proto__": 1}), 422, "__proto__ is not a feature",
        errors=((0, "__proto__", "unknown_feature"),),
    ),
    "J32 constructor": refused(asked("diabetes", {"constructor": {}}), 422, "constructor is not a feature"),
}  # fmt: skip
