"""Requests that wait for the same model are predicted together, where that was measured to help.

Only for an estimator that did not compile, which spends its time on every call rather than on every row. Nobody waits
for company: what arrives while a prediction runs is the next one. Instances are checked before; should the model fail
for one all the same, each is asked by itself, and its neighbours get their answers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from model_api.admission import Admission
from model_api.errors import CallerLeft, Overloaded
from model_api.loading import LoadedModel
from model_api.runtimes import Output
from model_api.signature import Columns

MOST_ROWS = 64
"""Rows that are predicted together."""
MOST_SECONDS = 0.25
"""Work that may wait; what comes beyond is told so at once, as in admission.py."""
HasLeft = Callable[[], Awaitable[bool]]


@dataclass
class Waiting:
    """The checked instances of one request."""

    columns: Columns
    rows: int
    has_left: HasLeft
    outcome: "asyncio.Future[Output]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """Predicts for the requests of one model; used on the event loop only."""

    def __init__(self, model: LoadedModel, admission: Admission) -> None:
        self._predict = model.predictor.predict
        self._seconds = model.predictor.seconds
        self._admission = admission
        self._waiting: list[Waiting] = []
        self._running: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether any request waits for it. Idle ones may be forgotten, and their versions with them."""
        return bool(self._waiting) or not (self._running is None or self._running.done())

    async def predict(self, columns: Columns, rows: int, has_left: HasLeft) -> Output:
        """Predict for n checked instances. Raises Overloaded, CallerLeft, or what the model raises."""
        if self._waiting and self._seconds(rows + sum(waiting.rows for waiting in self._waiting)) > MOST_SECONDS:
            raise Overloaded("more is asked for than can be answered soon; try again")
        waiting = Waiting(columns, rows, has_left)
        self._waiting.append(waiting)
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run())
        return await waiting.outcome

    async def _run(self) -> None:
        while self._waiting:
            batch = [waiting for waiting in self._next() if await _is_wanted(waiting)]
            if not batch:
                continue
            together, rows = _joined(batch), sum(waiting.rows for waiting in batch)
            try:
                work = self._admission.run(lambda: self._outputs(together, batch), self._seconds(rows), _stays)  # noqa: B023 -- awaited here
                outcomes = await work
            except Exception as error:  # noqa: BLE001 -- each is told
                outcomes = [error] * len(batch)
            for waiting, outcome in zip(batch, outcomes, strict=True):
                _tell(waiting, outcome)

    def _next(self) -> list[Waiting]:
        """Take the first that waits, and as many more as fit."""
        taken = rows = 0
        for waiting in self._waiting:
            if taken and rows + waiting.rows > MOST_ROWS:
                break
            taken, rows = taken + 1, rows + waiting.rows
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    def _outputs(self, together: Columns, batch: list[Waiting]) -> list[Output | Exception]:
        try:
            return _parts(self._predict(together), batch)
        except Exception as error:  # noqa: BLE001 -- of whom it is will show
            return [error] if len(batch) == 1 else [self._by_itself(waiting) for waiting in batch]

    def _by_itself(self, waiting: Waiting) -> Output | Exception:
        try:
            return self._predict(waiting.columns)
        except Exception as error:  # noqa: BLE001 -- it is raised where the request waits
            return error


class Batchers:
    """The batchers of the models that are asked this way."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._known: dict[str, tuple[LoadedModel, Batcher]] = {}

    def of(self, model: LoadedModel) -> Batcher:
        """Give the batcher of a version; made when it is first asked for, and anew when it was loaded anew."""
        label = f"{model.name}/{model.version}"
        known, batcher = self._known.get(label, (None, None))
        if batcher is None or known is not model:
            batcher = Batcher(model, self._admission)
            self._known = {key: known for key, known in self._known.items() if known[1].is_busy}
            self._known[label] = model, batcher
        return batcher


async def _is_wanted(waiting: Waiting) -> bool:
    if waiting.outcome.done():  # its caller waits no longer
        return False
    if await waiting.has_left():
        _tell(waiting, CallerLeft("the caller has left before it was its turn"))
        return False
    return True


async def _stays() -> bool:
    return False


def _tell(waiting: Waiting, outcome: Output | Exception) -> None:
    if waiting.outcome.done():
        return
    if isinstance(outcome, Exception):
        waiting.outcome.set_exception(outcome)
    else:
        waiting.outcome.set_result(outcome)


def _joined(batch: list[Waiting]) -> Columns:
    if len(batch) == 1:
        return batch[0].columns
    return {name: [value for waiting in batch for value in waiting.columns[name]] for name in batch[0].columns}


def _parts(output: Output, batch: list[Waiting]) -> list[Output | Exception]:
    """Cut an output into those of each request."""
    parts: list[Output | Exception] = []
    start = 0
    for waiting in batch:
        parts.append(output.of(slice(start, start + waiting.rows)))
        start += waiting.rows
    return parts
