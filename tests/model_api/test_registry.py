"""Names → versions → aliases → loaded models, and what happens to those that cannot be loaded."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from model_api.errors import NotReady, UnknownModel, UnknownVersion
from model_api.inference import Options, predict
from model_api.loading import load_version
from model_api.registry import Registry
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
