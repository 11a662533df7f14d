"""Exit codes, and how errors reach the terminal: one line that says what to do."""

from __future__ import annotations

import os
import sys
from typing import TextIO

OK = 0
USAGE = 2
"""What was typed cannot work; errors know their own codes: `ConcurrentError.exit_code`."""
INTERRUPTED = 130
"""Ctrl-C; 128 + SIGINT, as shells do it."""


def complain(message: str) -> None:
    """Write one line to stderr, its first word red where a person reads it."""
    word = "\x1b[1;31merror:\x1b[0m" if coloured(sys.stderr) else "error:"
    print(f"{word} {message}", file=sys.stderr)


def coloured(stream: TextIO) -> bool:
    """Whether this stream is a terminal that wants colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()
