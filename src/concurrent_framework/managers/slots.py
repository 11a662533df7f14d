"""How much of a worker is in use: executors, cpus, memory, single GPUs. PURE."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from concurrent_framework.model.resources import Capacity, Resources

_ROUNDING = 1e-9


class Share(NamedTuple):
    """What one running task occupies."""

    executors: float
    cpus: float
    memory: float
    gpus: float

    def plus(self, other: Share, sign: int = 1) -> Share:
        """Return the sum, or the difference with a sign of -1."""
        total = Share(*(a + sign * b for a, b in zip(self, other, strict=True)))
        # Fractions that do not add up exactly must not add up to something over time.
        return Share(*(0.0 if abs(part) < _ROUNDING else part for part in total))


NOTHING = Share(0.0, 0.0, 0.0, 0.0)


class Slots:
    """Keeps account of what is used and, during one round of decisions, of what is spoken for."""

    def __init__(self, capacity: Capacity) -> None:
        unlimited = float("inf")
        self._cpus_matter = bool(capacity.cpus)
        self._limit = Share(
            capacity.executors,
            capacity.cpus or unlimited,
            capacity.memory or unlimited,
            capacity.gpus,
        )
        self._used = NOTHING
        self._reserved = NOTHING
        self._free_gpus = [1.0] * ceil(capacity.gpus)

    def share_of(self, need: Resources) -> Share:
        """Return what a task with this need occupies; see `Capacity.share`."""
        whole = need.cpus >= 1 or not self._cpus_matter
        return Share(1.0 if whole else 0.0, need.cpus, need.memory, need.gpus)

    def fits(self, share: Share) -> bool:
        """Whether there is room beside what is used and reserved."""
        return all(
            used + reserved + wanted <= limit + _ROUNDING
            for used, reserved, wanted, limit in zip(
                self._used, self._reserved, share, self._limit, strict=True
            )
        )

    def may_keep(self, share: Share) -> bool:
        """Whether what is used may go on being used, or others wait for that."""
        return all(
            used + reserved <= limit + _ROUNDING
            for used, reserved, wanted, limit in zip(
                self._used, self._reserved, share, self._limit, strict=True
            )
            if wanted
        )

    def reserve(self, share: Share) -> None:
        """Speak for room that others, which come later, must leave free."""
        self._reserved = self._reserved.plus(share)

    def release_reserved(self) -> None:
        """End the round: nothing is spoken for."""
        self._reserved = NOTHING

    def occupy(self, share: Share, gpus: tuple[int, ...]) -> None:
        """Count a running task."""
        self._used = self._used.plus(share)
        for gpu in gpus:
            self._free_gpus[gpu] -= share.gpus / len(gpus)

    def vacate(self, share: Share, gpus: tuple[int, ...]) -> None:
        """Count it no more."""
        self._used = self._used.plus(share, -1)
        for gpu in gpus:
            self._free_gpus[gpu] += share.gpus / len(gpus)

    def has_gpus(self, share: Share, gpus: tuple[int, ...]) -> bool:
        """Whether these GPUs are as many as needed and free enough."""
        return len(gpus) == ceil(share.gpus) and all(
            self._free_gpus[gpu] + _ROUNDING >= share.gpus / len(gpus) for gpu in gpus
        )

    def choose_gpus(self, share: Share) -> tuple[int, ...] | None:
        """Return the GPUs to use, the fullest that will do; None if there are not enough."""
        count = ceil(share.gpus)
        if not count:
            return ()
        each = share.gpus / count
        free = self._free_gpus
        able = [gpu for gpu in range(len(free)) if free[gpu] + _ROUNDING >= each]
        able.sort(key=lambda gpu: free[gpu])
        return tuple(sorted(able[:count])) if len(able) >= count else None

    def used_is(self, expected: Share) -> bool:
        """Whether this much is used; for tests."""
        return all(
            abs(used - right) < _ROUNDING for used, right in zip(self._used, expected, strict=True)
        )
