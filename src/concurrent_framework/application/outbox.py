"""What an application has pushed and the master has not accepted yet. PURE.

Rows are collected in the open batch. A batch that is full, or flushed, waits until the window lets
it leave; what has left is kept until the master has accepted it, to be sent again after a new
greeting. Order is never changed and sequences have no gaps.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.model.ids import FIRST_SPAWNED, SEQUENCE_MASK
from concurrent_framework.protocol.application import Define, PushSystem, Submit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.protocol.tasks import NewTask, Outcome

BATCH_TASKS = 256
BATCH_BYTES = 64 * 1024
LARGE = 1024
"""Payloads up to this many bytes count as nothing: the window's tasks bound them."""


class Entry(NamedTuple):
    """A message that waits for its acceptance: safe once `last` is accepted."""

    last: int
    message: Submit | PushSystem | Define
    tasks: int
    size: int


class Outbox:
    """Numbers what is pushed, and bounds how much of it is on its way.

    Args:
        window_tasks: tasks submitted and not yet handled, at most.
        window_bytes: the same in bytes of payload; a single larger task passes when it is alone.

    """

    def __init__(self, window_tasks: int = 1, window_bytes: int = 1) -> None:
        self.set_window(window_tasks, window_bytes)
        self.next_sequence = 1
        self.accepted = 0
        self.unfinished = 0
        """Tasks pushed that have no outcome yet, spawned ones included."""
        self.unhandled = 0
        """Outcomes that have arrived and that the user's code has not handled yet."""
        self._open: list[NewTask] = []
        self._open_bytes = 0
        self._open_large = 0
        self._waiting: deque[Entry] = deque()
        self._sent: deque[Entry] = deque()
        self.waiting_tasks = 0
        """Tasks in batches that are full or flushed and could not leave yet."""
        self._waiting_bytes = 0
        self._in_flight = 0
        self._bytes = 0
        self._sizes: dict[int, int] = {}
        self._systems: set[int] = set()
        self._inherited = 0
        self._added = 0

    def set_window(self, tasks: int, size: int) -> None:
        """Take another window."""
        self.window_tasks = tasks
        self.window_bytes = size
        # Several batches fit into a window, so that one can leave while others are at work.
        self._batch_tasks = max(min(BATCH_TASKS, tasks // 4), 1)

    def push(self, row: NewTask) -> int:
        """Add a task to the open batch and return its sequence."""
        size = len(row.payload)  # type: ignore[arg-type]
        sequence = self.next_sequence
        self.next_sequence = sequence + 1
        self.unfinished += 1
        self._open.append(row)
        self._open_bytes += size
        if size > LARGE:
            self._open_large += size
            self._sizes[sequence] = size
        if self._open_bytes >= BATCH_BYTES or len(self._open) >= self._batch_tasks:
            self.close_batch()
        return sequence

    def push_system(self, push: PushSystem) -> None:
        """Add a task system; its sequence must be `next_sequence`."""
        self.close_batch()
        self.next_sequence = push.sequence + 1
        self._systems.add(push.sequence)
        self._waiting.append(Entry(push.sequence, push, 0, 0))

    def define(self, message: Define) -> None:
        """Add what the rows pushed from now on refer to."""
        self.close_batch()
        self._waiting.append(Entry(self.next_sequence, message, 0, 0))

    def close_batch(self) -> None:
        """Let the open batch leave at the next opportunity."""
        if not self._open:
            return
        tasks, self._open = self._open, []
        first = self.next_sequence - len(tasks)
        entry = Entry(self.next_sequence - 1, Submit(first, tasks), len(tasks), self._open_large)
        self._waiting.append(entry)
        self.waiting_tasks += len(tasks)
        self._waiting_bytes += self._open_large
        self._open_bytes = self._open_large = 0

    @property
    def ready(self) -> bool:
        """Whether a batch that is full could leave now."""
        return self.waiting_tasks > 0 and self._fits(self._waiting[0])

    @property
    def settled(self) -> bool:
        """Whether everything that was pushed has been accepted.

        Definitions with nothing behind them have no acceptance, and need none.
        """
        entries = (*self._waiting, *self._sent)
        return not self._open and all(type(one.message) is Define for one in entries)

    @property
    def room(self) -> int:
        """How many more tasks a generator should be asked for; never negative."""
        if self._bytes + self._waiting_bytes + self._open_large >= self.window_bytes:
            return 0
        taken = self._in_flight + self.waiting_tasks + len(self._open) + self.unhandled
        return max(self.window_tasks - taken, 0)

    def take(self) -> list[Submit | PushSystem | Define]:
        """Return what may leave now, in order; it counts as sent from here on."""
        leaving: list[Submit | PushSystem | Define] = []
        while self._waiting and self._fits(self._waiting[0]):
            entry = self._waiting.popleft()
            self._sent.append(entry)
            self.waiting_tasks -= entry.tasks
            self._waiting_bytes -= entry.size
            self._in_flight += entry.tasks
            self._bytes += entry.size
            leaving.append(entry.message)
        return leaving

    def confirm(self, through: int) -> bool:
        """Forget what the master has accepted; False if that was known already."""
        if through <= self.accepted:
            return False
        self.accepted = through
        while self._sent and self._sent[0].last <= through:
            self._sent.popleft()
        return True

    def take_back(self) -> None:
        """After a new greeting: what was sent and is not accepted leaves again, in order."""
        while self._sent:
            entry = self._sent.pop()
            if type(entry.message) is Submit and entry.message.first <= self.accepted:
                entry = self._rest_of(entry, entry.message)
            self._in_flight -= entry.tasks
            self._bytes -= entry.size
            self._waiting.appendleft(entry)
            self.waiting_tasks += entry.tasks
            self._waiting_bytes += entry.size

    def unaccepted(self) -> list[Define | Submit]:
        """Return what was pushed and is not accepted yet, with its definitions, in order."""
        messages = [
            entry.message
            for entry in (*self._sent, *self._waiting)
            if not isinstance(entry.message, PushSystem)
        ]
        if self._open:
            messages.append(Submit(self.next_sequence - len(self._open), list(self._open)))
        return messages

    def finished(self, outcomes: Iterable[Outcome]) -> None:
        """Take note of outcomes that have arrived."""
        count = left = children = 0
        inherited, sizes = self._inherited, self._sizes
        for outcome in outcomes:
            count += 1
            children += outcome.children
            if inherited < (sequence := outcome.key & SEQUENCE_MASK) < FIRST_SPAWNED:
                left += 1
                if sizes:
                    self._bytes -= sizes.pop(sequence, 0)
        self.unfinished += children - count
        self._in_flight -= left
        self.unhandled += count

    def rejected(self, first: int, count: int) -> None:
        """Take note of tasks that the master did not take."""
        for sequence in range(first, first + count):
            if sequence in self._systems:
                self._systems.discard(sequence)
            else:
                self._leave(sequence)

    def system_ended(self, sequence: int) -> None:
        """Take note of the end of a task system; of one that was not pushed here, too."""
        if sequence in self._systems:
            self._systems.discard(sequence)
        else:
            self.unfinished -= 1
        self.unhandled += 1

    @property
    def outstanding(self) -> int:
        """Tasks and task systems that were pushed and have not ended."""
        return self.unfinished + len(self._systems)

    def added(self, total: int) -> None:
        """Take note of how many tasks the master has added by itself, all in all."""
        self.unfinished += max(total - self._added, 0)
        self._added = max(total, self._added)

    def inherit(self, accepted: int, unfinished: int, added: int) -> None:
        """Go on where an earlier process of this application stopped."""
        self._added = added
        self.next_sequence = accepted + 1
        self.accepted = self._inherited = accepted
        self.unfinished = unfinished

    def _rest_of(self, entry: Entry, message: Submit) -> Entry:
        known = self.accepted - message.first + 1
        size = sum(self._sizes.get(message.first + n, 0) for n in range(known))
        rest = Submit(self.accepted + 1, message.tasks[known:])
        return Entry(entry.last, rest, entry.tasks - known, entry.size - size)

    def _leave(self, sequence: int) -> None:
        self.unfinished -= 1
        if sequence <= self._inherited:
            return
        self._in_flight -= 1
        if self._sizes:
            self._bytes -= self._sizes.pop(sequence, 0)

    def _fits(self, entry: Entry) -> bool:
        taken = self._in_flight + self.unhandled
        if not entry.tasks or not taken:
            return True
        return (
            taken + entry.tasks <= self.window_tasks
            and self._bytes + entry.size <= self.window_bytes
        )
