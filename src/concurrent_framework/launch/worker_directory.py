"""The private directory of a worker: code that was sent to it, and scratch space of its tasks."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "concurrent-worker-"
_LOCK = "in-use"
"""A file that is locked for as long as the worker lives, wherever its process is visible."""


@contextmanager
def worker_directory() -> Iterator[Path]:
    """Make a directory for this process, which is a worker, and remove it afterwards.

    What workers of the same user left behind when they were killed is removed first.

    Example:
        >>> with worker_directory() as directory:
        ...     directory.is_dir()
        True

    """
    place = Path(tempfile.gettempdir())
    for path in place.glob(f"{_PREFIX}*"):
        _remove_if_abandoned(path)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place, ignore_cleanup_errors=True) as name:
        path = Path(name)
        being_made = path / f"{_LOCK}.new"
        with being_made.open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # It has its name only now: whoever sees it unlocked sees what was left behind.
            being_made.rename(path / _LOCK)
            yield path


def _remove_if_abandoned(path: Path) -> None:
    # One that has no lock yet is being made.
    with suppress(OSError):
        if path.lstat().st_uid != os.getuid():
            return
        with (path / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
