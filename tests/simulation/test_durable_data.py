"""Shared objects of a master that dies: what is there afterwards, and what the journal still holds."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.disk import SimDisk
from concurrent_framework.testing.network import Faults
from tests.simulation.orders import RefusedOrderError, order
from tests.simulation.test_equivalence import compare

if TYPE_CHECKING:
    from collections.abc import Sequence

KIB = 1024


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param, disk=SimDisk(spare=8 * KIB, step=4 * KIB))


def data(number: int, size: int = 10 * KIB) -> bytes:
    return bytes([number]) * size


def restart(cluster: SimCluster) -> None:
    cluster.crash_master()
    cluster.start_master()


def copies(cluster: SimCluster, content: bytes) -> int:
    """Count how often the journal holds an object."""
    assert cluster.disk is not None
    return sum(entry.data.count(content) for entry in cluster.disk.contents.entries)


def failures(app: Any) -> list[Any]:
    return [outcome.failure for outcome in app.outcomes if outcome.failure]


def test_shared_objects_survive_the_master(cluster: SimCluster) -> None:
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"0.1"] * 4, shares=(digest,))
    cluster.run_for(1)
    restart(cluster)
    assert set(cluster.master.state.codes) == {digest}
    worker = cluster.add_worker()
    cluster.run()
    assert worker.arrived == [digest]
    assert sorted(app.sequences) == [1, 2, 3, 4]
    assert not failures(app)


def test_what_a_worker_has_is_not_sent_again(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"0.1"] * 4, shares=(digest,))
    cluster.run()
    restart(cluster)
    app.push([b"0.1"] * 4, shares=(digest,))
    cluster.run()
    assert len(app.outcomes) == 8
    assert worker.arrived == [digest]


def test_what_was_released_stays_so(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    one, two = app.share(data(1)), app.share(data(2))
    app.push([b"0.1"], shares=(one,))
    app.push([b"20"], shares=(two,))
    cluster.run_for(1)
    app.release(one)
    app.release(two)
    cluster.run_for(1)
    restart(cluster)
    assert set(cluster.master.state.codes) == {two}
    cluster.run()
    cluster.run_for(10)
    assert not cluster.master.state.codes
    assert not worker.stored
    restart(cluster)
    assert not cluster.master.state.codes
    assert not failures(app)


@pytest.mark.parametrize("needed", [False, True])
def test_what_is_shared_again_is_not_released(cluster: SimCluster, *, needed: bool) -> None:
    """Whether the master has dropped it in between, or a task still needed it."""
    cluster.add_worker()
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"30" if needed else b"0.1"], shares=(digest,))
    cluster.run_for(1)
    app.release(digest)
    cluster.run_for(1)
    app.share(data(1))
    app.push([b"0.1"])
    cluster.run_for(1)
    restart(cluster)
    cluster.run()
    cluster.run_for(30)
    app.push([b"0.1"], shares=(digest,))
    cluster.run()
    assert not failures(app)
    assert set(cluster.master.state.codes) == {digest}


def test_compaction_drops_what_nobody_needs(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    kept = app.share(data(1))
    app.push([b"0.01"], shares=(kept,))
    for number in range(2, 30):
        digest = app.share(data(number))
        app.push([b"0.01"], shares=(digest,))
        app.release(digest)
        cluster.run()
    for _ in range(200):
        app.push([b"0.01" + b" " * 200])
        cluster.run()
    assert copies(cluster, data(1)) == 1
    assert sum(copies(cluster, data(number)) for number in range(2, 30)) <= 1
    restart(cluster)
    assert set(cluster.master.state.codes) == {kept}


def test_compaction_keeps_one_copy_of_what_was_shared_again(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"30"], shares=(digest,))
    for _ in range(20):
        app.release(digest)
        cluster.run_for(0.2)
        app.share(data(1))
        app.push([b"0.01"])
        cluster.run_for(0.2)
    for _ in range(200):
        app.push([b"0.01" + b" " * 200], shares=(digest,))
        cluster.run()
    assert copies(cluster, data(1)) == 1
    restart(cluster)
    app.push([b"0.01"], shares=(digest,))
    cluster.run()
    assert not failures(app)


def test_what_a_task_that_failed_refers_to_may_be_gone(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"0.1:!no route"], shares=(digest,))
    cluster.run()
    assert [one["retriable"] for one in order(cluster, "failures")["failures"]] == [True]
    app.release(digest)
    cluster.run_for(10)
    assert [one["retriable"] for one in order(cluster, "failures")["failures"]] == [False]
    with pytest.raises(
        RefusedOrderError, match="1/1 cannot be attempted again: it needs a shared object"
    ):
        order(cluster, "retry", target="1/1")
    with pytest.raises(RefusedOrderError, match="has no failed task that could be"):
        order(cluster, "retry", target="1")


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_storms(pattern: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masters die while objects come and go; the journal tells at any moment what is there."""
    chance = random.Random(seed)
    disk = SimDisk(spare=40 * KIB, step=20 * KIB)
    faults = Faults(seed, loss=0.02, duplication=0.02)
    cluster = SimCluster(pattern, lease=3.0, faults=faults, disk=disk)
    feed, rounds = cluster.feed, 0

    def checked(events: Sequence[Any]) -> None:
        nonlocal rounds
        feed(events)
        rounds += 1
        if cluster.alive and not cluster.master.state.trouble and rounds % 5 == 0:
            compare(cluster)

    monkeypatch.setattr(cluster, "feed", checked)
    for _ in "ab":
        cluster.add_worker(cache_bytes=chance.choice([0, 15 * KIB, 40 * KIB]))
    app = cluster.add_application(connect_timeout=1000.0)
    here: dict[int, str] = {}
    for _ in range(40):
        number = chance.randrange(6)
        if number in here and chance.random() < 0.4:
            app.release(here.pop(number))
        else:
            here[number] = app.share(data(number))
        chosen = tuple(
            sorted(chance.sample(sorted(here.values()), chance.randrange(len(here) + 1)))
        )
        app.push([b"%.3f" % chance.uniform(0.001, 0.5)] * chance.randrange(1, 5), shares=chosen)
        cluster.run_for(chance.uniform(0.0, 0.5))
        if chance.random() < 0.15:
            cluster.crash_master()
            cluster.run_for(chance.uniform(0.0, 2.0))
            cluster.start_master()
    cluster.run()
    assert not cluster.busy()
    assert set(Counter(app.sequences).values()) == {1}
    assert all(one.kind == "worker_lost" for one in failures(app))
    cluster.run_for(10)
    compare(cluster)
    assert set(cluster.master.state.codes) == set(here.values())
