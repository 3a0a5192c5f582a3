"""What every answer gets: a request id, security headers, compression, and one log line."""

import gzip
import re
import time
import uuid
from collections.abc import Iterable

import structlog
from flask import Flask, Response, abort, g, request

from dashboard.fragments import VARY

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Lets a chart be drawn ahead in the colours and the size that the browser is going to ask for.
    "Accept-CH": "Sec-CH-Prefers-Color-Scheme, Sec-CH-Viewport-Width",
}
"""Sent unless the view says otherwise."""
REQUEST_ID = re.compile(r"[!-~]{1,128}", re.ASCII)
COMPRESSED = ("text/html", "image/svg+xml", "text/csv")
WORTH_COMPRESSING = 500
PORT = re.compile(r":[0-9]{1,5}$", re.ASCII)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

log = structlog.stdlib.get_logger("dashboard.access")


def install(app: Flask, allowed_hosts: Iterable[str]) -> None:
    """Wrap every request of the application."""
    hosts = {host.lower() for host in allowed_hosts}

    def refuse_unknown_hosts() -> Response | None:
        """Refuse a name that is not ours: another site may have made it point here (DNS rebinding)."""
        if PORT.sub("", request.host.lower()) in hosts:
            return None
        # No page: addresses cannot be made under every host name.
        return Response("The dashboard is not opened under this host name.\n", 400, mimetype="text/plain")

    app.before_request(_begin)
    app.before_request(refuse_unknown_hosts)
    app.before_request(_refuse_other_sites)
    app.after_request(_headers)
    app.after_request(_compress)
    app.after_request(_log)


def _begin() -> None:
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _refuse_other_sites() -> None:
    """Refuse what another site makes a browser send; the token in the form is the second lock."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin")
        allowed = origin is None or origin == request.host_url.rstrip("/")
    if not allowed:
        abort(403)


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = g.get("request_id", "")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.update(VARY)
    return response


def _compress(response: Response) -> Response:
    """Compress text. The token in a page is of no use to who can measure its length: see docs/decisions.md."""
    if response.mimetype not in COMPRESSED or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    data = response.get_data()
    if request.accept_encodings["gzip"] and len(data) >= WORTH_COMPRESSING and not response.content_encoding:
        response.set_data(gzip.compress(data, 6, mtime=0))
        response.content_encoding = "gzip"
    return response


def _log(response: Response) -> Response:
    if request.endpoint not in ("static_files.file", "health.ready"):
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - g.began) * 1000, 2) if "began" in g else None,
            request_id=g.get("request_id"),
        )
    return response
