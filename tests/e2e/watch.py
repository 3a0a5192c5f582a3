"""Watches what the browser complains about. Every test fails on a complaint that it did not announce."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
NO_ANSWER = re.compile(r"Failed to load resource: net::ERR_|htmx: htmx:error: .*Failed to fetch")
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.reportViolation?.(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Watch:
    """What went wrong in the browser during one test, and what the test announced."""

    def __init__(self) -> None:
        self._complaints: list[str] = []
        self._expected: set[int] = set()
        self._seen: set[int] = set()
        self._away_expected = self._away_seen = False
        self._replaced_expected = self._replaced_seen = False

    def expect_status(self, *statuses: int) -> None:
        """Announce error statuses: each must occur, and no other may."""
        self._expected |= set(statuses)

    def expect_no_answer(self) -> None:
        """Announce that a request gets no answer at all."""
        self._away_expected = True

    def expect_replaced(self) -> None:
        """Announce that a request is given up for a newer one."""
        self._replaced_expected = True

    def follow(self, context: BrowserContext) -> None:
        """Watch every page of a browser context, from before its first script on."""
        context.expose_function("reportViolation", lambda text: self._complain("policy violation", text))
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self._complain("error in a script", str(error.error)))
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    def check(self) -> None:
        """Fail on what was not announced, and on what was announced and did not come."""
        assert not self._complaints, "\n".join(self._complaints)
        assert self._seen == self._expected, f"announced {self._expected}, came {self._seen}"
        assert self._away_seen == self._away_expected, "a request was to get no answer, and all got one"
        assert self._replaced_seen == self._replaced_expected, "a request was to be replaced, and none was"

    def _complain(self, what: str, text: str) -> None:
        self._complaints.append(f"{what}: {text}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        refused = REFUSED.match(message.text)
        if refused and int(refused[1]) in self._expected:
            return
        if self._away_expected and NO_ANSWER.match(message.text):
            return
        self._complain(f"console {message.type}", f"{message.text} {message.location}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self._complain("request to another host", request.url)

    def _response(self, response: Response) -> None:
        if response.status < 400:
            return
        self._seen.add(response.status)
        if response.status not in self._expected:
            self._complain(f"status {response.status}", response.url)

    def _failed(self, request: Request) -> None:
        # A download ends the navigation that began it; a chart or the icon may be on its way when its page is left.
        if request.failure == "net::ERR_ABORTED" and request.resource_type in ("document", "image", "other"):
            return
        if request.failure == "net::ERR_ABORTED" and self._replaced_expected:
            self._replaced_seen = True
            return
        # What is loaded after an answer may be on its way too when the page is left.
        if request.failure == "net::ERR_ABORTED" and "/panels/" in request.url:
            return
        self._away_seen = True
        if not self._away_expected:
            self._complain("failed request", f"{request.url} {request.failure}")
