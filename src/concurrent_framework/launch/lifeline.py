"""Processes that end when the one that started them does, however that one ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36


def fork_is_safe() -> bool:
    """Whether this process may fork and go on running Python in the child.

    It may on Linux while it has a single thread, counting those of native libraries.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return threading.active_count() == 1


def signal_at_death_of(parent: int, number: int = signal.SIGKILL) -> bool:
    """Have the kernel send this process a signal when the thread that forked it ends.

    Args:
        parent: pid of the parent as known before the fork; if it has died already, this process
            exits at once.
        number: the signal.

    Returns:
        False where the system has no such service (anything but Linux).

    """
    if not sys.platform.startswith("linux"):
        return False
    done = _prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os._exit(1)
    return done


def name_process(name: str) -> None:
    """Show `name` (15 characters) for this process in ps and top, where that is possible."""
    if sys.platform.startswith("linux"):
        _prctl(_PR_SET_NAME, name.encode()[:15])


def adopt_orphans() -> None:
    """Make what this process's descendants leave behind its children, where that is possible."""
    if sys.platform.startswith("linux"):
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int | bytes) -> bool:
    import ctypes

    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


class Lifeline:
    """Ties a child to its parent: create it, fork, then call `hold` here and `bind` there.

    On Linux the kernel kills the child. Elsewhere, or when a thread other than the main one forks,
    the child must poll `fileno` and end when it becomes readable.

    Example:
        >>> lifeline = Lifeline()
        >>> pid = os.fork()
        >>> if pid == 0:
        ...     lifeline.bind()
        ...     os._exit(0)
        >>> lifeline.hold()
        >>> os.waitpid(pid, 0) == (pid, 0)
        True

    """

    def __init__(self) -> None:
        self._parent = os.getpid()
        self._main = threading.current_thread() is threading.main_thread()
        self._read, self._write = os.pipe()

    def hold(self) -> None:
        """In the parent: keep the child alive until `release`, or this process's end."""
        self._read = _close(self._read)

    def bind(self) -> None:
        """In the child: end with the parent; exits at once if that is dead already."""
        self._write = _close(self._write)
        if self._main:
            signal_at_death_of(self._parent)
        elif os.getppid() != self._parent:
            os._exit(1)

    def fileno(self) -> int:
        """In the child: what becomes readable when the parent has died or let go."""
        return self._read

    def release(self) -> None:
        """Close this side. In the parent, a child that polls `fileno` takes it as the end."""
        self._read = _close(self._read)
        self._write = _close(self._write)


def _close(fd: int) -> int:
    if fd >= 0:
        os.close(fd)
    return -1
