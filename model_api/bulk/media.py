"""Media types: which bodies are tables, and in which form the answer is wanted."""

from typing import Literal

from model_api.errors import UnsupportedMediaType

Form = Literal["json", "csv", "parquet", "arrow-stream", "arrow-file"]
TYPES: dict[str, Form] = {
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow-stream",
    "application/vnd.apache.arrow.file": "arrow-file",
    "application/json": "json",
}
WRITTEN: dict[Form, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "arrow-stream": "application/vnd.apache.arrow.stream",
    "arrow-file": "application/vnd.apache.arrow.file",
    "json": "application/json",
}
"""Form → Content-Type of an answer."""
MOST_RANGES = 32
"""Media ranges of an Accept header that are looked at."""


def sent_form(content_type: str) -> Form | None:
    """Tell in which tabular form a body comes; None when it is something else. Raises UnsupportedMediaType."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    form = TYPES.get(media_type)
    if form in (None, "json"):
        return None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"the charset {value[:64]!a} is not taken; send UTF-8")
        if name == "header" and value.strip('"') != "present":
            raise UnsupportedMediaType("a table without a header is not taken; name the columns in its first line")
    return form


def wanted_form(accept: str, sent: Form) -> Form | None:
    """Choose the form of the answer: of those that are accepted most, the first; a wildcard means what was sent.

    None when nothing that can be written is accepted.
    """
    if not accept.strip():
        return sent
    ranges = [_weighted(part) for part in accept.lower().split(",")[:MOST_RANGES]]
    refused = {TYPES[media_range] for media_range, weight in ranges if not weight and media_range in TYPES}
    best, chosen = 0.0, None
    for media_range, weight in ranges:
        forms = [form for form in _matching(media_range, sent) if form not in refused]
        if forms and weight > best:
            best, chosen = weight, forms[0]
    return chosen


def _weighted(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip() for piece in part.split(";"))
    weight = next((value for name, _, value in (p.partition("=") for p in parameters) if name.strip() == "q"), "1")
    try:
        return media_range, min(1.0, max(0.0, float(weight)))
    except ValueError:
        return media_range, 0.0


def _matching(media_range: str, sent: Form) -> list[Form]:
    """Give the forms that a media range means, the one that was sent first."""
    if media_range in TYPES:
        return [TYPES[media_range]]
    if not media_range.endswith("/*"):
        return []
    kind = media_range.removesuffix("*")
    found = [form for form, written in WRITTEN.items() if kind == "*/" or written.startswith(kind)]
    return sorted(found, key=lambda form: form != sent)
