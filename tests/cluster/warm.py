"""A warm interpreter that forks the commands of a test: starting one anew costs a second of processor time.

What a command loads, and how it starts, `tests/cli` proves with new interpreters; here it is the
cluster that is tested. The commands are still processes of their own, in sessions of their own.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

PROGRAM = Path(__file__).with_name("warm_process.py")


class Process(Protocol):
    """What a test needs of a process: `subprocess.Popen` has it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...

    def kill(self) -> None: ...


class Warm:
    """Starts the interpreter; `start` has it fork a command. It ends with this process."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ended: dict[int, int] = {}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(theirs.fileno())],
                env={**os.environ, "CONCURRENT_TEST_PLACE": "-" * 200, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self.close)

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait()

    def start(
        self, words: list[str], directory: Path, environ: dict[str, str], log: Path
    ) -> Forked:
        """Run ``concurrent WORDS``, writing to ``LOG.out`` and ``LOG.err``."""
        asked = {
            "words": words,
            "directory": str(directory),
            "environ": environ,
            "out": str(log.with_suffix(".out")),
            "err": str(log.with_suffix(".err")),
        }
        self._socket.send(json.dumps(asked).encode())
        while (told := self._receive(wait=True)) is not None:
            if "started" in told:
                return Forked(self, told["started"])
        raise AssertionError

    def code_of(self, pid: int, *, wait: bool) -> int | None:
        """Return the exit code of a command; None while it runs."""
        while pid not in self._ended and self._receive(wait=wait) is not None:
            pass
        return self._ended.get(pid)

    def _receive(self, *, wait: bool) -> dict[str, Any] | None:
        try:
            data = self._socket.recv(1000, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        if not data:
            message = f"the warm interpreter has ended with {self._process.wait()}"
            raise AssertionError(message)
        told: dict[str, Any] = json.loads(data)
        if "ended" in told:
            self._ended[told["ended"]] = told["code"]
        return told


class Forked:
    """A command that the warm interpreter has forked."""

    def __init__(self, warm: Warm, pid: int) -> None:
        self._warm = warm
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code if it has ended."""
        if self.returncode is None:
            self.returncode = self._warm.code_of(self.pid, wait=False)
        return self.returncode

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        if self.returncode is None:
            self.returncode = self._warm.code_of(self.pid, wait=True)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """Kill it."""
        if self.poll() is None:
            os.kill(self.pid, 9)


@functools.cache
def warm() -> Warm | None:
    """Return the interpreter of this process, None where a process that did much may not fork."""
    return Warm() if sys.platform == "linux" else None
