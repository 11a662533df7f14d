"""A cluster of one master and one worker on this machine, for as long as an application runs."""

from __future__ import annotations

import os
import select
import time
from importlib import import_module
from typing import TYPE_CHECKING, Self

from concurrent_framework.application.connection import Connection
from concurrent_framework.launch.process import NodeProcess
from concurrent_framework.launch.registry import EMBEDDED, create

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.config import Config
    from concurrent_framework.transport.base import WatchedClient

READY_TIMEOUT = 10.0
"""Seconds the master has to open its endpoint."""


class EmbeddedCluster:
    """Starts a master and a worker that end with this process.

    They talk over a socket in a private directory. Start it before the process has threads: it is
    then forked, which takes milliseconds.

    Args:
        config: options of master and worker.
        workers: tasks to run at a time; None for one per core.
        plugins: the folder of an environment's plug-ins, None for none.

    Example:
        >>> from concurrent_framework.config import Config
        >>> with EmbeddedCluster(Config(), workers=2) as cluster:
        ...     cluster.connection.endpoint.startswith("ipc://")
        True

    """

    def __init__(
        self, config: Config, workers: int | None = None, plugins: Path | None = None
    ) -> None:
        self._plugins = "" if plugins is None else str(plugins)
        self._config = (
            config
            if workers is None
            else config.replace({"worker.executors": workers}, "--workers")
        )
        self._nodes: dict[str, NodeProcess] = {}

    def __enter__(self) -> Self:
        self._directory = create(EMBEDDED)
        path = self._directory.path
        self._ready, ready = os.pipe()
        os.set_inheritable(ready, True)  # noqa: FBT003 (the standard library's signature)
        os.set_inheritable(self._ready, True)  # noqa: FBT003
        arguments = {
            "config": self._config.to_json(),
            "directory": str(path),
            "plugins": self._plugins,
        }
        try:
            fds = (self._ready, ready)
            self._nodes["master"] = NodeProcess(
                "concurrent_framework.launch.nodes:embedded_master",
                {**arguments, "ready": ready},
                fds,
            )
            self._nodes["worker"] = NodeProcess(
                "concurrent_framework.launch.nodes:embedded_worker",
                {**arguments, "ready": self._ready, "not_ready": ready},
                fds,
            )
        except BaseException:
            os.close(ready)
            self.close()
            raise
        os.close(ready)
        endpoint = f"ipc://{path / 'master.ipc'}"
        self.connection = Connection(
            endpoint, transport=lambda: self._connect(endpoint), foundation=self
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the nodes, orderly if they can, and remove what they left."""
        # The worker first: its last words would wait in vain for a master that is gone.
        for node in reversed(self._nodes.values()):
            node.ask_to_end()
            node.wait()
        self._nodes.clear()
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1
        self._directory.remove()

    def filenos(self) -> list[int]:
        """Return descriptors of which one becomes readable when the master or the worker ends."""
        return [node.fileno() for node in self._nodes.values()]

    def failure(self) -> str:
        """Return which of them has ended, as a sentence."""
        # A process lets go of its descriptors a moment before the system counts it as ended.
        give_up = time.monotonic() + 1.0
        while not any(node.poll() for node in self._nodes.values()):
            if time.monotonic() > give_up:
                break
            time.sleep(0.001)
        ended = " and ".join(
            f"the {name} {node.end}" for name, node in self._nodes.items() if node.poll()
        )
        return f"this application's own cluster broke: {ended}; run the application again"

    def _connect(self, endpoint: str) -> WatchedClient:
        """Connect once the master listens: it closes its end of the pipe then."""
        select.select([self._ready], [], [], READY_TIMEOUT)
        from concurrent_framework.transport.zmq import ZmqClient

        return ZmqClient(endpoint)


def _warm() -> None:
    """Import once what all processes need, before they are forked from this one."""
    for module in (
        "application.driver",
        "application.host",
        "launch.nodes",
        "managers.processes",
        "transport.zmq",
        "worker.executor",
    ):
        import_module(f"concurrent_framework.{module}")
