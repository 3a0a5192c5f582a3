"""Media types, JSON objects and answers: what is the same in every protocol."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from model_api import json_body, wire
from model_api.errors import InvalidRequest, UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
"""What curl says of `-d` unless told otherwise, as in the documentation of TensorFlow Serving; the body is JSON."""
UTF_8 = ("utf-8", "utf8")


def media_type(request: Request, taken: Collection[str], own: Collection[str] = ()) -> tuple[str, Mapping[str, str]]:
    """Give type and parameters of the body; without a header it is JSON. Raises UnsupportedMediaType.

    `own`: parameters that the protocol knows besides the charset, which must be UTF-8.
    """
    kind, *parts = (part.strip() for part in request.headers.get("content-type", "").lower().split(";"))
    kind = kind or JSON
    if kind not in taken and not (JSON in taken and kind.endswith("+json")):
        raise UnsupportedMediaType(f"{kind[:64]!a} is not taken; send {' or '.join(taken)}")
    parameters = {name.strip(): value.strip(' "') for name, _, value in (part.partition("=") for part in parts if part)}
    for name, value in parameters.items():
        if name not in ("charset", *own):
            raise UnsupportedMediaType(f"the parameter {name[:64]!a} of the content type is not taken")
        if name == "charset" and value not in UTF_8:
            raise UnsupportedMediaType(f"the charset {value[:64]!a} is not taken; send UTF-8")
    return kind, parameters


def parse_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object in which NaN means missing. Raises UnreadableBody or InvalidRequest."""
    value = json_body.parse(body, constants=True)
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    return value


def reply(document: object, status: int = 200) -> Response:
    """Answer with JSON, in which nothing is NaN: what is missing is null."""
    return Response(wire.encode(document), status, media_type=JSON)
