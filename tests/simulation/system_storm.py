"""Task systems in a storm: whatever dies, their result is what it would have been."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from concurrent_framework import Farm, TaskSystem, WorkerLost
from concurrent_framework.application import arrays
from concurrent_framework.tasks import arrays as slices
from concurrent_framework.testing.disk import SimDisk
from concurrent_framework.testing.network import Faults
from tests.simulation.hosted import Stage
from tests.simulation.test_array_checkpoints import Rounds, expected
from tests.simulation.test_checkpoints import Eager, Ledger, square

if TYPE_CHECKING:
    from collections.abc import Sequence


class Mapped(TaskSystem):
    """An array whose slices are given up when they are lost, so that the loss is narrowed down."""

    SIZE = 40

    def __init__(self) -> None:
        self.told: dict[int, Any] = {}

    def generate_tasks(self, master: Any) -> None:
        master.push_map(square, range(self.SIZE), max_attempts=1)

    def map_finished(self, master: Any, array: Any, first: int, results: list[Any]) -> None:
        for place, result in enumerate(results, first):
            assert place not in self.told, "an item was told twice"
            self.told[place] = result

    def gather_result(self, master: Any) -> list[int]:
        lost = [place for place, one in self.told.items() if isinstance(one, WorkerLost)]
        return sorted(place for place, one in self.told.items() if one == place**2 or place in lost)


Chosen = tuple[Callable[[], TaskSystem], Any]
"""What makes a system, and its result."""
MAPPED: Chosen = (Mapped, list(range(Mapped.SIZE)))
SEEDS = 40
"""Seeds that the tests try."""
SYSTEMS: list[Chosen] = [
    (lambda: Eager(12), Ledger(12).expected()),
    (lambda: Ledger(12), Ledger(12).expected()),
    (lambda: Rounds(3), expected(3)),
    MAPPED,
    (lambda: Farm(square, range(24)), [n**2 for n in range(24)]),
]


class SystemStorm:
    """Does something to a system's cluster now and then.

    Args:
        seed: what decides.
        systems: those it may be about.

    """

    def __init__(self, seed: int, systems: Sequence[Chosen]) -> None:
        self.chance = random.Random(seed)
        make, self.expected = self.chance.choice(systems)
        self.faults = Faults(
            seed, loss=0.01, duplication=0.02, jitter=0.001 if seed % 2 else 0.0, gathering=0.002
        )
        self.disk = SimDisk(
            spare=self.chance.choice([0, 2000]), step=self.chance.choice([300, 3000])
        )
        pattern = "push" if seed % 4 < 2 else "pull"
        self.stage = Stage(make(), pattern, seed, self.faults, disk=self.disk)
        self._restorable = False
        """Whether a checkpoint was safe, from which any later host has to go on."""

    def rage(self, acts: int) -> None:
        """Do so many things."""
        stage = self.stage
        choices: list[Callable[[], Any]] = [
            *([stage.hosts.kill] * 3), *([stage.restart_master] * 3), stage.change_workers,
            self.die_soon, self.fill, self.slow_down, self.cut,
        ]  # fmt: skip
        for _ in range(acts):
            self._go_on(self.chance.randint(20, 200))
            self.chance.choice(choices)()
        if not stage.cluster.alive:
            stage.restart_master()
        self.disk.countdown = 0

    def calm(self) -> None:
        """Heal everything, and let the system finish."""
        self.faults.loss = self.faults.duplication = self.faults.jitter = 0.0
        end = self.stage.cluster.clock.now + 600
        while not self.ended and self.stage.cluster.clock.now < end:
            self._go_on(1)

    @property
    def ended(self) -> bool:
        """Whether what came of the system was told, of the last retry if there were some."""
        return len(self.stage.ended_systems) > self.stage.retries

    def failed(self) -> bool:
        """Whether its hosts died so often that it was given up."""
        failure = self.stage.ended.failure if self.ended else None
        assert failure is None or "died 3 times without progress" in failure.message, failure
        return failure is not None

    def fail(self) -> None:
        """Let the system fail, and have it retried: another one may be killed by the storm."""
        self._go_on(self.chance.randint(0, 200))
        if not self.ended:
            self.stage.give_up()
        if self.failed():
            self.stage.cluster.run_for(0.01)
            self.stage.retry()

    def die_soon(self) -> None:
        """Let the master die between two things that it does."""
        self.disk.crash_in(self.chance.randint(1, 40))
        self._go_on(40)
        self.stage.restart_master()

    def fill(self) -> None:
        self.disk.full = True
        self._go_on(30)
        self.disk.full = False

    def slow_down(self) -> None:
        self.disk.slow = self.chance.choice([0.05, 1.0, 5.0])
        self._go_on(60)
        self.disk.slow = 0.0

    def cut(self) -> None:
        node = self.chance.choice(self.stage.workers)
        node.cut_one_way(incoming=self.chance.random() < 0.5)
        self._go_on(60)
        node.mend()

    def _go_on(self, steps: int) -> bool:
        """Go on, and see that a checkpoint that was safe is not forgotten."""
        for _ in range(steps):
            if not self.stage.step():
                return False
            if self.stage.cluster.settled and not self.stage.cluster.master.state.trouble:
                applications = self.stage.cluster.master.state.applications.values()
                for system in (system for one in applications for system in one.systems.values()):
                    assert system.checkpoint or not self._restorable, "a checkpoint is gone"
                    self._restorable |= bool(system.checkpoint)
        return True


def run(seed: int, systems: Sequence[Chosen] = SYSTEMS) -> SystemStorm:
    """Run a storm and check that the system's result is what it should be, told once."""
    return _weather(seed, systems, fails=False)


def run_that_fails(seed: int) -> SystemStorm:
    """Run a storm in which the system fails and is retried while it goes on."""
    return _weather(seed, SYSTEMS, fails=True)


def _weather(seed: int, systems: Sequence[Chosen], *, fails: bool) -> SystemStorm:
    storm = SystemStorm(seed, systems)
    # Slices of some items each although tasks take long here; of some, the rest is handed back.
    split = storm.chance.choice([0.0, slices.SPLIT_SECONDS])
    with patch.object(arrays, "SLICE_SECONDS", 5.0), patch.object(slices, "SPLIT_SECONDS", split):
        if fails:
            storm.rage(3)
            storm.fail()
        storm.rage(8)
        storm.calm()
        while storm.failed():
            storm.stage.retry()
            storm.calm()
        result = storm.stage.finish()
    assert result == storm.expected, f"{result} instead of {storm.expected}"
    return storm
