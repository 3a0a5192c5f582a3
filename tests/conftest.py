"""What every test folder shares: the four embedded models, published once."""

from pathlib import Path

import pytest

from model_api.examples import publish_examples


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four embedded models. It is shared: read it, and copy it before changing anything."""
    folder = tmp_path_factory.mktemp("models")
    publish_examples(folder)
    return folder
