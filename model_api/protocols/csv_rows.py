"""text/csv → rows: with a header, as MLflow sends it, or without one, as SageMaker does."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from model_api.errors import InvalidRequest, UnreadableBody
from model_api.protocols.instances import (
    MISSING,
    Instances,
    kept_columns,
    listed,
    may_be_a_gap,
    require_columns,
    require_count,
)
from model_api.signature import Signature
from model_api.values import clip

PRESENT, ABSENT = "present", "absent"
"""Whether there is a header, when the content type tells: `text/csv; header=absent`."""


def instances_of(body: bytes, signature: Signature, max_rows: int, header: str | None = None) -> Instances:
    """Read instances from a table. Raises UnreadableBody or InvalidRequest, naming the line."""
    lines = _lines(body, max_rows)
    first = lines[0][1] if lines else []
    if header == PRESENT or (header != ABSENT and _is_header(first, signature)):
        names, lines = _named(first), lines[1:]
    else:
        names = signature.names
    kept = kept_columns(names, signature)
    require_columns(signature, kept)
    require_count(len(lines), max_rows)
    gaps = {feature.name for feature in signature.features if may_be_a_gap(feature)}
    instances: Instances = []
    for number, cells in lines:
        if len(cells) != len(names):
            raise InvalidRequest(f"line {number} has {len(cells)} cells; expected {len(names)}: {listed(names)}")
        row = dict(zip(names, cells, strict=True))
        instances.append({name: None if name in gaps and row[name] in MISSING else row[name] for name in kept})
    return instances


def _lines(body: bytes, max_rows: int) -> list[tuple[int, list[str]]]:
    """Give the lines that are not blank, each with its number. Raises UnreadableBody or InvalidRequest."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise UnreadableBody(f"the table is not UTF-8: byte {error.start}, in line {line}, is not valid") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if cells:
                lines.append((reader.line_num, cells))
            if len(lines) > max_rows + 1:
                raise InvalidRequest(f"the table has more rows than the {max_rows} of one request")
    except csv.Error as error:
        raise UnreadableBody(f"the table cannot be read at line {reader.line_num}: {error}") from error
    return lines


def _is_header(cells: Sequence[str], signature: Signature) -> bool:
    """Tell whether the first line names features; values hardly ever do."""
    return any(cell.strip() in signature.names for cell in cells)


def _named(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise InvalidRequest(f"the header names {clip(twice[0])} twice")
    return names


def written(rows: Sequence[Sequence[object]]) -> str:
    """Write rows of cells."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
