"""A master in memory that runs each task in its own thread as soon as it is submitted."""

from __future__ import annotations

import os
import selectors
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from concurrent_framework.application.connection import Connection
from concurrent_framework.model.ids import FIRST_SPAWNED, SEQUENCE_MASK, task_key
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import session as greet
from concurrent_framework.protocol.codec import Codec
from concurrent_framework.protocol.tasks import NewTask, Outcome
from concurrent_framework.tasks.failures import describe_failure
from concurrent_framework.tasks.payload import dump_changes, dump_result, load_task
from concurrent_framework.tasks.state import attributes
from concurrent_framework.transport.memory import MemoryServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from concurrent_framework.model.spec import TaskSpec

NUMBER = 3
"""The application's number at this master."""


class FakeMaster:
    """Accepts everything and runs it. A test overrides what it wants to be different.

    Args:
        answer: given a message; returns messages to send instead of the usual ones, or None.
        window_tasks: tasks unfinished at most.
        lease: seconds of silence that mean a loss.

    """

    def __init__(
        self,
        answer: Callable[[FakeMaster, Any], list[Any] | None] | None = None,
        *,
        window_tasks: int = 1000,
        lease: float = 10.0,
    ) -> None:
        self.server = MemoryServer()
        self.messages: list[Any] = []
        self.specs: dict[int, TaskSpec] = {}
        self.accepted = 0
        self.outcomes = 0
        self.delivered: list[app.Deliver] = []
        self.held: list[Outcome] = []
        self.hold = False
        self.unacknowledged = 0
        self.most_unacknowledged = 0
        self.errors: list[BaseException] = []
        self._answer = answer
        self._window_tasks = window_tasks
        self._lease = lease
        self._codec: Codec[Any] = Codec(app.FromApplication)
        self._number = 0
        self._peer: Any = None
        self._calls: list[Callable[[], list[Any]]] = []
        self._wake_read, self._wake_write = os.pipe()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def running(self) -> Iterator[Connection]:
        """Run in a thread and give applications a connection."""
        self.server.pollables()  # before anybody sends, so that no send goes unnoticed
        self._thread.start()
        try:
            yield Connection("memory", transport=self.server.connect)
        finally:
            self._over.set()
            os.write(self._wake_write, b"!")
            self._thread.join()
            os.close(self._wake_read)
            os.close(self._wake_write)
            self.server.close(0.0)
        if self.errors:
            raise self.errors[0]

    def of(self, kind: type) -> list[Any]:
        """Return the messages of a kind that have come."""
        return [message for message in self.messages if type(message) is kind]

    def say(self, *messages: Any) -> None:
        """From the test's thread, or from a callback: send messages."""
        self._calls.append(lambda: list(messages))
        os.write(self._wake_write, b"!")

    def release(self) -> None:
        """Deliver the outcomes that were held back, and hold none from now on."""

        def deliver() -> list[Any]:
            self.hold = False
            held, self.held = self.held, []
            return self.deliver(held)

        self._calls.append(deliver)
        os.write(self._wake_write, b"!")

    def deliver(self, outcomes: list[Outcome], origins: Any = None) -> list[Any]:
        """Number outcomes."""
        if not outcomes:
            return []
        first = self.outcomes + 1
        self.outcomes += len(outcomes)
        self.unacknowledged += len(outcomes)
        self.most_unacknowledged = max(self.most_unacknowledged, self.unacknowledged)
        self.delivered.append(app.Deliver(first, outcomes, origins or {}))
        return self.delivered[-1:]

    def welcome(self, **fields: Any) -> greet.Welcome:
        """Return the usual welcome with other fields."""
        usual: dict[str, Any] = {
            "master": "m1",
            "name": "fake",
            "number": NUMBER,
            "lease": self._lease,
            "accepted": self.accepted,
            "window_tasks": self._window_tasks,
            "window_bytes": 1 << 26,
        }
        return greet.Welcome(**(usual | fields))

    def class_of(self, number: int) -> Any:
        """Return the class of a spec, from this very process."""
        code = self.specs[number].code
        found: Any = sys.modules[code.module]
        for part in code.qualname.split("."):
            found = getattr(found, part)
        return found

    def run_task(self, key: int, row: NewTask) -> Outcome:
        """Do what an executor does."""
        task = load_task(self.class_of(row.spec), row.payload)  # type: ignore[arg-type]
        before = dict(attributes(task))
        try:
            result = dump_result(task())
            task.clean_up()
        except Exception as error:
            return Outcome(key, 1, failure=describe_failure(error), worker=1)
        return Outcome(key, 1, result, dump_changes(before, attributes(task)), 0.25, worker=1)

    def usual(self, message: Any) -> list[Any]:
        """Answer as a master does."""
        if isinstance(message, greet.Hello):
            swarm = app.WorkersChanged(1, 2, {1: "worker-1"})
            again = [
                one for one in self.delivered if one.first + len(one.outcomes) > message.delivered
            ]
            return [self.welcome(), swarm, *again]
        if isinstance(message, app.Define):
            self.specs.update((entry.number, entry.spec) for entry in message.specs)
        if isinstance(message, app.Submit):
            assert message.first <= self.accepted + 1, "a gap"
            outcomes = [
                self.run_task(task_key(NUMBER, message.first + n), row)
                for n, row in enumerate(message.tasks)
                if message.first + n > self.accepted
            ]
            self.accepted += len(outcomes)
            if self.hold:
                self.held += outcomes
                outcomes = []
            return [app.Accepted(self.accepted), *self.deliver(outcomes)]
        if isinstance(message, app.PushSystem):
            self.accepted += 1
            return [app.Accepted(self.accepted)]
        if isinstance(message, app.Checkpoint):
            return [app.Checkpointed(message.number)]
        if isinstance(message, app.Delivered):
            self.unacknowledged = self.outcomes - message.through
        if isinstance(message, greet.Heartbeat):
            return [message]
        return []

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*self.server.pollables(), self._wake_read):
                selector.register(descriptor, selectors.EVENT_READ)
            try:
                while not self._over.is_set():
                    for key, _ in selector.select():
                        if key.fd == self._wake_read:
                            os.read(self._wake_read, 1000)
                    self._round()
                self._round()
            except BaseException as error:
                self.errors.append(error)

    def _round(self) -> None:
        for received in self.server.receive(1000):
            _, messages = self._codec.decode(received.frames)
            if isinstance(messages[0], greet.Hello):
                self._peer = received.peer
                self._number = 0
            elif received.peer != self._peer:
                self.server.send(received.peer, self._codec.encode([greet.Resync()], 1))
                continue
            replies = []
            for message in messages:
                self.messages.append(message)
                own = self._answer(self, message) if self._answer else None
                replies += self.usual(message) if own is None else own
            self._send(replies)
        while self._calls and self._peer is not None:
            self._send(self._calls.pop(0)())

    def _send(self, messages: list[Any]) -> None:
        if messages:
            self._number += 1
            self.server.send(self._peer, self._codec.encode(messages, self._number))


def spawned(number: int) -> int:
    """Return the key of the n-th task that a task made."""
    return task_key(NUMBER, FIRST_SPAWNED + number)


def sequences(messages: list[app.Submit]) -> list[int]:
    """Return the sequences of submitted tasks."""
    return [one.first + n for one in messages for n in range(len(one.tasks))]


def sequence(outcome: Outcome) -> int:
    """Return the sequence of an outcome."""
    return outcome.key & SEQUENCE_MASK
