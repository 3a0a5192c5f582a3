"""Names → versions → aliases → loaded models."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from model_api.artifact import CHAMPION, models_in, read_aliases, versions_of
from model_api.errors import ArtifactError, NotReady, UnknownModel, UnknownVersion
from model_api.loading import LoadedModel, load_version
from model_api.trust import Trust

log = logging.getLogger("model_api.registry")


@dataclass
class ModelEntry:
    """A model and what became of each of its versions."""

    name: str
    aliases: dict[str, str] = field(default_factory=dict)
    """Alias → version."""
    loaded: dict[str, LoadedModel] = field(default_factory=dict)
    """Version → model, for those that can answer."""
    failed: dict[str, str] = field(default_factory=dict)
    """Version → reason, for those that cannot."""

    def resolve(self, version: str) -> LoadedModel:
        """Find the loaded version that a number or an alias means. Raises UnknownVersion or NotReady."""
        number = self.aliases.get(version, version)
        if number in self.loaded:
            return self.loaded[number]
        if number in self.failed:
            raise NotReady(f"version {number} of {self.name} could not be loaded: {self.failed[number]}")
        known = ", ".join([*self.aliases, *self.loaded])
        raise UnknownVersion(f"{self.name} has no version {version[:64]!r}; there is {known}")


class Registry:
    """All models of a folder. `load` fills it in one step; until then it is not ready."""

    def __init__(self, folder: Path, *, default: str = "", trust: Trust | None = None) -> None:
        self._folder = folder
        self._default = default
        self._trust = trust or Trust()
        self._entries: dict[str, ModelEntry] = {}
        self.problem: str | None = "the models are being loaded"

    def load(self) -> None:
        """Load every version of every model; a broken one is set aside with its reason."""
        entries = {model.name: self._load_model(model) for model in models_in(self._folder)}
        self._entries = entries
        self.problem = self._why_not_ready()
        if self.problem:
            log.error(self.problem)

    def _why_not_ready(self) -> str | None:
        if not self._entries:
            return f"there is no model in {self._folder}; publish one, or set MODEL_API_MODELS"
        if self._default and self._default not in self._entries:
            known = ", ".join(self._entries)
            return f"MODEL_API_DEFAULT_MODEL names {self._default!r}, but there is only {known}"
        if not any(entry.loaded for entry in self._entries.values()):
            return f"no model in {self._folder} could be loaded"
        return None

    def _load_model(self, folder: Path) -> ModelEntry:
        entry = ModelEntry(folder.name)
        try:
            entry.aliases = read_aliases(folder)
        except ArtifactError as error:
            log.error("model %s: %s", folder.name, error)
        for version in versions_of(folder):
            try:
                entry.loaded[version] = load_version(folder / version, self._trust)
            except ArtifactError as error:
                entry.failed[version] = str(error)
                log.error("model %s, version %s is not served: %s", folder.name, version, error)
        return entry

    @property
    def entries(self) -> list[ModelEntry]:
        """All models, by name. Raises NotReady."""
        self._require_ready()
        return list(self._entries.values())

    @property
    def default(self) -> str:
        """Name of the model that answers when none is named. Raises NotReady."""
        self._require_ready()
        if self._default:
            return self._default
        servable = [entry for entry in self._entries.values() if entry.loaded]
        return min(servable, key=_first_published).name

    def entry(self, name: str) -> ModelEntry:
        """Find a model. Raises UnknownModel, naming those that exist, or NotReady."""
        self._require_ready()
        if name not in self._entries:
            known = ", ".join(self._entries)
            raise UnknownModel(f"there is no model {name[:64]!r}; there is {known}")
        return self._entries[name]

    def find(self, name: str | None = None, version: str = CHAMPION) -> LoadedModel:
        """Find a loaded version by number or alias; no name means the default model."""
        return self.entry(name or self.default).resolve(version)

    def _require_ready(self) -> None:
        if self.problem:
            raise NotReady(self.problem)


def _first_published(entry: ModelEntry) -> tuple[str, str]:
    first = min(model.artifact.manifest.published_at for model in entry.loaded.values())
    return first, entry.name
