"""A node as a child process of this one, which it never outlives."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from concurrent_framework.launch.lifeline import fork_is_safe, signal_at_death_of
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE = 3.0
"""Seconds a node has to end in an orderly way."""


class NodeProcess:
    """Starts ``module:function`` with keyword arguments in a child process.

    It is forked where that is safe, which takes a millisecond, and otherwise spawned.

    Args:
        entry: ``module:function``; its return value is the exit code.
        arguments: must be picklable.
        fds: file descriptors that the child keeps, by the same numbers.

    """

    def __init__(self, entry: str, arguments: Mapping[str, Any], fds: tuple[int, ...] = ()) -> None:
        self._spawned: subprocess.Popen[bytes] | None = None
        self.end = "runs"
        """How it ended, for people."""
        # The child holds the other end of this pipe for as long as it lives, and nobody else does.
        self._alive, held = os.pipe()
        with _interrupts_held():
            if fork_is_safe():
                self.pid = _fork(entry, arguments)
            else:
                self._spawned = _spawn(entry, arguments, (*fds, held))
                self.pid = self._spawned.pid
        os.close(held)

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process ends."""
        return self._alive

    def poll(self) -> bool:
        """Whether it has ended."""
        if not self.pid:
            return True
        code = self._spawned.poll() if self._spawned is not None else _exit_code(self.pid)
        if code is None:
            return False
        self.pid = 0
        self.end = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return True

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        if not self.poll():
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, patience: float = PATIENCE) -> None:
        """Wait until it has ended; kill it after so many seconds."""
        deadline = time.monotonic() + patience
        while not self.poll():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.002)
        if self._alive >= 0:
            os.close(self._alive)
            self._alive = -1


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while a child is made, which begins with it held back, too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_interrupts_to_parent() -> None:
    """Ignore Ctrl-C, which a terminal sends to both: the parent asks this process to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _exit_code(pid: int) -> int | None:
    """Return how a child ended, a signal as a negative number; None if it has not."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if ended else None


def _fork(entry: str, arguments: Mapping[str, Any]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(entry, arguments, parent)
    return pid


def _spawn(
    entry: str, arguments: Mapping[str, Any], fds: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        "from concurrent_framework.launch.process import spawned; spawned()"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, pass_fds=fds)
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin:
        pickle.dump((entry, dict(arguments), os.getpid()), child.stdin)
    return child


def spawned() -> NoReturn:
    """Be the child of `_spawn`."""
    _become(*pickle.load(sys.stdin.buffer))


def _become(entry: str, arguments: Mapping[str, Any], parent: int) -> NoReturn:
    code = 1
    try:
        _leave_interrupts_to_parent()
        signal_at_death_of(parent)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        module, _, function = entry.partition(":")
        code = getattr(import_module(module), function)(**arguments)
    except ConcurrentError as error:
        sys.stderr.write(f"error: {error}\n")
        code = error.exit_code
    except BaseException:  # noqa: BLE001 (the last resort before the process ends)
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
