"""Rows, columns and matrices, as other protocols send them → instances: objects of feature → value."""

from collections.abc import Mapping, Sequence
from typing import Any

from model_api.errors import InvalidRequest
from model_api.signature import Feature, Signature
from model_api.values import clip, nearest

TEXTS = ("category", "text")
"""Types whose values are text, in which "NaN" is a word like any other."""
MISSING = frozenset({"NaN", "nan", "NaT"})
"""How clients that have only text for it write a missing number or date."""
MOST_NAMES, MOST_CHARACTERS = 30, 600
"""Names that one message lists, and how long they may be together."""
Instances = list[object]


def require_count(count: int, max_rows: int) -> None:
    """Refuse no instances, and more than one request may have. Raises InvalidRequest."""
    if not count:
        raise InvalidRequest("there must be at least 1 instance; there are no rows")
    if count > max_rows:
        raise InvalidRequest(f"{count} instances are more than the {max_rows} of one request")


def from_rows(signature: Signature, rows: Sequence[object], max_rows: int) -> Instances:
    """Take rows that are objects, or lists of values in the order of training. Raises InvalidRequest."""
    require_count(len(rows), max_rows)
    names = signature.names
    instances: Instances = []
    for position, row in enumerate(rows):
        if isinstance(row, list):
            if len(row) != len(names):
                raise InvalidRequest(
                    f"row {position} has {len(row)} values; the model has {len(names)} features: {listed(names)}"
                )
            instances.append(dict(zip(names, row, strict=True)))
        elif len(names) == 1 and not isinstance(row, dict):
            instances.append({names[0]: row})
        else:
            instances.append(row)
    return without_gaps(signature, instances)


def from_columns(signature: Signature, columns: Mapping[str, Sequence[object]], max_rows: int) -> Instances:
    """Take lists of values by the name of their feature. Raises InvalidRequest, naming every column that is wrong."""
    require_columns(signature, list(columns))
    for values in columns.values():
        require_count(len(values), max_rows)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{clip(name)} {length}" for name, length in list(lengths.items())[:MOST_NAMES])
        raise InvalidRequest(f"the columns differ in length: {counts}")
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return without_gaps(signature, [dict(zip(names, row, strict=True)) for row in rows])


def require_columns(signature: Signature, names: Sequence[str]) -> None:
    """Refuse names that are no features, and the absence of those that must be there. Raises InvalidRequest."""
    known = set(signature.names)
    if unknown := [name for name in names if name not in known]:
        near = nearest(unknown[0], signature.names)
        hint = f" (did you mean {near}?)" if near else ""
        are = "is no feature" if len(unknown) == 1 else "are no features"
        raise InvalidRequest(f"{listed(unknown)} {are} of this model{hint}; expected {listed(signature.names)}")
    if absent := [f.name for f in signature.features if not f.missing_allowed and f.name not in names]:
        got = listed(names) if names else "nothing"
        raise InvalidRequest(f"{listed(absent)} {'is' if len(absent) == 1 else 'are'} missing; got {got}")


def kept_columns(names: Sequence[str], signature: Signature) -> list[str]:
    """Leave out names that are no features, as MLflow does, but not what looks like the name of an absent feature."""
    known = set(signature.names)
    absent = sorted(known - set(names))
    return [name for name in names if name in known or (absent and nearest(name, absent))]


def without_gaps(signature: Signature, instances: Instances) -> Instances:
    """Put None where a missing number or date was written as a word."""
    names = [feature.name for feature in signature.features if may_be_a_gap(feature)]
    for instance in instances:
        if isinstance(instance, dict):
            for name in names:
                value = instance.get(name)
                if isinstance(value, str) and value in MISSING:
                    instance[name] = None
    return instances


def may_be_a_gap(feature: Feature) -> bool:
    """Tell whether "NaN" can only mean that the feature's value is missing."""
    return feature.type not in TEXTS


def as_list(value: object, what: str) -> list[Any]:
    """Require an array. Raises InvalidRequest."""
    if not isinstance(value, list):
        raise InvalidRequest(f"{what} must be an array")
    return value


def listed(names: Sequence[str]) -> str:
    """Name some things in a sentence, the first ones when they are many."""
    shown = [clip(name) for name in names[:MOST_NAMES]]
    while sum(map(len, shown)) > MOST_CHARACTERS:
        shown.pop()
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def column_of(value: object, name: str) -> list[Any]:
    """Give the values of a column, which may be a list of lists of one. Raises InvalidRequest."""
    values = as_list(value, f"the column {clip(name)}")
    if values and all(isinstance(item, list) and len(item) == 1 for item in values):
        return [item[0] for item in values]
    return values
