"""Runs one task system inside its host."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.arrays import TaskArray
from concurrent_framework.application.outcomes import (
    ACKNOWLEDGE_AFTER,
    error_of,
    unpack,
    value_of,
)
from concurrent_framework.application.pushing import Pushing
from concurrent_framework.application.stats import ApplicationStats
from concurrent_framework.application.system import check_system
from concurrent_framework.model.errors import (
    ConcurrentError,
    NotSerializable,
    TaskError,
    UsageError,
)
from concurrent_framework.model.ids import SEQUENCE_MASK, sequence_of, task_key
from concurrent_framework.protocol.application import Progress
from concurrent_framework.protocol.tasks import MAX_PAYLOAD_BYTES, Outcome, ProgressNote
from concurrent_framework.tasks.payload import dump_result, dump_state, load_task
from concurrent_framework.tasks.specs import SpecBook
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from concurrent_framework.application.host import Host
    from concurrent_framework.protocol.application import PushSystem
    from concurrent_framework.tasks.shared import Shared

PROGRESS_INTERVAL = 0.05


class SystemStuckError(ConcurrentError):
    """A task system waits for something that cannot happen."""


class HostedMaster:
    """What a task system sees of the master: `SystemMaster` as its host provides it."""

    def __init__(self, run: SystemRun) -> None:
        self._run = run

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines appear in the application's log."""
        return self._run.host.teller.log

    @property
    def stats(self) -> ApplicationStats:
        """Counters of the system's tasks, and the size of the swarm."""
        return self._run.current_stats()

    @property
    def workers(self) -> int:
        """How many workers the swarm has now."""
        return self._run.host.size[0]

    @property
    def executors(self) -> int:
        """How many tasks the swarm can run at a time now."""
        return self._run.host.size[1]

    @property
    def outstanding(self) -> int:
        """How many tasks have not ended yet; a generator that is not exhausted counts as one more."""
        return self._run.outstanding

    @property
    def exhausted(self) -> bool:
        """Whether everything that generators had to give has been drawn."""
        return not self._run.hungry

    def push_task(self, task: Task) -> None:
        """Push a task; the system's `task_finished` follows."""
        self._run.pushing.push(task)

    def push_tasks(self, tasks: Iterable[Task]) -> None:
        """Push what an iterable yields, drawn lazily as the swarm needs it."""
        self._run.pushing.push_lazily(tasks)
        self._run.host.engine.feed_soon()

    def push_map(
        self,
        function: Callable[[Any], Any],
        iterable: Iterable[Any],
        *,
        collect: bool = False,
        **options: Any,
    ) -> TaskArray:
        """Call a function with each item of an iterable; see `ApplicationNode.push_map`."""
        array = self._run.pushing.push_map(function, iterable, options, collect=collect)
        self._run.host.engine.feed_soon()
        return array

    def share(self, value: Any) -> Shared:
        """Return a reference to an object; see `ApplicationNode.share`."""
        return self._run.pushing.sharing.share(value)

    def cancel(self, what: Any = None) -> None:
        """Cancel a task, an array, an iterable of tasks, or with None all, generators included."""
        self._run.cancel(what)

    def progress(self, done: float, total: float = 1.0, message: str = "") -> None:
        """Tell the application how far the system has come: `done` of `total`."""
        self._run.progress(ProgressNote(self._run.key, done, total, message))


class SystemRun:
    """One task system at work.

    Args:
        host: the process it runs in.
        push: the system as the application pushed it.

    """

    def __init__(self, host: Host, push: PushSystem) -> None:
        self.host = host
        self.name = push.name
        self.key = task_key(host.number, 0)
        self.pushing = Pushing(
            host.session,
            SpecBook(host.classes.code),
            host.name,
            host.engine.flush_soon,
            lambda: host.size[1],
        )
        # References come with the system, and its tasks may have them.
        self.pushing.sharing.active = True
        self._push = push
        self._master = HostedMaster(self)
        self._stats = ApplicationStats()
        self._system: Any = None
        self._note: ProgressNote | None = None
        self._noted = 0.0
        self._told = 0
        """Outcomes that the system has been told of and that are not acknowledged yet."""
        self.ready = False

    @property
    def outstanding(self) -> int:
        """How many tasks have not ended yet, as far as the system has been told."""
        return self.pushing.outstanding(self._told)

    @property
    def hungry(self) -> bool:
        """Whether generators have something left."""
        return self.pushing.hungry

    async def start(self) -> None:
        """Rebuild the system and let it make its first tasks."""
        cls = self.host.classes.load(self._push.code)
        self._system = load_task(cls, self._push.payload)  # type: ignore[arg-type]
        check_system(self._system)
        object.__setattr__(self._system, "system_id", self._push.sequence)
        await value_of(self._system.init_system(self._master))
        await self._take(await value_of(self._system.generate_tasks(self._master)))
        self.ready = True
        await self._conclude_if_complete()

    async def tasks_ended(self, command: do.TasksEnded) -> None:
        """Tell the system what came of tasks, then ask whether it is complete."""
        handled = command.first - 1
        since = time.monotonic()
        for index, outcome in enumerate(command.outcomes):
            task = self.pushing.items.pop(outcome.key & SEQUENCE_MASK, None)
            if task is None:
                row = command.origins.get(index)
                task = self.host.classes.rebuild(row, self.pushing.classes) if row else Task()
                object.__setattr__(task, "task_id", sequence_of(outcome.key))
            self._stats.task_seconds += outcome.seconds
            self._told += 1
            if type(task) in self.pushing.arrays.drawings:
                await self._tell_items(task, outcome)
            else:
                result, error = unpack(task, outcome, self.host.workers.get(outcome.worker, ""))
                await self._tell(task, outcome.key, result, error)
            handled += 1
            if time.monotonic() - since >= ACKNOWLEDGE_AFTER:
                since = time.monotonic()
                self._acknowledge(handled)
                self.host.teller.flush()
        if self._told:
            self._acknowledge(handled)
        await self._conclude_if_complete()

    def _acknowledge(self, through: int) -> None:
        self._told = 0
        self.pushing.release()
        self.host.engine.handle(on.Handled(through))

    async def rejected(self, command: do.PushRejected) -> None:
        """Tell the system of tasks that the master did not take."""
        error = error_of(command.failure)
        for sequence in range(command.first, command.first + command.count):
            task = self.pushing.items.pop(sequence, None)
            if type(task) in self.pushing.arrays.drawings:
                await self._tell_items(task, Outcome(0, 0, failure=command.failure))
            elif task is not None:
                await self._tell(task, task_key(self.host.number, sequence), None, error)
        await self._conclude_if_complete()

    async def idle(self) -> None:
        """Nothing is outstanding: the system is complete, or it never will be."""
        waiting = self.host.session.outbox
        if not (await self._conclude_if_complete() or self.hungry or waiting.outstanding):
            message = (
                f"the task system {self.name} is stuck: it has no task left and nothing to "
                "generate, but is_complete() returned False; push further tasks in task_finished, "
                "or let is_complete() return True"
            )
            raise SystemStuckError(message)

    def feed(self, room: int) -> None:
        """Draw from the system's generators."""
        self.host.teller.speak_for(self.key, self.name)
        if self.pushing.feed(room) and self.pushing.arrays.drawings:
            self.host.engine.post(do.Drawn())

    def cancel(self, what: Any) -> None:
        """Cancel some of the system's tasks, or all."""
        if what is None:
            self.pushing.stop_feeding()
            self.host.engine.handle(on.CancelAsked(tuple(self.pushing.items), everything=True))
            self.host.engine.post(do.Drawn())
        elif isinstance(what, TaskArray):
            if asked := self.pushing.cancel_array(what):
                self.host.engine.handle(asked)
                self.host.engine.post(do.Drawn())
        elif sequences := self.pushing.sequences_of(what):
            self.host.engine.handle(on.CancelAsked(sequences))

    def progress(self, note: ProgressNote) -> None:
        """Tell the application how far the system has come, a few times a second at most."""
        self._note = note
        if time.monotonic() - self._noted >= PROGRESS_INTERVAL:
            self._tell_progress()

    def current_stats(self) -> ApplicationStats:
        """Bring the counters up to date."""
        self._stats.pushed = self.pushing.count
        self._stats.outstanding = self.outstanding
        self._stats.workers, self._stats.executors = self.host.size
        return self._stats

    async def _tell(self, task: Task, key: int, result: Any, error: TaskError | None) -> None:
        """Call `finished` of a task, if its class has one, and then `task_finished`."""
        if error is None:
            self._stats.finished += 1
        else:
            self._stats.failed += 1
        teller = self.host.teller
        if type(task).finished is not Task.finished:
            teller.speak_for(key, str(task.name))
            await self.host.call_finished(task, result, error)
        teller.speak_for(self.key, self.name)
        returned = self._system.task_finished(self._master, task, result, error)
        if returned is not None:
            await self._take(await value_of(returned))

    async def _tell_items(self, task: Any, outcome: Outcome) -> None:
        """Call the system's `map_finished` for a slice, and `array_finished` after the last."""
        end = self.pushing.slice_ended(task, outcome)
        if outcome.failure is None:
            self._stats.finished += 1
        else:
            self._stats.failed += 1
        if end.results:
            self.host.teller.speak_for(self.key, self.name)
            returned = self._system.map_finished(self._master, end.array, end.first, end.results)
            await self._take(await value_of(returned))
        await self._close_arrays()

    async def drawn(self) -> None:
        """Tell the system of arrays that have finished; then ask whether it is complete."""
        await self._close_arrays()
        await self._conclude_if_complete()

    async def _close_arrays(self) -> None:
        for array in self.pushing.arrays.close_finished():
            self.host.teller.speak_for(self.key, self.name)
            returned = self._system.array_finished(self._master, array)
            await self._take(await value_of(returned))

    async def _take(self, tasks: Any) -> None:
        """Push what a method of the system returned."""
        if tasks is None:
            return
        if isinstance(tasks, Task):
            self.pushing.push(tasks)
        elif isinstance(tasks, Iterable):
            self._master.push_tasks(tasks)
        else:
            message = (
                f"the task system {self.name} returned {tasks!r:.200} where a task, an iterable "
                "of tasks or None is expected"
            )
            raise UsageError(message)

    async def _conclude_if_complete(self) -> bool:
        system, master = self._system, self._master
        self.host.teller.speak_for(self.key, self.name)
        if not await value_of(system.is_complete(master)):
            return False
        self.pushing.stop_feeding()
        result = dump_result(await value_of(system.gather_result(master)))
        if len(result) > MAX_PAYLOAD_BYTES:
            message = (
                f"the result of {self.name} takes {len(result) / 2**20:.0f} MiB, "
                f"{MAX_PAYLOAD_BYTES >> 20} MiB at most: write it to a file and return its name"
            )
            raise UsageError(message)
        self._tell_progress()
        self.host.done(result, self._final_state())
        return True

    def _final_state(self) -> bytes:
        """Return the system as it is now; without it the application's instance stays as it was."""
        try:
            state = dump_state(self._system)
        except NotSerializable as error:
            self._master.log.warning("the instance in the application stays as it was: %s", error)
            return b""
        return state if len(state) <= MAX_PAYLOAD_BYTES else b""

    def _tell_progress(self) -> None:
        if self._note is not None:
            note, self._note = self._note, None
            self._noted = time.monotonic()
            self.host.tell(Progress((note,)))
