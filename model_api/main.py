"""The application that `uvicorn model_api.main:app` serves."""

from model_api.app import create_app
from model_api.logs import configure_logging
from model_api.settings import Settings

settings = Settings()
configure_logging(settings.log_format)
app = create_app(settings)
