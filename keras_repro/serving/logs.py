"""The log as a JSON object a line, for machines. No line has a text that someone asked about."""

import json
import logging
import traceback
from datetime import UTC, datetime

ABOUT_A_REQUEST = ("method", "path", "status", "milliseconds")


class _AsJson(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        told |= {key: vars(record)[key] for key in ABOUT_A_REQUEST if key in vars(record)}
        if record.exc_info and record.exc_info[0]:  # without its message, which may have a text
            told["error"] = record.exc_info[0].__name__
            told["where"] = "".join(traceback.format_tb(record.exc_info[2]))
        return json.dumps(told, ensure_ascii=False)


def as_json() -> None:
    """Write what this project and uvicorn log as JSON, and a line for each request."""
    handler = logging.StreamHandler()
    handler.setFormatter(_AsJson())
    for name in ("keras_repro", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("keras_repro.requests").setLevel(logging.INFO)
