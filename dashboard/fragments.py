"""Page or fragment of the same URL, as htmx asks for it."""

from flask import Response, request

VARY = ("HX-Request", "HX-Request-Type", "HX-History-Restore-Request", "HX-Boosted", "HX-Target")


def is_fragment() -> bool:
    """Tell whether htmx will swap the answer into a page; everybody else gets a whole page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Request-Type") != "full"
        and not headers.get("HX-History-Restore-Request")
        and not headers.get("HX-Boosted")
    )


def push_url(response: Response, url: str) -> Response:
    """Make `url` the address of what is shown, so that it can be reloaded, shared and gone back to.

    Only where a fragment is shown: a page has its address, and a page that Back asks for must not become a new entry.
    """
    if is_fragment():
        response.headers["HX-Push-Url"] = url
    return response
