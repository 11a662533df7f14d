"""The journal tells, at any moment, what the living master knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.master.invariants import check_invariants
from concurrent_framework.master.recovery import recover
from tests.simulation.durable import durable
from tests.simulation.storm import Storm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.testing.cluster import SimCluster


def compare(cluster: SimCluster) -> None:
    """Compare the living master with what a restarted one would know."""
    assert cluster.disk is not None
    living = cluster.master.state
    entries = [entry.data for entry in cluster.disk.contents.entries]
    recovered = recover(living.settings, entries, cluster.now)
    check_invariants(recovered)
    told, known = durable(recovered), durable(living)
    for topic in known:
        assert told[topic] == known[topic], topic


@pytest.mark.parametrize("seed", range(24))
def test_what_is_recovered_is_what_was_known(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    storm = Storm(seed, "push" if seed % 2 else "pull")
    cluster = storm.cluster
    feed = cluster.feed
    rounds = 0

    def checked(events: Sequence[Any]) -> None:
        nonlocal rounds
        feed(events)
        rounds += 1
        if cluster.settled and not cluster.master.state.trouble and rounds % 5 == 0:
            compare(cluster)

    monkeypatch.setattr(cluster, "feed", checked)
    storm.rage(30)
    storm.calm()
    compare(cluster)
