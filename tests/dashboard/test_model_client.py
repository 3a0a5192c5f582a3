"""The only module that speaks to the model service: what it asks, what it keeps, and what it makes of any answer."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dashboard import model_client
from dashboard.errors import (
    BadAnswer,
    DashboardError,
    InvalidInstance,
    InvalidQuery,
    ModelServiceError,
    NotOffered,
    TooSlow,
    Unavailable,
    UnknownModel,
)
from dashboard.explanations import Explanation
from dashboard.model_client import ModelClient
from dashboard.records import Interval, Prediction, ReferencePredictions
from tests.dashboard import kitchen
from tests.dashboard.conftest import SLACK, MakeUpstream
from tests.dashboard.panels.service import datasheet
from tests.dashboard.upstream import (
    BROKEN,
    LEAK,
    MAD,
    SLOW,
    Asked,
    Behaviour,
    Connection,
    Upstream,
    by_hand,
    message,
    redirecting,
    saying,
    saying_json,
)

TIMEOUT = 0.2
"""Seconds for a service that misbehaves."""
RENT = kitchen.model()
ROWS = kitchen.reference([700.0, 800.0, 900.0])
KITCHEN = kitchen.answers(RENT, predicted=kitchen.prediction(700.0), rows=ROWS)


def client_of(service: Upstream, *, timeout: float = 10, max_bytes: int = 2**20) -> ModelClient:
    return ModelClient(service.url, timeout=timeout, max_bytes=max_bytes)


def refusing(*refusals: dict[str, str | None], detail: str = "it is not valid") -> Behaviour:
    """Refuse every input, for these reasons."""
    return saying_json({"detail": detail, "errors": refusals}, "422 Unprocessable Content")


def test_it_asks_for_one_prediction_with_one_request(upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))

    answer = client_of(service).predict(RENT, {"area": 70.5}, "r-42")

    (asked,) = service.asked
    assert answer == kitchen.prediction(700.0)
    assert (asked.method, asked.target) == ("POST", "/models/rent/versions/1/predict")
    assert json.loads(asked.body) == {"data": {"area": 70.5}}
    assert asked.headers["x-request-id"] == "r-42"
    assert asked.headers["content-type"] == "application/json"


def test_it_takes_nothing_that_could_inflate_in_memory(upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))

    client_of(service).catalogue()

    assert service.asked[0].headers["accept-encoding"] == "identity"


def test_no_proxy_of_the_environment_gets_what_people_type(
    upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, proxy = upstream(by_hand(KITCHEN)), upstream(saying_json({}))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)

    client_of(service).predict(RENT, {"area": 70.5}, "r")

    assert proxy.connections == 0


def test_names_cannot_leave_their_place_in_the_address(upstream: MakeUpstream) -> None:
    service = upstream(by_hand({}))

    with pytest.raises(UnknownModel):
        client_of(service).version("a/../b?c#d%2f", "1 2")

    assert service.asked[0].target == "/models/a%2F..%2Fb%3Fc%23d%252f/versions/1%202"


def test_a_catalogue_is_believed_for_a_short_time(upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    service = upstream(by_hand(KITCHEN))
    client = client_of(service)
    client.catalogue()
    client.catalogue()
    asked_at_once = len(service.asked)
    monkeypatch.setattr(model_client, "CATALOGUE_SECONDS", 0)
    client.catalogue()

    assert asked_at_once == 1
    assert len(service.asked) == 2


def test_a_version_is_asked_for_once_because_it_never_changes(upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))
    client = client_of(service)

    assert client.version("rent", "1") == client.version("rent", "1") == RENT
    assert len(service.asked) == 1


def test_an_alias_is_asked_for_each_time_because_it_moves(upstream: MakeUpstream) -> None:
    second = kitchen.model(version="2")
    service = upstream(by_hand({"/models/rent/versions/champion": RENT.model_dump()}))
    client = client_of(service)
    before = client.version("rent", "champion")
    service.behaviour = by_hand({"/models/rent/versions/champion": second.model_dump()})

    assert [before.version, client.version("rent", "champion").version] == ["1", "2"]


def test_the_champion_is_the_version_that_the_catalogue_names(upstream: MakeUpstream) -> None:
    client = client_of(upstream(by_hand(KITCHEN)))

    assert client.champion("rent") == RENT
    with pytest.raises(UnknownModel, match="nope"):
        client.champion("nope")


def test_a_model_without_a_champion_cannot_be_opened(upstream: MakeUpstream) -> None:
    empty = {"models": [{"name": "rent", "champion": None}], "default": "rent"}

    with pytest.raises(UnknownModel, match="rent"):
        client_of(upstream(by_hand({"/models": empty}))).champion("rent")


def test_a_model_of_which_nothing_is_understood_is_a_bad_answer_and_the_others_are_opened(
    upstream: MakeUpstream,
) -> None:
    said: Any = KITCHEN["/models"]
    catalogue = {**said, "models": [*said["models"], {"name": "spam", "champion": 3}]}
    client = client_of(upstream(by_hand({**KITCHEN, "/models": catalogue})))

    with pytest.raises(BadAnswer, match="what is said of spam"):
        client.champion("spam")
    assert client.champion("rent") == RENT


def test_what_was_seen_last_is_known_without_asking(upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))
    client = client_of(service)
    nothing_yet = client.last_known("rent")
    client.champion("rent")
    service.refuse()

    assert nothing_yet is None
    assert client.last_known("rent") == RENT
    assert client.last_known("nope") is None


def test_one_page_of_reference_rows_is_asked_for_as_such(upstream: MakeUpstream) -> None:
    page = kitchen.reference([800.0])
    service = upstream(by_hand({**KITCHEN, "GET /models/rent/versions/1/predict": page.model_dump()}))

    assert client_of(service).reference(RENT, 2, 20) == page
    assert service.asked[0].target == "/models/rent/versions/1/predict?limit=20&offset=2"


def test_all_reference_rows_are_asked_for_once(upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))
    client = client_of(service)

    assert client.all_reference(RENT) is client.all_reference(RENT)
    assert [asked.target for asked in service.asked] == ["/models/rent/versions/1/predict?limit=3&offset=0"]


def test_visitors_who_come_together_wait_for_one_answer(upstream: MakeUpstream) -> None:
    ask_on = threading.Event()

    def answer(asked: Asked, connection: Connection) -> None:
        ask_on.wait(5)
        by_hand(KITCHEN)(asked, connection)

    service = upstream(answer)
    client = client_of(service)
    with ThreadPoolExecutor(4) as visitors:
        waiting = [visitors.submit(client.all_reference, RENT) for _ in range(4)]
        ask_on.set()

    assert [visit.result(0) for visit in waiting] == [ROWS] * 4
    assert len(service.asked) == 1


def test_visitors_who_come_together_do_not_wait_one_after_the_other(upstream: MakeUpstream) -> None:
    client = client_of(upstream(SLOW["accepts and says nothing"]), timeout=TIMEOUT)
    began = time.monotonic()
    with ThreadPoolExecutor(6) as visitors:
        waiting = [visitors.submit(client.all_reference, RENT) for _ in range(6)]

    assert all(isinstance(visit.exception(0), TooSlow) for visit in waiting)
    assert time.monotonic() - began < TIMEOUT + SLACK


def test_reference_rows_that_could_not_be_had_are_asked_for_again(upstream: MakeUpstream) -> None:
    service = upstream(BROKEN["closes at once"])
    client = client_of(service)
    with pytest.raises(Unavailable):
        client.all_reference(RENT)
    service.behaviour = by_hand(KITCHEN)

    assert client.all_reference(RENT) == ROWS


@pytest.mark.parametrize(
    ("fault", "method"),
    [
        *((fault, "GET") for fault in SLOW.values()),
        *((SLOW[name], "POST") for name in ("trickles headers", "trickles chunks")),
    ],
)
def test_a_slow_service_is_left_at_the_deadline(upstream: MakeUpstream, fault: Behaviour, method: str) -> None:
    began = time.monotonic()

    with pytest.raises(TooSlow):
        ask(client_of(upstream(fault), timeout=TIMEOUT), method)

    assert time.monotonic() - began < TIMEOUT + SLACK


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_broken_connection_means_that_the_service_is_away(
    upstream: MakeUpstream, fault: Behaviour, method: str
) -> None:
    with pytest.raises(Unavailable):
        ask(client_of(upstream(fault)), method)


@pytest.mark.parametrize("fault", MAD.values(), ids=MAD)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_makes_no_sense_is_not_believed(upstream: MakeUpstream, fault: Behaviour, method: str) -> None:
    with pytest.raises(BadAnswer) as refusal:
        ask(client_of(upstream(fault)), method)

    assert LEAK not in str(refusal.value)


def ask(client: ModelClient, method: str) -> object:
    return client.catalogue() if method == "GET" else client.predict(RENT, {"area": 70.5}, "r")


def test_nobody_who_listens_means_that_the_service_is_away(upstream: MakeUpstream) -> None:
    service = upstream(saying_json({}))
    service.refuse()

    with pytest.raises(Unavailable):
        client_of(service).catalogue()


def test_a_service_that_passed_its_own_deadline_was_too_slow(upstream: MakeUpstream) -> None:
    with pytest.raises(TooSlow):
        client_of(upstream(saying(message(b"", "504 Gateway Timeout")))).catalogue()


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "//other.example/models", "/models"]
)
def test_a_redirect_is_never_followed(upstream: MakeUpstream, address: str) -> None:
    service = upstream(redirecting(address))

    with pytest.raises(BadAnswer, match="302"):
        client_of(service).catalogue()

    assert len(service.asked) == 1


def test_another_port_never_sees_a_redirected_request(upstream: MakeUpstream) -> None:
    other = upstream(by_hand(KITCHEN))

    with pytest.raises(BadAnswer):
        client_of(upstream(redirecting(f"{other.url}/models"))).catalogue()

    assert other.connections == 0


def test_an_answer_may_be_as_long_as_the_setting_says(upstream: MakeUpstream) -> None:
    answer = json.dumps(KITCHEN["/models"]).encode()
    service = upstream(saying(message(answer)))

    assert client_of(service, max_bytes=len(answer)).catalogue()
    with pytest.raises(BadAnswer, match=f"longer than {len(answer) - 1} bytes"):
        client_of(service, max_bytes=len(answer) - 1).catalogue()


def test_a_closed_connection_is_opened_again(upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))
    client = client_of(service)
    client.predict(RENT, {"area": 70.5}, "r1")
    service.refuse()
    service.come_back()

    assert client.predict(RENT, {"area": 70.5}, "r2")


def test_a_connection_is_kept_from_one_question_to_the_next(upstream: MakeUpstream) -> None:
    service = upstream(by_hand(KITCHEN))
    client = client_of(service)

    client.catalogue()
    client.predict(RENT, {"area": 70.5}, "r1")

    assert service.connections == 1


def test_a_prediction_is_never_asked_for_twice(upstream: MakeUpstream) -> None:
    service = upstream(BROKEN["closes at once"])

    with pytest.raises(Unavailable):
        client_of(service).predict(RENT, {"area": 70.5}, "r")

    assert len(service.asked) == 1


def test_a_long_pause_that_the_service_asks_for_is_not_waited_for(upstream: MakeUpstream) -> None:
    began = time.monotonic()

    with pytest.raises(Unavailable):
        client_of(upstream(BROKEN["is overloaded"])).catalogue()

    assert time.monotonic() - began < SLACK


def test_a_refusal_names_each_feature_and_its_reason(upstream: MakeUpstream) -> None:
    service = upstream(
        refusing({"feature": "area", "message": "area is too large"}, {"feature": None, "message": "1 more"})
    )

    with pytest.raises(InvalidInstance) as refusal:
        client_of(service).predict(RENT, {"area": 1e300}, "r")

    assert refusal.value.messages == {"area": "area is too large"}


def test_a_refusal_that_names_no_feature_says_its_detail(upstream: MakeUpstream) -> None:
    with pytest.raises(InvalidQuery, match="limit must be less"):
        client_of(upstream(refusing(detail="limit must be less"))).reference(RENT, 0, 3)


def test_what_a_version_cannot_answer_is_said_in_the_service_s_own_words(upstream: MakeUpstream) -> None:
    service = upstream(saying_json({"detail": "mistakes were not counted"}, "501 Not Implemented"))
    asked = model_client.Asked("decisions", {"area": 70.5}, {})

    with pytest.raises(NotOffered, match="mistakes were not counted"):
        client_of(service).explain(Explanation, RENT, asked, "r")


@pytest.mark.parametrize("status", ["422 Unprocessable Content", "501 Not Implemented"])
def test_an_objection_without_a_reason_is_a_bad_answer(upstream: MakeUpstream, status: str) -> None:
    service = upstream(saying(message(LEAK.encode(), status, "text/plain")))

    with pytest.raises(BadAnswer, match="without saying why"):
        client_of(service).explain(Explanation, RENT, model_client.Asked("decisions", {}, {}), "r")


@pytest.mark.parametrize(
    "answer",
    [
        kitchen.prediction("high", {"high": 0.6, "low": 0.4}),
        kitchen.prediction(700.0, {"700.0": 1.0}),
        kitchen.prediction(10**400),
        kitchen.prediction(True),
        kitchen.prediction({"a": 700.0}),
        kitchen.prediction(700.0, interval=Interval(coverage=0.9, classes=("high",))),
    ],
)
def test_a_prediction_that_the_model_cannot_make_is_not_believed(upstream: MakeUpstream, answer: Prediction) -> None:
    service = upstream(by_hand(kitchen.answers(RENT, predicted=answer)))

    with pytest.raises(BadAnswer, match="not one that this model can make"):
        client_of(service).predict(RENT, {"area": 70.5}, "r")


@pytest.mark.parametrize(
    "rows",
    [
        kitchen.reference([]),
        kitchen.reference([700.0, 800.0]),
        kitchen.reference([700.0] * 4),
        kitchen.reference([700.0] * 3, row={"rooms": 3}),
        kitchen.reference([700.0] * 3, ["high", "low", "low"]),
        kitchen.reference(["high", "low", "low"], probabilities=[{"high": 1.0, "low": 0.0}] * 3),
    ],
)
def test_reference_rows_of_another_model_are_not_believed(upstream: MakeUpstream, rows: ReferencePredictions) -> None:
    service = upstream(by_hand(kitchen.answers(RENT, rows=rows)))

    with pytest.raises(BadAnswer, match="not ones of this model"):
        client_of(service).all_reference(RENT)


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        *((kind, ModelServiceError) for kind in (Unavailable, TooSlow, BadAnswer)),
        *((kind, DashboardError) for kind in (UnknownModel, InvalidInstance, InvalidQuery, NotOffered)),
    ],
)
def test_only_what_may_pass_is_a_fault_of_the_service(kind: type[Exception], family: type[Exception]) -> None:
    assert issubclass(kind, family)
    assert issubclass(kind, ModelServiceError) is (family is ModelServiceError)


@pytest.mark.parametrize("question", [ModelClient.catalogue, lambda client: client.version("rent", "1")])
def test_it_recovers_when_the_service_is_back(
    upstream: MakeUpstream, question: Callable[[ModelClient], object]
) -> None:
    service = upstream(by_hand(KITCHEN))
    client = client_of(service)
    service.refuse()
    with pytest.raises(Unavailable):
        question(client)
    service.come_back()

    assert question(client)


def explaining(approximation: dict[str, str] | None = None) -> Behaviour:
    """Answer every question with an explanation of nothing."""
    return saying_json({"approximation": approximation, "milliseconds": 1.0})


def ask_about(client: ModelClient, area: float) -> Explanation:
    """Ask something about a flat."""
    return client.explain(Explanation, RENT, model_client.Asked("trust", {"area": area}, {}), "r")


def test_a_busy_service_is_asked_for_an_explanation_again(
    upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_client, "PAUSE_SECONDS", 0.01)
    service = upstream(BROKEN["is overloaded"])
    client = client_of(service)

    with pytest.raises(Unavailable):
        ask_about(client, 50.0)
    assert len(service.asked) == 3

    def busy_once(asked: Asked, connection: Connection) -> None:
        service.behaviour = explaining()
        BROKEN["is overloaded"](asked, connection)

    service.behaviour = busy_once
    assert ask_about(client, 50.0).approximation is None
    assert len(service.asked) == 5


def test_there_is_no_second_question_without_time_for_it(upstream: MakeUpstream) -> None:
    service = upstream(BROKEN["is overloaded"])

    with pytest.raises(Unavailable):
        ask_about(client_of(service, timeout=1.5), 50.0)

    assert len(service.asked) == 1


@pytest.mark.parametrize(("approximation", "questions"), [(None, 1), ({"why": "there was little time"}, 2)])
def test_an_approximation_is_kept_for_a_moment_and_an_exact_answer_for_good(
    upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch, approximation: dict[str, str] | None, questions: int
) -> None:
    service = upstream(explaining(approximation))
    client = client_of(service)

    assert ask_about(client, 50.0) == ask_about(client, 50.0)
    assert len(service.asked) == 1
    now = time.monotonic()
    monkeypatch.setattr("dashboard.model_client.time.monotonic", lambda: now + model_client.MOMENT_SECONDS + 1)
    ask_about(client, 50.0)
    assert len(service.asked) == questions


def test_the_answer_that_nobody_asked_for_longest_makes_room(
    upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_client, "MOST_EXPLANATIONS", 2)
    service = upstream(explaining())
    client = client_of(service)

    for area in (1.0, 2.0, 1.0, 3.0, 1.0):
        ask_about(client, area)

    assert [json.loads(asked.body)["data"]["area"] for asked in service.asked] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("seconds", "questions"), [(60.0, 1), (-1.0, 2)])
def test_a_datasheet_is_believed_for_a_while(
    upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch, seconds: float, questions: int
) -> None:
    monkeypatch.setattr(model_client, "ABOUT_SECONDS", seconds)
    service = upstream(saying_json({**RENT.model_dump(), **datasheet(None)}))
    client = client_of(service)

    assert client.about(RENT) == client.about(RENT)
    assert len(service.asked) == questions
