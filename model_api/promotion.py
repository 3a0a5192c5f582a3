"""Aliases moved by people: promoted through the gate, rolled back in one step. Moves and refusals are written down."""

from pathlib import Path

from model_api.artifact import CHAMPION
from model_api.errors import OperatorError
from model_api.folders import (
    ALIAS,
    move_alias,
    read_aliases,
    read_history,
    remove_alias,
    versions_of,
    write_down_refusal,
)
from model_api.gate import Report, examine
from model_api.traffic import read_traffic
from model_api.trial import Limits
from model_api.trust import Trust


class Refused(OperatorError):
    """An alias is not moved; where a version was compared, the report says which rules it breaks."""

    def __init__(self, message: str, report: Report | None = None) -> None:
        super().__init__(message)
        self.report = report


def promote(
    model: Path, version: str, *, alias: str = CHAMPION, force: bool = False, trust: Trust | None = None,
    limits: Limits | None = None,
) -> Report:  # fmt: skip
    """Point an alias at a version that passes the gate, or with `force` at any. Raises Refused or NoSuchVersion.

    Only a champion has to be as good as the one before; any other alias, such as a challenger's, may be worse, but not
    broken.
    """
    if not ALIAS.fullmatch(alias):
        raise Refused(f"{alias!r} cannot be an alias; it must match {ALIAS.pattern}")
    report = examine(model, version, read_aliases(model).get(CHAMPION), trust or Trust(), limits or Limits())
    broken = report.broken if alias == CHAMPION else report.broken[:1] if not report.checks[0].passed else []
    if broken and not force:
        write_down_refusal(model, alias, version, broken)
        refusal = f"{model.name}, version {version}, does not become the {alias}: it is not true that {broken[0]}"
        raise Refused(refusal, report)
    move_alias(model, alias, version, by="promote", broken=broken, forced=bool(broken))
    return report


def rollback(model: Path, alias: str = CHAMPION) -> tuple[str, str]:
    """Point an alias at the version that it meant before; gives both. Raises Refused when there is none."""
    current = read_aliases(model).get(alias)
    before = _before(model, alias)
    if current is None or before is None:
        raise Refused(f"{model.name} has no earlier {alias} to go back to")
    if before not in versions_of(model):
        raise Refused(f"{model.name} had version {before} as its {alias} before, which is not there any more")
    move_alias(model, alias, before, by="rollback")
    return current, before


def demote(model: Path, alias: str) -> str:
    """Take an alias away; gives the version that it meant. Raises Refused for one that requests are answered by."""
    if alias == CHAMPION:
        raise Refused(f"the {CHAMPION} cannot be taken away, because it answers: promote another version instead")
    traffic = read_traffic(model)
    if alias in (traffic.shadow, traffic.share and traffic.share.alias):
        raise Refused(f"the {alias} of {model.name} gets requests: say servery challenge {model.name} --off first")
    return remove_alias(model, alias, by="demote")


def _before(model: Path, alias: str) -> str | None:
    """Follow the moves of an alias: a rollback takes the last one back."""
    stack: list[str] = []
    for move in read_history(model):
        if move.get("alias") != alias or move.get("refused"):
            continue
        if move.get("to") is None:  # taken away: there is nothing to go back to
            stack.clear()
        elif move.get("by") == "rollback" and len(stack) > 1:
            stack.pop()
        else:
            stack.append(str(move.get("to")))
    return stack[-2] if len(stack) > 1 else None
