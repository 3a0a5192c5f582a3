"""mlflow's ScoringServerClient; the model named by the third argument is the service's default."""

import json
import sys
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from common import arguments, columns_of, report, table_of
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

url, all_rows = arguments()
rows = all_rows[sys.argv[3]]
address = urlsplit(url)
client = ScoringServerClient(address.hostname, address.port)


def invoke(data: Any, **more: Any) -> Any:
    """Ask, and give the predictions."""
    return client.invoke(data, **more).get_predictions(predictions_format="ndarray").tolist()


report(
    "mlflow-skinny",
    {
        "wait_server_ready": client.wait_server_ready,
        "get_version": client.get_version,
        "invoke, frame": lambda: invoke(pd.DataFrame(rows)),
        "invoke, frame with other columns": lambda: invoke(pd.DataFrame(rows).iloc[:, ::-1].assign(customer="c-7")),
        "invoke, frame and params": lambda: invoke(pd.DataFrame(rows), params={"temperature": 1}),
        "invoke, array": lambda: invoke(np.array(table_of(rows))),
        # The client itself fails on a dictionary: it takes its keys for pairs.
        "invoke, columns as text": lambda: invoke(json.dumps({"inputs": columns_of(rows)})),
        "invoke, records as text": lambda: invoke(json.dumps({"dataframe_records": rows})),
        "invoke, a mistake": lambda: invoke(pd.DataFrame(rows).iloc[:, :1]),
    },
)
