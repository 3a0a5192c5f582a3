"""An application that sends each prediction down both roads, and does not let them differ."""

import asyncio
import re
from collections import deque
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_api.app import ModelService
from model_api.fast_path import FastPathMiddleware

Answer = tuple[int, dict[bytes, bytes], bytes]


class BothRoads:
    """Answers as the service does; whatever is posted to …/predict is also asked of the ordinary routes."""

    def __init__(self, service: ModelService) -> None:
        self._service = service
        self.compared = self.fast = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith("/predict"):
            await self._service(scope, receive, send)
            return
        names = [name for name, _ in scope["headers"]]
        if b"x-request-id" not in names:  # or each road would make one of its own
            scope["headers"] = [*scope["headers"], (b"x-request-id", b"the-same-for-both")]
        messages = await _everything(receive)
        found, handed_over = await self._by(self._service.fast_path, scope, messages)
        expected = await _asked(super(ModelService, self._service).__call__, scope, messages)
        assert _timeless(found) == _timeless(expected), f"{found} is not {expected}"
        self.compared += 1
        self.fast += not handed_over
        status, headers, body = found
        await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": body})

    async def _by(self, fast_path: Any, scope: Scope, messages: list[Message]) -> tuple[Answer, bool]:
        handed_over = False

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal handed_over
            handed_over = True
            await super(ModelService, self._service).__call__(scope, receive, send)

        return await _asked(FastPathMiddleware(application, fast_path), scope, messages), handed_over


def _timeless(answer: Answer) -> Answer:
    """Leave out how long it took, which is told in the same words by both."""
    status, headers, body = answer
    timing = re.sub(rb"[0-9]+\.[0-9]{3}", b"", headers.get(b"server-timing", b"none"))
    return status, {**headers, b"server-timing": timing}, body


async def _everything(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


async def _asked(app: ASGIApp, scope: Scope, messages: list[Message]) -> Answer:
    waiting = deque(messages)
    sent: list[Message] = []

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()  # the caller stays until it is answered
        return waiting.popleft()

    async def send(message: Message) -> None:
        sent.append(message)

    await app({**scope, "state": dict(scope.get("state", {}))}, receive, send)
    headers = {name.lower(): value for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])
