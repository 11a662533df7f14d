"""Tasks that wait at a worker behind brief ones: which may, and where they go when others are idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from concurrent_framework.scheduling.depth import (
    DEPTH_SECONDS,
    FAILED_SECONDS,
    SHARED_DEPTH_SECONDS,
)
from concurrent_framework.testing.cluster import SimCluster
from tests.rehearsal.made import kind, ran, simulate, worker, workload

if TYPE_CHECKING:
    from concurrent_framework.testing.nodes import SimWorker


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param)


def most_at(cluster: SimCluster, worker: SimWorker, seconds: float) -> int:
    """Let time pass; return how many tasks the worker had at most."""
    most = 0
    end = cluster.clock.now + seconds
    while cluster.clock.now < end:
        cluster.run_for(0.01)
        most = max(most, len(worker.reactor.held))
    return most


def test_one_waits_behind_each_brief_task(cluster: SimCluster) -> None:
    node, app = cluster.add_worker(executors=2), cluster.add_application()
    app.push([b"0.1"] * 40)
    assert most_at(cluster, node, 1.0) == 4


def test_tasks_that_must_not_run_twice_do_not_wait(cluster: SimCluster) -> None:
    node, app = cluster.add_worker(executors=2), cluster.add_application()
    app.push([b"0.1"] * 40, idempotent=False)
    assert most_at(cluster, node, 1.0) == 2


def test_nothing_waits_where_something_has_just_failed(cluster: SimCluster) -> None:
    node, app = cluster.add_worker(executors=2), cluster.add_application()
    node.manager.poison = b"poison"
    app.push([b"0.1"] * 8)
    cluster.run()
    app.push([b"0.1:poison"] * 8)
    cluster.run_for(0.15)
    assert cluster.master.state.workers[1].standing.streak
    assert most_at(cluster, node, 0.3) == 2


def test_nothing_waits_while_another_executor_is_idle(cluster: SimCluster) -> None:
    nodes, app = [cluster.add_worker(executors=2) for _ in range(3)], cluster.add_application()
    app.push([b"0.1"] * 12)
    cluster.run()
    app.push([b"0.1"] * 6)
    cluster.run_for(0.05)
    assert [len(node.reactor.held) for node in nodes] == [2, 2, 2]


def test_what_only_its_worker_can_run_is_not_called_back_for_an_idle_one(
    cluster: SimCluster,
) -> None:
    cluster.add_worker(executors=2, labels=("lab",))
    app = cluster.add_application()
    app.push([b"0.1"] * 4)
    app.push([b"0.1"] * 4, labels=("lab",))
    cluster.run()
    app.push([b"0.2"] * 2)
    cluster.run_for(0.01)
    app.push([b"0.2"] * 2, labels=("lab",))
    cluster.run_for(0.01)
    [record] = cluster.master.state.workers.values()
    assert len(record.tasks) == 4
    cluster.add_worker(executors=2)
    cluster.run_for(0.15)
    attempts = [one.attempt & 0xFF for one in cluster.master.state.tasks.values()]
    assert max(attempts) <= 2, "it came back and went there again"


def test_a_task_that_takes_a_whole_worker_does_not_wait_there_for_long() -> None:
    rows = ran(1, [0.1] * 8 + [60.0] + [0.1] * 3)
    work = workload(worker(1, 4), worker(2, 4), kind(cpus=4.0), *rows)
    assert simulate(work).waits.longest < 1.0


def test_an_application_that_comes_again_and_again_is_not_behind_the_depth_of_another(
    cluster: SimCluster,
) -> None:
    cluster.add_worker(executors=2)
    flood, guest = cluster.add_application(), cluster.add_application()
    flood.push([b"0.001"] * 2000)
    cluster.run()
    flood.push([b"0.001"] * 5000)
    cluster.run_for(0.2)
    took = []
    for count in range(1, 9):
        began = cluster.clock.now
        guest.push([b"0.001"])
        while len(guest.outcomes) < count:
            cluster.run_for(0.005)
        took.append(cluster.clock.now - began)
        cluster.run_for(0.1)
    assert len(flood.outcomes) < 7000, "it was there all the time"
    assert took[0] <= 2 * DEPTH_SECONDS
    assert max(took[2:]) <= 3 * SHARED_DEPTH_SECONDS


def test_what_is_urgent_is_not_behind_the_depth_of_what_is_not(cluster: SimCluster) -> None:
    node, app = cluster.add_worker(executors=2), cluster.add_application()
    app.push([b"0.001"] * 2000)
    cluster.run()
    app.push([b"0.001"] * 5000)
    app.push([b"0.001"] * 100, priority=1)
    cluster.run_for(0.2)
    app.push([b"0.001"], priority=1)
    assert most_at(cluster, node, 0.1) <= 2 * SHARED_DEPTH_SECONDS / 0.001 + 4


def test_one_that_fails_at_once_does_not_bring_all_others_to_its_worker(
    cluster: SimCluster,
) -> None:
    node, app = cluster.add_worker(executors=2), cluster.add_application()
    app.push([b"0.00001:!no", *[b"60"] * 3000])
    assert most_at(cluster, node, 1.0) <= 2 * DEPTH_SECONDS / FAILED_SECONDS + 4
