"""The application that `uvicorn dashboard.main:app` serves: the Flask app, spoken to over ASGI."""

from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp

from dashboard.app import create_app
from dashboard.logs import configure_logging
from dashboard.settings import Settings

settings = Settings()
configure_logging(settings.log_format)
# Charts keep a core busy, pages wait for the model service: a few threads more than cores serve both.
app = WSGIMiddleware(cast("WSGIApp", create_app(settings)), workers=16)
