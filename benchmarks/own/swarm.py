"""Many simulated workers in one process: their real cores and sockets, and tasks that take no time."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import zmq

from concurrent_framework.model.resources import Capacity
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.tasks.payload import dump_result
from concurrent_framework.transport.zmq import ZmqClient
from concurrent_framework.worker import commands as do
from concurrent_framework.worker import events as on
from concurrent_framework.worker.line import Line
from concurrent_framework.worker.reactor import Identity, WorkerReactor

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 20e-6
"""Run time that the outcomes claim."""
POLL = 200
"""Milliseconds after which heartbeats are looked after."""
NOTHING = dump_result(None)


class SimulatedWorker:
    """A worker whose tasks end at once."""

    def __init__(self, number: int, endpoint: str) -> None:
        self.transport = ZmqClient(endpoint)
        self._line = Line(self.transport)
        capacity = Capacity(executors=2, cpus=2.0, memory=1 << 30)
        identity = Identity(os.urandom(8).hex(), f"simulated-{number}", pid=os.getpid())
        self._reactor = WorkerReactor(identity, capacity, time.monotonic())
        self.turn([on.Tick()])

    def attend(self) -> None:
        """Take in what has arrived, or let time pass."""
        self.turn(self._line.receive() or [on.Tick()])

    def turn(self, events: Sequence[on.Event]) -> None:
        """Let the core handle events; what it executes has ended at once."""
        while events:
            following: list[Any] = []
            for command in self._reactor.handle(events, time.monotonic()):
                if isinstance(command, do.Send):
                    self._line.send(command.messages)
                elif isinstance(command, do.Execute):
                    outcomes = [
                        Outcome(row.key, row.attempt, NOTHING, seconds=SECONDS)
                        for row in command.tasks
                    ]
                    following.append(on.Reported(outcomes, [], []))
            events = following


def main(endpoint: str, count: int) -> None:
    """Be so many workers until the process is ended."""
    ended = False

    def end(_signal: int, _frame: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    poller = zmq.Poller()
    workers: dict[Any, SimulatedWorker] = {}
    for number in range(count):
        worker = SimulatedWorker(number, endpoint)
        for pollable in worker.transport.pollables():
            poller.register(pollable, zmq.POLLIN)
            workers[pollable] = worker
    while not ended:
        ready = {workers[key] for key, _ in poller.poll(POLL)}
        for worker in ready or set(workers.values()):
            worker.attend()
    for worker in set(workers.values()):
        worker.transport.close(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
