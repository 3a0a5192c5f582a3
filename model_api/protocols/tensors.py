"""Tensors of the Open Inference Protocol: datatypes, shapes, and the elements of those that are sent as JSON."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from model_api.errors import InvalidRequest
from model_api.signature import Feature, Signature
from model_api.values import Level, clip

BYTES, BOOL, INT64, FP64 = "BYTES", "BOOL", "INT64", "FP64"
FORMATS: Mapping[str, str] = {
    "BOOL": "|b1",
    "UINT8": "|u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "|i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""Datatype → how its elements lie in memory; those of BYTES have lengths of their own."""
MOST_DIMENSIONS = 2
"""A column has one, a table has two."""
INFINITE: Mapping[str, float] = {"FP16": 2.0**16 - 2.0**4, "FP32": 2.0**128 - 2.0**103}
"""From which number on a datatype of less than 64 bits rounds to infinity."""
OVERFLOW = 2**60
"""Elements of 8 bytes that no memory can address."""


class Tensor(NamedTuple):
    """Named values in rows and columns."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: list[Any]
    """Its elements, row by row; None where one is missing."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """How many values a row has."""
        return self.shape[1] if len(self.shape) > 1 else 1


def datatype_of(feature: Feature) -> str:
    """Give the datatype of a feature; whole numbers that may be missing are FP64, for there is no whole NaN."""
    if feature.type == "category":
        return datatype_of_levels(feature.categories, missing=feature.missing_allowed)
    if feature.type in ("integer", "boolean") and not feature.missing_allowed:
        return {"integer": INT64, "boolean": BOOL}[feature.type]
    return FP64 if feature.type in ("number", "integer", "boolean") else BYTES


def datatype_of_levels(levels: Sequence[Level], *, missing: bool = False) -> str:
    """Give the datatype of classes or of a category's levels."""
    if any(isinstance(level, str) for level in levels):
        return BYTES
    if all(isinstance(level, bool) for level in levels):
        return FP64 if missing else BOOL
    return INT64 if all(isinstance(level, int) for level in levels) and not missing else FP64


def declared(signature: Signature) -> list[dict[str, Any]]:
    """Describe the inputs of a model: one for each feature."""
    return [{"name": f.name, "datatype": datatype_of(f), "shape": [-1]} for f in signature.features]


def require_kind(name: str, sent: str, feature: Feature) -> None:
    """Refuse text for a number and numbers for text; which kind of number does not matter. Raises InvalidRequest."""
    known = datatype_of(feature)
    if (sent == BYTES) != (known == BYTES) and not (known == BYTES and _has_numeric_levels(feature)):
        raise InvalidRequest(f"the input {clip(name)} is sent as {sent}, and its datatype is {known}")


def _has_numeric_levels(feature: Feature) -> bool:
    return any(not isinstance(level, str) for level in feature.categories)


def read_shape(value: object, name: str) -> tuple[int, ...]:
    """Read a shape. Raises InvalidRequest."""
    if not isinstance(value, list) or not value:
        raise InvalidRequest(f"the input {clip(name)} must have a shape, such as [2]")
    for size in value[: MOST_DIMENSIONS + 1]:
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise InvalidRequest(f"the shape of {clip(name)} must hold whole numbers from 0 on, not {clip(size)}")
    if len(value) > MOST_DIMENSIONS:
        raise InvalidRequest(f"the shape of {clip(name)} has {len(value)} dimensions; a table has 2: [rows, features]")
    return tuple(value)


def count_of(shape: tuple[int, ...], name: str) -> int:
    """Give the number of elements of a shape. Raises InvalidRequest when no memory could hold them."""
    count = math.prod(shape)
    if count >= OVERFLOW:
        raise InvalidRequest(f"the shape {clip(list(shape))} of {clip(name)} is an overflow: nothing is that large")
    return count


def read_elements(data: object, shape: tuple[int, ...], datatype: str, name: str) -> list[Any]:
    """Read `data`, which may be flat or nested. Raises InvalidRequest."""
    if not isinstance(data, list):
        raise InvalidRequest(f"the input {clip(name)} must have data: an array, flat or nested like its shape")
    count = count_of(shape, name)
    flat = _flattened(data, shape, name) if any(isinstance(item, list) for item in data) else data
    if len(flat) != count:
        raise InvalidRequest(f"the shape {list(shape)} of {clip(name)} has {count} elements, its data {len(flat)}")
    fits = _checker(datatype)
    for position, element in enumerate(flat):
        if element is not None and not fits(element):
            raise InvalidRequest(f"element {position} of {clip(name)} is no {datatype}: {clip(element)}")
    return flat


def _flattened(data: list[Any], shape: tuple[int, ...], name: str) -> list[Any]:
    """Give the elements of nested data whose lists are as long as the shape says."""
    if len(shape) < 2 or len(data) != shape[0]:
        raise InvalidRequest(f"the data of {clip(name)} is not nested like its shape {list(shape)}")
    for position, row in enumerate(data):
        if not isinstance(row, list) or len(row) != shape[1]:
            raise InvalidRequest(f"row {position} of {clip(name)} does not hold {shape[1]} values, as its shape says")
    return list(chain.from_iterable(data))


def _checker(datatype: str) -> Any:
    """Give the function that tells whether a JSON value can be an element."""
    if datatype == BYTES:
        return lambda value: isinstance(value, str)
    if datatype == BOOL:
        return lambda value: isinstance(value, bool) or value in (0, 1)
    if datatype.startswith("FP"):
        bound = INFINITE.get(datatype)
        return _is_number if bound is None else lambda value: _is_number(value) and abs(value) < bound
    bits = int(datatype.lstrip("UINT"))
    low, high = (0, 2**bits) if datatype.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value < high


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
