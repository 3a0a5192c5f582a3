"""What may be said of a model: each key has its kind, and together they must not contradict each other."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from model_api.artifact import Artifact
from model_api.errors import ArtifactError
from model_api.facts import (
    WHOLE_FEATURE,
    WHOLE_TARGET,
    read_quality,
    read_signature,
    require_described,
)
from model_api.folders import as_json
from model_api.signature import Feature, Signature, Target

Reseal = Callable[[Path, str, bytes], None]
AREA = Feature("area", "number", minimum=20, maximum=90, default=50)
CITY = Feature("city", "category", categories=("ams", "ber"), default="ams")
BUILT = Feature("built", "date", minimum="1990-01-02", maximum="2020-01-01")
WIRE = Signature((AREA, CITY, BUILT), Target("sold", "binary", classes=("no", "yes"), positive="yes")).to_dict()


def test_every_field_of_a_signature_has_its_kind() -> None:
    assert set(WHOLE_FEATURE) == {field.name for field in fields(Feature)}
    assert set(WHOLE_TARGET) == {field.name for field in fields(Target)}


def test_a_signature_that_makes_sense_is_read() -> None:
    assert read_signature(WIRE).to_dict() == WIRE


@pytest.mark.parametrize(
    ("features", "target", "words"),
    [
        ({"area": {"label": 5}}, {}, r"the feature area: label must be text, not 5"),
        ({"area": {"unit": 5}}, {}, r"the feature area: unit must be text, not 5"),
        ({"area": {"group": 5}}, {}, r"the feature area: group must be text, not 5"),
        ({"area": {"description": ["a"]}}, {}, r"the feature area: description must be text, not a list"),
        ({"area": {"minimum": True}}, {}, r"the feature area: minimum must be a number or a date, not true"),
        ({"area": {"maximum": float("inf")}}, {}, r"the feature area: maximum must be a number or a date, not inf"),
        ({"area": {"default": 10**400}}, {}, r"the feature area: default must be text, a number, true or false, not 1"),
        ({"area": {"step": 0}}, {}, r"the feature area: step must be a number above 0, not 0"),
        ({"area": {"missing_allowed": "no"}}, {}, r'the feature area: missing_allowed must be true or false, not "no"'),
        ({"city": {"categories": "ams"}}, {}, r'the feature city: categories must be a list .*, not "ams"'),
        ({"area": {"units": "m"}}, {}, r"the feature area has no 'units'; did you mean unit\?"),
        ({"area": {"colour": "red"}}, {}, r"the feature area has no 'colour'; there is type, label, unit"),
        ({"area": {"type": "numbr"}}, {}, r'must be one of number, integer.*, not "numbr" \(did you mean number\?\)'),
        ({"area": 3}, {}, r"the feature area must be a table, not 3"),
        ([], {}, r"features must be a table with a table for each feature, not a list"),
        ({}, {"unti": "€"}, r"the target has no 'unti'; did you mean unit\?"),
        ({}, {"name": 5}, r"the target: name must be text, not 5"),
        ({}, {"task": "binry"}, r"task must be one of regression.* \(did you mean binary\?\)"),
        ({}, 3, r"the target must be a table, not 3"),
    ],
)
def test_a_description_is_refused_by_its_key_its_value_and_what_was_expected(
    features: Any, target: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        require_described(features, target)


def of(part: str, **changes: Any) -> dict[str, Any]:
    """Give the signature's wire form, with another target or another feature."""
    if part == "target":
        return {**WIRE, "target": {**WIRE["target"], **changes}}
    return {**WIRE, "features": [{**f, **changes} if f["name"] == part else f for f in WIRE["features"]]}


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ({**WIRE, "features": "many"}, 'the signature: features must be a list, not "many"'),
        ({**WIRE, "features": [3]}, "the feature at place 0 must be a table, not 3"),
        ({**WIRE, "target": None}, "the signature: target must be a table, not None"),
        ([], "the signature must be a table, not a list"),
        (of("area", label=5), "the feature area: label must be text, not 5"),
        (of("area", minimum="20"), 'the feature area: minimum must be a number, not "20"'),
        (of("area", maximum=None), "the feature area has a minimum alone; give both"),
        (of("area", minimum=91), "the feature area: its minimum 91 is above its maximum 90"),
        (of("area", quantiles=[1, 2]), "quantiles must be five numbers or none"),
        (of("area", guessed=[1]), "guessed must be a list of text"),
        (of("area", zone="UTC"), "the feature area has a time zone, and is no datetime"),
        (of("city", categories=[]), "the feature city is a category without categories"),
        (of("city", default="rom"), 'the feature city: default must be one of "ams", "ber", not "rom"'),
        (of("built", minimum="1990"), 'minimum must be a date such as 2026-11-24, not "1990"'),
        (of("target", positive="nope"), 'positive must be one of its classes, "no", "yes", not "nope"'),
        (of("target", positive=True), "positive must be one of its classes"),
        (of("target", classes=[]), "the target is a classification, and has no classes"),
        (of("target", task="multiclass"), "the target has 2 classes, and its task is multiclass"),
        (of("target", task="regression"), "the target is a regression, and has no classes"),
        (of("target", outputs=["a"]), "the target is a classification, and has outputs"),
        (of("target", unit=5), "the target: unit must be text, not 5"),
    ],
)
def test_a_signature_that_contradicts_itself_is_refused(wire: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_signature(wire)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"headline": "r2"}, 'the headline "r2" is not among its metrics'),
        ({"metrics": {"mae": "low"}}, "metrics must be a table of numbers"),
        ({"method": None}, "method must be text"),
        ({"rows": "all"}, "rows must be a number"),
        ({"honest": "yes"}, "honest must be true or false"),
    ],
)
def test_a_quality_that_cannot_be_told_is_refused(changes: dict[str, Any], words: str) -> None:
    good = {
        "method": "cross-validated",
        "honest": True,
        "rows": 9,
        "headline": "mae",
        "metrics": {"mae": 1.0},
        "curves": {},
    }
    assert read_quality(good) == good
    with pytest.raises(ValueError, match=words):
        read_quality({**good, **changes})
    with pytest.raises(ValueError, match="the quality has no rows"):
        read_quality({key: value for key, value in good.items() if key != "rows"})


@pytest.mark.parametrize(
    ("told", "honest"),
    [
        ({"method": "5-fold cross-validation on 100 rows"}, True),
        ({"method": "100 rows that it was fitted on, which flatters it"}, False),
        ({"method": "rows that nobody was fitted on", "honest": True}, True),
    ],
)
def test_a_version_that_does_not_say_whether_its_quality_is_honest_tells_it_by_its_method(
    told: dict[str, Any], honest: bool
) -> None:
    quality = read_quality({**told, "rows": 9, "headline": "mae", "metrics": {"mae": 1.0}})

    assert quality is not None
    assert quality["honest"] is honest


COUNTED = {"positives": 2, "negatives": 3, "thresholds": [0, 1], "false_positives": [3, 0], "false_negatives": [0, 2]}


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        ([], "the thresholds must be a table with a table for a class, not a list"),
        ({"yes": 3}, "the thresholds of yes must be a table, not 3"),
        ({"yes": {**COUNTED, "positives": "two"}}, "the thresholds of yes: positives must be a number"),
        ({"yes": {**COUNTED, "thresholds": ["low"]}}, "the thresholds of yes: thresholds must be a list of numbers"),
        ({"yes": {**COUNTED, "costs": []}}, "the thresholds of yes has no 'costs'"),
        ({"yes": {"positives": 2}}, "the thresholds of yes have no false_negatives"),
        ({"yes": {**COUNTED, "false_positives": [3]}}, "the thresholds of yes must ascend, with the false positives"),
        ({"yes": {**COUNTED, "thresholds": [1, 0]}}, "the thresholds of yes must ascend"),
        ({"yes": {key: [] for key in COUNTED} | {"positives": 1, "negatives": 1}}, "the thresholds of yes must ascend"),
        ({"yes": {**COUNTED, "positives": 0, "negatives": 0}}, "the thresholds of yes are of no rows"),
    ],
)
def test_thresholds_that_could_not_be_read_later_are_refused(thresholds: Any, words: str) -> None:
    good = {"method": "cross-validated", "honest": True, "rows": 5, "headline": "mae", "metrics": {"mae": 1.0}}
    some: list[dict[str, Any]] = [{"thresholds": {"yes": COUNTED}}, {}, {"roc": {}}]
    for curves in some:
        assert read_quality({**good, "curves": curves}) == {**good, "curves": curves}
    with pytest.raises(ValueError, match=words):
        read_quality({**good, "curves": {"thresholds": thresholds}})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": 5}, "title must be text, not 5"),
        ({"synthetic": "no"}, "synthetic must be true or false"),
        ({"libraries": 3}, "what it says of the libraries is no table"),
    ],
)
def test_a_manifest_whose_words_are_no_words_is_refused(
    small_models: Path, changes: dict[str, Any], words: str
) -> None:
    version = small_models / "rent" / "1"
    manifest = Artifact(version).manifest
    (version / "manifest.json").write_bytes(as_json({"format": 1, **vars(manifest), **changes}))

    with pytest.raises(ArtifactError, match=words):
        Artifact(version)


def test_a_version_with_an_odd_description_is_not_served_and_the_others_are(
    small_models: Path, serving: Callable[..., TestClient], reseal: Reseal
) -> None:
    version = small_models / "spam" / "1"
    wire = Artifact(version).signature.to_dict()
    reseal(version, "signature.json", as_json({**wire, "target": {**wire["target"], "positive": "nope"}}))

    told = {model["name"]: model for model in serving(small_models).get("/models").json()["models"]}

    assert told["rent"]["champion"]["version"] == "1"
    assert told["spam"]["champion"] is None
    assert 'positive must be one of its classes, 0, 1, not "nope"' in told["spam"]["versions"][0]["reason"]
