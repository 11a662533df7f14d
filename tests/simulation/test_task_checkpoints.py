"""Checkpoints of tasks in a simulated cluster: what outlives a worker, and what must not."""

from __future__ import annotations

import pytest

from concurrent_framework.testing.cluster import SimCluster


@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_a_task_goes_on_from_its_last_checkpoint(pattern: str) -> None:
    cluster = SimCluster(pattern, lease=4.0)
    first = cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"10/1:done"])
    cluster.run_for(7.5)
    first.kill()
    second = cluster.add_worker(executors=1)
    cluster.run()
    [outcome] = app.outcomes
    assert (outcome.result, outcome.attempt, outcome.seconds) == (b"done", 2, 3.0)
    assert len(second.manager.started) == 1
    assert cluster.master.state.tasks == {}


def test_a_checkpoint_of_an_earlier_attempt_does_not_count() -> None:
    """The first worker falls silent and goes on; another one is ahead of it by then."""
    cluster = SimCluster("push", lease=4.0)
    silent = cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"60/1:done"])
    cluster.run_for(5.5)
    [record] = cluster.master.state.tasks.values()
    silent.cut()
    cluster.add_worker(executors=1)
    cluster.run_for(10)
    assert float(record.checkpoint) < 12
    silent.mend()
    before = float(record.checkpoint)
    cluster.run_for(0.5)
    assert float(record.checkpoint) <= before + 1
    cluster.run()
    assert [outcome.attempt for outcome in app.outcomes] == [2]


def test_a_checkpoint_made_while_the_network_was_cut_is_told_later() -> None:
    cluster = SimCluster("push", lease=10.0)
    worker = cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"60/5:done"])
    cluster.run_for(4)
    worker.cut()
    cluster.run_for(2)
    [record] = cluster.master.state.tasks.values()
    assert record.checkpoint == b""
    worker.mend()
    cluster.run_for(3.5)
    assert record.checkpoint == b"5"
