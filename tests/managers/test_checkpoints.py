"""Checkpoints of running tasks: they leave their executor in time, and an attempt finds the last one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers import pool_events as on
from concurrent_framework.managers.pool import Pool
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.resources import Capacity
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import Assigned, Outcome, SpecEntry, TaskCheckpoint
from concurrent_framework.tasks.payload import dump_checkpoint, load_checkpoint
from tests.managers.sample_tasks import Call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.managers.drive import Driver


def last(driver: Driver, key: int) -> Any:
    found = [one.state for one in driver.checkpoints if one.key == key]
    return load_checkpoint(found[-1]) if found else None  # type: ignore[arg-type]


def resume(driver: Driver, key: int, task: Call) -> int:
    """Submit a task once more as its second attempt, with the last checkpoint of the first."""
    [row] = driver.rows([task], 1, {})
    state = dump_checkpoint(last(driver, key))
    driver.manager.submit([replace(row, attempt=2, restored=state)], 0.0)
    return row.key


def test_the_first_one_leaves_at_once_and_the_newest_is_not_kept_back(
    driver: Driver, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    task = Call("count_checkpoints", 500, str(gate))
    [key] = driver.push(task)
    driver.until(lambda: last(driver, key) == {"step": 500})
    assert key not in driver.outcomes
    assert load_checkpoint(driver.checkpoints[0].state) == {"step": 1}  # type: ignore[arg-type]
    assert len(driver.checkpoints) < 50, "they are paced"
    again = resume(driver, key, task)
    [outcome] = driver.wait([again])
    assert (outcome.attempt, load_checkpoint(outcome.result)) == (2, {"step": 500})  # type: ignore[arg-type]
    gate.touch()
    driver.wait([key])


def test_one_made_just_before_the_end_of_the_executor_counts(driver: Driver) -> None:
    [key] = driver.push(Call("checkpoint_then_die", [1, 2]))
    [outcome] = driver.wait([key])
    assert outcome.failure is not None
    assert outcome.failure.kind == "worker_lost"
    assert last(driver, key) == [1, 2]


def test_one_of_a_task_that_has_ended_is_dropped(driver: Driver) -> None:
    assert driver.run(Call("checkpoint_in_thread", 5), Call("restored")) == [None, None]
    assert driver.run(*(Call("add", n, 1) for n in range(50))) == list(range(1, 51))


def test_large_ones(driver: Driver) -> None:
    state = os.urandom(15 << 20)
    [key] = driver.push(Call("checkpoint_then_die", state))
    driver.wait([key])
    assert last(driver, key) == state
    again = resume(driver, key, Call("restored"))
    [outcome] = driver.wait([again])
    assert load_checkpoint(outcome.result) == state  # type: ignore[arg-type]


def test_a_task_that_the_worker_itself_runs_again_goes_on() -> None:
    """Its outcome was lost with an executor that had not told it."""
    pool = Pool(Capacity(executors=1, cpus=1.0), "w", 0.5)
    first, *rows = [Assigned(task_key(1, n), 1, 1 << 32, b"") for n in range(1, 5)]
    spec = SpecEntry(1 << 32, TaskSpec(CodeReference("m", "T")))
    commands = pool.handle([on.Tick(), on.Learned([spec]), on.Submitted([first])], 0.0)
    [executor] = [one.executor for one in commands if isinstance(one, do.Begin)]
    pool.handle([on.Came(executor)], 0.1)
    # Once it is known how short they are, several are sent at a time.
    pool.handle([on.Told(executor, [Outcome(first.key, 1, seconds=1e-6)], 1)], 0.2)
    sent = _sent(pool.handle([on.Submitted(rows)], 0.3))
    assert [row.key for row in sent] == [row.key for row in rows]
    kept = [TaskCheckpoint(sent[0].key, 1, b"newest"), TaskCheckpoint(sent[1].key, 7, b"stale")]
    pool.handle([on.Told(executor, [], 0, kept)], 0.4)
    # The second one runs when it dies; the end of the first has not been told.
    commands = pool.handle([on.Died(executor, 1, None, 9, "", 0)], 0.5)
    [begun] = [one.executor for one in commands if isinstance(one, do.Begin)]
    again = _sent(pool.handle([on.Came(begun)], 0.6))
    assert [(row.key, row.restored) for row in again] == [
        (sent[0].key, b"newest"),
        (sent[2].key, b""),
    ]


def _sent(commands: list[Any]) -> list[Assigned]:
    return [row for one in commands if isinstance(one, do.Send) for row in one.tasks]
