"""Columns → verdicts: the same as those of `Signature.check` for the same rows, found by whole columns.

What is here only ever says "this cell is certainly good, and this is its value". A row with any other cell is given to
`Signature.check`, the one source of truth for what is wrong and how it is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model_api.bulk.arrow import pa, pc
from model_api.errors import Problem
from model_api.signature import Columns, Feature, InputWarning, Signature, parse_value, warning_about
from model_api.values import LARGEST_EXACT_INTEGER, Rejected, Value

DECIMAL = r"^-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?$"
"""Plain decimals that are certainly in the range of a float64; longer ones are doubtful."""
Mask = npt.NDArray[np.bool_]


class Verdict(NamedTuple):
    """The outcome of checking n rows."""

    columns: Columns
    """Values of the good rows by feature: a list, or an array of numbers where none is missing."""
    good: npt.NDArray[np.int64]
    """Which rows are good."""
    warnings: dict[int, list[InputWarning]]
    """Row → what its reader should know, for the good rows about which there is something to say."""
    problems: list[Problem]
    """Everything wrong with the bad rows; rows are counted from the first one of these."""


class Seen(NamedTuple):
    """One column, looked at as a whole."""

    values: Any
    """n values: floats with NaN for missing, or objects."""
    doubtful: Mask
    """Which cells have to be looked at singly."""
    warnings: dict[int, InputWarning]
    """Row → what to say of its value."""


def check_columns(signature: Signature, columns: Mapping[str, Any], rows: int) -> Verdict:
    """Check n rows, given as plain columns by feature; features without a column are missing in every row."""
    seen = {
        feature.name: _seen(feature, columns.get(feature.name, pa.nulls(rows, pa.string())))
        for feature in signature.features
    }
    doubtful = np.logical_or.reduce([column.doubtful for column in seen.values()])
    places = np.flatnonzero(doubtful)
    warnings: dict[int, list[InputWarning]] = {}
    for column in seen.values():
        for row, warning in column.warnings.items():
            if not doubtful[row]:
                warnings.setdefault(row, []).append(warning)
    problems = _look_singly(signature, columns, places, seen, warnings) if len(places) else []
    is_good = np.ones(rows, dtype=bool)
    is_good[np.array([problem.row for problem in problems], dtype=np.int64)] = False
    good = np.flatnonzero(is_good)
    taken = {feature.name: _taken(feature, seen[feature.name].values, good, rows) for feature in signature.features}
    return Verdict(taken, good, warnings, problems)


def check_instances(signature: Signature, instances: Sequence[object]) -> Verdict:
    """Check instances as they come in JSON."""
    checked = signature.check(instances)
    good = np.array(checked.good, dtype=np.int64)
    warnings = {row: found for row, found in zip(checked.good, checked.warnings, strict=True) if found}
    return Verdict(checked.columns, good, warnings, checked.problems)


def _look_singly(
    signature: Signature,
    columns: Mapping[str, Any],
    places: npt.NDArray[np.int64],
    seen: Mapping[str, Seen],
    warnings: dict[int, list[InputWarning]],
) -> list[Problem]:
    """Ask the signature about some rows; what it accepts is put into the columns."""
    taken = pa.array(places)
    cells = {name: column.take(taken).to_pylist() for name, column in columns.items()}
    instances = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
    checked = signature.check(instances or [{} for _ in places])
    for position, found in zip(checked.good, checked.warnings, strict=True):
        if found:
            warnings[int(places[position])] = found
    accepted = places[checked.good]
    for name, values in checked.columns.items():
        target = seen[name].values
        if target.dtype == object:
            for row, value in zip(accepted, values, strict=True):
                target[row] = value
        else:
            target[accepted] = np.array(values, dtype=np.float64)
    return [replace(problem, row=int(places[problem.row])) for problem in checked.problems]


def _seen(feature: Feature, column: Any) -> Seen:
    kind = column.type
    if feature.type in ("number", "integer"):
        if pa.types.is_dictionary(kind):
            column = column.cast(pa.string())
        if not pa.types.is_boolean(kind):
            return _seen_numbers(feature, column)
    return _seen_distinct(feature, column)


def _seen_numbers(feature: Feature, column: Any) -> Seen:
    """Look at numbers, or at texts of numbers."""
    missing = column.is_null()
    if pa.types.is_string(column.type):
        missing = pc.or_(missing, pc.fill_null(pc.equal(column, ""), fill_value=False))
        matched = pc.match_substring_regex(column, DECIMAL)
        if not pc.all(matched).as_py():
            column = pc.if_else(matched, column, pa.scalar(None, pa.string()))
    values = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    absent = missing.to_numpy(zero_copy_only=False)
    doubtful = ~np.isfinite(values) & ~absent
    if feature.type == "integer":
        with np.errstate(invalid="ignore"):
            doubtful |= ~absent & ((np.floor(values) != values) | (np.abs(values) > LARGEST_EXACT_INTEGER))
    warnings: dict[int, InputWarning] = {}
    if not feature.missing_allowed:
        doubtful |= absent
    else:
        _warn(warnings, np.flatnonzero(absent), warning_about(feature, None))
    if feature.minimum is not None and feature.maximum is not None:
        with np.errstate(invalid="ignore"):
            outside = ~((values >= feature.minimum) & (values <= feature.maximum)) & ~absent & ~doubtful
        plain = int if feature.type == "integer" else float
        for row in np.flatnonzero(outside).tolist():
            _warn(warnings, [row], warning_about(feature, plain(values[row])))
    return Seen(values, doubtful, warnings)


def _warn(warnings: dict[int, InputWarning], rows: Any, warning: InputWarning | None) -> None:
    if warning:
        warnings.update(dict.fromkeys(map(int, rows), warning))


def _seen_distinct(feature: Feature, column: Any) -> Seen:
    """Look at each distinct value once."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    entries = [*encoded.dictionary.to_pylist(), None]
    codes = encoded.indices.fill_null(len(entries) - 1).to_numpy(zero_copy_only=False).astype(np.int64)
    used = np.zeros(len(entries), dtype=bool)
    used[codes] = True
    values = np.empty(len(entries), dtype=object)
    refused = np.zeros(len(entries), dtype=bool)
    warned = np.zeros(len(entries), dtype=bool)
    said: dict[int, InputWarning] = {}
    for entry in np.flatnonzero(used).tolist():
        try:
            values[entry] = value = parse_value(feature, entries[entry])
        except Rejected:
            refused[entry] = True
            continue
        if warning := warning_about(feature, value):
            warned[entry], said[entry] = True, warning
    rows = np.flatnonzero(warned[codes])
    warnings = dict(zip(rows.tolist(), (said[entry] for entry in codes[rows].tolist()), strict=True))
    return Seen(values[codes], refused[codes], warnings)


def _taken(feature: Feature, values: Any, good: npt.NDArray[np.int64], rows: int) -> Any:
    """Give the good rows' values as a predictor takes them."""
    taken = values if len(good) == rows else values[good]
    if taken.dtype == object:
        return taken.tolist()
    missing = np.isnan(taken)
    if not missing.any():
        return taken.astype(np.int64) if feature.type == "integer" else taken
    plain = int if feature.type == "integer" else float
    found: list[Value] = [
        None if absent else plain(value) for value, absent in zip(taken.tolist(), missing.tolist(), strict=True)
    ]
    return found
