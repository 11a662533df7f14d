"""The task manager that runs tasks in executor processes on this machine: the pool's shell."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from typing import TYPE_CHECKING, Any

from concurrent_framework.components import Component, implements
from concurrent_framework.config import Option
from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers import pool_events as on
from concurrent_framework.managers.base import ITaskManager, ManagerContext, Report
from concurrent_framework.managers.executor_link import ExecutorLink
from concurrent_framework.managers.pool import Pool
from concurrent_framework.model.errors import UsageError
from concurrent_framework.model.ids import (
    application_of,
    application_of_spec,
    sequence_of,
)
from concurrent_framework.model.resources import Capacity
from concurrent_framework.protocol.codec import MalformedError
from concurrent_framework.protocol.executor import CancelRunning, Done, Load
from concurrent_framework.protocol.forking import Exited, NotStarted, Started
from concurrent_framework.protocol.tasks import OutputLine
from concurrent_framework.sandbox.limits import resident_memory
from concurrent_framework.sandbox.machine import usable_memory, usable_processors, visible_gpus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from concurrent_framework.managers.pool_commands import Command
    from concurrent_framework.managers.pool_events import Event
    from concurrent_framework.protocol.forking import Forker
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry, TaskCheckpoint

_TEMPLATE = object()


class ProcessManager(Component):
    """Runs each task in a child process that runs one task at a time.

    The processes come from the template process that the context's `forker` stands for. Tasks of
    different applications never share a process.
    """

    implements(ITaskManager)
    name = "processes"

    executors = Option(
        "worker",
        "executors",
        default=None,
        kind=int,
        minimum=1,
        maximum=4096,
        doc="Tasks to run at a time. Default: one per processor that this process may use.",
    )
    cpus = Option(
        "worker",
        "cpus",
        default=None,
        kind=float,
        minimum=0.01,
        doc="Processor cores to offer. Default: as many as there are executors.",
    )
    memory = Option(
        "worker",
        "memory",
        default=None,
        kind=int,
        minimum=1,
        unit="bytes",
        doc="Memory to offer. Default: all that the machine has.",
    )
    gpus = Option(
        "worker",
        "gpus",
        default=0.0,
        minimum=0,
        doc="Accelerators to offer. Tasks that ask for some see theirs in CUDA_VISIBLE_DEVICES.",
    )
    labels = Option(
        "worker",
        "labels",
        default=(),
        doc="Names that tasks may ask for, such as the software that is installed here.",
    )
    cancel_grace = Option(
        "worker",
        "cancel_grace",
        default=0.5,
        minimum=0.0,
        unit="seconds",
        doc="How long a running task that was cancelled may take to end by itself.",
    )

    def start(self, context: ManagerContext) -> Capacity:
        """Begin the first executors; needs `context.forker`."""
        if context.forker is None:
            message = "the manager 'processes' needs a template process to start executors"
            raise ValueError(message)
        self._forker: Forker = context.forker
        self._worker = context.worker
        self._directory: Path = context.directory
        self._capacity = self._offer()
        self._pool = Pool(self._capacity, context.worker, self.cancel_grace)
        self._links: dict[int, ExecutorLink] = {}
        self._by_pid: dict[int, ExecutorLink] = {}
        self._requests: dict[int, ExecutorLink] = {}
        self._specs: dict[int, dict[int, SpecEntry]] = {}
        self._paths: dict[str, str] = {}
        self._report = Report([], [], [])
        self._checkpoints: list[TaskCheckpoint] = []
        self._given_back: list[tuple[int, int]] = []
        self._now = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._forker.fileno(), selectors.EVENT_READ, _TEMPLATE)
        self._handle([on.Tick()], time.monotonic())
        return self._capacity

    def load(self, specs: Sequence[SpecEntry], paths: dict[str, Path]) -> None:
        """Learn specs and where code lies."""
        self._paths.update((digest, os.fspath(path)) for digest, path in paths.items())
        for entry in specs:
            self._specs.setdefault(application_of_spec(entry.number), {})[entry.number] = entry
        self._handle([on.Learned(specs)], self._now)

    def submit(self, tasks: Sequence[Assigned], now: float) -> None:
        """Run these."""
        self._handle([on.Submitted(tasks)], now)

    def recall(self, limit: int, now: float) -> list[tuple[int, int]]:
        """Give back up to `limit` tasks that have surely not started."""
        self._handle([on.RecallWanted(limit)], now)
        back, self._given_back = self._given_back, []
        return back

    def cancel(self, tasks: Sequence[tuple[int, int]], now: float) -> None:
        """Stop these."""
        self._handle([on.CancelWanted(tasks)], now)

    def forget(self, application: int) -> None:
        """Stop and drop everything of an application."""
        self._specs.pop(application, None)
        self._handle([on.Forgotten(application)], self._now)

    def pollables(self) -> Sequence[Any]:
        """Return the one descriptor that stands for all of them."""
        return [self._selector.fileno()]

    def deadline(self, now: float) -> float | None:
        """Return when `collect` must be called at the latest."""
        report = self._report
        if report.outcomes or report.output or report.notes or self._checkpoints:
            return now
        return self._pool.deadline()

    def collect(self, now: float) -> Report:
        """Do what is due and return what happened."""
        events: list[Event] = []
        for key, ready in self._selector.select(0):
            if key.data is _TEMPLATE:
                self._hear_template(events)
                continue
            link: ExecutorLink = key.data
            if ready & selectors.EVENT_READ:
                self._hear(link, events)
            if ready & selectors.EVENT_WRITE and link.open:
                self._watch(link, writing=link.flush())
        due = self._pool.deadline()
        if due is not None and due <= now:
            events.append(on.Tick())
        if events:
            self._handle(events, now)
        report, self._report = self._report, Report([], [], [])
        if self._checkpoints:
            report = report._replace(checkpoints=self._checkpoints)
            self._checkpoints = []
        return report

    def stop(self) -> None:
        """End everything at once."""
        for link in list(self._links.values()):
            if link.pid:
                self._forker.kill(link.pid)
            self._drop(link)
        self._selector.close()

    def _offer(self) -> Capacity:
        names = visible_gpus()
        if names and self.gpus > len(names):
            message = (
                f"worker.gpus is {self.gpus:g}, but CUDA_VISIBLE_DEVICES leaves this worker only "
                f"{len(names)}"
            )
            raise UsageError(message)
        executors = self.executors or usable_processors()
        return Capacity(
            executors=executors,
            cpus=self.cpus or float(executors),
            memory=self.memory or usable_memory(),
            gpus=self.gpus,
            labels=tuple(self.labels),
        )

    # What comes in

    def _hear(self, link: ExecutorLink, events: list[Event]) -> None:
        try:
            messages = link.receive()
        except MalformedError:
            messages = []
            link.unwanted = True
            self._forker.kill(link.pid)
        for message in messages:
            if isinstance(message, Done):
                self._report.output.extend(message.output)
                self._report.notes.extend(message.notes)
                self._checkpoints.extend(message.checkpoints)
                link.told(message)
                events.append(
                    on.Told(link.number, message.outcomes, message.chunks, message.checkpoints)
                )
            else:
                events.append(on.Came(link.number))
        if not link.open:
            self._unwatch(link)

    def _hear_template(self, events: list[Event]) -> None:
        for told in self._forker.collect():
            if isinstance(told, Exited):
                self._bury(told, events)
                continue
            link = self._requests.pop(told.request, None)
            if link is None:
                continue
            if isinstance(told, NotStarted):
                self._drop(link)
                events.append(on.NotBegun(link.number, told.reason))
            else:
                self._greet(link, told)

    def _greet(self, link: ExecutorLink, told: Started) -> None:
        link.started()
        link.pid = told.pid
        self._by_pid[told.pid] = link
        if link.unwanted:
            self._forker.kill(told.pid)

    def _bury(self, told: Exited, events: list[Event]) -> None:
        link = self._by_pid.pop(told.pid, None)
        if link is None:
            return
        self._hear(link, events)
        unstarted = link.withdraw()
        tail = link.last_words()
        key = self._pool.running(link.number, unstarted)
        if key:
            source = f"task {sequence_of(key)}"
            self._report.output.extend(
                OutputLine(key, source, self._worker, stream, text)
                for stream, text in link.rest_of_output()
            )
        self._drop(link)
        events.append(
            on.Died(link.number, unstarted, told.exit_code, told.signal, tail, told.peak_memory)
        )

    # What goes out

    def _handle(self, events: list[Event], now: float) -> None:
        self._now = now
        while events:
            commands = self._pool.handle(events, now)
            events = []
            for command in commands:
                self._obey(command, events)

    def _obey(self, command: Command, events: list[Event]) -> None:
        match command:
            case do.Report():
                self._report.outcomes.extend(command.outcomes)
            case do.GiveBack():
                self._given_back.extend(command.tasks)
            case do.Begin():
                self._begin(command.executor)
            case _:
                link = self._links.get(command.executor)
                if link is not None:
                    self._act(link, command, events)

    def _act(self, link: ExecutorLink, command: Command, events: list[Event]) -> None:
        match command:
            case do.Send():
                self._send(link, command.tasks)
            case do.Bind():
                self._bind(link, command)
            case do.Withdraw():
                events.append(on.Withdrawn(link.number, link.withdraw()))
            case do.Look():
                events.append(on.Counted(link.number, link.unstarted(), link.has_news()))
            case do.Weigh():
                events.append(on.Weighed(link.number, resident_memory(link.pid)))
            case do.AskToStop():
                link.send(CancelRunning(command.key, command.attempt))
            case do.Nudge():
                link.nudge()
            case do.Kill():
                link.unwanted = True
                self._forker.kill(link.pid)

    def _begin(self, number: int) -> None:
        link = ExecutorLink(number, self._directory)
        self._links[number] = link
        arguments = {"worker": self._worker, "directory": os.fspath(self._directory / "scratch")}
        self._requests[self._forker.fork("executor", arguments, link.theirs)] = link
        self._watch(link, writing=False)

    def _bind(self, link: ExecutorLink, command: do.Bind) -> None:
        if command.gpus:
            names = visible_gpus() or [str(number) for number in range(max(command.gpus) + 1)]
            chosen = ",".join(names[number] for number in command.gpus)
            link.send(Load((), {}, {"CUDA_VISIBLE_DEVICES": chosen}))

    def _send(self, link: ExecutorLink, tasks: list[Assigned]) -> None:
        known = self._specs.get(application_of(tasks[0].key), {})
        if len(link.specs) < len(known):
            new = tuple(entry for number, entry in known.items() if number not in link.specs)
            link.specs.update(known)
            needed = ((*entry.spec.code.digests(), *entry.spec.data()) for entry in new)
            digests = {digest for each in needed for digest in each}
            paths = {digest: self._paths[digest] for digest in digests if digest in self._paths}
            link.send(Load(new, paths))
        link.send_tasks(tasks)
        if link.waiting:
            self._watch(link, writing=True)

    def _watch(self, link: ExecutorLink, *, writing: bool) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        try:
            self._selector.modify(link.socket, wanted, link)
        except KeyError:
            self._selector.register(link.socket, wanted, link)

    def _unwatch(self, link: ExecutorLink) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(link.socket)

    def _drop(self, link: ExecutorLink) -> None:
        self._unwatch(link)
        link.close()
        self._links.pop(link.number, None)
