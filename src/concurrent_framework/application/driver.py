"""Calls the callbacks of a user's application for what its engine reports."""

from __future__ import annotations

import os
import socket
import time
from functools import partial
from logging import ERROR, INFO
from typing import TYPE_CHECKING, Any

from concurrent_framework import __version__
from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.arrays import TaskArray
from concurrent_framework.application.classes import ForeignClasses
from concurrent_framework.application.console import PlainDisplay, show_output
from concurrent_framework.application.engine import Engine, exit_code_of
from concurrent_framework.application.node import ApplicationNode
from concurrent_framework.application.outcomes import (
    ACKNOWLEDGE_AFTER,
    error_of,
    result_of,
    unpack,
    update,
    value_of,
)
from concurrent_framework.application.pushing import Pushing
from concurrent_framework.application.reporting import (
    item_lines,
    name_of,
    shortened,
    traceback_of,
)
from concurrent_framework.application.session import ApplicationSession
from concurrent_framework.application.stats import ApplicationStats
from concurrent_framework.application.system import check_system
from concurrent_framework.code.bundle import CodeShipper
from concurrent_framework.model.ids import SEQUENCE_MASK, application_of, sequence_of
from concurrent_framework.protocol.session import HANDLED_SECONDS, Hello
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.tasks.payload import dump_state
from concurrent_framework.tasks.pickling import IPickler, PlainPickler, dump_state_by
from concurrent_framework.tasks.specs import SpecBook
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from concurrent_framework.application.connection import Connection
    from concurrent_framework.application.receipt import PushReceipt
    from concurrent_framework.model.errors import TaskError


class ApplicationDriver:
    """The actor behind an `ApplicationNode`.

    Args:
        node: the user's application.
        link: where its master is.

    """

    def __init__(self, node: ApplicationNode, link: Connection) -> None:
        hello = Hello(
            "submit",
            node.node_id_str,
            token=link.token,
            name=node.full_name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            weight=node.application_weight,
        )
        self.node = node
        self.session = ApplicationSession(
            hello, connect_timeout=node.connect_timeout, linger=HANDLED_SECONDS
        )
        self.engine = Engine(self.session, link.open(), link.foundation)
        self.engine.detaching = node.detach
        self.pushing = Pushing(
            self.session,
            SpecBook(CodeShipper()),
            node.node_id_str,
            self.engine.flush_soon,
            lambda: self._stats.executors,
            receipts=self._overrides("push_task_response"),
            dump=_dump_of(node),
        )
        self._display = node.display or PlainDisplay()
        node.display = self._display
        self._foreign = ForeignClasses(own_first=True)
        self._workers: dict[int, str] = {}
        self._stats = ApplicationStats()
        self._number = 0
        self._told = 0
        """Outcomes that a callback was called for and that are not acknowledged yet."""
        self._failures = 0
        self.ready = False
        self._counts_itself = False
        self._calls: dict[type, Any] = {
            do.Begin: self._begin,
            do.TasksEnded: self._tasks_ended,
            do.Drawn: self._drawn,
            do.SystemOver: self._system_over,
            do.PushAccepted: self._push_accepted,
            do.PushRejected: self._push_rejected,
            do.WorkerGone: self._worker_gone,
            do.MasterLost: self._master_lost,
            do.Regained: self._regained,
            do.ShowProgress: self._progress,
        }

    def run(self) -> int:
        """Run the application; see `ApplicationNode.app_main`."""
        try:
            return self.engine.run(self)
        finally:
            self._display.close()
            self._foreign.close()

    # What the node's methods do.

    @property
    def stats(self) -> ApplicationStats:
        """The counters, brought up to date."""
        self._stats.pushed = self.pushing.count
        self._stats.outstanding = self.pushing.outstanding(self._told)
        return self._stats

    def push_lazily(self, tasks: Iterable[Task]) -> None:
        """Push what an iterable yields."""
        self.pushing.push_lazily(tasks)
        self.engine.feed_soon()

    def push_system(self, system: Any) -> None:
        """Push a task system."""
        check_system(system)
        self.pushing.push_system(system)

    def push_map(
        self, function: Any, items: Iterable[Any], options: dict[str, Any], *, collect: bool
    ) -> TaskArray:
        """Call a function with each of some items."""
        array = self.pushing.push_map(function, items, options, collect=collect)
        self.engine.feed_soon()
        return array

    def cancel(self, what: Any) -> None:
        """Cancel a task, an array, a system, several, or everything."""
        if what is None:
            self.pushing.stop_feeding()
            self.engine.handle(on.CancelAsked(tuple(self.pushing.items), everything=True))
            self.engine.post(do.Drawn())
        elif isinstance(what, TaskArray):
            if asked := self.pushing.cancel_array(what):
                self.engine.handle(asked)
                self.engine.post(do.Drawn())
        elif sequences := self.pushing.sequences_of(what):
            self.engine.handle(on.CancelAsked(sequences))

    def show_progress(self, done: float, total: float, message: str) -> None:
        """Show how far the application has come, as it says itself."""
        self._counts_itself = True
        self._display.progress(done, total, message)

    # What the default callbacks do.

    def report_task(self, task: Any, result: Any, error: TaskError | None) -> None:
        """Log what came of a task."""
        if error is None:
            self.node.log.info("%s: %s", name_of(task), shortened(result))
        else:
            self._failures += 1
            self.node.log.error("task %s: %s", name_of(task), error.report())

    def report_items(self, array: TaskArray, first: int, results: list[Any]) -> None:
        """Log what came of items of an array."""
        for error, text in item_lines(array.name, first, results):
            self._failures += error
            self.node.log.log(ERROR if error else INFO, text)

    def report_work(self, result: Any, system: Any) -> None:
        """Log the result of a task system."""
        self.node.log.info("%s: %s", name_of(system), shortened(result))

    def report_failed_work(self, error: TaskError, system: Any) -> None:
        """Log the failure of a task system and end."""
        self.node.log.error("task system %s: %s", name_of(system), error.report())
        self.engine.stop(1)

    def report_rejection(self, receipt: PushReceipt) -> None:
        """Log that the master did not take something."""
        self._failures += 1
        what = repr(receipt.item) if receipt.item is not None else f"{receipt.count} tasks"
        self.node.log.error("the master did not take %s: %s", what, receipt.error)

    # The actor.

    def at_once(self, command: do.Command) -> bool:
        """Show what is to be shown and note what is to be noted."""
        if isinstance(command, do.ShowOutput):
            for line in command.lines:
                show_output(self._display, line)
        elif isinstance(command, do.SwarmChanged):
            self._stats.workers = command.now.workers
            self._stats.executors = command.now.executors
            self._workers.update(command.now.names)
        elif isinstance(command, do.TakeJob):
            self._foreign.learn(command.job.specs, command.job.codes)
            self.pushing.learn(command.job.specs)
            self.pushing.book.number_above(self._foreign.numbers)
        else:
            if isinstance(command, do.Begin):
                self._number = command.welcome.number
            return type(command) not in self._calls
        return True

    def call(self, command: do.Command) -> Awaitable[object] | None:
        """Call the application's callbacks for a command."""
        awaitable: Awaitable[object] | None = self._calls[type(command)](command)
        return awaitable

    @property
    def hungry(self) -> bool:
        """Whether something is left to be drawn."""
        return self.pushing.hungry

    @property
    def eager(self) -> bool:
        """Whether something ought to be drawn now."""
        return self.pushing.eager

    def feed(self, room: int) -> None:
        """Draw from what was given to `push_tasks` and `push_map`."""
        if self.pushing.feed(room):
            self.engine.post(do.PushAccepted(self.session.outbox.accepted))
            if self.pushing.arrays.drawings:
                self.engine.post(do.Drawn())

    async def idle(self) -> None:
        """End the application, since nothing more can happen."""
        if not self.node.ends_when_idle:
            return
        if self.session.outbox.next_sequence == 1:
            self.node.log.warning(
                "there was nothing to do: start_processing pushed no task, and get_task_system "
                "returned no task system"
            )
        self.engine.stop(1 if self._failures else 0)

    def crashed(self, error: BaseException) -> None:
        """Show the user's traceback and end."""
        if isinstance(error, SystemExit):
            self.engine.stop(exit_code_of(error))
            return
        for line in traceback_of(error).rstrip().splitlines():
            self._display.line(line, error=True)
        self.engine.stop(1)

    # The callbacks.

    async def _begin(self, command: do.Begin) -> None:
        if not command.welcome.accepted:
            system = await value_of(self.node.get_task_system())
            if system is not None:
                self.push_system(system)
            if not self.engine.stopped:
                await value_of(self.node.start_processing())
        self.ready = True

    async def _tasks_ended(self, command: do.TasksEnded) -> None:
        callback, items, stats = self.node.task_finished, self.pushing.items, self._stats
        engine, names, arrays = self.engine, self._workers, self.pushing.arrays.drawings
        handled = command.first - 1
        since = time.monotonic()
        try:
            for index, outcome in enumerate(command.outcomes):
                task = items.pop(outcome.key & SEQUENCE_MASK, None)
                if task is None:
                    task = self._rebuilt(outcome.key, command.origins.get(index))
                if arrays and type(task) in arrays:
                    self._told += 1
                    await self._slice_ended(task, outcome)
                    handled += 1
                    if engine.stopped:
                        break
                    continue
                result, error = unpack(task, outcome, names.get(outcome.worker, ""))
                stats.task_seconds += outcome.seconds
                if error is None:
                    stats.finished += 1
                else:
                    stats.failed += 1
                self._told += 1
                returned = callback(task, result, error)
                if returned is not None:
                    await value_of(returned)
                handled += 1
                if engine.stopped:
                    break
                if time.monotonic() - since >= ACKNOWLEDGE_AFTER:
                    since = time.monotonic()
                    self._acknowledge(handled)
                    self._show_count()
        finally:
            self._acknowledge(handled)
        self._show_count()

    def _acknowledge(self, through: int) -> None:
        self._told = 0
        self.pushing.release()
        self.engine.handle(on.Handled(through))

    def _rebuilt(self, key: int, origin: Any) -> Task:
        task = Task() if origin is None else self._foreign.rebuild(origin, self.pushing.classes)
        object.__setattr__(task, "task_id", sequence_of(key))
        self.pushing.arrays.adopt(task)
        return task

    async def _slice_ended(self, task: Any, outcome: Outcome) -> None:
        """Call back for the items of a slice, and for the end of its array."""
        end = self.pushing.slice_ended(task, outcome)
        self._stats.task_seconds += outcome.seconds
        if outcome.failure is None:
            self._stats.finished += 1
        else:
            self._stats.failed += 1
        if end.results:
            await value_of(self.node.map_finished(end.array, end.first, end.results))
        await self._drawn()

    async def _drawn(self, _command: do.Drawn | None = None) -> None:
        """Call back for the arrays that have finished."""
        for array in self.pushing.arrays.close_finished():
            if not self.engine.stopped:
                await value_of(self.node.array_finished(array))

    def _show_count(self) -> None:
        if not self._counts_itself:
            done = self._stats.finished + self._stats.failed
            total = 0 if self.hungry else done + self.pushing.outstanding(self._told)
            self._display.progress(done, total, "")

    async def _system_over(self, command: do.SystemOver) -> None:
        ended = command.ended
        system = self.pushing.items.pop(ended.sequence, None)
        if system is None and ended.origin is not None:
            system = self._foreign.rebuild_system(ended.origin)
        if ended.state and system is not None:
            update(system, ended.state)
        if ended.failure is None:
            result, error = result_of(ended.result)
        else:
            result, error = None, error_of(ended.failure)
        self._told = 1
        if error is None:
            await value_of(self.node.work_finished(result, system))
        else:
            await value_of(self.node.work_failed(error, system))
        self._acknowledge(ended.number)

    async def _push_accepted(self, command: do.PushAccepted) -> None:
        for receipt in self.pushing.accepted(command.through):
            if not self.engine.stopped:
                await value_of(self._receipt_callback(receipt, "response")(receipt))

    async def _push_rejected(self, command: do.PushRejected) -> None:
        receipt = self.pushing.rejected(command)
        if receipt is not None:
            await value_of(self._receipt_callback(receipt, "failed")(receipt))
        for task in self.pushing.rejected_slices(command):
            await self._slice_ended(task, Outcome(0, 0, failure=command.failure))

    def _receipt_callback(self, receipt: PushReceipt, kind: str) -> Any:
        if receipt.item is None:
            return getattr(self.node, f"push_tasks_{kind}")
        what = "task" if isinstance(receipt.item, Task) else "tasksystem"
        return getattr(self.node, f"push_{what}_{kind}")

    async def _worker_gone(self, command: do.WorkerGone) -> None:
        lost = command.lost
        await value_of(self.node.node_lost(lost.worker, lost.tasks, lost.reason))

    async def _master_lost(self, command: do.MasterLost) -> None:
        await value_of(self.node.master_disconnected(command.reason))

    async def _regained(self, _command: do.Regained) -> None:
        await value_of(self.node.master_reconnected())

    async def _progress(self, command: do.ShowProgress) -> None:
        for note in command.notes:
            sequence = sequence_of(note.key)
            if not sequence:
                callback: Any = self.node.system_progress
                returned = callback(note.done, note.total, note.message)
            elif application_of(note.key) == self._number and sequence in self.pushing.items:
                task = self.pushing.items[sequence]
                returned = self.node.task_progress(task, note.done, note.total, note.message)
            else:
                continue
            await value_of(returned)

    def _overrides(self, method: str) -> bool:
        return getattr(type(self.node), method) is not getattr(ApplicationNode, method)


def _dump_of(node: ApplicationNode) -> Callable[[Any], bytes]:
    """Return what pickles the tasks of an application; plain pickle takes no detour."""
    if node.pickler == PlainPickler.name:
        return dump_state
    return partial(dump_state_by, node.components.get(IPickler, node.pickler))
