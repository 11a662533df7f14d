"""Where an application's log, its tasks' output and its progress are shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import logging

    from concurrent_framework.protocol.tasks import OutputLine


class Display(Protocol):
    """Shows lines and progress to the user. The command line replaces it by one with a bar."""

    def line(self, text: str, *, error: bool) -> None:
        """Show a line, on stderr if `error`."""

    def progress(self, done: float, total: float, message: str) -> None:
        """Show how far the application is; total 0 means that nobody knows."""

    def close(self) -> None:
        """Stop showing."""


class PlainDisplay:
    """Writes lines to stdout and stderr and shows no progress."""

    def line(self, text: str, *, error: bool) -> None:
        """Write a line."""
        stream = sys.stderr if error else sys.stdout
        if stream is not None:
            stream.write(f"{text}\n")
            stream.flush()

    def progress(self, done: float, total: float, message: str) -> None:
        """Show nothing: output may be piped."""

    def close(self) -> None:
        """Do nothing."""


def make_logger(name: str, display: Display) -> logging.Logger:
    """Make a logger of its own whose lines go to a display.

    INFO is shown bare on stdout; what is worse goes to stderr with its level before it.
    """
    import logging

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                text = self.format(record)
            except Exception:  # noqa: BLE001 (logging's own rule: a bad call must not end a program)
                self.handleError(record)
                return
            show(display, record.levelname.lower(), text)

    logger = logging.Logger(name, logging.INFO)  # noqa: LOG001 (each node has one of its own)
    logger.addHandler(Shown())
    return logger


def show(display: Display, level: str, text: str) -> None:
    """Show text of a logging level, or of a stream (``stdout``, ``stderr``)."""
    if level in ("info", "debug", "stdout", "stderr"):
        display.line(text, error=level == "stderr")
    else:
        display.line(f"{level}: {text}", error=True)


def show_output(display: Display, output: OutputLine) -> None:
    """Show what a task or a system printed or logged, each line with its name before it."""
    for line in output.text.splitlines() or [""]:
        show(display, output.stream, f"{output.source} | {line}")
