"""Ending what runs in an environment."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from concurrent_framework.environment.lock import holder_of
from concurrent_framework.model.errors import ConcurrentError, UsageError

if TYPE_CHECKING:
    from concurrent_framework.environment.layout import Layout
    from concurrent_framework.environment.lock import Holder

LOOK_AGAIN = 0.05
"""Seconds between looks whether it has ended: the system tells only a process's parent."""


def stop(layout: Layout, timeout: float) -> Holder:
    """Ask what runs in an environment to end, and wait until it has; return what it was.

    Args:
        layout: the environment.
        timeout: seconds that its end may take.

    Raises:
        UsageError: if nothing runs there.
        ConcurrentError: if it has not ended in time, or belongs to another user.

    """
    holder = holder_of(layout)
    if holder is None:
        message = f"{layout.root} is not running"
        raise UsageError(message)
    if not holder.runs:
        message = f"{layout.root} is in use ({holder}): that ends by itself"
        raise UsageError(message)
    try:
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGTERM)
    except PermissionError:
        message = f"{layout.root} runs as another user (process {holder.pid}): ask them to end it"
        raise ConcurrentError(message) from None
    give_up = time.monotonic() + timeout
    while (now := holder_of(layout)) is not None and now.pid == holder.pid:
        if time.monotonic() >= give_up:
            message = (
                f"{layout.root} was asked to end and has not within {timeout:g} s "
                f"(process {holder.pid}); wait longer with --timeout, or kill that process"
            )
            raise ConcurrentError(message)
        time.sleep(LOOK_AGAIN)
    return holder
