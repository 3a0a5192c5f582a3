"""Thousands of spoiled requests: every one is answered, none by a 500, and no answer holds NaN."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from model_api.protocols.binary_tensors import HEADER
from tests.model_api.protocols.conftest import Sample
from tests.model_api.protocols.test_open_inference import column_inputs, table_input

SPOILED = 120
ODD: list[Any] = [
    *(None, True, False, 0, -1, 2**31, 2**63, 10**300, 1.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "NaN", "NaT", "a" * 3000, "\u0000", "'", "𝕊", "-1", "1e999", [], {}, [[]], [{}], [None], {"": None}),
    *([[1]], {"b64": "AA=="}, "FP64", "BYTES", "BOOL", ["x"], [2, -1]),
]


def spoil(document: Any, dice: random.Random) -> Any:
    """Change a document in one to three places: put in odd things, take things away, double them."""
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 3)):
        places = list(_places(document))
        parent, key = dice.choice(places)
        what = dice.random()
        if what < 0.7:
            parent[key] = copy.deepcopy(dice.choice(ODD))
        elif what < 0.85:
            del parent[key]
        elif isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        else:
            parent[f"{key}x"] = copy.deepcopy(parent[key])
        if not document:
            return document
    return document


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Give every place of a document: an object or a list, and a key in it."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


def bodies(flats: Sample, mails: Sample) -> dict[str, Any]:
    few = Sample(flats.rows[:2], [], [])
    return {
        "/v2/models/rent/infer": {
            "id": "1",
            "parameters": {"binary_data_output": False},
            "inputs": column_inputs(few),
            "outputs": [{"name": "predict", "parameters": {"binary_data": True}}],
        },
        "/v2/models/spam/infer": {
            "inputs": [table_input(Sample(mails.rows[:2], [], []), nested=True)],
            "outputs": [{"name": "predict_proba", "parameters": {"classification": 1}}],
        },
        "/v1/models/rent:predict": {"instances": few.matrix, "signature_name": "predict"},
        "/v1/models/rent/labels/champion:predict": {"inputs": few.columns},
        "/v1/models/spam:classify": {"examples": mails.rows[:2], "context": {"links": 1}},
        "/invocations": {"dataframe_split": {"columns": list(few.columns), "data": few.matrix, "index": [0, 1]}},
        "/invocations?records": {"dataframe_records": few.rows, "params": {"a": 1}},
        "/v2/repository/index": {"ready": True},
    }


@pytest.mark.parametrize("number", range(8))
def test_a_spoiled_document_is_answered(small_client: TestClient, flats: Sample, mails: Sample, number: int) -> None:
    path, document = list(bodies(flats, mails).items())[number]
    dice = random.Random(number)
    statuses = set()
    for _ in range(SPOILED):
        spoiled = spoil(document, dice)
        answer = small_client.post(path, content=json.dumps(spoiled).encode())
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 400), spoiled
        if answer.headers["Content-Type"] == "application/json":
            answer.json(parse_constant=pytest.fail)
    assert 400 in statuses


@pytest.mark.parametrize("seed", range(3))
def test_spoiled_bytes_are_answered(small_client: TestClient, flats: Sample, seed: int) -> None:
    """JSON and tensors together, cut, spliced and with bytes that flipped."""
    few = Sample(flats.rows[:2], [], [])
    inputs = column_inputs(few)
    inputs[0] = {**inputs[0], "parameters": {"binary_data_size": 16}}
    del inputs[0]["data"]
    head = json.dumps({"inputs": inputs}).encode()
    whole, dice = head + bytes(16), random.Random(seed)
    for _ in range(SPOILED):
        body = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(body))
            body[place] = dice.randrange(256)
        body = body[: dice.randint(0, len(body))] if dice.random() < 0.3 else body
        length = dice.choice([len(head), len(head), dice.randint(0, len(whole) + 5)])
        answer = small_client.post("/v2/models/rent/infer", content=bytes(body), headers={HEADER: str(length)})
        assert answer.status_code in (200, 400), bytes(body)


@pytest.mark.parametrize("seed", range(2))
def test_spoiled_tables_are_answered(small_client: TestClient, flats: Sample, seed: int) -> None:
    rows = [",".join("" if cell is None else str(cell) for cell in row) for row in flats.matrix[:3]]
    whole, dice = "\n".join([",".join(flats.columns), *rows]).encode(), random.Random(seed)
    for _ in range(SPOILED):
        body = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            body[dice.randrange(len(body))] = dice.choice([0, 9, 10, 13, 34, 44, 59, 128, 255, dice.randrange(256)])
        answer = small_client.post("/invocations", content=bytes(body), headers={"Content-Type": "text/csv"})
        assert answer.status_code in (200, 400), bytes(body)
