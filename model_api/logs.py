"""How the model service writes its log: one line an event, readable or JSON."""

import logging
import sys
from typing import Any, Literal

import structlog

# The plain traceback, whatever else is installed: rich would print local variables, and inputs among them.
READABLE: dict[str, Any] = {"pad_event_to": 0, "exception_formatter": structlog.dev.plain_traceback}


def configure_logging(log_format: Literal["readable", "json"]) -> None:
    """Send the log of this process, uvicorn's included, to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    before = structlog.processors.format_exc_info if log_format == "json" else _escape_controls
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, before, renderer(log_format)],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # Our own line tells more than uvicorn's access line, and never the query.
    logging.getLogger("uvicorn.access").handlers.clear()
    logging.getLogger("uvicorn.access").propagate = False


def renderer(log_format: Literal["readable", "json"]) -> structlog.typing.Processor:
    """Make what turns an event into its line."""
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(**READABLE, colors=sys.stderr.isatty())


def _escape_controls(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape what would forge a line or colour the terminal: a path may hold anything."""
    texts = {key: value for key, value in event.items() if isinstance(value, str) and not value.isprintable()}
    return {**event, **{key: value.encode("unicode_escape").decode() for key, value in texts.items()}}
