"""Bytes → JSON value, strictly: what json.loads lets through and a model service must not."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

from model_api.errors import UnreadableBody

MAX_DEPTH = 32
CONSTANTS = {"NaN": None, "Infinity": math.inf, "-Infinity": -math.inf}
STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)')
"""A constant within a string is only text."""
LONGEST_INTEGER = 400
"""Digits; Python refuses to read integers of more than 4,300, and no feature needs more than 309."""


def parse(body: bytes, *, constants: bool = False) -> Any:
    """Read a JSON document; raises UnreadableBody, saying what is wrong and where.

    With `constants`, the bare NaN that some clients write is null, and Infinity a number that no feature takes.
    """
    if not body:
        raise UnreadableBody('the body is empty; send JSON such as {"data": {...}}')
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableBody(f"the body is not UTF-8: byte {error.start} is not valid") from error
    constant = CONSTANTS.__getitem__ if constants else partial(_refuse_constant, text)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=constant, parse_int=_parse_integer)
        if "\\u" in text:  # the only way in for half a character pair, which cannot be written back
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise UnreadableBody(f"the body is nested deeper than depth {MAX_DEPTH}") from error
    except UnicodeEncodeError as error:
        raise UnreadableBody("the body holds a lone surrogate, which is not valid Unicode") from error
    except json.JSONDecodeError as error:
        raise UnreadableBody(f"the body is not JSON: {error.msg} at offset {error.pos}") from error
    if _depth(value) > MAX_DEPTH:
        raise UnreadableBody(f"the body is nested deeper than depth {MAX_DEPTH}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise UnreadableBody(f"the key {twice[:64]!a} is given twice")
    return result


def _refuse_constant(text: str, name: str) -> NoReturn:
    offset = next(found.start() for found in STRING_OR_CONSTANT.finditer(text) if found[1])
    raise UnreadableBody(f"{name} is not JSON, at offset {offset}; send null for a missing value")


def _parse_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else math.inf


def _depth(value: object) -> int:
    """Count how deep lists and objects are nested, without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in _children(item)]
    return depth


def _children(item: object) -> Iterator[object]:
    if isinstance(item, dict):
        return iter(item.values())
    assert isinstance(item, list)
    return iter(item)
