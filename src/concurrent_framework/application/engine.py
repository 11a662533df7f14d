"""The shell around a session: sockets, clock, signals, and the user's callbacks one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.channel import Channel
from concurrent_framework.application.interrupts import (
    INTERRUPTED,
    TERMINATED,
    Interrupts,
    Terminated,
)
from concurrent_framework.application.keeper import Keeper
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from concurrent_framework.application.connection import Foundation
    from concurrent_framework.application.session import ApplicationSession
    from concurrent_framework.transport.base import WatchedClient

DRAIN_ROUNDS = 16
RETRY_SEND = 0.02
LINGER = 1.0


class Actor(Protocol):
    """Whose callbacks an engine runs: a user's application, or a system host."""

    def at_once(self, command: do.Command) -> bool:
        """Take a command that needs none of the user's code; False to have `call` called later."""

    def call(self, command: do.Command) -> Awaitable[object] | None:
        """Run the user's code for a command; what is awaitable is awaited before the next call."""

    @property
    def hungry(self) -> bool:
        """Whether there is something left that is drawn lazily."""

    @property
    def eager(self) -> bool:
        """Whether `feed` would push something now, as far as the actor can say."""

    def feed(self, room: int) -> None:
        """Push some of what is drawn lazily, up to `room` tasks, for a few milliseconds."""

    @property
    def ready(self) -> bool:
        """Whether it has begun, so that `idle` means something."""

    async def idle(self) -> None:
        """Nothing is outstanding and no callback is due."""

    def crashed(self, error: BaseException) -> None:
        """The user's code raised: say so and stop the engine."""


class Engine:
    """Runs a session and an actor's callbacks until it is stopped.

    Args:
        session: the core.
        transport: the connection to the master; closed at the end.
        foundation: processes whose end is the end; None for none.

    """

    def __init__(
        self,
        session: ApplicationSession,
        transport: WatchedClient,
        foundation: Foundation | None = None,
    ) -> None:
        self.session = session
        self.clock = time.monotonic
        self.stopped = False
        self.exit_code = 0
        self.detaching = False
        """Whether to leave as soon as everything that was pushed is safe at the master."""
        self.detached = False
        self._actor: Actor | None = None
        self._transport = transport
        self._foundation = foundation
        self._channel = Channel(transport, time.monotonic)
        self._interrupts = Interrupts()
        self._keeper = Keeper(self._channel.keep_alive, self._nudge)
        self._queue: deque[do.Command] = deque()
        self._error: ConcurrentError | None = None
        self._reason = ""
        self._outbox = session.outbox
        self._flush_due = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._scheduled: set[Callable[[], None]] = set()
        self._strangers: set[asyncio.Task[Any]] = set()
        self._failed: list[asyncio.Task[Any]] = []

    # For the actor.

    def run(self, actor: Actor) -> int:
        """Run until stopped and return the exit code.

        Raises:
            MasterNotFoundError: if no master answers in time.
            RefusedError: if the master does not take the application in.
            ConcurrentError: if the master has lost what it had accepted.

        """
        self._actor = actor
        with self._interrupts.caught():
            try:
                self._run_loop()
            except Terminated:
                self.stop(TERMINATED, "terminated")
            except KeyboardInterrupt:
                self.stop(INTERRUPTED, "interrupted")
            finally:
                self._leave()
        if self._error is not None:
            raise self._error
        return self.exit_code

    def _run_loop(self) -> None:
        """Do what `asyncio.run` does, so that no interrupt can come while the loop is being closed."""
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(_report_unless_interrupted)
        try:
            loop.run_until_complete(self._main())
        finally:
            try:
                # The user's clean-up; another Ctrl-C breaks it off.
                loop.run_until_complete(_end_tasks())
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
            finally:
                with self._interrupts:
                    loop.close()

    def stop(self, exit_code: int, reason: str = "") -> None:
        """End after the callback that is running."""
        if not self.stopped:
            self.stopped = True
            self.exit_code = exit_code
            self._reason = reason
        if self._loop is None or not self._loop.is_closed():
            self._wake.set()

    def handle(self, *events: on.Event) -> None:
        """Pass events to the session and do what it says."""
        with self._interrupts:
            now = time.monotonic()
            for command in self.session.handle(events, now):
                self._do(command)
        self._after()

    def flush_soon(self) -> None:
        """Let what was pushed leave when the running callback returns, and full batches at once.

        Called for each task: it is quick when nothing is to be done.
        """
        if self._outbox.waiting_tasks and self.session.wants_flush:
            self.handle(on.Flush(full_only=True))
        if not self._flush_due and self._loop is not None:
            self._flush_due = True
            self._soon(self._flush)

    def feed_soon(self) -> None:
        """Draw from what is drawn lazily, as soon as the loop gets to it."""
        self._soon(self._feed)

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Have the loop call a function; may be called from any thread."""
        if self._loop is not None and not self.stopped:
            # In another thread the loop may be closed by now; then nobody misses the call.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function, *args)

    def post(self, command: do.Command) -> None:
        """Have the actor called for this too."""
        self._queue.append(command)
        self._wake.set()

    def post_later(self, seconds: float, command: do.Command) -> None:
        """Have the actor called for this after a while."""
        if self._loop is not None and not self.stopped:
            self._loop.call_later(seconds, self.post, command)

    @property
    def envelopes(self) -> tuple[int, int]:
        """Envelopes sent and received."""
        return self._channel.sent, self._channel.received

    # The loop.

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._failed_elsewhere)
        self._loop.set_task_factory(self._make_task)
        channel = self._channel.fileno()
        self._loop.add_reader(channel, self._drain)
        vital = () if self._foundation is None else self._foundation.filenos()
        for fd in vital:
            self._loop.add_reader(fd, self._collapse)
        try:
            self.handle(on.Started())
            await self._run_callbacks()
        finally:
            # Perhaps all is closed by now: a second Ctrl-C may have left this for the interpreter's end.
            for fd in (channel, *vital):
                self._loop.remove_reader(fd)
            self._loop.set_exception_handler(_report_unless_interrupted)
            self._loop.set_task_factory(None)
            if self._timer is not None:
                self._timer.cancel()

    def _collapse(self) -> None:
        assert self._foundation is not None
        if not self.stopped:
            self._error = ConcurrentError(self._foundation.failure())
            self.stop(1)

    async def _run_callbacks(self) -> None:
        while not self.stopped:
            self._wake.clear()
            while self._queue and not self.stopped:
                await self._call(self._queue.popleft())
                await asyncio.sleep(0)
            await self._check_idle()
            await self._wake.wait()

    async def _call(self, command: do.Command) -> None:
        assert self._actor is not None
        try:
            awaitable = self._actor.call(command)
            if awaitable is not None:
                await awaitable
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code raised)
            self._actor.crashed(error)
        self._flush()

    def _do(self, command: do.Command) -> None:
        if isinstance(command, do.Send):
            self._channel.send(command.messages)
        elif isinstance(command, do.End):
            self._error = command.error
            self.stop(0 if command.error is None else 1)
        else:
            if isinstance(command, do.Begin):
                self._keeper.start(command.welcome.lease)
            assert self._actor is not None
            if not self._actor.at_once(command):
                self.post(command)

    def _after(self) -> None:
        """Arrange for what has to follow whatever was done."""
        if self._loop is None or self._loop.is_closed():
            return
        if self._channel.pending():
            self._soon(self._drain)
        if self._channel.blocked:
            self._loop.call_later(RETRY_SEND, self._soon, self._retry)
        if self._actor is not None and self._actor.eager:
            self._soon(self._feed)
        deadline = self.session.deadline()
        if deadline is not None and (self._timer is None or deadline < self._timer.when()):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._tick)
        if self.detaching and not self._queue and self._all_safe():
            self.detached = True
            self.stop(0)

    def _all_safe(self) -> bool:
        actor = self._actor
        if actor is None or not actor.ready or actor.hungry:
            return False
        return self.session.online and self.session.outbox.settled

    def _soon(self, function: Callable[[], None]) -> None:
        if self._loop is None or function in self._scheduled:
            return
        self._scheduled.add(function)
        self._loop.call_soon(self._run_scheduled, function)

    def _run_scheduled(self, function: Callable[[], None]) -> None:
        self._scheduled.discard(function)
        if not self.stopped:
            function()

    def _nudge(self) -> None:
        """In the keeper's thread: sending may have taken the socket's signal from the loop."""
        self.call_soon(self._soon, self._drain)

    def _drain(self) -> None:
        for _ in range(DRAIN_ROUNDS):
            with self._interrupts:
                happened = self._channel.receive()
            if happened:
                self.handle(*happened)
            if not self._channel.pending():
                return
        self._soon(self._drain)

    def _flush(self) -> None:
        self._flush_due = False
        self.handle(on.Flush())

    def _retry(self) -> None:
        with self._interrupts:
            self._channel.retry()
        self._after()

    def _tick(self) -> None:
        self._timer = None
        # The loop may have been busy: what has arrived meanwhile counts as a sign of life.
        self._drain()
        deadline = self.session.deadline()
        if deadline is not None and deadline <= time.monotonic():
            self.handle(on.Tick())
        else:
            self._after()

    def _feed(self) -> None:
        assert self._actor is not None
        if not self._actor.eager:
            return
        room = self.session.outbox.room if self.session.online else 0
        if not room:
            return
        try:
            self._actor.feed(room)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's generator raised)
            self._actor.crashed(error)
        self._flush()
        if not self._actor.hungry:
            self._wake.set()

    async def _check_idle(self) -> None:
        outbox = self.session.outbox
        assert self._actor is not None
        if self.stopped or not self._actor.ready or self._queue:
            return
        if outbox.outstanding or outbox.unhandled or self.detaching or self._actor.hungry:
            return
        if self._strangers:
            return
        try:
            self._raise_unretrieved()
            await self._actor.idle()
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code raised)
            self._actor.crashed(error)
        self._flush()

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        """Make a task for the user's code, and know of it."""
        task = asyncio.Task(coroutine, loop=loop, **options)
        self._strangers.add(task)
        task.add_done_callback(self._stranger_done)
        return task

    def _stranger_done(self, task: asyncio.Task[Any]) -> None:
        self._strangers.discard(task)
        # asyncio keeps this flag for its own warning; asking for the exception would clear it.
        if getattr(task, "_log_traceback", False):
            self._failed.append(task)
        self._wake.set()

    def _raise_unretrieved(self) -> None:
        """Raise what a task of the user's raised, if nobody has awaited it and nobody can now."""
        failed, self._failed = self._failed, []
        for task in failed:
            if getattr(task, "_log_traceback", False):
                task.result()

    def _failed_elsewhere(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle what a task or a callback raised that the user's code gave to the loop."""
        error = context.get("exception")
        if isinstance(error, Exception) and self._actor is not None:
            self._actor.crashed(error)
        else:
            _report_unless_interrupted(loop, context)

    def _leave(self) -> None:
        with self._interrupts:
            self._keeper.stop()
            reached = self.session.online
            leaving = on.Leaving(self._reason, self.detached)
            for command in self.session.handle([leaving], time.monotonic()):
                if isinstance(command, do.Send):
                    self._channel.send(command.messages)
            self._channel.close(LINGER if reached else 0.0)


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _report_unless_interrupted(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what asyncio finds in tasks that nobody awaited, but for what has ended the loop."""
    if not isinstance(context.get("exception"), KeyboardInterrupt):
        loop.default_exception_handler(context)


def exit_code_of(error: SystemExit) -> int:
    """Return the exit code that Python would end with."""
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1
