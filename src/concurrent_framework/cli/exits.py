"""Exit codes, and how errors reach the terminal: one line that says what to do."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from concurrent_framework.model.errors import (
    ConcurrentError,
    MasterNotFoundError,
    RefusedError,
    UsageError,
)

OK = 0
FAILED = 1
"""The application failed, or ended with this code itself."""
USAGE = 2
"""What was typed, or what is configured, cannot work."""
NO_MASTER = 3
"""No master answered."""
REFUSED = 4
"""The master refused: token, role, key or version."""
INTERRUPTED = 130
"""Ctrl-C; 128 + SIGINT, as shells do it."""


def exit_code_for(error: ConcurrentError) -> int:
    """Return the exit code that tells a script which kind of error this was."""
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, MasterNotFoundError):
        return NO_MASTER
    if isinstance(error, RefusedError):
        return REFUSED
    return FAILED


def complain(message: str) -> None:
    """Write one line to stderr, its first word red where a person reads it."""
    word = "\x1b[1;31merror:\x1b[0m" if coloured(sys.stderr) else "error:"
    print(f"{word} {message}", file=sys.stderr)


def coloured(stream: TextIO) -> bool:
    """Whether this stream is a terminal that wants colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()
