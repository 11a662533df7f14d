"""Leaving the interpreter as if a test had never imported its own modules."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def imports_forgotten(place: Path) -> Iterator[None]:
    """Forget afterwards what was imported from below a directory, and what was added to the path."""
    path = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(place)):
                del sys.modules[name]
