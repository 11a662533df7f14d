"""The worker's shell: socket, task manager, code, clock and log around the reactor."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import zmq

from concurrent_framework.code.data_cache import DataCache
from concurrent_framework.code.loader import CodeError
from concurrent_framework.components import Component, IApp, implements
from concurrent_framework.config import Option
from concurrent_framework.managers.base import ITaskManager, ManagerContext
from concurrent_framework.model.errors import MasterNotFoundError, RefusedError
from concurrent_framework.model.ids import SPEC_BITS
from concurrent_framework.model.spec import DATA
from concurrent_framework.stats import NOTHING
from concurrent_framework.worker import commands as do
from concurrent_framework.worker import events as on
from concurrent_framework.worker.gauge import Gauge
from concurrent_framework.worker.line import Line
from concurrent_framework.worker.reactor import CACHE_BYTES, WorkerReactor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger
    from pathlib import Path

    from concurrent_framework.code.cache import CodeCache
    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.protocol.forking import Forker
    from concurrent_framework.stats import Registry
    from concurrent_framework.transport.base import ClientTransport
    from concurrent_framework.transport.signals import StopSignal
    from concurrent_framework.worker.reactor import Identity

OUTCOME_SECONDS = 0.050
"""How long outcomes may wait at most for more of them while there is enough to do."""
LINGER = 0.5
"""Seconds that the goodbye has to leave at the end."""


class WorkerPlaces(NamedTuple):
    """What a worker is given by whoever starts it.

    Args:
        identity: who it is.
        transport: the connection to the master.
        endpoint: where the master is, for people.
        forker: the template process, for managers that fork.
        directory: a private directory.
        cache: where code is kept.
        stop: tells when the process is asked to end.
        log: where to write.
        stats: where to measure.

    """

    identity: Identity
    transport: ClientTransport
    endpoint: str
    forker: Forker
    directory: Path
    cache: CodeCache
    stop: StopSignal
    log: Logger
    stats: Registry = NOTHING


class WorkerNode(Component):
    """Executes tasks with its task manager and reports what came of them."""

    implements(IApp)
    name = "worker"

    manager = Option(
        "worker",
        "manager",
        default="processes",
        selects=ITaskManager,
        doc="What executes the tasks: processes of this machine, or another engine.",
    )
    connect_timeout = Option(
        "worker",
        "connect_timeout",
        default=5.0,
        minimum=0.1,
        unit="seconds",
        doc="How long to wait for the master's first answer.",
    )

    preload = Option(
        "worker",
        "preload",
        default=("numpy",),
        doc="Modules to import once for all executors, as far as they are installed: these have them from their "
        "beginning, in memory that they share. None that start threads. The worker that an application makes "
        "for itself imports none, in order to start quickly.",
    )

    cache_bytes = Option(
        "worker",
        "cache_bytes",
        default=CACHE_BYTES,
        minimum=0,
        unit="bytes",
        doc="Shared objects to keep for later tasks; what running tasks need comes on top.",
    )

    def __init__(self, places: WorkerPlaces) -> None:
        self._places = places
        self._line = Line(places.transport, places.stats)
        self._gauge = Gauge(places.stats)
        self._trouble = ""
        self._registered: list[Any] = []
        self._digests: dict[int, set[str]] = {}

    def app_init(self) -> None:
        """Start the configured task manager."""
        places = self._places
        self._engine = self.components.get(ITaskManager, self.manager)
        context = ManagerContext(places.identity.name, places.directory, places.forker)
        capacity = self._engine.start(context)
        self._data = DataCache(places.directory / "data")
        self._reactor = WorkerReactor(
            places.identity,
            capacity,
            time.monotonic(),
            self.cache_bytes,
            OUTCOME_SECONDS,
        )
        self._gauge.watch(self._reactor)

    def describe(self) -> dict[str, Any]:
        """Return what the node says of itself; any thread may call it."""
        places, reactor = self._places, self._reactor
        return {
            "version": places.identity.version,
            "pid": places.identity.pid,
            "master": places.endpoint,
            "connected": reactor.connected,
            "executors": reactor.capacity.executors,
        }

    def app_main(self) -> int:
        """Work until asked to stop.

        Raises:
            MasterNotFoundError: no master answered in time.
            RefusedError: the master does not want this worker.

        """
        poller = zmq.Poller()
        for pollable in (*self._places.transport.pollables(), self._places.stop.fileno()):
            poller.register(pollable, zmq.POLLIN)
        give_up = time.monotonic() + self.connect_timeout
        try:
            self._turn([on.Tick()])
            while not self._places.stop.asked:
                self._watch(poller)
                poller.poll(self._milliseconds(give_up))
                self._turn(self._events())
                if self._reactor.welcome is None and time.monotonic() > give_up:
                    self._nobody()
            self._turn([on.Stopping(self._places.stop.reason)])
        finally:
            self._engine.stop()
            self._places.transport.close(LINGER)
        return self._places.stop.exit_code

    def _watch(self, poller: zmq.Poller) -> None:
        """Follow the manager's pollables as they come and go."""
        wanted = list(self._engine.pollables())
        if wanted == self._registered:
            return
        for gone in self._registered:
            poller.unregister(gone)
        for pollable in wanted:
            poller.register(pollable, zmq.POLLIN)
        self._registered = wanted

    def _milliseconds(self, give_up: float) -> int:
        now = time.monotonic()
        due = self._reactor.deadline()
        if self._reactor.welcome is None:
            due = min(due, give_up)
        manager = self._engine.deadline(now)
        if manager is not None:
            due = min(due, manager)
        return max(0, ceil((due - now) * 1000))

    def _events(self) -> list[on.Event]:
        events = self._line.receive()
        for problem in self._places.transport.problems():
            self._trouble = problem.text
            if problem.kind == "key":
                raise RefusedError(problem.text)
            self._places.log.info(problem.text)
            if problem.kind == "lost":
                events.append(on.Missed(problem.text))
        report = self._engine.collect(time.monotonic())
        self._gauge.reported(report.outcomes)
        if any(report):
            events.append(on.Reported(*report))
        return events or [on.Tick()]

    def _nobody(self) -> None:
        trouble = self._trouble or f"no Concurrent master answered at {self._places.endpoint}"
        raise MasterNotFoundError.after(self.connect_timeout, trouble)

    def _turn(self, events: Sequence[on.Event]) -> None:
        start = time.monotonic()
        self._take(events)
        self._gauge.turned(time.monotonic() - start)

    def _take(self, events: Sequence[on.Event]) -> None:
        while events:
            now = time.monotonic()
            following: list[on.Event] = []
            for command in self._reactor.handle(events, now):
                self._perform(command, now, following)
            events = following

    def _perform(self, command: do.Command, now: float, following: list[on.Event]) -> None:
        match command:
            case do.Send():
                self._line.send(command.messages)
            case do.Execute():
                self._engine.submit(command.tasks, now)
            case do.Learn():
                self._learn(command)
            case do.Discard():
                self._data.remove(command.digests)
            case do.TakeBack():
                following.append(on.GivenBack(self._engine.recall(command.limit, now)))
            case do.Cancel():
                self._engine.cancel(command.tasks, now)
            case do.DropApplication():
                self._engine.forget(command.application)
                self._digests.pop(command.application, None)
                self._places.cache.trim(set().union(*self._digests.values()))
            case do.Log():
                getattr(self._places.log, command.level)(command.text)
            case do.Refuse():
                raise RefusedError(command.reason)

    def _learn(self, command: do.Learn) -> None:
        cache = self._places.cache
        for blob in command.codes:
            if blob.kind == DATA:
                self._keep(blob)
            else:
                cache.add(blob)
        digests: set[str] = set()
        paths: dict[str, Path] = {}
        for entry in command.specs:
            needed = entry.spec.code.digests()
            self._digests.setdefault(entry.number >> SPEC_BITS, set()).update(needed)
            digests.update(needed)
            paths.update((digest, self._data.path(digest)) for digest in entry.spec.data())
        paths.update((digest, cache.path(digest)) for digest in digests)
        self._engine.load(command.specs, paths)

    def _keep(self, blob: CodeBlob) -> None:
        """Store a shared object. Without it the tasks that need it will say that it is missing."""
        try:
            self._data.add(blob)
        except (OSError, CodeError) as error:
            self._places.log.warning("a shared object cannot be kept here: %s", error)
