"""The one table from what went wrong to its HTTP status, and the one shape of errors (RFC 9457)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match, Mount

from model_api.errors import (
    BodyTooLarge,
    CallerLeft,
    DeadlinePassed,
    InvalidInstances,
    InvalidRequest,
    NotReady,
    Overloaded,
    Problem,
    ServeryError,
    UnknownExplanation,
    UnknownModel,
    UnknownVersion,
    UnreadableBody,
    Unsupported,
    UnsupportedMediaType,
    UnusablePrediction,
)
from model_api.protocols.dialects import in_dialect
from model_api.wire import MAX_PROBLEMS, encode, shortened


class Kind(NamedTuple):
    """How one class of error looks from outside."""

    status: int
    slug: str


TABLE: dict[type[ServeryError], Kind] = {
    UnreadableBody: Kind(400, "unreadable-body"),
    UnknownModel: Kind(404, "unknown-model"),
    UnknownVersion: Kind(404, "unknown-version"),
    UnknownExplanation: Kind(404, "unknown-explanation"),
    BodyTooLarge: Kind(413, "body-too-large"),
    UnsupportedMediaType: Kind(415, "unsupported-media-type"),
    InvalidRequest: Kind(422, "invalid-request"),
    InvalidInstances: Kind(422, "invalid-instance"),
    UnusablePrediction: Kind(422, "unusable-prediction"),
    Unsupported: Kind(501, "unsupported"),
    NotReady: Kind(503, "not-ready"),
    CallerLeft: Kind(499, "caller-left"),
    Overloaded: Kind(503, "overloaded"),
    DeadlinePassed: Kind(504, "deadline-passed"),
}
TITLES = {
    "internal-error": "The service failed",
    "invalid-instance": "The input is not valid",
    "method-not-allowed": "This address does not take that method",
    "not-found": "There is nothing at this address",
}
MOST_BYTES, LONGEST_DETAIL = 8_500, 3_000
"""Bytes of problems, and of the sentence before them: no error is longer than 16 KB, in whatever words it is told."""
RETRY_AFTER = {"Retry-After": "1"}
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
STATIC_METHODS = ("GET", "HEAD")
"""What is taken below a mount: only files are mounted."""


def problem_response(
    status: int,
    slug: str,
    detail: str,
    request_id: str,
    *,
    problems: Sequence[Problem] | None = None,
    headers: dict[str, str] | None = None,
    path: str = "",
) -> JSONResponse:
    """Give an error in the one shape; of `problems` the first `MAX_PROBLEMS` at most.

    Below the `path` of another protocol it also says what that protocol's clients read.
    """
    body: dict[str, Any] = {
        "type": f"/problems/{slug}",
        "title": TITLES.get(slug, slug.replace("-", " ").capitalize()),
        "status": status,
        "detail": shortened(detail, LONGEST_DETAIL),
    }
    if problems is not None:
        body["errors"] = _listed(problems)
    body["request_id"] = request_id
    if spoken := in_dialect(path, body):
        return JSONResponse(spoken, spoken["status"], headers)
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def _listed(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    left = MOST_BYTES
    for problem in problems[:MAX_PROBLEMS]:
        told = problem.to_dict()
        left -= len(encode(told)) + 1
        if left < 0:
            break
        listed.append(told)
    return listed


def install(app: FastAPI) -> None:
    """Make the application answer every error in the one shape."""
    app.add_exception_handler(ServeryError, _servery_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _servery_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServeryError)
    status, slug = TABLE[type(error)]
    problems = error.problems if isinstance(error, InvalidInstances | InvalidRequest) else None
    return problem_response(
        status,
        slug,
        str(error),
        request.state.request_id,
        problems=problems,
        headers=RETRY_AFTER if status == 503 else None,
        path=request.scope["path"],
    )


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer what Starlette itself refuses: an unknown path or a method that a path does not take."""
    assert isinstance(error, HTTPException)
    slug, detail = {
        404: ("not-found", "see /docs for what there is"),
        405: ("method-not-allowed", f"{request.method} is not taken here"),
    }.get(error.status_code, ("refused", error.detail))
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else None
    path = request.scope["path"]
    return problem_response(error.status_code, slug, detail, request.state.request_id, headers=headers, path=path)


def _allowed(request: Request) -> str:
    """Name the methods of all routes with this path; Starlette itself names those of the first one only."""
    root = request.scope.get("app_root_path", request.scope.get("root_path", ""))  # a mount changes the latter
    scope = {"type": "http", "path": request.scope["path"], "root_path": root}

    def taken(method: str) -> bool:
        matching = (r for r in request.app.routes if r.matches({**scope, "method": method})[0] == Match.FULL)
        return any(not isinstance(route, Mount) or method in STATIC_METHODS for route in matching)

    return ", ".join(method for method in METHODS if taken(method))
