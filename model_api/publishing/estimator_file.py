"""The fitted estimator as bytes that depend on its content alone: skops, or a pickle where the publisher allows one."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import skops.io

from model_api.runtimes.frames import Layout, to_frame, to_matrix
from model_api.runtimes.sklearn import PICKLE, SKOPS
from model_api.signature import Columns

ARRAY = b"\x93NUMPY"
"""How an array of NumPy begins."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date that every entry of the archive carries."""


@dataclass(frozen=True)
class StoredEstimator:
    """An estimator as it was written, and as it is read again."""

    files: dict[str, bytes]
    estimator: Any
    """What the file gives back: this is what is compared and served, not the object that was passed in."""


def store(estimator: Any, is_alike: Callable[[Any], bool], *, allow_pickle: bool) -> StoredEstimator:
    """Write an estimator, read it again, and ask `is_alike` about what comes back.

    Raises ValueError when only a pickle could hold it, and none is allowed.
    """
    try:
        data = dump(estimator)
        read = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
        if not is_alike(read):
            raise ValueError("what is read again answers differently")
    except Exception as error:  # skops raises whatever its readers and writers happen to meet
        if allow_pickle:
            return _pickled(estimator)
        raise ValueError(
            f"skops cannot hold this {type(estimator).__name__} ({type(error).__name__}: {error}); make its own steps "
            "importable classes of a package, or allow a pickle, which servers refuse unless they are told to trust it"
        ) from error
    return StoredEstimator({SKOPS: data}, read)


def answers_alike(estimator: Any, other: Any, layout: Layout, rows: Columns) -> bool:
    """Tell whether two estimators answer the same for some rows, to the last bit."""
    bare = not hasattr(estimator, "feature_names_in_") and all(column["dtype"] == "float64" for column in layout)
    table = (to_matrix if bare else to_frame)(rows, layout)
    try:
        before = np.asarray(estimator.predict(table))
    except Exception:  # noqa: BLE001 -- rows that the estimator itself refuses show nothing
        return True
    return bool(np.array_equal(before, np.asarray(other.predict(table))))


def _pickled(estimator: Any) -> StoredEstimator:
    import pickle  # noqa: TID251 -- the publisher allowed it, for an object of theirs

    try:
        data = pickle.dumps(estimator, protocol=5)
    except Exception as error:
        raise ValueError(f"not even a pickle can hold this {type(estimator).__name__}: {error}") from error
    return StoredEstimator({PICKLE: data}, estimator)


def estimator_hash(files: Mapping[str, bytes]) -> str:
    """Give the SHA-256 of the estimator's file: what the compiled forms were proved equal to."""
    return hashlib.sha256(next(files[name] for name in (SKOPS, PICKLE) if name in files)).hexdigest()


def dump(estimator: Any) -> bytes:
    """Serialise `estimator`; the same estimator gives the same bytes.

    skops names entries after memory addresses and stamps them with the time; between the fields of a tree's nodes lies
    whatever was in memory. All of it is replaced, so that a hash of the file tells whether the model changed.
    """
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    schema = json.loads(source.read("schema.json"))
    numbers: dict[str, int] = {}
    _renumber(schema, numbers)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entries = {"schema.json": json.dumps(schema).encode()}
        entries |= {_rename(n, numbers): _without_gaps(source.read(n)) for n in source.namelist() if n != "schema.json"}
        for entry in sorted(entries):
            archive.writestr(zipfile.ZipInfo(entry, EPOCH), entries[entry], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _without_gaps(data: bytes) -> bytes:
    """Write an array of records anew with nothing between their fields; whatever else it is stays as it is."""
    if not data.startswith(ARRAY):
        return data
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if not array.dtype.names:
        return data
    clean = np.zeros(array.shape, array.dtype)  # zeros_like would leave the gaps as they were
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
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
