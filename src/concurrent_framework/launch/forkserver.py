"""Inside the template process: one thread that forks children on request and buries them."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from concurrent_framework.launch.lifeline import adopt_orphans, name_process, signal_at_death_of
from concurrent_framework.launch.wire import Channel
from concurrent_framework.protocol.forking import (
    Exited,
    Fork,
    FromTemplate,
    NotStarted,
    Started,
    ToTemplate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ENTRIES = {
    "executor": ("concurrent_framework.worker.executor", "main"),
    "host": ("concurrent_framework.application.host", "main"),
}
"""What a child of each kind runs: called with the file descriptors, then the arguments by name."""

_LAST_WORDS = 2.0
_WAKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


def become(
    sock: socket.socket, parent: int, warm: Sequence[str], modules: Sequence[str] = ()
) -> NoReturn:
    """Turn this freshly forked or spawned process into a template; never returns.

    Args:
        sock: the end of the socket pair that is the template's.
        parent: pid of the node.
        warm: kinds of children whose modules are imported before the first is asked for.
        modules: more modules to import then, as far as they are installed.

    """
    code = 1
    gc.freeze()  # what is the node's must be neither finalised nor flushed here
    try:
        with contextlib.suppress(PermissionError):
            os.setsid()
        _plain_streams()
        close_all_but({0, 1, 2, sock.fileno()})
        _Template(sock, parent).serve(warm, modules)
        code = 0
    except BaseException:  # noqa: BLE001 (the process ends here; nobody else could tell)
        traceback.print_exc()
    finally:
        os._exit(code)


def _plain_streams() -> None:
    """Read nothing, and write to where the node writes; notebooks and tests replace streams."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (a descriptor, for good)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115


def close_all_but(keep: Iterable[int]) -> None:
    """Close every file descriptor of this process that is not in `keep`."""
    kept = set(keep)
    for entry in list(Path("/dev/fd").iterdir()):
        if int(entry.name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(entry.name))


def kill_session(pid: int) -> None:
    """Kill a child of this process, and everything in its session, whether or not it has one."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


class _Template:
    def __init__(self, sock: socket.socket, parent: int) -> None:
        self._channel: Channel[ToTemplate] = Channel(sock, ToTemplate)
        self._parent = parent
        self._children: set[int] = set()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def serve(self, warm: Sequence[str], modules: Sequence[str]) -> None:
        """Work until the node closes its end or dies."""
        faulthandler.enable(file=2, all_threads=False)
        _default_signals()
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in _WAKING:
            signal.signal(number, _wake)
        signal_at_death_of(self._parent, signal.SIGTERM)
        adopt_orphans()
        name_process("cc-template")
        for kind in warm:
            _entry(kind)
        for module in modules:
            _load(module)
        gc.collect()
        gc.freeze()
        poller = select.poll()
        poller.register(self._channel.socket, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        try:
            while os.getppid() == self._parent:
                poller.poll()
                self._bury()
                self._obey()
        except (EOFError, OSError):
            pass
        finally:
            self._end()

    def _obey(self) -> None:
        while (received := self._channel.receive(wait=False)) is not None:
            message, fds = received
            if isinstance(message, Fork):
                self._channel.send(self._fork(message, fds), [])
                for fd in fds:
                    os.close(fd)
            elif message.pid in self._children:
                kill_session(message.pid)

    def _fork(self, message: Fork, fds: list[int]) -> FromTemplate:
        try:
            entry = _entry(message.kind)
        except Exception as error:  # noqa: BLE001 (told to the node, which tells the user)
            return NotStarted(message.request, f"{type(error).__name__}: {error}")
        try:
            pid = os.fork()
        except OSError as error:
            return NotStarted(message.request, f"no process could be started: {error.strerror}")
        if pid == 0:
            self._run(entry, message, fds)
        self._children.add(pid)
        return Started(message.request, pid)

    def _run(self, entry: Callable[..., object], message: Fork, fds: list[int]) -> NoReturn:
        """Be the child: shed what is the template's and call the entry."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _WAKING:
                signal.signal(number, signal.SIG_DFL)
            # Not SIG_IGN, which programs started by the child would inherit.
            signal.signal(signal.SIGINT, _ignore)
            os.setsid()
            signal_at_death_of(os.getppid())
            close_all_but({0, 1, 2, *fds})
            name_process(f"cc-{message.kind}")
            entry(*fds, **message.arguments)
            code = 0
        except BaseException:  # noqa: BLE001 (the child ends here)
            traceback.print_exc()
        finally:
            os._exit(code)

    def _bury(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        while (ended := _wait()) is not None:
            if ended.pid in self._children:
                self._children.discard(ended.pid)
                self._kill_orphans()
                self._channel.send(ended, [])

    def _kill_orphans(self) -> None:
        """Kill what dead children have left behind; the kernel made it our child."""
        for pid in _own_children():
            with contextlib.suppress(ProcessLookupError):
                if pid not in self._children and os.getsid(pid) not in self._children:
                    kill_session(pid)

    def _end(self) -> None:
        for pid in self._children:
            kill_session(pid)
        self._children.clear()
        deadline = time.monotonic() + _LAST_WORDS
        while (living := _own_children()) and time.monotonic() < deadline:
            for pid in living:
                kill_session(pid)
            while _wait() is not None:
                pass
            time.sleep(0.001)


def _wait() -> Exited | None:
    """Bury one child that has ended, together with its session."""
    pid = 0
    with contextlib.suppress(ChildProcessError):
        if hasattr(os, "waitid"):
            # While it is a zombie its pid cannot be given to another process.
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None:
                return None
            kill_session(found.si_pid)
        pid, status, usage = os.wait4(-1, os.WNOHANG)
    if not pid:
        return None
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if os.WIFSIGNALED(status):
        return Exited(pid, None, os.WTERMSIG(status), peak)
    return Exited(pid, os.WEXITSTATUS(status), 0, peak)


def _own_children() -> list[int]:
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    except OSError:
        return []
    return [int(pid) for pid in text.split()]


def _default_signals() -> None:
    """Drop the handlers that the node's code has set: they are not meant for this process."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def _ignore(_number: int, _frame: object) -> None:
    """Leave Ctrl-C to the node."""


def _wake(_number: int, _frame: object) -> None:
    """Wake the loop through the wakeup descriptor; it looks for itself what has happened."""


def _entry(kind: str) -> Callable[..., object]:
    if kind not in ENTRIES:
        message = f"a template process starts {', '.join(ENTRIES)}, not {kind!r}"
        raise ValueError(message)
    module, name = ENTRIES[kind]
    function: Callable[..., object] = getattr(importlib.import_module(module), name)
    return function


def _load(module: str) -> None:
    """Import what executors may need; a task that needs it tells if that is impossible."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            traceback.print_exc()
    except Exception:  # noqa: BLE001 (a module may raise anything)
        traceback.print_exc()


def spawned(fd: int, parent: int, warm: Sequence[str], modules: Sequence[str]) -> NoReturn:
    """Be the template in a new interpreter, where forking the node would be unsafe."""
    become(socket.socket(fileno=fd), parent, warm, modules)
