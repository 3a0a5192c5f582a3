"""Errors in the words of other protocols."""

from typing import Any

import pytest

from model_api.protocols.dialects import LONGEST_TEXT, in_dialect, text_of


def problem(status: int = 422, errors: int = 2, length: int = 1) -> dict[str, Any]:
    messages = [{"message": f"feature {number} is bad" * length} for number in range(errors)]
    return {"status": status, "detail": "all is wrong", "errors": messages, "request_id": "7"}


@pytest.mark.parametrize("path", ["/predict", "/v2x", "/models/v2", "", "/v3/models", "/health/ready"])
def test_our_own_errors_stay_as_they_are(path: str) -> None:
    assert in_dialect(path, problem()) is None


@pytest.mark.parametrize("path", ["/v1/models/m:predict", "/v2", "/v2/models/m/infer"])
def test_inference_protocols_read_error(path: str) -> None:
    told = in_dialect(path, problem())

    assert told
    assert told["status"] == 400
    assert told["error"] == "all is wrong; feature 0 is bad; feature 1 is bad"
    assert told["errors"] == problem()["errors"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(422, "BAD_REQUEST"), (413, "BAD_REQUEST"), (503, "TEMPORARILY_UNAVAILABLE"), (500, "INTERNAL_ERROR")],
)
def test_mlflow_reads_a_code_and_a_message(status: int, code: str) -> None:
    told = in_dialect("/invocations", problem(status))

    assert told
    assert (told["error_code"], told["message"][:12]) == (code, "all is wrong")


def test_a_text_is_never_long() -> None:
    assert text_of(problem(errors=30)).endswith("feature 19 is bad; and 10 more")
    assert LONGEST_TEXT - 10 < len(text_of(problem(errors=20, length=50)).encode()) <= LONGEST_TEXT
