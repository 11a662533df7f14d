"""Seeded faults over the three cores: whatever the network and the nodes do, each task has one outcome.

A failing seed replays exactly: ``pytest "tests/simulation/test_faults.py::test_...[push-17]"``.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.application.events import CancelAsked
from concurrent_framework.model.ids import task_key
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.network import Faults
from concurrent_framework.testing.nodes import SimApplication, SimWorker

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = 40


class Storm:
    """Does something to a cluster now and then until it is told to stop."""

    def __init__(self, cluster: SimCluster, seed: int) -> None:
        self.cluster = cluster
        self.chance = random.Random(seed)
        self.workers: list[SimWorker] = [self._worker() for _ in range(3)]
        self.apps: list[SimApplication] = [cluster.add_application() for _ in range(2)]
        self.pushed: Counter[str] = Counter()
        self._names = 0

    def _worker(self) -> SimWorker:
        return self.cluster.add_worker(executors=self.chance.choice([1, 2, 4]))

    def rage(self, seconds: float) -> None:
        acts: list[Callable[[], None]] = [
            self.push, self.push, self.push, self.cut, self.mend, self.mend, self.kill,
            self.join, self.leave, self.cancel,
        ]  # fmt: skip
        end = self.cluster.clock.now + seconds
        while self.cluster.clock.now < end:
            self.chance.choice(acts)()
            self.cluster.run_for(self.chance.expovariate(1.0))

    def calm(self) -> None:
        """Heal everything, have at least one worker, and let all that is left finish."""
        self.cluster.server.faults.loss = 0.0
        self.cluster.server.faults.duplication = 0.0
        self.cluster.server.faults.jitter = 0.0
        self.workers.append(self._worker())
        for node in [*self.workers, *self.apps]:
            if node.alive and not node.link.up:
                node.mend()
        self.cluster.run(20_000)
        self.cluster.run_for(30)

    def push(self) -> None:
        app = self.chance.choice(self.apps)
        count = self.chance.choice([1, 3, 40])
        took = self.chance.choice([b"0.001", b"0.2", b"3"])
        spec = {
            "priority": self.chance.choice([0, 0, 5]),
            "idempotent": self.chance.random() < 0.8,
            "max_attempts": self.chance.choice([1, 3, 50]),
        }
        app.push([took] * count, **spec)
        self.pushed[app.name] += count

    def cut(self) -> None:
        self.chance.choice([*self.workers, *self.apps]).cut()

    def mend(self) -> None:
        for node in [*self.workers, *self.apps]:
            if node.alive and not node.link.up:
                node.mend()
                return

    def kill(self) -> None:
        self.chance.choice(self.workers).kill()

    def leave(self) -> None:
        worker = self.chance.choice(self.workers)
        if worker.alive:
            worker.leave()

    def join(self) -> None:
        if sum(worker.alive for worker in self.workers) < 4:
            self.workers.append(self._worker())

    def cancel(self) -> None:
        app = self.chance.choice(self.apps)
        pushed = self.pushed[app.name]
        if pushed:
            app.feed([CancelAsked((self.chance.randint(1, pushed),))])


def check_promises(storm: Storm) -> None:
    for app in storm.apps:
        sequences = Counter(app.sequences)
        expected = dict.fromkeys(range(1, storm.pushed[app.name] + 1), 1)
        assert sequences == expected, "each task has exactly one outcome"
    records = storm.cluster.master.state.applications
    assert [record.unfinished for record in records.values()] == [0, 0]


def check_at_most_once(storm: Storm) -> None:
    """Count how often each task that is not idempotent was started, over all workers."""
    starts = Counter(
        key for worker in storm.workers for key, attempt in set(worker.manager.started)
    )
    for app in storm.apps:
        number = app.session.welcome.number if app.session.welcome else 0
        for first, count in app.once_only:
            for sequence in range(first, first + count):
                assert starts[task_key(number, sequence)] <= 1, "at most one attempt"


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_every_task_has_one_outcome_whatever_happens(pattern: str, seed: int) -> None:
    faults = Faults(seed, loss=0.02, duplication=0.02, jitter=0.001 if seed % 2 else 0.0)
    storm = Storm(SimCluster(pattern, lease=4.0, faults=faults, linger=0.002), seed)
    storm.rage(60)
    storm.calm()
    check_promises(storm)
    check_at_most_once(storm)
