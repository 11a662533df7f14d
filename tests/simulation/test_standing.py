"""Workers that fail everything, and workers that people drain; on pure cores and a fake clock."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.application.commands import ShowOutput
from concurrent_framework.master.explain import explain
from concurrent_framework.model.ids import task_key
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.nodes import SimApplication, SimWorker
from tests.simulation.orders import RefusedOrderError, order


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param)


def state_of(cluster: SimCluster, worker: SimWorker) -> str:
    [view] = [one for one in order(cluster, "workers") if one["worker"] == worker.name]
    return str(view["state"])


def warnings_of(app: SimApplication) -> list[str]:
    shown = [one for one in app.seen if isinstance(one, ShowOutput)]
    return [line.text for one in shown for line in one.lines if line.stream == "warning"]


def breaking(cluster: SimCluster, **how: bool) -> tuple[SimWorker, SimWorker, SimApplication]:
    """Return a worker that is broken, a good one, and an application with much to do."""
    bad, good = cluster.add_worker(executors=2), cluster.add_worker(executors=2)
    for name, value in how.items():
        setattr(bad.manager, name, value)
    app = cluster.add_application()
    retry = {"retry_on": ("OSError",), "max_attempts": 3}
    app.push([b"0.2:fine"] * 200, **retry)
    return bad, good, app


@pytest.mark.parametrize("how", ["broken", "failing"])
def test_a_worker_that_fails_everything_gets_no_new_work(cluster: SimCluster, how: str) -> None:
    bad, _good, app = breaking(cluster, **{how: True})
    cluster.run_for(5)
    assert state_of(cluster, bad) == "quarantined"
    before = len(bad.manager.started)
    cluster.run()
    assert len(bad.manager.started) == before
    # What it broke was run elsewhere, and nothing was given up because of it.
    assert all(one.failure is None for one in app.outcomes)
    assert sorted(app.sequences) == list(range(1, 201))
    [warning] = warnings_of(app)
    assert warning.startswith(f"worker {bad.name} is quarantined: its last ")
    assert warning in cluster.log


def test_it_is_tried_again_with_a_single_task_at_growing_intervals(cluster: SimCluster) -> None:
    bad, _good, app = breaking(cluster, broken=True)
    cluster.run_for(5)
    app.push([b"1:fine"] * 2000)
    began = len(bad.manager.started)
    until = cluster.master.state.workers[1].standing.until
    cluster.run_for(until - cluster.clock.now + 2)
    assert len(bad.manager.started) == began + 1
    cluster.run_for(50)
    assert len(bad.manager.started) == began + 1, "the second trial is twice as far off"
    cluster.run_for(15)
    assert len(bad.manager.started) == began + 2
    bad.manager.broken = False
    cluster.run_for(130)
    assert state_of(cluster, bad) == "active"
    assert len(bad.manager.started) > began + 5
    assert f"worker {bad.name} works again: its quarantine is over" in cluster.log


def test_one_that_is_quarantined_explains_what_waits_for_it(cluster: SimCluster) -> None:
    bad = cluster.add_worker(executors=1, labels=("x",))
    cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"0.1:fine"] * 60, max_attempts=9)
    bad.manager.broken = True
    cluster.run_for(3)
    assert state_of(cluster, bad) == "quarantined"
    app.push([b"1:fine"], labels=("x",))
    cluster.run_for(1)
    text = explain(cluster.master, task_key(1, 61))["text"]
    assert text.startswith(f"no worker that could run it takes new work: {bad.name}: its last ")
    assert "it gets a single task in " in text
    bad.manager.broken = False
    cluster.run()
    assert app.outcomes[-1].result == b"fine"


def test_the_only_worker_is_never_quarantined(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    worker.manager.broken = True
    app.push([b"0.1:fine"] * 20)
    cluster.run()
    assert len(app.outcomes) == 20
    assert state_of(cluster, worker) == "active"


def test_poison_tasks_bring_no_worker_into_quarantine(cluster: SimCluster) -> None:
    workers = [cluster.add_worker(executors=2) for _ in range(2)]
    app = cluster.add_application()
    for worker in workers:
        worker.manager.poison = b"poison"
    app.push([b"0.1:poison" if n % 3 == 0 else b"0.1:fine" for n in range(120)])
    cluster.run()
    lost = [one for one in app.outcomes if one.failure]
    assert len(lost) == 40
    assert {one.failure.kind for one in lost if one.failure} == {"worker_lost"}
    suspects = [one.failure.certificate.suspect for one in lost if one.failure]
    assert set(suspects) == {"task"}
    assert not any("quarantined" in line for line in cluster.log)


def test_errors_that_are_not_attempted_again_say_nothing_about_a_worker(
    cluster: SimCluster,
) -> None:
    workers = [cluster.add_worker(executors=1) for _ in range(2)]
    app = cluster.add_application()
    app.push([b"0.1:!wrong"] * 50 + [b"0.1:fine"] * 50)
    cluster.run()
    assert [state_of(cluster, worker) for worker in workers] == ["active", "active"]


def test_quarantine_can_be_switched_off(cluster: SimCluster) -> None:
    cluster = SimCluster(cluster.master.scheduler.pattern, quarantine_after=0)
    bad, _good, _app = breaking(cluster, broken=True)
    cluster.run()
    assert state_of(cluster, bad) == "active"


def test_whom_the_evidence_is_against(cluster: SimCluster) -> None:
    bad, _good, _app = breaking(cluster, broken=True)
    cluster.run_for(2)
    other = cluster.add_application()
    bad.manager.broken = True
    cluster.master.state.workers[1].standing.until = 0.0
    cluster.run()
    other.push([b"0.1:fine"], max_attempts=1, cpus=2.0)
    cluster.run()
    state = cluster.master.state.workers[1].standing
    assert state.quarantined
    ended = [one.failure for one in other.outcomes if one.failure]
    assert all(one.certificate.suspect == "worker" for one in ended)


def test_a_drained_worker_finishes_what_it_has_and_gets_nothing_new(cluster: SimCluster) -> None:
    worker, other = cluster.add_worker(executors=1), cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"2:fine"] * 10)
    cluster.run_for(1)
    assert order(cluster, "drain", worker=worker.name) == {"worker": worker.name, "tasks": 1}
    assert state_of(cluster, worker) == "draining"
    cluster.run_for(2)
    assert state_of(cluster, worker) == "drained"
    cluster.run()
    assert len(worker.manager.started) == 1
    assert len(other.manager.started) == 9
    order(cluster, "drain", worker=other.name)
    app.push([b"1:fine"] * 2)
    cluster.run_for(1)
    text = explain(cluster.master, task_key(1, 11))["text"]
    assert f"{worker.name}: it is drained; `concurrent resume {worker.name}` ends that" in text
    assert order(cluster, "resume", target=worker.name) == {"worker": worker.name}
    cluster.run()
    assert len(app.outcomes) == 12
    assert len(worker.manager.started) == 3


def test_people_can_end_a_quarantine(cluster: SimCluster) -> None:
    bad, _good, _app = breaking(cluster, broken=True)
    cluster.run_for(2)
    assert state_of(cluster, bad) == "quarantined"
    bad.manager.broken = False
    order(cluster, "resume", target=bad.name)
    before = len(bad.manager.started)
    cluster.run_for(1)
    assert state_of(cluster, bad) == "active"
    assert len(bad.manager.started) > before


@pytest.mark.parametrize(
    ("kind", "arguments", "reason"),
    [
        ("drain", {"worker": "nobody"}, "there is no worker 'nobody'; there are: w0"),
        ("resume", {"target": "w0"}, "'w0' is neither paused nor drained"),
        ("resume", {"target": "nobody"}, "there is no application and no worker 'nobody'"),
    ],
)
def test_orders_about_workers_that_make_no_sense(
    cluster: SimCluster, kind: Any, arguments: dict[str, Any], reason: str
) -> None:
    cluster.add_worker()
    cluster.run_for(1)
    with pytest.raises(RefusedOrderError) as refused:
        order(cluster, kind, **arguments)
    assert str(refused.value).startswith(reason)


def test_who_may_only_look_may_not_drain(cluster: SimCluster) -> None:
    cluster.add_worker()
    with pytest.raises(RefusedOrderError, match="this token may look but not drain"):
        order(cluster, "drain", role="observe", worker="w0")


def test_a_worker_that_is_started_again_on_a_broken_machine_is_quarantined_as_before(
    cluster: SimCluster,
) -> None:
    bad, _good = cluster.add_worker(host="bad"), cluster.add_worker(host="good")
    bad.manager.broken = True
    app = cluster.add_application()
    app.push([b"0.2:fine"] * 900)
    cluster.run_for(5)
    assert state_of(cluster, bad) == "quarantined"
    bad.leave()
    again, elsewhere = cluster.add_worker(host="bad"), cluster.add_worker(host="fresh")
    cluster.run_for(1)
    assert state_of(cluster, again) == "quarantined"
    assert state_of(cluster, elsewhere) == "active"
    assert again.manager.started == []
    assert any(
        f"worker {again.name} is quarantined as one before it on bad" in x for x in cluster.log
    )
    cluster.run_for(30)
    assert state_of(cluster, again) == "active", "the machine was mended: its trial has shown it"


def test_a_machine_whose_worker_dies_again_and_again_is_found_out(cluster: SimCluster) -> None:
    cluster.add_worker(host="good")
    app = cluster.add_application()
    app.push([b"0.5:fine"] * 2000, max_attempts=9)
    states = []
    for _ in range(9):
        dying = cluster.add_worker(host="bad")
        cluster.run_for(0.3)
        states.append(state_of(cluster, dying))
        dying.kill()
        cluster.run_for(15)
    waits = ["quarantined", "quarantined"]
    assert states == [*["active"] * 5, *waits, "on trial", "quarantined"]


def test_workers_that_are_lost_after_they_have_worked_leave_nothing_behind(
    cluster: SimCluster,
) -> None:
    cluster.add_worker(host="good")
    app = cluster.add_application()
    app.push([b"0.2:fine"] * 2000, max_attempts=9)
    for _ in range(8):
        killed = cluster.add_worker(host="fine")
        cluster.run_for(1)
        assert state_of(cluster, killed) == "active"
        killed.kill()
        cluster.run_for(15)
