"""The options of each call: those that are documented for a model are those that it takes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from model_api.errors import InvalidRequest
from model_api.explanations.calls import CALLS
from model_api.explanations.options import OPTIONS
from model_api.explanations.question import Question
from model_api.loading import LoadedModel
from model_api.openapi_explanations import SUMMARIES, options_of, paths

Ask = Callable[..., Question]
Loaded = Callable[[str], LoadedModel]
Json = dict[str, Any]
MODELS = ["loans", "corners", "pair", "labels", "line"]
EACH = [(model, call) for model in MODELS for call in OPTIONS]
ALWAYS = "milliseconds"
"""An option that the route reads, not the calls."""


def examples(schema: Json) -> Iterator[Any]:
    """Give some values that fit a schema; text that has to be of a form is left out."""
    if "anyOf" in schema:
        for part in schema["anyOf"]:
            yield from examples(part)
    yield from schema.get("enum", ())
    kinds = [] if "enum" in schema else schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        yield from OF_KIND[kind](schema)


def _ends(schema: Json) -> list[Any]:
    return [schema.get("minimum", 0.5), schema.get("maximum", 0.5)]


def _objects(schema: Json) -> list[Any]:
    return [{}, *({name: value} for name, part in schema["properties"].items() for value in examples(part))]


def _arrays(schema: Json) -> list[Any]:
    values, fewest = list(examples(schema["items"])), schema.get("minItems", 1)
    return [values[:fewest]] if schema.get("uniqueItems") else [[value] * fewest for value in values]


OF_KIND: dict[str, Callable[[Json], list[Any]]] = {
    "null": lambda _: [None],
    "number": _ends,
    "integer": _ends,
    "boolean": lambda _: [True],
    "string": lambda _: [],
    "object": _objects,
    "array": _arrays,
}


def ways(schema: Json) -> list[Json]:
    """Give the least that has to be said, in each way in which that can be done."""
    options: list[Json] = []
    for alternative in schema.get("anyOf", [schema]):
        properties = {**schema["properties"], **alternative.get("properties", {})}
        options.append({name: next(examples(properties[name])) for name in alternative.get("required", ())})
    return options


def crossed(options: Json) -> bool:
    """Tell whether more is wanted at least than at most, of which no schema can tell."""
    least = max((options[name] for name in ("at_least", "threshold") if options.get(name) is not None), default=0.0)
    return options.get("at_most") is not None and bool(options["at_most"] < least)


def is_there(loaded: Loaded, model: str, call: str) -> bool:
    return any(path.endswith(f"/{call}") for path, _ in paths(loaded(model), {}))


def ask(question: Ask, model: str, call: str, options: Json) -> None:
    CALLS[call](question(model, options=options, milliseconds=10))


def test_every_call_has_a_summary_and_its_options() -> None:
    assert set(OPTIONS) == set(SUMMARIES) == set(CALLS)


@pytest.mark.parametrize("call", OPTIONS)
def test_what_is_documented_for_some_model_is_what_the_call_takes(loaded: Loaded, call: str) -> None:
    documented = {name for model in MODELS for name in options_of(loaded(model), call)["properties"]}

    assert documented == {*OPTIONS[call], ALWAYS}


@pytest.mark.parametrize(("model", "call"), EACH)
def test_every_documented_option_is_accepted(loaded: Loaded, question: Ask, model: str, call: str) -> None:
    if not is_there(loaded, model, call):
        return
    schema = options_of(loaded(model), call)
    for needed in ways(schema):
        for name, described in schema["properties"].items():
            for value in examples(described) if name != ALWAYS else ():
                if name not in needed and not crossed({**needed, name: value}):
                    ask(question, model, call, {**needed, name: value})
        for name, value in needed.items():
            ask(question, model, call, {**needed, name: value})
        if not needed:
            ask(question, model, call, {})


@pytest.mark.parametrize(("model", "call"), EACH)
def test_an_option_that_is_not_documented_is_refused(loaded: Loaded, question: Ask, model: str, call: str) -> None:
    if not is_there(loaded, model, call):
        return
    schema = options_of(loaded(model), call)
    others = {name for names in OPTIONS.values() for name in names} - set(schema["properties"])
    for name in sorted(others):
        with pytest.raises(InvalidRequest, match=name):
            ask(question, model, call, {**ways(schema)[0], name: 0.5})


@pytest.mark.parametrize(("model", "call"), EACH)
def test_what_has_to_be_given_has_to_be(loaded: Loaded, question: Ask, model: str, call: str) -> None:
    if not is_there(loaded, model, call):
        return
    for needed in ways(options_of(loaded(model), call)):
        for name in needed:
            with pytest.raises(InvalidRequest, match=r"must be given|must be a list of two names"):
                ask(question, model, call, {key: value for key, value in needed.items() if key != name})


def test_limits_of_dates_booleans_and_open_ends_are_documented(loaded: Loaded, question: Ask) -> None:
    ranges = options_of(loaded("mixed"), "counterfactuals")["properties"]["ranges"]["properties"]

    assert set(ranges) == set(loaded("mixed").artifact.signature.names)
    assert ranges["day"]["items"]["anyOf"][0]["format"] == "date"
    assert ranges["day"]["items"]["anyOf"][1] == {"type": "null"}
    limits = {"day": ["2021-01-01", None], "breakfast": [True], "area": [None, 60.5]}
    ask(question, "mixed", "counterfactuals", {"at_least": 200, "ranges": limits})


def test_how_many_is_within_the_bounds_of_each_call(loaded: Loaded) -> None:
    counts = {
        call: options_of(loaded("loans"), call)["properties"]["count"]
        for call in ("counterfactuals", "robustness", "similar")
    }

    assert {call: (count["minimum"], count["maximum"]) for call, count in counts.items()} == {
        "counterfactuals": (1, 10),
        "robustness": (10, 5000),
        "similar": (1, 20),
    }
