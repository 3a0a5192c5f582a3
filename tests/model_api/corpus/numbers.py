"""N: numbers at the edges of what their types and the models hold, and what only looks like a number."""

from typing import Any

from tests.model_api.corpus.case import ROWS, Case, Cases, accepted, asked, bad, refused, request, with_token
from tests.model_api.corpus.stay import predicted

NOTHING: dict[str, Any] = {"nights": 0, "price": 0, "breakfast": False}


def no_number(value: object, *words: str) -> Case:
    """Expect something to be no number, in text as in JSON."""
    return bad("diabetes", "bmi", value, "not_a_number", "18 to 42.2 kg/m²", *words)


def too_large(token: str) -> Case:
    return refused(
        with_token(token), 422, "bmi is out of the range of a 64-bit number", "18 to 42.2 kg/m²",
        errors=((0, "bmi", "out_of_range"),),
    )  # fmt: skip


def too_whole(value: int) -> Case:
    """Expect a whole number to be out of range."""
    return bad("loans", "age", value, "out_of_range", "out of the range of whole numbers")


def unreadable(token: str, offset: int = 38) -> Case:
    return refused(with_token(token), 400, "not JSON", f"offset {offset}")


def unusable(model: str, *features: str, value: float = 1e308, words: str = "not finite") -> Case:
    """Expect valid numbers for which the model's arithmetic gives none."""
    return refused(asked(model, dict.fromkeys(features, value)), 422, words)


def tensor(datatype: str, *data: object) -> bytes:
    """Ask the model with one feature for numbers of a type that only the Open Inference Protocol knows."""
    item = {"name": "x", "shape": [len(data)], "datatype": datatype, "data": data}
    return request({"inputs": [item]}, "/v2/models/line/infer")


def outside(token: str) -> Case:
    """Expect a number that no training value was like to be taken, with a warning."""
    return accepted(with_token(token), '"outside_training_range"')


HUNDRED = with_token("100")
CASES: Cases = {
    "N1 2^53 + 1 is the nearest 64-bit number": accepted(with_token(str(2**53 + 1)), like=with_token(str(2**53))),
    "N1 2^53 + 1 is no whole number that is kept exactly": too_whole(2**53 + 1),
    "N2 2^63": too_whole(2**63),
    "N2 2^63 for a number": outside(str(2**63)),
    "N2 2^63 as INT64": refused(tensor("INT64", 1, 2**63), 400, f"x is no INT64: {2**63}"),
    "N3 -2^63 - 1": too_whole(-(2**63) - 1),
    "N3 -2^63 - 1 for a number": outside(str(-(2**63) - 1)),
    "N3 -2^63 - 1 as INT64": refused(tensor("INT64", -(2**63) - 1), 400, f"x is no INT64: {-(2**63) - 1}"),
    "N4 2^31 as INT32": refused(tensor("INT32", 2**31), 400, f"x is no INT32: {2**31}"),
    "N4 2^31 - 1 as INT32": accepted(tensor("INT32", 2**31 - 1), str(2.0 * (2**31 - 1))),
    "N5 -1 as UINT8": refused(tensor("UINT8", -1), 400, "x is no UINT8: -1"),
    "N5 256 as UINT8": refused(tensor("UINT8", 1, 256), 400, "element 1 of x is no UINT8: 256"),
    "N6 1e39 as FP32": refused(tensor("FP32", 1e39), 400, "x is no FP32: 1e+39"),
    "N6 70000 as FP16": refused(tensor("FP16", 70_000), 400, "x is no FP16: 70000"),
    "N6 1e39 for trees of 32 bits": unusable("wine", "ash", value=1e39, words="32-bit numbers"),
    "N7 1e-46": outside("1e-46"),
    "N7 the smallest number": outside("5e-324"),
    "N8 minus zero": accepted(with_token("-0.0"), like=with_token("0.0")),
    "N9 a sum that is infinite": unusable("diabetes", "bmi", "bp", "s5"),
    "N9 all features at once": unusable("diabetes", *(name for name in ROWS["diabetes"] if name != "sex")),
    "N9 infinity minus infinity": unusable("diabetes", "s1", "s5", value=1.7976931348623157e308),
    "N9 the largest number": unusable("diabetes", "age", "s3", "s4", value=1.7976931348623157e308),
    "N9 trees of 32 bits": unusable("wine", *ROWS["wine"], words="32-bit numbers"),
    "N9 thirty features at once": refused(
        request({"inputs": [{"name": "t", "shape": [1, 30], "datatype": "FP64", "data": [1e308] * 30}]},
                "/v2/models/breast-cancer/infer"),
        400, "not finite",
    ),
    "N9 the Open Inference Protocol": refused(tensor("FP64", 1e308), 400, "not finite"),
    "N10 above the training range": accepted(with_token("61"), "bmi 61 is above every training value (18 to 42.2)"),
    "N10 below it": accepted(with_token("-61"), "bmi -61 is below every training value (18 to 42.2)"),
    **{
        f"N11 {token[:9]}": accepted(with_token(token), '"outside_training_range"', like=HUNDRED)
        for token in ("1E2", "1e2", "1e+2", "100.0", '"100"', '"1E2"', "100." + "0" * 400)
    },
    "N12 01": unreadable("01", 39),
    "N12 01 as text": accepted(with_token('"01"'), like=with_token("1")),
    "N13 +1": unreadable("+1"),
    "N13 +1 as text": no_number("+1"),
    "N14 .5": unreadable(".5"),
    "N14 .5 as text": no_number(".5"),
    "N14 1.": unreadable("1.", 39),
    "N14 1e": unreadable("1e", 39),
    "N15 0x10": unreadable("0x10", 39),
    "N15 0x10 as text": no_number("0x10"),
    "N16 1_000": unreadable("1_000", 39),
    "N16 1_000 as text": no_number("1_000"),
    "N16 1,5": no_number("1,5"),
    "N17 a mantissa of 400 digits": accepted(with_token("0." + "3" * 400), like=with_token("0.3333333333333333")),
    "N17 400 digits before the point": too_large("9" * 400 + ".5"),
    "N17 309 digits": too_large("9" * 309),
    "N17 400 digits as text": too_large(f'"{"9" * 400}"'),
    "N17 1e999 as text": too_large('"1e999"'),
    "N17 -1e400": too_large("-1e400"),
    "N18 all zero": accepted(
        request({"data": NOTHING}, "/models/stay/predict"), value=lambda: predicted(**NOTHING)
    ),
    "N19 all null": accepted(asked("stay", dict.fromkeys(ROWS["stay"])), value=predicted),
    "N19 all left out": accepted(
        request({"data": {}}, "/models/stay/predict"), like=asked("stay", dict.fromkeys(ROWS["stay"])), value=predicted
    ),
    "N20 an ISO duration": no_number("PT1H", 'not "PT1H"'),
    "N20 nan": no_number("nan"),
    "N20 Infinity": no_number("Infinity"),
    "N20 an Arabic digit": no_number("١"),
    "N20 full-width digits": no_number("１２"),
    "N20 a space before it": no_number(" 30"),
    "N20 written from right to left": no_number("\u202e30", r"\u202e30"),
    "N20 a formula": no_number("=1+1"),
}  # fmt: skip
