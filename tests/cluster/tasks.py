"""Tasks for clusters of real processes; they travel to workers that have no copy of this file."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from concurrent_framework import Resources, Task, current_task


class Call(Task):
    """Calls a function of this file by its name."""

    def __init__(self, function: str, *args: Any) -> None:
        super().__init__(function)
        self.function = function
        self.args = args

    def __call__(self) -> Any:
        return globals()[self.function](*self.args)


class Guarded(Task):
    """Says on which worker it has begun, then waits for a file; returns the worker.

    Args:
        gate: the file.
        label: what its worker must carry.
        settings: of the task.

    """

    def __init__(self, gate: Path, label: str, **settings: Any) -> None:
        super().__init__(f"guarded at {label}")
        self.gate = str(gate)
        self.resources = Resources(labels=(label,))
        for name, value in settings.items():
            setattr(self, name, value)

    def __call__(self) -> str | None:
        current_task().progress(0, 1, str(self.slave_id))
        while not Path(self.gate).exists():
            time.sleep(0.003)
        return self.slave_id


class KeepsLock(Task):
    """Ends with an attribute that cannot be pickled."""

    def __call__(self) -> None:
        self.lock = threading.Lock()


class Complaint(Exception):
    """An exception that is made from other arguments than those it keeps."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code


class Brittle:
    """Can be pickled, but not rebuilt."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_only_there, (os.getpid(),))


def _only_there(pid: int) -> int:
    if pid != os.getpid():
        raise RuntimeError("this was only here")
    return pid


def add(a: int, b: int) -> int:
    return a + b


def repeat(text: str, count: int) -> str:
    return text * count


def pid() -> int:
    return os.getpid()


def wait_for(path: str) -> None:
    """Wait for a file; it says that it has begun by reporting progress."""
    current_task().progress(0, 1, str(os.getpid()))
    while not Path(path).exists():
        time.sleep(0.003)


def meet(mine: str, theirs: str) -> int:
    """Wait for another task that runs at the same time; return the own process."""
    Path(mine).touch()
    while not Path(theirs).exists():
        time.sleep(0.003)
    return os.getpid()


def note(path: str, text: str) -> str:
    """Append a line to a file, atomically."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{text}\n".encode())
    os.close(fd)
    return text


def hold(path: str, text: str, gate: str) -> str:
    """Note that it has begun, say so, and wait for a file."""
    note(path, text)
    wait_for(gate)
    return text


def boom(text: str) -> None:
    print("about to fail", file=sys.stderr)
    raise ValueError(text)


def complain(code: int) -> None:
    raise Complaint(code, "nothing works")


def fails_to_unpickle() -> Any:
    return Brittle()


def leave(code: Any) -> None:
    print("leaving", file=sys.stderr)
    sys.exit(code)


def hard_exit(code: int) -> None:
    print("last words", file=sys.stderr)
    os._exit(code)


def crash() -> None:
    ctypes.string_at(0)


def kill_self(number: int) -> None:
    print("last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), number)
    time.sleep(60)


def kill_worker() -> None:
    """Kill the node itself, the parent of the template that forked this executor."""
    os.kill(_parent_of(os.getppid()), signal.SIGKILL)
    time.sleep(60)


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def unpicklable() -> Any:
    return {"a": [1, threading.Lock()]}


def eat(size: int) -> None:
    print("hungry", file=sys.stderr)
    hoard = bytearray(size)
    for index in range(0, size, 4096):
        hoard[index] = 1
    time.sleep(60)


def say(text: str, stream: str = "stdout") -> None:
    print(text, file=getattr(sys, stream))


def log(level: str, text: str) -> None:
    getattr(current_task().log, level)(text)


def progress(steps: int) -> None:
    for step in range(steps):
        current_task().progress(step + 1, steps, f"step {step + 1}")


def until_cancelled() -> str:
    current_task().progress(0, 1, "begun")
    while not current_task().cancelled:
        time.sleep(0.003)
    return "noticed"


def spread(depth: int) -> int:
    """Make two tasks of its kind, down to a depth."""
    if depth:
        current_task().push_tasks([Call("spread", depth - 1), Call("spread", depth - 1)])
    return depth


class Flaky(ConnectionError):
    """An error that a second attempt may not have."""


def flaky(path: str, good: int) -> int:
    """Fail before the call of this number, as the lines of a file count them."""
    note(path, "called")
    calls = len(Path(path).read_text().splitlines())
    if calls < good:
        raise Flaky(f"call {calls}")
    return calls


def slow_at_first(path: str) -> int:
    note(path, "called")
    calls = len(Path(path).read_text().splitlines())
    while calls < 2:
        time.sleep(0.01)
    return calls


def speak_and_wait(gate: str) -> None:
    print("a last thought", file=sys.stderr, flush=True)
    wait_for(gate)


class DiesOn(Task):
    """Dies on one worker; elsewhere it takes a while and returns which that was."""

    def __init__(self, worker: str, seconds: float) -> None:
        super().__init__(f"dies on {worker}")
        self.worker = worker
        self.seconds = seconds

    def __call__(self) -> str | None:
        if self.slave_id == self.worker:
            os._exit(1)
        time.sleep(self.seconds)
        return self.slave_id


def go_on(path: str, steps: int) -> str:
    """Do one step in each attempt, keep that, and die; but for the last."""
    here = current_task()
    step = here.restored or 0
    note(path, str(step))
    if step + 1 < steps:
        here.checkpoint(step + 1)
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    return f"went on at {step}"


def checkpoint_and_wait(path: str) -> Any:
    """Wait for a file, unless an earlier attempt has kept something."""
    here = current_task()
    if here.restored is not None:
        return here.restored
    here.checkpoint({"so": "far"})
    here.progress(0, 1, "ready")
    while not Path(path).exists():
        time.sleep(0.003)
    return None


def checkpoint_of(size: int) -> None:
    current_task().checkpoint(bytes(size) if size else {"lock": threading.Lock()})
