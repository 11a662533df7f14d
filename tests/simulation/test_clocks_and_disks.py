"""Disks that are slow, clocks that jump, and a master that did not run for a while."""

from __future__ import annotations

from collections import Counter

import pytest

from concurrent_framework.master.events import Greeted, Received
from concurrent_framework.protocol.application import Query, Submit
from concurrent_framework.protocol.session import Hello
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.disk import SimDisk
from concurrent_framework.testing.nodes import SimNode, SimWorker

LEASE = 4.0


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param, lease=LEASE, disk=SimDisk(), hosts=True)


def starts(*workers: SimWorker) -> Counter[int]:
    return Counter(key for worker in workers for key, _ in worker.manager.started)


@pytest.mark.parametrize("seconds", [0.5, 1.5 * LEASE])
def test_a_slow_disk_costs_time_and_nothing_else(cluster: SimCluster, seconds: float) -> None:
    """What was handed out while a worker greeted anew must not be run here and elsewhere."""
    assert cluster.disk is not None
    workers = [cluster.add_worker(executors=2) for _ in range(2)]
    app = cluster.add_application()
    cluster.disk.slow = seconds
    for _ in range(5):
        app.push([b"3"] * 4, idempotent=False)
        cluster.run_for(7)
    cluster.run_for(200)
    cluster.disk.slow = 0.0
    cluster.run()
    assert sorted(app.sequences) == list(range(1, 21))
    assert set(starts(*workers).values()) == {1}
    assert cluster.happened["disk slow"] > 10


def test_nobody_is_lost_because_the_master_did_not_run(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"20"] * 2, idempotent=False)
    cluster.run_for(1)
    cluster.jump(10 * LEASE)
    cluster.run()
    assert [one.failure for one in app.outcomes] == [None, None]
    assert len(worker.manager.started) == 2
    assert not any("no sign of life" in line for line in cluster.log)


def test_whoever_is_gone_while_the_master_does_not_run_is_lost_a_lease_later(
    cluster: SimCluster,
) -> None:
    gone, other = cluster.add_worker(executors=1), cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"2"] * 2)
    cluster.run_for(1)
    gone.kill()
    cluster.jump(10 * LEASE)
    cluster.run()
    assert len(other.manager.started) == 2
    assert cluster.clock.now < 1 + 2 * LEASE + 2


@pytest.mark.parametrize("who", ["worker", "application"])
def test_a_node_that_slept_goes_on_where_it_was(cluster: SimCluster, who: str) -> None:
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"1"] * 20)
    nodes: dict[str, SimNode] = {"worker": worker, "application": app}
    for _ in range(5):
        cluster.run_for(1)
        nodes[who].jump(10 * LEASE)
    cluster.run()
    assert sorted(app.sequences) == list(range(1, 21))
    assert set(starts(worker).values()) == {1}


@pytest.mark.parametrize("seconds", [-1e6, 1e6])
def test_a_machine_whose_clock_is_set_keeps_what_it_had(
    cluster: SimCluster, seconds: float
) -> None:
    cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"0.1:!wrong", b"1:fine", b"1:fine"])
    cluster.run_for(0.5)
    cluster.crash_master()
    cluster.jump_wall(seconds)
    cluster.skew = -cluster.clock.now  # it was started anew, too: its own clock begins at zero
    cluster.start_master()
    cluster.run()
    assert sorted(app.sequences) == [1, 2, 3]
    assert cluster.master.state.letters.of() or seconds > 0


def test_a_deadline_that_comes_while_the_disk_is_full_waits_quietly(cluster: SimCluster) -> None:
    """A master that can end nothing must not look at it again and again without a pause."""
    assert cluster.disk is not None
    app = cluster.add_application()
    app.push([b"1"], deadline=3.0)
    cluster.run_for(1)
    cluster.disk.full = True
    app.push([b"1"])
    before = cluster.rounds
    cluster.run_for(30)
    assert cluster.master.state.trouble
    assert cluster.rounds - before < 200
    cluster.disk.full = False
    cluster.run_for(10)
    [outcome] = app.outcomes
    assert outcome.failure is not None
    assert outcome.failure.kind == "timeout"


def test_who_looks_in_the_moment_in_which_the_disk_is_full_is_answered(cluster: SimCluster) -> None:
    assert cluster.disk is not None
    app = cluster.add_application()
    app.push([b"1"])
    cluster.run_for(1)
    cluster.disk.full = True
    rows = [record.task for record in cluster.master.state.tasks.values()]
    looks = Greeted("person", Hello("observe", "5e55"), frozenset({"observe"}))
    asks = Received("person", [Query(1, "status", {})])
    submits = Received(app.link.peer, [Submit(2, rows)])
    cluster.answers.clear()
    cluster.feed([looks, asks, submits])
    assert cluster.master.state.trouble
    assert [answer.id for answer in cluster.answers] == [1]
    assert cluster.master.state.applications[1].accepted == 2
    assert app.session.outbox.accepted == 1, "nobody is told what is not safe"
