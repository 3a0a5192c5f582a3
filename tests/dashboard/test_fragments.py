"""Page or fragment of the same URL."""

import pytest
from flask import Flask, Response

from dashboard.fragments import is_fragment, push_url
from tests.dashboard.guest import Guest

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HX-Request": "false"},
        {"HX-Request": "1"},
        {"HX-Request-Type": "partial"},
        {"HX-Request": "true", "HX-Request-Type": "full"},
        PARTIAL | {"HX-History-Restore-Request": "true"},
        PARTIAL | {"HX-Boosted": "true"},
    ],
)
def test_everybody_but_a_swapping_htmx_gets_a_whole_page(headers: dict[str, str]) -> None:
    with Flask(__name__).test_request_context(headers=headers):
        assert not is_fragment()


@pytest.mark.parametrize("headers", [PARTIAL, {"HX-Request": "true"}])
def test_htmx_that_swaps_gets_a_fragment(headers: dict[str, str]) -> None:
    with Flask(__name__).test_request_context(headers=headers):
        assert is_fragment()


def test_a_page_gone_back_to_is_whole(guest: Guest) -> None:
    restored = guest.get("/models/wine", htmx=True, headers={"HX-History-Restore-Request": "true"})

    assert "<html" in restored.text


def test_a_fragment_takes_its_address_along() -> None:
    with Flask(__name__).test_request_context(headers=PARTIAL):
        assert push_url(Response(), "/models/wine?ash=2").headers["HX-Push-Url"] == "/models/wine?ash=2"


def test_a_page_keeps_the_address_that_it_has() -> None:
    with Flask(__name__).test_request_context():
        assert "HX-Push-Url" not in push_url(Response(), "/models/wine?ash=2").headers
