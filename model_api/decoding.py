"""Bytes → rows of checked values, for the requests that have nothing odd about them.

A signature is compiled to a msgspec type once per version, so that one call parses the body and checks types,
categories and names of features. It takes less than the full contract does, never more: whatever it does not take is
read again by `json_body`, `wire` and `Signature.check`, which know every form and every error.
"""

import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import msgspec
import numpy as np

from model_api.loading import LoadedModel
from model_api.runtimes import Row
from model_api.runtimes.selection import ChosenPredictor
from model_api.signature import Feature, InputWarning, Signature, parse_value
from model_api.values import LARGEST_EXACT_INTEGER, Rejected
from model_api.wire import AnswerKey

MOST_LEVELS = 1000
"""Levels of a category that are compiled; where there are more, each value is looked up."""
MANY = 16
"""Rows from which on they are read column by column."""
LONG = 4096
"""Bytes from which on NumPy counts faster."""
UNSET = msgspec.UNSET


class Decoded(NamedTuple):
    """A body that was understood, with valid instances."""

    rows: list[Row]
    """Values in the order of the signature's features."""
    warnings: list[list[InputWarning]]
    """For each row, what its reader should know."""
    key: AnswerKey
    """Name under which the answer gives the predictions."""
    single: bool
    """One instance was sent by itself."""


class Decoder:
    """Decodes bodies for one signature."""

    def __init__(self, signature: Signature, max_rows: int) -> None:
        """Compile the type of a body."""
        features = list(enumerate(signature.features))
        self._signature = signature
        self._names = signature.names
        self._max_rows = max_rows
        self._decode = _compiled(signature)
        self._decode_one = _compiled_for_one(signature)
        self._parsed = [(i, feature) for i, feature in features if not _is_compiled(feature)]
        self._texts = [i for i, feature in features if _may_hold_colons(feature)]
        self._colons = sum(1 + name.count(":") for name in self._names)
        self._open = [(i, frozenset(feature.categories)) for i, feature in self._parsed if feature.unknown_categories]
        self._optional = [i for i, feature in features if feature.missing_allowed]
        bounds = {i: bound for i, feature in features if (bound := _bounds(feature))}
        self._bounded = _picker(list(bounds))
        self._lows, self._highs = [low for low, _ in bounds.values()], [high for _, high in bounds.values()]

    def decode(self, body: bytes) -> Decoded | None:
        """Read a body; None when it is not of the plain kind, or when anything in it is not valid."""
        try:
            document = self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        instances, key, single = _instances(document)
        rows: list[Row] = list(map(msgspec.structs.astuple, instances))
        named_once = self._names_each_key_once(body, rows, 0 if key == "predict" else 1)
        if not named_once or not 1 <= len(rows) <= self._max_rows:
            return None
        if self._parsed:
            try:
                rows = self._parse(rows)
            except Rejected:
                return None
        odd = self._odd_ones(rows)
        if not odd:
            return Decoded(rows, [[] for _ in rows], key, single)
        checked = self._signature.check([dict(zip(self._names, rows[i], strict=True)) for i in odd])
        if checked.problems:
            return None
        found = dict(zip(odd, checked.warnings, strict=True))
        return Decoded(rows, [found.get(i, []) for i in range(len(rows))], key, single)

    def decode_one(self, body: bytes) -> Row | None:
        """Read the values of the one instance of a body, if there is nothing to say about it; None otherwise.

        That is: `{"data": {…}}`, no value missing and none outside the training range.
        """
        if self._decode_one is None:
            return None
        try:
            row: Row = msgspec.structs.astuple(self._decode_one(body).data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return row if self._names_each_key_once(body, [row], 1) else None

    def _names_each_key_once(self, body: bytes, rows: list[Row], outer: int) -> bool:
        """Tell by its colons: one follows each key, and the others are in texts, none of which is escaped."""
        if b"\\" in body:
            return False
        within = sum(str(row[i]).count(":") for row in rows for i in self._texts) if self._texts else 0
        return count(body, ":") == outer + len(rows) * self._colons + within

    def _parse(self, rows: list[Row]) -> list[Row]:
        """Parse the values that need more than their type, of many rows each value once. Raises Rejected."""
        if len(rows) < MANY:
            return [self._parsed_row(row) for row in rows]
        columns = list(zip(*rows, strict=True))
        for i, feature in self._parsed:
            parsed = {value: parse_value(feature, value) for value in set(columns[i])}
            columns[i] = tuple(map(parsed.__getitem__, columns[i]))
        return list(zip(*columns, strict=True))

    def _parsed_row(self, row: Row) -> Row:
        values = list(row)
        for i, feature in self._parsed:
            values[i] = parse_value(feature, values[i])
        return tuple(values)

    def _odd_ones(self, rows: list[Row]) -> list[int]:
        """Find the rows about which there is something to say: a value is missing, new or outside the range."""
        if len(rows) >= MANY and self._are_usual(tuple(zip(*rows, strict=True))):
            return []
        return [i for i, row in enumerate(rows) if not self._is_usual(row)]

    def _are_usual(self, columns: tuple[Any, ...]) -> bool:
        """Tell by the values of each feature whether there is nothing to say about any row."""
        if any(None in columns[i] for i in self._optional):
            return False
        if not all(levels.issuperset(columns[i]) for i, levels in self._open):
            return False
        values = self._bounded(columns)
        lowest, highest = map(min, values), map(max, values)
        return all(map(operator.le, self._lows, lowest)) and all(map(operator.ge, self._highs, highest))

    def _is_usual(self, row: Row) -> bool:
        if None in row or any(row[i] not in levels for i, levels in self._open):
            return False
        values: Any = self._bounded(row)
        return all(map(operator.le, self._lows, values)) and all(map(operator.ge, self._highs, values))


class Decoders:
    """The decoders of the versions that are asked."""

    def __init__(self, max_rows: int) -> None:
        self.max_rows = max_rows
        self._known: WeakKeyDictionary[ChosenPredictor, Decoder] = WeakKeyDictionary()

    def of(self, model: LoadedModel) -> Decoder:
        """Give the decoder of a version; made when it is first asked for, and kept for as long as that is loaded."""
        decoder = self._known.get(model.predictor)
        if decoder is None:
            decoder = self._known[model.predictor] = Decoder(model.artifact.signature, self.max_rows)
        return decoder


def count(body: bytes, character: str) -> int:
    """Count a character of ASCII; `bytes.count` takes five times as long for a long body."""
    if len(body) < LONG:
        return body.count(character.encode())
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(character)))


def rows_at_most(body: bytes) -> int:
    """Tell by its braces how many rows a body in an envelope can hold; a text may have braces too."""
    return count(body, "{") - 1


def _instances(document: Any) -> tuple[list[Any], AnswerKey, bool]:
    """Give the instances of a body, under which name they are answered, and whether it is one by itself."""
    if isinstance(document, list):
        return document, "predict", False
    if document.data is UNSET:
        return ([] if document.instances is UNSET else document.instances), "predictions", False
    if document.instances is not UNSET:
        return [], "prediction", False
    if isinstance(document.data, list):
        return document.data, "prediction", False
    return [document.data], "prediction", True


def _compiled(signature: Signature) -> Callable[[bytes], Any]:
    fields = [
        (
            f"f{i}",
            _type(feature) | None if feature.missing_allowed else _type(feature),
            msgspec.field(name=feature.name),
        )
        for i, feature in enumerate(signature.features)
    ]
    row: Any = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
    parts = [("data", row | list[row] | msgspec.UnsetType, UNSET), ("instances", list[row] | msgspec.UnsetType, UNSET)]
    envelope: Any = msgspec.defstruct("Body", parts, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(envelope | list[row]).decode


def _compiled_for_one(signature: Signature) -> Callable[[bytes], Any] | None:
    """Compile the type of the commonest body; None where not all of a value is checked by its type."""
    if not all(map(_is_compiled, signature.features)):
        return None
    fields = [
        (f"f{i}", _usual_type(feature), msgspec.field(name=feature.name))
        for i, feature in enumerate(signature.features)
    ]
    row: Any = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
    body: Any = msgspec.defstruct("Body", [("data", row)], forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(body).decode


def _usual_type(feature: Feature) -> Any:
    """Give the type of a value about which there is nothing to say."""
    bounds = _bounds(feature)
    if bounds is None:
        return _type(feature)
    low, high = (math.ceil(bounds[0]), math.floor(bounds[1])) if feature.type == "integer" else bounds
    return Annotated[_type(feature), msgspec.Meta(ge=low, le=high)]


def _may_hold_colons(feature: Feature) -> bool:
    if feature.type == "category" and _is_compiled(feature):
        return any(":" in str(level) for level in feature.categories)
    return feature.type in ("category", "date", "datetime", "text")


def _is_compiled(feature: Feature) -> bool:
    """Tell whether a value that is of the type needs no more parsing."""
    levels = feature.categories
    if feature.type == "category":
        return 0 < len(levels) <= MOST_LEVELS and all(isinstance(level, str) for level in levels)
    return feature.type in ("number", "integer", "boolean")


def _type(feature: Feature) -> Any:
    """Give the type that a value comes as."""
    if feature.type == "category":
        return Literal[feature.categories] if _is_compiled(feature) else str | float
    types: dict[str, Any] = {"number": float, "integer": int, "boolean": bool}
    return types.get(feature.type, str)


def _bounds(feature: Feature) -> tuple[Any, Any] | None:
    """Give the values between which there is nothing to say."""
    widest = {"number": sys.float_info.max, "integer": LARGEST_EXACT_INTEGER}.get(feature.type)
    low, high = feature.minimum, feature.maximum
    if feature.type in ("boolean", "category", "text"):
        return None
    if low is None or high is None:
        return None if widest is None else (-widest, widest)
    return (low, high) if widest is None else (max(low, -widest), min(high, widest))


def _picker(places: Sequence[int]) -> Callable[[Row], Any]:
    """Make a function that gives a row's values at some places."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    return lambda row: [row[place] for place in places]
