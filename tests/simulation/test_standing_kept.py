"""What speaks against workers outlives the master; on pure cores and a fake clock."""

from __future__ import annotations

import pytest

from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.disk import SimDisk
from concurrent_framework.testing.nodes import SimWorker
from tests.simulation.orders import order
from tests.simulation.test_equivalence import compare


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param, disk=SimDisk(spare=2000, step=1000))


def state_of(cluster: SimCluster, worker: SimWorker) -> str:
    [view] = [one for one in order(cluster, "workers") if one["worker"] == worker.name]
    return str(view["state"])


def restart(cluster: SimCluster, seconds: float = 0.0) -> None:
    cluster.crash_master()
    cluster.run_for(seconds)
    cluster.start_master()


def quarantined(cluster: SimCluster) -> SimWorker:
    """Return a worker on which everything failed, beside a good one, with much to do."""
    bad, _good = cluster.add_worker(host="bad"), cluster.add_worker(host="good")
    bad.manager.broken = True
    app = cluster.add_application()
    app.push([b"0.2:fine"] * 900, max_attempts=9)
    cluster.run_for(5)
    assert state_of(cluster, bad) == "quarantined"
    return bad


def test_a_quarantine_goes_on_under_the_next_master(cluster: SimCluster) -> None:
    bad = quarantined(cluster)
    before = cluster.master.state.workers[1].standing
    began = len(bad.manager.started)
    for _ in range(3):
        compare(cluster)
        restart(cluster, 1.0)
        cluster.run_for(3)
        assert state_of(cluster, bad) == "quarantined"
    after = cluster.master.state.workers[1].standing
    assert (after.streak, after.last) == (before.streak, before.last)
    assert after.until == pytest.approx(before.until)
    assert len(bad.manager.started) == began
    bad.manager.broken = False
    cluster.run_for(before.until - cluster.clock.now + 2)
    assert state_of(cluster, bad) == "active", "its trial came when it would have"
    restart(cluster)
    cluster.run_for(1)
    assert state_of(cluster, bad) == "active", "that it works is kept, too"


def test_failures_are_counted_on_under_the_next_master(cluster: SimCluster) -> None:
    bad, _good = cluster.add_worker(host="bad"), cluster.add_worker(host="good")
    app = cluster.add_application()
    bad.manager.broken = True
    app.push([b"0.5:fine"] * 900, max_attempts=20)
    cluster.run_for(0.8)
    few = cluster.master.state.workers[1].standing.streak
    assert 0 < few < 5
    restart(cluster)
    assert cluster.master.state.workers[1].standing.streak == few
    cluster.run_for(4)
    assert state_of(cluster, bad) == "quarantined"


def test_a_machine_is_remembered_whose_worker_is_gone(cluster: SimCluster) -> None:
    bad = quarantined(cluster)
    bad.leave()
    cluster.run_for(1)
    compare(cluster)
    restart(cluster)
    again, elsewhere = cluster.add_worker(host="bad"), cluster.add_worker(host="fresh")
    cluster.run_for(1)
    assert state_of(cluster, again) == "quarantined"
    assert state_of(cluster, elsewhere) == "active"
    compare(cluster)
    restart(cluster)
    other = cluster.add_worker(host="bad")
    cluster.run_for(1)
    assert state_of(cluster, again) == "quarantined"
    assert state_of(cluster, other) == "active", "what was taken over is not left for others"


def test_a_worker_that_does_not_come_back_leaves_what_it_had(cluster: SimCluster) -> None:
    bad = quarantined(cluster)
    cluster.crash_master()
    bad.kill()
    cluster.start_master()
    cluster.run_for(15)
    again = cluster.add_worker(host="bad")
    cluster.run_for(1)
    assert state_of(cluster, again) == "quarantined"


def test_people_end_a_quarantine_for_good(cluster: SimCluster) -> None:
    bad = quarantined(cluster)
    order(cluster, "resume", target=bad.name)
    bad.manager.broken = False
    restart(cluster)
    cluster.run_for(1)
    assert state_of(cluster, bad) == "active"


@pytest.mark.parametrize(("seconds", "state"), [(-1e6, "quarantined"), (1e6, "on trial")])
def test_a_clock_that_is_set_makes_no_quarantine_longer(
    cluster: SimCluster, seconds: float, state: str
) -> None:
    quarantined(cluster)
    cluster.jump_wall(seconds)
    restart(cluster)
    standing = cluster.master.state.workers[1].standing
    assert standing.until <= cluster.clock.now + standing.interval
    [view] = [one for one in order(cluster, "workers") if one["worker"] == "w0"]
    assert view["state"] == state


def test_a_long_history_of_failures_is_not_kept(cluster: SimCluster) -> None:
    """What is told of a worker outdates what was, and the journal does not grow with it."""
    quarantined(cluster)
    cluster.run(200)
    for _ in range(20):
        app = cluster.add_application()
        app.push([b"0.2:fine"] * 20, max_attempts=9)
        cluster.run(40)
    assert cluster.disk is not None
    assert cluster.disk.contents.bytes < 40_000
    compare(cluster)
