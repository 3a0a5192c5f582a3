"""GET /models…: what is served, what it needs, how good it is, and where it came from."""

from typing import Any

from fastapi import APIRouter, Request

from model_api.artifact import CHAMPION
from model_api.loading import LoadedModel
from model_api.registry import ModelEntry, Registry


def model_routes(registry: Registry) -> APIRouter:
    """Make the routes that describe the models."""
    router = APIRouter(tags=["models"])

    @router.get("/models")
    async def list_models() -> dict[str, Any]:
        """List every model with a sentence about its champion, and name the default model."""
        return {"models": [_summary(entry) for entry in registry.entries], "default": registry.default}

    @router.get("/models/{model}")
    async def describe_model(model: str) -> dict[str, Any]:
        """Describe a model: its versions, its aliases and the card of its champion."""
        entry = registry.entry(model)
        champion = entry.loaded.get(entry.aliases.get(CHAMPION, ""))
        return {**_summary(entry), "card": champion.artifact.card if champion else None}

    @router.get("/models/{model}/versions/{version}")
    async def describe_version(model: str, version: str, request: Request) -> dict[str, Any]:
        """Describe one version, named by number or alias: signature, quality and provenance."""
        found = registry.find(model, version)
        request.state.model = f"{found.name}/{found.version}"
        return _details(found)

    return router


def _summary(entry: ModelEntry) -> dict[str, Any]:
    versions = [{"version": number, "state": "ready", "reason": None} for number in entry.loaded]
    versions += [{"version": number, "state": "failed", "reason": why} for number, why in entry.failed.items()]
    versions.sort(key=lambda version: int(str(version["version"])))
    summary = {"name": entry.name, "aliases": entry.aliases, "versions": versions, "champion": None}
    champion = entry.loaded.get(entry.aliases.get(CHAMPION, ""))
    return {**summary, "champion": _headline(champion)} if champion else summary


def _headline(model: LoadedModel) -> dict[str, Any]:
    manifest, signature = model.artifact.manifest, model.artifact.signature
    return {
        "version": model.version,
        "title": manifest.title,
        "description": manifest.description,
        "synthetic": manifest.synthetic,
        "features": len(signature.features),
        "target": signature.to_dict()["target"],
        "quality": model.artifact.quality,
    }


def _details(model: LoadedModel) -> dict[str, Any]:
    manifest = model.artifact.manifest
    return {
        "name": model.name,
        **_headline(model),
        "signature": model.artifact.signature.to_dict(),
        "reference_rows": len(model.artifact.reference),
        "provenance": {
            "published_at": manifest.published_at,
            "digest": manifest.digest,
            "files": manifest.files,
            "estimator": manifest.estimator,
            "libraries": manifest.libraries,
        },
    }
