"""vetiver.predict, with a frame, a row and a dictionary."""

from typing import Any

import pandas as pd
import requests
from common import arguments, report
from vetiver import predict, vetiver_endpoint

url, rows = arguments()


def ask(path: str, data: Any) -> Any:
    """Ask, and give the predictions."""
    return predict(vetiver_endpoint(url + path), data)["predict"].tolist()


report(
    "vetiver",
    {
        "predict, frame": lambda: ask("/predict", pd.DataFrame(rows["numeric"])),
        "predict, series": lambda: ask("/predict", pd.DataFrame(rows["numeric"]).iloc[0]),
        "predict, dictionary": lambda: ask("/predict", rows["numeric"][0]),
        "predict, frame of strings and gaps": lambda: ask("/models/mixed/predict", pd.DataFrame(rows["mixed"])),
        "predict, a mistake": lambda: ask("/models/mixed/predict", pd.DataFrame(rows["mixed"]).assign(size="big")),
        "ping": lambda: requests.get(f"{url}/ping", timeout=5).json(),
        "metadata": lambda: requests.get(f"{url}/metadata", timeout=5).json(),
        "prototype": lambda: requests.get(f"{url}/prototype", timeout=5).json(),
    },
)
