"""The dashboard under test, in this process, before the real model service or before one that misbehaves."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from flask import Flask
from jinja2 import BytecodeCache, FileSystemBytecodeCache

import model_api.app
import model_api.settings
from dashboard.app import create_app
from dashboard.records import ModelVersion
from dashboard.settings import Settings
from tests.dashboard import kitchen
from tests.dashboard.guest import Guest
from tests.dashboard.upstream import Behaviour, Upstream, by_hand

PATIENCE = 60
"""Seconds that the model service may take to load its models."""
TIMEOUT = 0.4
"""Seconds that a model service which misbehaves is given."""
SLACK = 0.8
"""Seconds that an answer may take beyond: 0.5 is what is promised, the rest is for a busy machine."""

MakeUpstream = Callable[[Behaviour], Upstream]
GuestBefore = Callable[..., Guest]
AskApi = Callable[..., dict[str, Any]]
Serving = Callable[..., Guest]


@pytest.fixture(scope="session")
def model_service(models_folder: Path) -> Iterator[str]:
    """The address of a real model service with the four embedded models."""
    app = model_api.app.create_app(model_api.settings.Settings(models=str(models_folder)))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        _wait_until_ready(url)
        yield url
        server.should_exit = True
        thread.join(10)


def _wait_until_ready(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionError, AssertionError):
            ask(url, "GET", "/health/ready")
            return
        time.sleep(0.02)
    pytest.fail(f"the model service was not ready after {PATIENCE} s")


def ask(url: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Ask a model service without the dashboard."""
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        assert response.status == 200, answer
        return answer


@pytest.fixture(scope="session")
def ask_api(model_service: str) -> AskApi:
    """Ask the real model service: `ask_api("POST", "/predict", {"data": {…}})`."""
    return partial(ask, model_service)


@pytest.fixture(scope="session")
def app(model_service: str) -> Flask:
    """The dashboard before the real model service."""
    return create_app(Settings(model_api_url=model_service, timeout=20))


@pytest.fixture
def guest(app: Flask) -> Guest:
    """A guest of `app`, with fresh cookies; any answer of 500 fails the test."""
    return Guest(app)


@pytest.fixture
def upstream() -> Iterator[MakeUpstream]:
    """Start a model service that behaves as told: `upstream(saying_json({}))`."""
    with contextlib.ExitStack() as stack:

        def start(behaviour: Behaviour) -> Upstream:
            started = Upstream(behaviour)
            stack.callback(started.refuse)
            return started

        yield start


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """Keeps compiled templates from one dashboard to the next: compiling takes longer than most tests."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def guest_before(compiled_templates: BytecodeCache) -> GuestBefore:
    """Open a dashboard of one's own before some model service, with little patience: `guest_before(upstream)`."""

    def start(service: Upstream | str, **settings: Any) -> Guest:
        url = service if isinstance(service, str) else service.url
        app = create_app(Settings(**{"model_api_url": url, "timeout": TIMEOUT, **settings}))
        app.jinja_env.bytecode_cache = compiled_templates
        return Guest(app)

    return start


@pytest.fixture
def serving(upstream: MakeUpstream, guest_before: GuestBefore) -> Serving:
    """Open a dashboard before a service with one model made by hand: `serving(model, predicted=…, rows=…)`."""

    def start(model: ModelVersion, **known: Any) -> Guest:
        return guest_before(upstream(by_hand(kitchen.answers(model, **known))), timeout=10)

    return start
