"""Inside the warm interpreter: one thread that forks commands on request and tells how they end."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "CONCURRENT_TEST_PLACE"
PRELOADED = (
    "cloudpickle",
    "concurrent_framework.api.calls",
    "concurrent_framework.api.feed",
    "concurrent_framework.api.http",
    "concurrent_framework.api.launching",
    "concurrent_framework.api.master_link",
    "concurrent_framework.api.methods",
    "concurrent_framework.api.methods.applications",
    "concurrent_framework.api.methods.cluster",
    "concurrent_framework.api.methods.nodes",
    "concurrent_framework.api.methods.steering",
    "concurrent_framework.api.methods.tasks",
    "concurrent_framework.api.methods.tokens",
    "concurrent_framework.api.openrpc",
    "concurrent_framework.api.pages",
    "concurrent_framework.api.server",
    "concurrent_framework.api.serving",
    "concurrent_framework.application.driver",
    "concurrent_framework.application.host",
    "concurrent_framework.application.systems",
    "concurrent_framework.application.systems.farm",
    "concurrent_framework.application.systems.graph",
    "concurrent_framework.application.systems.mapreduce",
    "concurrent_framework.application.systems.search",
    "concurrent_framework.application.systems.work",
    "concurrent_framework.application.systems.working",
    "concurrent_framework.cli.app",
    "concurrent_framework.cli.attaching",
    "concurrent_framework.cli.main",
    "concurrent_framework.cli.node_options",
    "concurrent_framework.cli.progress",
    "concurrent_framework.cli.run",
    "concurrent_framework.cli.starting",
    "concurrent_framework.code.by_value",
    "concurrent_framework.components.plugins",
    "concurrent_framework.dashboard.bridge",
    "concurrent_framework.dashboard.component",
    "concurrent_framework.dashboard.wire",
    "concurrent_framework.launch.access",
    "concurrent_framework.launch.embedded",
    "concurrent_framework.launch.nodes",
    "concurrent_framework.launch.transports",
    "concurrent_framework.managers.processes",
    "concurrent_framework.scheduling.pull",
    "concurrent_framework.scheduling.push",
    "concurrent_framework.scheduling.strategies",
    "concurrent_framework.store.rebuilding",
    "concurrent_framework.store.sqlite",
    "concurrent_framework.store.survey",
    "concurrent_framework.store.tables",
    "concurrent_framework.transport.zmq",
    "concurrent_framework.worker.executor",
    "numpy",
    "psutil",
    "pytest",
    "sqlalchemy.dialects.sqlite",
    "tblib.pickling_support",
    "typer._adapters",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "zmq.utils.garbage",
)


def serve(sock: socket.socket) -> dict[str, Any] | None:
    """Fork on request until the test's process has gone; in a child, return what was asked for."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    watched: list[socket.socket | int] = [sock, read]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if read in ready:
            os.read(read, 4096)
            bury(sock)
        if sock not in ready:
            continue
        data = sock.recv(1 << 16)
        if not data:
            return None
        asked: dict[str, Any] = json.loads(data)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in (read, write):
                os.close(fd)
            sock.close()
            return asked
        sock.send(json.dumps({"started": pid}).encode())


def bury(sock: socket.socket) -> None:
    """Tell of every command that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        code = os.waitstatus_to_exitcode(status)
        sock.send(json.dumps({"ended": pid, "code": code}).encode())


def become(asked: dict[str, Any]) -> NoReturn:
    """Be the command, as if this interpreter had just been started for it."""
    os.setsid()
    ctypes.CDLL(None).prctl(15, b"concurrent", 0, 0, 0)  # PR_SET_NAME
    for fd, name in ((1, "out"), (2, "err")):
        file = os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(file, fd)
        os.close(file)
    sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 (a descriptor, for good)
    sys.stdout = open(1, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, encoding="utf-8", buffering=1)  # noqa: SIM115
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    show_mark(asked["environ"][MARK])
    command = str(Path(sys.executable).with_name("concurrent"))
    sys.argv = [command, *asked["words"]]
    sys.path[0] = str(Path(command).parent)
    main = types.ModuleType("__main__")
    main.__file__ = command
    sys.modules["__main__"] = main
    from concurrent_framework.cli.main import program as run

    end(run)


def end(run: Callable[[], int]) -> NoReturn:
    """Run the command and end as an interpreter does, but leave taking itself apart to the system.

    That would touch, and so copy, all the memory that is shared with the warm interpreter.
    """
    code = 1
    try:
        code = run()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def show_mark(place: str) -> None:
    """Have the system show this process's place: it shows the memory that the start has left."""
    fields = Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()
    start = int(fields[47])  # env_start, the 50th of all
    shown = Path("/proc/self/environ").read_bytes()
    at = shown.index(f"{MARK}=".encode()) + len(MARK) + 1
    room = shown.index(b"\0", at) - at
    left = f"{place}\0LEFT=".encode()
    ctypes.memmove(start + at, left.ljust(room, b"-"), room)


def main() -> None:
    sock = socket.socket(fileno=int(sys.argv[1]))
    for module in PRELOADED:
        with contextlib.suppress(ImportError):  # a command that needs it will say so itself
            importlib.import_module(module)
    gc.collect()
    gc.freeze()
    asked = serve(sock)
    if asked is not None:
        become(asked)


if __name__ == "__main__":
    main()
