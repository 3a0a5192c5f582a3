"""Predictions over HTTP: the same numbers as scikit-learn in this process, in every shape of the contract."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes
from starlette.testclient import TestClient
from starlette.types import Message

from model_api.examples import NAMES, breast_cancer, diabetes, loans, wine

Rows = list[dict[str, Any]]
ReferenceRows = Callable[[str, int], Rows]
CLASSIFIERS = ("breast-cancer", "wine", "loans")
PATIENCE = 20
"""Seconds after which a test gives up waiting."""
PATHS = [
    "/predict",
    "/models/diabetes/predict",
    "/models/diabetes/versions/1/predict",
    "/models/diabetes/versions/champion/predict",
]


@pytest.fixture(scope="module")
def training() -> dict[str, tuple[BaseEstimator, "pd.DataFrame", "pd.Series[Any]"]]:
    """The estimator of each embedded model, fitted here and now, and its training data."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    made = {
        "diabetes": (diabetes.estimator(), X, y),
        "breast-cancer": (breast_cancer.estimator(), *breast_cancer.load_data()),
        "wine": (wine.estimator(), *wine.load_data()),
        "loans": (loans.estimator(), *loans.load_data()),
    }
    return {name: (estimator.fit(X, y), X, y) for name, (estimator, X, y) in made.items()}


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> str:
    """The name of each embedded model in turn."""
    return str(request.param)


def like_training(rows: Rows, X: pd.DataFrame) -> pd.DataFrame:
    """Build the frame that the estimator was fitted on from rows as they went over the wire."""
    return pd.DataFrame(rows, columns=X.columns).astype(X.dtypes.to_dict())


def post(client: TestClient, model: str, body: object) -> dict[str, Any]:
    answer = client.post(f"/models/{model}/predict", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def close(values: object) -> Any:
    return pytest.approx(values, rel=1e-9, abs=0)


def test_the_answer_equals_scikit_learn_in_this_process(
    client: TestClient,
    reference_rows: ReferenceRows,
    training: dict[str, tuple[Any, pd.DataFrame, "pd.Series[Any]"]],
    model: str,
) -> None:
    estimator, X, _ = training[model]
    rows = reference_rows(model, 50)
    frame = like_training(rows, X)

    answer = post(client, model, {"data": rows})

    if model in CLASSIFIERS:
        assert answer["prediction"] == estimator.predict(frame).tolist()
        probabilities = [list(row.values()) for row in answer["probabilities"]]
        assert np.array(probabilities) == close(estimator.predict_proba(frame))
        assert [list(row) for row in answer["probabilities"]] == [estimator.classes_.tolist()] * 50
    else:
        assert answer["prediction"] == close(estimator.predict(frame).tolist())


def test_one_by_one_and_all_together_give_the_same(
    client: TestClient, reference_rows: ReferenceRows, model: str
) -> None:
    rows = reference_rows(model, 50)
    together = post(client, model, {"data": rows})

    for position, row in enumerate(rows):
        alone = post(client, model, {"data": row})

        if model in CLASSIFIERS:
            assert alone["prediction"] == together["prediction"][position]
            assert alone["probabilities"] == close(together["probabilities"][position])
        else:
            assert alone["prediction"] == close(together["prediction"][position])


def test_the_order_of_the_rows_is_kept(client: TestClient, reference_rows: ReferenceRows, model: str) -> None:
    rows = reference_rows(model, 50)

    forwards = post(client, model, {"data": rows})["prediction"]
    backwards = post(client, model, {"data": rows[::-1]})["prediction"]

    assert backwards[::-1] == (forwards if model in CLASSIFIERS else close(forwards))


def test_the_predefined_data_are_rows_of_the_training_data_with_their_true_values(
    client: TestClient, training: dict[str, tuple[Any, pd.DataFrame, "pd.Series[Any]"]], model: str
) -> None:
    _, X, y = training[model]
    page = client.get(f"/models/{model}/predict?limit=50").json()
    known = {(*row, true) for *row, true in X.assign(_true=y).itertuples(index=False) if not pd.isna(row).any()}

    rows = [
        (*row, true)
        for *row, true in like_training(page["data"], X).assign(_true=page["target"]).itertuples(index=False)
        if not pd.isna(row).any()
    ]

    assert len(rows) >= 30
    assert set(rows) <= known


def test_get_answers_for_the_predefined_data_what_post_answers_for_the_same_rows(
    client: TestClient, model: str
) -> None:
    page = client.get(f"/models/{model}/predict?limit=50").json()

    posted = post(client, model, {"data": page["data"]})

    assert posted["prediction"] == (page["prediction"] if model in CLASSIFIERS else close(page["prediction"]))
    assert len(page["interval"]) == 50


# The client of the tutorial: it gets the predictions of the predefined data, and posts what a form gave it.


def test_the_tutorial_client_gets_the_predictions_of_the_predefined_data(client: TestClient) -> None:
    predictions = client.get("/predict").json()["prediction"]

    assert isinstance(predictions, list)
    assert len(predictions) == 20
    assert all(isinstance(prediction, float) for prediction in predictions)


def test_the_tutorial_client_may_post_every_value_as_text(client: TestClient, patient: dict[str, Any]) -> None:
    as_text = {name: str(value) for name, value in patient.items()}

    prediction = client.post("/predict", json={"data": as_text}).json()["prediction"]

    assert isinstance(prediction, float)
    assert prediction == client.post("/predict", json={"data": patient}).json()["prediction"]


def test_every_model_takes_every_value_as_text(client: TestClient, reference_rows: ReferenceRows, model: str) -> None:
    rows = reference_rows(model, 20)
    as_text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]

    assert post(client, model, {"data": as_text})["prediction"] == post(client, model, {"data": rows})["prediction"]


# Shapes


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("wrap", "key"),
    [
        (lambda rows: {"data": rows}, "prediction"),
        (lambda rows: {"instances": rows}, "predictions"),
        (lambda rows: rows, "predict"),
    ],
)
def test_many_instances_are_answered_under_the_key_of_their_protocol(
    client: TestClient, reference_rows: ReferenceRows, path: str, wrap: Callable[[Rows], object], key: str
) -> None:
    answer = client.post(path, json=wrap(reference_rows("diabetes", 3))).json()

    assert list(answer) == [key, "interval", "warnings", "model", "version", "request_id"]
    assert len(answer[key]) == len(answer["interval"]) == len(answer["warnings"]) == 3


def test_one_instance_gets_one_regression_answer(client: TestClient, patient: dict[str, Any]) -> None:
    answer = post(client, "diabetes", {"data": patient | {"bmi": 61}})

    assert list(answer) == ["prediction", "interval", "warnings", "model", "version", "request_id"]
    assert answer["interval"]["low"] < answer["prediction"] < answer["interval"]["high"]
    assert answer["interval"]["coverage"] == 0.9
    assert answer["warnings"] == [
        {
            "feature": "bmi",
            "code": "outside_training_range",
            "message": "bmi 61 is above every training value (18 to 42.2)",
        }
    ]
    assert (answer["model"], answer["version"]) == ("diabetes", "1")


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_one_instance_gets_one_classification_answer(
    client: TestClient, reference_rows: ReferenceRows, model: str
) -> None:
    answer = post(client, model, {"data": reference_rows(model, 1)[0]})

    assert list(answer)[:4] == ["prediction", "probabilities", "interval", "warnings"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["prediction"] == max(answer["probabilities"], key=answer["probabilities"].get)
    assert answer["interval"]["classes"][0] == answer["prediction"]
    assert set(answer["interval"]["classes"]) <= set(answer["probabilities"])


def test_classes_that_are_numbers_stay_numbers(small_client: TestClient) -> None:
    answer = post(small_client, "spam", {"data": {"links": 3, "capitals": 0, "length": 0}})

    assert answer["prediction"] == 1
    assert answer["interval"]["classes"] == [1]
    assert list(answer["probabilities"]) == ["0", "1"]


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_the_content_type_may_be_absent_or_say_json(
    client: TestClient, patient: dict[str, Any], content_type: str | None
) -> None:
    body = httpx2.Request("POST", "http://x", json={"data": patient}).content
    headers = {} if content_type is None else {"Content-Type": content_type}

    answer = client.post("/predict", content=body, headers=headers)

    assert answer.status_code == 200
    assert ("content-type" in answer.request.headers) == (content_type is not None)


# Options


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_a_larger_coverage_gives_a_wider_interval(client: TestClient, patient: dict[str, Any], coverage: float) -> None:
    asked = post(client, "diabetes", {"data": patient, "options": {"coverage": coverage}})["interval"]
    usual = post(client, "diabetes", {"data": patient})["interval"]

    assert asked["coverage"] == coverage
    assert (asked["high"] - asked["low"] > usual["high"] - usual["low"]) == (coverage > 0.9)


def test_a_coverage_that_calibration_cannot_give_leaves_the_interval_out(
    small_client: TestClient, flat: dict[str, Any]
) -> None:
    answer = post(small_client, "rent", {"data": flat, "options": {"coverage": 0.999}})

    assert answer["interval"] is None


@pytest.mark.parametrize(
    ("wrap", "key"), [(lambda rows: {"data": rows}, "prediction"), (lambda rows: {"instances": rows}, "predictions")]
)
def test_with_reporting_good_rows_are_scored_and_bad_ones_come_back_in_their_place(
    client: TestClient, reference_rows: ReferenceRows, wrap: Callable[[Rows], dict[str, Any]], key: str
) -> None:
    rows = reference_rows("diabetes", 3)
    good = post(client, "diabetes", wrap(rows))[key]
    bad = [rows[0], rows[1] | {"bmi": "abc", "weight": 80}, rows[2]]

    reported = post(client, "diabetes", {**wrap(bad), "options": {"on_error": "report"}})[key]

    assert reported[0] == close(good[0])
    assert reported[2] == close(good[2])
    assert reported[1]["row"] == 1
    assert [(error["feature"], error["row"]) for error in reported[1]["errors"]] == [("bmi", 1), ("weight", 1)]


def test_without_reporting_every_bad_row_is_listed_and_none_is_scored(
    client: TestClient, reference_rows: ReferenceRows
) -> None:
    rows = [
        row | ({"bmi": "abc"} if position in (3, 7) else {})
        for position, row in enumerate(reference_rows("diabetes", 10))
    ]

    answer = client.post("/predict", json={"data": rows, "options": {"on_error": "reject"}})

    assert answer.status_code == 422
    assert "prediction" not in answer.json()
    assert [(error["row"], error["feature"]) for error in answer.json()["errors"]] == [(3, "bmi"), (7, "bmi")]


# GET


@pytest.mark.parametrize("path", PATHS)
def test_every_path_answers_get_and_post_and_names_the_version(
    client: TestClient, patient: dict[str, Any], path: str
) -> None:
    got, posted = client.get(path), client.post(path, json={"data": patient})

    assert (got.status_code, posted.status_code) == (200, 200)
    assert got.headers["Servery-Model"] == posted.headers["Servery-Model"] == "diabetes/1"
    assert (posted.json()["model"], posted.json()["version"]) == ("diabetes", "1")


def test_a_refused_prediction_names_the_version_too(client: TestClient) -> None:
    answer = client.post("/models/wine/predict", json={"data": {}})

    assert answer.status_code == 422
    assert answer.headers["Servery-Model"] == "wine/1"


@pytest.mark.parametrize(
    ("query", "offset", "count"),
    [
        ("", 0, 20),
        ("?limit=1", 0, 1),
        ("?limit=5&offset=440", 440, 2),
        ("?offset=442", 442, 0),
        ("?limit=1000", 0, 442),
    ],
)
def test_the_predefined_data_is_given_page_by_page(client: TestClient, query: str, offset: int, count: int) -> None:
    page = client.get(f"/predict{query}").json()

    assert (page["offset"], page["total"]) == (offset, 442)
    assert [len(page[name]) for name in ("prediction", "data", "target", "interval", "warnings")] == [count] * 5


def test_pages_follow_each_other(client: TestClient) -> None:
    whole = client.get("/predict?limit=10").json()["data"]

    assert client.get("/predict?limit=5").json()["data"] == whole[:5]
    assert client.get("/predict?limit=5&offset=5").json()["data"] == whole[5:]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=1001", "limit=abc", "limit=", "limit=1.0", "limit=1e2", "limit=٣", "limit=²"),
        *("offset=-1", "offset=x", "offset=99999999999999999999", "limit=1_0"),
        *("coverage=1", "coverage=0", "coverage=nan", "coverage=x", "coverage=", "coverage=-0.5"),
    ],
)
def test_a_bad_page_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/predict?{query}")

    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["detail"]


def test_the_limits_of_the_offset_are_those_that_are_named(client: TestClient) -> None:
    assert client.get("/predict?offset=1000000000").status_code == 200
    assert "from 0 to 1000000000," in client.get("/predict?offset=1000000001").json()["detail"]


def test_the_coverage_of_the_predefined_data_may_be_chosen(client: TestClient) -> None:
    page = client.get("/predict?limit=2&coverage=0.5").json()

    assert [interval["coverage"] for interval in page["interval"]] == [0.5, 0.5]


def test_features_in_the_query_get_one_prediction(
    client: TestClient, reference_rows: ReferenceRows, model: str
) -> None:
    row = reference_rows(model, 1)[0]
    query = {name: "" if value is None else str(value).lower() for name, value in row.items()}

    answer = client.get(f"/models/{model}/predict", params=query).json()

    assert next(iter(answer)) == "prediction"
    assert "data" not in answer
    assert answer["prediction"] == post(client, model, {"data": row})["prediction"]


def test_features_in_the_query_are_checked_like_any_others(client: TestClient, patient: dict[str, Any]) -> None:
    answer = client.get("/predict", params=patient | {"bmi": "abc", "agee": 3})

    assert answer.status_code == 422
    assert [error["feature"] for error in answer.json()["errors"]] == ["bmi", "agee"]


def test_a_feature_that_is_given_twice_is_refused(client: TestClient, patient: dict[str, Any]) -> None:
    query = "&".join(f"{name}={value}" for name, value in patient.items())

    answer = client.get(f"/predict?{query}&bmi=20")

    assert answer.status_code == 422
    assert "'bmi' is given twice" in answer.json()["detail"]


# Deadlines


def test_a_deadline_that_is_kept_changes_nothing(client: TestClient, patient: dict[str, Any]) -> None:
    answer = client.post("/predict", json={"data": patient}, headers={"X-Request-Timeout": "10"})

    assert answer.status_code == 200


def test_an_answer_that_would_come_after_the_deadline_is_not_waited_for(
    client: TestClient, patient: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr("model_api.inference.predict", lambda *_: released.wait(PATIENCE))
    began = time.monotonic()

    answer = client.post("/predict", json={"data": patient}, headers={"X-Request-Timeout": "0.05"})

    released.set()
    assert time.monotonic() - began < PATIENCE / 2
    assert answer.status_code == 504
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/deadline-passed"
    assert "0.05 s of X-Request-Timeout" in answer.json()["detail"]


@pytest.mark.parametrize("seconds", ["", "0", "-1", "abc", "nan", "inf", "1e3", "1_0", "٣", "1 s", "9" * 400])
def test_a_deadline_that_is_no_number_of_seconds_is_refused(
    client: TestClient, patient: dict[str, Any], seconds: str
) -> None:
    answer = client.post("/predict", json={"data": patient}, headers={b"X-Request-Timeout": seconds.encode()})

    assert answer.status_code == 422
    assert "X-Request-Timeout must be a number of seconds above 0" in answer.json()["detail"]


# Sizes


def test_a_body_of_exactly_the_limit_is_read(serving: Callable[..., TestClient], published_small_models: Path) -> None:
    small = serving(published_small_models, max_body_bytes=1024)

    assert small.post("/predict", content=b'{"data": {}}'.ljust(1024)).status_code == 422
    assert small.post("/predict", content=b'{"data": {}}'.ljust(1025)).status_code == 413


def test_a_body_without_a_length_is_counted_while_it_comes(
    serving: Callable[..., TestClient], published_small_models: Path
) -> None:
    small = serving(published_small_models, max_body_bytes=1024)
    sent = []

    def chunks() -> Any:
        for number in range(1000):
            sent.append(number)
            yield b" " * 100

    answer = small.post("/predict", content=chunks())

    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413
    assert "1024 bytes" in answer.json()["detail"]


def test_a_body_that_breaks_off_is_not_scored_and_is_no_failure_of_ours(client: TestClient, service: FastAPI) -> None:
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [(b"host", b"testserver")]}
    coming: list[Message] = [
        {"type": "http.request", "body": b'{"data": {}}', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(service({**scope, "query_string": b""}, receive, send))

    assert sent[0]["status"] == 400


def test_as_many_rows_as_allowed_are_scored(
    serving: Callable[..., TestClient], published_small_models: Path, flat: dict[str, Any]
) -> None:
    small = serving(published_small_models, max_rows=3)

    assert len(small.post("/predict", json=[flat] * 3).json()["predict"]) == 3
    assert small.post("/predict", json=[flat] * 4).status_code == 422


def test_a_body_that_is_parsed_in_a_thread_is_answered_the_same(client: TestClient, patient: dict[str, Any]) -> None:
    many = post(client, "diabetes", [patient] * 2000)

    assert many["predict"] == close([post(client, "diabetes", {"data": patient})["prediction"]] * 2000)
