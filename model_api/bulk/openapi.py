"""What the OpenAPI document says of tables: the media types in which they come and go, and their options."""

import csv
import io
from typing import Any

from model_api.bulk.media import TYPES, WRITTEN

Json = dict[str, Any]
BINARY: Json = {"type": "string", "format": "binary"}
PARAMETERS: list[Json] = [
    {
        "name": "coverage",
        "in": "query",
        "description": "Coverage of the intervals, where a table is sent; JSON has its own `options`.",
        "schema": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    },
    {
        "name": "on_error",
        "in": "query",
        "description": "Whether a bad row of a table refuses it or is reported; JSON has its own `options`.",
        "schema": {"type": "string", "enum": ["reject", "report"]},
    },
]
"""Options of a table, without defaults: a form that is filled in from the document would send them along with JSON."""


def requests(row: Json) -> Json:
    """Describe the tables that are taken, by media type; `row` is an instance for the example."""
    tables = [media_type for media_type, form in TYPES.items() if form != "json"]
    return {media_type: _table(media_type, [row]) for media_type in tables}


def answers() -> Json:
    """Describe the tables that are given, by media type."""
    written = [content_type.partition(";")[0] for form, content_type in WRITTEN.items() if form != "json"]
    return {media_type: _table(media_type, []) for media_type in written}


def _table(media_type: str, rows: list[Json]) -> Json:
    if media_type != "text/csv":
        return {"schema": BINARY}
    example = {"example": _csv(rows)} if rows else {}
    return {"schema": {"type": "string"}, **example}


def _csv(rows: list[Json]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0])
    writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
    return text.getvalue()
