"""What an operator can set, and what stops the start."""

import pytest
from pydantic import ValidationError

from dashboard.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DASHBOARD_{name.upper()}", raising=False)


def test_without_settings_both_services_stay_on_this_machine() -> None:
    settings = Settings()

    assert settings.model_api_url == "http://127.0.0.1:8000"
    assert settings.allowed_hosts == ("127.0.0.1", "localhost", "[::1]")


def test_without_a_secret_key_each_start_has_its_own_long_one() -> None:
    assert Settings().secret_key != Settings().secret_key
    assert len(Settings().secret_key) == 64


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MODEL_API_URL", "https://models.example:8443", "https://models.example:8443"),
        ("ALLOWED_HOSTS", "servery.example, localhost ,", ("servery.example", "localhost")),
        ("SECRET_KEY", "k" * 32, "k" * 32),
        ("TIMEOUT", "0.25", 0.25),
        ("MAX_ANSWER_BYTES", "100000", 100_000),
        ("LOG_FORMAT", "json", "json"),
    ],
)
def test_every_setting_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"DASHBOARD_{name}", text)

    assert getattr(Settings(), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MODEL_API_URL", "file:///etc/passwd"),
        ("MODEL_API_URL", "127.0.0.1:8000"),
        ("MODEL_API_URL", "http://user:password@127.0.0.1:8000"),
        ("MODEL_API_URL", "http://127.0.0.1:8000/prefix"),
        ("MODEL_API_URL", "http://127.0.0.1:8000?x=1"),
        ("MODEL_API_URL", "http://127.0.0.1:8000\n"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", " , "),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "k" * 31),
        ("TIMEOUT", "0"),
        ("TIMEOUT", "61"),
        ("TIMEOUT", "nan"),
        ("MAX_ANSWER_BYTES", "1000"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"DASHBOARD_{name}", text)

    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
