"""How a node's log looks: lines for people, or an object of JSON for each event."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from concurrent_framework.components import Component
from concurrent_framework.config import Option

if TYPE_CHECKING:
    from concurrent_framework.config import Config

TEXT = "%(asctime)s %(levelname)-7s %(message)s"


class LogOptions(Component):
    """How a node writes its log."""

    name = "log"

    format = Option(
        "log",
        "format",
        default="text",
        choices=("text", "json"),
        doc="Lines for people (text), or for each event a line of JSON with the ids it is about.",
    )


class JsonFormatter(logging.Formatter):
    """Writes an event as one line of JSON.

    It has ``time``, ``level``, ``node``, ``kind`` and ``text``, the ids that the event is about
    (``application``, ``worker``, ``task``), and a ``traceback`` if there is one.

    Args:
        node: whose log it is.

    """

    def __init__(self, node: str) -> None:
        super().__init__()
        self._node = node

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "node": self._node,
            "kind": getattr(record, "kind", "node.told"),
            "text": record.getMessage(),
            **getattr(record, "ids", {}),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str)


def formatter_for(config: Config, node: str, text: str = TEXT) -> logging.Formatter:
    """Return what writes the lines of a node's log as its configuration says.

    Args:
        config: the node's.
        node: what people call it.
        text: the format for people.

    """
    chosen = config.value(LogOptions.format)
    return JsonFormatter(node) if chosen == "json" else logging.Formatter(text)


def make_log(level: int, formatter: logging.Formatter | None = None) -> logging.Logger:
    """Return a log that writes lines with times to stderr."""
    log = logging.Logger("concurrent", level)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter or logging.Formatter(TEXT))
    log.addHandler(handler)
    return log
