"""Questions to whoever sits at the terminal."""

from __future__ import annotations

import sys

import typer

from concurrent_framework.model.errors import UsageError


def somebody_there() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def asked(question: str, default: str | None = None) -> str:
    """Ask for a text; None as default demands one.

    Raises:
        typer.Abort: on Ctrl-C, and at the end of the input.

    """
    answer: str = typer.prompt(question, default=default, show_default=bool(default))
    return answer.strip()


def agreed(question: str, option: str) -> bool:
    """Ask for consent, no by default.

    Args:
        question: what to agree to.
        option: what says yes where nobody can be asked.

    Raises:
        UsageError: if nobody can be asked.
        typer.Abort: on Ctrl-C, and at the end of the input.

    """
    if not somebody_there():
        message = f"this needs consent and there is no terminal to ask at: give {option}"
        raise UsageError(message)
    return typer.confirm(question)
