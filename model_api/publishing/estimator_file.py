"""The fitted estimator as skops bytes that depend on its content alone."""

import io
import json
import zipfile
from typing import Any

import skops.io
from sklearn.base import BaseEstimator

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date that every entry of the archive carries."""


def dump(estimator: BaseEstimator) -> bytes:
    """Serialise `estimator`; the same estimator gives the same bytes.

    skops names entries after memory addresses and stamps them with the time. Both are replaced, so that a hash of
    the file tells whether the model changed.
    """
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    schema = json.loads(source.read("schema.json"))
    numbers: dict[str, int] = {}
    _renumber(schema, numbers)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entries = {"schema.json": json.dumps(schema).encode()}
        entries |= {_rename(n, numbers): source.read(n) for n in source.namelist() if n != "schema.json"}
        for entry in sorted(entries):
            archive.writestr(zipfile.ZipInfo(entry, EPOCH), entries[entry], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _renumber(node: Any, numbers: dict[str, int]) -> None:
    """Replace each object's address by the order in which it is met."""
    if isinstance(node, list):
        for child in node:
            _renumber(child, numbers)
    elif isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(str(node["__id__"]), len(numbers))
        for child in node.values():
            _renumber(child, numbers)
        if "file" in node and isinstance(node["file"], str):
            node["file"] = _rename(node["file"], numbers)


def _rename(entry: str, numbers: dict[str, int]) -> str:
    address, dot, ending = entry.partition(".")
    return f"{numbers[address]}{dot}{ending}" if address in numbers else entry
