"""What has happened lately, numbered, for whoever follows it live or comes back to it. PURE.

It is bounded and lives with the master: what is older, or from before a restart, is in the log.
"""

from __future__ import annotations

from collections import deque
from heapq import merge
from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent_framework.model.ids import application_of, format_key

if TYPE_CHECKING:
    from concurrent_framework.master.state import TaskRecord
    from concurrent_framework.protocol.tasks import Outcome

KEPT_EVENTS = 2000
KEPT_RUNS = 4000


class Happening(NamedTuple):
    """Something worth telling: a node came or went, a task failed.

    Args:
        id: counts up from 1, over runs too.
        time: the core's clock.
        kind: ``noun.verb``.
        level: how bad it is, as in the log.
        text: for people.
        ids: what it is about: application, worker, task.

    """

    id: int
    time: float
    kind: str
    level: str
    text: str
    ids: dict[str, Any]


class Run(NamedTuple):
    """A batch of outcomes of one worker, with one of its tasks as the example.

    Where tasks take long, a batch is one task; where they are tiny, it may be a thousand.

    Args:
        id: counts up from 1, over happenings too.
        time: when the outcome came, by the core's clock.
        worker: the worker's name.
        key: the task.
        name: its name.
        seconds: how long it ran.
        tasks: how many tasks the batch has.
        failed: whether it failed.
        queued: seconds that it waited for a worker.
        away: seconds from then until its outcome came.

    """

    id: int
    time: float
    worker: str
    key: int
    name: str
    seconds: float
    tasks: int
    failed: bool
    queued: float
    away: float


class Chronicle:
    """Numbers happenings and runs and keeps the last of each.

    Args:
        epoch: unix time at which the core's clock was zero.

    """

    def __init__(self, epoch: float) -> None:
        self.now = 0.0
        self.last = 0
        self._epoch = epoch
        self._happenings: deque[Happening] = deque(maxlen=KEPT_EVENTS)
        self._runs: deque[Run | Happening] = deque(maxlen=KEPT_RUNS)
        self._deliveries: deque[Happening] = deque(maxlen=KEPT_RUNS)

    def note(self, kind: str, level: str, text: str, ids: dict[str, Any]) -> None:
        """Add a happening."""
        self.last += 1
        self._happenings.append(Happening(self.last, self.now, kind, level, text, ids))

    def failed(self, key: int, name: str, worker: str, message: str) -> None:
        """Add that a task failed. It is kept among the runs: there may be as many."""
        ids = {
            "application": application_of(key),
            "worker": worker,
            "task": format_key(key),
            "name": name,
        }
        self.last += 1
        self._runs.append(Happening(self.last, self.now, "task.failed", "error", message, ids))

    def ran(self, worker: str, record: TaskRecord, outcome: Outcome, tasks: int) -> None:
        """Add a run.

        Args:
            worker: where.
            record: the task that is the example.
            outcome: what came of it.
            tasks: how many tasks were reported with it.

        """
        self.last += 1
        self._runs.append(
            Run(
                self.last,
                self.now,
                worker,
                record.key,
                record.task.name,
                outcome.seconds,
                tasks,
                outcome.failure is not None,
                record.since - record.arrived,
                self.now - record.since,
            )
        )

    def handled(self, kind: str, key: int) -> None:
        """Add what became of the outcome of a run's example: `finished` was called, or it was delivered."""
        ids = {"application": application_of(key), "task": format_key(key)}
        self.last += 1
        self._deliveries.append(Happening(self.last, self.now, kind, "debug", "", ids))

    def since(
        self, number: int, limit: int, *, runs: bool, deliveries: bool = False
    ) -> list[dict[str, Any]]:
        """Return what came after a number, the oldest first; of more than `limit` the oldest.

        Args:
            number: that of the last one known, 0 for none.
            limit: how many at most.
            runs: whether runs are wanted too.
            deliveries: whether it is wanted that what became of them was handled.

        """
        found = self._after(number, runs=runs, deliveries=deliveries)
        return [self._described(one) for one in found[:limit]]

    def newest(self, limit: int, *, runs: bool) -> list[dict[str, Any]]:
        """Return the last ones, the oldest first."""
        found = self._after(0, runs=runs)[-limit:] if limit else []
        return [self._described(one) for one in found]

    def _after(self, number: int, *, runs: bool, deliveries: bool = False) -> list[Happening | Run]:
        kept = (self._happenings, self._runs, self._deliveries)[: 3 if deliveries else 2]
        return [
            one
            for one in merge(*(_after(one, number) for one in kept), key=_id_of)
            if runs or type(one) is Happening
        ]

    def _described(self, one: Happening | Run) -> dict[str, Any]:
        head = {"id": one.id, "time": one.time + self._epoch}
        if isinstance(one, Happening):
            return {**head, "kind": one.kind, "level": one.level, "text": one.text, **one.ids}
        return {
            **head,
            "kind": "tasks.ran",
            "application": application_of(one.key),
            "worker": one.worker,
            "task": format_key(one.key),
            "name": one.name,
            "seconds": one.seconds,
            "tasks": one.tasks,
            "failed": one.failed,
            "queued": one.queued,
            "away": one.away,
        }


def _after(known: deque[Any], number: int) -> list[Any]:
    found = []
    for one in reversed(known):
        if one.id <= number:
            break
        found.append(one)
    found.reverse()
    return found


def _id_of(one: Happening | Run) -> int:
    return one.id
