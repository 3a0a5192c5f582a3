"""`/`: the models as cards."""

from flask import Blueprint, render_template

from dashboard.model_client import ModelClient


def index_views(client: ModelClient) -> Blueprint:
    """Make the first page."""
    views = Blueprint("index", __name__)

    @views.get("/")
    def index() -> str:
        return render_template("index.html", catalogue=client.catalogue())

    return views
