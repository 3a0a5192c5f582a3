"""The OpenAPI document: FastAPI's own part, and typed prediction endpoints for each model that is served."""

from collections.abc import Iterable
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from model_api import openapi_explanations, openapi_schemas, openapi_shared
from model_api.artifact import CHAMPION
from model_api.bulk import openapi as tables
from model_api.loading import LoadedModel
from model_api.openapi_shared import COVERAGE, Json, ref
from model_api.registry import Registry

DESCRIPTION = """A model is a service of its own: any HTTP client may ask it.

`GET …/predict` predicts for the data that came with the model, `POST …/predict` for what you send: JSON, or a table as
CSV, Parquet or Arrow. Numbers may be sent as numbers or as text; `null` means unknown, where a feature allows it.
Errors are `application/problem+json` and list everything that is wrong at once.

Left out here: `/models/{model}/versions/{version}/predict`, which takes and gives the same as
`/models/{model}/predict`, in the terms of that version; and the languages of other model servers (`/v2`, `/v1`,
`/invocations` and more, and at the addresses below `instances` and bare arrays), which their own specifications
describe. `docs/clients.md` of the project lists them.
"""
ERRORS = {
    "400": "Not readable, or called by an unknown host name",
    "404": "There is no such model or version",
    "406": "Nothing that Accept names can be written",
    "413": "Too large",
    "415": "Not of a type that is taken",
    "422": "Not valid: every problem of every feature",
    "500": "Something failed inside the service",
    "501": "This version has no such thing to tell",
    "503": "Not ready, or more is asked for than can be answered soon",
    "504": "No answer within the seconds of X-Request-Timeout",
}
EVERYWHERE = ("400", "500")
"""Statuses of errors with which every address may answer."""
OF_A_MODEL = (*EVERYWHERE, "404", "503")
OF_REFERENCE = (*OF_A_MODEL, "422", "504")
OF_EXPLANATION = (*OF_REFERENCE, "413", "415", "501")
REFERENCE_PARAMETERS: list[Json] = [
    {
        "name": "limit",
        "in": "query",
        "description": "Rows to give.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20},
    },
    {
        "name": "offset",
        "in": "query",
        "description": "Rows to leave out.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10**9, "default": 0},
    },
    {"name": "coverage", "in": "query", "description": "Coverage of the intervals.", "schema": COVERAGE},
]
TIMEOUT: Json = {
    "name": "X-Request-Timeout",
    "in": "header",
    "description": "Seconds that you are willing to wait for the answer.",
    "schema": {"type": "string", "pattern": r"^([1-9][0-9]{0,5}(\.[0-9]{1,9})?|0\.[0-9]{0,8}[1-9])$"},
}


class Other(NamedTuple):
    """An address that is the same whatever is served; its method is GET."""

    operation: str
    what: str
    schema: Json
    errors: tuple[str, ...] = EVERYWHERE
    links: Json | None = None
    media_type: str = "application/json"


TO_MODEL: Json = {"operationId": "describe_model", "parameters": {"model": "$response.body#/models/0/name"}}
TO_VERSION: Json = {
    "operationId": "describe_version",
    "parameters": {"model": "$response.body#/name", "version": "$response.body#/versions/0/version"},
}
OTHERS = {
    "/models": Other("list_models", "The models", ref("Models"), links={"model": TO_MODEL}),
    "/models/{model}": Other("describe_model", "The model", ref("Model"), OF_A_MODEL, {"version": TO_VERSION}),
    "/models/{model}/versions/{version}": Other("describe_version", "The version", ref("Version"), OF_A_MODEL),
    "/health/live": Other("live", "The process answers", ref("Live")),
    "/health/ready": Other("ready", "Models are loaded", ref("Ready")),
    "/metrics": Other(
        "metrics", "Counts in the text format of Prometheus", {"type": "string"}, media_type="text/plain"
    ),
    "/stats": Other("stats", "How models are run here, and why", ref("Stats")),
}


def install(app: FastAPI, registry: Registry) -> None:
    """Make `/openapi.json` describe the models that are loaded when it is asked for."""

    def document() -> Json:
        spec = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, tags=None)
        schemas, paths = dict(openapi_shared.SCHEMAS), {}
        champions = _champions(registry)
        for model in champions:
            schemas |= openapi_schemas.of_model(model)
            if model.name == registry.default:
                paths["/predict"] = _prediction(model, "the default model")
            paths[f"/models/{model.name}/predict"] = _prediction(model, "its champion")
            paths |= dict(openapi_explanations.paths(model, _errors(OF_EXPLANATION)))
        others = {path: {"get": _other(path, item["get"], champions)} for path, item in spec["paths"].items()}
        components = {"schemas": schemas, "headers": openapi_shared.HEADERS}
        return {**spec, "paths": paths | others, "components": components}

    app.openapi = document  # type: ignore[method-assign] # the way that FastAPI documents


def _champions(registry: Registry) -> list[LoadedModel]:
    if registry.problem:
        return []
    return [entry.resolve(CHAMPION) for entry in registry.entries if entry.aliases.get(CHAMPION) in entry.loaded]


def instance_schema(model: LoadedModel) -> Json:
    """Describe an instance of a model, in JSON Schema."""
    return openapi_schemas.instance(model)


def _other(path: str, described: Json, champions: list[LoadedModel]) -> Json:
    """Complete what FastAPI says of an address: its answers, and an example of what its path names."""
    other = OTHERS.get(path) or Other(described["operationId"], described["summary"], {})
    headers = ("Servery-Model",) if other.operation == "describe_version" else ()
    answers = {"200": _answer(other.what, {other.media_type: {"schema": other.schema}}, headers)} | _errors(
        other.errors
    )
    if other.links:
        answers["200"]["links"] = other.links
    if other.operation == "ready":
        answers["503"] = _answer("Not ready, and why", _json(ref("NotReady")), ("Retry-After",))
    examples = {"model": champions[0].name, "version": champions[0].version} if champions else {}
    parameters = [
        {**named, **({"example": examples[named["name"]]} if examples else {})}
        for named in described.get("parameters", [])
    ]
    return {**described, "operationId": other.operation, "parameters": parameters, "responses": answers}


def _prediction(model: LoadedModel, who: str) -> Json:
    name, title = model.name, model.artifact.manifest.title
    identifier = name.replace("-", "_").replace(".", "_") + ("_default" if who == "the default model" else "")
    example = openapi_schemas.example(model)
    given = [ref(f"{name}.{kind}") for kind in ("Prediction", "Predictions", "Report")]
    reported = _json({"anyOf": [*given, ref("ReportOfOne")]})
    reference = _json({"anyOf": [ref(f"{name}.ReferencePredictions"), ref(f"{name}.Prediction")]})
    asked: Json = {"anyOf": [ref(f"{name}.Request"), ref("ReportingRequest")]}
    return {
        "get": {
            "tags": [name],
            "summary": f"{title}: predict for the data that came with the model",
            "description": f"Answered by {who}. With feature names as query parameters: one prediction for them.",
            "operationId": f"predict_reference_{identifier}",
            "parameters": REFERENCE_PARAMETERS,
            "responses": {
                "200": _answer("The predictions", reference, ("Servery-Model",)),
                **_errors(OF_REFERENCE),
            },
        },
        "post": {
            "tags": [name],
            "summary": f"{title}: predict for what you send",
            "description": f"Answered by {who}. {model.artifact.manifest.description}",
            "operationId": f"predict_{identifier}",
            "parameters": [*tables.PARAMETERS, TIMEOUT],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": asked, "example": {"data": example}},
                    **tables.requests(example),
                },
            },
            "responses": {
                "200": _answer(
                    "One prediction, or a list or a table of them", reported | tables.answers(), ("Servery-Model",)
                ),
                **_errors(set(ERRORS) - {"501"}),
            },
        },
    }


def _errors(statuses: Iterable[str]) -> Json:
    """Describe problems: what is not ready may be asked again."""
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {
        status: _answer(ERRORS[status], content, ("Retry-After",) if status == "503" else ())
        for status in sorted(statuses)
    }


def _answer(description: str, content: Json, headers: Iterable[str] = ()) -> Json:
    named = {name: ref(name, "headers") for name in ("X-Request-ID", *headers)}
    return {"description": description, "headers": named, "content": content}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
