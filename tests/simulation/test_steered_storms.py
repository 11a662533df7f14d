"""Storms with retries, deadlines, broken workers, and people who steer: still one outcome for each."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from concurrent_framework.model.ids import FIRST_SPAWNED, parse_key, sequence_of
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.network import Faults
from tests.simulation.orders import RefusedOrderError, order
from tests.simulation.test_faults import Storm, check_at_most_once

SEEDS = 10


class SteeredStorm(Storm):
    """Does what people and broken machines do, too."""

    def __init__(self, cluster: SimCluster, seed: int) -> None:
        super().__init__(cluster, seed)
        self.retried: Counter[int] = Counter()

    def push(self) -> None:
        app, chance = self.chance.choice(self.apps), self.chance
        count = chance.choice([1, 3, 40])
        backoff = chance.choice([0.0, 0.3, 3.0])
        idempotent = chance.random() < 0.8
        app.push(
            [chance.choice([b"0.001:fine", b"0.2:?2:fine", b"3:?3:fine", b"0.1:!wrong"])] * count,
            idempotent=idempotent,
            retry_on=("OSError",) if idempotent else (),
            max_attempts=chance.choice([1, 3, 50]),
            backoff=backoff,
            max_backoff=2 * backoff,
            deadline=chance.choice([0.0, 0.0, 20.0]),
        )
        self.pushed[app.name] += count

    # What follows stands for other things that happen.

    def cut(self) -> None:
        self.chance.choice([super().cut, self._break, self._steer, self._retry])()

    def _break(self) -> None:
        worker = self.chance.choice(self.workers)
        worker.manager.broken = self.chance.random() < 0.3
        worker.manager.failing = self.chance.random() < 0.3

    def _steer(self) -> None:
        worker, app = self.chance.choice(self.workers), self.chance.choice(self.apps)
        orders = [
            lambda: order(self.cluster, "drain", worker=worker.name),
            lambda: order(self.cluster, "resume", target=worker.name),
            lambda: order(self.cluster, "pause", application=app.name),
            lambda: order(self.cluster, "resume", target=app.name),
            lambda: order(self.cluster, "priority", application=app.name, priority=3),
        ]
        with suppress(RefusedOrderError):  # it is gone, or there is nothing to resume
            self.chance.choice(orders)()

    def _retry(self) -> None:
        app = self.chance.choice(self.apps)
        try:
            done = order(self.cluster, "retry", target=app.name)
        except RefusedOrderError:
            return
        app.expecting += done["retried"]
        self.retried.update(parse_key(task) for task in done["tasks"])

    def calm(self) -> None:
        for worker in self.workers:
            worker.manager.broken = worker.manager.failing = False
        for record in self.cluster.master.state.applications.values():
            if record.paused:
                order(self.cluster, "resume", target=str(record.number))
        super().calm()


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_every_task_has_one_outcome_whoever_steers(pattern: str, seed: int) -> None:
    faults = Faults(seed, loss=0.02, duplication=0.02, jitter=0.001 if seed % 2 else 0.0)
    storm = SteeredStorm(
        SimCluster(pattern, lease=4.0, faults=faults, quarantine=5.0, linger=0.002), seed
    )
    storm.rage(60)
    storm.calm()
    told = Counter(outcome.key for app in storm.apps for outcome in app.outcomes)
    assert set(told.values()) <= {1}, "each task has exactly one outcome"
    spawned = {key for key in told if sequence_of(key) >= FIRST_SPAWNED}
    assert spawned == set(storm.retried)
    for app in storm.apps:
        pushed = [one for one in app.sequences if one < FIRST_SPAWNED]
        assert sorted(pushed) == list(range(1, storm.pushed[app.name] + 1))
        assert app.session.outbox.outstanding == 0
    records = storm.cluster.master.state.applications
    assert [record.unfinished for record in records.values()] == [0, 0]
    assert not storm.cluster.master.state.letters.retries
    check_at_most_once(storm)
