"""Launching an environment in a process of its own, which stays when this one ends."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from concurrent_framework.environment.files import telling
from concurrent_framework.environment.lock import RUNNING, demand_unused, holder_of
from concurrent_framework.environment.monitoring import master_of_process
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.environment.environment import Environment
    from concurrent_framework.environment.lock import Holder

OUTPUT = "output"
"""File in ``run/`` that takes what it prints; the log has the same with times."""
LOOK_AGAIN = 0.05
"""Seconds between looks whether it runs."""


def launch_in_background(
    environment: Environment, settings: Sequence[str] = (), arguments: Sequence[str] = ()
) -> Holder | None:
    """Launch an environment and return who runs it, or None if it has ended well already.

    A master can be joined when this returns.

    Args:
        environment: an open environment.
        settings: ``section.key=value`` each.
        arguments: what an application finds in ``self.arguments``.

    Raises:
        UsageError: if it runs already.
        ConcurrentError: if it ended with an error at once; the message is what it printed.

    """
    layout = environment.layout
    demand_unused(layout)
    command = [sys.executable, "-m", "concurrent_framework", "env", "launch", str(layout.root)]
    for setting in settings:
        command += ["--set", setting]
    with telling(f"launch {layout.root}"):
        layout.make_folders()
        output = layout.run / OUTPUT
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [*command, "--", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
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
    printed = output.read_text(encoding="utf-8", errors="replace").strip()
    message = printed.removeprefix("error: ") or f"{layout.root} ended with exit code {code}"
    raise ConcurrentError(message)


def _ready(environment: Environment, holder: Holder) -> bool:
    if environment.application == "master":
        return master_of_process(holder.pid) is not None
    return holder.doing == RUNNING
