"""What is read of every request with a body, whatever it holds: its bytes, and how long its caller waits."""

import re

from fastapi import Request
from starlette.requests import ClientDisconnect

from model_api.errors import BodyTooLarge, InvalidRequest, UnreadableBody, UnsupportedMediaType

SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?", re.ASCII)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body, counting its bytes while they come. Raises BodyTooLarge, UnreadableBody, UnsupportedMediaType."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("a content encoding is not taken; send the body as it is")
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and (len(declared) > 20 or int(declared) > limit):
        raise BodyTooLarge(f"the body is longer than {limit} bytes")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise BodyTooLarge(f"the body is longer than {limit} bytes")
    except ClientDisconnect as error:  # nobody reads this answer, but the log does
        raise UnreadableBody("the body ended before it was complete") from error
    return bytes(body)


def timeout_of(request: Request) -> float | None:
    """Read the seconds that the caller is willing to wait. Raises InvalidRequest."""
    text = request.headers.get("x-request-timeout")
    if text is None:
        return None
    if not SECONDS.fullmatch(text) or float(text) <= 0:
        raise InvalidRequest(f"X-Request-Timeout must be a number of seconds above 0, not {text[:64]!a}")
    return float(text)
