"""Words for results and errors that nobody else takes care of."""

from __future__ import annotations

import traceback
from typing import Any

from concurrent_framework.model.errors import ConcurrentError
from concurrent_framework.tasks.failures import format_exception, is_ours

SHOWN = 2000
"""Characters of a result that are shown at most."""


def shortened(result: Any) -> str:
    """Return a result as a text of bounded length."""
    text = result if isinstance(result, str) else repr(result)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def name_of(item: Any) -> str:
    """Return how people call a task or a task system."""
    return str(getattr(item, "name", "") or type(item).__name__)


def traceback_of(error: BaseException) -> str:
    """Return a traceback of the user's frames.

    An error about what the user's code returned is one line; a defect of this package shows all.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not all(is_ours(frame.filename) for frame in frames):
        return format_exception(error)
    if isinstance(error, ConcurrentError):
        return f"error: {error}"
    return "".join(traceback.format_exception(error))
