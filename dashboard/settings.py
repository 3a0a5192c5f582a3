"""What an operator can set, each by an environment variable DASHBOARD_<NAME>."""

import secrets
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """The dashboard's settings; each field is followed by its sentence."""

    model_config = SettingsConfigDict(
        env_prefix="DASHBOARD_", use_attribute_docstrings=True, frozen=True, protected_namespaces=()
    )

    model_api_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^/?#@\s]+/?$")
    """Address of the model service."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "localhost", "[::1]"), min_length=1
    )
    """Host names under which the dashboard may be opened, separated by commas."""

    secret_key: str = Field(default_factory=lambda: secrets.token_hex(32), min_length=32)
    """Key that signs the session cookie; if not set, a new one at every start."""

    timeout: float = Field(default=2.0, gt=0, le=60)
    """Seconds that the model service may take in all for one page."""

    max_answer_bytes: int = Field(default=8 * 2**20, ge=2**16)
    """Largest answer of the model service that is read, in bytes."""

    log_format: Literal["readable", "json"] = "readable"
    """How log lines are written: `readable` or `json`."""

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
