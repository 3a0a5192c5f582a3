"""Tries a version in a process of its own, within limits, before the service loads it: `python -m model_api.trial`.

Whatever is in the files, they can hurt that process alone: it may not write files, has so much memory and so many
seconds, and says what it found as one line of JSON. It looks into every file first, then loads what is going to serve,
and answers the stored examples.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.trust import Trust

MOST_OUTPUT = 100_000
"""Characters of a trial's answer."""


LINUX_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_running: "set[subprocess.Popen[str]]" = set()


@dataclass(frozen=True)
class Limits:
    """What a trial may take."""

    seconds: float = 30.0
    memory: int = 2 * 2**30
    """Bytes of address space."""


@dataclass(frozen=True)
class Trial:
    """A version that can be served."""

    manifest: str
    """SHA-256 of the manifest that was tried: its files are the ones that may be loaded."""
    memory: int
    """Most memory that the process had, in bytes."""


def require_trial(folder: Path, trust: Trust, limits: Limits) -> Trial:
    """Try a version. Raises ArtifactError, with the reason why it cannot be served."""
    task = json.dumps({"folder": str(folder), "trust": asdict(trust), "memory": limits.memory})
    process = subprocess.Popen(
        [sys.executable, "-m", "model_api.trial"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
        start_new_session=True,
    )
    _running.add(process)
    try:
        output, _ = process.communicate(task, timeout=limits.seconds)
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(f"it was not loaded after {limits.seconds:g} s, and its trial was ended") from error
    finally:
        _end(process)
    return _verdict(process.returncode, output[-MOST_OUTPUT:], limits)


def end_running() -> None:
    """End the trials that are running: the service is going to end."""
    for process in list(_running):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _end(process: "subprocess.Popen[str]") -> None:
    """End a trial with all that it may have started."""
    _running.discard(process)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


def _verdict(code: int, output: str, limits: Limits) -> Trial:
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        raise ArtifactError(f"the process that tried it was ended by {name}")
    try:
        answer = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise ArtifactError(f"the process that tried it ended with code {code} and said nothing") from error
    if "manifest" in answer:
        return Trial(str(answer["manifest"]), int(answer["used"]))
    if answer.get("memory"):
        raise ArtifactError(f"loading it takes more than {limits.memory:,} bytes of memory")
    raise ArtifactError(str(answer.get("reason", "its trial gave no reason"))[:2000])


def main() -> int:
    """Read what is to be tried from standard input; write what was found to standard output."""
    if sys.platform == "linux":  # nobody waits for the answer when the service is gone
        ctypes.CDLL(None).prctl(LINUX_DEATH_SIGNAL, signal.SIGKILL)
    task = json.load(sys.stdin)
    answers = _keep_stdout()
    _limit(int(task["memory"]))
    answer = _try(Path(task["folder"]), _trust(task["trust"]))
    os.write(answers, (json.dumps(answer) + "\n").encode())
    return 0


def _trust(told: dict[str, Any]) -> Trust:
    return Trust(tuple(told["types"]), bool(told["pickle"]), tuple(told["packages"]))


def _keep_stdout() -> int:
    """Keep standard output for the answer; what the files make the process print goes nowhere."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _limit(memory: int) -> None:
    """Take away what a trial does not need; where the system has no such limits, time alone is limited."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _try(folder: Path, trust: Trust) -> dict[str, Any]:
    # Imported within the limits: what loading takes counts too.
    from model_api.inspection import require_sound_files
    from model_api.loading import load_version

    try:
        artifact = Artifact(folder)
        artifact.check()
        require_sound_files(artifact, trust)
        load_version(folder, trust)
    except MemoryError:
        return {"memory": True}
    except ArtifactError as error:
        return {"memory": True} if _ran_out(error) else {"reason": str(error)}
    except Exception as error:  # noqa: BLE001 -- whatever is wrong with the files is the answer
        return {"reason": f"it cannot be loaded: {type(error).__name__}: {error}"}
    return {"manifest": artifact.manifest_hash, "used": _used_memory()}


def _used_memory() -> int:
    """Give the most memory that this process had, in bytes; 0 where the system does not tell."""
    # Not getrusage: what it counts began in the parent, before this program took its place.
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _ran_out(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "Unable to allocate" in str(error):
            return True
        error = error.__cause__
    return False


if __name__ == "__main__":
    sys.exit(main())
