"""`servery.Client`: what it gives of a real service, and what it makes of one that misbehaves."""

import copy
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
import uvicorn

import servery
from model_api import client as client_module
from model_api.app import create_app
from model_api.client import (
    Client,
    FieldError,
    InputWarning,
    InvalidInput,
    NotFound,
    Prediction,
    ServiceError,
    TimedOut,
    Unavailable,
)
from model_api.examples import NAMES
from model_api.http_protocol import Protocol
from model_api.settings import Settings
from tests.dashboard.upstream import (
    BROKEN,
    MAD,
    SLOW,
    Asked,
    Behaviour,
    Connection,
    Upstream,
    message,
    redirecting,
    saying,
    saying_json,
)

TIMEOUT = 0.3
"""Seconds for a service that misbehaves."""
SLACK = 2.0
"""Seconds that a call may take beyond on a busy machine; one that waited for the service would take for ever."""
BUSY = "503 Service Unavailable"
MODELS: dict[str, Any] = {"models": [], "default": None}
PREDICTION = {
    "prediction": 1.5,
    "interval": {"low": 1.0, "high": 2.0, "coverage": 0.9},
    "warnings": [],
    "model": "rent",
    "version": "3",
    "request_id": "r",
}
MakeUpstream = Callable[[Behaviour], Upstream]


@pytest.fixture(scope="module")
def url(models_folder: Path) -> Iterator[str]:
    """The address of a real service with the four embedded models."""
    app = create_app(Settings(models=str(models_folder)))
    server = uvicorn.Server(uvicorn.Config(app, http=Protocol, log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    """A client of the real service, which is ready."""
    with Client(url, timeout=30) as client:
        client.wait_until_ready()
        yield client


@pytest.fixture
def upstream() -> Iterator[MakeUpstream]:
    """Start services that do as the test tells them."""
    started: list[Upstream] = []

    def start(behaviour: Behaviour) -> Upstream:
        started.append(Upstream(behaviour))
        return started[-1]

    yield start
    for service in started:
        service.refuse()


def client_of(service: Upstream, *, timeout: float = 20, **options: Any) -> Client:
    return Client(service.url, timeout=timeout, **options)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Treat the first request by the first behaviour, and so on; all later ones by the last."""
    waiting = list(behaviours)

    def treat(asked: Asked, connection: Connection) -> None:
        behaviour = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        behaviour(asked, connection)

    return treat


def busy(*headers: str) -> Behaviour:
    problem = {"type": "/problems/overloaded", "status": 503, "detail": "more is asked for", "request_id": "r-503"}
    return saying(message(json.dumps(problem).encode(), BUSY, "application/problem+json", *headers))


def asked_by_hand(url: str, path: str, body: object) -> dict[str, Any]:
    """Ask without the client."""
    return dict(requests.post(url + path, json=body, timeout=20).json())


# Of a real service.


@pytest.mark.parametrize("model", NAMES)
def test_predictions_come_in_the_order_of_the_instances_and_are_those_of_each_alone(client: Client, model: str) -> None:
    reference = client.reference(model, limit=3, offset=2)

    together = client.predict_many(reference.data, model=model)
    alone = [client.predict(instance, model=model) for instance in reference.data]

    values = [prediction.value for prediction in reference.predictions]
    assert [prediction.value for prediction in together] == pytest.approx(values)
    assert [prediction.value for prediction in alone] == pytest.approx(values)
    assert len({str(instance) for instance in reference.data}) == 3


def test_a_number_comes_with_its_interval_and_who_gave_it(client: Client, url: str) -> None:
    patient = client.reference().data[0]
    answer = asked_by_hand(url, "/predict", {"data": patient, "options": {"coverage": 0.5}})

    prediction = client.predict(patient, coverage=0.5, request_id="mine-1")

    interval = prediction.interval
    assert interval is not None
    assert prediction.value == answer["prediction"]
    assert {"low": interval.low, "high": interval.high, "coverage": interval.coverage} == answer["interval"]
    assert prediction.probabilities is None
    assert (prediction.model, prediction.version, prediction.request_id) == ("diabetes", "1", "mine-1")


def test_a_class_comes_with_its_probabilities_and_the_classes_that_are_left(client: Client, url: str) -> None:
    wine = client.reference("wine").data[0]
    answer = asked_by_hand(url, "/models/wine/predict", {"data": wine})

    prediction = client.predict(wine, model="wine")

    assert prediction.value == answer["prediction"]
    assert prediction.probabilities == answer["probabilities"]
    assert prediction.interval is not None
    assert list(prediction.interval.classes) == answer["interval"]["classes"]


def test_what_is_odd_about_an_instance_comes_with_its_prediction(client: Client) -> None:
    patient = {**client.reference().data[0], "bmi": 90}

    (warning,) = client.predict(patient).warnings

    assert isinstance(warning, InputWarning)
    assert (warning.feature, warning.code) == ("bmi", "outside_training_range")


def test_an_explanation_comes_as_the_service_gives_it(client: Client) -> None:
    patient = client.reference("diabetes").data[0]
    said = client.explain("contributions", patient, model="diabetes")

    assert said["model"] == "diabetes"
    parts = sum(item["contribution"] for item in said["contributions"])
    assert parts == pytest.approx(said["prediction"] - said["base"])


def test_an_explanation_that_there_is_not_is_told_so(client: Client) -> None:
    with pytest.raises(NotFound, match="did you mean contributions"):
        client.explain("contribution", {}, model="diabetes")


@pytest.mark.parametrize("version", [1, "1", "champion"])
def test_a_version_is_asked_by_number_or_alias(client: Client, version: str | int) -> None:
    wine = client.reference("wine", version=version).data[0]

    assert client.predict(wine, model="wine", version=version).version == "1"


@pytest.mark.parametrize(
    ("asked", "problem", "named"),
    [
        ({"model": "beer"}, "/problems/unknown-model", "wine"),
        ({"model": "wine", "version": 9}, "/problems/unknown-version", "champion"),
        ({"model": "..%2Fmodels"}, "/problems/unknown-model", "wine"),
        ({"model": "../models"}, "/problems/not-found", "/docs"),
        ({"model": ".."}, None, "there is no"),
        ({"model": "wine", "version": ".."}, None, "there is no"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    client: Client, asked: dict[str, Any], problem: str | None, named: str
) -> None:
    with pytest.raises(NotFound, match=named) as refusal:
        client.predict({}, **asked)

    assert (refusal.value.status, refusal.value.problem) == (404 if problem else None, problem)


def test_every_feature_that_is_wrong_is_told(client: Client, url: str) -> None:
    patient = {**client.reference().data[0], "age": "old", "bmi": None}
    problem = asked_by_hand(url, "/predict", {"data": patient})

    with pytest.raises(InvalidInput) as refusal:
        client.predict(patient, request_id="mine-2")

    assert refusal.value.errors == tuple(FieldError(**error) for error in problem["errors"])
    assert {error.feature for error in refusal.value.errors} == {"age", "bmi"}
    assert str(refusal.value).startswith(problem["detail"])
    assert 'age must be a number, not "old"' in str(refusal.value)
    assert (refusal.value.status, refusal.value.request_id) == (422, "mine-2")


def test_bad_rows_are_reported_in_their_places_if_that_is_wanted(client: Client) -> None:
    good = client.reference().data[0]

    first, second, third = client.predict_many([good, {**good, "age": "old"}, good], on_error="report")

    assert (first.value, first.errors) == (third.value, ())
    assert second.value is None
    assert [(error.feature, error.row) for error in second.errors] == [("age", 1)]


def test_options_that_are_wrong_are_the_service_s_to_refuse(client: Client) -> None:
    with pytest.raises(InvalidInput, match="coverage must be a number between 0 and 1") as refusal:
        client.predict(client.reference().data[0], coverage=2)

    assert refusal.value.errors == ()


def test_rows_come_from_a_data_frame_or_from_anything_that_can_be_walked_through(client: Client) -> None:
    patients = client.reference().data
    expected = client.predict_many(patients)

    def values(predictions: list[Prediction]) -> list[object]:
        return [prediction.value for prediction in predictions]

    assert values(client.predict_many(pd.DataFrame(patients))) == values(expected)
    assert values(client.predict_many(iter(patients))) == values(expected)
    assert client.predict(pd.DataFrame(patients).iloc[0].to_dict()).value == expected[0].value


def test_no_rows_are_no_predictions_and_no_request(upstream: MakeUpstream) -> None:
    service = upstream(saying_json({}))

    with client_of(service) as client:
        assert client.predict_many([]) == []

    assert service.asked == []


def test_one_instance_is_not_taken_for_several(upstream: MakeUpstream) -> None:
    with pytest.raises(TypeError, match="goes to predict"):
        client_of(upstream(saying_json({}))).predict_many({"age": 59})


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (float("nan"), None),
        (np.float32("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (None, None),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (Decimal("1.5"), "1.5"),
        (float("inf"), "inf"),
        (date(2026, 11, 24), "2026-11-24"),
        (pd.Timestamp("2026-11-24T09:30"), "2026-11-24T09:30:00"),
        ("zürich", "zürich"),
    ],
    ids=repr,
)
def test_a_value_is_sent_as_json_knows_it(upstream: MakeUpstream, value: object, sent: object) -> None:
    service = upstream(saying_json(PREDICTION))

    with client_of(service) as client:
        client.predict({"x": value})

    assert json.loads(service.asked[0].body) == {"data": {"x": sent}}


def test_an_infinite_number_is_refused_by_its_name(client: Client) -> None:
    with pytest.raises(InvalidInput, match='bmi must be a number, not "inf"'):
        client.predict({**client.reference().data[0], "bmi": float("inf")})


def test_a_missing_value_in_a_data_frame_is_one_to_the_model(client: Client) -> None:
    applicants = pd.DataFrame(client.reference("loans", limit=50).data)
    assert applicants["yearly_income"].isna().any()

    predictions = client.predict_many(applicants, model="loans")

    missing = [any(w.code == "missing" for w in prediction.warnings) for prediction in predictions]
    assert missing == applicants.isna().any(axis="columns").tolist()


def test_the_models_are_listed_with_who_answers(client: Client) -> None:
    models = {model.name: model for model in client.models()}

    wine = models["wine"]
    assert set(models) == set(NAMES)
    assert (wine.title, wine.champion, wine.aliases, wine.versions) == (
        "Wine cultivars",
        "1",
        {"champion": "1"},
        ("1",),
    )
    assert [name for name, model in models.items() if model.default] == ["diabetes"]


def test_reference_rows_come_in_pages(client: Client) -> None:
    page = client.reference("wine", limit=2, offset=177)

    assert (len(page.predictions), len(page.data), len(page.target)) == (1, 1, 1)
    assert (page.offset, page.total) == (177, 178)


def test_threads_may_share_a_client(client: Client) -> None:
    patients = client.reference(limit=60).data
    expected = [prediction.value for prediction in client.predict_many(patients)]

    with ThreadPoolExecutor(8) as pool:
        found = [prediction.value for prediction in pool.map(client.predict, patients)]

    assert found == pytest.approx(expected)


# What is sent, and how often.


def test_a_request_says_what_its_answer_needs(upstream: MakeUpstream) -> None:
    service = upstream(saying_json(PREDICTION))

    with client_of(service, headers={"Authorization": "Bearer x"}) as client:
        client.predict({"area": 70.5}, model="rent/flats", version=3, request_id="r-42")

    (asked,) = service.asked
    assert (asked.method, asked.target) == ("POST", "/models/rent%2Fflats/versions/3/predict")
    assert asked.headers["x-request-id"] == "r-42"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.headers["authorization"] == "Bearer x"
    assert asked.headers["user-agent"].startswith("servery/")


def test_each_call_has_an_id_that_its_retries_keep(upstream: MakeUpstream) -> None:
    service = upstream(in_turn(busy(), saying_json(MODELS)))

    with client_of(service) as client:
        client.models()
        client.models()

    first, again, second = (asked.headers["x-request-id"] for asked in service.asked)
    assert first == again != second


def test_the_service_is_told_how_much_time_is_left(upstream: MakeUpstream) -> None:
    service = upstream(in_turn(busy("Retry-After: 1"), saying_json(MODELS)))

    with client_of(service, timeout=20) as client:
        client.models()

    first, again = (float(asked.headers["x-request-timeout"]) for asked in service.asked)
    assert 19 < first <= 20
    assert again <= first - 1


def test_an_address_may_have_a_path(upstream: MakeUpstream) -> None:
    service = upstream(saying_json(MODELS))

    with Client(f"{service.url}/behind/a/proxy/") as client:
        client.models()

    assert service.asked[0].path == "/behind/a/proxy/models"


def test_proxies_of_the_environment_get_nothing(upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, service = upstream(saying_json({})), upstream(saying_json(MODELS))
    monkeypatch.setenv("http_proxy", proxy.url)

    with client_of(service) as client:
        client.models()

    assert proxy.asked == []


def test_a_connection_is_kept_for_the_next_call(upstream: MakeUpstream) -> None:
    service = upstream(saying_json(MODELS))

    with client_of(service) as client:
        client.models()
        client.models()
    with client:
        client.models()

    assert (service.connections, len(service.asked)) == (2, 3)


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(
    upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = threading.Semaphore(0)

    def answer_and_close(asked: Asked, connection: Connection) -> None:
        connection.send(message(json.dumps(MODELS).encode()))
        connection.close()
        closed.release()

    monkeypatch.setattr(client_module, "RETRIES", 0)
    service = upstream(answer_and_close)

    with client_of(service) as client:
        for _ in range(3):
            client.models()
            assert closed.acquire(timeout=10)

    assert service.connections == 3


def test_a_client_that_is_forgotten_closes_its_connections(upstream: MakeUpstream) -> None:
    closed = threading.Event()

    def answer_and_wait_for_the_end(asked: Asked, connection: Connection) -> None:
        connection.send(message(json.dumps(MODELS).encode()))
        if connection.read() is None:
            closed.set()

    client = client_of(upstream(answer_and_wait_for_the_end))
    client.models()
    assert not closed.is_set()

    del client

    assert closed.wait(10)


# What misbehaves.


@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
def test_whatever_takes_for_ever_ends_with_the_deadline(upstream: MakeUpstream, fault: Behaviour) -> None:
    service = upstream(fault)
    began = time.monotonic()

    with client_of(service, timeout=TIMEOUT) as client, pytest.raises(TimedOut, match="no answer in time") as error:
        client.predict({"area": 1})

    assert TIMEOUT <= time.monotonic() - began < TIMEOUT + SLACK
    assert error.value.request_id == service.asked[0].headers["x-request-id"]


def test_a_service_that_does_not_read_ends_with_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = Client(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=TIMEOUT)

        with pytest.raises(TimedOut):
            client.predict({"text": "x" * 20_000_000})


def test_a_kept_connection_gets_the_deadline_of_the_next_call(upstream: MakeUpstream) -> None:
    service = upstream(in_turn(saying_json(MODELS), SLOW["trickles its body"]))

    with client_of(service, timeout=TIMEOUT) as client:
        client.models()
        time.sleep(TIMEOUT)
        began = time.monotonic()
        with pytest.raises(TimedOut):
            client.models()

    assert time.monotonic() - began >= TIMEOUT
    assert service.connections == 1


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_whatever_breaks_off_is_unavailable(upstream: MakeUpstream, fault: Behaviour) -> None:
    with client_of(upstream(fault)) as client, pytest.raises(Unavailable):
        client.models()


def test_a_port_that_nobody_listens_on_is_unavailable(unused_ports: tuple[int, int]) -> None:
    with pytest.raises(Unavailable, match=r":\d+: \[Errno \d+\] Connection refused$") as error:
        Client(f"http://127.0.0.1:{unused_ports[0]}").models()

    assert error.value.status is None
    assert error.value.request_id


@pytest.mark.parametrize("fault", MAD.values(), ids=MAD)
def test_whatever_makes_no_sense_is_an_error_of_the_service(upstream: MakeUpstream, fault: Behaviour) -> None:
    service = upstream(fault)

    with client_of(service, max_answer_bytes=1_000_000) as client, pytest.raises(ServiceError) as error:
        client.predict({"area": 1})

    assert not isinstance(error.value, Unavailable | TimedOut)
    assert len(service.asked) == 1


@pytest.mark.parametrize("name", ["answers without end", "announces more than anybody wants"])
def test_no_more_is_read_than_the_client_s_limit(upstream: MakeUpstream, name: str) -> None:
    with client_of(upstream(MAD[name]), max_answer_bytes=100_000) as client:  # noqa: SIM117 -- what fails is inside
        with pytest.raises(ServiceError, match="longer than 100000 bytes"):
            client.models()


def test_redirects_are_not_followed(upstream: MakeUpstream) -> None:
    elsewhere = upstream(saying_json(MODELS))
    service = upstream(redirecting(f"{elsewhere.url}/models"))

    with client_of(service) as client, pytest.raises(ServiceError, match=f"points to {elsewhere.url}") as error:
        client.models()

    assert error.value.status == 302
    assert elsewhere.asked == []


def test_a_header_that_cannot_be_sent_is_the_caller_s_mistake(upstream: MakeUpstream) -> None:
    service = upstream(saying_json(MODELS))

    with client_of(service) as client, pytest.raises(ValueError, match=r"two.*lines"):
        client.predict({"area": 1}, request_id="two\nlines")

    assert service.asked == []


def test_a_prediction_too_few_is_refused(upstream: MakeUpstream) -> None:
    one = {**PREDICTION, "prediction": [1.5], "interval": [None], "warnings": [[]]}

    with client_of(upstream(saying_json(one))) as client, pytest.raises(ServiceError, match="1 predictions came for 2"):
        client.predict_many([{}, {}])


# Retries.


@pytest.mark.parametrize("fault", [BROKEN["closes at once"], BROKEN["resets in the middle of its body"], busy()])
@pytest.mark.parametrize("failures", [1, 2])
def test_what_fails_twice_at_most_is_answered_by_a_retry(
    upstream: MakeUpstream, fault: Behaviour, failures: int
) -> None:
    service = upstream(in_turn(*[fault] * failures, saying_json(PREDICTION)))

    with client_of(service) as client:
        assert client.predict({"area": 1}).value == 1.5

    assert len(service.asked) == failures + 1


def test_a_third_failure_is_told(upstream: MakeUpstream) -> None:
    service = upstream(busy("Retry-After: 0"))

    with client_of(service) as client, pytest.raises(Unavailable, match="more is asked for") as error:
        client.predict({"area": 1})

    assert len(service.asked) == 3
    assert (error.value.status, error.value.problem) == (503, "/problems/overloaded")
    assert (error.value.retry_after, error.value.request_id) == (0, "r-503")


def test_the_service_says_when_to_come_again(upstream: MakeUpstream) -> None:
    service = upstream(in_turn(busy("Retry-After: 1"), saying_json(MODELS)))
    began = time.monotonic()

    with client_of(service) as client:
        client.models()

    assert time.monotonic() - began >= 1


def test_nobody_waits_for_a_retry_that_would_come_too_late(upstream: MakeUpstream) -> None:
    service = upstream(busy("Retry-After: 3600"))

    with client_of(service, timeout=60) as client, pytest.raises(Unavailable) as error:
        client.models()

    assert len(service.asked) == 1
    assert error.value.retry_after == 3600


def test_a_date_to_come_again_at_is_taken_for_no_wish(upstream: MakeUpstream) -> None:
    service = upstream(busy("Retry-After: Wed, 25 Nov 2026 10:00:00 GMT"))

    with client_of(service) as client, pytest.raises(Unavailable) as error:
        client.models()

    assert error.value.retry_after is None


@pytest.mark.parametrize("status", ["422 Unprocessable Content", "404 Not Found", "500 Internal Server Error"])
def test_what_a_retry_would_not_mend_is_asked_once(upstream: MakeUpstream, status: str) -> None:
    service = upstream(saying_json({"detail": "no"}, status))

    with client_of(service) as client, pytest.raises(ServiceError, match=r"^no$") as error:
        client.predict({"area": 1})

    assert error.value.status == int(status[:3])
    assert len(service.asked) == 1


def test_the_service_s_own_deadline_is_one(upstream: MakeUpstream) -> None:
    service = upstream(saying_json({"detail": "no answer within 1 s"}, "504 Gateway Timeout"))

    with client_of(service) as client, pytest.raises(TimedOut, match="within 1 s"):
        client.models()


@pytest.mark.parametrize("errors", ["x", ["x"], [{"loc": 1}], {"a": "b"}], ids=repr)
def test_errors_of_another_service_s_shape_are_left_out(upstream: MakeUpstream, errors: object) -> None:
    service = upstream(saying_json({"errors": errors}, "422 Unprocessable Content"))

    with client_of(service) as client, pytest.raises(InvalidInput, match="answered 422") as refusal:
        client.models()

    assert refusal.value.errors == ()


# Readiness.


def test_it_waits_until_the_service_is_ready(upstream: MakeUpstream) -> None:
    service = upstream(in_turn(*[busy("Retry-After: 3600")] * 4, saying_json({"ready": True})))

    with client_of(service) as client:
        client.wait_until_ready(60)

    assert [asked.path for asked in service.asked] == ["/health/ready"] * 5


def test_it_waits_for_a_service_that_does_not_listen_yet(upstream: MakeUpstream) -> None:
    service = upstream(saying_json({"ready": True}))
    service.refuse()
    threading.Timer(0.3, service.come_back).start()

    with client_of(service) as client:
        client.wait_until_ready(60)

    assert len(service.asked) == 1


@pytest.mark.parametrize("fault", [busy(), SLOW["trickles headers"], BROKEN["closes at once"]])
def test_it_does_not_wait_longer_than_it_is_told(upstream: MakeUpstream, fault: Behaviour) -> None:
    began = time.monotonic()

    with client_of(upstream(fault), timeout=0.2) as client, pytest.raises(TimedOut, match=r"not ready after 0\.5 s"):
        client.wait_until_ready(0.5)

    assert time.monotonic() - began < 0.5 + SLACK


# TLS.


class TlsUpstream(Upstream):
    """The same over TLS, with a certificate of its own."""

    def __init__(self, behaviour: Behaviour, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        super().__init__(behaviour)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def _serve(self, plain: socket.socket) -> None:
        try:
            encrypted = self._context.wrap_socket(plain, server_side=True)
        except OSError:  # the client does not trust the certificate
            plain.close()
            return
        super()._serve(encrypted)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*command, *name, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[TlsUpstream]:
    """A service over TLS."""
    service = TlsUpstream(saying_json(PREDICTION), *certificate)
    yield service
    service.refuse()


def test_it_speaks_tls_with_whom_the_system_trusts(
    encrypted: TlsUpstream, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    with client_of(encrypted) as client:
        assert client.predict({"area": 1}).value == 1.5
        assert client.predict({"area": 2}).value == 1.5

    assert encrypted.connections == 1


def test_it_sends_nothing_to_whom_the_system_does_not_trust(
    encrypted: TlsUpstream, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What requests would trust besides.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate[0]))

    with client_of(encrypted) as client, pytest.raises(Unavailable, match="certificate verify failed"):
        client.predict({"area": 1})

    assert encrypted.asked == []


@pytest.mark.parametrize("name", ["accepts and says nothing", "trickles headers", "trickles its body"])
def test_the_deadline_holds_over_tls(
    encrypted: TlsUpstream, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    encrypted.behaviour = SLOW[name]
    began = time.monotonic()

    with client_of(encrypted, timeout=TIMEOUT) as client, pytest.raises(TimedOut):
        client.predict({"area": 1})

    assert TIMEOUT <= time.monotonic() - began < TIMEOUT + SLACK


def test_a_service_that_does_not_read_over_tls_ends_with_the_deadline(
    encrypted: TlsUpstream, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.setattr(Connection, "read", Connection.hold)
    began = time.monotonic()

    with client_of(encrypted, timeout=TIMEOUT) as client, pytest.raises(TimedOut):
        client.predict({"text": "x" * 20_000_000})

    assert time.monotonic() - began < TIMEOUT + SLACK


def test_a_handshake_that_is_not_answered_ends_with_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = Client(f"https://localhost:{deaf.getsockname()[1]}", timeout=TIMEOUT)

        with pytest.raises(TimedOut):
            client.models()


# The public face.


def test_it_comes_with_its_errors_from_servery() -> None:
    for name in ("Client", "InvalidInput", "NotFound", "ServiceError", "TimedOut", "Unavailable"):
        assert name in servery.__all__
        assert getattr(servery, name) is getattr(client_module, name)


def test_it_loads_nothing_heavy() -> None:
    code = "import sys, servery; servery.Client('http://127.0.0.1:8000'); print(*sys.modules)"
    heavy = {"numpy", "pandas", "sklearn", "pyarrow", "fastapi", "starlette", "pydantic", "flask", "onnx"}

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "model_api.client" in loaded
    assert not heavy & set(loaded)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", "", "http://me:pass@host", "http://h?x", "http://h:0"]
)
def test_what_is_no_address_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a service"):
        Client(url)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_deadline_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Client("http://127.0.0.1:8000", timeout=timeout)


def test_a_version_without_a_model_is_refused() -> None:
    with pytest.raises(ValueError, match="name the model"):
        Client("http://127.0.0.1:8000").predict({}, version=1)


def test_errors_pass_from_process_to_process() -> None:
    error = InvalidInput("age must be a number", status=422, problem="/problems/invalid-instance", request_id="r")
    error.errors = (FieldError("age", "not_a_number", "age must be a number"),)

    again = copy.copy(error)  # takes it apart and puts it together as multiprocessing does

    assert (str(again), again.status, again.problem, again.errors) == (str(error), 422, error.problem, error.errors)
