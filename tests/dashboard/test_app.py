"""What the dashboard is made of, and what it does without."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.app import create_app
from dashboard.settings import Settings
from tests.dashboard.conftest import GuestBefore, MakeUpstream
from tests.dashboard.guest import Guest
from tests.dashboard.upstream import by_hand

ROOT = Path(__file__).parents[2]
TOO_HEAVY = ("matplotlib.pyplot", "sklearn", "pandas", "scipy", "skops", "fastapi", "model_api", "onnxruntime")
DRAW_EVERYTHING = """
import json, sys
from dashboard.charts.rendering import Key, render
from dashboard.app import create_app
from dashboard.settings import Settings
create_app(Settings()).test_client().get("/ready")
from tests.dashboard import kitchen
from dashboard.charts.standing import Standing, standing
from dashboard.charts.predicted_true import predicted_true
from dashboard.charts.confusion import confusion
numbers = kitchen.model(), kitchen.reference([1.0, 2.0, 3.0])
classes = kitchen.model(of=kitchen.target("a", "b")), kitchen.reference(["a", "b", "a"])
for chart in standing(*numbers, Standing(2.0)), predicted_true(*numbers), confusion(*classes):
    for form in "svg", "png", "csv":
        render(chart, Key("m", chart.name, form))
render(chart, Key("m", chart.name, "pdf"))
print(json.dumps(sorted(sys.modules)))
"""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules of a dashboard that has drawn every chart in every format."""
    return set(json.loads(run(DRAW_EVERYTHING)))


@pytest.mark.parametrize("module", TOO_HEAVY)
def test_the_dashboard_does_without(loaded: set[str], module: str) -> None:
    assert "dashboard.charts.rendering" in loaded
    assert module not in loaded


def test_it_starts_while_the_model_service_is_away() -> None:
    guest = Guest(create_app(Settings(model_api_url="http://127.0.0.1:1")))

    assert guest.get("/ready").get_json() == {"ready": True}


def test_nothing_is_asked_before_a_page_is_opened(guest_before: GuestBefore, upstream: MakeUpstream) -> None:
    service = upstream(by_hand({}))

    guest_before(service).get("/ready")

    assert service.connections == 0


def test_there_is_no_debugger_and_no_folder_that_flask_serves_by_itself() -> None:
    app = create_app(Settings())

    assert not app.debug
    assert app.static_folder is None
    assert not [rule for rule in app.url_map.iter_rules() if rule.endpoint == "static"]


def test_every_template_escapes_what_it_shows() -> None:
    app = create_app(Settings())

    assert all(app.jinja_env.autoescape(name) for name in app.jinja_env.list_templates())  # type: ignore[operator]


def test_flask_and_an_asgi_server_find_the_dashboard() -> None:
    code = "import dashboard, dashboard.main as main; print(dashboard.create_app().name, main.app.app.wsgi_app)"

    assert run(code).startswith("dashboard.app <function within_deadline")
