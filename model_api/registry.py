"""Names → versions → aliases → loaded models: a folder of models, watched while it is served.

What is served is one immutable snapshot, replaced by one assignment: a request that found its version keeps it, however
the folder changes meanwhile. A new version is tried in a process of its own, loaded and warmed before an alias moves to
it; when that fails, the alias stays where it is.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from model_api.artifact import CHAMPION, Artifact
from model_api.errors import ArtifactError, NotReady, UnknownModel, UnknownVersion
from model_api.folders import models_in, read_aliases, read_history, strangers_in, versions_of
from model_api.loading import LoadedModel
from model_api.served_thresholds import ServedThreshold, misplaced, read_thresholds
from model_api.traffic import Traffic, read_traffic

log = logging.getLogger("model_api.registry")

Loader = Callable[[Path], LoadedModel]
Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, size, time and number of each file of a version: another stamp means that something changed."""
MOVES, MOVE, MOST_CHARACTERS = 10, ("at", "alias", "from", "to", "by"), 200
"""How many moves of aliases are told, what of each, and how long a text in them may be."""
AT_ONCE = 2
"""Versions that are tried and loaded at the same time."""


@dataclass(frozen=True)
class Failure:
    """A version that cannot be served."""

    reason: str
    stamp: Stamp
    """What its folder looked like: when that changes, it is tried again."""


@dataclass(frozen=True)
class ModelEntry:
    """A model and what became of each of its versions."""

    name: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Alias → version, as requests are answered."""
    loaded: Mapping[str, LoadedModel] = field(default_factory=dict)
    """Version → model, for those that can answer."""
    failed: Mapping[str, Failure] = field(default_factory=dict)
    """Version → why it cannot."""
    loading: tuple[str, ...] = ()
    """Versions that are being tried and loaded."""
    idle: tuple[str, ...] = ()
    """Versions that nobody asked to be loaded: neither new nor meant by an alias."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Alias → version that it is to mean, once that can be served."""
    problems: tuple[str, ...] = ()
    """What else an operator should know."""
    traffic: Traffic = field(default_factory=Traffic)
    """What a challenger gets."""
    thresholds: Mapping[str, ServedThreshold] = field(default_factory=dict)
    """Version → from which probability on its positive class is acted on, where somebody decided that."""
    history: tuple[Mapping[str, Any], ...] = ()
    """The last moves of aliases and those that the gate refused, oldest first."""

    def choose(self, headers: Mapping[str, str], instances: Sequence[object]) -> LoadedModel:
        """Find who answers a request that names no version: the champion, or the challenger whose share it is."""
        share = self.traffic.share
        if share and share.takes(self.name, headers, instances):
            challenger = self.loaded.get(self.aliases.get(share.alias, ""))
            if challenger:
                return challenger
        return self.resolve(CHAMPION)

    @property
    def is_divided(self) -> bool:
        """Whether it depends on the request which version answers, or another looks on."""
        return bool(self.traffic.share or self.traffic.shadow)

    def onlooker(self) -> LoadedModel | None:
        """Find who looks on, if anybody does and can answer."""
        shadow = self.traffic.shadow
        return self.loaded.get(self.aliases.get(shadow, "")) if shadow else None

    def served_threshold(self, model: LoadedModel) -> float | None:
        """Find the threshold of a loaded version, if there is one that fits it."""
        decided = self.thresholds.get(model.version)
        return decided.threshold if decided and decided.is_of(model.artifact.signature.target) else None

    def resolve(self, version: str) -> LoadedModel:
        """Find the loaded version that a number or an alias means. Raises UnknownVersion or NotReady."""
        number = self.aliases.get(version, version)
        if number in self.loaded:
            return self.loaded[number]
        if version in self.waiting:
            number = self.waiting[version]
        if number in self.failed:
            raise NotReady(f"version {number} of {self.name} could not be loaded: {self.failed[number].reason}")
        if number in self.loading:
            raise NotReady(f"version {number} of {self.name} is being loaded")
        if number in self.idle:
            raise NotReady(f"version {number} of {self.name} is not loaded; give it an alias")
        known = ", ".join([*self.aliases, *self.loaded])
        raise UnknownVersion(f"{self.name} has no version {version[:64]!r}; there is {known}")


class Registry:
    """All models of a folder. `load` fills it; `refresh` brings it up to date with the folder."""

    def __init__(
        self, folder: Path, *, load_version: Loader, default: str = "", keep: int = 2,
        fetch: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`keep`: newest versions of a model that are loaded whether an alias means them or not.

        `fetch` brings the folder up to date where it is a copy of one elsewhere.
        """
        self._folder = folder
        self._load_version = load_version
        self._default = default
        self._keep = keep
        self._fetch = fetch
        self._entries: Mapping[str, ModelEntry] = {}
        self._stamps: dict[tuple[str, str], Stamp] = {}
        self._loading: dict[tuple[str, str], Future[LoadedModel | Failure]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="loading")
        self._looking = threading.Lock()
        self._started = False
        self.changed = threading.Event()
        """Set when a version was loaded or failed, and another look will serve it."""
        self.problem: str | None = "the models are being loaded"
        self.notes: Mapping[str, str] = {}
        """What lies in the folder and is no model, and what could not be fetched, with the reason."""

    def load(self) -> None:
        """Load everything that is to be served, and wait for it; a broken version is set aside with its reason."""
        self.refresh(wait=True)
        self._started = True
        self.problem = self._why_not_ready()
        if self.problem:
            log.error(self.problem)

    def refresh(self, *, wait: bool = False) -> None:
        """Look at the folder, serve what it holds, and begin to load what is new; with `wait`, until that is served."""
        self._look()
        while wait and self._loading:
            futures.wait(list(self._loading.values()))
            self._look()

    def close(self) -> None:
        """Load nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look(self) -> None:
        with self._looking:
            self.changed.clear()
            notes = self._fetched()
            folders = {folder.name: folder for folder in models_in(self._folder)}
            gone = {name: _orphan(entry) for name, entry in self._entries.items() if name not in folders}
            entries = {name: self._entry(folder) for name, folder in folders.items()}
            self._entries = dict(sorted({**gone, **entries}.items()))
            self.notes = {**strangers_in(self._folder), **notes}
            if self._started:
                self.problem = self._why_not_ready()

    def _fetched(self) -> dict[str, str]:
        try:
            self._fetch()
        except Exception as error:  # noqa: BLE001 -- a store can fail in any way; what was fetched before is served
            log.warning("the models could not be fetched: %s", error)
            return {"fetching": f"failed: {type(error).__name__}: {error}"}
        return {}

    def _entry(self, folder: Path) -> ModelEntry:
        """Bring one model up to date: begin to load what is new, keep what is served, drop what nobody wants."""
        before = self._entries.get(folder.name, ModelEntry(folder.name))
        wanted, problems = _aliases(folder, before)
        traffic, more = _traffic(folder, before)
        thresholds, odd = _thresholds(folder, before)
        versions = versions_of(folder)
        newest = set(versions[-self._keep :] if self._keep else ())
        loaded = dict(before.loaded)
        problems += more + odd + self._changed(folder, loaded)
        failed = {}
        for number in versions:
            if number in {*wanted.values(), *newest} and number not in loaded:
                outcome = self._outcome(folder / number, before.failed.get(number))
                if isinstance(outcome, Failure):
                    failed[number] = outcome
                elif outcome:
                    loaded[number] = outcome
        aliases = _served_aliases(wanted, before.aliases, loaded)
        kept = [number for number in sorted(loaded, key=int) if number in {*aliases.values(), *newest}]
        loading = tuple(number for number in versions if (folder.name, number) in self._loading)
        targets = {number: loaded[number].artifact.signature.target for number in kept}
        return ModelEntry(
            name=folder.name,
            aliases=aliases,
            loaded={number: loaded[number] for number in kept},
            failed=failed,
            loading=loading,
            idle=tuple(number for number in versions if number not in {*kept, *failed, *loading}),
            waiting={alias: number for alias, number in wanted.items() if aliases.get(alias) != number},
            problems=(
                *problems,
                *_missing(wanted, versions),
                *_warnings(loaded[number] for number in kept),
                *misplaced(thresholds, targets),
            ),
            traffic=traffic,
            thresholds=thresholds,
            history=_history(folder),
        )

    def _outcome(self, version: Path, earlier: Failure | None) -> LoadedModel | Failure | None:
        """Tell what became of a version that is to be loaded; None while it is being loaded."""
        key = (version.parent.name, version.name)
        future = self._loading.get(key)
        if future is None:
            stamp = _stamp(version)
            if earlier and earlier.stamp == stamp:
                return earlier
            future = self._loading[key] = self._pool.submit(self._try, version, stamp)
            future.add_done_callback(lambda _: self.changed.set())
        if not future.done():
            return None
        del self._loading[key]
        return future.result()

    def _try(self, version: Path, stamp: Stamp) -> LoadedModel | Failure:
        name = f"model {version.parent.name}, version {version.name}"
        try:
            model = self._load_version(version)
        except ArtifactError as error:
            log.error("%s is not served: %s", name, error)
            return Failure(str(error), stamp)
        self._stamps[version.parent.name, version.name] = stamp
        log.info("%s is loaded: %s answers", name, model.predictor.choice.one)
        return model

    def _changed(self, folder: Path, loaded: Mapping[str, LoadedModel]) -> tuple[str, ...]:
        """Tell which loaded versions are not on disk any more as they were loaded: versions never change."""
        problems = []
        for number, model in loaded.items():
            stamp = _stamp(folder / number)
            if stamp == self._stamps.get((folder.name, number)):
                continue
            if not stamp:
                problems.append(f"version {number} was deleted while it was served; what was loaded still answers")
            elif not _is_same(folder / number, model):
                changed = f"version {number} has other files now than were loaded, and a version is immutable"
                problems.append(f"{changed}: publish a new one. What was loaded still answers")
            else:
                self._stamps[folder.name, number] = stamp
        return tuple(problems)

    def _why_not_ready(self) -> str | None:
        if not self._entries:
            return f"there is no model in {self._folder}; publish one, or set MODEL_API_MODELS"
        if self._default and self._default not in self._entries:
            known = ", ".join(self._entries)
            return f"MODEL_API_DEFAULT_MODEL names {self._default!r}, but there is only {known}"
        if not any(entry.loaded for entry in self._entries.values()):
            return f"no model in {self._folder} could be loaded"
        return None

    @property
    def snapshot(self) -> Mapping[str, ModelEntry]:
        """What is served now: another object whenever anything may have changed."""
        return self._entries

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
        entries = self._entries
        if name not in entries:
            known = ", ".join(entries)
            raise UnknownModel(f"there is no model {name[:64]!r}; there is {known}")
        return entries[name]

    def find(self, name: str | None = None, version: str = CHAMPION) -> LoadedModel:
        """Find a loaded version by number or alias; no name means the default model."""
        return self.entry(name or self.default).resolve(version)

    def troubles(self) -> list[dict[str, str]]:
        """List everything that is not as it should be, for who watches the service."""
        found = [{"what": what, "reason": reason} for what, reason in self.notes.items()]
        for entry in self._entries.values():
            found += [{"what": f"{entry.name}/{n}", "reason": failure.reason} for n, failure in entry.failed.items()]
            found += [{"what": entry.name, "reason": problem} for problem in entry.problems]
        return found

    def _require_ready(self) -> None:
        if self.problem:
            raise NotReady(self.problem)


class Watcher:
    """Keeps a registry up to date, in a thread of its own."""

    def __init__(self, registry: Registry, seconds: float) -> None:
        """`seconds` between two looks; zero means to look once, at the start."""
        self._registry = registry
        self._seconds = seconds
        self._stopped = False
        self.looked = threading.Event()
        """Set when the first look was taken: what can be served is served."""
        self._thread = threading.Thread(target=self._run, name="watching", daemon=True)

    def start(self) -> None:
        """Load the models, then watch."""
        self._thread.start()

    def stop(self) -> None:
        """End it; a look that is being taken is the last one."""
        self._stopped = True
        self._registry.changed.set()
        self._registry.close()

    def _run(self) -> None:
        self._look(self._registry.load)
        self.looked.set()
        while self._seconds and not self._stopped:
            self._registry.changed.wait(self._seconds)
            if not self._stopped:
                self._look(self._registry.refresh)

    def _look(self, look: Callable[[], None]) -> None:
        try:
            look()
        except Exception:
            if not self._stopped:  # the next look may succeed, and what is served is served
                log.exception("the folder of models could not be looked at")


def _orphan(entry: ModelEntry) -> ModelEntry:
    """Keep serving a model whose folder is gone: to end it, end the service."""
    gone = "all its versions were deleted while it was served; what was loaded still answers"
    return replace(entry, failed={}, loading=(), idle=(), waiting={}, problems=(gone,))


def _aliases(folder: Path, before: ModelEntry) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Read the wanted aliases; when that fails, those of before stay."""
    try:
        return read_aliases(folder), ()
    except ArtifactError as error:
        return {**before.aliases, **before.waiting}, (str(error),)


def _traffic(folder: Path, before: ModelEntry) -> tuple[Traffic, tuple[str, ...]]:
    """Read what a challenger gets; when that fails, what it got before stays."""
    try:
        return read_traffic(folder), ()
    except ArtifactError as error:
        return before.traffic, (str(error),)


def _thresholds(folder: Path, before: ModelEntry) -> tuple[Mapping[str, ServedThreshold], tuple[str, ...]]:
    """Read what is decided for the versions; when that fails, what was decided before stays."""
    try:
        return read_thresholds(folder), ()
    except ArtifactError as error:
        return before.thresholds, (str(error),)


def _history(folder: Path) -> tuple[Mapping[str, Any], ...]:
    """Read the last moves; who appends to the file is not trusted with the shape of our answers."""
    try:
        moves = read_history(folder)[-MOVES:]
    except ArtifactError:
        return ()
    return tuple({name: _short(move.get(name)) for name in MOVE} | _verdict(move) for move in moves)


def _short(value: object) -> str | None:
    return None if value is None else str(value)[:MOST_CHARACTERS]


def _verdict(move: Mapping[str, Any]) -> dict[str, Any]:
    broken = move.get("broken")
    rules = [str(rule)[:MOST_CHARACTERS] for rule in broken[:MOVES]] if isinstance(broken, list) else []
    return {"refused": bool(move.get("refused")), "forced": bool(move.get("forced")), "broken": rules}


def _served_aliases(
    wanted: Mapping[str, str], before: Mapping[str, str], loaded: Mapping[str, LoadedModel]
) -> dict[str, str]:
    """Move each alias to its version if that can answer; else it stays where it is, if that can."""
    served = {alias: number if number in loaded else before.get(alias, "") for alias, number in wanted.items()}
    return {alias: number for alias, number in served.items() if number in loaded}


def _warnings(models: Iterable[LoadedModel]) -> list[str]:
    return [model.warning for model in models if model.warning]


def _missing(wanted: Mapping[str, str], versions: list[str]) -> list[str]:
    return [f"the alias {a} means version {n[:20]}, which is not there" for a, n in wanted.items() if n not in versions]


def _stamp(folder: Path) -> Stamp:
    """Describe the files of a version without reading them; nothing when there are none."""
    try:
        found = [(path.name, path.lstat()) for path in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple((name, status.st_size, status.st_mtime_ns, status.st_ino) for name, status in found)


def _is_same(folder: Path, model: LoadedModel) -> bool:
    """Tell whether a version on disk is the one that was loaded, by reading it again."""
    try:
        artifact = Artifact(folder)
        artifact.check()
    except (ArtifactError, OSError):
        return False
    return artifact.manifest_hash == model.artifact.manifest_hash


def _first_published(entry: ModelEntry) -> tuple[str, str]:
    first = min(model.artifact.manifest.published_at for model in entry.loaded.values())
    return first, entry.name
