"""When a task system's state is taken down, and what goes into a checkpoint.

How far an array has come is not part of it: while one is under way, no checkpoint is taken, and going
back to the last one means that the array never was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.model.errors import NotSerializable
from concurrent_framework.protocol.application import Checkpoint, Define, Submit
from concurrent_framework.protocol.tasks import MAX_PAYLOAD_BYTES
from concurrent_framework.tasks.payload import dump_state

if TYPE_CHECKING:
    from concurrent_framework.application.system_run import SystemRun
    from concurrent_framework.protocol.tasks import Outcome, Payload

FIRST = 0.1
"""Seconds after which a system's first checkpoint is due: the first tasks are on their way then."""
INTERVAL = 1.0
"""Seconds between two checkpoints at least, unless much would have to be kept for the next one."""
PACE = 20
"""A checkpoint that took a second is followed by the next one after so many: 5 % at most."""
BYTES_PER_SECOND = 16 << 20
"""Checkpoints larger than this in bytes are further apart by so many seconds."""
KEPT_BYTES = 32 << 20
"""With results of so many bytes, or of the last checkpoint's size, the next one is due at once."""
OUTCOME_BYTES = 512
"""What an outcome takes at the master beside its result."""
AGAIN = 0.5
"""Seconds to wait for what stands in the way of a checkpoint that is due."""
AFTER_FAILURE = 30.0
"""Seconds until a state that could not be pickled is tried again."""


class SavedSystem(Struct, array_like=True):
    """What a checkpoint holds, opaque to the master.

    Args:
        system: the pickled state of the task system.
        drawn: tasks drawn from what `generate_tasks` returned, -1 if there are no more.
        counts: tasks pushed, finished, failed.
        seconds: run time of finished tasks.
        waiting: what the system had pushed and the master had not accepted, in order.

    """

    system: bytes
    drawn: int
    counts: tuple[int, int, int]
    seconds: float
    waiting: list[Define | Submit]


def saved(payload: Payload) -> SavedSystem:
    """Read the state of a `Checkpoint`."""
    return msgspec.msgpack.decode(payload, type=SavedSystem)  # type: ignore[arg-type]


class Checkpointing:
    """Takes down the state of one system, so rarely that it costs at most a few percent.

    Args:
        run: the system at work.

    Attributes:
        kept: the master has had one, of this host or of an earlier one.

    """

    def __init__(self, run: SystemRun) -> None:
        self.kept = False
        self._run = run
        self._clock = run.host.engine.clock
        self._wanted = False
        self._due = self._clock() + FIRST
        self._armed = False
        self._number = 0
        self._taken: tuple[int, ...] | None = None
        self._results = 0
        self._limit = KEPT_BYTES
        self._failed = False
        self._warned = False

    def want(self) -> None:
        """Have one taken as soon as the running callback has returned."""
        self._wanted = True
        self._run.host.engine.post(do.ConsiderCheckpoint())

    def lost(self) -> None:
        """Have one taken although nothing has happened since: the last did not arrive."""
        self._taken = None
        self.expect()

    def note(self, outcome: Outcome) -> None:
        """Count what the master has to keep until the next checkpoint."""
        self._results += OUTCOME_BYTES + len(outcome.result) + len(outcome.changes)  # type: ignore[arg-type]

    def due(self, now: float) -> bool:
        """Whether `consider` may find that it is time."""
        hurry = self._wanted or self._results >= self._limit
        return now >= self._due or (hurry and not self._failed)

    def consider(self) -> None:
        """Take one if it is time; to be called between two callbacks."""
        if not self.due(self._clock()):
            self.expect()
            return
        run, session = self._run, self._run.host.session
        if session.online and not session.checkpointing and not run.pushing.arrays.drawings:
            changed = self._wanted or self._place() != self._taken
            if not changed or run.pushing.draw_all(run.source):
                if changed:
                    self._take()
                return
        self.expect(AGAIN)

    def expect(self, at_least: float = 0.0) -> None:
        """Make sure that `consider` is called when it is time, if anything has happened since."""
        if not self._armed and (self._wanted or self._place() != self._taken):
            self._armed = True
            left = self._due - self._clock()
            self._run.host.engine.post_later(max(left, at_least), do.ConsiderCheckpoint())

    def arrived(self) -> None:
        """Consider one, as `expect` had arranged."""
        self._armed = False
        self.consider()

    def _place(self) -> tuple[int, ...]:
        """Return how far the system has come: what makes one checkpoint different from another."""
        outbox = self._run.host.session.outbox
        return (self._run.handled, outbox.accepted, outbox.next_sequence, self._run.drawn)

    def _take(self) -> None:
        began = self._clock()
        self._wanted = False
        self._results = 0
        try:
            system = dump_state(self._run.system)
        except NotSerializable as error:
            self._refuse(str(error), began)
            return
        outbox, stats = self._run.host.session.outbox, self._run.current_stats()
        state = msgspec.msgpack.encode(
            SavedSystem(
                system,
                self._run.drawn,
                (stats.pushed, stats.finished, stats.failed),
                stats.task_seconds,
                outbox.unaccepted(),
            )
        )
        if len(state) > MAX_PAYLOAD_BYTES:
            self._refuse(f"its state takes more than {MAX_PAYLOAD_BYTES >> 20} MiB", began)
            return
        self._failed = False
        self.kept = True
        self._number += 1
        self._taken = self._place()
        checkpoint = Checkpoint(self._number, self._run.handled, outbox.accepted, state)
        self._run.host.engine.handle(on.Handled(self._run.handled), on.CheckpointTaken(checkpoint))
        self._limit = max(KEPT_BYTES, len(state))
        now = self._clock()
        pause = max(INTERVAL, PACE * (now - began), len(state) / BYTES_PER_SECOND)
        self._due = now + pause

    def _refuse(self, problem: str, began: float) -> None:
        """Say once that the system cannot be restored, or not from a later state than before."""
        now = self._clock()
        self._failed = True
        self._due = now + max(AFTER_FAILURE, PACE * (now - began))
        self._taken = self._place()
        if not self._warned:
            self._warned = True
            then = "from its last checkpoint" if self.kept else "from its beginning"
            self._run.log.warning(
                "no checkpoint can be made of %s, so after a crash it goes on %s: %s",
                self._run.name,
                then,
                problem,
            )
            self._run.host.teller.flush()
