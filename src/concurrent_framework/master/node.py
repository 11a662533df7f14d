"""The master's shell: sockets, processes, clock and log around the reactor."""

from __future__ import annotations

import os
import time
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import zmq

from concurrent_framework.components import Component, IApp, implements
from concurrent_framework.config import Option
from concurrent_framework.master.commands import Drop, Log, Send, StartHost, StopHost
from concurrent_framework.master.events import Begun, Stopping, Tick
from concurrent_framework.master.gauge import Gauge
from concurrent_framework.master.hosts import HostProcesses
from concurrent_framework.master.keeping import Keeping
from concurrent_framework.master.line import Line
from concurrent_framework.master.reactor import MasterReactor
from concurrent_framework.master.recorder import Recorder
from concurrent_framework.master.recovery import recover
from concurrent_framework.master.state import Settings
from concurrent_framework.master.stored import Stored
from concurrent_framework.protocol.session import ACKNOWLEDGE_SECONDS
from concurrent_framework.scheduling.base import ITaskScheduler
from concurrent_framework.stats import NOTHING
from concurrent_framework.stats.store import MeasuredStore
from concurrent_framework.store.base import IStore
from concurrent_framework.store.places import StorePlaces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from logging import Logger

    from concurrent_framework.master.commands import Command
    from concurrent_framework.master.events import Event
    from concurrent_framework.master.state import MasterState
    from concurrent_framework.protocol.forking import Forker
    from concurrent_framework.protocol.session import Hello, Role
    from concurrent_framework.stats import Registry
    from concurrent_framework.transport.base import ServerTransport
    from concurrent_framework.transport.signals import StopSignal

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
LINGER = 0.5
"""Seconds that the goodbyes have to leave at the end."""


class MasterPlaces(NamedTuple):
    """What a master is given by whoever starts it.

    Args:
        session: its id, new at every start.
        name: what people call it.
        version: the distribution's.
        transport: the bound endpoints.
        endpoint: the private endpoint, for system hosts.
        forker: the template process that forks hosts.
        directory: a private directory, where hosts unpack code.
        grant: says which roles a peer may take, or why none.
        stop: tells when the process is asked to end.
        log: where to write.
        journal: a private directory of its own for its journal, the same at each start; None for a
            master that forgets everything when it ends.
        stats: where to measure.

    """

    session: str
    name: str
    version: str
    transport: ServerTransport
    endpoint: str
    forker: Forker
    directory: Path
    grant: Callable[[Hello, bool], tuple[frozenset[Role], str]]
    stop: StopSignal
    log: Logger
    journal: Path | None = None
    stats: Registry = NOTHING


class MasterNode(Component):
    """Takes in applications and workers, and decides which task goes where."""

    implements(IApp)
    name = "master"

    scheduler = Option(
        "master",
        "scheduler",
        default="push",
        selects=ITaskScheduler,
        doc="How work reaches the workers: push (the master sends it) or pull (workers ask).",
    )
    store = Option(
        "master",
        "store",
        default="sqlite",
        selects=IStore,
        doc="Where the journal is, by which a master that was killed goes on where it stopped: sqlite, "
        "postgresql, or memory for none. The cluster that `concurrent run` makes for itself has none.",
    )
    lease = Option(
        "master",
        "lease",
        default=10.0,
        minimum=0.2,
        unit="seconds",
        doc="How long a node may be silent before it counts as lost and its work is taken back.",
    )
    window_tasks = Option(
        "master",
        "window_tasks",
        default=100_000,
        minimum=1,
        doc="Tasks that an application may have submitted and unfinished.",
    )
    window_bytes = Option(
        "master",
        "window_bytes",
        default=256 * 1024 * 1024,
        minimum=1024,
        unit="bytes",
        doc="The same in bytes of their data.",
    )
    retention = Option(
        "master",
        "retention",
        default=3600.0,
        minimum=0.0,
        unit="seconds",
        doc="How long the outcomes of an application that went away are kept, after the last of them.",
    )

    quarantine_after = Option(
        "master",
        "quarantine_after",
        default=5,
        minimum=0,
        doc="After how many failures in a row, while others succeed, a worker gets no new work;"
        " 0 for never.",
    )
    quarantine = Option(
        "master",
        "quarantine",
        default=30.0,
        minimum=0.1,
        unit="seconds",
        doc="After how long such a worker is tried again with a single task; doubled each time.",
    )

    failed_tasks = Option(
        "master",
        "failed_tasks",
        default=1000,
        minimum=0,
        doc="How many failed tasks of each application are kept, to be looked at and retried;"
        " 0 for none.",
    )
    failed_bytes = Option(
        "master",
        "failed_bytes",
        default=64 * 1024 * 1024,
        minimum=1024,
        unit="bytes",
        doc="How much failed tasks take together at most, over all applications.",
    )
    failed_retention = Option(
        "master",
        "failed_retention",
        default=86_400.0,
        minimum=0.0,
        unit="seconds",
        doc="How long failed tasks are kept, also after their application has ended.",
    )
    history = Option(
        "master",
        "history",
        default=100,
        minimum=0,
        doc="How many applications that have ended `concurrent apps --all` still knows.",
    )
    record = Option(
        "master",
        "record",
        default="",
        doc="File in which to write down what the work was like, for `concurrent bench simulate`; none if"
        " empty. Relative to the directory of the journal, or to the working directory if there is none; a"
        " master without a journal begins it anew.",
    )
    record_bytes = Option(
        "master",
        "record_bytes",
        default=256 * 1024 * 1024,
        minimum=1024,
        unit="bytes",
        doc="Size at which that ends; a task takes about 10 bytes.",
    )

    def __init__(self, places: MasterPlaces) -> None:
        self._places = places
        self._line = Line(places.transport, places.grant, places.stats)
        self._gauge = Gauge(places.stats)
        self._hosts = HostProcesses(places.forker, places.endpoint, places.directory)

    def app_init(self) -> None:
        """Make the core with the configured scheduler."""
        places = self._places
        kept = places.journal is not None and self.store != "memory"
        settings = Settings(
            places.session,
            places.name,
            self.lease,
            self.window_tasks,
            self.window_bytes,
            self.retention,
            self.quarantine_after,
            self.quarantine,
            self.failed_tasks,
            self.failed_bytes,
            self.failed_retention,
            self.history,
            version=places.version,
            epoch=time.time() - time.monotonic(),
            journal=kept or bool(self.record),
            linger=ACKNOWLEDGE_SECONDS,
        )
        self._recorder = self._open_recorder(settings.epoch, kept=kept) if self.record else None
        scheduler = self.components.get(ITaskScheduler, self.scheduler)
        store, state = self._recover(settings) if kept else (None, None)
        self._reactor = MasterReactor(
            settings, self._gauge.scheduler(scheduler), time.monotonic(), state
        )
        self._gauge.watch(self._reactor)
        record = None if self._recorder is None else self._recorder.record
        self._keeping = Keeping(
            store,
            self._reactor,
            self._perform,
            stored=self._described(store),
            record=record,
        )

    def _open_recorder(self, epoch: float, *, kept: bool) -> Recorder:
        path = (self._places.journal or Path()).absolute() / Path(self.record).expanduser()
        return Recorder(path, self.record_bytes, epoch, self._places.log, anew=not kept)

    def _recover(self, settings: Settings) -> tuple[IStore, MasterState]:
        """Open the store and read what it holds."""
        places = StorePlaces(self._places.journal, self._places.name)
        component = cast("type[Component]", self.components.find(IStore, self.store))
        store = cast("IStore", self.components.create(component, places))
        for problem in store.open():
            self._places.log.warning("%s", problem)
        entries = (entry.data for entry in store.entries())
        state = recover(settings, entries, time.monotonic())
        return MeasuredStore(store, self._places.stats), state

    def _described(self, store: IStore | None) -> Stored | None:
        """Say what is known of a store, which may be one of a plug-in, without looking into it."""
        if store is None:
            return None
        sync, place = getattr(store, "sync", ""), getattr(store, "where", "")
        return Stored(self.store, str(sync), str(place))

    def describe(self) -> dict[str, Any]:
        """Return what the node says of itself; any thread may call it."""
        places = self._places
        return {"version": places.version, "pid": os.getpid(), "session": places.session}

    def app_main(self) -> int:
        """Serve until asked to stop."""
        places = self._places
        self._turn([Begun()])
        poller = zmq.Poller()
        for pollable in (*places.transport.pollables(), self._hosts.fileno(), places.stop.fileno()):
            poller.register(pollable, zmq.POLLIN)
        while not places.stop.asked:
            ready = {end for end, _ in poller.poll(self._milliseconds())}
            self._turn(self._events(hosts=self._hosts.fileno() in ready))
        self._turn([Stopping(places.stop.reason)])
        self._keeping.close()
        if self._recorder is not None:
            self._recorder.close()
        places.transport.close(LINGER)
        return places.stop.exit_code

    def _milliseconds(self) -> int:
        due = self._keeping.deadline()
        hosts = self._hosts.deadline()
        if hosts is not None:
            due = min(due, hosts)
        return max(0, ceil((due - time.monotonic()) * 1000))

    def _events(self, *, hosts: bool) -> list[Event]:
        events = self._line.receive()
        if hosts or self._hosts.deadline() is not None:
            events += self._hosts.collect()
        for problem in self._places.transport.problems():
            self._places.log.warning(problem.text)
        return events or [Tick()]

    def _turn(self, events: Sequence[Event]) -> None:
        start = time.monotonic()
        self._keeping.turn(events, start)
        self._gauge.turned(len(events), time.monotonic() - start)

    def _perform(self, command: Command) -> None:
        match command:
            case Send():
                self._line.send(command.peer, command.messages)
            case Drop():
                self._line.drop(command.peer)
            case StartHost():
                self._hosts.start(command.host)
            case StopHost():
                self._hosts.stop(command.host)
            case Log():
                self._places.log.log(
                    LEVELS[command.level],
                    command.text,
                    extra={"kind": command.kind, "ids": command.ids},
                )
