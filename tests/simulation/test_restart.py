"""A master that dies and begins again, and one whose disk is full: what is told, and what runs."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.application.commands import MasterLost, Regained
from concurrent_framework.master.explain import explain
from concurrent_framework.master.views import status
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.disk import CrashedError, SimDisk


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param, disk=SimDisk(), hosts=True)


def die_for(cluster: SimCluster, seconds: float) -> None:
    cluster.crash_master()
    cluster.run_for(seconds)
    cluster.start_master()


def described(cluster: SimCluster) -> dict[str, Any]:
    return status(cluster.master.state, "push", cluster.clock.now)


@pytest.mark.parametrize("seconds", [0.0, 3.0, 30.0])
def test_what_was_running_is_not_run_again(cluster: SimCluster, seconds: float) -> None:
    workers = [cluster.add_worker(executors=2) for _ in range(2)]
    app = cluster.add_application()
    app.push([b"5"] * 4)
    app.push([b"1"] * 40)
    cluster.run_for(1)
    die_for(cluster, seconds)
    cluster.run()
    assert sorted(app.sequences) == list(range(1, 45))
    started = [key for worker in workers for key, _ in worker.manager.started]
    assert len(started) == len(set(started)) == 44


def test_an_application_learns_that_the_master_was_restarted(cluster: SimCluster) -> None:
    app = cluster.add_application()
    cluster.crash_master()
    cluster.run_for(15)
    cluster.start_master()
    cluster.run_for(40)
    news = [one for one in app.seen if isinstance(one, MasterLost | Regained)]
    assert [type(one) for one in news] == [MasterLost, Regained]
    assert news[1] == Regained(restarted=True)


def test_nothing_is_handed_out_until_the_workers_have_greeted(cluster: SimCluster) -> None:
    there, gone = cluster.add_worker("there"), cluster.add_worker("gone")
    app = cluster.add_application()
    app.push([b"1"] * 8)
    cluster.run_for(0.5)
    cluster.crash_master()
    gone.kill()
    cluster.start_master()
    assert described(cluster)["recovering"] == ["there", "gone"]
    cluster.run_for(9)
    assert described(cluster)["recovering"] == ["gone"]
    assert len(there.manager.started) == 2
    cluster.run()
    assert described(cluster)["recovering"] == []
    assert len(there.manager.started) == 8
    assert sorted(app.sequences) == list(range(1, 9))


def test_a_task_that_must_not_run_twice_is_lost_with_its_worker(cluster: SimCluster) -> None:
    lost, other = cluster.add_worker("lost"), cluster.add_worker("other")
    app = cluster.add_application()
    app.push([b"5"] * 4, idempotent=False)
    cluster.run_for(0.5)
    cluster.crash_master()
    lost.kill()
    cluster.start_master()
    cluster.run()
    kinds = [one.failure.kind if one.failure else "" for one in app.outcomes]
    assert sorted(kinds) == ["", "", "worker_lost", "worker_lost"]
    failure = next(one.failure for one in app.outcomes if one.failure)
    assert "worker lost was lost" in failure.message
    assert len(other.manager.started) == 2


def test_attempts_are_counted_on(cluster: SimCluster) -> None:
    cluster.add_worker("first").feed([])
    app = cluster.add_application()
    app.push([b"5"])
    cluster.run_for(0.5)
    cluster.nodes[0].kill()
    cluster.run_for(15)  # its loss is noticed and written down
    die_for(cluster, 1)
    cluster.add_worker("second")
    cluster.run_for(30)
    task = cluster.master.state.applications[1]
    assert task.counts.finished == 1
    [outcome] = app.outcomes
    assert outcome.attempt == 2 << 40 | 2


def test_finished_is_called_of_what_had_ended(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0.1"] * 4, notifies=True)
    cluster.run_for(0.05)
    for _ in range(20):
        cluster.clock.step()
    die_for(cluster, 1)
    cluster.run()
    assert sorted(app.sequences) == [1, 2, 3, 4]


def test_a_full_disk_stops_the_work_and_an_empty_one_lets_it_go_on(cluster: SimCluster) -> None:
    disk = cluster.disk
    assert disk is not None
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"1"] * 10)
    cluster.run_for(1.5)
    disk.full = True
    app.push([b"1"] * 5)
    cluster.run_for(60)
    assert app.session.outbox.accepted == 10
    assert described(cluster)["trouble"].startswith("the journal in memory takes nothing")
    assert len(worker.manager.started) <= 6
    assert described(cluster)["workers"] == 1, "who is alive is not taken for lost"
    disk.full = False
    cluster.run()
    assert described(cluster)["trouble"] == ""
    assert sorted(app.sequences) == list(range(1, 16))
    assert len(worker.manager.started) == 15


def test_the_journal_is_as_long_as_what_is_pending() -> None:
    disk = SimDisk(spare=20_000, step=5_000)
    cluster = SimCluster(disk=disk)
    cluster.add_worker(executors=4)
    app = cluster.add_application()
    app.push([b"1e6:old"], labels=("nowhere",))
    longest = 0
    for _ in range(40):
        app.push([b"0.001:%0100d" % 1] * 100)
        cluster.run_for(5)
        longest = max(longest, disk.contents.bytes)
    assert len(app.outcomes) == 4000
    assert disk.contents.head > 500
    assert longest < 80_000, "a hundred tasks at a time, of 200 bytes each with their outcomes"
    cluster.crash_master()
    cluster.start_master()
    [task] = cluster.master.state.tasks.values()
    assert task.task.payload == b"1e6:old"


@pytest.mark.parametrize("away", [0.0, 5.0, 60.0])
def test_a_backoff_goes_on_under_the_next_master(cluster: SimCluster, away: float) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0:?2:fine"], retry_on=("OSError",), backoff=40.0, max_backoff=40.0)
    cluster.run_for(1)
    [record] = cluster.master.state.tasks.values()
    due = record.due
    assert due > 30
    die_for(cluster, away)
    if cluster.clock.now < due:
        [record] = cluster.master.state.tasks.values()
        assert record.due == pytest.approx(due)
        assert "s more before attempt 2 of" in explain(cluster.master, record.key)["text"]
    cluster.run()
    assert app.outcomes[0].result == b"fine"
    assert len(worker.manager.started) == 2
    if away < due:
        assert cluster.clock.now == pytest.approx(due, abs=0.1)


@pytest.mark.parametrize(("seconds", "longest"), [(-1e6, 40.0), (1e6, 3.0)])
def test_a_clock_that_is_set_makes_no_backoff_longer(
    cluster: SimCluster, seconds: float, longest: float
) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0:?2:fine"], retry_on=("OSError",), backoff=40.0, max_backoff=40.0)
    cluster.run_for(1)
    cluster.jump_wall(seconds)
    die_for(cluster, 0.0)
    began = cluster.clock.now
    cluster.run()
    assert app.outcomes[0].result == b"fine"
    assert cluster.clock.now - began <= longest + 0.1


def test_a_failure_counts_once_though_its_worker_did_not_learn_that_it_is_known(
    cluster: SimCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker keeps what it has reported until the master says that it is safe."""
    disk = cluster.disk
    assert disk is not None
    worker = cluster.add_worker()
    app = cluster.add_application()
    app.push([b"1:?2:fine"], retry_on=("OSError",), max_attempts=2)
    cluster.run_for(0.9)

    def die_when_it_is_written(where: str = "") -> None:
        if where == "when it had written":
            monkeypatch.undo()
            raise CrashedError

    monkeypatch.setattr(disk, "point", die_when_it_is_written)
    cluster.run_for(0.3)
    assert not cluster.alive
    assert worker.reactor.unsafe
    cluster.start_master()
    cluster.run()
    [outcome] = app.outcomes
    assert (outcome.result, outcome.failure) == (b"fine", None)
    assert len(worker.manager.started) == 2


def test_a_clock_that_is_set_back_does_not_take_a_task_from_who_runs_it(
    cluster: SimCluster,
) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    app.push([b"5:?2:fine"], retry_on=("OSError",), backoff=2.0, max_backoff=2.0)
    cluster.run_for(9)
    assert len(worker.manager.started) == 2
    cluster.jump_wall(-1e6)
    die_for(cluster, 0.0)
    cluster.run()
    assert app.outcomes[0].result == b"fine"
    assert len(worker.manager.started) == 2
