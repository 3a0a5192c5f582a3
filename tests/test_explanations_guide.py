"""docs/explanations.md: each command gives the answer that stands below it, and the table is the code's."""

import ast
import json
import re
from typing import Any

import pytest

from model_api.explanations.calls import CALLS
from tests.test_api_guide import run_curl, service
from tests.test_docs import ADDRESS, GUIDES, blocks_in

__all__ = ["service"]
TEXT = GUIDES["explanations.md"]
EXAMPLES: list[tuple[str, str]] = re.findall(
    r"^```sh\n(curl .*?)^```\n\n```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE
)


def alike(found: Any, expected: Any) -> bool:
    """Compare, with numbers as near as they are written; … stands for anything, in a list for what else there is."""
    if expected == "…":
        return True
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(alike(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        known = expected[:-1] if expected and expected[-1] == "…" else expected
        whole = len(found) == len(expected) if known is expected else len(found) > len(known)
        return whole and all(map(alike, found, known))
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, rel=1e-6, abs=1e-9))
    return bool(found == expected)


@pytest.mark.parametrize(
    ("command", "told"), EXAMPLES, ids=[re.findall(r"explanations/(\w+)", c)[0] for c, _ in EXAMPLES]
)
def test_a_command_gives_the_answer_below_it(service: str, command: str, told: str) -> None:
    assert alike(run_curl(command.replace(ADDRESS, service)), json.loads(told))


def test_every_call_is_in_the_table() -> None:
    table = TEXT[TEXT.index("| call |") :].partition("\n\n")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == sorted(CALLS, key=table.index)
    assert len(EXAMPLES) == TEXT.count("\ncurl ")


def test_the_python_example_gives_what_its_comments_say(service: str) -> None:
    (example,) = blocks_in(TEXT, "python")
    names: dict[str, Any] = {}
    exec(example.replace("client.close()\n", "").replace(ADDRESS, service), names)

    said = re.findall(r"^([a-z].*?)  # (.*)$", example, re.MULTILINE)
    assert len(said) == 2
    for expression, expected in said:
        assert eval(expression, names) == ast.literal_eval(expected)
    names["client"].close()
