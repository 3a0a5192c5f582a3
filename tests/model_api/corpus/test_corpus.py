"""The corpus of bad input: exact statuses, messages that name the fault, and a service that is well afterwards.

The letters are its families: T transport, J JSON text, F schema, N numbers, C categories, V Open Inference Protocol.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.model_api.corpus import categories, json_text, numbers, open_inference, schema, transport
from tests.model_api.corpus.case import Case, Cases
from tests.model_api.corpus.server import Reply, Server

FAMILIES = {"T": 24, "J": 32, "F": 26, "N": 20, "C": 24, "V": 37}
"""How many numbers each has."""
CASES: Cases = {
    **transport.CASES, **json_text.CASES, **schema.CASES, **numbers.CASES, **categories.CASES, **open_inference.CASES,
}  # fmt: skip
LARGEST_REFUSAL = 16 * 1024
LONGEST_ECHO = 64
LAST_SECONDS = 12
"""Within which a request that does not come to its end is given up."""
REQUEST_ID = re.compile(r"[!-~]{1,128}")
JOINER = "\u200d"
"""Between parts of an emoji that is a level: the only thing in a message that cannot be seen by itself."""


def test_no_number_is_missing() -> None:
    tested = {name.split()[0] for name in [*CASES, *transport.SLOW, *schema.NOT_APPLICABLE]}

    assert tested == {f"{family}{number + 1}" for family, count in FAMILIES.items() for number in range(count)}


@pytest.mark.parametrize("name", CASES)
def test_an_odd_request_is_answered_as_the_corpus_says(server: Server, name: str) -> None:
    case = CASES[name]
    rows = server.rows()

    answers, closed = server.ask(case.request, len(case.before) + 1, to_the_end=case.closes, leaves=case.leaves)

    assert closed == case.closes
    assert [answer.status for answer in answers] == [*case.before, *([case.status] if case.status else [])], answers
    if case.status:
        check(answers[-1], case)
    require_well(server)
    assert (server.rows() > rows) == (200 in (*case.before, case.status)), "a request that is refused predicts nothing"
    if case.status == 200:
        require_right(server, case, answers[-1])


@pytest.fixture(scope="module")
def given_up(server: Server) -> Iterator[dict[str, tuple[list[Reply], float]]]:
    """What became of requests that do not come to their end, all of them at the same time."""

    def ask(slow: transport.Slow) -> tuple[list[Reply], float]:
        replies, seconds = server.trickle(slow.pieces, slow.pause, LAST_SECONDS + 10)
        assert replies.closed
        return replies.answers, seconds

    with ThreadPoolExecutor(len(transport.SLOW)) as threads:
        yield dict(zip(transport.SLOW, threads.map(ask, transport.SLOW.values()), strict=True))


@pytest.mark.parametrize("name", transport.SLOW)
def test_a_request_that_does_not_end_is_given_up(
    server: Server, given_up: dict[str, tuple[list[Reply], float]], name: str
) -> None:
    answers, seconds = given_up[name]

    assert seconds < LAST_SECONDS + 5  # of a busy machine
    assert {answer.status for answer in answers} <= {200, 408}
    require_well(server)


def test_every_line_of_the_log_is_one_entry_and_none_tells_of_a_failure(server: Server) -> None:
    lines = server.command.output.splitlines()
    entries = [json.loads(line.partition("|")[2]) for line in lines if line.startswith("model api | ")]

    assert len(entries) > len(CASES)
    assert {entry.get("status", 0) for entry in entries if entry.get("status", 0) >= 500} <= {501}
    assert {entry["level"] for entry in entries} <= {"info", "warning"}


def require_well(server: Server) -> None:
    assert [server.get(path)[0] for path in ("/health/live", "/health/ready")] == [200, 200]


def require_right(server: Server, case: Case, answer: Reply) -> None:
    """Compare a prediction with that by the slow road, for the same in other words, and by scikit-learn itself."""
    found = parsed(answer)
    with_deadline = case.request.replace(b"\r\n\r\n", b"\r\nX-Request-Timeout: 30\r\n\r\n", 1)
    for request in (with_deadline, *([case.like] if case.like else [])):
        (other,) = server.ask(request).answers
        assert {**found, "request_id": ""} == {**parsed(other), "request_id": ""}
    if case.value:
        assert found["prediction"] == pytest.approx(case.value(), rel=1e-12)


def check(answer: Reply, case: Case) -> None:
    """Check an answer by itself."""
    if "Invalid HTTP request" in case.words:
        assert answer.body == b"Invalid HTTP request received."
        return
    document = parsed(answer)
    assert REQUEST_ID.fullmatch(answer.headers["X-Request-ID"])
    if case.status == 200:
        check_prediction(answer, document, case)
    else:
        check_refusal(answer, document, case)


def check_prediction(answer: Reply, document: dict[str, Any], case: Case) -> None:
    assert answer.headers["Content-Type"] == "application/json"
    for word in case.words:
        assert word in answer.body.decode()
    for warning in document.get("warnings", ()):
        require_printable(warning["message"])


def check_refusal(answer: Reply, problem: dict[str, Any], case: Case) -> None:
    spoken = problem.get("error") or problem.get("message")
    assert answer.headers["Content-Type"] == ("application/json" if spoken else "application/problem+json")
    assert len(answer.body) <= LARGEST_REFUSAL
    assert problem["status"] == case.status
    assert ("Allow" in answer.headers) == (case.status == 405)
    errors = problem.get("errors", [])
    for error in errors:
        require_printable(error["message"])
        assert len(error["value"] or "") <= LONGEST_ECHO
    said = spoken or " ".join([problem["detail"], *(f"{error['message']} ({error['expected']})" for error in errors)])
    for word in case.words:
        assert word in said, problem
    if case.errors:
        assert tuple((error["row"], error["feature"], error["code"]) for error in errors) == case.errors


def require_printable(message: str) -> None:
    assert message.replace(JOINER, "").isprintable()
    assert len(message) < 500


def parsed(answer: Reply) -> dict[str, Any]:
    """Read JSON, in which nothing is NaN."""
    document: dict[str, Any] = json.loads(answer.body, parse_constant=pytest.fail)
    return document
