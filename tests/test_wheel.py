"""What ships works: the wheel, unpacked, serves pages with their styles from an empty folder."""

import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (archive,) = (folder / "dist").glob("servery-*.whl")
    zipfile.ZipFile(archive).extractall(folder / "site")
    return folder / "site"


def test_templates_and_static_files_ship_inside_the_dashboard(wheel: Path) -> None:
    for name in ("templates", "static"):
        source = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*") if path.is_file()}
        shipped = wheel / "dashboard" / name

        assert source
        assert source == {path.relative_to(shipped) for path in shipped.rglob("*") if path.is_file()}


def test_swagger_ui_and_the_licences_ship(wheel: Path) -> None:
    assert (wheel / "model_api/static/vendor/swagger-ui/swagger-ui-bundle.js").is_file()
    assert (wheel / "model_api/static/vendor/swagger-ui/LICENSE").is_file()
    assert len(list(wheel.glob("servery-*.dist-info/licenses/**/LICENSE"))) == 3


def test_it_serves_styled_pages_from_an_empty_folder(
    wheel: Path, models_folder: Path, tmp_path: Path, unused_ports: tuple[int, int]
) -> None:
    api_port, dashboard_port = unused_ports
    command = [
        "run",
        "--api-port",
        str(api_port),
        "--dashboard-port",
        str(dashboard_port),
        "--models",
        str(models_folder),
    ]
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    with subprocess.Popen(
        [sys.executable, "-m", "servery", *command], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            assert any("press Ctrl-C" in line for line in process.stdout)
            page = requests.get(f"http://127.0.0.1:{dashboard_port}/models/wine", timeout=10)
            style = re.search(r'href="(/static/\w+/styles\.css)"', page.text)
            assert style
            styles = requests.get(f"http://127.0.0.1:{dashboard_port}{style[1]}", timeout=10)
            docs = requests.get(f"http://127.0.0.1:{api_port}/docs/swagger-ui/swagger-ui.css", timeout=10)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()

    where = [sys.executable, "-c", "import dashboard; print(dashboard.__file__)"]
    used = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert used.startswith(str(wheel))
    assert page.ok
    assert "--accent" in styles.text
    assert docs.ok
    assert process.returncode == 0
