"""A skops file, looked into but not loaded: a zip archive with a description of objects and the arrays in them."""

import io
import json
import math
import pickletools
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from model_api.errors import ArtifactError
from model_api.trust import Trust

NAME = "estimator.skops"
SCHEMA = "schema.json"
MOST_ENTRIES = 10_000
MOST_BYTES = 256 * 2**20
"""Of all entries together, inflated."""
SUSPICIOUS_BYTES, MOST_RATIO = 16 * 2**20, 200
"""A file that inflates to more than the first must not inflate to more than the second times its size."""
MOST_DEPTH = 400
FIRST_OPERATIONS = 16
"""Of a pickle of the old kind, which is text: where fewer can be read it is some other text."""
NEWEST_PROTOCOL = 9
OWN_ROOTS = ("numpy", "scipy", "sklearn")
"""Packages whose types skops itself knows and audits when it loads; this look refuses what is of no such package."""
_BUILTINS = "NoneType bool bytearray bytes complex dict float frozenset int list map range set slice str tuple type"
_LOADERS = """
    BytearrayNode BytesNode CachedNode ConstructorFromReduceNode DTypeNode DefaultDictNode DictNode FunctionNode
    JsonNode ListNode LossNode MaskedArrayNode MethodNode NdArrayNode ObjectNode OperatorFuncNode PartialNode
    QuantileForestNode RandomGeneratorNode RandomStateNode ReduceNode SGDNode SetNode SliceNode SparseMatrixNode
    TreeNode TupleNode TypeNode _DictWithDeprecatedKeysNode
"""
OWN_BUILTINS = frozenset(_BUILTINS.split())
_COMPRESSED = (b"\x1f\x8b", b"BZ", b"\xfd7zXZ\x00", b"\x04\x22\x4d\x18")
"""How gzip, bzip2, xz and lz4 begin; zlib begins with an x and a check of two bytes (RFC 1950)."""
ARCHIVE, ARRAY, PICKLE = b"PK\x03\x04", b"\x93NUMPY", b"\x80"
"""How a zip archive, an array of NumPy and a pickle (but for those of the oldest kinds) begin."""
LOADERS = frozenset(_LOADERS.split())
"""What skops knows how to read."""


@dataclass(frozen=True)
class SkopsFile:
    """What a skops file says of itself."""

    types: dict[str, int]
    """Every type and function that it names, and how often."""
    protocol: int
    skops_version: str
    entries: int
    inflated: int
    """Bytes of all entries together."""

    def refused(self, trust: Trust) -> list[str]:
        """Name the types that an operator does not let in."""
        allowed = set(trust.all_types)
        return sorted(name for name in self.types if name not in allowed and not _is_known(name))


def _is_known(name: str) -> bool:
    module, _, last = name.rpartition(".")
    if module == "builtins":
        return last in OWN_BUILTINS
    return module.split(".")[0] in OWN_ROOTS


def look_into(data: bytes) -> SkopsFile:
    """Tell what is in a skops file. Raises ArtifactError when it is none, or is made to do harm."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # a made-up archive fails in any way
        raise ArtifactError(f"{NAME} is not a skops file: {_format_of(data)}") from error
    entries = archive.infolist()
    _require_calm(entries)
    _require_small(entries, len(data))
    _require_small([*entries, *_inner_entries(archive, entries)], len(data))
    schema = _read_schema(archive)
    _require_plain_arrays(archive, entries)
    return SkopsFile(
        types=dict(sorted(Counter(_types(schema)).items())),
        protocol=_protocol(schema),
        skops_version=str(schema.get("_skops_version", "unknown"))[:40],
        entries=len(entries),
        inflated=sum(entry.file_size for entry in entries),
    )


def _format_of(data: bytes) -> str:
    """Say what a file looks like."""
    if not data:
        return "it is empty"
    if is_pickle(data):
        return "it looks like a pickle, and that format is refused"
    if data.startswith(_COMPRESSED) or (data[0] == ord("x") and int.from_bytes(data[:2]) % 31 == 0):
        return "it looks like a compressed pickle (joblib), and that format is refused"
    return "it is not a zip archive"


def is_pickle(data: bytes) -> bool:
    """Tell whether bytes begin like a pickle, by its operations; none of them is carried out."""
    if data.startswith(PICKLE):
        return True
    try:
        return len(list(islice(pickletools.genops(data), FIRST_OPERATIONS))) > 1
    except Exception:  # noqa: BLE001 -- bytes that are no pickle fail in any way
        return False


def _inner_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Give what is in archives inside of the archive: a sparse matrix is one."""
    inner: list[zipfile.ZipInfo] = []
    for entry in entries:
        try:
            data = archive.read(entry) if _begins(archive, entry, ARCHIVE) else None
            inner += zipfile.ZipFile(io.BytesIO(data)).infolist() if data else []
        except Exception as error:  # a made-up archive fails in any way
            raise ArtifactError(f"{NAME} is damaged: {entry.filename[:64]!a} cannot be read ({error})") from error
    return inner


def _begins(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, magic: bytes) -> bool:
    """Tell by its first bytes what an entry is: skops loads arrays by any name."""
    with archive.open(entry) as file:
        return file.read(len(magic)) == magic


def _require_small(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Look at what entries would inflate to, before they are."""
    inflated = sum(entry.file_size for entry in entries)
    if inflated > MOST_BYTES:
        raise ArtifactError(f"{NAME} would inflate to {inflated:,} bytes, more than {MOST_BYTES:,}")
    if inflated > SUSPICIOUS_BYTES and inflated > MOST_RATIO * size:
        raise ArtifactError(f"{NAME} would inflate to {inflated // size:,} times its size")


def _require_calm(entries: list[zipfile.ZipInfo]) -> None:
    """Look at the archive's table before anything is inflated."""
    if len(entries) > MOST_ENTRIES:
        raise ArtifactError(f"{NAME} holds {len(entries):,} entries, more than {MOST_ENTRIES:,}")
    for entry in entries:
        name = entry.filename
        if "/" in name or "\\" in name or name.startswith(".") or not name.isprintable():
            raise ArtifactError(f"{NAME} holds an entry that is no plain file name: {name[:64]!a}")
        if entry.flag_bits & 0x1:
            raise ArtifactError(f"{NAME} holds an encrypted entry: {name[:64]!a}")
    twice = [name for name, count in Counter(entry.filename for entry in entries).items() if count > 1]
    if twice:
        raise ArtifactError(f"{NAME} holds two entries of the same name: {twice[0][:64]!a}")


def _read_schema(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        schema = json.loads(archive.read(SCHEMA))
    except KeyError as error:
        raise ArtifactError(f"{NAME} is not a skops file: it has no {SCHEMA}") from error
    except Exception as error:  # a made-up archive fails in any way
        raise ArtifactError(f"{NAME} is damaged: {SCHEMA} cannot be read ({error})") from error
    if not isinstance(schema, dict):
        raise ArtifactError(f"{NAME} is not a skops file: {SCHEMA} is no object")
    return schema


def _protocol(schema: dict[str, Any]) -> int:
    protocol = schema.get("protocol")
    if not isinstance(protocol, int) or isinstance(protocol, bool) or not 0 <= protocol <= NEWEST_PROTOCOL:
        raise ArtifactError(f"{NAME} is of the protocol {str(protocol)[:40]}, which this server does not know")
    return protocol


def _types(schema: dict[str, Any]) -> Iterator[str]:
    """Give the name of each type and function in the description, without recursion."""
    waiting: list[tuple[Any, int]] = [(schema, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise ArtifactError(f"{NAME} describes objects nested deeper than {MOST_DEPTH}")
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting += [(child, depth + 1) for child in children]
        if isinstance(node, dict) and "__loader__" in node:
            yield from _named(node)


def _named(node: dict[str, Any]) -> Iterator[str]:
    loader = node["__loader__"]
    if not isinstance(loader, str) or loader not in LOADERS:
        raise ArtifactError(f"{NAME} asks for the unknown loader {str(loader)[:64]!a}")
    yield f"{node.get('__module__')}.{node.get('__class__')}"


def _require_plain_arrays(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Look at the head of every array: no objects, and no more numbers than there are bytes."""
    for entry in entries:
        try:
            if not (entry.filename.endswith(".npy") or _begins(archive, entry, ARRAY)):
                continue
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
        except Exception as error:  # a made-up array fails in any way
            raise ArtifactError(f"{NAME} is damaged: {entry.filename} is no array ({error})") from error
        if dtype.hasobject:
            raise ArtifactError(f"{NAME} holds an array of objects, which only a pickle can hold: {entry.filename}")
        if math.prod(shape) * dtype.itemsize > entry.file_size:
            raise ArtifactError(f"{NAME} holds an array that says it is larger than it is: {entry.filename}")
