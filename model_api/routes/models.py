"""GET /models…: what is served, what it needs, how good it is, and where it came from."""

from typing import Any

from fastapi import APIRouter, Request

from model_api.artifact import CHAMPION
from model_api.loading import LoadedModel
from model_api.registry import ModelEntry, Registry
from model_api.traffic import as_table


def model_routes(registry: Registry) -> APIRouter:
    """Make the routes that describe the models."""
    router = APIRouter(tags=["models"])

    @router.get("/models")
    async def list_models() -> dict[str, Any]:
        """List every model with a sentence about its champion, and name the default model."""
        models = [_summary(entry) for entry in registry.entries]
        return {"models": models, "default": registry.default, "problems": registry.troubles()}

    @router.get("/models/{model}")
    async def describe_model(model: str) -> dict[str, Any]:
        """Describe a model: its versions, its aliases and the card of its champion."""
        entry = registry.entry(model)
        champion = entry.loaded.get(entry.aliases.get(CHAMPION, ""))
        return {**_summary(entry), "card": champion.artifact.card if champion else None}

    @router.get("/models/{model}/versions/{version}")
    async def describe_version(model: str, version: str, request: Request) -> dict[str, Any]:
        """Describe one version, named by number or alias: signature, quality and provenance."""
        entry = registry.entry(model)
        found = entry.resolve(version)
        request.state.model = f"{found.name}/{found.version}"
        decided = entry.thresholds.get(found.version)
        return {**_details(found), "decision": decided and decided.as_table()}

    return router


def _summary(entry: ModelEntry) -> dict[str, Any]:
    states: list[dict[str, Any]] = [_ready(number, model) for number, model in entry.loaded.items()]
    states += [{"version": n, "state": "failed", "reason": failure.reason} for n, failure in entry.failed.items()]
    states += [{"version": n, "state": "loading", "reason": None} for n in entry.loading]
    states += [{"version": n, "state": "idle", "reason": "no alias means it"} for n in entry.idle]
    champion = entry.loaded.get(entry.aliases.get(CHAMPION, ""))
    return {
        "name": entry.name,
        "aliases": entry.aliases,
        "waiting": entry.waiting,
        "versions": sorted(states, key=lambda state: int(state["version"])),
        "traffic": as_table(entry.traffic),
        "decisions": {number: decided.as_table() for number, decided in entry.thresholds.items()},
        "problems": entry.problems,
        "history": entry.history,
        "champion": _headline(champion) if champion else None,
    }


def _ready(number: str, model: LoadedModel) -> dict[str, Any]:
    return {"version": number, "state": "ready", "reason": None, "runtime": model.predictor.choice.one}


def _headline(model: LoadedModel) -> dict[str, Any]:
    manifest, signature = model.artifact.manifest, model.artifact.signature
    return {
        "version": model.version,
        "title": manifest.title,
        "description": manifest.description,
        "synthetic": manifest.synthetic,
        "features": len(signature.features),
        "target": signature.to_dict()["target"],
        "quality": _summary_of_quality(model.artifact.quality),
    }


def _runtime(model: LoadedModel) -> dict[str, Any]:
    """Tell which form answers, how fast it is here, and what the proof says of each."""
    choice = model.predictor.choice
    taken = {"one_row": choice.one, "many_rows": choice.many, "measured": choice.timings}
    return {**taken, "forms": model.artifact.forms, "measured_at_publishing": model.artifact.manifest.timings}


def _summary_of_quality(quality: dict[str, Any] | None) -> dict[str, Any] | None:
    return quality and {key: quality[key] for key in ("method", "rows", "headline", "metrics")}


def _details(model: LoadedModel) -> dict[str, Any]:
    artifact, manifest = model.artifact, model.artifact.manifest
    return {
        "name": model.name,
        **_headline(model),
        "quality": artifact.quality,
        "signature": artifact.signature.to_dict(),
        "card": artifact.card,
        "reference_rows": len(artifact.reference),
        "runtime": _runtime(model),
        "provenance": {
            "published_at": manifest.published_at,
            "digest": manifest.digest,
            "files": manifest.files,
            "estimator": manifest.estimator,
            "libraries": manifest.libraries,
        },
    }
