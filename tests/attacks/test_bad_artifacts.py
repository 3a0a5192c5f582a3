"""Bad versions dropped into a served folder: each gets its reason, nothing in it runs, and the old version answers."""

import json
import pickle  # noqa: TID251 -- the control loads one
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model_api.folders import move_alias
from tests.attacks.bad_artifacts import Canary, Case, cases, flipped_bits, poison, reseal
from tests.attacks.conftest import Attacked, tracing

Tell = Callable[[str], None]
CANARY = Path("/tmp/servery-canary")
"""What would be there if anything ran that must not; the trace is searched for its name."""
MEGABYTE = 2**20
MOST_GROWTH = 20 * MEGABYTE
FLIPS = 64
SWAPS = 100


@pytest.fixture(scope="module")
def calm_memory(attacked: Attacked) -> int:
    """What the service takes before the attacks, in bytes."""
    for _ in range(200):
        attacked.get("/models")
    return attacked.memory()


@pytest.fixture
def undo(attacked: Attacked) -> Iterator[None]:
    """Take a bad version away afterwards."""
    before = {name: (attacked.models / name / "aliases.json").read_bytes() for name in ("forest", "odd")}
    yield
    (attacked.models.parent / "site" / "behaviour").write_text("good")
    for name, aliases in before.items():
        (attacked.models / name / "aliases.json").write_bytes(aliases)
        shutil.rmtree(attacked.models / name / "2", ignore_errors=True)
    attacked.wait_until_well()


@pytest.mark.parametrize("case", cases(CANARY), ids=lambda case: case.number)
def test_a_bad_version_is_refused_with_its_reason_and_the_old_one_answers(
    attacked: Attacked, calm_memory: int, undo: None, case: Case, tell: Tell
) -> None:
    aside = attacked.add_version(case.model)
    in_place = attacked.models / case.model / "2"
    answered = attacked.traffic.answers

    case.attack(aside)
    aside.rename(in_place)
    move_alias(attacked.models / case.model, "champion", "2")
    reason = attacked.reason(f"{case.model}/2")

    growth = attacked.memory() - calm_memory
    tell(f"{case.number:<5} {case.what:<36} {growth / MEGABYTE:+6.1f} MB  {reason}")
    assert re.search(case.reason, reason), f"{case.what}: {reason}"
    assert attacked.states(case.model) == {"1": "ready", "2": "failed"}
    assert attacked.model(case.model)["aliases"] == {"champion": "1"}
    assert attacked.traffic.failures == []
    assert attacked.traffic.answers > answered
    assert growth <= MOST_GROWTH
    assert not CANARY.exists()


def test_sixty_four_flipped_bits_are_all_seen(attacked: Attacked, undo: None, tell: Tell) -> None:
    seen = []
    for name, mend in flipped_bits(attacked.add_version("forest"), FLIPS):
        attacked.aside("forest").rename(attacked.models / "forest" / "2")
        reason = attacked.reason("forest/2")
        assert reason == f"{name} is not the file that was published: its SHA-256 differs"
        seen.append(name)
        (attacked.models / "forest" / "2").rename(attacked.aside("forest"))
        mend()
        attacked.wait_until_well()

    tell(f"R4    {len(seen)} flipped bits, in {len(set(seen))} different files, each time: its SHA-256 differs")
    assert len(seen) == FLIPS
    assert attacked.traffic.failures == []


def test_a_growing_version_is_served_once_it_is_whole(attacked: Attacked, undo: None) -> None:
    aside = attacked.add_version("forest")
    whole = (aside / "plan.bin").read_bytes()
    (aside / "plan.bin").write_bytes(whole[:40])
    aside.rename(attacked.models / "forest" / "2")
    assert "incomplete" in attacked.reason("forest/2")

    (attacked.models / "forest" / "2" / "plan.bin").write_bytes(whole)

    attacked.wait_until_ready("forest", "2")


def test_files_that_are_swapped_while_they_are_loaded_never_answer(attacked: Attacked, undo: None, tell: Tell) -> None:
    """One of the two versions is sound and the other answers something else; the folder is now this, now that one."""
    good = attacked.add_version("forest")
    bad = Path(shutil.copytree(good, good.with_name(".bad")))
    poison(bad)
    place = attacked.models / "forest" / "2"
    answers = []
    for turn in range(SWAPS):
        shutil.copytree(bad if turn % 2 else good, place.with_name(".next"))
        shutil.rmtree(place, ignore_errors=True)
        place.with_name(".next").rename(place)
        time.sleep(0.02 * (turn % 20))  # so that each stage of loading is met
        answer = attacked.ask("2")
        if answer.status_code == 200:
            answers.append(answer.json()["prediction"])

    tell(f"R22   {SWAPS} swaps while loading: {len(answers)} answers of version 2, all as it was published")
    assert set(answers) <= {attacked.expected}
    assert attacked.traffic.failures == []


def test_a_version_that_is_deleted_while_it_is_served_goes_on_answering(attacked: Attacked, tell: Tell) -> None:
    place = attacked.models / "forest" / "1"
    place.rename(place.with_name(".deleted"))
    try:
        reason = attacked.reason("forest")
        answer = attacked.ask("1")
    finally:
        place.with_name(".deleted").rename(place)

    tell(f"R38   deleted while it is served: {reason}")
    assert "all its versions were deleted while it was served; what was loaded still answers" in reason
    assert answer.json()["prediction"] == attacked.expected
    attacked.wait_until_well()


def test_other_bytes_under_the_same_version_are_not_served(attacked: Attacked, tell: Tell) -> None:
    place = attacked.models / "forest" / "1"
    shutil.copytree(place, place.with_name(".before"))
    try:
        poison(place)
        reason = attacked.reason("forest")
        answer = attacked.ask("1")
    finally:
        shutil.rmtree(place)
        place.with_name(".before").rename(place)

    tell(f"R40   same version, other bytes: {reason}")
    assert "version 1 has other files now than were loaded, and a version is immutable" in reason
    assert answer.json()["prediction"] == attacked.expected
    attacked.wait_until_well()


def test_names_that_cannot_be_served_are_told(attacked: Attacked, tell: Tell) -> None:
    odd = ["Forest", "a b", "-x", "évil", "x" * 65, "<script>"]
    for name in odd:
        shutil.copytree(attacked.models / "forest", attacked.models / name)
    try:
        reasons = {name: attacked.reason(name) for name in odd}
    finally:
        for name in odd:
            shutil.rmtree(attacked.models / name)

    tell(f"R39   names of models: {reasons['<script>']}")
    assert all("is not the name of a model" in reason for reason in reasons.values())
    assert [model["name"] for model in attacked.get("/models")["models"]] == ["forest", "odd"]
    attacked.wait_until_well()


def test_what_another_scikit_learn_fitted_is_served_and_told(attacked: Attacked, undo: None, tell: Tell) -> None:
    aside = attacked.add_version("forest")
    manifest = json.loads((aside / "manifest.json").read_bytes())
    manifest["libraries"]["scikit-learn"] = "0.24.2"
    (aside / "manifest.json").write_text(json.dumps(manifest))
    parity = json.loads((aside / "parity.json").read_bytes())
    parity["forms"] = {name: form | {"proved": False} for name, form in parity["forms"].items()}
    reseal(aside, "parity.json", json.dumps(parity).encode())
    aside.rename(attacked.models / "forest" / "2")

    reason = attacked.reason("forest", seconds=60)

    tell(f"R35   of another scikit-learn: {reason}")
    assert "version 2 was fitted with scikit-learn 0.24.2 and is served by" in reason
    assert attacked.states("forest") == {"1": "ready", "2": "ready"}


def test_nothing_that_was_smuggled_in_ever_ran(attacked: Attacked, tell: Tell) -> None:
    """The trace of all that the service and its trials did; last, because it is about all that came before."""
    told = runs_of(attacked.trace.read_text(errors="replace"))

    asked, failed = attacked.traffic.answers, len(attacked.traffic.failures)
    tell(f"{asked:,} predictions were asked for all the while; {failed} failed")
    tell(f"{told['programs']} programs were started, all of them Python; canaries that ran: {told['canaries']}")
    assert told["programs"] > len(cases(CANARY))  # each case was tried in a process of its own: the trace sees them
    assert told["strangers"] == []
    assert told["canaries"] == 0
    assert not CANARY.exists()
    assert attacked.traffic.failures == []
    assert attacked.traffic.answers > 1000


def test_the_trace_shows_a_canary_that_runs(tmp_path: Path) -> None:
    """The control: where a pickle is loaded, its canary is seen."""
    canary, trace = tmp_path / CANARY.name, tmp_path / "trace"
    (tmp_path / "evil.pickle").write_bytes(pickle.dumps(Canary(canary)))
    load = f"import pickle; pickle.load(open({str(tmp_path / 'evil.pickle')!r}, 'rb'))"

    subprocess.run([*tracing(trace), sys.executable, "-c", load], check=True)

    assert canary.exists()
    told = runs_of(trace.read_text())
    assert told["canaries"] > 0
    assert told["strangers"]


def runs_of(trace: str) -> dict[str, Any]:
    """Tell from a trace which programs were started, and whether a canary was made."""
    lines = trace.splitlines()
    started = [line for line in lines if "execve(" in line and " = -1 " not in line]
    programs = [found[1] for line in started if (found := re.search(r'execve\("([^"]+)"', line))]
    return {
        "programs": len(programs),
        "strangers": [program for program in programs if not re.search(r"/(python[\d.]*|setpriv)$", program)],
        "canaries": sum(CANARY.name in line for line in lines),
    }
