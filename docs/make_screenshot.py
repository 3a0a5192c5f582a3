"""Make docs/screenshot.png anew: the page of the diabetes model with a prediction, from both real services.

python docs/make_screenshot.py [models folder]
"""

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
SIZE = {"width": 1280, "height": 860}


def main() -> None:
    """Start Servery, predict, and take the picture."""
    models = sys.argv[1] if len(sys.argv) > 1 else "models"
    api_port, dashboard_port = free_port(), free_port()
    ports = ["--api-port", str(api_port), "--dashboard-port", str(dashboard_port)]
    command = [sys.executable, "-m", "servery", "run", *ports, "--models", models]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as services:
        assert services.stdout
        try:
            if not any("press Ctrl-C" in line for line in services.stdout):
                sys.exit("Servery did not start")
            take(f"http://127.0.0.1:{dashboard_port}/models/diabetes")
        finally:
            services.terminate()
            services.stdout.read()


def take(address: str) -> None:
    """Open the page, change a value, predict, and take the picture."""
    spec = importlib.util.spec_from_file_location("browser", ROOT / "tests" / "e2e" / "browser.py")
    assert spec
    assert spec.loader
    browser_module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(browser_module)
    path = browser_module.find_browser()  # asks Playwright too, which cannot be asked twice at once
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=browser_module.FLAGS)
        page = browser.new_page(viewport=SIZE, device_scale_factor=1)
        page.goto(address)
        page.locator("[name=bmi]").fill("31.4")
        page.locator("[name=bmi]").press("Enter")
        page.locator("#chart").wait_for()
        page.locator("#chart").evaluate("image => image.decode()")
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.screenshot(path=ROOT / "docs" / "screenshot.png")
        browser.close()


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
