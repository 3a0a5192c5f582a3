"""What an operator can set, and how."""

import pytest
from pydantic import ValidationError

from model_api.settings import LOOPBACK, Settings


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MODEL_API_{name.upper()}", raising=False)


def test_the_service_is_called_by_loopback_names_unless_told_otherwise() -> None:
    assert Settings().allowed_hosts == LOOPBACK == ("127.0.0.1", "localhost", "[::1]")


def test_no_type_is_trusted_unless_told_otherwise() -> None:
    assert Settings().trusted_types == ()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MODELS", "/srv/models", "/srv/models"),
        ("DEFAULT_MODEL", "wine", "wine"),
        ("ALLOWED_HOSTS", "models.example, localhost ,", ("models.example", "localhost")),
        ("MAX_BODY_BYTES", "2048", 2048),
        ("MAX_ROWS", "5", 5),
        ("TRUSTED_TYPES", "a.B,c.D", ("a.B", "c.D")),
        ("TRUSTED_TYPES", "", ()),
        ("LOG_FORMAT", "json", "json"),
    ],
)
def test_every_setting_is_read_from_the_environment(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MODEL_API_{name}", text)

    assert getattr(Settings(), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MAX_BODY_BYTES", "1023"),
        ("MAX_BODY_BYTES", "many"),
        ("MAX_ROWS", "0"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_setting(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MODEL_API_{name}", text)

    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().max_rows = 1


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_followed_by_its_sentence(name: str) -> None:
    description = Settings.model_fields[name].description

    assert description
    assert description.endswith(".")
