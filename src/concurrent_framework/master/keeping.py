"""Between the core and its store: what a round decided is safe before anybody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import encoding, facts
from concurrent_framework.master.commands import Persist, Send
from concurrent_framework.master.compaction import SPARE_BYTES, STEP_BYTES, Compactor
from concurrent_framework.master.events import StorageBack, StorageFailed
from concurrent_framework.master.stored import Stored
from concurrent_framework.store.base import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.master.commands import Command
    from concurrent_framework.master.events import Event
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.store.base import IStore

FIRST_RETRY = 0.05
LAST_RETRY = 1.0


class Keeping:
    """Drives the core: carries out the commands of its rounds in order, each round's facts first.

    When the store takes nothing, a round is held back until it does, but for answers to those who only
    look; see `master.trouble` for what the core does meanwhile.

    Args:
        store: the open store; None for a master that keeps nothing.
        reactor: the core.
        perform: carries out any command but `Persist`.
        stored: what is known of the store from outside; the rest is filled in.
        spare: bytes up to which the journal is short enough.
        step: bytes of it that are looked at in one round.
        record: takes the facts of each round, and its time, too.

    """

    def __init__(
        self,
        store: IStore | None,
        reactor: MasterReactor,
        perform: Callable[[Command], None],
        *,
        stored: Stored | None = None,
        spare: int = SPARE_BYTES,
        step: int = STEP_BYTES,
        record: Callable[[Sequence[facts.Fact], float], None] | None = None,
    ) -> None:
        self._step = step
        self._record = record
        self._store = store
        self._stored = reactor.state.stored = None if store is None else stored or Stored()
        self._reactor = reactor
        self._perform = perform
        entries = 0 if store is None else store.size().entries
        self._compactor = Compactor(reactor.state, spare, entries)
        self._held: list[tuple[Persist, list[bytes], Sequence[Command]]] = []
        self._retry = FIRST_RETRY
        self._retry_at = 0.0
        self._long = False
        if store is not None:
            self._measured()

    def turn(self, events: Sequence[Event], now: float) -> None:
        """Let the core take in what has happened, and carry out what it wants."""
        while events:
            events = self._carry_out(self._reactor.handle(events, now), now)
        events = self._attend(now)
        while events:
            events = self._carry_out(self._reactor.handle(events, now), now)

    def deadline(self) -> float:
        """Return when `turn` is due, with `Tick` if nothing else happens."""
        due = self._reactor.deadline()
        if self._held:
            return min(due, self._retry_at)
        return self._reactor.now if self._long else due

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def _carry_out(self, commands: Sequence[Command], now: float) -> list[Event]:
        first = commands[0] if commands else None
        if self._record is not None and isinstance(first, Persist):
            self._record(first.facts, now)
        if self._store is None or not isinstance(first, Persist):
            self._perform_all(commands)
            return []
        data = encoding.encode(first.facts)
        if self._held:
            self._hold(first, data, commands[1:])
            return []
        try:
            self._store.append(*data)
        except StoreUnavailableError as error:
            self._hold(first, data, commands[1:])
            self._retry = FIRST_RETRY
            self._retry_at = now + self._retry
            return [StorageFailed(str(error))]
        self._compactor.wrote(first.facts, data)
        self._perform_all(commands[1:])
        self._long = self._compactor.due(self._measured())
        return []

    def _hold(self, first: Persist, data: list[bytes], commands: Sequence[Command]) -> None:
        self._held.append((first, data, self._answer(commands)))
        if self._stored is not None:
            self._stored.pending = len(self._held)

    def _measured(self) -> int:
        """Return the size of the journal, and let people see it."""
        assert self._store is not None
        size = self._store.size()
        if self._stored is not None:
            self._stored.entries, self._stored.bytes = size
            self._stored.pending = len(self._held)
        return size.bytes

    def _attend(self, now: float) -> list[Event]:
        """Try again what failed, or shorten the journal by a step."""
        if self._held:
            return self._try_again(now) if now >= self._retry_at else []
        if self._long:
            self._shorten()
        return []

    def _try_again(self, now: float) -> list[Event]:
        assert self._store is not None
        try:
            while self._held:
                first, data, commands = self._held[0]
                self._store.append(*data)
                self._compactor.wrote(first.facts, data)
                del self._held[0]
                self._measured()
                self._perform_all(commands)
        except StoreUnavailableError as error:
            self._retry = min(2 * self._retry, LAST_RETRY)
            self._retry_at = now + self._retry
            return [StorageFailed(str(error))]
        return [StorageBack()]

    def _shorten(self) -> None:
        assert self._store is not None
        data: Sequence[bytes] = ()
        through = self._compactor.droppable()
        if not through:
            entries = self._store.oldest(self._step)
            data = self._compactor.keep(entries)
            through = entries[-1].number
        try:
            self._store.replace(through, *(data or (b"",)))
        except StoreUnavailableError:
            # Nothing is lost by a long journal. If this lasts, the next round's facts tell of it.
            self._long = False
            return
        size = self._measured()
        self._compactor.dropped(through, data, size)
        self._long = self._compactor.due(size)

    def _answer(self, commands: Sequence[Command]) -> list[Command]:
        """Answer those who only look, and may look because of this; return what is held back."""
        peers = self._reactor.state.peers
        held = []
        for command in commands:
            who = peers.get(command.peer) if isinstance(command, Send) else None
            if who is not None and who.role == "observe":
                self._perform(command)
            else:
                held.append(command)
        return held

    def _perform_all(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self._perform(command)
