"""Makes a virtual environment for each real client: their pins fight with ours and with each other's.

`python tests/conformance/environments.py [NAME …]` makes what is absent or whose requirements changed, in `.venvs/`;
without a name, what `make conformance` needs. `make fuzz` has one of its own.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".venvs"
REQUIREMENTS = HERE / "requirements"
OF_FUZZ = HERE.parent / "fuzz" / "requirements"
STAMP = "requirements.sha256"
"""File in an environment that tells what it was made from."""


def names() -> list[str]:
    """Name every environment of a client: one for each file of requirements."""
    return sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def python_of(name: str) -> Path:
    """Give the Python of an environment, made or not."""
    return FOLDER / name / "bin" / "python"


def is_made(name: str) -> bool:
    """Tell whether an environment is there and of the requirements as they are now."""
    stamp = FOLDER / name / STAMP
    return stamp.is_file() and stamp.read_text() == _digest(name)


def make(name: str) -> None:
    """Make an environment anew, with uv where there is one."""
    folder, requirements, uv = FOLDER / name, _requirements(name), shutil.which("uv")
    shutil.rmtree(folder, ignore_errors=True)
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python_of(name)), "-r", str(requirements)])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(python_of(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-compile", "-r", str(requirements)])  # little of what is installed is ever imported
    (folder / STAMP).write_text(_digest(name))


def main(wanted: Sequence[str]) -> int:
    """Make those environments that are wanted and not there; all of them when none is named."""
    absent = [name for name in wanted or names() if not is_made(name)]
    if absent:
        print(f"making environments: {', '.join(absent)}", flush=True)
    with ThreadPoolExecutor(os.cpu_count()) as several:
        list(several.map(make, absent))
    return 0


def _requirements(name: str) -> Path:
    own = OF_FUZZ / f"{name}.txt"
    return own if own.is_file() else REQUIREMENTS / f"{name}.txt"


def _digest(name: str) -> str:
    return hashlib.sha256(_requirements(name).read_bytes() + sys.version.encode()).hexdigest()


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
