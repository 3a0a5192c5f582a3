"""Both services and a real browser, started once; for each test a fresh browser context that is watched."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.api import Api
from tests.e2e.browser import FLAGS, SANDBOX, find_browser
from tests.e2e.model_page import ModelPage
from tests.e2e.services import ROOT, Services, TwoServices, left_over, run_servery
from tests.e2e.watch import Watch

MILLISECONDS = 10_000
"""How long a page may take for what is expected of it."""
FAILED = pytest.StashKey[bool]()
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]
PICTURES = ROOT / "test-results"


class OpenPage(Protocol):
    """Opens an empty page in a browser context of its own."""

    def __call__(self, *, base_url: str = ..., **options: Any) -> Page:
        """Options are those of Playwright's `new_context`."""


@pytest.fixture(scope="session")
def services(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Both services, started by `servery run` in an empty folder; at the end, that nothing is left of them."""
    services = run_servery(models_folder, tmp_path_factory.mktemp("empty"))
    children = services.command.children()
    try:
        yield services
        assert services.command.end() == 0
        assert not left_over(children)
        assert "Traceback" not in services.command.output
    finally:
        services.command.close()


@pytest.fixture(scope="session")
def started_alone(models_folder: Path) -> Iterator[TwoServices]:
    """Both services, each started alone; ask for `two_services` instead."""
    services = TwoServices(models_folder)
    try:
        yield services
    finally:
        services.close()


@pytest.fixture
def two_services(started_alone: TwoServices) -> Iterator[TwoServices]:
    """Both services, each started alone and in good health, to be taken away and brought back."""
    started_alone.heal()
    yield started_alone
    assert "Traceback" not in started_alone.dashboard.output


@pytest.fixture(scope="session")
def api(services: Services) -> Api:
    """The model service, as a program asks it."""
    return Api(services.api)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    path = find_browser()
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), chromium_sandbox=SANDBOX)
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the browser complains about; checked at the end of the test."""
    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture
def open_page(request: pytest.FixtureRequest, browser: Browser, services: Services, watch: Watch) -> Iterator[OpenPage]:
    """Opens pages in contexts of their own, all watched."""
    contexts: list[BrowserContext] = []

    def open_page(*, base_url: str = services.dashboard, **options: Any) -> Page:
        context = browser.new_context(base_url=base_url, **options)
        contexts.append(context)
        context.set_default_timeout(MILLISECONDS)
        watch.follow(context)
        return context.new_page()

    yield open_page
    for number, context in enumerate(contexts):
        for page in context.pages:
            if request.node.stash.get(FAILED, False):
                name = re.sub(r"\W+", "-", request.node.name)
                page.screenshot(path=PICTURES / f"{name}-{number}.png")
            page.evaluate("0")  # what was reported so far arrives before this answer
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page of the ordinary kind: light, 1280 pixels wide, with JavaScript."""
    return open_page()


@pytest.fixture
def model_page(page: Page) -> ModelPage:
    """The same page, with hands for the form of a model."""
    return ModelPage(page)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reporting:
    """Remember whether a test failed, so that its pages can be kept as pictures in test-results/."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
