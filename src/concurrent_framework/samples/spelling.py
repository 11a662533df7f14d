"""How the command `concurrent` is typed where a sample runs: it may be in a `.venv` that is not on the path."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def command() -> str:
    """Return what a person types to run this installation's `concurrent` from where they are."""
    started = Path(sys.argv[0]).absolute()
    found = shutil.which("concurrent")
    if started.name != "concurrent" or (found and Path(found).absolute() == started):
        return "concurrent"
    return min(str(started), os.path.relpath(started), key=len)
