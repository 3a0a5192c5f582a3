"""Which bodies are a prediction request, and what the answers to them look like."""

import json
from functools import partial
from typing import Any

import pytest

from model_api import inference, wire
from model_api.errors import InvalidRequest
from model_api.inference import Options
from model_api.loading import load_version
from model_api.registry import Registry
from model_api.trust import Trust

ROW = {"bmi": 30.5}


@pytest.mark.parametrize(
    ("body", "instances", "key", "single"),
    [
        ({"data": ROW}, [ROW], "prediction", True),
        ({"data": {}}, [{}], "prediction", True),
        ({"data": [ROW]}, [ROW], "prediction", False),
        ({"data": [ROW, ROW]}, [ROW, ROW], "prediction", False),
        ({"instances": [ROW, ROW]}, [ROW, ROW], "predictions", False),
        ([ROW, ROW], [ROW, ROW], "predict", False),
        ([1, None], [1, None], "predict", False),  # what a row must be is the signature's business
    ],
)
def test_every_shape_of_the_contract_is_understood(
    body: object, instances: list[object], key: str, single: bool
) -> None:
    request = wire.read_request(body, max_rows=10)

    assert request == wire.PredictRequest(instances, key, single, Options())  # type: ignore[arg-type] # a table


@pytest.mark.parametrize(
    ("options", "understood"),
    [
        ({}, Options(0.9, False)),
        ({"coverage": 0.5}, Options(0.5, False)),
        ({"on_error": "report"}, Options(0.9, True)),
        ({"on_error": "reject", "coverage": 0.999}, Options(0.999, False)),
    ],
)
@pytest.mark.parametrize("data", [{"data": ROW}, {"data": [ROW]}, {"instances": [ROW]}])
def test_options_stand_beside_the_data(data: dict[str, Any], options: dict[str, Any], understood: Options) -> None:
    assert wire.read_request({**data, "options": options}, max_rows=10).options == understood


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "the body must be an object"),
        ("text", "the body must be an object"),
        (3, "the body must be an object"),
        (True, "the body must be an object"),
        ([], "at least 1"),
        ({"data": []}, "at least 1"),
        ({"instances": []}, "at least 1"),
        ({}, 'either "data" or "instances"'),
        ({"data": ROW, "instances": [ROW]}, 'either "data" or "instances"'),
        ({"options": {}}, 'either "data" or "instances"'),
        (ROW, "unknown key 'bmi'; put the features under \"data\""),
        ({"data": ROW, "extra": 1}, "unknown key 'extra'"),
        ({"data": ROW, "k" * 1000: 1}, "unknown key 'kkk"),
        ({"data": None}, '"data" must be an object'),
        ({"data": "text"}, '"data" must be an object'),
        ({"data": 3}, '"data" must be an object'),
        ({"instances": ROW}, '"instances" must be an array'),
        ({"instances": None}, '"instances" must be an array'),
        ([ROW] * 11, "11 instances are more than the 10"),
        ({"data": [{}] * 11}, "11 instances are more than the 10"),
        ({"instances": [None] * 11}, "11 instances are more than the 10"),
        ({"data": ROW, "options": []}, '"options" must be an object'),
        ({"data": ROW, "options": None}, '"options" must be an object'),
        ({"data": ROW, "options": {"predict_proba": True}}, "no option 'predict_proba'; there is coverage, on_error"),
        ({"data": ROW, "options": {"on_error": "ignore"}}, "on_error must be"),
        ({"data": ROW, "options": {"on_error": ["report"]}}, "on_error must be"),
        ({"data": ROW, "options": {"on_error": None}}, "on_error must be"),
    ],
)
def test_what_is_no_prediction_request_is_refused_with_the_reason(body: object, words: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        wire.read_request(body, max_rows=10)

    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 200


def test_as_many_instances_as_allowed_are_taken() -> None:
    assert len(wire.read_request([ROW] * 10, max_rows=10).instances) == 10


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 90, "0.9", True, None, [0.9], float("nan"), float("inf"), 10**400])
def test_a_coverage_that_is_no_share_is_refused(coverage: object) -> None:
    with pytest.raises(InvalidRequest, match="coverage must be a number between 0 and 1"):
        wire.read_coverage(coverage)


@pytest.fixture(scope="module")
def registry(published_small_models: Any) -> Registry:
    registry = Registry(published_small_models, load_version=partial(load_version, trust=Trust()))
    registry.load()
    return registry


@pytest.mark.parametrize("key", ["prediction", "predictions", "predict"])
def test_the_answer_gives_the_predictions_under_the_key_that_was_asked_for(
    registry: Registry, flat: dict[str, Any], key: wire.AnswerKey
) -> None:
    answer = wire.answer(inference.predict(registry.find("rent"), [flat], Options()), key, "r1", single=False)

    assert list(answer) == [key, "interval", "warnings", "model", "version", "request_id"]


def test_the_answer_for_one_instance_holds_values_instead_of_lists(registry: Registry, flat: dict[str, Any]) -> None:
    made = inference.predict(registry.find("rent"), [flat], Options())

    one = wire.answer(made, "prediction", "r1", single=True)
    many = wire.answer(made, "prediction", "r1", single=False)

    for field in ("prediction", "interval", "warnings"):
        assert many[field] == [one[field]]


def test_a_classification_also_gives_probabilities(registry: Registry) -> None:
    instance = {"links": 2.0, "capitals": 0.0, "length": 0.0}
    answer = wire.answer(
        inference.predict(registry.find("spam"), [instance], Options()), "prediction", "r1", single=True
    )

    assert list(answer)[:2] == ["prediction", "probabilities"]
    assert list(answer["probabilities"]) == ["0", "1"]
    assert answer["prediction"] == 1


def test_a_reported_row_takes_the_place_of_its_prediction(registry: Registry, flat: dict[str, Any]) -> None:
    made = inference.predict(registry.find("rent"), [flat, {}, flat], Options(report_errors=True))

    answer = wire.answer(made, "predictions", "r1", single=False)

    assert answer["predictions"][1]["row"] == 1
    assert [problem["feature"] for problem in answer["predictions"][1]["errors"]] == [
        *("area", "rooms", "furnished", "district")
    ]
    assert (answer["interval"][1], answer["warnings"][1]) == (None, [])
    assert answer["predictions"][0] == answer["predictions"][2]


def test_the_answer_is_plain_json(registry: Registry, flat: dict[str, Any]) -> None:
    made = inference.predict(registry.find("rent"), [flat, {}], Options(report_errors=True))

    json.dumps(wire.answer(made, "prediction", "r1", single=False), allow_nan=False)
