"""What speaks against workers, beyond the end of their process and of the master's. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import facts
from concurrent_framework.master.agenda import NOBODY
from concurrent_framework.master.standing import KEPT, Standing
from concurrent_framework.model.ids import SPEC_BITS, SPEC_MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from concurrent_framework.master.state import MasterState, WorkerRecord

Machine = tuple[str, str]
"""The host of a worker that is gone, and its name."""
Judged = int | Machine
"""The number of a worker that is there, or what is left of one that is not."""


class Grounds:
    """What spoke against workers that are gone, for those that come after them on the same machine."""

    def __init__(self) -> None:
        self._left: dict[Machine, Standing] = {}

    def leave(self, worker: WorkerRecord) -> list[Machine]:
        """Keep what speaks against a worker that is gone; draining was about that process only.

        Returns what has changed: that, and the oldest if there is too much.
        """
        if not worker.host or not worker.standing.streak:
            return []
        return self.keep((worker.host, worker.name), worker.standing)

    def keep(self, machine: Machine, standing: Standing) -> list[Machine]:
        """Keep what spoke against one; returns what has changed."""
        self._left.pop(machine, None)
        self._left[machine] = standing
        changed = [machine]
        if len(self._left) > KEPT:
            changed.append(next(iter(self._left)))
            del self._left[changed[-1]]
        return changed

    def take(self, worker: WorkerRecord) -> tuple[Machine, Standing] | None:
        """Return what spoke against one before a new worker, and forget it.

        That is one of the same name, else any other on its machine.
        """
        here = [machine for machine in self._left if machine[0] == worker.host]
        if not here:
            return None
        machine = (worker.host, worker.name)
        found = machine if machine in here else here[0]
        return found, self._left.pop(found)

    def items(self) -> Iterable[tuple[Machine, Standing]]:
        """Return all there is, the oldest first."""
        return self._left.items()

    def get(self, machine: Machine) -> Standing | None:
        """Return what spoke against one."""
        return self._left.get(machine)


def evidence(state: MasterState, judged: Iterable[Judged]) -> Iterator[facts.Evidence]:
    """Tell how these stand now, but for workers that are gone."""
    for one in judged:
        if not isinstance(one, int):
            host, name = one
            yield _fact(state, 0, host, name, state.grounds.get(one) or Standing())
        elif one in state.workers:
            worker = state.workers[one]
            yield _fact(state, one, worker.host, worker.name, worker.standing)


def judged_in(fact: facts.Evidence) -> Judged:
    """Return of whom a fact tells."""
    return fact.worker or (fact.host, fact.name)


def recall(state: MasterState, found: Iterable[facts.Evidence], now: float) -> None:
    """Take in what an earlier master had against workers, in the order in which it was told.

    The wall clock may have been set meanwhile: nobody waits for a trial longer than from now on.
    """
    epoch = state.settings.epoch
    for fact in found:
        standing = Standing()
        standing.streak, standing.last = fact.streak, fact.last
        standing.began = fact.began - epoch
        standing.tasks = set(fact.tasks)
        for number, local in fact.specs:
            application = state.applications.get(number)
            if application is not None and local in application.specs:
                standing.specs.add(application.specs[local])
        if fact.interval:
            standing.quarantined, standing.interval = True, fact.interval
            standing.until = min(fact.until - epoch, now + fact.interval)
            state.agenda.add(standing.until, NOBODY)
        if not fact.worker:
            state.grounds.keep((fact.host, fact.name), standing)
        elif fact.worker in state.workers:
            standing.draining = state.workers[fact.worker].standing.draining
            state.workers[fact.worker].standing = standing


def _fact(
    state: MasterState, number: int, host: str, name: str, standing: Standing
) -> facts.Evidence:
    if not standing.streak:
        return facts.Evidence(number, host, name, 0)
    epoch = state.settings.epoch
    return facts.Evidence(
        number,
        host,
        name,
        standing.streak,
        epoch + standing.began,
        tuple(sorted(standing.tasks)),
        tuple(
            sorted((spec.number >> SPEC_BITS, spec.number & SPEC_MASK) for spec in standing.specs)
        ),
        standing.last,
        standing.interval if standing.quarantined else 0.0,
        epoch + standing.until if standing.quarantined else 0.0,
    )
