"""The simulation sees broken promises: whoever breaks one on purpose is found out by its seeds."""

from __future__ import annotations
import __future__

import inspect
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from concurrent_framework.application import session
from concurrent_framework.application.arrays import Arrays
from concurrent_framework.master import (
    applications,
    checkpoints,
    compaction,
    delivery,
    dispatch,
    keeping,
    liveness,
    recovery,
    remains,
    replay,
    retry,
    revival,
    timing,
    workers,
)
from concurrent_framework.tasks.arrays import Slice
from concurrent_framework.worker.reactor import WorkerReactor
from tests.simulation import storm, system_storm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType


class Mutation(NamedTuple):
    """A change of one function's source."""

    function: Any
    before: str
    after: str
    likely: int = 0
    """A seed that has seen it, tried first."""
    kinds: tuple[bytes, ...] = storm.KINDS
    """What kinds of tasks a storm has that should see it."""
    systems: Sequence[system_storm.Chosen] = system_storm.SYSTEMS
    """What systems a storm of systems has that should see it."""

    def code(self) -> CodeType:
        """Return what the function does with the change."""
        source = textwrap.dedent(inspect.getsource(self.function))
        assert source.count(self.before) == 1, f"not once in the source: {self.before}"
        flags = __future__.annotations.compiler_flag
        compiled = compile(source.replace(self.before, self.after), "mutated", "exec", flags)
        made: dict[str, Any] = {}
        exec(compiled, self.function.__globals__, made)
        code = made[self.function.__name__].__code__
        assert code != self.function.__code__
        return code  # type: ignore[no-any-return]


MUTATIONS = {
    "acknowledge before it is safe": Mutation(
        keeping.Keeping._carry_out,
        "    try:\n",
        "    self._perform_all(commands[1:])\n    commands = ()\n    try:\n",
        likely=18,
    ),
    "accept late outcomes": Mutation(
        workers.on_outcomes,
        "            or record.attempt != outcome.attempt\n"
        "            or record.state != assigned\n"
        "            or record.worker != number\n",
        "",
        likely=116,
    ),
    "forget to queue again": Mutation(workers.lose, "again.append(record)", "pass", 6),
    "forget who has what must not run twice": Mutation(
        dispatch.Dispatcher._assign, "self._journal.handed(records)", "pass"
    ),
    "forget in compaction what is pending": Mutation(
        compaction._Tasks.add, "if record is not None:", "if record is not None and record.losses:"
    ),
    "forget in compaction what is not delivered": Mutation(
        compaction._Tasks.add,
        "if entry is not None:",
        "if entry is not None and not entry.outcome:",
        likely=14,
    ),
    "forget in recovery what is not delivered": Mutation(
        recovery.add_application, "_add_undelivered(application, replayed)", "pass"
    ),
}


MUTATIONS_OF_TASKS = {
    "run again what must not run twice": Mutation(
        retry.should_retry, "spec.idempotent and used", "used"
    ),
    "attempt again without counting": Mutation(
        workers._failed, "record.failures += not lost", "pass"
    ),
    "forget what waits for its backoff": Mutation(timing.check, "ready.append(record)", "pass", 12),
    "let deadlines pass": Mutation(timing.check, "record.overdue = True", "continue", likely=59),
    "forget a task's checkpoint in compaction": Mutation(
        compaction._Tasks.add, "if record.checkpoint:", "if False:", kinds=(b"7/3",), likely=79
    ),
    "forget a task's checkpoint in recovery": Mutation(
        recovery._add_tasks, "tasks[key].checkpoint = state_of_task", "pass"
    ),
    "hand a task out without its checkpoint": Mutation(
        dispatch.Dispatcher._assign,
        "record.task.payload, record.checkpoint)",
        "record.task.payload)",
    ),
    "forget what was under way to an application": Mutation(
        applications.attach,
        "application.outgoing.extendleft(reversed(application.unacknowledged))",
        "pass",
    ),
    "tell again what was told": Mutation(
        session.ApplicationSession._deliver, "if known:", "if False:", likely=15
    ),
    "drop what was sent before it is acknowledged": Mutation(
        delivery._deliver_some, "unacknowledged.append(entry)\n        sequence", "sequence"
    ),
    "take what is handed out during a greeting": Mutation(
        WorkerReactor._run, "if not self.connected:", "if False:", 15
    ),
    "take an answer to an earlier greeting": Mutation(
        WorkerReactor._welcome, "if message.greeting != self._greetings:", "if False:", 15
    ),
    "forget an outcome before it is safe": Mutation(
        WorkerReactor._send_outcomes, "self.unsafe.append((self._number, outcomes))", "pass"
    ),
    "never take a silent worker for lost": Mutation(
        liveness._check_leases, "if now - worker.last_heard > lease:", "if False:"
    ),
}
MUTATIONS_OF_SYSTEMS = {
    "forget outcomes that a checkpoint has not absorbed": Mutation(
        checkpoints.roll_back, "*application.unabsorbed, *application", "*application"
    ),
    "keep tasks that are rolled back": Mutation(
        checkpoints.roll_back, "_drop(reactor, application, later)", "pass"
    ),
    "keep outcomes of tasks that are rolled back": Mutation(
        checkpoints.roll_back,
        "deque(entry for entry in outcomes if entry.root <= pushed)",
        "deque(outcomes)",
        likely=16,
    ),
    "give tasks that follow a rollback no fence": Mutation(
        applications._submit, "application.rollbacks << FENCE_BITS", "0", 21
    ),
    "forget a system's checkpoint in recovery": Mutation(
        recovery._add_systems, "record.keep(child.checkpoint.state)", "pass"
    ),
    "forget a system's checkpoint in compaction": Mutation(
        compaction._system,
        "told.append(checkpoint_fact(child, system.checkpoint))",
        "pass",
        likely=52,
    ),
    "forget a rollback in recovery": Mutation(
        replay.Replay._rolled_back, "self.application(fact.child).roll_back(fact)", "pass"
    ),
    "forget the rest of a slice": Mutation(Slice.__call__, "here.push_tasks(parts)", "pass", 9),
    "give back a part of a slice that is done": Mutation(
        Slice.rest, "done + left * part // parts, done", "left * part // parts, done", 9
    ),
    "forget the halves of a slice that was lost": Mutation(
        Arrays.ended,
        "return SliceEnd(array, task.first, [], parts)",
        "return SliceEnd(array, task.first, [], parts[:1])",
        likely=75,
        systems=(system_storm.MAPPED,),
    ),
}


MUTATIONS_OF_RETRIES = {
    "forget the tasks of a system that failed": Mutation(
        remains._counted_on, "record.root <= through", "False"
    ),
    "forget outcomes that a system that failed has not absorbed": Mutation(
        remains._unabsorbed, "entry.root <= child.counted_on", "False"
    ),
    "forget in the journal what is retried": Mutation(
        revival._restore, "reactor.journal.revived(told)", "pass"
    ),
}


def is_found_out(mutation: Mutation, run: Callable[[int], object], seeds: int) -> bool:
    """Whether one of the seeds sees that a promise is broken."""
    original = mutation.function.__code__
    mutation.function.__code__ = mutation.code()
    try:
        for seed in (mutation.likely, *range(seeds)):
            try:
                run(seed)
            except Exception as error:
                print(f"found with seed {seed}: {error!r}")
                return True
    finally:
        mutation.function.__code__ = original
    return False


@pytest.mark.parametrize("name", MUTATIONS | MUTATIONS_OF_TASKS)
def test_a_broken_promise_is_found_out(name: str) -> None:
    mutation = (MUTATIONS | MUTATIONS_OF_TASKS)[name]

    def run(seed: int) -> None:
        storm.run(seed, "push" if seed % 2 else "pull", mutation.kinds)

    assert is_found_out(mutation, run, storm.SEEDS), "the simulation saw nothing"


@pytest.mark.parametrize("name", MUTATIONS_OF_SYSTEMS)
def test_a_broken_promise_of_systems_is_found_out(name: str) -> None:
    mutation = MUTATIONS_OF_SYSTEMS[name]

    def run(seed: int) -> None:
        system_storm.run(seed, mutation.systems)

    assert is_found_out(mutation, run, 4 * system_storm.SEEDS), "the simulation saw nothing"


@pytest.mark.parametrize("name", MUTATIONS_OF_RETRIES)
def test_a_broken_promise_of_systems_that_failed_is_found_out(name: str) -> None:
    mutation = MUTATIONS_OF_RETRIES[name]
    found = is_found_out(mutation, system_storm.run_that_fails, 4 * system_storm.SEEDS)
    assert found, "the simulation saw nothing"


@pytest.fixture(autouse=True)
def _installed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no code travel: all of it is in this process."""
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)
