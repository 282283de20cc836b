"""Lines on standard output: JSON, with the request id in every line of a request, or text for a terminal."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar

from pythonjsonlogger.orjson import OrjsonFormatter

from shared.config import LoggingSettings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

OURS = "passepartout"
"""The logger that all of ours are below."""
REQUEST_LOGGER = f"{OURS}.request"
"""The logger of one line a request."""
FIELDS = ["asctime", "levelname", "name", "message"]
RENAMED = {"asctime": "time", "levelname": "level", "name": "logger"}


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        current = request_id.get()
        if current is not None:
            record.request_id = current
        return True


def configure_logging(settings: LoggingSettings) -> None:
    """Send every logger to standard output; safe to call again.

    Of the libraries' lines only warnings are kept: what they say of a request, our middleware says in full.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_WithRequestId())
    handler.setFormatter(_formatter(settings))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(OURS).setLevel(settings.log_level)
    # What it warns of are the forms that it refuses: the caller is told.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def _formatter(settings: LoggingSettings) -> logging.Formatter:
    if settings.log_format == "text":
        line = "%(asctime)s %(levelname)s %(message)s [%(request_id)s]"
        return logging.Formatter(line, "%H:%M:%S", defaults={"request_id": "-"})
    return OrjsonFormatter(FIELDS, rename_fields=RENAMED)
