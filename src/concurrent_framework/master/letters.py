"""Dead letters: failed tasks that are kept for a while, to be looked at and attempted again. PURE.

They outlive their application. What they hold is bounded in number for each application, in bytes
and in time over all; the oldest go first.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.spec import CodeBlob, TaskSpec
from concurrent_framework.protocol.application import PushSystem
from concurrent_framework.protocol.tasks import NewTask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, MasterState, TaskRecord

OVERHEAD = 1000
"""Bytes that a letter counts beside its texts and its data."""


class Remains(Struct):
    """What a task system that failed can begin again with.

    Args:
        push: the system, as it was pushed.
        code: digests of the code it needs.
        application: number of the application that its tasks belonged to.
        data: shared objects of its application that it refers to.
        facts: what a journal would hold of its last checkpoint and of all that this counts on; empty
            if it has to begin at its beginning.
        rollbacks: the fence of its tasks has been as high as this.

    """

    push: PushSystem
    code: tuple[str, ...]
    application: int
    data: tuple[CodeBlob, ...] = ()
    facts: bytes = b""
    rollbacks: int = 0

    @property
    def size(self) -> int:
        """Bytes it counts, without code."""
        payload = len(self.push.payload)  # type: ignore[arg-type]  # it is bytes here
        return payload + len(self.facts) + sum(len(blob.data) for blob in self.data)


class Letter(Struct):
    """A task that failed for good, as it was submitted, or a task system (without `task`).

    Args:
        key: the task.
        name: what people call it.
        application: number of its application (of the system's own for a system's task).
        owner: number of the application that people know.
        application_name: what people call that.
        session: its session, to derive that of a recovered one from.
        failure: why, with the certificate.
        ended: when, on the core's clock.
        spec: how it is treated, and its code.
        task: the task; None for a system.
        retried: key of the task that it was submitted again as; 0 if it was not.
        remains: what a system can begin again with; None if that is too much to be kept.

    """

    key: int
    name: str
    application: int
    owner: int
    application_name: str
    session: str
    failure: Failure
    ended: float
    spec: TaskSpec | None = None
    task: NewTask | None = None
    retried: int = 0
    remains: Remains | None = None

    @property
    def size(self) -> int:
        """Bytes it counts."""
        failure = self.failure
        payload = b"" if self.task is None else self.task.payload
        texts = len(failure.traceback) + len(failure.certificate.stderr) + len(failure.exception)
        kept = 0 if self.remains is None else self.remains.size
        return OVERHEAD + texts + len(payload) + kept  # type: ignore[arg-type]  # it is bytes here

    @property
    def digests(self) -> tuple[str, ...]:
        """The code it needs."""
        if self.remains is not None:
            return self.remains.code
        return () if self.spec is None else self.spec.code.digests()


class Letters:
    """All dead letters of a master, the oldest first.

    Args:
        per_application: how many of one application are kept; 0 for none at all.
        size: how many bytes they take together at most.
        seconds: how long they are kept.

    """

    def __init__(self, per_application: int, size: int, seconds: float) -> None:
        self._limit = per_application
        self._most = size
        self._seconds = seconds
        self._letters: dict[int, Letter] = {}
        self._of: dict[int, dict[int, None]] = {}
        """By the number of the application: its letters' keys, the oldest first."""
        self._digests: Counter[str] = Counter()
        self.bytes = 0
        self.written: set[str] = set()
        """Code that the journal holds for letters."""
        self.retries: dict[int, int] = {}
        """Tasks under way that are attempts to save a letter: their keys to that letter's."""

    def __len__(self) -> int:
        return len(self._letters)

    @property
    def room(self) -> int:
        """Bytes that one letter may take, so that it does not drive out all others."""
        return self._most // 4

    def get(self, key: int) -> Letter | None:
        """Return a task's letter, None if there is none."""
        return self._letters.get(key)

    def of(self, application: int | None = None) -> list[Letter]:
        """Return the letters of an application and its systems, or all, the oldest first."""
        if application is None:
            return list(self._letters.values())
        return [
            letter
            for letter in self._letters.values()
            if application in (letter.owner, letter.application)
        ]

    def holds(self, digest: str) -> bool:
        """Whether a letter needs this code."""
        return self._digests[digest] > 0

    def add(self, letter: Letter) -> set[str]:
        """Keep a letter; returns the code of those that had to go for it."""
        freed = self.remove(letter.key)
        if not self._limit:
            return freed
        self._letters[letter.key] = letter
        theirs = self._of.setdefault(letter.owner, {})
        theirs[letter.key] = None
        self._digests.update(letter.digests)
        self.bytes += letter.size
        if len(theirs) > self._limit:
            freed |= self.remove(next(iter(theirs)))
        while self.bytes > self._most:
            freed |= self.remove(next(iter(self._letters)))
        return freed

    def remove(self, key: int) -> set[str]:
        """Forget a letter; returns its code."""
        letter = self._letters.pop(key, None)
        if letter is None:
            return set()
        self.bytes -= letter.size
        theirs = self._of[letter.owner]
        del theirs[letter.key]
        if not theirs:
            del self._of[letter.owner]
        self._let_go(letter.digests)
        self.retries.pop(letter.retried, None)
        return set(letter.digests)

    def expire(self, now: float) -> set[str]:
        """Forget those whose time is over; returns their code."""
        freed: set[str] = set()
        while self._letters:
            oldest = next(iter(self._letters.values()))
            if now - oldest.ended <= self._seconds:
                break
            freed |= self.remove(oldest.key)
        return freed

    def replace_remains(self, letter: Letter, remains: Remains | None) -> set[str]:
        """Keep something else of a failed system; returns the code that may not be needed any more."""
        before = letter.digests
        self.bytes -= letter.size
        letter.remains = remains
        self.bytes += letter.size
        self._digests.update(letter.digests)
        self._let_go(before)
        return set(before)

    def _let_go(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._digests[digest] -= 1
            if not self._digests[digest]:
                del self._digests[digest]

    def submitted_again(self, letter: Letter, key: int) -> None:
        """Note that a letter's task is attempted again, as another task."""
        letter.retried = key
        self.retries[key] = letter.key

    def settled(self, key: int, kind: str) -> set[str]:
        """Note what came of such an attempt: ``""`` for a result, or the kind of its failure.

        The letter goes unless the attempt was cancelled: a new failure has a letter of its own.
        """
        origin = self.retries.pop(key, 0)
        letter = self._letters.get(origin)
        if letter is None:
            return set()
        letter.retried = 0
        return set() if kind == "cancelled" else self.remove(origin)

    def abandoned(self, keys: Iterable[int]) -> None:
        """Note that these tasks are gone with their application; some may have been such attempts."""
        for key in self.retries.keys() & set(keys):
            letter = self._letters.get(self.retries.pop(key, 0))
            if letter is not None:
                letter.retried = 0


def keep(
    state: MasterState,
    application: ApplicationRecord,
    record: TaskRecord,
    failure: Failure,
    now: float,
) -> None:
    """Keep a failed task; one that was cancelled did not fail."""
    if failure.kind == "cancelled":
        return
    owner = state.owner_of(application)
    letter = Letter(
        record.key,
        record.task.name,
        application.number,
        owner.number,
        owner.name,
        owner.session,
        failure,
        now,
        record.spec.spec,
        record.task,
    )
    drop_code(state, state.letters.add(letter))


def keep_system(
    state: MasterState,
    owner: ApplicationRecord,
    key: int,
    name: str,
    failure: Failure,
    now: float,
    remains: Remains | None,
) -> None:
    """Keep a task system that failed, with what it can begin again with."""
    letter = Letter(key, name, owner.number, owner.number, owner.name, owner.session, failure, now)
    letter.remains = remains
    drop_code(state, state.letters.add(letter))


def attempt_ended(reactor: MasterReactor, key: int, failure: Failure | None) -> None:
    """Note what came of a task or a system, in case it was an attempt to save a letter."""
    letters = reactor.state.letters
    origin = letters.retries.get(key)
    if origin is not None:
        freed = letters.settled(key, "" if failure is None else failure.kind)
        drop_code(reactor.state, freed)
        reactor.journal.letter(origin)


def drop_code(state: MasterState, digests: set[str]) -> None:
    """Forget code that no application and no dead letter needs any more."""
    free = {digest for digest in digests if not state.letters.holds(digest)}
    if not free:
        return
    for application in state.applications.values():
        free -= application.digests
        free -= application.shares
    for digest in free:
        state.codes.pop(digest, None)
        for worker in state.workers.values():
            worker.digests.discard(digest)
