"""The node's side of its template process: a warm process whose forks are ready in milliseconds.

Start it before the node creates a ZeroMQ context or a thread. When the node ends, however it does,
the template and all its children end too. A template that dies is replaced by `collect`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from concurrent_framework.launch import forkserver
from concurrent_framework.launch.lifeline import fork_is_safe
from concurrent_framework.launch.wire import Channel
from concurrent_framework.protocol.forking import (
    Exited,
    Fork,
    FromTemplate,
    Kill,
    NotStarted,
    Started,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOSSES_IN_A_ROW = 3
_PATIENCE = 3.0


class Template:
    """Forks executors and system hosts for a node; see `Forker` for what its methods promise.

    Args:
        warm: kinds of children (``executor``, ``host``) whose modules the template imports at once.
        modules: names of more modules to import at once, as far as they are installed.
        fork: True to fork this process, False to spawn a new interpreter, None to choose by
            `fork_is_safe`.

    Example:
        >>> with Template() as template:
        ...     request = template.fork("executor", {"worker": "w1"})  # doctest: +SKIP

    """

    def __init__(
        self,
        warm: Sequence[str] = ("executor",),
        modules: Sequence[str] = (),
        *,
        fork: bool | None = None,
    ) -> None:
        self._warm = (tuple(warm), tuple(modules))
        self._requests = 0
        self._pending: set[int] = set()
        self._children: set[int] = set()
        self._untold: list[Started | NotStarted | Exited] = []
        self._losses = 0
        self._pid = 0
        # Its descriptor stays the same when the template is replaced.
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._begin(fork_is_safe() if fork is None else fork)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The template's process id; 0 when it has been closed or given up."""
        return self._pid

    def fork(self, kind: str, arguments: Mapping[str, Any], fds: Sequence[int] = ()) -> int:
        """Ask for a child of this kind; `collect` tells `Started` or `NotStarted` by this number.

        Args:
            kind: ``executor`` or ``host``.
            arguments: values of builtin types, for the entry's keyword arguments.
            fds: file descriptors for the entry's positional arguments; the caller may close its own.

        """
        self._requests += 1
        request = self._requests
        self._pending.add(request)
        if not self._pid:
            self._say(NotStarted(request, "the template process keeps dying"))
            return request
        # A template that has just died is noticed by `collect`, which answers what is pending.
        with contextlib.suppress(OSError):
            self._channel.send(Fork(request, kind, dict(arguments)), list(fds))
        return request

    def kill(self, pid: int) -> None:
        """End a child and everything in its session at once; its `Exited` follows."""
        if pid in self._children and self._pid:
            with contextlib.suppress(OSError):
                self._channel.send(Kill(pid), [])

    def fileno(self) -> int:
        """Return a descriptor that is readable when `collect` has something to tell."""
        return self._selector.fileno()

    def collect(self) -> list[Started | NotStarted | Exited]:
        """Return what happened since the last call. Replaces the template if it has died."""
        try:
            while self._pid and (received := self._channel.receive(wait=False)) is not None:
                self._note(received[0])
        except EOFError:
            self._bury()
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        told, self._untold = self._untold, []
        return told

    def close(self) -> None:
        """End the template and all its children; waits until they have gone."""
        if self._pid:
            self._drop()
        for fd in (self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._selector.close()

    def _begin(self, fork: bool) -> None:  # noqa: FBT001 (private, one caller names it)
        ours, theirs = socket.socketpair()
        node = os.getpid()
        begin = _fork if fork else _spawn
        self._pid = begin(theirs, node, *self._warm)
        theirs.close()
        self._channel: Channel[FromTemplate] = Channel(ours, FromTemplate)
        self._selector.register(ours, selectors.EVENT_READ)

    def _note(self, message: FromTemplate) -> None:
        if isinstance(message, Started):
            self._losses = 0
            self._children.add(message.pid)
        if isinstance(message, Exited):
            self._children.discard(message.pid)
        else:
            self._pending.discard(message.request)
        self._untold.append(message)

    def _say(self, message: NotStarted) -> None:
        self._note(message)
        os.write(self._wake_write, b"!")

    def _drop(self) -> None:
        self._selector.unregister(self._channel.socket)
        self._channel.socket.close()
        _reap(self._pid)
        self._pid = 0

    def _bury(self) -> None:
        """Tell the end of what died with the template, and start another one."""
        self._drop()
        for pid in sorted(self._children):
            forkserver.kill_session(pid)
            self._note(Exited(pid, None, 9))
        for request in sorted(self._pending):
            self._note(NotStarted(request, "the template process died"))
        self._losses += 1
        if self._losses < _LOSSES_IN_A_ROW:
            self._begin(fork=False)


def _reap(pid: int) -> None:
    """Wait for the template, which kills its children and goes; for a stopped one not for long."""
    deadline = time.monotonic() + _PATIENCE
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(0.001)


def _fork(sock: socket.socket, node: int, warm: Sequence[str], modules: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()
    pid = os.fork()
    if pid == 0:
        forkserver.become(sock, node, warm, modules)
    return pid


def _spawn(sock: socket.socket, node: int, warm: Sequence[str], modules: Sequence[str]) -> int:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        "from concurrent_framework.launch import forkserver; "
        f"forkserver.spawned(3, {node}, {tuple(warm)!r}, {tuple(modules)!r})"
    )
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", program],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, sock.fileno(), 3)],
    )
