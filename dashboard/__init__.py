"""The dashboard: owns pages, knows no model; asks the model service over HTTP. `flask --app dashboard run`."""

from dashboard.app import create_app

__all__ = ["create_app"]
