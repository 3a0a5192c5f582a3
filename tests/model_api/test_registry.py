"""Names → versions → aliases → loaded models, and what happens to those that cannot be loaded."""

import gc
import json
import shutil
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from model_api.errors import NotReady, UnknownModel, UnknownVersion
from model_api.folders import move_alias
from model_api.inference import Options, predict
from model_api.loading import LoadedModel, load_version
from model_api.registry import Registry, Watcher
from model_api.stores import StoreFailed
from model_api.trust import Trust


def registry_of(folder: Path, trust: Trust | None = None, **settings: Any) -> Registry:
    """Make a registry that loads in this process: what a trial in another adds is in test_trial.py."""
    return Registry(folder, load_version=partial(load_version, trust=trust or Trust()), **settings)


def load(folder: Path, **settings: Any) -> Registry:
    registry = registry_of(folder, **settings)
    registry.load()
    return registry


def add_version(model: Path, number: str, **changes: Any) -> Path:
    """Copy version 1 of a model to another number."""
    folder = Path(shutil.copytree(model / "1", model / number))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": number, **changes}))
    return folder


def test_nothing_is_found_before_the_models_are_loaded(small_models: Path) -> None:
    registry = registry_of(small_models)

    assert registry.problem == "the models are being loaded"
    for ask in (lambda: registry.entries, lambda: registry.default, registry.find, lambda: registry.entry("rent")):
        with pytest.raises(NotReady, match="being loaded"):
            ask()


def test_a_loaded_registry_has_no_problem(small_models: Path) -> None:
    registry = load(small_models)

    assert registry.problem is None
    assert [entry.name for entry in registry.entries] == ["rent", "spam"]


def test_the_model_that_was_published_first_is_the_default(small_models: Path) -> None:
    assert load(small_models).default == "rent"

    (small_models / "rent").rename(small_models / "zzz-rent")
    manifest = small_models / "zzz-rent" / "1" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"name": "rent"', '"name": "zzz-rent"'))

    assert load(small_models).default == "zzz-rent"


def test_the_default_may_be_set(small_models: Path) -> None:
    assert load(small_models, default="spam").find().name == "spam"


@pytest.mark.parametrize("version", ["champion", "1"])
def test_a_version_is_found_by_number_and_by_alias(small_models: Path, version: str) -> None:
    found = load(small_models).find("spam", version)

    assert (found.name, found.version) == ("spam", "1")


def test_a_request_without_a_version_gets_the_champion(small_models: Path) -> None:
    add_version(small_models / "rent", "2")
    assert load(small_models).find("rent").version == "1"

    (small_models / "rent" / "aliases.json").write_text('{"champion": "2", "challenger": "1"}')
    registry = load(small_models)

    assert registry.find("rent").version == "2"
    assert registry.find("rent", "challenger").version == "1"


def test_an_unknown_model_is_refused_and_the_known_ones_are_named(small_models: Path) -> None:
    with pytest.raises(UnknownModel, match="there is no model 'ham'; there is rent, spam"):
        load(small_models).find("ham")


@pytest.mark.parametrize("version", ["2", "0", "-1", "1e3", "../1", "", "challenger", "Champion", "1" * 300])
def test_an_unknown_version_is_refused_and_the_known_ones_are_named(small_models: Path, version: str) -> None:
    with pytest.raises(UnknownVersion, match="there is champion, 1"):
        load(small_models).find("rent", version)


def test_a_folder_without_models_is_a_problem_that_says_what_to_do(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        registry = load(folder)

        assert registry.problem is not None
        assert "publish one, or set MODEL_API_MODELS" in registry.problem


def test_a_default_that_does_not_exist_is_a_problem_that_names_the_setting(small_models: Path) -> None:
    problem = load(small_models, default="ham").problem

    assert problem == "MODEL_API_DEFAULT_MODEL names 'ham', but there is only rent, spam"


def test_a_folder_in_which_nothing_can_be_loaded_is_a_problem(small_models: Path) -> None:
    for name in ("rent", "spam"):
        (small_models / name / "1" / "estimator.skops").unlink()

    problem = load(small_models).problem

    assert problem is not None
    assert problem.endswith("could be loaded")


def test_a_broken_version_leaves_the_others_of_its_model_alone(small_models: Path) -> None:
    (add_version(small_models / "rent", "2") / "estimator.skops").unlink()

    entry = load(small_models).entry("rent")

    assert list(entry.loaded) == ["1"]
    assert entry.failed["2"].reason == "estimator.skops cannot be read: No such file or directory"
    assert entry.resolve("champion").version == "1"
    with pytest.raises(NotReady, match=r"version 2 of rent could not be loaded: estimator\.skops cannot be read"):
        entry.resolve("2")


def test_a_broken_model_is_not_the_default(small_models: Path) -> None:
    (small_models / "rent" / "1" / "estimator.skops").unlink()

    assert load(small_models).default == "spam"


@pytest.mark.parametrize("aliases", [None, "{", "[]", "[" * 100_000, '{"champion": "7"}'])
def test_a_broken_table_of_aliases_leaves_the_numbers(small_models: Path, aliases: str | None) -> None:
    (small_models / "rent" / "aliases.json").unlink()
    if aliases is not None:
        (small_models / "rent" / "aliases.json").write_text(aliases)
    registry = load(small_models)

    assert registry.find("rent", "1").version == "1"
    with pytest.raises(UnknownVersion):
        registry.find("rent")


@pytest.mark.parametrize(
    "changes",
    [
        {"files": ["estimator.skops", "reference.json"]},
        {"files": None},
        {"files": {"estimator.skops": 3}},
        {"estimator": None},
        {"sizes": [1]},
        {"sizes": {"card.md": None}},
        {"files": {"..": "0"}},
    ],
)
def test_a_manifest_of_odd_types_fails_one_version_only(small_models: Path, changes: dict[str, Any]) -> None:
    add_version(small_models / "rent", "2", **changes)

    entry = load(small_models).entry("rent")

    assert list(entry.loaded) == ["1"]
    assert list(entry.failed) == ["2"]
    assert entry.failed["2"]


def without_a_feature(signature: dict[str, Any]) -> None:
    del signature["features"][-1]


def with_classes(signature: dict[str, Any]) -> None:
    signature["target"] |= {"task": "binary", "classes": ["cheap", "dear"]}


@pytest.mark.parametrize("change", [without_a_feature, with_classes])
def test_a_signature_that_does_not_fit_the_estimator_fails_the_version(
    small_models: Path, change: Callable[[dict[str, Any]], None], reseal: Callable[[Path, str, bytes], None]
) -> None:
    version = small_models / "rent" / "1"
    signature = json.loads((version / "signature.json").read_bytes())
    change(signature)
    reseal(version, "signature.json", json.dumps(signature).encode())

    assert list(load(small_models).entry("rent").failed) == ["1"]


def test_classes_that_are_not_those_of_the_estimator_fail_the_version(
    small_models: Path, reseal: Callable[[Path, str, bytes], None]
) -> None:
    version = small_models / "spam" / "1"
    signature = json.loads((version / "signature.json").read_bytes())
    signature["target"]["classes"] = [0, 1, 2]
    reseal(version, "signature.json", json.dumps(signature).encode())

    assert list(load(small_models).entry("spam").failed) == ["1"]


def test_a_loaded_model_keeps_serving_when_its_files_are_deleted(small_models: Path, flat: dict[str, Any]) -> None:
    registry = load(small_models)

    shutil.rmtree(small_models)
    found = registry.find("rent")

    assert predict(found, [flat], Options()).predictions
    assert found.artifact.quality is not None
    assert found.artifact.quality["rows"] == 60
    assert found.artifact.card.startswith("A model of rents.")


def test_types_beyond_the_reviewed_ones_are_trusted_only_when_the_operator_says_so(models_with_binarize: Path) -> None:
    reason = load(models_with_binarize).entry("binary").failed["1"].reason
    assert reason == "estimator.skops holds types that are not trusted: sklearn.preprocessing._data.binarize"

    trusted = load(models_with_binarize, trust=Trust(("sklearn.preprocessing._data.binarize",)))

    assert list(trusted.entry("binary").loaded) == ["1"]


# The folder changes while it is served.


def point(model: Path, alias: str, version: str) -> None:
    """Move an alias, as `servery promote` does."""
    move_alias(model, alias, version)


def test_a_new_version_is_loaded_and_waits_for_its_alias(small_models: Path) -> None:
    registry = load(small_models)

    add_version(small_models / "rent", "2")
    registry.refresh(wait=True)

    assert list(registry.entry("rent").loaded) == ["1", "2"]
    assert registry.find("rent").version == "1"


def test_a_moved_alias_is_served_at_the_next_look(small_models: Path) -> None:
    add_version(small_models / "rent", "2")
    registry = load(small_models)

    point(small_models / "rent", "champion", "2")
    registry.refresh()

    assert registry.find("rent").version == "2"


def test_an_alias_waits_until_its_version_is_loaded(small_models: Path) -> None:
    loaded, go_on = [], threading.Event()

    def slowly(version: Path) -> LoadedModel:
        loaded.append(version.name)
        if version.name == "2":
            go_on.wait(10)
        return load_version(version, Trust())

    registry = Registry(small_models, load_version=slowly)
    registry.load()
    add_version(small_models / "rent", "2")
    point(small_models / "rent", "champion", "2")

    registry.refresh()
    entry = registry.entry("rent")

    assert (entry.aliases, entry.waiting, entry.loading) == ({"champion": "1"}, {"champion": "2"}, ("2",))
    with pytest.raises(NotReady, match="version 2 of rent is being loaded"):
        entry.resolve("2")
    go_on.set()
    assert registry.changed.wait(10)
    registry.refresh()
    assert registry.entry("rent").aliases == {"champion": "2"}
    assert loaded.count("2") == 1


def test_a_slow_version_does_not_hold_up_the_other_models(small_models: Path) -> None:
    go_on = threading.Event()

    def slowly(version: Path) -> LoadedModel:
        if version.parent.name == "rent" and version.name == "2":
            go_on.wait(10)
        return load_version(version, Trust())

    add_version(small_models / "spam", "2")
    registry = Registry(small_models, load_version=slowly)
    registry.load()
    add_version(small_models / "rent", "2")
    registry.refresh()

    point(small_models / "spam", "champion", "2")
    registry.refresh()

    assert registry.find("spam").version == "2"
    go_on.set()


def test_a_champion_that_cannot_be_loaded_leaves_the_old_one_and_is_seen(small_models: Path) -> None:
    registry = load(small_models)
    (add_version(small_models / "rent", "2") / "card.md").unlink()
    point(small_models / "rent", "champion", "2")

    registry.refresh(wait=True)

    entry = registry.entry("rent")
    assert (entry.aliases, entry.waiting) == ({"champion": "1"}, {"champion": "2"})
    assert registry.find("rent").version == "1"
    assert registry.troubles() == [{"what": "rent/2", "reason": "card.md cannot be read: No such file or directory"}]


def test_a_version_that_is_still_being_copied_is_tried_again_when_it_is_whole(small_models: Path) -> None:
    registry = load(small_models)
    folder = add_version(small_models / "rent", "2")
    held_back = (folder / "manifest.json").rename(small_models / "manifest.json")

    registry.refresh(wait=True)
    assert registry.entry("rent").failed["2"].reason == "it is incomplete: it has no manifest.json yet"

    held_back.rename(folder / "manifest.json")
    registry.refresh(wait=True)
    assert list(registry.entry("rent").loaded) == ["1", "2"]


def test_a_broken_version_is_not_tried_again_while_it_stays_as_it_is(small_models: Path) -> None:
    tried = []

    def remembering(version: Path) -> LoadedModel:
        tried.append(f"{version.parent.name}/{version.name}")
        return load_version(version, Trust())

    (add_version(small_models / "rent", "2") / "card.md").unlink()
    registry = Registry(small_models, load_version=remembering)
    registry.load()
    registry.refresh(wait=True)
    registry.refresh(wait=True)

    assert sorted(tried) == ["rent/1", "rent/2", "spam/1"]


def test_a_version_that_nobody_wants_is_let_go(small_models: Path) -> None:
    registry = load(small_models)
    old = weakref.ref(registry.find("rent").artifact)
    for number in ("2", "3"):
        add_version(small_models / "rent", number)
    point(small_models / "rent", "champion", "3")

    registry.refresh(wait=True)
    gc.collect()

    entry = registry.entry("rent")
    assert (list(entry.loaded), entry.idle) == (["2", "3"], ("1",))
    assert old() is None
    with pytest.raises(NotReady, match="version 1 of rent is not loaded; give it an alias"):
        registry.find("rent", "1")


def test_an_old_version_with_an_alias_is_kept(small_models: Path) -> None:
    for number in ("2", "3"):
        add_version(small_models / "rent", number)

    entry = load(small_models).entry("rent")

    assert list(entry.loaded) == ["1", "2", "3"]


def test_only_what_an_alias_means_is_loaded_when_no_newest_is_kept(small_models: Path) -> None:
    add_version(small_models / "rent", "2")

    assert list(load(small_models, keep=0).entry("rent").loaded) == ["1"]


def test_who_asked_before_the_swap_is_answered_by_the_version_that_was_found(
    small_models: Path, flat: dict[str, Any]
) -> None:
    registry = load(small_models, keep=1)
    found = registry.find("rent")
    add_version(small_models / "rent", "2")
    point(small_models / "rent", "champion", "2")
    registry.refresh(wait=True)

    assert registry.find("rent").version == "2"
    assert predict(found, [flat], Options()).model.version == "1"


def test_a_version_that_is_changed_on_disk_is_served_as_it_was_loaded(small_models: Path) -> None:
    registry = load(small_models)
    (small_models / "rent" / "1" / "card.md").write_text("Another card.")

    registry.refresh(wait=True)

    assert registry.find("rent").artifact.card.startswith("A model of rents.")
    (problem,) = registry.entry("rent").problems
    assert "a version is immutable: publish a new one" in problem


def test_a_version_that_is_only_touched_is_no_problem(small_models: Path) -> None:
    registry = load(small_models)
    (small_models / "rent" / "1" / "card.md").touch()

    registry.refresh(wait=True)

    assert registry.entry("rent").problems == ()


def test_a_deleted_version_and_a_deleted_model_go_on_answering(small_models: Path, flat: dict[str, Any]) -> None:
    registry = load(small_models)
    shutil.rmtree(small_models / "rent" / "1")
    shutil.rmtree(small_models / "spam")

    registry.refresh(wait=True)

    assert registry.problem is None
    assert predict(registry.find("rent"), [flat], Options()).predictions
    assert registry.find("spam").version == "1"
    assert {trouble["what"] for trouble in registry.troubles()} >= {"spam"}


def test_a_table_of_aliases_that_gets_broken_leaves_those_of_before(small_models: Path) -> None:
    registry = load(small_models)
    (small_models / "rent" / "aliases.json").write_text('{"champion": ')

    registry.refresh(wait=True)

    assert registry.find("rent").version == "1"
    assert "aliases.json is not a table of aliases" in registry.entry("rent").problems[0]


def test_an_alias_of_a_version_that_is_not_there_is_a_problem(small_models: Path) -> None:
    registry = load(small_models)
    (small_models / "rent" / "aliases.json").write_text('{"champion": "1", "challenger": "9"}')

    registry.refresh(wait=True)

    assert registry.entry("rent").problems == ("the alias challenger means version 9, which is not there",)
    assert registry.find("rent").version == "1"


def test_what_is_no_model_is_named_with_the_reason(small_models: Path) -> None:
    (small_models / "Rent").mkdir()
    (small_models / "notes.txt").touch()
    (small_models / ".hidden").mkdir()

    troubles = {trouble["what"]: trouble["reason"] for trouble in load(small_models).troubles()}

    assert set(troubles) == {"Rent", "notes.txt"}
    assert troubles["Rent"].startswith("is not the name of a model")


def test_a_fetch_that_fails_leaves_what_is_served_and_is_seen(small_models: Path) -> None:
    def fetch() -> None:
        raise StoreFailed("the bucket is gone")

    registry = load(small_models, fetch=fetch)

    assert registry.find("rent").version == "1"
    assert registry.troubles() == [{"what": "fetching", "reason": "failed: StoreFailed: the bucket is gone"}]


def test_the_watcher_loads_looks_again_and_ends(small_models: Path) -> None:
    registry = registry_of(small_models)
    watcher = Watcher(registry, 0.05)
    watcher.start()
    add_version(small_models / "rent", "2")
    point(small_models / "rent", "champion", "2")
    deadline = time.monotonic() + 20
    while registry.problem or registry.find("rent").version != "2":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    watcher.stop()
