"""V: the Open Inference Protocol, whose every refusal is 400 with an `error`."""

from typing import Any

from tests.model_api.corpus.case import ROWS, Case, Cases, Json, accepted, refused, request

HEADER = "Inference-Header-Content-Length"
TYPES = {"area": "FP64", "rooms": "INT64", "furnished": "BOOL", "district": "BYTES", "balcony": "FP64"}


def infer(inputs: object, model: str = "line", *headers: str, **more: object) -> bytes:
    return request({"inputs": inputs, **more}, f"/v2/models/{model}/infer", *headers)


def one(**changes: Any) -> Json:
    """One input of `line`, with something changed; None takes a key away."""
    item = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1.0, 2.0], **changes}
    return {key: value for key, value in item.items() if value is not None}


def wrong(*words: str, **changes: Any) -> Case:
    """Expect one input to be refused."""
    return refused(infer([one(**changes)]), 400, *words)


def text(content: str, *words: str) -> Case:
    return refused(request(content.encode(), "/v2/models/line/infer"), 400, *words)


def flat(**changes: Any) -> list[Json]:
    """All inputs of `rent`, one row of each, with some columns changed; None takes an input away."""
    columns = {name: [value] for name, value in ROWS["rent"].items()} | changes
    return [
        {"name": name, "shape": [len(values)], "datatype": TYPES[name], "data": values}
        for name, values in columns.items()
        if values is not None
    ]


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1.0


GOOD = infer([one()])
BARE = '{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [%s]}]}'
ASK = "/v2/models/line/infer"
CASES: Cases = {
    "V1 no inputs": refused(request({}, ASK), 400, '"inputs"'),
    "V2 empty inputs": refused(infer([]), 400, '"inputs"'),
    "V3 inputs are an object": refused(infer({"x": 1}), 400, '"inputs"'),
    "V3 an input is a number": refused(infer([3]), 400, "an object with a name"),
    "V4 no name": wrong("an object with a name", name=None),
    "V4 a name that is a number": wrong("an object with a name", name=3),
    "V5 an unknown name": refused(
        infer([one(), one(name="X")]), 400, "X is no feature of this model (did you mean x?); expected x"
    ),
    "V5 a hundred unknown names": refused(
        infer([one(name="🦄" * 70 + str(number)) for number in range(100)]), 400, "are no features of this model"
    ),
    "V6 a required one is missing": refused(
        infer(flat(rooms=None, district=None), "rent"), 400, "rooms, district are missing; got area, furnished, balcony"
    ),
    "V7 an input twice": refused(infer([one(), one()]), 400, "the input x is given twice"),
    "V8 no datatype": wrong("the datatype of x must be one of BOOL", datatype=None),
    "V9 an unknown datatype": wrong("not FP31", datatype="FP31"),
    "V9 a datatype that is a list": wrong("must be one of BOOL", datatype=["FP64"]),
    "V10 a number for text": refused(
        infer([{**item, "datatype": "FP64", "data": [1.0]} if item["name"] == "district" else item for item in flat()],
              "rent"),
        400, "district is sent as FP64, and its datatype is BYTES",
    ),
    "V10 another kind of number": accepted(infer([one(datatype="INT8", data=[1, 2])]), like=GOOD),
    "V11 text for a number": wrong("x is sent as BYTES, and its datatype is FP64", datatype="BYTES", data=["1", "2"]),
    "V12 no shape": wrong("x must have a shape", shape=None),
    "V12 an empty shape": wrong("x must have a shape", shape=[]),
    "V13 a negative size": wrong("not -5", shape=[2, -5]),
    "V14 a shape that overflows": wrong("overflow", shape=[16, 2**60 + 2]),
    "V15 a shape whose bytes overflow": wrong("overflow", shape=[4, 2**60 + 2]),
    "V16 a size with a fraction": wrong("whole numbers", shape=[2.0]),
    "V16 a size that is text": wrong("whole numbers", shape=["2"]),
    "V16 a size that is null": wrong("whole numbers", shape=[None]),
    "V16 a size that is true": wrong("whole numbers", shape=[True]),
    "V16 a size of 400 digits": wrong("overflow", shape=[10**399]),
    "V16 a size of 5,000 digits": text(BARE.replace("[1]", "[" + "9" * 5000 + "]") % 1, "whole numbers"),
    "V17 fewer elements than the shape has": wrong("has 3 elements, its data 2", shape=[3]),
    "V17 more elements than the shape has": wrong("has 1 elements, its data 2", shape=[1]),
    "V18 three dimensions": wrong("3 dimensions", shape=[2, 1, 1]),
    "V19 too many features": wrong("has 2 features; expected 1: x", name="t", shape=[1, 2]),
    "V19 a wide feature": wrong("its shape is [n] or [n, 1]", shape=[1, 2]),
    "V20 no rows": wrong("at least 1 instance", shape=[0], data=[]),
    "V20 no rows of a table": wrong("at least 1 instance", name="t", shape=[0, 1], data=[]),
    "V21 a thousand dimensions": wrong("1000 dimensions", shape=[1] * 1000),
    "V22 nested data": accepted(infer([one(shape=[2, 1], data=[[1.0], [2.0]])]), like=GOOD),
    "V22 a nested table": accepted(infer([one(name="t", shape=[2, 1], data=[[1.0], [2.0]])]), like=GOOD),
    "V23 ragged data": wrong("row 1 of x", shape=[2, 1], data=[[1.0], [1.0, 2.0]]),
    "V23 half nested data": wrong("row 1 of x", shape=[2, 1], data=[[1.0], 2.0]),
    "V23 nested deeper than its shape": wrong("no FP64", shape=[2, 1], data=[[[1.0]], [[2.0]]]),
    "V23 nested although its shape is flat": wrong("not nested like its shape", data=[[1.0], [2.0]]),
    "V24 depth 120": wrong("depth 32", data=nested(120)),
    "V25 text in FP64": wrong("element 0 of x is no FP64: 1", data=["1", 2.0]),
    "V25 true in FP64": wrong("element 1 of x is no FP64: True", data=[1.0, True]),
    "V25 a null where none may be": wrong("x is missing", data=[1.0, None]),
    "V25 a NaN where none may be": text(BARE % "NaN", "x is missing"),
    "V25 a number in BYTES": wrong("no BYTES", datatype="BYTES"),
    "V25 two in BOOL": wrong("no BOOL", datatype="BOOL", data=[1, 2]),
    "V25 an infinite value": text(BARE % "Infinity", "x is out of the range"),
    "V25 a value of 1e400": text(BARE % "1e400", "x is out of the range"),
    "V26 out of INT8": wrong("no INT8: 128", datatype="INT8", data=[1, 128]),
    "V26 out of INT64": wrong(f"no INT64: {2**63}", datatype="INT64", data=[1, 2**63]),
    "V26 out of UINT64": wrong("no UINT64: -1", datatype="UINT64", data=[1, -1]),
    "V26 a fraction in INT64": wrong("no INT64: 1.5", datatype="INT64", data=[1, 1.5]),
    "V27 no data": wrong("x must have data", data=None),
    "V28 data that is text": wrong("x must have data", data="12"),
    "V29 an unknown output": refused(
        infer([one()], outputs=[{"name": "transform"}]), 400, "no output transform; there is predict"
    ),
    "V29 outputs that are an object": refused(
        infer([one()], outputs={"name": "predict"}), 400, '"outputs" must be an array'
    ),
    "V29 an output without a name": refused(infer([one()], outputs=[{}]), 400, "an object with a name"),
    "V29 classes of a regression": refused(
        infer([one()], outputs=[{"name": "predict", "parameters": {"classification": 1}}]), 400, "gives probabilities"
    ),
    "V29 no classes": refused(
        infer([one()], outputs=[{"name": "predict", "parameters": {"classification": 0}}]), 400, "a number of classes"
    ),
    "V30 an output twice": refused(
        infer([one()], outputs=[{"name": "predict"}] * 2), 400, "predict is asked for twice"
    ),
    "V31 binary without the header": wrong(HEADER, data=None, parameters={"binary_data_size": 16}),
    "V31 a flag that is text": refused(
        infer([one()], parameters={"binary_data_output": "yes"}), 400, "binary_data_output must be true or false"
    ),
    "V31 parameters that are a list": refused(infer([one()], parameters=[]), 400, "must be an object"),
    "V31 parameters of an input that are text": wrong("must be an object", parameters="pd"),
    **{
        f"V32 {length}": refused(infer([one()], "line", f"{HEADER}: {length}"), 400, HEADER, f"not '{length}'")
        for length in ("99999999999", "-1", "abc", "9" * 60)
    },
    "V33 an id of 10 KB": refused(infer([one()], id="7" * 10_000), 400, '"id" must be text'),
    "V33 an id that is a number": refused(infer([one()], id=7), 400, '"id" must be text'),
    "V34 a version that is a word": refused(
        request({}, "/v2/models/rent/versions/one/infer"), 404, "'one'", "champion"
    ),
    "V34 an unknown model": refused(request({}, "/v2/models/nobody/infer"), 404, "'nobody'", "rent"),
    "V35 unloading": refused(request({}, "/v2/repository/models/rent/unload"), 501, "nobody can unload it"),
    "V36 a prediction that is not finite": refused(infer([one(data=[1e308, 1.0])]), 400, "not finite"),
    "V36 a prediction that is no number": refused(
        infer([{"name": "t", "shape": [1, 10], "datatype": "FP64", "data": [1, 1, 1, 1, 1.7e308, 1, 1, 1, 1.7e308, 1]}],
              "diabetes"), 400, "not finite",
    ),
    "V37 columns of different length": refused(
        infer(flat(area=[50.0, 60.0]), "rent"), 400, "differ in length: area 2, rooms 1"
    ),
    "V3 a body that is an array": text("[]", "must be a JSON object"),
    "V1 nothing": text("", "empty"),
    "V1 no JSON": text("{", "not JSON"),
    "V1 inputs twice": text('{"inputs": [], "inputs": []}', "given twice"),
    "V4 half a character pair as name": text(r'{"inputs": [{"name": "\ud800"}]}', "Unicode"),
}  # fmt: skip
