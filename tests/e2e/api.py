"""The model service as a program asks it: what a page shows is compared with its answers."""

from typing import Any

import requests

Value = bool | int | float | str | None
Instance = dict[str, Value]
MODELS = ("diabetes", "breast-cancer", "wine", "loans")


class Api:
    """Asks the model service."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def predict(self, model: str, instance: Instance) -> dict[str, Any]:
        """Predict for one instance."""
        return self._ask("POST", f"/models/{model}/predict", json={"data": instance})

    def reference(self, model: str, row: int, count: int = 1) -> dict[str, Any]:
        """Give `count` reference rows from `row` on, which is counted from 1, with predictions and true values."""
        return self._ask("GET", f"/models/{model}/predict?offset={row - 1}&limit={count}")

    def instance(self, model: str, row: int) -> Instance:
        """Give one reference row."""
        instance: Instance = self.reference(model, row)["data"][0]
        return instance

    def defaults(self, model: str) -> Instance:
        """Give the typical values that a form begins with."""
        return {feature["name"]: feature["default"] for feature in self.describe(model)["signature"]["features"]}

    def describe(self, model: str) -> dict[str, Any]:
        """Describe a model's first version."""
        return self._ask("GET", f"/models/{model}/versions/1")

    def close(self) -> None:
        """Close kept connections."""
        self._session.close()

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._session.request(method, self.url + path, timeout=30, **options)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
