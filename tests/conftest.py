"""What every test folder shares: the four embedded models, published once."""

import fcntl
import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

# One thread for arithmetic, set before numpy is imported: the threads of several processes on few cores wait for
# each other.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def short_proofs() -> None:
    """Compare as few rows as there may be one by one and in small batches, when this process publishes.

    All are still compared at once; the proof itself is tested in model_api/publishing/compiling.
    """
    from model_api.publishing.compiling import proof

    proof.SECONDS = 0


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory, short_proofs: None) -> Path:
    """A folder with the four embedded models. It is shared: read it, and copy it before changing anything."""
    from model_api.examples import publish_examples

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "embedded"
    with (shared / "embedded.lock").open("w") as lock:  # of several workers the first publishes, and the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            publish_examples(shared / "embedded-aside")
            (shared / "embedded-aside").rename(folder)
    return folder


@pytest.fixture(autouse=True)
def no_garbage_is_collected() -> Iterator[None]:
    """Collect garbage between tests: in one that nests as deep as Python allows, the hooks of a collection fail."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def unused_ports() -> tuple[int, int]:
    """Two ports of loopback that nobody listens on."""
    with socket.socket() as first, socket.socket() as second:
        for probe in (first, second):
            probe.bind(("127.0.0.1", 0))
        return int(first.getsockname()[1]), int(second.getsockname()[1])
