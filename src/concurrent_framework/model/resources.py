"""What a task needs and what a worker has."""

from __future__ import annotations

from msgspec import Struct


class Resources(Struct, frozen=True, array_like=True, gc=False):
    """What one task occupies while it runs.

    Args:
        cpus: processor cores, >= 0; fractions are allowed.
        memory: bytes of resident memory it may use, 0 for no limit; the limit is enforced.
        gpus: accelerators, >= 0; fractions are allowed.
        labels: names that a worker must carry, all of them.

    """

    cpus: float = 1.0
    memory: int = 0
    gpus: float = 0.0
    labels: tuple[str, ...] = ()


class Capacity(Struct, frozen=True, array_like=True, gc=False):
    """What a worker offers: executors (tasks at a time), cpus, memory in bytes, gpus, labels."""

    executors: int = 1
    cpus: float = 1.0
    memory: int = 0
    gpus: float = 0.0
    labels: tuple[str, ...] = ()

    def can_run(self, need: Resources) -> bool:
        """Whether a task with this need could run here when nothing else does."""
        return (
            self.executors > 0
            and need.cpus <= self.cpus
            and need.gpus <= self.gpus
            and (need.memory <= self.memory or not self.memory)
            and (not need.labels or set(need.labels) <= set(self.labels))
        )

    def share(self, need: Resources) -> float:
        """Return how many of this worker's executors one such task occupies (> 0)."""
        parts = [1.0 / self.executors if need.cpus >= 1 or not self.cpus else 0.0]
        if self.cpus:
            parts.append(need.cpus / self.cpus)
        if self.memory:
            parts.append(need.memory / self.memory)
        if self.gpus:
            parts.append(need.gpus / self.gpus)
        return max(max(parts) * self.executors, 1.0 / 64)
