"""Hosts that take checkpoints, hosts that go on from them, and the session between host and master."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import TaskSystem
from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.checkpointing import saved
from concurrent_framework.model.ids import task_key
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import session as greet
from concurrent_framework.protocol.tasks import NewTask
from concurrent_framework.tasks.payload import load_result
from tests.application.fake_master import NUMBER, FakeMaster
from tests.application.test_host import Number, host, job_for, texts
from tests.application.test_session import Node, welcome

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _installed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no code travel: in one process, code that did would be there twice."""
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)


class Pausing(TaskSystem):
    """Asks for a checkpoint after every fortieth outcome."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.total = 0
        self.told = 0
        self.begun = 0

    async def init_system(self, master: Any) -> None:
        self.begun += 1

    def generate_tasks(self, master: Any) -> Any:
        return (Number(n) for n in range(self.size))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        assert task.seen
        self.total += result
        self.told += 1
        if self.told % 40 == 0:
            master.checkpoint()
        return Number(self.size) if result % 10 == 3 else None

    def gather_result(self, master: Any) -> Any:
        return self.total, self.told, self.begun, master.stats.finished, master.stats.pushed


def rows_of(master: FakeMaster) -> dict[int, NewTask]:
    return {
        message.first + n: row
        for message in master.of(app.Submit)
        for n, row in enumerate(message.tasks)
    }


def go_on(
    before: FakeMaster, checkpoint: app.Checkpoint, job: app.HostJob, directory: Path
) -> tuple[Any, FakeMaster]:
    """Run a second host from a checkpoint, at a master that has what the checkpoint counts on."""
    master = FakeMaster(window_tasks=60)
    master.specs, master.accepted = before.specs, checkpoint.pushed
    rows, first = rows_of(before), checkpoint.absorbed + 1
    left = range(first, checkpoint.pushed + 1)
    outcomes = [master.run_task(task_key(NUMBER, n), rows[n]) for n in left]
    [deliver] = master.deliver(outcomes, {n - first: rows[n] for n in left}) or [None]
    master.welcome = lambda **fields: FakeMaster.welcome(  # type: ignore[method-assign]
        master, unfinished=len(outcomes), **fields
    )
    restored = app.HostJob(job.system, checkpoint=checkpoint.state)
    master.delivered.clear()
    more = [] if deliver is None else [deliver]
    _, [done] = host(master, restored, directory, *more)
    assert done.failure is None
    return load_result(done.result), master  # type: ignore[arg-type]


def test_a_second_host_comes_to_the_same_result_from_every_checkpoint(tmp_path: Path) -> None:
    before, job = FakeMaster(window_tasks=60), job_for(Pausing(200))
    _, [done] = host(before, job, tmp_path)
    expected = load_result(done.result)  # type: ignore[arg-type]
    assert expected == (sum(range(200)) + 20 * 200, 220, 1, 220, 220)
    checkpoints = before.of(app.Checkpoint)
    assert len(checkpoints) >= 4
    assert [one.number for one in checkpoints] == list(range(1, len(checkpoints) + 1))
    for one in checkpoints:
        assert one.absorbed <= one.pushed
        result, master = go_on(before, one, job, tmp_path)
        assert result == expected
        assert rows_of(master).keys().isdisjoint(range(1, one.pushed + 1))
    assert saved(checkpoints[-1].state).counts[1] == checkpoints[-1].absorbed


class Locked(Pausing):
    def init_system(self, master: Any) -> Any:
        self.lock = threading.Lock()

    def gather_result(self, master: Any) -> Any:
        del self.lock
        return self.total


def test_what_cannot_be_pickled_is_said_once(tmp_path: Path) -> None:
    master = FakeMaster(window_tasks=60)
    _, [done] = host(master, job_for(Locked(200)), tmp_path)
    assert load_result(done.result) == sum(range(200)) + 20 * 200  # type: ignore[arg-type]
    assert master.of(app.Checkpoint) == []
    [warning] = texts(master, "warning")
    assert warning.startswith(
        "Locked: no checkpoint can be made of Locked, so after a crash it goes"
    )
    assert "attribute lock" in warning


# The session


@pytest.fixture
def node() -> Node:
    node = Node("host")
    node.hear(welcome())
    return node


def test_a_checkpoint_is_sent_and_acknowledged(node: Node) -> None:
    checkpoint = app.Checkpoint(1, 0, 0, b"state")
    node(on.CheckpointTaken(checkpoint))
    assert node.sent == [checkpoint]
    assert node.session.checkpointing == 1
    node.hear(app.Checkpointed(0))
    assert node.session.checkpointing == 1
    node.hear(app.Checkpointed(1))
    assert node.session.checkpointing == 0
    node.hear(greet.Resync())
    node.hear(welcome())
    assert node.wanted(do.CheckpointLost) == []


def test_one_that_may_not_have_arrived_is_to_be_taken_again(node: Node) -> None:
    node(on.CheckpointTaken(app.Checkpoint(1, 0, 0, b"state")))
    node.hear(greet.Resync())
    node.hear(welcome())
    assert len(node.wanted(do.CheckpointLost)) == 1
    assert node.session.checkpointing == 0


def test_none_is_sent_while_the_master_is_away(node: Node) -> None:
    node.hear(greet.Resync())
    node(on.CheckpointTaken(app.Checkpoint(1, 0, 0, b"state")))
    assert node.sent == []
    node.hear(welcome())
    assert node.sent == []


def test_what_the_master_has_not_accepted_goes_into_a_checkpoint(node: Node) -> None:
    node.push(300)
    node(on.Flush())
    node.push(7)
    node.hear(app.Accepted(256))
    waiting = node.session.outbox.unaccepted()
    spans = [(one.first, len(one.tasks)) for one in waiting if isinstance(one, app.Submit)]
    assert spans == [(257, 44), (301, 7)]
