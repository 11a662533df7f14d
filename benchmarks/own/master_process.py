"""A master in a process of its own, and what it uses of the machine."""

from __future__ import annotations

import os
import select
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from benchmarks.own.processor import seconds_of
from concurrent_framework.application.connection import Connection
from concurrent_framework.config import Config
from concurrent_framework.launch.process import NodeProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 20.0
"""Seconds that the master has to come up."""


class MasterProcess:
    """Starts a master without any worker.

    Args:
        settings: ``section.key=value`` each.

    """

    def __init__(self, settings: Sequence[str]) -> None:
        self._config = Config.load(None, os.environ, settings)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        ready, told = os.pipe()
        os.set_inheritable(told, True)  # noqa: FBT003 (the standard library's signature)
        arguments = {
            "config": self._config.to_json(),
            "directory": self._folder.name,
            "plugins": "",
            "ready": told,
        }
        entry = "concurrent_framework.launch.nodes:embedded_master"
        self._node = NodeProcess(entry, arguments, (told,))
        os.close(told)
        if not select.select([ready], [], [], PATIENCE)[0]:
            message = "the master has not come up"
            raise RuntimeError(message)
        os.close(ready)
        self.endpoint = f"ipc://{Path(self._folder.name) / 'master.ipc'}"
        self._process = psutil.Process(self._node.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self._node.ask_to_end()
        self._node.wait()
        self._folder.cleanup()

    @property
    def connection(self) -> Connection:
        """How to reach it."""
        return Connection(self.endpoint)

    def memory(self) -> int:
        """Return the bytes of memory it has."""
        return int(self._process.memory_info().rss)

    def seconds(self) -> float:
        """Return the processor time it has used; other programs do not change that much."""
        return seconds_of(self._node.pid)
