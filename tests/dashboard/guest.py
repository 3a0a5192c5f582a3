"""A guest of the dashboard: opens pages, fills in forms, with or without htmx."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.dashboard.page import Page

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
"""What htmx sends when it is going to swap the answer into a page."""
Typed = Mapping[str, str | Sequence[str]]


class Guest:
    """One browser with its own cookies. An answer of 500 fails the test, unless it is told to `expect_failure`."""

    def __init__(self, app: Flask, *, expect_failure: bool = False) -> None:
        self.client: FlaskClient = app.test_client()
        self._expect_failure = expect_failure

    def ask(self, method: str, address: str, **options: Any) -> TestResponse:
        response = self.client.open(address, method=method, **options)
        assert self._expect_failure or response.status_code != 500, f"{method} {address} failed inside the dashboard"
        return response

    def get(self, address: str, *, htmx: bool = False, headers: Mapping[str, str] | None = None) -> TestResponse:
        return self.ask("GET", address, headers={**(HTMX if htmx else {}), **(headers or {})})

    def page(self, address: str, *, htmx: bool = False) -> Page:
        """Open an address that must be there."""
        response = self.get(address, htmx=htmx)
        assert response.status_code == 200, f"{address} has status {response.status_code}"
        return Page(response.text)

    def token(self, address: str = "/models/diabetes") -> str:
        """Get a token as a form holds it."""
        return self.page(address).named("csrf_token").get("value", "")

    def post(
        self, address: str, typed: Typed, *, htmx: bool = False, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """Send typed values, and nothing else but them."""
        return self.ask("POST", address, data=typed, headers={**(HTMX if htmx else {}), **(headers or {})})

    def submit(self, address: str, changes: Typed | None = None, *, htmx: bool = False) -> TestResponse:
        """Open a form, change some of its values, and press Predict."""
        return self.fill_in(self.page(address), changes, htmx=htmx)

    def fill_in(self, page: Page, changes: Typed | None = None, *, htmx: bool = False) -> TestResponse:
        """Change some values of an open form, and press Predict; an empty list takes a value away."""
        form = page.by_id("case")
        typed: dict[str, list[str]] = {}
        for name, value in page.fields():
            typed.setdefault(name, []).append(value)
        for name, change in (changes or {}).items():
            typed[name] = [change] if isinstance(change, str) else list(change)
        if not htmx:
            return self.post(form.get("action", ""), typed)
        target = form.get("hx-target", "")  # htmx sends it with the name of its element
        headers = {"HX-Target": page.by_id(target[1:]).tag + target}
        return self.post(form.get("hx-post", ""), typed, htmx=True, headers=headers)
