"""The core of an application: what it has told the master and what it has been told. PURE.

A session greets the master, hands over what is pushed in batches and in order, takes in outcomes
exactly once, and notices when the master is gone. It outlives connections: after each new greeting
both sides compare what they have and go on from there.

Example:
    >>> from concurrent_framework.application.events import Started
    >>> from concurrent_framework.protocol.session import Hello
    >>> session = ApplicationSession(Hello("submit", "5e55"), connect_timeout=5.0)
    >>> [command.messages[0].session for command in session.handle([Started()], now=0.0)]
    ['5e55']

"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.outbox import Outbox
from concurrent_framework.model.errors import (
    ConcurrentError,
    MasterNotFoundError,
    RefusedError,
)
from concurrent_framework.model.ids import SEQUENCE_MASK
from concurrent_framework.protocol import application as say
from concurrent_framework.protocol import session as greet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from concurrent_framework.protocol.tasks import NewTask

FIRST_RETRY = 2.0
LAST_RETRY = 30.0
UNSAID = 1000
"""Messages without acknowledgement that are kept at most while the master is away."""
UNWELCOME_LEASE = 10.0
"""Seconds of silence that mean something as long as no master has named its lease."""


class ApplicationSession:
    """One application, or one system host, as its master knows it.

    Args:
        hello: how it introduces itself; `delivered` is filled in here.
        connect_timeout: seconds to wait for the first welcome, > 0.
        linger: seconds that it may wait with telling what has been handled, for something else to
            travel with: to wake the master costs more than to tell it something. `HANDLED_SOON` at
            most if it is about much.

    """

    def __init__(self, hello: greet.Hello, *, connect_timeout: float, linger: float = 0.0) -> None:
        self.outbox = Outbox()
        self.welcome: greet.Welcome | None = None
        self.online = False
        self.over = False
        self._hello = hello
        self._connect_timeout = connect_timeout
        self._connect_by = 0.0
        self._trouble = ""
        self._greeted = 0.0
        self._greetings = 0
        self._retry = FIRST_RETRY
        self._heard = 0.0
        self._spoke = 0.0
        self._lost = False
        self._received = 0
        self._handled = 0
        self._handled_told = 0
        self._bulky = False
        """Among what has not been told of there are large results."""
        self._linger = linger
        self._tell_handled_by = math.inf
        self._cancelling: set[int] = set()
        self._cancelling_specs: set[int] = set()
        self._kept: list[Any] = []
        self._unsaid: deque[Any] = deque(maxlen=UNSAID)
        self._inherits = False
        self.checkpointing = 0
        """Number of the checkpoint that the master has been sent and has not made safe; or 0."""

    # What the shell calls for each task.

    def push(self, row: NewTask) -> int:
        """Push a task; returns its sequence. It leaves with `Flush` or when a batch is full."""
        return self.outbox.push(row)

    @property
    def wants_flush(self) -> bool:
        """Whether a full batch could leave now."""
        return self.online and self.outbox.ready

    @property
    def lease(self) -> float:
        """Seconds of silence after which a side counts as lost."""
        return self.welcome.lease if self.welcome else UNWELCOME_LEASE

    # What happens.

    def handle(self, events: Iterable[on.Event], now: float) -> list[do.Command]:
        """Take in what has happened and return what is to be done; `now` is monotonic seconds."""
        done: list[do.Command] = []
        for event in events:
            if not self.over:
                self._HANDLERS[type(event)](self, event, now, done)
        return done

    def deadline(self) -> float | None:
        """When `Tick` is due."""
        if self.over:
            return None
        if self.welcome is None:
            return min(self._connect_by, self._greeted + self._retry)
        due = [self._greeted + self._retry] if not self.online else [self._spoke + self.lease / 3]
        due.append(self._tell_handled_by)
        if not self._lost:
            due.append(self._heard + self.lease)
        return min(due)

    def _started(self, _event: on.Started, now: float, done: list[do.Command]) -> None:
        self._connect_by = now + self._connect_timeout
        self._heard = now
        self._say_hello(now, done)

    def _received_messages(self, event: on.Received, now: float, done: list[do.Command]) -> None:
        self._heard = now
        for message in event.messages:
            take = self._MESSAGES.get(type(message))
            if take is not None and (self.online or type(message) in _TAKEN_ALWAYS):
                take(self, message, now, done)

    def _missed(self, _event: on.Missed, now: float, done: list[do.Command]) -> None:
        if self.online:
            self._say_hello(now, done)

    def _unreadable(self, event: on.Unreadable, now: float, done: list[do.Command]) -> None:
        if self.welcome is None and event.version is not None:
            self._end(
                RefusedError(
                    f"the master speaks another version of the protocol ({event.reason}): "
                    "install the same version of concurrent-framework on both sides"
                ),
                done,
            )
        else:
            self._say_hello(now, done)

    def _link_trouble(self, event: on.LinkTrouble, now: float, done: list[do.Command]) -> None:
        self._trouble = event.text
        if event.kind == "key" and self.welcome is None:
            self._end(RefusedError(event.text), done)
        elif event.kind == "lost":
            # An answer to an earlier greeting is lost with the connection.
            self._say_hello(now, done)

    def _flush(self, event: on.Flush, now: float, done: list[do.Command]) -> None:
        if not event.full_only:
            self.outbox.close_batch()
        self._send_ready(now, done)

    def _handled_outcomes(self, event: on.Handled, now: float, done: list[do.Command]) -> None:
        if event.through == self._handled:
            return
        self.outbox.unhandled -= event.through - self._handled
        self._handled = event.through
        if self.online:
            much = self._bulky or self._handled - self._handled_told > greet.HANDLED_OUTCOMES
            linger = min(self._linger, greet.HANDLED_SOON) if much else self._linger
            self._tell_handled_by = min(self._tell_handled_by, now + linger)
            self._send_ready(now, done)
            self._tell_handled(now, done)

    def _cancel_asked(self, event: on.CancelAsked, now: float, done: list[do.Command]) -> None:
        self._flush(on.Flush(), now, done)
        self._cancelling.update(event.sequences)
        self._cancelling_specs.update(event.specs)
        if self.online:
            which = () if event.everything else event.sequences
            self._send([say.CancelTasks(which, event.specs)], now, done)

    def _told(self, event: on.Told, now: float, done: list[do.Command]) -> None:
        if event.keep:
            self._kept.extend(event.messages)
        if self.online:
            self._send(event.messages, now, done)
        elif not event.keep:
            self._unsaid.extend(event.messages)

    def _checkpoint_taken(
        self, event: on.CheckpointTaken, now: float, done: list[do.Command]
    ) -> None:
        if self.online:
            self.checkpointing = event.checkpoint.number
            self._send([event.checkpoint], now, done)

    def _leaving(self, event: on.Leaving, now: float, done: list[do.Command]) -> None:
        if self.online:
            self._flush(on.Flush(), now, done)
        if self.welcome is not None:
            self._send([greet.Goodbye(event.reason, event.detach)], now, done)
        self._end(None, done)

    def _tick(self, _event: on.Tick, now: float, done: list[do.Command]) -> None:
        if self.welcome is None and now >= self._connect_by:
            trouble = self._trouble or "no Concurrent master answered"
            self._end(MasterNotFoundError.after(self._connect_timeout, trouble), done)
            return
        if self.welcome is not None and now >= self._heard + self.lease:
            self._lose(f"no sign of life for {self.lease:g} s", done)
            if self.online:
                self._say_hello(now, done)
        if not self.online and now >= self._greeted + self._retry:
            self._retry = min(self._retry * 2, LAST_RETRY)
            self._say_hello(now, done)
        self._tell_handled(now, done)
        if self.online and now >= self._spoke + self.lease / 3:
            self._send([greet.Heartbeat()], now, done)

    # What the master says.

    def _welcomed(self, message: greet.Welcome, now: float, done: list[do.Command]) -> None:
        before, self.welcome = self.welcome, message
        self.outbox.set_window(message.window_tasks, message.window_bytes)
        if self.online:
            return
        if before is not None and message.accepted < self.outbox.accepted:
            self._end(
                ConcurrentError(
                    f"the master {message.name!r} was restarted and has lost what it had accepted "
                    f"({self.outbox.unfinished} tasks had no outcome yet): run the application again"
                ),
                done,
            )
            return
        self.online = True
        self._retry = FIRST_RETRY
        if before is None:
            self._inherits = message.accepted > 0
            if self._inherits:
                self.outbox.inherit(message.accepted, message.unfinished, message.added)
            done.append(do.Begin(message))
        elif self._lost:
            done.append(do.Regained(before.master != message.master))
        self._lost = False
        self.outbox.added(message.added)
        if self.checkpointing:
            self.checkpointing = 0
            done.append(do.CheckpointLost())
        self._accepted_through(message.accepted, done)
        self.outbox.take_back()
        if self._unsaid or self._kept:
            self._send([*self._unsaid, *self._kept], now, done)
            self._unsaid.clear()
        if self._cancelling or self._cancelling_specs:
            which = tuple(sorted(self._cancelling)), tuple(sorted(self._cancelling_specs))
            self._send([say.CancelTasks(*which)], now, done)
        self._send_ready(now, done)

    def _refused(self, message: greet.Refused, _now: float, done: list[do.Command]) -> None:
        self._end(RefusedError(message.reason), done)

    def _resync(self, _message: greet.Resync, now: float, done: list[do.Command]) -> None:
        # While a greeting is on its way this answers something older than the greeting.
        if self.online:
            self._say_hello(now, done)

    def _goodbye(self, message: greet.Goodbye, now: float, done: list[do.Command]) -> None:
        if self._hello.role == "host":
            self._end(None, done)
            return
        self.online = False
        self._tell_handled_by = math.inf
        self._greeted = now
        self._lose(message.reason or "it said goodbye", done)

    def _accepted(self, message: say.Accepted, now: float, done: list[do.Command]) -> None:
        self._accepted_through(message.through, done)
        self._send_ready(now, done)

    def _accepted_through(self, through: int, done: list[do.Command]) -> None:
        if self.outbox.confirm(through):
            done.append(do.PushAccepted(through))

    def _rejected(self, message: say.Rejected, now: float, done: list[do.Command]) -> None:
        self.outbox.rejected(message.first, message.count)
        done.append(do.PushRejected(message.first, message.count, message.failure))
        self._send_ready(now, done)

    def _deliver(self, message: say.Deliver, now: float, done: list[do.Command]) -> None:
        outcomes, origins = message.outcomes, message.origins
        known = self._known(message.first, len(outcomes), now, done)
        if known is None:
            return
        if known:
            outcomes = outcomes[known:]
            origins = {at - known: row for at, row in origins.items() if at >= known}
        if not outcomes:
            return
        first = self._received + 1
        self._received += len(outcomes)
        self.outbox.finished(outcomes)
        if len(outcomes) <= greet.HANDLED_OUTCOMES:
            size = sum(len(one.result) for one in outcomes)  # type: ignore[misc, arg-type]
            self._bulky = self._bulky or size > greet.HANDLED_BYTES
        if self._cancelling:
            self._cancelling.difference_update(one.key & SEQUENCE_MASK for one in outcomes)
        done.append(do.TasksEnded(first, outcomes, origins))

    def _system_ended(self, message: say.SystemEnded, now: float, done: list[do.Command]) -> None:
        if self._known(message.number, 1, now, done) == 0:
            self._received = message.number
            self.outbox.system_ended(message.sequence)
            self._cancelling.discard(message.sequence)
            done.append(do.SystemOver(message))

    def _known(self, first: int, count: int, now: float, done: list[do.Command]) -> int | None:
        """How many of these numbers were received before; None if some before them are missing."""
        if self._inherits:
            # A new process of this application goes on where the earlier one stopped.
            self._inherits = False
            self._received = self._handled = self._handled_told = first - 1
        if first > self._received + 1:
            self._say_hello(now, done)
            return None
        known = min(self._received + 1 - first, count)
        if known and first + known - 1 <= self._handled:
            self._tell_handled_by = now
            self._tell_handled(now, done)
        return known

    def _checkpointed(
        self, message: say.Checkpointed, _now: float, _done: list[do.Command]
    ) -> None:
        if message.number == self.checkpointing:
            self.checkpointing = 0

    def _added(self, message: say.Added, _now: float, _done: list[do.Command]) -> None:
        self.outbox.added(message.total)

    def _pass_on(self, message: Any, _now: float, done: list[do.Command]) -> None:
        done.append(do.PASSED_ON[type(message)](message))

    # What all of them need.

    def _say_hello(self, now: float, done: list[do.Command]) -> None:
        self.online = False
        self._tell_handled_by = math.inf  # the greeting tells
        self._greeted = now
        delivered = -1 if self.welcome is None or self._inherits else self._handled
        self._greetings += 1
        self._handled_told = self._handled
        hello = replace(self._hello, delivered=delivered, greeting=self._greetings)
        self._send([hello], now, done)

    def _tell_handled(self, now: float, done: list[do.Command]) -> None:
        if now >= self._tell_handled_by:
            self._send([], now, done)

    def _send(self, messages: Sequence[Any], now: float, done: list[do.Command]) -> None:
        """Send messages, behind what has not been told of what has been handled."""
        self._spoke = now
        if self._tell_handled_by < math.inf:
            self._tell_handled_by = math.inf
            self._handled_told = self._handled
            self._bulky = False
            messages = [say.Delivered(self._handled), *messages]
        done.append(do.Send(list(messages)))

    def _send_ready(self, now: float, done: list[do.Command]) -> None:
        if not self.online:
            return
        for message in self.outbox.take():
            self._send([message, *self._cancels(message)], now, done)

    def _cancels(self, message: Any) -> list[say.CancelTasks]:
        """Cancel what was cancelled before it could leave."""
        if not self._cancelling or type(message) is say.Define:
            return []
        if type(message) is say.Submit:
            numbers = range(message.first, message.first + len(message.tasks))
            cancelled = self._cancelling.intersection(numbers)
        else:
            cancelled = self._cancelling.intersection((message.sequence,))
        return [say.CancelTasks(tuple(sorted(cancelled)))] if cancelled else []

    def _lose(self, reason: str, done: list[do.Command]) -> None:
        if not self._lost:
            self._lost = True
            done.append(do.MasterLost(reason))

    def _end(self, error: ConcurrentError | None, done: list[do.Command]) -> None:
        self.over = True
        self.online = False
        done.append(do.End(error))

    _HANDLERS: ClassVar[dict[type, Any]] = {
        on.Started: _started,
        on.Received: _received_messages,
        on.Missed: _missed,
        on.Unreadable: _unreadable,
        on.LinkTrouble: _link_trouble,
        on.Flush: _flush,
        on.Handled: _handled_outcomes,
        on.CancelAsked: _cancel_asked,
        on.Told: _told,
        on.CheckpointTaken: _checkpoint_taken,
        on.Leaving: _leaving,
        on.Tick: _tick,
    }
    _MESSAGES: ClassVar[dict[type, Any]] = {
        greet.Welcome: _welcomed,
        greet.Refused: _refused,
        greet.Resync: _resync,
        greet.Goodbye: _goodbye,
        say.Accepted: _accepted,
        say.Rejected: _rejected,
        say.Deliver: _deliver,
        say.SystemEnded: _system_ended,
        say.Added: _added,
        say.Checkpointed: _checkpointed,
        **dict.fromkeys(do.PASSED_ON, _pass_on),
    }


_TAKEN_ALWAYS = frozenset(
    {greet.Welcome, greet.Refused, greet.Resync, greet.Goodbye, say.Output, say.Progress}
)
