"""Our errors in the words of other protocols: the same problem, with the keys that their clients read beside it."""

from typing import Any

from model_api.wire import shortened

MOST_MESSAGES = 20
"""Messages that one error text repeats; the problem's own list has more."""
LONGEST_TEXT = 4_000
"""Bytes of one error text."""
INFERENCE = ("/v1", "/v2")
"""First part of the paths whose clients read `error`."""
SCORING = ("/invocations", "/ping")
"""Paths whose clients read `error_code` and `message`."""
CODES = {
    404: "RESOURCE_DOES_NOT_EXIST",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""MLflow's words for statuses; every other one is a bad request."""


def in_dialect(path: str, problem: dict[str, Any]) -> dict[str, Any] | None:
    """Add to a problem what clients of the protocol at that path look for; None where it is told in our own words.

    These protocols know 400 for whatever is wrong with an input, and no 422; kserve's client reads only plain JSON.
    """
    speaks_inference = path.startswith("/") and f"/{path.split('/')[1]}" in INFERENCE
    if not speaks_inference and path not in SCORING:
        return None
    status = 400 if problem["status"] == 422 else problem["status"]
    problem = {**problem, "status": status}
    if speaks_inference:
        return {**problem, "error": text_of(problem)}
    return {**problem, "error_code": CODES.get(status, "BAD_REQUEST"), "message": text_of(problem)}


def text_of(problem: dict[str, Any]) -> str:
    """Say everything that is wrong in one text, for clients that show nothing else."""
    errors = problem.get("errors") or ()
    messages = [error["message"] for error in errors[:MOST_MESSAGES]]
    more = len(errors) - len(messages)
    parts = [problem["detail"], *messages, *([f"and {more} more"] if more else [])]
    return shortened("; ".join(parts), LONGEST_TEXT)
