"""A pickle, looked into but never loaded: which modules and names it would import."""

import pickletools
from typing import Any

MOST_OPERATIONS = 5_000_000


def names_in(data: bytes) -> list[str]:
    """Give the global names that a pickle asks for, each once. What cannot be read ends the list."""
    found: set[str] = set()
    texts: list[str] = []
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
            if count > MOST_OPERATIONS:
                break
            found |= _named(operation.name, argument, texts)
    except Exception:  # noqa: BLE001 -- bytes that are no pickle fail in any way; what was read so far is told
        return sorted(found)
    return sorted(found)


def _named(operation: str, argument: Any, texts: list[str]) -> set[str]:
    if operation in ("GLOBAL", "INST"):
        return {".".join(str(argument).split(" ", 1))}
    if operation == "STACK_GLOBAL" and len(texts) > 1:
        return {f"{texts[-2]}.{texts[-1]}"}
    if isinstance(argument, str):
        texts.append(argument)
    return set()
