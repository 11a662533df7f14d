"""Workers that die or fall silent: their work is run elsewhere, and each outcome is told once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from concurrent_framework import Resources
from tests.cluster.applications import Recorder
from tests.cluster.tasks import Call, Guarded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.swarm import Swarm


class Watched(Recorder):
    """Does something once certain tasks run."""

    abstract = True

    def __init__(self, tasks: list[Any], awaited: list[Any], then: Any) -> None:
        super().__init__(tasks, self._begun)
        self._awaited = {id(task) for task in awaited}
        self._then = then
        self.begun: list[tuple[Any, str]] = []

    def _begun(self, _app: Recorder, task: Any, worker: str) -> None:
        self.begun.append((task, worker))
        if self._awaited:
            self._awaited.discard(id(task))
            if not self._awaited:
                self._then()


def test_tasks_of_a_killed_worker_are_run_elsewhere_up_to_their_attempts(
    frail: Swarm, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first = frail.add_worker("d1", "--label", "d", executors=3)
    retried = Guarded(gate, "d")
    once = Guarded(gate, "d", idempotent=False)
    last = Guarded(gate, "d", max_attempts=1)

    def kill() -> None:
        first.kill()
        gate.touch()
        frail.start_worker("d2", "--label", "d")

    tasks = [retried, once, last]
    app = frail.run(Watched([*tasks, *(Call("add", n, 1) for n in range(100))], tasks, kill))
    assert app.of(retried).result == retried.slave_id == "d2"
    assert sorted(worker for task, worker in app.begun if task is retried) == ["d1", "d2"]
    for task, advice in ((once, "not idempotent"), (last, "no further attempt")):
        error = app.error_of(task)
        assert (error.kind, error.type) == ("worker_lost", "WorkerLost")
        assert advice in error.message
        assert "worker d1 was lost (no sign of life" in error.message
        certificate = error.certificate
        assert (certificate.worker, certificate.suspect) == ("d1", "worker")
        [attempt] = certificate.attempts
        assert (attempt.number, attempt.worker, attempt.end) == (1, "d1", "worker lost")
        assert attempt.ended - attempt.started >= 1.5
    assert len(app.told) == 103
    [(worker, count, _)] = app.lost
    assert worker == "d1"
    assert count >= 3
    frail.end_worker("d2")


def test_a_task_that_kills_its_workers_is_stopped_and_takes_no_innocent_with_it(
    frail: Swarm, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    for name in ("p1", "p2", "p3"):
        frail.add_worker(name, "--label", "p")
    poison = Call("kill_worker")
    poison.resources = Resources(labels=("p",))
    poison.max_attempts = 2
    innocent = [Guarded(gate, "p", max_attempts=2) for _ in range(5)]

    class Opens(Recorder):
        abstract = True

        def node_lost(self, worker: str, tasks: int, reason: str) -> None:
            super().node_lost(worker, tasks, reason)
            gate.touch()

    # The poison runs beside one of the others, which then has one attempt left: suspects are kept
    # apart, so that it does not lose that too.
    app = frail.run(Opens([*innocent, poison]))
    error = app.error_of(poison)
    assert error.kind == "worker_lost"
    assert error.certificate.suspect == "task"
    killed = [one.worker for one in error.certificate.attempts]
    assert len(set(killed)) == len(killed) == 2
    assert sorted(killed) == sorted(worker for worker, _, _ in app.lost)
    [survivor] = {"p1", "p2", "p3"} - set(killed)
    assert all(app.of(task).error is None for task in innocent)
    frail.end_worker(survivor)


def test_a_worker_that_was_silent_for_too_long_is_fenced_off(frail: Swarm, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    silent = frail.add_worker("s1", "--label", "s", "--label", "s1")
    task = Guarded(gate, "s")

    class Awakes(Watched):
        abstract = True

        def task_finished(self, task: Any, result: Any, error: Any) -> None:
            super().task_finished(task, result, error)
            if len(self.told) == 1:
                os.kill(silent.pid, signal.SIGCONT)
                # Only the one that was silent can run it: it is back, and has told what it had.
                self.push_task(Guarded(gate, "s1"))

    def silence() -> None:
        os.kill(silent.pid, signal.SIGSTOP)
        gate.touch()
        frail.start_worker("s2", "--label", "s")

    app = frail.run(Awakes([task], [task], silence))
    assert [one.result for one in app.told] == ["s2", "s1"]
    assert app.told[0].task is task
    for name in ("s1", "s2"):
        frail.end_worker(name)
