"""A store whose writes are measured."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent_framework.stats.registry import Registry


class MeasuredStore:
    """Keeps what another store keeps, and measures how long that takes, and how much it is.

    Args:
        store: an `IStore`.
        stats: where it is measured.

    """

    def __init__(self, store: Any, stats: Registry) -> None:
        self._store = store
        self._seconds = stats.histogram("store.append_seconds", "Time to make an entry safe.")
        self._bytes = stats.histogram("store.append_bytes", "Size of entries.")

    def append(self, data: bytes, *more: bytes) -> None:
        """Add an entry."""
        start = perf_counter()
        self._store.append(data, *more)
        self._seconds.record(perf_counter() - start)
        self._bytes.record(len(data) + sum(map(len, more)))

    def replace(self, through: int, data: bytes, *more: bytes) -> None:
        """Drop entries and add one."""
        start = perf_counter()
        self._store.replace(through, data, *more)
        self._seconds.record(perf_counter() - start)
        self._bytes.record(len(data) + sum(map(len, more)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
