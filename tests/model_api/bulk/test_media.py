"""Which bodies are tables, and in which form their answers come."""

import pytest

from model_api.bulk.media import Form, sent_form, wanted_form
from model_api.errors import UnsupportedMediaType


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("text/csv", "csv"),
        ("Text/CSV; charset=UTF-8", "csv"),
        ('text/csv; charset="utf-8"; header=present', "csv"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/x-parquet", "parquet"),
        ("application/vnd.apache.arrow.stream", "arrow-stream"),
        ("application/vnd.apache.arrow.file", "arrow-file"),
        ("application/json", None),
        ("", None),
        ("text/plain", None),
        ("multipart/form-data; boundary=x", None),
    ],
)
def test_tables_are_known_by_their_type(content_type: str, form: Form | None) -> None:
    assert sent_form(content_type) == form


@pytest.mark.parametrize("content_type", ["text/csv; charset=latin-1", "text/csv; header=absent"])
def test_other_tables_are_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        sent_form(content_type)


@pytest.mark.parametrize(
    ("accept", "sent", "form"),
    [
        ("", "csv", "csv"),
        ("*/*", "csv", "csv"),
        ("*/*", "parquet", "parquet"),
        ("application/*", "parquet", "parquet"),
        ("application/*", "csv", "parquet"),
        ("text/*", "parquet", "csv"),
        ("application/json", "csv", "json"),
        ("text/csv", "json", "csv"),
        ("application/vnd.apache.arrow.stream", "csv", "arrow-stream"),
        ("application/json;q=0.5, text/csv", "parquet", "csv"),
        ("text/csv;q=0.1, application/x-parquet;q=0.2", "csv", "parquet"),
        ("text/csv;q=0, */*;q=0.1", "csv", "parquet"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json", "json"),
        ("application/xml", "csv", None),
        ("text/csv;q=much", "csv", None),
        ("," * 500, "csv", None),
    ],
)
def test_the_answer_comes_as_it_is_wanted(accept: str, sent: Form, form: Form | None) -> None:
    assert wanted_form(accept, sent) == form
