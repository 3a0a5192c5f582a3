"""What is taken on and what is turned away."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from model_api.admission import FEW_INSIDE, THREADS, Admission, Ticket
from model_api.errors import CallerLeft, Overloaded


async def stays() -> bool:
    return False


async def leaves() -> bool:
    return True


def test_a_turn_of_the_loop_has_only_so_much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.05, 0.07, 0.2])
    monkeypatch.setattr(time, "thread_time", lambda: next(clock))

    async def turns() -> list[bool]:
        admission = Admission(most_seconds=0.25)
        found = [admission.has_time()]
        admission.spend(0.03)
        found.append(admission.has_time())
        admission.spend(0.03)
        found.append(admission.has_time())
        await asyncio.sleep(0)
        found.append(admission.has_time())
        return found

    assert asyncio.run(turns()) == [True, True, False, True]


def test_little_work_does_not_ask_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "thread_time", lambda: pytest.fail("it was asked"))

    async def turn() -> bool:
        admission = Admission()
        admission.spend(1e-5)
        admission.spend(1e-5)
        return admission.has_time()

    assert asyncio.run(turn())


def let_in(admission: Admission, seconds: float = 0.0) -> Ticket:
    ticket = admission.admit(seconds)
    assert ticket
    return ticket


@pytest.mark.parametrize(("seconds", "room"), [(0.001, 250), (0.01, 25), (0.1, FEW_INSIDE)])
def test_the_application_is_given_as_much_as_leaves_it_soon(
    monkeypatch: pytest.MonkeyPatch, seconds: float, room: int
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: seconds * next(clock))
    admission = Admission(most_seconds=0.25)
    for _ in range(2000):
        with let_in(admission):
            pass

    with ExitStack() as inside:
        entered = 0
        while admission.has_room():
            inside.enter_context(let_in(admission))
            entered += 1

    assert entered == pytest.approx(room, rel=0.05)
    assert admission.has_room()


def test_a_line_that_moves_slowly_is_longer_than_it_was_thought() -> None:
    """Work of a tenth of the time that it takes: what waits is soon known to take ten times as long."""

    async def ask() -> tuple[float, float]:
        admission = Admission(most_seconds=100)
        before = admission.wait(0.002)
        for _ in range(50):
            await admission.run(partial(time.sleep, 0.02), 0.002, stays)
        return before, admission.wait(0.002)

    before, after = asyncio.run(ask())

    assert before == pytest.approx(0.001)
    assert after > 2 * before


def test_a_line_is_never_thought_to_move_faster_than_its_threads() -> None:
    async def ask() -> float:
        admission = Admission(most_seconds=100)
        for _ in range(20):
            await admission.run(lambda: None, 1.0, stays)
        return admission.wait(1.0)

    assert asyncio.run(ask()) == pytest.approx(1 / THREADS)


def test_work_is_done_in_a_thread() -> None:
    admission = Admission()

    assert asyncio.run(admission.run(threading.get_ident, 0.01, stays)) != threading.get_ident()


def test_no_more_is_taken_on_than_can_be_done_soon() -> None:
    async def ask() -> tuple[list[Any], str]:
        admission = Admission(most_seconds=0.1)
        gate = threading.Event()
        taken = [asyncio.create_task(admission.run(gate.wait, 0.1, stays)) for _ in range(THREADS)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="try again"):
            await admission.run(gate.wait, 0.1, stays)
        gate.set()
        return await asyncio.gather(*taken), await admission.run(lambda: "afterwards", 0.1, stays)

    done, afterwards = asyncio.run(ask())

    assert done == [True] * THREADS
    assert afterwards == "afterwards"


def test_work_longer_than_the_line_is_done_when_nothing_is_ahead_of_it() -> None:
    assert asyncio.run(Admission(most_seconds=0.1).run(lambda: 7, 100, stays)) == 7


def test_work_whose_caller_has_left_is_not_done() -> None:
    done: list[int] = []

    async def ask() -> None:
        admission = Admission(most_seconds=0.1)
        with pytest.raises(CallerLeft):
            await admission.run(lambda: done.append(1), 0.1, leaves)
        await admission.run(lambda: done.append(2), 100, stays)  # nothing is ahead of it any more

    asyncio.run(ask())

    assert done == [2]


def test_work_that_fails_leaves_its_place() -> None:
    async def ask() -> int:
        admission = Admission(most_seconds=0.1)
        with pytest.raises(ZeroDivisionError):
            await admission.run(lambda: 1 // 0, 0.1, stays)
        return await admission.run(lambda: 7, 100, stays)

    assert asyncio.run(ask()) == 7


def test_an_abandoned_thread_keeps_its_place_until_it_ends() -> None:
    async def ask() -> None:
        admission = Admission(most_seconds=0.1)
        gate = threading.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await admission.run(gate.wait, 0.15, stays)
        with pytest.raises(Overloaded):
            await admission.run(gate.wait, 0.15, stays)
        gate.set()
        await asyncio.sleep(0.1)
        await admission.run(gate.wait, 0.15, stays)

    asyncio.run(ask())


def test_a_deadline_that_passes_anywhere_on_the_way_leaves_nothing_behind() -> None:
    async def ask() -> tuple[int, float]:
        admission = Admission()
        for number in range(400):
            with suppress(TimeoutError):
                async with asyncio.timeout(number * 5e-6):
                    await admission.run(partial(time.sleep, 0.0005), 0.01, stays)
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            return await admission.run(lambda: 7, 100, stays), admission.ahead

    answer, ahead = asyncio.run(ask())

    assert (answer, ahead) == (7, 0.0)


def test_a_line_that_is_empty_is_empty_to_the_last_bit() -> None:
    admission = Admission(most_seconds=0.25)
    tickets = [let_in(admission, 0.1), let_in(admission, 0.2)]
    for ticket in tickets:
        ticket.leave()

    assert admission.ahead == 0.0
    assert admission.admit(0.6)  # longer than the whole line, with nothing ahead of it


def test_a_ticket_for_less_than_the_work_takes_is_no_way_round_the_line() -> None:
    async def ask() -> None:
        admission = Admission(most_seconds=0.1)
        tickets = [let_in(admission, 0.05) for _ in range(3)]
        with pytest.raises(Overloaded):
            await admission.run(lambda: 7, 0.2, stays, tickets[0])

    asyncio.run(ask())


def test_who_is_let_in_has_a_place_in_line_until_it_leaves() -> None:
    admission = Admission(most_seconds=0.1)
    tickets = [let_in(admission, 0.05) for _ in range(4)]

    assert admission.admit(0.05) is None
    assert admission.admit(0.0)  # whose work asks for no thread waits in no line
    tickets[0].leave()
    assert admission.admit(0.05)


def test_work_takes_over_the_place_that_was_kept_for_it() -> None:
    async def ask() -> tuple[int, float]:
        admission = Admission(most_seconds=0.1)
        tickets = [let_in(admission, 0.05) for _ in range(4)]
        with pytest.raises(Overloaded):
            await admission.run(lambda: 8, 0.05, stays)
        with tickets[0] as ticket:
            answer = await admission.run(lambda: 7, 0.05, stays, ticket)
        for other in tickets[1:]:
            other.leave()
        return answer, admission.ahead

    answer, ahead = asyncio.run(ask())

    assert answer == 7
    assert ahead == 0.0


def test_a_prediction_for_which_there_is_no_time_is_turned_away_and_counted(
    serving: Callable[..., TestClient],
    published_small_models: Path,
    flat: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = serving(published_small_models)
    service: Any = client.app
    monkeypatch.setattr(service.fast_path, "has_time", lambda: False)

    answer = client.post("/predict", json={"data": flat}, headers={"X-Request-ID": "r-1"})

    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-Request-ID"]) == (503, "1", "r-1")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json() == {
        "type": "/problems/overloaded",
        "title": "Overloaded",
        "status": 503,
        "detail": "more is asked for than can be answered soon; try again",
        "request_id": "r-1",
    }
    assert 'outcome="failed",version="1"} 1.0' in client.get("/metrics").text
