"""Starting and stopping Ray."""

from __future__ import annotations

import ray

from benchmarks.peer import EXECUTORS, BlockingPeer


class RayPeer(BlockingPeer):
    """Ray on this machine, without its dashboard."""

    def start(self) -> None:
        """Start it."""
        ray.init(
            num_cpus=EXECUTORS,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            object_store_memory=1 << 30,
        )

    def stop(self) -> None:
        """Stop it."""
        ray.shutdown()
