"""Shared objects on pure cores: sent once, evicted and asked for again, dropped when released."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from concurrent_framework.application.events import Leaving
from concurrent_framework.scheduling.push import PushScheduler
from concurrent_framework.scheduling.strategies import Locality
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.network import Faults
from concurrent_framework.testing.nodes import SimWorker

KIB = 1024


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param)


def data(number: int, size: int = 10 * KIB) -> bytes:
    return bytes([number]) * size


def kept(worker: SimWorker) -> int:
    return sum(map(len, worker.stored.values()))


def test_an_object_is_sent_to_each_worker_once(cluster: SimCluster) -> None:
    workers = [cluster.add_worker() for _ in range(3)]
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"0.01"] * 100, shares=(digest,))
    app.push([b"0.01"] * 100, shares=(digest,), priority=1)
    cluster.run()
    assert len(app.outcomes) == 200
    assert [worker.arrived for worker in workers] == [[digest]] * 3


def test_what_was_not_used_for_longest_is_evicted_and_sent_again(cluster: SimCluster) -> None:
    worker = cluster.add_worker(cache_bytes=25 * KIB)
    app = cluster.add_application()
    one, two, three = (app.share(data(number)) for number in (1, 2, 3))
    for digest in (one, two, one, three, one, two):
        app.push([b"0.01"] * 4, shares=(digest,))
        cluster.run()
        assert kept(worker) <= 25 * KIB
    assert worker.arrived == [one, two, three, two]
    assert all(outcome.failure is None for outcome in app.outcomes)


def test_what_is_needed_stays_whatever_the_limit(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=4, cache_bytes=0)
    app = cluster.add_application()
    digests = [app.share(data(number)) for number in range(4)]
    for digest in digests:
        app.push([b"1"], shares=(digest,))
    cluster.run_for(0.5)
    assert set(worker.stored) == set(digests)
    cluster.run()
    cluster.run_for(1)
    assert not worker.stored
    assert all(outcome.failure is None for outcome in app.outcomes)


def test_a_task_may_need_several(cluster: SimCluster) -> None:
    cluster.add_worker(cache_bytes=15 * KIB)
    app = cluster.add_application()
    digests = [app.share(data(number)) for number in range(6)]
    for number in range(40):
        chosen = tuple(sorted({digests[number % 6], digests[number * 5 % 6]}))
        app.push([b"0.002"], shares=chosen)
    cluster.run()
    assert all(outcome.failure is None for outcome in app.outcomes)


def test_nothing_is_sent_again_to_a_worker_that_was_cut_off(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"0.1"] * 4, shares=(digest,))
    cluster.run()
    worker.cut()
    cluster.run_for(12)
    worker.mend()
    app.push([b"0.1"] * 4, shares=(digest,))
    cluster.run()
    assert worker.arrived == [digest]


def test_data_is_dropped_everywhere_with_its_application(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app, other = cluster.add_application(), cluster.add_application()
    mine, ours = app.share(data(1)), app.share(data(2))
    assert other.share(data(2)) == ours
    app.push([b"0.1"], shares=(mine, ours))
    other.push([b"0.1"], shares=(ours,))
    cluster.run()
    assert set(worker.stored) == {mine, ours}
    leave(cluster, app)
    assert set(worker.stored) == {ours}
    assert set(cluster.master.state.codes) == {ours}
    leave(cluster, other)
    assert not worker.stored
    assert not cluster.master.state.codes


def leave(cluster: SimCluster, app: Any) -> None:
    app.feed([Leaving()])
    app.alive = False
    cluster.run_for(1)


def test_a_released_object_goes_when_its_tasks_have_ended(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"5"] * 4, shares=(digest,))
    app.release(digest)
    cluster.run_for(1)
    assert set(worker.stored) == set(cluster.master.state.codes) == {digest}
    cluster.run()
    cluster.run_for(10)
    assert not worker.stored
    assert not cluster.master.state.codes
    assert all(outcome.failure is None for outcome in app.outcomes)
    # And it can be shared again.
    assert app.share(data(1)) == digest
    app.push([b"0.1"], shares=(digest,))
    cluster.run()
    assert worker.arrived == [digest, digest]


def test_a_task_that_refers_to_what_was_released_fails_and_says_so(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"0.1"], shares=(digest,))
    cluster.run()
    app.release(digest)
    cluster.run_for(10)
    app.push([b"0.1", b"0.1"], shares=(digest,))
    app.push([b"0.1"])
    cluster.run()
    failures = [outcome.failure for outcome in app.outcomes if outcome.failure]
    assert len(failures) == 2
    assert f"the shared object {digest[:12]} that it refers to has been released" in (
        failures[0].message
    )


def test_locality_prefers_workers_that_have_the_data() -> None:
    cluster = SimCluster(scheduler=PushScheduler(Locality()))
    workers = [cluster.add_worker(executors=4) for _ in range(3)]
    app = cluster.add_application()
    digest = app.share(data(1))
    app.push([b"0.1"], shares=(digest,))
    cluster.run()
    for _ in range(20):
        app.push([b"0.1"] * 3, shares=(digest,))
        cluster.run()
    assert sorted(len(worker.manager.started) for worker in workers) == [0, 0, 61]
    app.push([b"0.1"] * 12)
    cluster.run()
    assert all(worker.manager.started for worker in workers)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_storms_of_faults_and_evictions(pattern: str, seed: int) -> None:
    """No task runs without its data, none is lost, none is told twice."""
    chance = random.Random(seed)
    cluster = SimCluster(pattern, lease=3.0, faults=Faults(seed, loss=0.02, duplication=0.02))
    workers = [
        cluster.add_worker(cache_bytes=chance.choice([0, 15 * KIB, 40 * KIB])) for _ in "abc"
    ]
    app = cluster.add_application()
    digests = [app.share(data(number)) for number in range(6)]
    for step in range(30):
        chosen = tuple(sorted(chance.sample(digests, chance.randrange(3))))
        app.push([b"%.3f" % chance.uniform(0.001, 0.3)] * chance.randrange(1, 8), shares=chosen)
        cluster.run_for(chance.uniform(0.0, 0.4))
        if step == 15:
            workers[0].kill()
            cluster.add_worker(cache_bytes=20 * KIB)
        elif step % 7 == 3:
            workers[1].cut()
            cluster.run_for(chance.uniform(0.1, 4.0))
            workers[1].mend()
    cluster.run()
    assert not cluster.busy()
    assert set(Counter(app.sequences).values()) == {1}
    failed = [outcome.failure for outcome in app.outcomes if outcome.failure]
    assert all(one.kind == "worker_lost" for one in failed)
