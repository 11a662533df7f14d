"""Parsl with its high-throughput executor."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import parsl
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider

from benchmarks.peer import EXECUTORS, BlockingPeer, NotOffered

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parsl(BlockingPeer):
    """Python apps on one block of this machine. It has no interface for many calls at once."""

    def start(self) -> None:
        """Load the configuration; workers come with the block."""
        self.directory = TemporaryDirectory()
        executor = HighThroughputExecutor(
            label="local",
            address="127.0.0.1",
            max_workers_per_node=EXECUTORS,
            cores_per_worker=1,
            provider=LocalProvider(init_blocks=1, max_blocks=1),
        )
        config = Config(
            executors=[executor],
            strategy="none",
            initialize_logging=False,
            usage_tracking=0,
            run_dir=self.directory.name,
        )
        self.kernel = parsl.load(config)
        self.apps: dict[Any, Any] = {}

    def stop(self) -> None:
        """Stop everything."""
        self.kernel.cleanup()
        parsl.clear()
        self.directory.cleanup()

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Call the app for each argument."""
        app = self.apps.get(function)
        if app is None:
            app = self.apps[function] = parsl.python_app(function, data_flow_kernel=self.kernel)
        futures = [app(argument) for argument in arguments]
        return [future.result() for future in futures]

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Refuse."""
        del function, arguments
        raise NotOffered
