"""What the model service says is input: each field is checked, and what is shown together must fit together."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from dashboard.records import Catalogue, Feature, Interval, ModelVersion, Prediction, Quality, Target
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
        (kitchen.feature(), "type", "date"),
        (kitchen.feature(), "minimum", "20"),
        (kitchen.feature(), "minimum", float("nan")),
        (kitchen.feature(), "missing_allowed", 1),
        (kitchen.target(), "task", "clustering"),
        (kitchen.model(), "reference_rows", 0),
        (kitchen.model(), "reference_rows", 1001),
        (kitchen.prediction(1.0), "prediction", True),
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
    ],
)
def test_what_contradicts_itself_is_refused(record: type[BaseModel], changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        record.model_validate(changes)


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
        (5.5, {"a": 1.0}, False),
    ],
)
def test_a_number_is_the_answer_of_a_regression(value: float, shares: dict[str, float] | None, fits: bool) -> None:
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
    ],
)
def test_a_class_with_the_probability_of_each_is_the_answer_of_a_classification(
    value: float, shares: dict[str, float] | None, fits: bool
) -> None:
    assert kitchen.target(0, 1).fits(value, shares) is fits


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
