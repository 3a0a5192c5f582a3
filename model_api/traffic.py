"""What a challenger gets: a look at every request, or the answer to a steady share of them.

    models/<name>/traffic.json    {"shadow": "challenger"}
                                  {"share": {"alias": "challenger", "percent": 10, "key": "header:X-User-ID"}}

Both are about requests that name no version. A shadow answers after the champion has: its answers are compared and
counted, never returned. A share is sticky: the same key always gets the same version, on every worker and after every
restart. The key is a request header or, with `feature:`, a feature of the (first) instance.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model_api.artifact import parse_json, read_regular_file
from model_api.errors import ArtifactError
from model_api.folders import ALIAS, TRAFFIC


@dataclass(frozen=True)
class Share:
    """A steady part of the requests."""

    alias: str
    """Whose version answers them."""
    percent: float
    """How many of 100 keys."""
    key: str
    """`header:NAME` or `feature:NAME`; requests without it go to the champion."""

    def takes(self, model: str, headers: Mapping[str, str], instances: Sequence[object]) -> bool:
        """Tell whether a request is of this share."""
        kind, _, name = self.key.partition(":")
        first = instances[0] if instances else None
        value = headers.get(name) if kind == "header" else first.get(name) if isinstance(first, dict) else None
        if value is None or value == "":
            return False
        digest = hashlib.sha256(f"{model}\0{self.alias}\0{value}".encode(errors="replace")).digest()
        return int.from_bytes(digest[:8], "big") / 2**64 * 100 < self.percent


@dataclass(frozen=True)
class Traffic:
    """What is set for one model."""

    shadow: str | None = None
    """Alias whose version looks on."""
    share: Share | None = None


def read_traffic(model: Path) -> Traffic:
    """Read what is set for a model; nothing when there is no file. Raises ArtifactError."""
    if not (model / TRAFFIC).exists():
        return Traffic()
    try:
        return traffic_of(parse_json(read_regular_file(model / TRAFFIC)))
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{TRAFFIC} is not a table of traffic: {error}") from error


def traffic_of(table: Mapping[str, Any]) -> Traffic:
    """Check a table; raises ValueError or TypeError, with what is wrong."""
    if unknown := set(table) - {"shadow", "share"}:
        raise ValueError(f"it has the unknown key {min(unknown)!r}")
    share = Share(**table["share"]) if table.get("share") else None
    for alias in filter(None, (table.get("shadow"), share and share.alias)):
        if not ALIAS.fullmatch(str(alias)):
            raise ValueError(f"{alias!r} is no alias")
    if share:
        if (
            isinstance(share.percent, bool)
            or not isinstance(share.percent, int | float)
            or not 0 <= share.percent <= 100
        ):
            raise ValueError("percent must be a number from 0 to 100")
        kind, _, name = str(share.key).partition(":")
        if kind not in ("header", "feature") or not name:
            raise ValueError("key must be header:NAME or feature:NAME")
    return Traffic(table.get("shadow"), share)


def require_aliases(traffic: Traffic, aliases: Mapping[str, str]) -> None:
    """Refuse an alias that no version has, because then the champion would answer alone. Raises ValueError."""
    for alias in filter(None, (traffic.shadow, traffic.share and traffic.share.alias)):
        if alias not in aliases:
            raise ValueError(f"no version has the alias {alias!r}; there is {', '.join(aliases) or 'none'}")


def in_words(traffic: Traffic) -> str:
    """Say what is set, in a sentence."""
    words = "the champion answers alone"
    if traffic.share:
        kind, _, name = traffic.share.key.partition(":")
        share = f"{traffic.share.percent:g} % of the values of the {kind} {name}"
        words = f"the {traffic.share.alias} answers for {share}, the champion for the rest"
    return f"{words}; the {traffic.shadow} looks on" if traffic.shadow else words


def as_table(traffic: Traffic) -> dict[str, Any]:
    """Give the wire form: only what is set."""
    return {name: value for name, value in asdict(traffic).items() if value is not None}
