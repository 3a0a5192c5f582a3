"""The model card: the user's own text, and below it what is known of every model. Markdown."""

import re
from collections.abc import Mapping
from typing import Any

from model_api.signature import Feature, Signature
from model_api.values import show


def write_card(
    signature: Signature, quality: Mapping[str, Any] | None, *, title: str, description: str, text: str, about: str
) -> str:
    """Write the card. `text` is the user's, in Markdown; `about` says what the estimator is."""
    head = text.strip() or f"# {title}\n\n{description}".strip()
    parts = [head, _target(signature), _features(signature)]
    if quality:
        parts += [_quality(quality), _slices(quality), _importance(quality)]
    parts.append(f"## How it was made\n\n{about}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _target(signature: Signature) -> str:
    target = signature.target
    if target.classes:
        what = "one of " + ", ".join(map(_code, target.classes))
    elif target.outputs:
        what = f"{len(target.outputs)} numbers: " + ", ".join(map(_code, target.outputs))
    else:
        what = "a number" + (f" in {_cell(target.unit)}" if target.unit else "")
    described = f" {_cell(target.description)}." if target.description else ""
    return f"## What it predicts\n\n**{_cell(target.name)}**: {what}.{described}"


def _features(signature: Signature) -> str:
    rows = [(f.name, f.type, _values(f), f.unit or "", _missing(f), f.description) for f in signature.features]
    return "## From what\n\n" + _table(("feature", "kind", "training values", "unit", "missing", "what it is"), rows)


def _values(feature: Feature) -> str:
    if feature.categories:
        shown = ", ".join(str(level) for level in feature.categories[:8])
        return shown + (f", … ({len(feature.categories)} in all)" if len(feature.categories) > 8 else "")
    if feature.minimum is None:
        return ""
    guessed = " (guessed)" if "minimum" in feature.guessed else ""
    return f"{show(feature.minimum)} to {show(feature.maximum)}{guessed}"


def _missing(feature: Feature) -> str:
    return f"{feature.missing_rate:.0%}" if feature.missing_allowed else "not allowed"


def _quality(quality: Mapping[str, Any]) -> str:
    rows = [(name.replace("_", " "), f"{value:.4g}") for name, value in quality["metrics"].items()]
    trust = "" if quality["honest"] else " These figures flatter the model."
    return f"## How good it is\n\nBy {quality['method']}.{trust}\n\n" + _table(("metric", "value"), rows)


def _slices(quality: Mapping[str, Any]) -> str:
    headline = quality["headline"]
    rows = [
        (row["feature"], "missing" if row["level"] is None else row["level"], row["rows"], _written(row[headline]))
        for row in quality["slices"]
    ]
    if not rows:
        return ""
    name = headline.replace("_", " ")
    return f"## For whom it is how good\n\n{_table(('feature', 'group', 'rows', name), rows)}"


def _importance(quality: Mapping[str, Any]) -> str:
    found = quality["importance"]
    rows = [(row["feature"], f"{row['mean']:.4g}", f"±{row['deviation']:.2g}") for row in found["features"][:20]]
    error = found["error"].replace("_", " ")
    explained = f"By how much the {error} grows when the feature is shuffled, on {found['rows']:,} rows."
    return f"## What it goes by\n\n{explained}\n\n{_table(('feature', 'growth', 'spread'), rows)}"


def _written(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _code(value: Any) -> str:
    """Write a value between backticks, more of them than it holds in a row itself; nothing is escaped in between."""
    text = " ".join(str(value).split())
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def _cell(value: Any) -> str:
    """Write a cell so that nothing in it ends the cell, the row or the text."""
    text = " ".join(str(value).split())
    return "".join("\\" + character if character in "|<>`\\" else character for character in text)
