"""Names → versions → aliases → loaded models."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from model_api.artifact import CHAMPION, Artifact, models_in, read_aliases, versions_of
from model_api.errors import ArtifactError, NotReady, UnknownModel, UnknownVersion
from model_api.runtimes import Predictor

log = logging.getLogger("model_api.registry")


@dataclass(frozen=True)
class LoadedModel:
    """One version, ready to predict."""

    artifact: Artifact
    """Its files, already checked."""
    predictor: Predictor
    """What computes its predictions."""

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.artifact.manifest.name

    @property
    def version(self) -> str:
        """Number of the version."""
        return self.artifact.manifest.version


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

    def __init__(self, folder: Path, *, default: str = "", trusted: Iterable[str] = ()) -> None:
        self._folder = folder
        self._default = default
        self._trusted = tuple(trusted)
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
                entry.loaded[version] = self._load_version(folder / version)
            except ArtifactError as error:
                entry.failed[version] = str(error)
                log.error("model %s, version %s is not served: %s", folder.name, version, error)
        return entry

    def _load_version(self, folder: Path) -> LoadedModel:
        from model_api.runtimes import sklearn

        try:
            artifact = Artifact(folder)
            artifact.check()
            model = LoadedModel(artifact, sklearn.load(artifact, self._trusted))
            _try_out(model)
        except ArtifactError:
            raise
        except Exception as error:  # a folder can be odd in any way, and must not keep the others from being served
            raise ArtifactError(f"it cannot be loaded: {type(error).__name__}: {error}") from error
        return model

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


def _try_out(model: LoadedModel) -> None:
    """Predict a reference row: pays for lazy imports, and shows that signature and estimator belong together."""
    signature = model.artifact.signature
    checked = signature.check([model.artifact.reference.row(0)])
    if checked.problems:
        raise ArtifactError(f"its own reference row is not valid: {checked.problems[0].message}")
    try:
        output = model.predictor.predict(checked.columns)
    except Exception as error:  # whatever an estimator raises, this version cannot be served
        raise ArtifactError(f"it cannot predict its own reference row: {error.__cause__ or error}") from error
    given = 0 if output.probabilities is None else output.probabilities.shape[1]
    if given != len(signature.target.classes):
        raise ArtifactError(f"the estimator knows {given} classes, the signature {len(signature.target.classes)}")


def _first_published(entry: ModelEntry) -> tuple[str, str]:
    first = min(model.artifact.manifest.published_at for model in entry.loaded.values())
    return first, entry.name
