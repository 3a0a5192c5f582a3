"""Which datatype a feature has."""

import pytest

from model_api.protocols.tensors import datatype_of, datatype_of_levels
from model_api.signature import Feature, FeatureType
from model_api.values import Level


@pytest.mark.parametrize(
    ("kind", "missing", "datatype"),
    [
        ("number", False, "FP64"),
        ("number", True, "FP64"),
        ("integer", False, "INT64"),
        ("integer", True, "FP64"),
        ("boolean", False, "BOOL"),
        ("boolean", True, "FP64"),
        ("date", False, "BYTES"),
        ("datetime", True, "BYTES"),
        ("text", False, "BYTES"),
    ],
)
def test_a_feature_has_a_datatype_that_can_hold_its_gaps(kind: FeatureType, missing: bool, datatype: str) -> None:
    assert datatype_of(Feature("x", kind, missing_allowed=missing)) == datatype


@pytest.mark.parametrize(
    ("levels", "missing", "datatype"),
    [
        (("a", "b"), False, "BYTES"),
        ((1, 2), False, "INT64"),
        ((1, 2), True, "FP64"),
        ((1, 2.5), False, "FP64"),
        ((1, "b"), False, "BYTES"),
        ((False, True), False, "BOOL"),
    ],
)
def test_levels_have_the_datatype_that_holds_them_all(levels: tuple[Level, ...], missing: bool, datatype: str) -> None:
    assert datatype_of_levels(levels, missing=missing) == datatype
    assert datatype_of(Feature("x", "category", categories=levels, missing_allowed=missing)) == datatype
