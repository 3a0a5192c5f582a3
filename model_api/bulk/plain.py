"""A column of any type that Arrow knows → one of the few that a JSON instance could bring.

What comes out is null, bool, integer, float64 without NaN, text, or a dictionary of texts. Dates and times become the
ISO 8601 text that JSON would bring, decimals their digits, NaN a missing value. So a cell means the same in every
form, and `Signature.check` can be asked about it.
"""

from typing import Any

from model_api.bulk.arrow import pa, pc
from model_api.errors import BodyTooLarge, Problem
from model_api.values import clip

MOST_TEXT_BYTES = 2**27
"""Of all texts of one column in one piece, repeated ones counted each time."""


def problem_of_type(name: str, kind: Any) -> Problem | None:
    """Say what is wrong with a column's type, if anything: lists, objects, bytes and durations are no values."""
    if _is_plain(kind.value_type if pa.types.is_dictionary(kind) else kind):
        return None
    message = f"{clip(name)} is a column of {clip(str(kind))}, which are no values of a feature"
    return Problem(clip(name), "unsupported_type", message, "numbers, booleans, text, dates or timestamps")


def _is_plain(kind: Any) -> bool:
    types = pa.types
    return any(
        test(kind)
        for test in (
            *(types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_decimal),
            *(is_text, types.is_date, types.is_timestamp),
        )
    )


def is_text(kind: Any) -> bool:
    """Tell whether a type is one of Arrow's types of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def plain(name: str, column: Any) -> Any:
    """Turn a column into a plain one. Raises BodyTooLarge when its texts inflate."""
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return _of_dictionary(name, column)
    if is_text(kind):
        _require_small(name, pc.binary_length(column) if not types.is_string_view(kind) else _lengths(column))
        return column.cast(pa.string())
    if types.is_date64(kind):
        column = column.cast(pa.date32())
    if types.is_null(kind) or types.is_decimal(kind) or types.is_date(kind):
        return column.cast(pa.string())
    if types.is_timestamp(kind):
        return _moments(column)
    return _without_nan(column.cast(pa.float64())) if types.is_floating(kind) else column


def _of_dictionary(name: str, column: Any) -> Any:
    if not is_text(column.type.value_type):
        return plain(name, column.dictionary.take(column.indices))
    lengths = pc.binary_length(column.dictionary.cast(pa.large_string()))
    _require_small(name, lengths.take(column.indices))
    if len(column.dictionary) > len(column):  # only those that occur are looked at
        return column.dictionary.take(column.indices).cast(pa.string())
    return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), column.dictionary.cast(pa.string()))


def _lengths(column: Any) -> Any:
    """Give the lengths of texts that are views: the first four bytes of each view of sixteen."""
    import numpy as np

    views = np.frombuffer(column.buffers()[1], dtype=np.int32)[4 * column.offset :: 4][: len(column)]
    return pa.array(views, mask=~np.asarray(column.is_valid()))


def _require_small(name: str, lengths: Any) -> None:
    if (pc.sum(lengths.cast(pa.int64())).as_py() or 0) > MOST_TEXT_BYTES:
        raise BodyTooLarge(f"the texts of {clip(name)} inflate to more than {MOST_TEXT_BYTES} bytes")


def _without_nan(column: Any) -> Any:
    nan = pc.is_nan(column)
    if not pc.any(nan).as_py():
        return column
    return pc.if_else(nan, pa.scalar(None, pa.float64()), column)


def _moments(column: Any) -> Any:
    """Write timestamps as text: in UTC where they have a zone, to the microsecond."""
    unit = column.type.unit
    if unit == "ns":
        column, unit = column.cast(pa.timestamp("us", column.type.tz), safe=False), "us"
    if column.type.tz:
        return column.cast(pa.timestamp(unit, "UTC")).cast(pa.string())
    return column.cast(pa.string())
