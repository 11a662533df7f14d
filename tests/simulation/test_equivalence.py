"""The journal tells, at any moment, what the living master knows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.master.invariants import check_invariants
from concurrent_framework.master.recovery import recover
from tests.simulation.durable import durable
from tests.simulation.storm import Storm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.testing.cluster import SimCluster
    from concurrent_framework.testing.nodes import SimWorker


def compare(cluster: SimCluster) -> list[str]:
    """Compare the living master with what a restarted one would know; returns of what there is any."""
    assert cluster.disk is not None
    living = cluster.master.state
    entries = [entry.data for entry in cluster.disk.contents.entries]
    recovered = recover(living.settings, entries, cluster.now)
    check_invariants(recovered)
    told, known = durable(recovered, cluster.now), durable(living, cluster.now)
    for topic in known:
        assert told[topic] == known[topic], topic
    return [topic for topic in known if known[topic]]


class SickStorm(Storm):
    """A storm in which workers fail everything for a while, and others come to where they were."""

    def _worker(self) -> SimWorker:
        executors, host = self.chance.choice([1, 2, 4]), self.chance.choice(["lab", "cellar"])
        return self.cluster.add_worker(executors=executors, host=host)

    def kill(self) -> None:
        worker = self.chance.choice(self.workers)
        worker.manager.broken = not worker.manager.broken
        worker.kill() if self.chance.random() < 0.3 else self.push()

    def calm(self) -> None:
        for worker in self.workers:
            worker.manager.broken = False
        super().calm()


@pytest.mark.parametrize("seed", range(24))
def test_what_is_recovered_is_what_was_known(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    go_through(Storm(seed, "push" if seed % 2 else "pull"), monkeypatch)


def test_what_speaks_against_workers_is_recovered(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        seen += go_through(SickStorm(seed, "push" if seed % 2 else "pull"), monkeypatch)
    assert seen["standing"] > 10
    assert seen["grounds"] > 10


def go_through(storm: Storm, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Let a storm rage and compare every now and then; returns how often there was what to compare."""
    cluster = storm.cluster
    seen: Counter[str] = Counter()
    feed = cluster.feed
    rounds = 0

    def checked(events: Sequence[Any]) -> None:
        nonlocal rounds
        feed(events)
        rounds += 1
        if cluster.settled and not cluster.master.state.trouble and rounds % 5 == 0:
            seen.update(compare(cluster))

    monkeypatch.setattr(cluster, "feed", checked)
    storm.rage(30)
    storm.calm()
    compare(cluster)
    return seen
