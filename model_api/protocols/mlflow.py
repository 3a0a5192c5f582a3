"""/invocations: the scoring protocol of MLflow, which SageMaker shares; and /ping, which vetiver has too.

The default model answers. Columns come in any order; one that is no feature of the model is left out, as MLflow does,
unless it looks like the misspelt name of one that is absent.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from model_api import __version__
from model_api.errors import InvalidRequest
from model_api.inference import Answer, Prediction
from model_api.loading import LoadedModel
from model_api.protocols import csv_rows, parquet_columns
from model_api.protocols.bodies import JSON, media_type, parse_object, reply
from model_api.protocols.desk import Asked, Desk
from model_api.protocols.instances import (
    Instances,
    as_list,
    column_of,
    from_columns,
    from_rows,
    kept_columns,
    require_count,
)
from model_api.routes.errors import RETRY_AFTER, problem_response
from model_api.signature import Signature
from model_api.values import clip

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
SPLIT = ("columns", "data", "index")
"""Keys of `dataframe_split`."""
Json = dict[str, Any]


def mlflow_routes(desk: Desk) -> APIRouter:
    """Make the routes that MLflow's clients and SageMaker's endpoints call."""
    router = APIRouter(include_in_schema=False)

    @router.get("/ping")
    async def ping(request: Request) -> Response:
        """Tell whether there is a model. MLflow and SageMaker look at the status only, vetiver at the body too."""
        return _not_ready(desk, request) or reply({"ping": "pong"})

    @router.get("/health")
    async def health(request: Request) -> Response:
        return _not_ready(desk, request) or PlainTextResponse("\n")

    @router.get("/version")
    async def version() -> Response:
        return PlainTextResponse(__version__)

    @router.post("/invocations")
    async def invocations(request: Request) -> Response:
        kind, parameters = media_type(request, (JSON, CSV, PARQUET), ("header",))
        as_csv = CSV in request.headers.get("accept", "").lower()

        def read(body: bytes, found: LoadedModel) -> Asked:
            signature, most = found.artifact.signature, desk.settings.max_rows
            if kind == CSV:
                instances = csv_rows.instances_of(body, signature, most, parameters.get("header"))
            elif kind == PARQUET:
                columns = parquet_columns.columns_of(body, most, desk.settings.max_body_bytes)
                instances = from_columns(
                    signature, {n: columns[n] for n in kept_columns(list(columns), signature)}, most
                )
            else:
                instances = read_scoring(parse_object(body), signature, most)
            return Asked(instances, _as_lines if as_csv else _as_predictions)

        return await desk.answer(request, read)

    return router


def _not_ready(desk: Desk, request: Request) -> Response | None:
    problem = desk.registry.problem
    if problem is None:
        return None
    status = 503 if desk.registry.snapshot else 404  # MLflow's word for no model at all
    path, request_id = request.scope["path"], request.state.request_id
    return problem_response(status, "not-ready", problem, request_id, headers=RETRY_AFTER, path=path)


def read_scoring(document: Json, signature: Signature, max_rows: int) -> Instances:
    """Understand a JSON body in any of MLflow's four formats. Raises InvalidRequest."""
    found = [key for key in document if key in FORMATS]
    if len(found) != 1:
        raise InvalidRequest(f"the body must have exactly one of {', '.join(FORMATS)}; it has {len(found)} of them")
    if unknown := [key for key in document if key not in (*FORMATS, "params")]:
        raise InvalidRequest(f"the body has the unknown key {clip(unknown[0])}")
    if not isinstance(document.get("params") or {}, dict):
        raise InvalidRequest('"params" must be an object')
    value = document[found[0]]
    if found[0] == "dataframe_split":
        return _split(value, signature, max_rows)
    if found[0] == "dataframe_records":
        return _records(as_list(value, '"dataframe_records"'), signature, max_rows)
    if found[0] == "inputs" and isinstance(value, dict):
        columns = {name: column_of(value[name], name) for name in kept_columns(list(value), signature)}
        return from_columns(signature, columns, max_rows)
    return from_rows(signature, as_list(value, f'"{found[0]}"'), max_rows)


def _split(frame: object, signature: Signature, max_rows: int) -> Instances:
    if not isinstance(frame, dict) or "data" not in frame:
        raise InvalidRequest('"dataframe_split" must be an object with "columns" and "data"')
    if unknown := [key for key in frame if key not in SPLIT]:
        raise InvalidRequest(f'"dataframe_split" has the unknown key {clip(unknown[0])}')
    data = as_list(frame["data"], 'the "data" of "dataframe_split"')
    require_count(len(data), max_rows)
    if frame.get("columns") is None:
        return from_rows(signature, data, max_rows)
    names = as_list(frame["columns"], 'the "columns" of "dataframe_split"')
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise InvalidRequest('the "columns" of "dataframe_split" must be names, each of them once')
    for position, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(names):
            raise InvalidRequest(f"row {position} of the data must hold {len(names)} values, one for each column")
    places = [names.index(name) for name in kept_columns(names, signature)]
    columns = {names[place]: [row[place] for row in data] for place in places}
    return from_columns(signature, columns, max_rows)


def _records(records: Sequence[object], signature: Signature, max_rows: int) -> Instances:
    require_count(len(records), max_rows)
    names = list(dict.fromkeys(name for record in records if isinstance(record, dict) for name in record))
    kept = set(kept_columns(names, signature))
    rows = [{n: v for n, v in r.items() if n in kept} if isinstance(r, dict) else r for r in records]
    return from_rows(signature, rows, max_rows)


def _as_predictions(answer: Answer) -> Response:
    return reply({"predictions": [row.value for row in answer.predictions if isinstance(row, Prediction)]})


def _as_lines(answer: Answer) -> Response:
    """Answer a line a prediction, as those who ask SageMaker for CSV expect; several numbers stand side by side."""
    rows = [row.value for row in answer.predictions if isinstance(row, Prediction)]
    cells = [list(value.values()) if isinstance(value, dict) else [value] for value in rows]
    return Response(csv_rows.written(cells), media_type=CSV)
