"""What the model service says is input: each field is checked, and what is shown together must fit together."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from dashboard.records import Catalogue, Feature, Interval, ModelVersion, Output, Prediction, Quality, Target
from tests.dashboard import kitchen
from tests.dashboard.conftest import AskApi

MODELS = ("diabetes", "breast-cancer", "wine", "loans")


@pytest.mark.parametrize("name", MODELS)
def test_the_real_service_is_understood(ask_api: AskApi, name: str) -> None:
    version = ModelVersion.model_validate(ask_api("GET", f"/models/{name}/versions/1"))

    assert version.name == name
    assert version.signature.features
    assert len(version.provenance.digest) == 64


def test_the_catalogue_finds_the_champion_of_a_model(ask_api: AskApi) -> None:
    catalogue = Catalogue.model_validate(ask_api("GET", "/models"))

    assert {listing.name for listing in catalogue.models} == set(MODELS)
    assert catalogue.default == "diabetes"
    assert (champion := catalogue.champion("wine"))
    assert champion.version == "1"
    assert catalogue.champion("nope") is None


def test_a_field_that_nobody_knows_yet_is_left_out() -> None:
    record = Quality.model_validate({"method": "m", "headline": "r2", "metrics": {"r2": 1.0}, "new": "field"})

    assert not hasattr(record, "new")


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [
        (kitchen.feature(), "name", 1),
        (kitchen.feature(), "name", None),
        (kitchen.feature(), "type", "duration"),
        (kitchen.feature(), "type", None),
        (kitchen.feature(), "minimum", "20"),
        (kitchen.feature(), "minimum", True),
        (kitchen.feature(), "minimum", float("nan")),
        (kitchen.feature(), "missing_allowed", 1),
        (kitchen.feature(), "quantiles", (1.0, "2", 3.0, 4.0, 5.0)),
        (kitchen.feature(), "guessed", (1,)),
        (kitchen.feature("at", "datetime"), "zone", 1),
        (kitchen.target(outputs=("a", "b")), "outputs", (1, 2)),
        (kitchen.target("a", "b"), "probabilities", 1),
        (kitchen.target(), "task", "clustering"),
        (kitchen.model(), "reference_rows", -1),
        (kitchen.model(), "reference_rows", 1001),
        (kitchen.prediction(1.0), "prediction", [1.0]),
        (kitchen.prediction(1.0), "prediction", {"a": "1"}),
        (kitchen.prediction(1.0), "prediction", {"a": True}),
        (kitchen.prediction(1.0), "prediction", {"a": None}),
        (kitchen.prediction(1.0), "prediction", {"a": float("nan")}),
        (kitchen.prediction(1.0), "prediction", None),
        (kitchen.prediction(1.0), "prediction", float("inf")),
        (kitchen.prediction(1.0), "probabilities", {"a": float("nan")}),
        (kitchen.prediction(1.0), "warnings", None),
        (kitchen.reference([1.0]), "data", ["row"]),
    ],
)
def test_a_value_of_another_type_is_refused(record: BaseModel, field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        type(record).model_validate({**record.model_dump(), field: value})


def test_a_record_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        kitchen.feature().name = "other"


@pytest.mark.parametrize(
    ("record", "changes", "reason"),
    [
        (Feature, {**kitchen.feature(kind="category").model_dump(), "categories": ()}, "without levels"),
        (Quality, {"method": "m", "headline": "r2", "metrics": {}}, "headline"),
        (Interval, {"coverage": 0.9}, "without bounds"),
        (Interval, {"coverage": 0.9, "low": 1.0}, "without bounds"),
        (Interval, {"coverage": 0.9, "classes": ()}, "without bounds"),
        (Target, {**kitchen.target().model_dump(), "classes": ("a", "b")}, "no classes"),
        (Target, {**kitchen.target("a", "b").model_dump(), "classes": ()}, "no classes"),
        (Target, {**kitchen.target("a", "b").model_dump(), "positive": "c"}, "positive"),
        (Target, {**kitchen.target(False, True).model_dump(), "positive": 1}, "positive"),
        (Target, {**kitchen.target("a", "b").model_dump(), "outputs": ("a", "b")}, "no outputs"),
        (Target, {**kitchen.target().model_dump(), "outputs": ("a", "a")}, "named twice"),
        (Feature, {**kitchen.feature().model_dump(), "quantiles": (1.0, 2.0)}, "not five"),
        (Feature, {**kitchen.feature().model_dump(), "minimum": "2019-01-01"}, "a minimum that is no number"),
        (Feature, {**kitchen.feature("d", "date").model_dump(), "minimum": 20.0}, "a minimum that is no date"),
        (Feature, {**kitchen.feature("d", "date").model_dump(), "maximum": "31-12-2024"}, "a maximum that is no date"),
        (Feature, {**kitchen.feature("d", "date").model_dump(), "default": "2024-02-30"}, "a default that is no date"),
        (Feature, {**kitchen.feature("d", "date").model_dump(), "default": 0.0}, "a default that is no date"),
        (Feature, {**kitchen.feature("d", "date").model_dump(), "zone": "UTC"}, "a time zone without a time"),
        (Feature, {**kitchen.feature("d", "datetime").model_dump(), "zone": "Mars/Olympus"}, "no time zone"),
        (Feature, {**kitchen.feature("d", "datetime").model_dump(), "minimum": "2024-02-03"}, "no datetime"),
        (Feature, {**kitchen.feature("d", "datetime").model_dump(), "default": "2024-02-03T09:30Z"}, "no datetime"),
        (Interval, {"coverage": 0.9, "low": {"a": 1.0}}, "without bounds"),
    ],
)
def test_what_contradicts_itself_is_refused(record: type[BaseModel], changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        record.model_validate(changes)


@pytest.mark.parametrize(
    "about",
    [
        {"kind": "date"},
        {"kind": "date", "minimum": None, "maximum": None, "default": None},
        {"kind": "datetime"},
        {"kind": "datetime", **kitchen.AMSTERDAM},
        {"kind": "text", "default": None},
        {"quantiles": (20.0, 40.0, 70.0, 100.0, 140.0)},
        {"kind": "boolean", "minimum": 0.0, "maximum": 1.0, "guessed": ("minimum",)},
        {"kind": "category", "categories": (True, False)},
    ],
)
def test_every_kind_of_feature_is_understood(about: dict[str, Any]) -> None:
    feature = kitchen.feature(**about)

    assert Feature.model_validate_json(feature.model_dump_json()) == feature


def test_a_service_that_does_not_know_the_newer_facts_is_understood() -> None:
    newer = ("quantiles", "zone", "guessed", "outputs", "probabilities")
    feature = {name: fact for name, fact in kitchen.feature().model_dump().items() if name not in newer}
    target = {name: fact for name, fact in kitchen.target().model_dump().items() if name not in newer}

    assert Feature.model_validate(feature) == kitchen.feature()
    assert Target.model_validate(target) == kitchen.target()


def test_a_model_may_have_come_without_data() -> None:
    version = kitchen.model(rows=0)

    assert version.quality is None
    assert not version.guesses
    assert kitchen.model(kitchen.feature(guessed=("minimum",)), rows=0).guesses
    assert ModelVersion.model_validate_json(version.model_dump_json()) == version


def test_a_feature_without_a_label_is_called_by_its_name() -> None:
    assert kitchen.feature("bmi", label="Body mass index").title == "Body mass index"
    assert kitchen.feature("bmi").title == "bmi"


@pytest.mark.parametrize(
    ("value", "shares", "fits"),
    [
        (5.5, None, True),
        (5, None, True),
        ("5.5", None, False),
        (10**400, None, False),
        (True, None, False),
        ({"a": 5.5}, None, False),
        (5.5, {"a": 1.0}, False),
    ],
)
def test_a_number_is_the_answer_of_a_regression(value: Output, shares: dict[str, float] | None, fits: bool) -> None:
    assert kitchen.target().fits(value, shares) is fits


@pytest.mark.parametrize(
    ("value", "shares", "fits"),
    [
        (1, {"0": 0.3, "1": 0.7}, True),
        (1, None, False),
        (2, {"0": 0.3, "1": 0.7}, False),
        ("1", {"0": 0.3, "1": 0.7}, False),
        (1, {"1": 0.7}, False),
        (1, {"0": 0.3, "1": 0.7, "2": 0.0}, False),
        (1, {"0": -0.3, "1": 1.3}, False),
        (True, {"0": 0.3, "1": 0.7}, False),
        ({"0": 0.3, "1": 0.7}, {"0": 0.3, "1": 0.7}, False),
    ],
)
def test_a_class_with_the_probability_of_each_is_the_answer_of_a_classification(
    value: Output, shares: dict[str, float] | None, fits: bool
) -> None:
    assert kitchen.target(0, 1).fits(value, shares) is fits


@pytest.mark.parametrize(
    ("value", "shares", "fits"),
    [
        (True, {"False": 0.3, "True": 0.7}, True),
        (1, {"False": 0.3, "True": 0.7}, False),
        ("True", {"False": 0.3, "True": 0.7}, False),
        (True, {"false": 0.3, "true": 0.7}, False),
    ],
)
def test_yes_and_no_are_classes_and_no_numbers(value: Output, shares: dict[str, float], fits: bool) -> None:
    assert kitchen.target(False, True).fits(value, shares) is fits


@pytest.mark.parametrize(
    ("value", "shares", "fits"),
    [
        ("a", None, True),
        ("c", None, False),
        ("a", {"a": 1.0, "b": 0.0}, False),
        ("a", {}, False),
    ],
)
def test_a_class_alone_is_the_answer_of_a_classification_without_probabilities(
    value: str, shares: dict[str, float] | None, fits: bool
) -> None:
    assert kitchen.target("a", "b", probabilities=False).fits(value, shares) is fits


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"a": 1.0, "b": 2.0}, True),
        ({"b": 2.0, "a": 1.0}, True),
        ({"a": 1.0}, False),
        ({"a": 1.0, "b": 2.0, "c": 3.0}, False),
        ({}, False),
        (1.0, False),
        ("a", False),
    ],
)
def test_a_number_for_each_output_is_the_answer_of_several(value: Output, fits: bool) -> None:
    assert kitchen.target(outputs=("a", "b")).fits(value, None) is fits


@pytest.mark.parametrize(
    ("target", "interval", "fits"),
    [
        (kitchen.target(), None, True),
        (kitchen.target(), {"low": 1.0, "high": 2.0}, True),
        (kitchen.target(), {"low": {"a": 1.0}, "high": {"a": 2.0}}, False),
        (kitchen.target(), {"low": 1.0, "high": {"a": 2.0}}, False),
        (kitchen.target(), {"classes": ("a",)}, False),
        (kitchen.target(outputs=("a",)), {"low": {"a": 1.0}, "high": {"a": 2.0}}, True),
        (kitchen.target(outputs=("a",)), {"low": {"a": 1.0}, "high": {"b": 2.0}}, False),
        (kitchen.target(outputs=("a",)), {"low": 1.0, "high": 2.0}, False),
        (kitchen.target("a", "b"), {"classes": ("a", "b")}, True),
        (kitchen.target("a", "b"), {"classes": ("a", "c")}, False),
        (kitchen.target("a", "b"), {"low": 1.0, "high": 2.0}, False),
        (kitchen.target(False, True), {"classes": (True,)}, True),
        (kitchen.target(False, True), {"classes": (1,)}, False),
        (kitchen.target("a", "b", probabilities=False), None, True),
        (kitchen.target("a", "b", probabilities=False), {"classes": ("a",)}, False),
    ],
)
def test_an_interval_is_of_the_kind_of_its_target(target: Target, interval: dict[str, Any] | None, fits: bool) -> None:
    found = None if interval is None else Interval.model_validate({"coverage": 0.9, **interval})

    assert target.bounds(found) is fits


def test_classes_are_ranked_by_their_probability() -> None:
    ranked = kitchen.target(False, True).ranked({"True": 0.7, "False": 0.3})

    assert ranked == [(True, 0.7), (False, 0.3)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: {"prediction": ({"a": 1.0},) * 2},
        lambda _: {"target": ({"a": 1.0, "b": 2.0, "c": 3.0}, None)},
        lambda _: {"target": (1.0, None)},
        lambda _: {"probabilities": ({"a": 1.0},) * 2},
    ],
)
def test_reference_rows_of_several_outputs_have_a_number_for_each(
    spoil: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    rows = kitchen.reference([{"a": 1.0, "b": 2.0}] * 2, [{"a": 1.5, "b": 2.5}, None])
    signature = kitchen.model(of=kitchen.target(outputs=("a", "b"))).signature
    spoilt = type(rows).model_validate({**rows.model_dump(), **spoil(rows.model_dump())})

    assert rows.fits(signature)
    assert not spoilt.fits(signature)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: {"data": rows["data"][1:]},
        lambda rows: {"target": rows["target"][1:]},
        lambda _: {"data": ({},) * 2},
        lambda _: {"prediction": ("high", "low")},
        lambda _: {"target": ("high", "low")},
        lambda _: {"probabilities": ({"a": 1.0},) * 2},
    ],
)
def test_reference_rows_that_are_not_whole_do_not_fit(spoil: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    rows = kitchen.reference([1.0, 2.0], [1.5, None])
    signature = kitchen.model().signature
    spoilt = type(rows).model_validate({**rows.model_dump(), **spoil(rows.model_dump())})

    assert rows.fits(signature)
    assert not spoilt.fits(signature)


def test_versions_are_told_apart_by_their_content() -> None:
    version, same, other = kitchen.model(), kitchen.model(), kitchen.model(version="2")

    assert hash(version) == hash(same)
    assert version == same
    assert hash(version) != hash(other)


def test_an_answer_needs_no_field_that_its_kind_of_model_lacks() -> None:
    answer: dict[str, Any] = {
        "prediction": 1.5,
        "interval": None,
        "warnings": [],
        "model": "m",
        "version": "1",
        "request_id": "r",
    }

    assert Prediction.model_validate(answer).probabilities is None


@pytest.mark.parametrize(
    "odd",
    [
        {"title": 5},
        {"target": {"name": "rent"}},
        {"target": kitchen.target("a", "b").model_dump() | {"positive": "nope"}},
    ],
)
def test_what_is_odd_about_one_model_is_no_harm_to_the_others(odd: dict[str, Any]) -> None:
    good = catalogue_of(kitchen.model())
    bad = {"name": "spam", "champion": {**good["models"][0]["champion"], **odd}}

    catalogue = Catalogue.model_validate_json(json.dumps({**good, "models": [*good["models"], bad]}))

    assert catalogue.champion("rent")
    assert [(listing.name, listing.understood) for listing in catalogue.models] == [("rent", True), ("spam", False)]
    assert catalogue.champion("spam") is None


def catalogue_of(model: ModelVersion) -> dict[str, Any]:
    """Write what the service says of all models when there is one."""
    answers = kitchen.answers(model, predicted=kitchen.prediction(700.0), rows=kitchen.reference([700.0]))
    return dict(json.loads(json.dumps(answers["/models"])))


def test_a_model_that_has_no_name_spoils_the_catalogue() -> None:
    with pytest.raises(ValidationError):
        Catalogue.model_validate({"models": [{"champion": None}], "default": "rent"})


@pytest.mark.parametrize(
    ("method", "honest", "is_honest"),
    [
        ("5-fold cross-validation", None, True),
        ("the 80 rows that it was fitted on", None, False),
        ("the 80 rows that it was fitted on", True, True),
        ("5-fold cross-validation", False, False),
    ],
)
def test_the_service_tells_whether_the_rows_were_new_or_else_the_method_does(
    method: str, honest: bool | None, *, is_honest: bool
) -> None:
    quality = Quality(method=method, honest=honest, headline="accuracy", metrics={"accuracy": 0.9})

    assert quality.is_honest == is_honest
