"""What schemathesis cannot draw from the document: tables. It runs in its own environment and loads this module.

Whatever is drawn for the body of a table is taken as the seed of a table of valid rows, whose columns are as the
operation's JSON Schema says. What is wrong with a request is then elsewhere in it, which schemathesis knows.
"""

import csv
import io
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import schemathesis
from hypothesis import strategies as st

Json = dict[str, Any]
JSON, CSV = "application/json", "text/csv"
PARQUET, X_PARQUET = "application/vnd.apache.parquet", "application/x-parquet"
STREAM, FILE = "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"
MOST_ROWS = 5
NUMBERS = (0.0, -0.0, 5e-324, 1.5, -273.15, 1e15, -1e200)
TEXTS = ("a", 'Zürich, "old"\ntown', "=1+1", "'", "null", "𝕊", " ", "\t")
DATES = ("1678-01-01", "1970-01-01", "2024-02-29", "2261-12-31")
TIMES = ("", "T00:00", "T23:59:59.999999", " 12:30:01")
CLOCKS = ("T00:00:00", "T23:59:59.999999")
OF_TWO_ENDS = ("the option ranges", "the option at_most must not be below")
"""How sentences begin about two ends of which one has to be above the other, or about texts that have to be known."""
OFFSETS = ("Z", "+02:00", "-11:30")


def map_case(_: Any, case: Any) -> Any:
    """Let options in the address go with a table where they are wrong: JSON has its own."""
    parts = case.meta.components.items() if case.meta else ()
    wrong = {place.value for place, part in parts if part.mode.is_negative}
    if case.media_type == JSON and wrong == {"query"}:
        case.media_type, case.body = CSV, repr(case.body)
    return case


def write_table(context: Any, drawn: Any) -> bytes:
    """Make the table that is sent of what was drawn for it; the example, and what is no text, are sent as they are."""
    operation, media_type = context.case.operation, context.case.media_type
    if not isinstance(drawn, str | bytes) or drawn == _content(operation)[media_type].get("example"):
        return str(drawn).encode()
    return WRITERS[media_type](draw_columns(_instance(operation), random.Random(repr(drawn))))


def filter_failure(_: Any, failure: Any, case: Any, response: Any) -> bool:
    """Let pass what no schema can say: that a prediction is not finite, or that a range has its lower end last."""
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 422:
        return True
    problem = response.json()
    is_said = not any(words in problem["detail"] for words in OF_TWO_ENDS)
    return problem["type"] != "/problems/unusable-prediction" and is_said


def as_many_rows_come_back(_: Any, response: Any, case: Any) -> None:
    """Read a table that is answered: it has a row for each row that was sent."""
    if response.status_code == 200 and case.media_type in READERS:
        sent, answered = response.request.body, response.headers["content-type"][0].partition(";")[0]
        assert READERS[answered](response.content) == READERS[case.media_type](sent), "another number of rows came back"


def draw_columns(instance: Json, dice: random.Random) -> Json:
    """Draw the columns of a table: one kind of value in each, and gaps where they are allowed."""
    rows = dice.randint(1, MOST_ROWS)
    return {name: _column(schema, rows, dice) for name, schema in instance["properties"].items()}


def _column(schema: Json, rows: int, dice: random.Random) -> list[Any]:
    options = schema.get("anyOf", [schema])
    kinds = [(kind, option) for option in options for kind in _listed(option["type"])]
    gaps = 0.3 if any(kind == "null" for kind, _ in kinds) else 0.0
    kind, option = dice.choice([found for found in kinds if found[0] != "null"])
    return [None if dice.random() < gaps else _value(kind, option, dice) for _ in range(rows)]


def _value(kind: str, schema: Json, dice: random.Random) -> Any:
    if "enum" in schema:
        return dice.choice([level for level in schema["enum"] if level not in (None, "")])
    if kind == "number":
        return dice.choice([*NUMBERS, dice.uniform(-1e6, 1e6)])
    if kind == "integer":
        return dice.choice([schema["minimum"], schema["maximum"], dice.randint(schema["minimum"], schema["maximum"])])
    if kind == "boolean":
        return dice.random() < 0.5
    return _text(schema, dice)


def _text(schema: Json, dice: random.Random) -> str:
    kinds, form = _listed(schema["type"]), schema.get("format", "")
    if form == "double":
        return f"{dice.uniform(-1e6, 1e6):.3f}"
    if "boolean" in kinds:
        return dice.choice(["true", "False", "1"])
    if "integer" in kinds:
        return str(dice.randint(-(10**6), 10**6))
    if form.startswith("date"):
        times = TIMES if form != "date" else ("",)
        return dice.choice(DATES) + dice.choice(times)
    return dice.choice(TEXTS)


def _listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _content(operation: Any) -> Json:
    content: Json = operation.definition.raw["requestBody"]["content"]
    return content


def _instance(operation: Any) -> Json:
    """Find the schema of an instance of the model that an operation asks."""
    schemas = operation.schema.raw_schema["components"]["schemas"]
    request = schemas[_name(_content(operation)[JSON]["schema"]["anyOf"][0])]
    instance: Json = schemas[_name(request["properties"]["data"]["oneOf"][0])]
    return instance


def _name(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _csv(columns: Json) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _parquet(columns: Json) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _arrow(open_writer: Callable[..., Any]) -> Callable[[Json], bytes]:
    def write(columns: Json) -> bytes:
        sink, table = io.BytesIO(), pa.table(columns)
        with open_writer(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue()

    return write


WRITERS: dict[str, Callable[[Json], bytes]] = {
    CSV: _csv,
    PARQUET: _parquet,
    X_PARQUET: _parquet,
    STREAM: _arrow(pa.ipc.new_stream),
    FILE: _arrow(pa.ipc.new_file),
}
READERS: dict[str, Callable[[bytes], int]] = {
    CSV: lambda content: len(list(csv.reader(io.StringIO(content.decode(), newline="")))) - 1,
    PARQUET: lambda content: pq.read_table(io.BytesIO(content)).num_rows,
    X_PARQUET: lambda content: pq.read_table(io.BytesIO(content)).num_rows,
    STREAM: lambda content: pa.ipc.open_stream(content).read_all().num_rows,
    FILE: lambda content: pa.ipc.open_file(content).read_all().num_rows,
}


schemathesis.hook(map_case)
schemathesis.hook(filter_failure)
schemathesis.check(as_many_rows_come_back)
for binary in (PARQUET, X_PARQUET, STREAM, FILE):
    schemathesis.openapi.media_type(binary, st.binary(max_size=8))
schemathesis.serializer(*WRITERS)(write_table)
# Moments without an offset are no format of JSON Schema; those beyond the years that pandas knows are not drawn either.
schemathesis.openapi.format("date", st.sampled_from(DATES))
schemathesis.openapi.format("date-time", st.builds("{}{}{}".format, *map(st.sampled_from, (DATES, CLOCKS, OFFSETS))))
schemathesis.openapi.format("date-time-local", st.builds("{}{}".format, *map(st.sampled_from, (DATES, TIMES))))
