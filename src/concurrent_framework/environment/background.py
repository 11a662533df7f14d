"""Launching an environment in a process of its own, which stays when this one ends."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from concurrent_framework.environment.files import telling
from concurrent_framework.environment.lock import RUNNING, demand_unused, holder_of
from concurrent_framework.environment.monitoring import master_of_process
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from concurrent_framework.environment.environment import Environment
    from concurrent_framework.environment.layout import Layout
    from concurrent_framework.environment.lock import Holder

OUTPUT, ERRORS = "output", "errors"
"""Files in ``run/`` that take what it prints; the log has the same with times."""
LOOK_AGAIN = 0.05
"""Seconds between looks whether it runs."""


def launch_in_background(
    environment: Environment, settings: Sequence[str] = (), arguments: Sequence[str] = ()
) -> Holder | None:
    """Launch an environment and return who runs it, or None if it has ended well already.

    A master can be joined when this returns, and has said how.

    Args:
        environment: an open environment.
        settings: ``section.key=value`` each.
        arguments: what an application finds in ``self.arguments``.

    Raises:
        UsageError: if it runs already.
        ConcurrentError: if it ended with an error at once; message and exit code are its own.

    """
    layout = environment.layout
    demand_unused(layout)
    command = [sys.executable, "-m", "concurrent_framework", "env", "launch", str(layout.root)]
    for setting in settings:
        command += ["--set", setting]
    with telling(f"launch {layout.root}"):
        layout.make_folders()
        errors = layout.run / ERRORS
        with (layout.run / OUTPUT).open("wb") as stdout, errors.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, "--", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
    while (code := process.poll()) is None:
        holder = holder_of(layout)
        if holder is not None and holder.pid == process.pid and _ready(environment, holder):
            process.returncode = 0  # it is left to itself; Popen complains of what still runs
            return holder
        time.sleep(LOOK_AGAIN)
    if code == 0:
        return None
    error = ConcurrentError(_why(errors) or f"{layout.root} ended with exit code {code}")
    error.exit_code = code
    raise error


def _why(errors: Path) -> str:
    """Return the error that the process ended with, else all that it has printed to stderr."""
    printed = errors.read_text(encoding="utf-8", errors="replace").strip()
    return f"\n{printed}".rpartition("\nerror: ")[2].strip()


def said_of(layout: Layout) -> str:
    """Return what the process in the background has printed to stdout so far."""
    with suppress(OSError):
        return (layout.run / OUTPUT).read_text(encoding="utf-8", errors="replace")
    return ""


def _ready(environment: Environment, holder: Holder) -> bool:
    if environment.application == "master":
        return master_of_process(holder.pid) is not None and bool(said_of(environment.layout))
    return holder.doing == RUNNING
