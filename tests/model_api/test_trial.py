"""A version is tried in a process of its own, which may die, hang or want the machine: the service lives on."""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.loading import load_tried
from model_api.packages import GROUP, find_package
from model_api.publishing import publish
from model_api.publishing.from_package import publish_package
from model_api.trial import Limits, end_running, require_trial
from model_api.trust import Trust

Reseal = Callable[[Path, str, bytes], None]
MODULE = """
import pandas as pd

def load_data():
    return pd.DataFrame({"x": [float(i) for i in range(30)]}), pd.Series([2.0 * i for i in range(30)], name="y")

def predict(model, X):
    return X["x"] * 2

def load_model():
    import os
    behaviour = os.environ.get("BEHAVIOUR", "")
    if behaviour == "crash":
        import ctypes
        ctypes.string_at(0)
    if behaviour == "hang":
        import time
        time.sleep(600)
    if behaviour == "eat":
        return bytearray(8 * 2**30)
    if behaviour == "write":
        open(os.environ["CANARY"], "w").write("was here")
    if behaviour == "print":
        print('{"manifest": "forged", "used": 0}')
    if behaviour == "exit":
        os._exit(3)
    return None
"""


@pytest.fixture
def odd_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A version of a model package that behaves as the environment says when it is loaded."""
    site = tmp_path / "site"
    (site / "odd-1.0.dist-info").mkdir(parents=True)
    (site / "odd-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (site / "odd-1.0.dist-info" / "entry_points.txt").write_text(f"[{GROUP}]\nodd = odd_model\n")
    (site / "odd_model.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    return publish_package(find_package("odd"), tmp_path / "models")


def why_refused(version: Path, trust: Trust | None = None, **limits: Any) -> str:
    with pytest.raises(ArtifactError) as refusal:
        require_trial(version, trust or Trust(), Limits(**limits))
    return str(refusal.value)


def test_a_sound_version_passes_with_the_hash_of_its_manifest(published_small_models: Path) -> None:
    version = published_small_models / "rent" / "1"

    trial = require_trial(version, Trust(), Limits())

    assert trial.manifest == Artifact(version).manifest_hash
    assert 2**24 < trial.memory < 2**28


def test_a_version_that_the_trial_passed_is_loaded(published_small_models: Path) -> None:
    assert load_tried(published_small_models / "rent" / "1", Trust(), Limits()).name == "rent"


def test_the_reason_of_a_refusal_is_told(small_models: Path) -> None:
    (small_models / "rent" / "1" / "card.md").unlink()

    assert why_refused(small_models / "rent" / "1") == "card.md cannot be read: No such file or directory"


def test_examples_that_are_answered_differently_refuse_a_version_and_say_by_how_much(
    small_models: Path, reseal: Reseal
) -> None:
    version = small_models / "rent" / "1"
    examples = json.loads((version / "examples.json").read_bytes())
    examples["numbers"][3] += 0.5
    reseal(version, "examples.json", json.dumps(examples).encode())

    assert "answers its own examples differently: by 0.00" in why_refused(version)


def test_a_package_that_behaves_passes(odd_package: Path) -> None:
    assert require_trial(odd_package, Trust(), Limits()).manifest


def test_a_crash_is_of_the_trial_alone(odd_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHAVIOUR", "crash")

    assert why_refused(odd_package) == "the process that tried it was ended by SIGSEGV"


def test_a_trial_that_hangs_is_ended_in_time(odd_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHAVIOUR", "hang")
    began = time.monotonic()

    assert why_refused(odd_package, seconds=6.0) == "it was not loaded after 6 s, and its trial was ended"
    assert time.monotonic() - began < 9


def test_a_trial_that_wants_all_memory_gets_none(odd_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHAVIOUR", "eat")

    assert why_refused(odd_package, memory=2**31) == "loading it takes more than 2,147,483,648 bytes of memory"


def test_a_trial_writes_no_file(odd_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHAVIOUR", "write")
    monkeypatch.setenv("CANARY", str(tmp_path / "canary"))

    require_trial(odd_package, Trust(), Limits())

    assert (tmp_path / "canary").read_bytes() == b""


def test_what_a_model_prints_is_no_verdict(odd_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHAVIOUR", "print")

    assert require_trial(odd_package, Trust(), Limits()).manifest == Artifact(odd_package).manifest_hash


def test_a_trial_that_ends_without_a_word_is_refused(odd_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHAVIOUR", "exit")

    assert why_refused(odd_package) == "the process that tried it ended with code 3 and said nothing"


def test_a_package_that_the_operator_does_not_allow_is_refused(odd_package: Path) -> None:
    reason = why_refused(odd_package, Trust(packages=("another",)))

    assert reason == "no model package 'odd' is installed and allowed; there is none"


def test_a_pickle_is_loaded_only_where_the_operator_says_so(tmp_path: Path) -> None:
    X = pd.DataFrame({"x": np.arange(30.0)})
    estimator = LinearRegression().fit(X, X["x"])
    estimator.note = re.compile("x")  # skops has no form for it, a pickle has
    with pytest.raises(ValueError, match="skops cannot hold this LinearRegression"):
        publish(estimator, X, X["x"], name="line", models=tmp_path, compiled=False)
    folder = publish(estimator, X, X["x"], name="line", models=tmp_path, allow_pickle=True, compiled=False)

    assert "it was published from a pickle" in why_refused(folder)
    assert require_trial(folder, Trust(pickle=True), Limits()).manifest


def test_a_compiled_form_of_a_pickled_model_is_refused_with_its_pickle(tmp_path: Path) -> None:
    X = pd.DataFrame({"x": np.arange(30.0)})
    estimator = LinearRegression().fit(X, X["x"])
    estimator.note = re.compile("x")
    folder = publish(estimator, X, X["x"], name="line", models=tmp_path, allow_pickle=True)

    assert (folder / "plan.json").exists()
    assert "it was published from a pickle" in why_refused(folder)


def test_running_trials_can_be_ended(odd_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHAVIOUR", "hang")
    ended: list[str] = []
    thread = threading.Thread(target=lambda: ended.append(why_refused(odd_package)))
    thread.start()
    deadline = time.monotonic() + 20
    while not ended:
        end_running()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    thread.join()

    assert ended == ["the process that tried it was ended by SIGKILL"]
