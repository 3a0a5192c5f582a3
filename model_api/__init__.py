"""The model service: owns models, answers over HTTP, knows no web page."""

from importlib.metadata import version

__version__ = version("servery")
__all__ = ["Settings", "__version__", "create_app", "publish"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that importing one part never loads the others."""
    if name == "create_app":
        from model_api.app import create_app

        return create_app
    if name == "Settings":
        from model_api.settings import Settings

        return Settings
    if name == "publish":
        from model_api.publishing import publish

        return publish
    raise AttributeError(f"module 'model_api' has no attribute {name!r}")
