"""The one table from what went wrong to status and words; a page or a fragment, never the upstream's text."""

from typing import NamedTuple

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

from dashboard.errors import (
    BadAnswer,
    DashboardError,
    InvalidInstance,
    InvalidQuery,
    ModelServiceError,
    NotOffered,
    TooSlow,
    Unavailable,
    UnknownModel,
)
from dashboard.formatting import clipped, sentence
from dashboard.fragments import is_fragment

log = structlog.stdlib.get_logger("dashboard.errors")


class Failure(NamedTuple):
    """How an error looks to a person."""

    status: int
    title: str
    text: str
    retry: bool = False
    """Whether trying again may help."""


TABLE: dict[type[DashboardError], Failure] = {
    UnknownModel: Failure(404, "There is no such model", "It may have been renamed or withdrawn."),
    InvalidQuery: Failure(422, "This address cannot be used", ""),
    InvalidInstance: Failure(422, "The model does not take these values", "Check them and press Predict again."),
    NotOffered: Failure(501, "This version of the model cannot say that", ""),
    Unavailable: Failure(
        503, "The model service is away", "It may be starting. Nothing that you typed is lost.", retry=True
    ),
    TooSlow: Failure(
        504, "The model service did not answer in time", "It may be busy. Nothing that you typed is lost.", retry=True
    ),
    BadAnswer: Failure(
        502,
        "The model service gave an answer that makes no sense",
        "Nothing that you typed is lost. If trying again does not help, tell the operator the request id.",
        retry=True,
    ),
}
HTTP_FAILURES = {
    400: ("This request cannot be used", "Go back, reload the page and try again."),
    403: ("This came from another site", "Open the page here and try again."),
    404: ("There is nothing here", "The address may be misspelt, or what was here has moved."),
    405: ("This page cannot be used like that", "Open it with a link or its button."),
    413: ("That is too much at once", "The form sent more than a form can hold."),
}
MOST_REFUSED, LONGEST_NAME, LONGEST_REASON = 5, 60, 200
"""Refused features that a failure names, and characters of each name and reason."""
BROKEN = Failure(500, "Something broke on our side", "Tell the operator the request id below.", retry=True)


def failure_of(error: DashboardError) -> Failure:
    """Find the words for an error, and log what happened."""
    failure = TABLE[type(error)]
    level = log.warning if isinstance(error, ModelServiceError) else log.info
    level(type(error).__name__, reason=str(error), request_id=g.get("request_id"))
    if isinstance(error, InvalidInstance):
        return failure._replace(text=f"{_refused(error)} {failure.text}".strip())
    return failure._replace(text=sentence(str(error))) if isinstance(error, InvalidQuery | NotOffered) else failure


def _refused(error: InvalidInstance) -> str:
    """Name the refused features, each with what is wrong with it."""
    reasons = ((clipped(name, LONGEST_NAME), clipped(text, LONGEST_REASON)) for name, text in error.messages.items())
    told = [f"{name}: {sentence(text)}" for name, text in reasons]
    others = len(told) - MOST_REFUSED
    more = f" {others} more {'feature is' if others == 1 else 'features are'} refused." if others > 0 else ""
    return " ".join(told[:MOST_REFUSED]) + more


def install(app: Flask) -> None:
    """Make the application answer every error with a page, or a fragment where htmx asked for one."""
    app.register_error_handler(DashboardError, answer)
    app.register_error_handler(HTTPException, _http)


def answer(error: DashboardError) -> Response:
    """Give the page or the fragment for an error."""
    return _answer(failure_of(error))


def _http(error: HTTPException) -> Response:
    if isinstance(error, InternalServerError):
        return _answer(BROKEN)
    status = error.code or 500
    title, text = HTTP_FAILURES.get(status, ("This request was refused", "Go back and try again."))
    response = _answer(Failure(status, title, text))
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _answer(failure: Failure) -> Response:
    template = "error_failure.html" if is_fragment() else "error.html"
    return make_response(render_template(template, failure=failure), failure.status)
