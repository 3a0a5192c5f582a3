"""What is read of every request with a body, whatever it holds: its bytes, and how long its caller waits."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from model_api.errors import BodyTooLarge, DeadlinePassed, InvalidRequest, UnreadableBody, UnsupportedMediaType

SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?", re.ASCII)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body, counting its bytes while they come. Raises BodyTooLarge, UnreadableBody, UnsupportedMediaType."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise UnsupportedMediaType(f"the content encoding {encoding[:64]!a} is not taken; send the body as it is")
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


@asynccontextmanager
async def in_time(seconds: float | None) -> AsyncIterator[None]:
    """Do what is within, for as long as the caller is willing to wait. Raises DeadlinePassed."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise DeadlinePassed(f"there was no answer within the {seconds} s of X-Request-Timeout") from error


def require_json(request: Request) -> None:
    """Take JSON, and no Content-Type as JSON: tritonclient and vetiver send none. Raises UnsupportedMediaType."""
    header = request.headers.get("content-type", "")
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        wanted = "send application/json, or a table as CSV, Parquet or Arrow"
        raise UnsupportedMediaType(f"{media_type[:64]!a} is not taken; {wanted}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"the charset {value[:64]!a} is not taken; send UTF-8")
