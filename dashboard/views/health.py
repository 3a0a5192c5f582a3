"""`/ready`: whether pages can be served. Asks nobody: a page knows what to say while the model service is away."""

from flask import Blueprint


def health_views() -> Blueprint:
    """Make the address that a supervisor asks."""
    views = Blueprint("health", __name__)

    @views.get("/ready")
    def ready() -> dict[str, bool]:
        return {"ready": True}

    return views
