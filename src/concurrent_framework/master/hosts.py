"""The processes of system hosts: started, watched and ended for the master's core."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from concurrent_framework.master.events import HostEnded
from concurrent_framework.protocol.forking import Exited, NotStarted, Started

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.protocol.forking import Forker

PATIENCE = 2.0
"""Seconds that a host has to end by itself after it was sent away."""


class HostProcesses:
    """Starts and ends hosts by their names.

    Args:
        forker: the template process.
        endpoint: where hosts find the master.
        directory: where they unpack code.

    """

    def __init__(self, forker: Forker, endpoint: str, directory: Path) -> None:
        self._forker = forker
        self._endpoint = endpoint
        self._directory = directory
        self._requests: dict[int, str] = {}
        self._pids: dict[int, str] = {}
        self._stopping: dict[str, float] = {}

    def fileno(self) -> int:
        """Return a descriptor that is readable when `collect` has something to tell."""
        return self._forker.fileno()

    def start(self, host: str) -> None:
        """Start a host."""
        request = self._forker.fork(
            "host",
            {"endpoint": self._endpoint, "session": host, "directory": str(self._directory)},
        )
        self._requests[request] = host

    def stop(self, host: str) -> None:
        """End a host that was told to go, by force if it does not."""
        self._stopping[host] = time.monotonic() + PATIENCE

    def deadline(self) -> float | None:
        """Return when `collect` must be called even if nothing is readable."""
        return min(self._stopping.values(), default=None)

    def collect(self) -> list[HostEnded]:
        """Return which hosts have ended, and end those that should have."""
        ended = []
        for message in self._forker.collect():
            match message:
                case Started():
                    self._pids[message.pid] = self._requests.pop(message.request)
                case NotStarted():
                    host = self._requests.pop(message.request)
                    self._stopping.pop(host, None)
                    ended.append(HostEnded(host, None, 0, message.reason))
                case Exited():
                    host = self._pids.pop(message.pid, "")
                    self._stopping.pop(host, None)
                    if host:
                        ended.append(HostEnded(host, message.exit_code, message.signal, ""))
        now = time.monotonic()
        for host in [host for host, due in self._stopping.items() if due <= now]:
            del self._stopping[host]
            for pid, name in self._pids.items():
                if name == host:
                    self._forker.kill(pid)
        return ended
