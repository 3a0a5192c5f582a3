"""The clients' environments: small files of pins, and nothing that names a place to download from."""

import re

from tests.conformance.environments import HERE, REQUIREMENTS, names


def test_every_environment_has_a_client() -> None:
    assert names() == sorted(path.stem.removesuffix("_client") for path in HERE.glob("clients/*_client.py"))


def test_requirements_are_pins_and_no_addresses() -> None:
    for path in REQUIREMENTS.glob("*.txt"):
        first, *others = path.read_text().splitlines()
        assert re.fullmatch(r"[a-z-]+(\[http\])?==[0-9.]+", first), path
        assert all(re.fullmatch(r"[a-z-]+<[0-9]+", line) for line in others), path
