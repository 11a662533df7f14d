"""Applications that disappear: their work goes on, and whoever comes for it gets it once."""

from __future__ import annotations

import pytest

from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.nodes import SimApplication
from tests.simulation.orders import order


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    cluster = SimCluster(request.param, lease=2.0, retention=50.0)
    cluster.add_worker(executors=1)
    return cluster


def come_for(cluster: SimCluster, name: str, pid: int) -> SimApplication:
    """Do what `concurrent run --resume` does."""
    [found] = [one for one in order(cluster, "applications") if one["name"] == name]
    session = order(cluster, "attach", application=str(found["application"]))["session"]
    return cluster.add_application(f"{name}-{pid}", session=session, pid=pid)


def test_outcomes_wait_from_when_the_last_of_them_is_there(cluster: SimCluster) -> None:
    app = cluster.add_application("a", pid=1)
    app.push([b"100:fine"] * 3)
    cluster.run_for(1)
    app.kill()
    cluster.run_for(340)
    second = come_for(cluster, "a", 2)
    assert second.session.welcome is not None
    assert (second.session.welcome.accepted, second.session.welcome.unfinished) == (3, 3)
    cluster.run_for(1)
    assert second.sequences == [1, 2, 3]
    assert second.session.outbox.outstanding == 0


def test_nobody_comes_for_them_in_time(cluster: SimCluster) -> None:
    app = cluster.add_application("a", pid=1)
    app.push([b"10:fine"] * 2)
    cluster.run_for(1)
    app.kill()
    cluster.run_for(80)
    assert order(cluster, "applications") == []
    [ended] = order(cluster, "applications", ended=True)
    assert ended["reason"].startswith("nobody came back within 5")
    assert (ended["finished"], ended["undelivered"]) == (2, 2)


def test_what_was_acknowledged_is_not_told_to_the_next_process(cluster: SimCluster) -> None:
    app = cluster.add_application("a", pid=1)
    app.push([b"1:fine"] * 10)
    cluster.run_for(4.5)
    told = list(app.sequences)
    assert 0 < len(told) < 10
    app.kill()
    cluster.run_for(3)
    second = come_for(cluster, "a", 2)
    cluster.run_for(2)
    second.kill()
    cluster.run_for(3)
    third = come_for(cluster, "a", 3)
    cluster.run_for(20)
    told += second.sequences + third.sequences
    assert sorted(told) == list(range(1, 11))
    assert third.session.outbox.outstanding == 0
