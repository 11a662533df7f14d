"""One process at a time runs or changes an environment."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.environment.files import telling
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from concurrent_framework.environment.layout import Layout


STARTING, RUNNING = "starting", "running"
"""What whoever has launched an environment does with it."""


class Holder(NamedTuple):
    """Who holds an environment's lock: process id, what it does, and since when (unix time)."""

    pid: int
    doing: str
    since: float

    @property
    def runs(self) -> bool:
        """Whether it is what was launched."""
        return self.doing in {STARTING, RUNNING}

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"process {self.pid}, {self.doing} since {since}"


@contextmanager
def locked(layout: Layout, doing: str) -> Iterator[Callable[[str], None]]:
    """Hold an environment's lock; the system releases it when this process dies, however.

    Yields what to call with what is being done when that becomes something else.

    Args:
        layout: the environment.
        doing: what for, as in ``running``, for whoever is refused meanwhile.

    Raises:
        UsageError: if another process holds it, or this one already.

    """
    with telling(f"lock {layout.root}"):
        layout.make_folders()
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(layout, _read(layout.lock)) from None
        since = time.time()

        def note(doing: str) -> None:
            data = json.dumps(Holder(os.getpid(), doing, since)).encode()
            with suppress(OSError):  # on a full disk the lock holds, without saying whose it is
                os.pwrite(descriptor, data, 0)
                os.ftruncate(descriptor, len(data))

        note(doing)
        yield note
    finally:
        os.close(descriptor)


def demand_unused(layout: Layout) -> None:
    """Raise UsageError if an environment runs or is being changed at this moment."""
    if holder := holder_of(layout):
        raise _in_use(layout, holder)


def holder_of(layout: Layout) -> Holder | None:
    """Return who runs or changes an environment at this moment, None if nobody does."""
    try:
        descriptor = os.open(layout.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(layout.lock) or Holder(0, "in use", 0.0)
    finally:
        os.close(descriptor)
    return None


def _read(path: Path) -> Holder | None:
    try:
        return Holder(*json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _in_use(layout: Layout, holder: Holder | None) -> UsageError:
    message = f"{layout.root} is in use ({holder or 'by another process'})"
    if holder is not None and holder.runs:
        message += f"; `concurrent env stop {layout.root}` ends it"
    return UsageError(message)
