"""A system host: the process on the master's machine that runs user code for an application.

A host has one of two jobs: it runs one task system, whose tasks are its own as an application's
are, or it calls `finished` of plain tasks. The master says which, after its welcome.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.classes import ForeignClasses
from concurrent_framework.application.connection import Connection
from concurrent_framework.application.engine import Engine
from concurrent_framework.application.outcomes import ACKNOWLEDGE_AFTER, unpack, value_of
from concurrent_framework.application.session import ApplicationSession
from concurrent_framework.application.system_run import SystemRun
from concurrent_framework.application.telling import Teller
from concurrent_framework.model.errors import ConcurrentError, RefusedError
from concurrent_framework.model.ids import sequence_of, task_key
from concurrent_framework.protocol.application import Finished, Output, SystemDone
from concurrent_framework.protocol.session import ACKNOWLEDGE_SECONDS, Hello
from concurrent_framework.tasks.failures import describe_failure, format_exception
from concurrent_framework.tasks.payload import load_task

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from concurrent_framework.model.errors import TaskError
    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.protocol.application import FinishTask, HostJob
    from concurrent_framework.tasks.task import Task

CONNECT_TIMEOUT = 30.0
REMEMBERED = 65536
"""Calls of `finished` that are remembered, to make none twice when the master asks again."""
_CALLED = frozenset(
    {
        do.TakeJob,
        do.TasksEnded,
        do.CallFinished,
        do.PushRejected,
        do.Drawn,
        do.ConsiderCheckpoint,
    }
)
"""Commands that run the user's code."""


def main(*_fds: int, endpoint: str, session: str, directory: str = "") -> None:
    """Be a host until the master says goodbye, then end the process; a template process forks it.

    Args:
        endpoint: the master's private endpoint.
        session: the id under which the master expects this host.
        directory: where hosts unpack code, each in a folder of its own; a temporary one if empty.

    """
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the master's input is not for the user's code
    host = Host(Connection(endpoint), session, Path(directory, session) if directory else None)
    try:
        code = host.run()
    except RefusedError:
        code = 0  # what it was for was cancelled before it came up; the master has noted it
    except ConcurrentError as error:
        print(f"system host {session}: {error}", file=sys.stderr)  # noqa: T201 (its only log)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Host:
    """The actor of a system host's engine."""

    def __init__(self, link: Connection, session: str, directory: Path | None) -> None:
        hello = Hello("host", session, host=socket.gethostname(), pid=os.getpid())
        self.name = session
        self.session = ApplicationSession(
            hello, connect_timeout=CONNECT_TIMEOUT, linger=ACKNOWLEDGE_SECONDS
        )
        self.engine = Engine(self.session, link.open())
        self.classes = ForeignClasses(directory)
        self.number = 0
        self.workers: dict[int, str] = {}
        self.size = (0, 0)
        self._running: SystemRun | None = None
        self._called: OrderedDict[int, None] = OrderedDict()
        self.teller = Teller(lambda lines: self.tell(Output(lines)))
        self._over = False

    def run(self) -> int:
        """Work until the master has no more use for this host."""
        with self.teller:
            try:
                return self.engine.run(self)
            finally:
                self.classes.close()

    def tell(self, *messages: Any, keep: bool = False) -> None:
        """Send messages to the master."""
        self.engine.handle(on.Told(messages, keep))

    # The actor.

    def at_once(self, command: do.Command) -> bool:
        """Note what needs none of the user's code."""
        if isinstance(command, do.SwarmChanged):
            self.size = (command.now.workers, command.now.executors)
            self.workers.update(command.now.names)
        elif isinstance(command, do.Begin):
            self.number = command.welcome.number
        elif isinstance(command, do.PushAccepted | do.CheckpointLost):
            if self._running is not None and not self._over:
                self._running.news(command)
        elif type(command) in _CALLED:
            return False
        return True

    def call(self, command: do.Command) -> Awaitable[object] | None:
        """Run the user's code for a command."""
        if isinstance(command, do.TakeJob):
            return self._take_job(command.job)
        if isinstance(command, do.CallFinished):
            return self._call_all(command.items)
        if self._running is None or self._over:
            return None
        if isinstance(command, do.TasksEnded):
            return self._running.tasks_ended(command)
        if isinstance(command, do.ConsiderCheckpoint):
            self._running.checkpointing.arrived()
            return None
        if isinstance(command, do.Drawn):
            return self._running.arrays_drawn()
        assert isinstance(command, do.PushRejected)
        return self._running.rejected(command)

    @property
    def hungry(self) -> bool:
        """Whether the system's generators have something left."""
        return self._running is not None and not self._over and self._running.hungry

    @property
    def eager(self) -> bool:
        """Whether the system has something that ought to be drawn now."""
        return self.hungry and self._running is not None and self._running.pushing.eager

    def feed(self, room: int) -> None:
        """Draw from the system's generators."""
        if self._running is not None:
            self._running.feed(room)

    @property
    def ready(self) -> bool:
        """Whether `idle` means something: the system has made its first tasks."""
        return self._running is not None and self._running.ready and not self._over

    async def idle(self) -> None:
        """Find out whether the system is complete, or stuck."""
        if self._running is not None:
            await self._running.idle()

    def crashed(self, error: BaseException) -> None:
        """Tell the application what its system raised; the master then ends this host."""
        self.done(failure=describe_failure(error))

    def done(self, result: bytes = b"", state: bytes = b"", failure: Failure | None = None) -> None:
        """Tell the master how the system ended, again after each new greeting."""
        if not self._over:
            self._over = True
            self.teller.flush()
            self.tell(SystemDone(result, state, failure), keep=True)

    # What both jobs need.

    async def call_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
        """Call a task's `finished`; what it raises is shown and changes nothing."""
        try:
            await value_of(task.finished(result, error))
        except (Exception, SystemExit) as problem:  # noqa: BLE001 (the user's)
            text = format_exception(problem).rstrip()
            self.teller.say("error", f"{type(task).__name__}.finished raised:\n{text}")

    async def _take_job(self, job: HostJob) -> None:
        references = () if job.system is None else (job.system.code,)
        self.classes.learn(job.specs, job.codes, *references)
        if self._running is not None:
            self._running.pushing.learn(job.specs)
        if job.system is not None and self._running is None and not self._over:
            self.teller.speak_for(task_key(self.number, 0), job.system.name)
            self._running = SystemRun(self, job.system)
            if job.checkpoint:
                await self._running.restore(job.checkpoint, job.specs)
            else:
                await self._running.start()

    async def _call_all(self, items: tuple[FinishTask, ...]) -> None:
        called: list[int] = []
        since = time.monotonic()
        for item in items:
            key = item.outcome.key
            if key not in self._called:
                await self._call_one(item)
                self._called[key] = None
                if len(self._called) > REMEMBERED:
                    self._called.popitem(last=False)
            called.append(key)
            if time.monotonic() - since >= ACKNOWLEDGE_AFTER:
                since = time.monotonic()
                self.teller.flush()
                self.tell(Finished(tuple(called)))
                called = []
        self.teller.flush()
        if called:
            self.tell(Finished(tuple(called)))

    async def _call_one(self, item: FinishTask) -> None:
        self.teller.speak_for(item.outcome.key, item.task.name)
        try:
            cls = self.classes.task_class(item.task.spec)
            task: Task = load_task(cls, item.task.payload)  # type: ignore[arg-type]
        except Exception as problem:  # noqa: BLE001 (the user's class may raise anything)
            text = f"finished() cannot be called: {type(problem).__name__}: {problem}"
            self.teller.say("error", text)
            return
        object.__setattr__(task, "task_id", sequence_of(item.outcome.key))
        result, error = unpack(task, item.outcome, self.workers.get(item.outcome.worker, ""))
        await self.call_finished(task, result, error)
