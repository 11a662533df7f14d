"""The shared objects a worker has: within a limit, and never missing to a task that runs. PURE.

What tasks that are held need stays. Of the rest, what was not used for longest goes when the limit
is exceeded, and the master is told. A task that comes when its data has just gone waits here until
the master has sent it again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.model.ids import application_of, application_of_spec
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.model.spec import DATA
from concurrent_framework.protocol.tasks import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry


class Arrival(NamedTuple):
    """What becomes of tasks that have come: which may run, and which digests to ask for."""

    ready: list[Assigned]
    missing: tuple[str, ...]


class SharedData:
    """Books of shared objects.

    Args:
        limit: bytes that are kept beyond what is needed just now, >= 0.
        worker: name of the worker, for death certificates.

    """

    def __init__(self, limit: int, worker: str) -> None:
        self.limit = limit
        self.needs: dict[int, tuple[str, ...]] = {}
        """What tasks that are held need, by their keys."""
        self._worker = worker
        self._sizes: dict[str, int] = {}
        self._specs: dict[int, tuple[str, ...]] = {}
        self._uses: Counter[str] = Counter()
        self._waiting: dict[int, Assigned] = {}
        self._asked: set[str] = set()

    @property
    def digests(self) -> tuple[str, ...]:
        """What is here."""
        return tuple(self._sizes)

    def learn(self, specs: Iterable[SpecEntry], codes: Iterable[CodeBlob]) -> list[Assigned]:
        """Take in specs and data; return the tasks that have waited for it."""
        for entry in specs:
            shares = entry.spec.data()
            if shares:
                self._specs[entry.number] = shares
        before = len(self._sizes)
        for blob in codes:
            if blob.kind == DATA:
                self._sizes[blob.digest] = len(blob.data)
                self._asked.discard(blob.digest)
        if len(self._sizes) == before or not self._waiting:
            return []
        ready = [one for one in self._waiting.values() if not self._missing(one.key)]
        for one in ready:
            del self._waiting[one.key]
        return ready

    def arrive(self, tasks: list[Assigned]) -> Arrival:
        """Take in tasks."""
        if not self._specs:
            return Arrival(tasks, ())
        ready = []
        missing: dict[str, None] = {}
        for task in tasks:
            shares = self._specs.get(task.spec)
            if shares is not None:
                self._hold(task.key, shares)
                lacking = self._missing(task.key)
                if lacking:
                    self._waiting[task.key] = task
                    missing.update(dict.fromkeys(lacking))
                    continue
            ready.append(task)
        new = tuple(digest for digest in missing if digest not in self._asked)
        self._asked.update(new)
        return Arrival(ready, new)

    def ended(self, keys: Iterable[int]) -> None:
        """Note that tasks are held no more."""
        for key in keys:
            self._let_go(key)

    def give_back(self, limit: int) -> list[tuple[int, int]]:
        """Give back tasks that wait for data, the newest first."""
        chosen = list(self._waiting.values())[::-1][:limit]
        self._drop(one.key for one in chosen)
        return [(one.key, one.attempt) for one in chosen]

    def cancel(self, tasks: Iterable[tuple[int, int]]) -> list[Outcome]:
        """Return the outcomes of those tasks that wait for data."""
        chosen = [self._waiting[key] for key, _ in tasks if key in self._waiting]
        text = "it was cancelled before it ran"
        failure = Failure("cancelled", "TaskCancelled", text, certificate=Certificate(self._worker))
        return self._fail(chosen, failure)

    def forget(self, application: int) -> tuple[str, ...]:
        """Drop what only this application's tasks need; return the digests."""
        dropped = {
            one
            for number, shares in self._specs.items()
            if application_of_spec(number) == application
            for one in shares
        }
        self._specs = {
            number: shares
            for number, shares in self._specs.items()
            if application_of_spec(number) != application
        }
        self._drop([key for key in self._waiting if application_of(key) == application])
        self.ended([key for key in self.needs if application_of(key) == application])
        dropped -= {one for shares in self._specs.values() for one in shares}
        return self._evict(digest for digest in dropped if digest in self._sizes)

    def gone(self, digests: Sequence[str]) -> tuple[tuple[str, ...], list[Outcome]]:
        """Take in that nobody has these; return what was dropped, and outcomes of what waits."""
        self._asked.difference_update(digests)
        unused = [one for one in digests if one in self._sizes and not self._uses[one]]
        text = f"the shared object {digests[0][:12]} that it refers to has been released"
        failure = Failure("failed", "UsageError", text, certificate=Certificate(self._worker))
        lost = set(digests).difference(self._sizes)
        chosen = [one for one in self._waiting.values() if not lost.isdisjoint(self.needs[one.key])]
        return self._evict(unused), self._fail(chosen, failure)

    def ask_again(self) -> tuple[str, ...]:
        """Return all that tasks wait for, after a new greeting."""
        self._asked = {one for key in self._waiting for one in self._missing(key)}
        return tuple(sorted(self._asked))

    def trim(self) -> tuple[str, ...]:
        """Drop what was not used for longest until the limit is kept; return the digests."""
        excess = sum(self._sizes.values()) - self.limit
        chosen = []
        for digest, size in self._sizes.items():
            if excess <= 0:
                break
            if not self._uses[digest]:
                chosen.append(digest)
                excess -= size
        return self._evict(chosen)

    def _hold(self, key: int, shares: tuple[str, ...]) -> None:
        self._let_go(key)
        self.needs[key] = shares
        self._uses.update(shares)
        for digest in shares:
            if digest in self._sizes:
                self._sizes[digest] = self._sizes.pop(digest)

    def _let_go(self, key: int) -> None:
        self._uses.subtract(self.needs.pop(key, ()))

    def _missing(self, key: int) -> list[str]:
        return [digest for digest in self.needs[key] if digest not in self._sizes]

    def _drop(self, keys: Iterable[int]) -> None:
        for key in list(keys):
            del self._waiting[key]
            self._let_go(key)

    def _fail(self, tasks: list[Assigned], failure: Failure) -> list[Outcome]:
        self._drop(one.key for one in tasks)
        return [Outcome(one.key, one.attempt, failure=failure) for one in tasks]

    def _evict(self, digests: Iterable[str]) -> tuple[str, ...]:
        evicted = tuple(digests)
        for digest in evicted:
            del self._sizes[digest]
        return evicted
