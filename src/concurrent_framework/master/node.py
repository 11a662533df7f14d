"""The master's shell: sockets, processes, clock and log around the reactor."""

from __future__ import annotations

import os
import time
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import zmq

from concurrent_framework.components import Component, IApp, implements
from concurrent_framework.config import Option
from concurrent_framework.master.commands import Drop, Log, Send, StartHost, StopHost
from concurrent_framework.master.events import Stopping, Tick
from concurrent_framework.master.gauge import Gauge
from concurrent_framework.master.hosts import HostProcesses
from concurrent_framework.master.line import Line
from concurrent_framework.master.reactor import MasterReactor
from concurrent_framework.master.state import Settings
from concurrent_framework.scheduling.base import ITaskScheduler
from concurrent_framework.stats import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from logging import Logger
    from pathlib import Path

    from concurrent_framework.master.commands import Command
    from concurrent_framework.master.events import Event
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
        doc="How long the outcomes of an application that went away are kept for it.",
    )

    def __init__(self, places: MasterPlaces) -> None:
        self._places = places
        self._line = Line(places.transport, places.grant, places.stats)
        self._gauge = Gauge(places.stats)
        self._hosts = HostProcesses(places.forker, places.endpoint, places.directory)

    def app_init(self) -> None:
        """Make the core with the configured scheduler."""
        places = self._places
        settings = Settings(
            places.session,
            places.name,
            self.lease,
            self.window_tasks,
            self.window_bytes,
            self.retention,
            places.version,
            epoch=time.time() - time.monotonic(),
        )
        scheduler = self.components.get(ITaskScheduler, self.scheduler)
        self._reactor = MasterReactor(settings, self._gauge.scheduler(scheduler), time.monotonic())
        self._gauge.watch(self._reactor)

    def describe(self) -> dict[str, Any]:
        """Return what the node says of itself; any thread may call it."""
        places = self._places
        return {"version": places.version, "pid": os.getpid(), "session": places.session}

    def app_main(self) -> int:
        """Serve until asked to stop."""
        places, reactor = self._places, self._reactor
        poller = zmq.Poller()
        for pollable in (*places.transport.pollables(), self._hosts.fileno(), places.stop.fileno()):
            poller.register(pollable, zmq.POLLIN)
        while not places.stop.asked:
            poller.poll(self._milliseconds())
            self._turn(self._events())
        self._perform(reactor.handle([Stopping(places.stop.reason)], time.monotonic()))
        places.transport.close(LINGER)
        return places.stop.exit_code

    def _milliseconds(self) -> int:
        due = self._reactor.deadline()
        hosts = self._hosts.deadline()
        if hosts is not None:
            due = min(due, hosts)
        return max(0, ceil((due - time.monotonic()) * 1000))

    def _events(self) -> list[Event]:
        events = self._line.receive()
        events += self._hosts.collect()
        for problem in self._places.transport.problems():
            self._places.log.warning(problem.text)
        return events or [Tick()]

    def _turn(self, events: Sequence[Event]) -> None:
        start = time.monotonic()
        self._perform(self._reactor.handle(events, start))
        self._gauge.turned(len(events), time.monotonic() - start)

    def _perform(self, commands: Sequence[Command]) -> None:
        for command in commands:
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
