"""The master's core: events in, commands out. PURE.

It only tells who handles what: `applications`, `systems`, `checkpoints`, `workers`, `relay` and
`queries` hold the handlers, `dispatch` the scheduling rounds, `delivery` what applications get,
`liveness` the leases, `trouble` what happens while the store takes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from concurrent_framework.master import (
    applications,
    checkpoints,
    data,
    delivery,
    liveness,
    queries,
    recovery,
    relay,
    systems,
    timing,
    trouble,
    workers,
)
from concurrent_framework.master.chronicle import Chronicle
from concurrent_framework.master.commands import Persist
from concurrent_framework.master.dispatch import RECALL_INTERVAL, Dispatcher
from concurrent_framework.master.events import (
    Begun,
    Greeted,
    HostEnded,
    Missed,
    Received,
    Stopping,
    StorageBack,
    StorageFailed,
    Tick,
)
from concurrent_framework.master.journal import Journal
from concurrent_framework.master.outbox import Outbox
from concurrent_framework.master.state import MasterState, PeerRecord, Settings, new_state
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import worker as work
from concurrent_framework.protocol.session import Goodbye, Heartbeat, Refused, Resync, Welcome

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from concurrent_framework.master.commands import Command
    from concurrent_framework.master.events import Event
    from concurrent_framework.scheduling.base import ITaskScheduler


class MasterReactor:
    """Decides everything the master does.

    Args:
        settings: the options it depends on.
        scheduler: decides where tasks go.
        now: monotonic time in seconds, as in every call.
        state: what it begins with, recovered from a journal; None for nothing.

    """

    def __init__(
        self,
        settings: Settings,
        scheduler: ITaskScheduler,
        now: float,
        state: MasterState | None = None,
    ) -> None:
        self.state = new_state(settings, now) if state is None else state
        self.chronicle = Chronicle(settings.epoch)
        self.outbox = Outbox(self.chronicle, settings.linger)
        self.journal = Journal(self.state, kept=settings.journal)
        self.scheduler = scheduler
        self.dispatcher = Dispatcher(self.state, scheduler, self.outbox, self.journal)
        self.postponed: list[HostEnded] = []
        self.now = now
        self._next_check = now
        self._watching = False
        self._stopped = False

    def handle(self, events: Iterable[Event], now: float) -> list[Command]:
        """Take in a round of events and return what is to be done, in order."""
        self.now = self.chronicle.now = now
        for event in events:
            self._EVENTS[type(event)](self, event)
        self._watching = False
        if not self._stopped and not self.state.trouble:
            timing.check(self)
            self.dispatcher.round(now)
            self._watching = self.dispatcher.recall(now)
            delivery.deliver(self)
        if not self._stopped and now >= self._next_check:
            late = now - self._next_check
            self._next_check = now + self.state.settings.lease / 4
            liveness.check(self, late)
        facts = self.journal.take(now)
        commands, peers = self.outbox.flush(now)
        if facts:
            commands.insert(0, Persist(facts))
        for peer in peers:
            known = self.state.peers.get(peer)
            if known is not None:
                known.last_sent = now
        return commands

    def deadline(self) -> float:
        """Return when `Tick` is due if nothing else happens."""
        due = min(self._next_check, self.outbox.due)
        if not self.state.trouble:
            due = min(due, self.state.agenda.next)
        if self._watching:
            due = min(due, self.now + RECALL_INTERVAL)
        return due

    def _receive(self, event: Received) -> None:
        peer = self.state.peers.get(event.peer)
        if peer is None:
            self.outbox.send(event.peer, Resync())
            self.outbox.drop(event.peer)
            return
        handlers = _HANDLERS[peer.role]
        liveness.heard(self, event.peer, peer)
        for message in event.messages:
            handler = handlers.get(type(message))
            if handler is None:
                reason = f"a peer with the role {peer.role} may not send {type(message).__name__}"
                self.outbox.log("warning", f"refused {event.peer!r}: {reason}")
                self.outbox.send(event.peer, Refused("role", reason))
                self.disconnect(event.peer)
                return
            if self.state.trouble and type(message) not in trouble.HARMLESS:
                continue
            handler(self, event.peer, peer, message)
            if event.peer not in self.state.peers:
                return

    def _greet(self, event: Greeted) -> None:
        hello = event.hello
        if self.state.trouble and hello.role not in {"observe", "admin"}:
            return
        self.outbox.begin_with(event.peer)
        if hello.role not in event.granted:
            reason = event.objection or f"this token does not allow the role {hello.role}"
            self.outbox.log(
                "warning",
                f"refused {hello.name or 'a peer'} on {hello.host or '?'}: {reason}",
                "peer.refused",
            )
            self.outbox.send(event.peer, Refused("token" if event.objection else "role", reason))
            self.outbox.drop(event.peer)
            return
        match hello.role:
            case "submit":
                applications.on_hello(self, event.peer, hello)
            case "execute":
                workers.on_hello(self, event.peer, hello)
            case "host":
                systems.on_hello(self, event.peer, hello)
            case "observe" | "admin":
                self.state.peers[event.peer] = PeerRecord(hello.role)
                self.outbox.send(event.peer, self.welcome(0))

    def _miss(self, event: Missed) -> None:
        self.outbox.log("warning", f"lost messages of {event.peer!r}: {event.reason}")
        self.outbox.send(event.peer, Resync())

    def end_host(self, event: HostEnded) -> None:
        """Take note of the end of a host, once that can be written down."""
        if self.state.trouble:
            self.postponed.append(event)
        else:
            systems.on_host_ended(self, event)

    def _tick(self, _event: Tick) -> None:
        """Do what is due anyway."""

    def _stop(self, event: Stopping) -> None:
        for peer in self.state.peers:
            self.outbox.send(peer, Goodbye(event.reason))
        for host in self.state.hosts:
            self.outbox.stop_host(host)
        self._stopped = True

    def welcome(self, number: int, **fields: Any) -> Welcome:
        """Return a `Welcome` for a peer's number."""
        settings = self.state.settings
        return Welcome(settings.session, settings.name, number, settings.lease, **fields)

    def refuse(self, peer: Hashable, code: str, reason: str) -> None:
        """Turn a peer down and forget it."""
        self.outbox.log("warning", f"refused {peer!r}: {reason}")
        self.outbox.send(peer, Refused(cast("Any", code), reason))
        self.disconnect(peer)

    def disconnect(self, peer: Hashable) -> None:
        """Forget a connection."""
        self.state.peers.pop(peer, None)
        self.outbox.drop(peer)

    _EVENTS: ClassVar[dict[type, Any]] = {
        Begun: recovery.resume,
        Received: _receive,
        Greeted: _greet,
        Missed: _miss,
        HostEnded: end_host,
        StorageFailed: trouble.begin,
        StorageBack: trouble.end,
        Stopping: _stop,
        Tick: _tick,
    }


def _nothing(_reactor: MasterReactor, _peer: Hashable, _who: PeerRecord, _message: Any) -> None:
    """Take a heartbeat: that it came has been noted."""


_QUERIES: dict[type, Any] = {app.Query: queries.on_query, Heartbeat: _nothing}
_APPLICATION: dict[type, Any] = {
    Heartbeat: _nothing,
    Goodbye: applications.on_goodbye,
    app.Define: applications.on_define,
    app.Submit: applications.on_submit,
    app.Delivered: delivery.on_delivered,
    app.CancelTasks: applications.on_cancel,
    app.PushSystem: systems.on_push,
    app.Output: relay.on_host_output,
    app.Progress: relay.on_host_progress,
    app.Query: queries.on_query,
}
_HANDLERS: dict[str, dict[type, Any]] = {
    "submit": _APPLICATION,
    "host": {
        **_APPLICATION,
        Goodbye: systems.on_goodbye,
        app.Finished: systems.on_finished,
        app.SystemDone: systems.on_done,
        app.Checkpoint: checkpoints.on_checkpoint,
    },
    "execute": {
        Heartbeat: _nothing,
        Goodbye: workers.on_goodbye,
        work.Outcomes: workers.on_outcomes,
        work.Want: workers.on_want,
        work.Recalled: workers.on_recalled,
        app.Output: relay.on_worker_output,
        app.Progress: relay.on_worker_progress,
        work.CapacityChanged: workers.on_capacity,
        work.Checkpoints: checkpoints.on_task_checkpoints,
        work.Evicted: data.on_evicted,
        work.Need: data.on_need,
    },
    "observe": {**_QUERIES, Goodbye: queries.on_goodbye},
    "admin": {**_QUERIES, Goodbye: queries.on_goodbye},
}
