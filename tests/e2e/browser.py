"""Finds a Chromium for the browser tests; run as a script, as `make e2e` does, it installs one where there is none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

VARIABLE = "SERVERY_CHROMIUM"
# The shell is the same Chromium without windows of its own: browser tests take little more than half the time in it.
NAMES = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
DOWNLOAD_SECONDS = 120
INSTALL_SECONDS = 900
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--no-proxy-server",
    # Nothing but this machine can be reached: a page that asks anybody else fails.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""What every Chromium of this project is started with; root cannot have Chromium's sandbox (see SANDBOX)."""
SANDBOX = not ROOT
"""For Playwright's `chromium_sandbox`, which decides about --no-sandbox."""
MISSING = (
    "no Chromium was found and none could be installed: install the package `chromium` (or Google Chrome), "
    f"or name the program in {VARIABLE}"
)


class NoBrowser(Exception):
    """There is no browser that starts."""


def find_browser() -> str:
    """Give the path of a Chromium that starts. Raises NoBrowser."""
    if named := os.environ.get(VARIABLE):
        if not _starts(named):
            raise NoBrowser(f"{VARIABLE}={named} does not start")
        return named
    found = next((path for path in _candidates() if _starts(path)), None)
    if found is None:
        raise NoBrowser(MISSING)
    return found


def find_or_install() -> str:
    """Give the path of a Chromium that starts, after installing one if need be. Raises NoBrowser."""
    for install in (_nothing, _download, _install_package):
        install()
        try:
            return find_browser()
        except NoBrowser:
            if VARIABLE in os.environ:
                raise
    raise NoBrowser(MISSING)


def _candidates() -> Iterator[str]:
    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path
    yield from filter(None, map(shutil.which, NAMES))
    yield from MAC


def _starts(path: str) -> bool:
    """Tell whether a program is there and runs: Ubuntu's chromium-browser may be a script that only asks for a snap."""
    try:
        return Path(path).is_file() and _run([path, "--version"], 30)
    except OSError:
        return False


def _nothing() -> None:
    """Install nothing: there may be a browser already."""


def _download() -> None:
    """Let Playwright download its own Chromium; where that is not possible, the system's is tried next."""
    _run([sys.executable, "-m", "playwright", "install", "chromium"], DOWNLOAD_SECONDS)


def _install_package() -> None:
    """Install the system's Chromium, where we have the rights."""
    rights: list[str] = [] if ROOT else ["sudo", "-n"]
    if rights and not (shutil.which("sudo") and _run([*rights, "true"], 10)):
        return
    if shutil.which("apt-get"):
        quiet = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        _run([*quiet, "update"], INSTALL_SECONDS)
        install = [*quiet, "install", "-y", "--no-install-recommends"]
        if not _run([*install, "chromium-headless-shell"], INSTALL_SECONDS):
            _run([*install, "chromium"], INSTALL_SECONDS)
    elif shutil.which("dnf"):
        _run([*rights, "dnf", "--quiet", "install", "-y", "chromium"], INSTALL_SECONDS)


def _run(command: Sequence[str], seconds: float) -> bool:
    """Run a command quietly; tells whether it ended well and in time."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Find or install a browser; gives the exit code."""
    try:
        print(f"browser tests will use {find_or_install()}")
    except NoBrowser as error:
        print(f"browser tests cannot run: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
