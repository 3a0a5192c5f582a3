"""What an operator can set, each by an environment variable MODEL_API_<NAME>."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from model_api.errors import OperatorError
from model_api.stores import default_cache
from model_api.trial import Limits
from model_api.trust import Trust

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class WrongSetting(OperatorError):
    """An environment variable has a value that cannot be used."""


class Settings(BaseSettings):
    """The model service's settings; each field is followed by its sentence."""

    model_config = SettingsConfigDict(env_prefix="MODEL_API_", use_attribute_docstrings=True, frozen=True)

    models: str = "models"
    """Folder that holds the published models, or an address such as `s3://bucket/models`."""

    cache: Path = Field(default_factory=default_cache)
    """Folder for copies of models that are kept elsewhere; if not set, where the system keeps caches."""

    poll_seconds: float = Field(default=2.0, ge=0, le=3600)
    """Seconds between two looks at the folder for new versions and moved aliases; 0 looks once, at the start."""

    keep_versions: int = Field(default=2, ge=0, le=100)
    """Newest versions of each model that are loaded, besides those that an alias means."""

    load_seconds: float = Field(default=30.0, gt=0, le=3600)
    """Seconds that a version may take to be tried before it counts as broken."""

    load_memory_bytes: int = Field(default=2 * 2**30, ge=2**28)
    """Memory that trying a version may take, in bytes."""

    default_model: str = ""
    """Model that answers `/predict`; if empty, the one that was published first."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = LOOPBACK
    """Host names under which the service may be called, separated by commas."""

    max_body_bytes: int = Field(default=4 * 2**20, ge=1024)
    """Largest request body, in bytes."""

    max_rows: int = Field(default=10_000, ge=1)
    """Most instances in one request."""

    max_bulk_bytes: int = Field(default=64 * 2**20, ge=1024)
    """Largest request body in CSV, Parquet or Arrow, in bytes."""

    max_bulk_rows: int = Field(default=1_000_000, ge=1)
    """Most rows in one request in CSV, Parquet or Arrow."""

    trusted_types: Annotated[tuple[str, ...], NoDecode] = ()
    """Types that a model's skops file may hold besides the reviewed ones, separated by commas."""

    packages: Annotated[tuple[str, ...], NoDecode] = ("*",)
    """Installed model packages whose code may run, separated by commas; `*` is every one, `none` is none."""

    trust_pickle: bool = False
    """Whether models that were published from a pickle are loaded; a pickle can run any code."""

    log_format: Literal["readable", "json"] = "readable"
    """How log lines are written: `readable` or `json`."""

    telemetry: bool = False
    """Whether requests are sent as spans to OpenTelemetry, which needs the extra `otel` and has settings of its own."""

    @field_validator("models", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, Path) else value

    @field_validator("allowed_hosts", "trusted_types", "packages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def trust(self) -> Trust:
        """What a model's files may hold."""
        return Trust(self.trusted_types, self.trust_pickle, self.packages)

    @property
    def limits(self) -> Limits:
        """What trying a version may take."""
        return Limits(self.load_seconds, self.load_memory_bytes)


def read_settings() -> Settings:
    """Read the settings for a command, which says the first wrong one in a sentence. Raises WrongSetting."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "MODEL_API_" + "_".join(map(str, wrong["loc"])).upper()
        raise WrongSetting(f"{name} is {str(wrong['input'])[:100]!r}: {wrong['msg']}") from error
