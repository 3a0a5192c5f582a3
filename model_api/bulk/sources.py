"""Where rows come from: pieces of a few thousand, so that memory stays bounded and work can end between two of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from model_api.bulk.arrow import FAILURES, pa, reason
from model_api.bulk.plain import problem_of_type
from model_api.errors import InvalidRequest, Problem, UnreadableBody
from model_api.signature import MAX_UNKNOWN_FEATURES, Signature
from model_api.values import clip, nearest

PIECE_ROWS = 8192
"""Rows of a piece: enough that the work on whole columns pays, few enough that memory does not matter."""
Position = dict[str, int]
"""Where a piece begins, so that reading can go on from there another day."""


class Piece(NamedTuple):
    """Some rows, in the order in which they were sent."""

    rows: int
    """How many, those that are broken included."""
    columns: dict[str, Any] | None
    """Columns by name, as Arrow has them, without the broken rows; None when there are instances."""
    instances: Sequence[object]
    """Instances as JSON has them, without the broken rows."""
    broken: list[Problem]
    """What is wrong with rows that are no records at all; rows are counted from the first one of the piece."""
    after: Position
    """Where the next piece begins."""
    done: float
    """Which part of everything has been read, from 0 to 1."""


class Source(Protocol):
    """A table, or a list of instances, that is read once."""

    def pieces(self, rows: int, start: Position | None = None) -> Iterator[Piece]:
        """Read pieces of so many rows, the last one of fewer. Raises UnreadableBody or BodyTooLarge."""
        ...


@dataclass(frozen=True)
class Bounds:
    """How much a caller may send."""

    rows: int
    """Most rows."""
    inflated: int
    """Most bytes that what was sent may unpack to."""
    together: int = 2**28
    """Most bytes that have to be unpacked at a time."""


class Limited:
    """A source of which no more rows are read than a caller may send."""

    def __init__(self, source: Source, bounds: Bounds) -> None:
        self._source = source
        self._most = bounds.rows

    def pieces(self, rows: int, start: Position | None = None) -> Iterator[Piece]:
        """Read pieces. Raises InvalidRequest when there are too many rows, or none."""
        count = 0
        for piece in self._source.pieces(rows, start):
            count += piece.rows
            if count > self._most:
                raise InvalidRequest(f"the rows are more than the {self._most} of one request")
            yield piece
        if not count:
            raise InvalidRequest("there must be at least 1 instance; the table has no rows")


@dataclass(frozen=True)
class Instances:
    """A source of instances that are there already."""

    instances: Sequence[object]

    def pieces(self, rows: int, start: Position | None = None) -> Iterator[Piece]:
        """Cut the list into pieces."""
        total = len(self.instances)
        for begin in range(start["row"] if start else 0, total, rows):
            some = self.instances[begin : begin + rows]
            end = begin + len(some)
            yield Piece(len(some), None, some, [], {"row": end}, end / total)


class Slice(NamedTuple):
    """Some rows of one batch."""

    batch: Any
    after: Position
    """Where the next rows begin."""
    done: float


@dataclass
class Batches:
    """Cuts record batches that are long, and puts together those that are short."""

    names: Sequence[str]
    """The columns."""
    read: Callable[[Position], Iterator[tuple[Any, Position, float]]]
    """Gives batches from a position on, each with the position of the batch itself and the part that is done."""

    def pieces(self, rows: int, start: Position | None = None) -> Iterator[Piece]:
        """Read pieces; `row` in a position counts within its batch."""
        waiting: list[Slice] = []
        for found in self._slices(rows, start or {}):
            if waiting and sum(before.batch.num_rows for before in waiting) + found.batch.num_rows > rows:
                yield self._piece(waiting)
                waiting = []
            waiting.append(found)
        if waiting:
            yield self._piece(waiting)

    def _slices(self, rows: int, start: Position) -> Iterator[Slice]:
        begin = start.get("row", 0)
        for batch, place, done in self.read(start):
            try:
                batch.validate(full=True)  # bytes of strangers: no offset or index may lead outside
            except FAILURES as error:
                raise UnreadableBody(f"the table cannot be read: {reason(error)}") from error
            for at in range(begin, batch.num_rows, rows):
                some = batch.slice(at, rows)
                yield Slice(some, {**place, "row": at + some.num_rows}, done)
            begin = 0

    def _piece(self, found: list[Slice]) -> Piece:
        last = found[-1]
        columns: list[Any] = last.batch.columns
        if len(found) > 1:
            table = pa.Table.from_batches([part.batch for part in found]).unify_dictionaries()
            columns = [column.combine_chunks() for column in table.columns]
        rows = sum(part.batch.num_rows for part in found)
        return Piece(rows, dict(zip(self.names, columns, strict=True)), (), [], last.after, last.done)


def require_columns(signature: Signature, names: Sequence[str], *, hint: str = "") -> None:
    """See that the columns are the features. Raises InvalidRequest, one problem a column."""
    known, features = signature.names, set(signature.names)
    problems = [
        Problem(clip(name), "duplicate_column", f"the column {clip(name)} is there {count} times")
        for name, count in Counter(names).items()
        if count > 1
    ]
    unknown = [name for name in Counter(names) if name not in features]
    for name in unknown[:MAX_UNKNOWN_FEATURES]:
        near = nearest(name, known)
        words = f"{clip(name) or 'a column without a name'} is not a feature of this model"
        message = words + (f"; did you mean {near}?" if near else "")
        problems.append(Problem(clip(name), "unknown_feature", message, near))
    if len(unknown) > MAX_UNKNOWN_FEATURES:
        message = f"{len(unknown) - MAX_UNKNOWN_FEATURES} more columns are not of this model"
        problems.append(Problem(None, "unknown_feature", message))
    for feature in signature.features:
        if feature.name not in names and not feature.missing_allowed:
            message = f"{feature.name} is missing; give {feature.expected}"
            problems.append(Problem(feature.name, "missing", message, feature.expected))
    if problems:
        count = "1 column is" if len(problems) == 1 else f"{len(problems)} columns are"
        raise InvalidRequest(f"{count} not as the model needs them: {problems[0].message}{hint}", problems)


def require_types(schema: Any) -> None:
    """See that every column can hold values. Raises InvalidRequest or UnreadableBody."""
    try:
        columns = list(zip(schema.names, schema.types, strict=True))
    except FAILURES as error:
        raise UnreadableBody(f"the table cannot be read: {reason(error)}") from error
    found = [problem_of_type(name, kind) for name, kind in columns]
    if problems := [problem for problem in found if problem]:
        raise InvalidRequest(problems[0].message, problems)
