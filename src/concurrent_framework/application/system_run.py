"""Runs one task system inside its host."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.arrays import TaskArray
from concurrent_framework.application.checkpointing import Checkpointing, saved
from concurrent_framework.application.hosted import HostedMaster
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
from concurrent_framework.model.spec import DATA, digests_in
from concurrent_framework.protocol.application import Define, Progress
from concurrent_framework.protocol.tasks import (
    MAX_PAYLOAD_BYTES,
    Outcome,
    ProgressNote,
    SpecEntry,
)
from concurrent_framework.tasks.payload import dump_state, load_task
from concurrent_framework.tasks.pickling import result_dumper, state_dumper
from concurrent_framework.tasks.specs import SpecBook
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    import logging

    from concurrent_framework.application.host import Host
    from concurrent_framework.application.pushing import Feeder
    from concurrent_framework.protocol.application import PushSystem, Submit
    from concurrent_framework.protocol.tasks import Payload

PROGRESS_INTERVAL = 0.05


class SystemStuckError(ConcurrentError):
    """A task system waits for something that cannot happen."""


class SystemRun:
    """One task system at work.

    Args:
        host: the process it runs in.
        push: the system as the application pushed it.

    Attributes:
        system: the user's object.
        handled: number of the last outcome that it has been told of.
        source: what `generate_tasks` returned, as long as more is to be drawn from it.
        ready: it has made its first tasks.

    """

    def __init__(self, host: Host, push: PushSystem) -> None:
        self.host = host
        self._clock = host.engine.clock
        self.handled = 0
        self.source: Feeder | None = None
        self.system: Any = None
        self.name = push.name
        self.key = task_key(host.number, 0)
        self.pushing = Pushing(
            host.session,
            SpecBook(host.classes.code),
            host.name,
            host.engine.flush_soon,
            lambda: host.size[1],
            clock=self._clock,
        )
        self._push = push
        self._master = HostedMaster(self)
        self._stats = ApplicationStats()
        self._drawn = 0
        self._note: ProgressNote | None = None
        self._noted = 0.0
        self._told = 0
        """Outcomes that the system has been told of and that are not acknowledged yet."""
        self.ready = False
        self.checkpointing = Checkpointing(self)

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines appear in the application's log."""
        return self.host.teller.log

    @property
    def drawn(self) -> int:
        """How many tasks were drawn of what `generate_tasks` returned; -1 if there are no more."""
        source = self.source
        return -1 if source is None or source.exhausted else self._drawn + source.count

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
        system = self._rebuild(self._push.payload)
        await value_of(system.init_system(self._master))
        await self._generate(system.generate_tasks(self._master))

    async def restore(self, checkpoint: Payload, specs: tuple[SpecEntry, ...]) -> None:
        """Rebuild the system as it was when a checkpoint was taken, and let it go on.

        Args:
            checkpoint: the state, of whichever host took it.
            specs: what is known at the master of its tasks.

        """
        state = saved(checkpoint)
        self.checkpointing.kept = True
        system = self._rebuild(state.system)
        self._learn(specs)
        self.pushing.count, self._stats.finished, self._stats.failed = state.counts
        self._stats.task_seconds = state.seconds
        for message in state.waiting:
            self._push_again(message)
        self._drawn = state.drawn
        if state.drawn < 0:
            await self._generate(None)
        elif hasattr(system, "resume_tasks"):
            await self._generate(system.resume_tasks(self._master, state.drawn))
        else:
            tasks = await value_of(system.generate_tasks(self._master))
            await self._generate(islice(tasks, state.drawn, None))

    def _rebuild(self, state: Payload) -> Any:
        cls = self.host.classes.load(self._push.code)
        self.system = load_task(cls, state)  # type: ignore[arg-type]
        self.pushing.dump = state_dumper(self._push.payload)  # type: ignore[arg-type]
        if self.pushing.dump is dump_state:
            # References come with the system, and its tasks may have them.
            code = self._push.code.data
            self.pushing.sharing.adopt((*digests_in(state), *code))
        check_system(self.system)
        object.__setattr__(self.system, "system_id", self._push.sequence)
        return self.system

    def _push_again(self, message: Define | Submit) -> None:
        """Push what the master had not accepted when the checkpoint was taken."""
        host, pushing = self.host, self.pushing
        if isinstance(message, Define):
            codes = tuple(blob for blob in message.codes if blob.kind != DATA)
            host.classes.learn(message.specs, codes)
            self._learn(message.specs)
            host.session.outbox.define(message)
            return
        for row in message.tasks:
            pushing.push_again(row, host.classes.rebuild(row, pushing.classes))
        host.engine.flush_soon()

    def _learn(self, specs: tuple[SpecEntry, ...]) -> None:
        """Go on numbering specs where the host before has stopped."""
        self.pushing.book.learn(specs)
        self.pushing.learn(specs)
        self.pushing.book.number_above(self.host.classes.numbers)

    async def _generate(self, tasks: Any) -> None:
        """Push the first tasks, and find out whether that was all."""
        self.source = await self._take(await value_of(tasks))
        self.ready = True
        if not await self._conclude_if_complete():
            self.checkpointing.consider()

    def news(self, command: do.PushAccepted | do.CheckpointLost) -> None:
        """Take note of what concerns checkpoints."""
        if isinstance(command, do.PushAccepted):
            self.pushing.accepted(command.through)
            self.checkpointing.expect()
        else:
            self.checkpointing.lost()

    async def tasks_ended(self, command: do.TasksEnded) -> None:
        """Tell the system what came of tasks, then ask whether it is complete."""
        self.handled = command.first - 1
        since = self._clock()
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
            self.handled += 1
            self.checkpointing.note(outcome)
            now = self._clock()
            if now - since >= ACKNOWLEDGE_AFTER:
                since = now
                self._acknowledge()
                self.host.teller.flush()
            if self.checkpointing.due(now):
                self._acknowledge()
                self.checkpointing.consider()
        if self._told:
            self._acknowledge()
        if not await self._conclude_if_complete():
            self.checkpointing.consider()

    def _acknowledge(self) -> None:
        self._told = 0
        self.pushing.release()
        self.host.engine.handle(on.Handled(self.handled))

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
        self.checkpointing.expect()

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
        if self._clock() - self._noted >= PROGRESS_INTERVAL:
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
        returned = self.system.task_finished(self._master, task, result, error)
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
            returned = self.system.map_finished(self._master, end.array, end.first, end.results)
            await self._take(await value_of(returned))
        await self._close_arrays()

    async def arrays_drawn(self) -> None:
        """Tell the system of arrays that have finished; then ask whether it is complete."""
        await self._close_arrays()
        if not await self._conclude_if_complete():
            self.checkpointing.consider()

    async def _close_arrays(self) -> None:
        for array in self.pushing.arrays.close_finished():
            self.host.teller.speak_for(self.key, self.name)
            returned = self.system.array_finished(self._master, array)
            await self._take(await value_of(returned))

    def push_tasks(self, tasks: Iterable[Task]) -> Feeder:
        """Push what an iterable yields, drawn lazily."""
        feeder = self.pushing.push_lazily(tasks)
        self.host.engine.feed_soon()
        return feeder

    async def _take(self, tasks: Any) -> Feeder | None:
        """Push what a method of the system returned."""
        if tasks is None:
            return None
        if isinstance(tasks, Task):
            self.pushing.push(tasks)
            return None
        if isinstance(tasks, Iterable):
            return self.push_tasks(tasks)
        message = (
            f"the task system {self.name} returned {tasks!r:.200} where a task, an iterable "
            "of tasks or None is expected"
        )
        raise UsageError(message)

    async def _conclude_if_complete(self) -> bool:
        system, master = self.system, self._master
        self.host.teller.speak_for(self.key, self.name)
        if not await value_of(system.is_complete(master)):
            return False
        self.pushing.stop_feeding()
        dump = result_dumper(self._push.payload)  # type: ignore[arg-type]
        result = dump(await value_of(system.gather_result(master)))
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
            state = self.pushing.dump(self.system)
        except NotSerializable as error:
            self._master.log.warning("the instance in the application stays as it was: %s", error)
            return b""
        return state if len(state) <= MAX_PAYLOAD_BYTES else b""

    def _tell_progress(self) -> None:
        if self._note is not None:
            note, self._note = self._note, None
            self._noted = self._clock()
            self.host.tell(Progress((note,)))
