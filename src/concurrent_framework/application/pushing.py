"""From the user's objects to rows, and back from sequences to the objects."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from concurrent_framework.application import events as on
from concurrent_framework.application.arrays import Arrays
from concurrent_framework.application.receipt import PushReceipt
from concurrent_framework.application.sharing import Sharing
from concurrent_framework.model.errors import UsageError, error_from
from concurrent_framework.protocol.application import PushSystem
from concurrent_framework.protocol.tasks import MAX_PAYLOAD_BYTES, NewTask
from concurrent_framework.tasks.payload import dump_state
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from concurrent_framework.application.arrays import SliceEnd, TaskArray
    from concurrent_framework.application.commands import PushRejected
    from concurrent_framework.application.session import ApplicationSession
    from concurrent_framework.protocol.tasks import Outcome, SpecEntry
    from concurrent_framework.tasks.arrays import Slice
    from concurrent_framework.tasks.shared import Shared
    from concurrent_framework.tasks.specs import SpecBook

_set = object.__setattr__  # also where a class is frozen
FEED_TASKS = 1024
FEED_SECONDS = 0.004
DRAW_TASKS = 10_000
DRAW_SECONDS = 0.05


class _Single(NamedTuple):
    """A push of one task or system that wants to be told of its acceptance."""

    last: int
    item: Any


class Feeder:
    """An iterable that is drawn lazily, and how far it has come.

    Attributes:
        array: the array whose slices it yields, if any.
        listed: its tasks are all made already.
        count: how many have been drawn.
        first, last: their sequences.
        exhausted: there are no more.
        allowance: how many may be drawn although there is no room.


    """

    __slots__ = ("allowance", "array", "count", "exhausted", "first", "last", "listed", "tasks")

    def __init__(self, tasks: Iterable[Task], array: TaskArray | None = None) -> None:
        self.tasks: Iterator[Task] = iter(tasks)
        self.array = array
        self.listed = isinstance(tasks, list | tuple)
        self.count = 0
        self.first = 0
        self.last = 0
        self.exhausted = False
        self.allowance = DRAW_TASKS


class Pushing:
    """Everything one application or system host has pushed and that has not ended.

    Args:
        session: numbers what is pushed.
        book: knows specs and code.
        client_id: what tasks that have no `client_id` get.
        pushed: told after each push; makes sure that it leaves.
        executors: tells how many tasks the swarm can run at a time.
        receipts: whether somebody wants `PushReceipt`s for single pushes.
        clock: monotonic time in seconds.
        dump: pickles the state of tasks and systems.

    """

    def __init__(
        self,
        session: ApplicationSession,
        book: SpecBook,
        client_id: str,
        pushed: Callable[[], None],
        executors: Callable[[], int],
        *,
        receipts: bool = False,
        clock: Callable[[], float] = time.monotonic,
        dump: Callable[[Any], bytes] = dump_state,
    ) -> None:
        self.book = book
        self.dump = dump
        self.items: dict[int, Any] = {}
        """The very instances that were pushed, tasks and systems, by sequence."""
        self.classes: dict[int, type] = {}
        """The classes of tasks by the number of their spec."""
        self.sharing = Sharing()
        self.arrays = Arrays(executors, self.sharing)
        self.count = 0
        self._session = session
        self._client_id = client_id
        self._pushed = pushed
        self._receipts = receipts
        self._clock = clock
        self._feeders: deque[Feeder] = deque()
        self._singles: deque[_Single] = deque()
        self._bulks: deque[Feeder] = deque()

    def push(self, task: Task) -> None:
        """Push one task; raises UsageError or NotSerializable if it cannot be one."""
        if not isinstance(task, Task):
            message = f"push_task takes a Task, not {task!r:.200}"
            raise UsageError(message)
        sequence = self._push(task)
        if self._receipts:
            self._singles.append(_Single(sequence, task))
        self._pushed()

    def push_lazily(self, tasks: Iterable[Task]) -> Feeder:
        """Push what an iterable yields, drawing it no further than the window allows."""
        if not isinstance(tasks, Iterable):
            kind = "an async iterable" if isinstance(tasks, AsyncIterable) else repr(tasks)[:200]
            message = f"push_tasks takes an iterable of tasks (a list, a generator …), not {kind}"
            raise UsageError(message)
        feeder = Feeder(tasks)
        self._feeders.append(feeder)
        self._bulks.append(feeder)
        return feeder

    def push_map(
        self, function: Any, items: Any, options: dict[str, Any], *, collect: bool
    ) -> TaskArray:
        """Call a function with each of some items, in slices that are drawn lazily."""
        array = self.arrays.open(function, items, options, collect=collect)
        self._feeders.append(Feeder(self.arrays.slices(array), array))
        return array

    def share(self, value: Any) -> Shared:
        """Return a reference to an object; raises UsageError where it could not be found again."""
        if self.dump is not dump_state:
            message = (
                "share needs application.pickler=pickle: in what another pickler makes, references "
                "to shared objects cannot be found"
            )
            raise UsageError(message)
        return self.sharing.share(value)

    def slice_ended(self, task: Slice, outcome: Outcome) -> SliceEnd:
        """Take in the end of a slice; push what is to be tried again in smaller ones."""
        end = self.arrays.ended(task, outcome)
        for part in end.again:
            self._push(part)
        if end.again:
            self._pushed()
        return end

    def push_system(self, system: Any) -> int:
        """Push a task system; returns its sequence."""
        cls = type(system)
        if self.items.get(getattr(system, "system_id", None) or 0) is system:
            message = f"{system!r} has been pushed already and has not ended: make another one"
            raise UsageError(message)
        payload = self.dump(system)
        if len(payload) > MAX_PAYLOAD_BYTES:
            _refuse_size(system, payload)
        reference = self.book.reference_for(cls)
        shares = self.sharing.used_by(payload, system) if self.sharing.active else ()
        self._define((*shares, *reference.data))
        sequence = self._session.outbox.next_sequence
        name = str(getattr(system, "name", "") or cls.__name__)
        self._session.outbox.push_system(PushSystem(sequence, name, reference, payload))
        self.items[sequence] = system
        _set(system, "system_id", sequence)
        self._singles.append(_Single(sequence, system))
        self._pushed()
        return sequence

    @property
    def hungry(self) -> bool:
        """Whether an iterable has not been exhausted yet."""
        return bool(self._feeders)

    @property
    def eager(self) -> bool:
        """Whether something ought to be drawn now: of arrays that have much under way, nothing."""
        return bool(self._feeders) and self._next_feeder() is not None

    def outstanding(self, told: int) -> int:
        """Return how many tasks and systems have not ended, as far as the user's code knows.

        Args:
            told: outcomes that it has been told of and that are not acknowledged yet.

        """
        outbox = self._session.outbox
        return outbox.outstanding + outbox.unhandled - told + len(self._feeders)

    def feed(self, room: int) -> bool:
        """Draw up to `room` tasks, for a few milliseconds; True if an iterable was exhausted."""
        feeders = self._feeders
        ended = False
        clock = self._clock
        until = clock() + FEED_SECONDS
        for _ in range(min(room, FEED_TASKS)):
            feeder = self._next_feeder()
            if feeder is None or clock() >= until:
                break
            if not self._draw(feeder):
                feeders.remove(feeder)
                ended = True
        return ended

    def draw_all(self, source: Feeder | None) -> bool:
        """Push what all iterables have left, however much room there is; whether that was all.

        The tasks of lists are in memory anyway. Of generators other than `source`, which is left
        alone, a limited number of tasks is drawn, and for a limited time.
        """
        until = self._clock() + DRAW_SECONDS
        for feeder in self._feeders:
            if feeder is not source or feeder.listed:
                while feeder.listed or self._may_draw(feeder, until):
                    feeder.allowance -= 1
                    if not self._draw(feeder):
                        break
        self._feeders = deque(feeder for feeder in self._feeders if not feeder.exhausted)
        return all(feeder is source for feeder in self._feeders)

    def sequences_of(self, what: Any) -> tuple[int, ...]:
        """Return the sequences of those of one or several tasks and systems that have not ended."""
        several = () if hasattr(what, "task_id") or hasattr(what, "system_id") else what
        if not isinstance(several, Iterable):
            message = f"cancel takes tasks or task systems, not {what!r:.200}"
            raise UsageError(message)
        return tuple(
            sequence
            for item in several or (what,)
            for sequence in (getattr(item, "task_id", None), getattr(item, "system_id", None))
            if isinstance(sequence, int) and self.items.get(sequence) is item
        )

    def cancel_array(self, array: TaskArray) -> on.CancelAsked | None:
        """Draw nothing more of an array; return how to cancel what has been, None if it has ended."""
        cls = self.arrays.class_of(array)
        if cls is None or array.cancelled:
            return None
        for feeder in [one for one in self._feeders if one.array is array]:
            self._stop(feeder)
        array.cancelled = True
        sequences = tuple(sequence for sequence, item in self.items.items() if type(item) is cls)
        specs = tuple(number for number, known in self.classes.items() if known is cls)
        return on.CancelAsked(sequences, specs=specs)

    def stop_feeding(self) -> None:
        """Draw nothing more."""
        for feeder in list(self._feeders):
            self._stop(feeder)
        for drawing in self.arrays.drawings.values():
            drawing.array.cancelled = True

    def _stop(self, feeder: Feeder) -> None:
        self._feeders.remove(feeder)
        feeder.exhausted = True
        close = getattr(feeder.tasks, "close", None)
        if close is not None:
            close()
        if feeder.array is not None:
            feeder.array.exhausted = True

    def _next_feeder(self) -> Feeder | None:
        """Return the first that should be drawn from now."""
        for feeder in self._feeders:
            if feeder.array is None or self.arrays.wants(feeder.array):
                return feeder
        return None

    def accepted(self, through: int) -> list[PushReceipt]:
        """Return the receipts for what is safe now."""
        told = []
        while self._singles and self._singles[0].last <= through:
            told.append(PushReceipt(1, self._singles.popleft().item))
        bulks = self._bulks
        while bulks and bulks[0].exhausted and bulks[0].last <= through:
            told.append(PushReceipt(bulks.popleft().count))
        return told

    def rejected(self, rejection: PushRejected) -> PushReceipt | None:
        """Forget what the master did not take and return the receipt; None if only slices are left.

        Slices stay among `items`: they are told as their arrays' items.
        """
        first, count = rejection.first, rejection.count
        arrays = self.arrays.drawings
        sequences = [
            n for n in range(first, first + count) if type(self.items.get(n)) not in arrays
        ]
        if not sequences:
            return None
        count = len(sequences)
        items = [self.items.pop(n, None) for n in sequences]
        in_bulk = count > 1 or any(one.first <= first <= one.last for one in self._bulks)
        last = rejection.first + rejection.count
        self._singles = deque(one for one in self._singles if not first <= one.last < last)
        return PushReceipt(count, None if in_bulk else items[0], error_from(rejection.failure))

    def rejected_slices(self, rejection: PushRejected) -> list[Slice]:
        """Forget and return the slices among what the master did not take."""
        sequences = range(rejection.first, rejection.first + rejection.count)
        slices = [self.items.pop(sequence, None) for sequence in sequences]
        return [one for one in slices if one is not None]

    def _may_draw(self, feeder: Feeder, until: float) -> bool:
        waiting = self._session.outbox.waiting_tasks
        return feeder.allowance > 0 and waiting < DRAW_TASKS and self._clock() < until

    def _draw(self, feeder: Feeder) -> bool:
        """Push the next task of an iterable; False if there is none."""
        try:
            task = next(feeder.tasks)
        except StopIteration:
            feeder.exhausted = True
            return False
        if not isinstance(task, Task):
            message = f"push_tasks was given {task!r:.200}, which is no Task"
            raise UsageError(message)
        feeder.last = self._push(task)
        feeder.first = feeder.first or feeder.last
        feeder.count += 1
        return True

    def push_again(self, row: NewTask, task: Task) -> None:
        """Push what an earlier process had pushed when its state was taken down."""
        sequence = self._session.push(row)
        _set(task, "task_id", sequence)
        self.items[sequence] = task

    def _push(self, task: Task) -> int:
        known = task.task_id
        if known is not None and self.items.get(known) is task:
            message = f"{task!r} has been pushed already and has not ended: make another instance"
            raise UsageError(message)
        sharing = self.sharing.active
        number = -1 if sharing else self.book.number_for(task)
        if task.client_id is None:
            _set(task, "client_id", self._client_id)
        payload = self.dump(task)
        if len(payload) > MAX_PAYLOAD_BYTES:
            _refuse_size(task, payload)
        shares: tuple[str, ...] = ()
        if sharing:
            shares = self.sharing.used_by(payload, task)
            number = self.book.number_for(task, shares)
        if number not in self.classes:
            self.classes[number] = type(task)
        row = NewTask(number, str(task.name), payload)
        if sharing:
            shares = (*shares, *self.book.reference_for(type(task)).data)
        self._define(shares)
        sequence = self._session.push(row)
        _set(task, "task_id", sequence)
        self.items[sequence] = task
        self.count += 1
        return sequence

    def learn(self, specs: Sequence[SpecEntry]) -> None:
        """Take in specs that the master has numbered: tasks that tasks make may be of classes here."""
        self.classes |= self.book.classes_of(specs)
        if shares := [digest for entry in specs for digest in entry.spec.data()]:
            self.sharing.adopt(shares)

    def release(self) -> None:
        """Tell the master of shared objects that nothing refers to any more."""
        if self.sharing.active:
            self._define()

    def _define(self, shares: tuple[str, ...] = ()) -> None:
        sharing = self.sharing
        if not sharing.active:
            if not self.book.news:
                return
            define = self.book.new_definitions()
        else:
            released = sharing.released()
            for digest in released:
                self.book.forget(digest)
            define = self.book.new_definitions(sharing.take(shares), released)
        if define is not None:
            self._session.outbox.define(define)


def _refuse_size(item: Any, payload: bytes) -> NoReturn:
    message = (
        f"{item!r:.200} takes {len(payload) / 2**20:.0f} MiB, {MAX_PAYLOAD_BYTES >> 20} MiB at "
        "most: let it read its data where it runs, from a file for instance"
    )
    raise UsageError(message)
