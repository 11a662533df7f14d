"""Many simulated applications in one process: their real cores and sockets, and no code of users."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import zmq

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.channel import Channel
from concurrent_framework.application.session import ApplicationSession
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.application import Define
from concurrent_framework.protocol.session import Hello
from concurrent_framework.protocol.tasks import NewTask, SpecEntry
from concurrent_framework.tasks.payload import dump_state
from concurrent_framework.transport.zmq import ZmqClient

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 60.0
"""Seconds that the master has to take an application in."""
POLL = 100
"""Milliseconds after which heartbeats are looked after."""
UNFINISHED = 10_000
"""Tasks that an application has pushed and not seen ended, at most."""
STATE = dump_state(object())


class SimulatedApplication:
    """An application that pushes tasks and counts their outcomes."""

    def __init__(self, number: int, endpoint: str) -> None:
        self.transport = ZmqClient(endpoint)
        self.workers = 0
        self.left = 0
        self._to_push = 0
        self._channel = Channel(self.transport, time.monotonic)
        hello = Hello("submit", os.urandom(8).hex(), name=f"simulated-{number}", pid=os.getpid())
        self._session = ApplicationSession(hello, connect_timeout=PATIENCE)
        spec = SpecEntry(1, TaskSpec(CodeReference("simulated", "Nothing")))
        self._session.outbox.define(Define((spec,)))
        self.turn([on.Started()])

    def push(self, tasks: int) -> None:
        """Push so many tasks, as their predecessors end."""
        self.left = self._to_push = tasks
        self.turn([on.Tick()])

    def attend(self) -> None:
        """Take in what has arrived, or let time pass."""
        self.turn(self._channel.receive() or [on.Tick()])

    def turn(self, events: Sequence[Any]) -> None:
        """Let the core handle events, and say that it has seen the outcomes."""
        while events:
            following: list[Any] = []
            for command in self._session.handle(events, time.monotonic()):
                match command:
                    case do.Send():
                        self._channel.send(command.messages)
                    case do.TasksEnded():
                        self.left -= len(command.outcomes)
                        last = command.first + len(command.outcomes) - 1
                        following.append(on.Handled(last))
                    case do.SwarmChanged():
                        self.workers = command.now.workers
                    case do.End():
                        raise SystemExit(str(command.error))
            events = following or self._more()

    def _more(self) -> list[Any]:
        """Push what there is room for."""
        room = UNFINISHED - (self.left - self._to_push)
        if not self._to_push or room < min(UNFINISHED // 4, self._to_push):
            return []
        count = min(room, self._to_push)
        self._to_push -= count
        for _ in range(count):
            self._session.push(NewTask(1, "Nothing", STATE))
        return [on.Flush()]


def main(endpoint: str, count: int, workers: int, warm_up: int, tasks: int) -> None:
    """Be so many applications; after each part of the tasks say that it is done, and wait for a line."""
    applications = [SimulatedApplication(number, endpoint) for number in range(count)]
    poller = zmq.Poller()
    by_socket: dict[Any, SimulatedApplication] = {}
    for application in applications:
        for pollable in application.transport.pollables():
            poller.register(pollable, zmq.POLLIN)
            by_socket[pollable] = application

    def wait(unready: set[SimulatedApplication], until: Any) -> None:
        while unready := {one for one in unready if not until(one)}:
            ready = {by_socket[key] for key, _ in poller.poll(POLL)}
            for application in ready or applications:
                application.attend()

    wait(set(applications), lambda one: one.workers >= workers)
    for amount in (warm_up, tasks):
        for application in applications:
            application.push(amount)
        wait(set(applications), lambda one: not one.left)
        print("done", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
