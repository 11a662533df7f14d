"""What a master writes into its journal: a closed set of facts. PURE.

Replaying them in order gives the master's state again (`recovery`). A fact about something of which
nothing is known any more means nothing. What a task needs is told by `Submitted` or, after the journal
has been compacted, by `Kept` or `KeptEnded`, which restate everything about it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from concurrent_framework.master.letters import Letter
from concurrent_framework.model.errors import ConcurrentError
from concurrent_framework.model.outcome import Attempt
from concurrent_framework.model.resources import Capacity
from concurrent_framework.model.spec import CodeBlob
from concurrent_framework.protocol.application import PushSystem, SystemEnded
from concurrent_framework.protocol.tasks import NewTask, Outcome, Payload, SpecEntry

FORMAT = 2
"""Version of the encoding. A change of what is written needs another one, and a way to read this.

Version 1 had no `Evidence`.

Only fields with a default may be added to the end of a fact without one: whoever does not know them
passes over them."""

READABLE = (1, 2)
"""Versions that are read: what was added later has not come up in them."""


class JournalError(ConcurrentError):
    """What the journal holds cannot be read; the message says why, and what to do."""


class Life(Struct, array_like=True, tag=1, gc=False):
    """A master began on this journal.

    Args:
        number: counts the masters that there were, from 1; part of every attempt's number.
        next_application: no application has had this number, or a higher one.
        next_worker: no worker has.

    """

    number: int
    next_application: int = 1
    next_worker: int = 1


class Application(Struct, array_like=True, tag=2, gc=False):
    """How an application stands, whole: whatever was told of these figures before is outdated.

    Args:
        number: its number.
        session: its id.
        name: what people call it.
        parent: the application whose system it is; 0 for none.
        weight: its share of the swarm, relative to others.
        began: unix time in seconds.
        accepted: the highest sequence it was told is safe.
        next_spawned: the sequence of the next task that one of its tasks makes.
        knows_from: tasks below this sequence were pushed by an earlier process.
        first_number: number of the first outcome that it has not handled.
        finished: tasks that had a result.
        failed: tasks that had none.
        cancelled: tasks that were cancelled.
        detached: whether it left its work to whoever attaches.
        raised: what people have added to the priority of its tasks.
        paused: whether people hold it back.
        steered: whether people have set its weight, against what it says itself.
        added: tasks that people have had attempted again in it.
        origin: the application whose failed tasks it attempts again; 0 for none.
        rollbacks: how often it, a system's own, has gone back to a checkpoint.

    """

    number: int
    session: str
    name: str
    parent: int
    weight: float
    began: float
    accepted: int
    next_spawned: int
    knows_from: int
    first_number: int
    finished: int
    failed: int
    cancelled: int
    detached: bool
    raised: int = 0
    paused: bool = False
    steered: bool = False
    added: int = 0
    origin: int = 0
    rollbacks: int = 0


class Defined(Struct, array_like=True, tag=3, gc=False):
    """An application introduced specs, by its own numbers, code, and shared objects.

    Args:
        application: the application.
        specs: the specs.
        codes: code and shared objects.
        released: shared objects that it has released before it introduced these.

    """

    application: int
    specs: tuple[SpecEntry, ...]
    codes: tuple[CodeBlob, ...]
    released: tuple[str, ...] = ()


class Submitted(Struct, array_like=True, tag=4, gc=False):
    """Tasks were accepted, with the sequences ``first``, ``first + 1``, …, at a unix time.

    `root` is the pushed task that they descend from; 0 if they were pushed themselves.
    """

    application: int
    first: int
    rows: list[NewTask]
    at: float = 0.0
    root: int = 0


class Ended(Struct, array_like=True, tag=5, gc=False):
    """Tasks have their outcomes, which are to be delivered as ``first``, ``first + 1``, …

    They came at a unix time; 0 if that is not known.
    """

    application: int
    first: int
    outcomes: list[Outcome]
    at: float = 0.0


class Finishing(Struct, array_like=True, tag=6, gc=False):
    """A task has its outcome, and `finished` is to be called before it is delivered."""

    outcome: Outcome


class Delivered(Struct, array_like=True, tag=7, gc=False):
    """The application has handled every outcome up to this number."""

    application: int
    through: int


class ApplicationOver(Struct, array_like=True, tag=8, gc=False):
    """An application is gone, and everything that it had."""

    application: int


class Cancelled(Struct, array_like=True, tag=9, gc=False):
    """These tasks, which are at workers, are to be cancelled."""

    keys: list[int]


class Lost(Struct, array_like=True, tag=10, gc=False):
    """A task has come back from an attempt without an outcome.

    Args:
        key: the task.
        attempts: how many there were, with what of the number is not the master's life.
        losses: how many of them were lost with what ran them.
        history: those that are to be remembered.
        failures: how many of them failed in a way that the task is attempted again after.

    """

    key: int
    attempts: int
    losses: int
    history: tuple[Attempt, ...]
    failures: int = 0


class Handed(Struct, array_like=True, tag=11, gc=False):
    """A task that must not run twice is about to be handed to a worker, or was not started there.

    Args:
        key: the task.
        attempt: the attempt.
        worker: the worker; 0 if it has given the task back unstarted.

    """

    key: int
    attempt: int
    worker: int


class WorkerJoined(Struct, array_like=True, tag=12, gc=False):
    """A worker is there, in this process, and offers this; people may want it to get nothing new."""

    number: int
    session: str
    name: str
    draining: bool = False
    capacity: Capacity | None = None
    host: str = ""
    pid: int = 0


class WorkerGone(Struct, array_like=True, tag=13, gc=False):
    """A worker is not there any more."""

    number: int


class SystemPushed(Struct, array_like=True, tag=14, gc=False):
    """A task system was accepted."""

    application: int
    push: PushSystem


class SystemStarted(Struct, array_like=True, tag=15, gc=False):
    """A system runs as an application of its own, `child`, for the `attempt`-th time."""

    application: int
    sequence: int
    child: int
    attempt: int


class SystemOver(Struct, array_like=True, tag=16, gc=False):
    """A system has ended; what came of it is to be delivered under the number that it carries."""

    application: int
    ended: SystemEnded


class Kept(Struct, array_like=True, tag=17, gc=False):
    """Compaction: tasks that have no outcome yet, and when they were submitted, in unix time.

    For a system's tasks also what they descend from, and after how many rollbacks they were pushed.
    """

    application: int
    sequences: list[int]
    rows: list[NewTask]
    at: list[float]
    roots: list[int] = []
    fences: list[int] = []


class KeptEnded(Struct, array_like=True, tag=18, gc=False):
    """Compaction: tasks whose outcomes have not been handled, and the numbers of these.

    For a system's tasks also what they descend from.
    """

    application: int
    numbers: list[int]
    outcomes: list[Outcome]
    rows: list[NewTask]
    roots: list[int] = []


class Failed(Struct, array_like=True, tag=19, gc=False):
    """A task that failed is kept for people, as it stands now; its `ended` is a unix time."""

    letter: Letter


class Unfailed(Struct, array_like=True, tag=20, gc=False):
    """A task that failed need not be kept for people any longer."""

    key: int


class FailedCode(Struct, array_like=True, tag=21, gc=False):
    """Code that failed tasks need which are kept for people."""

    code: CodeBlob


class History(Struct, array_like=True, tag=22):
    """What people may want to know of an application that is over."""

    application: dict[str, Any]


class Checkpointed(Struct, array_like=True, tag=23, gc=False):
    """A system has a checkpoint from which it can go on.

    Args:
        child: the application that is the system's own.
        state: the system, pickled.
        absorbed: number of the last outcome that is part of the state.
        pushed: the highest sequence that the state knows to be pushed.

    """

    child: int
    state: Payload
    absorbed: int
    pushed: int


class RolledBack(Struct, array_like=True, tag=24, gc=False):
    """A system has gone back to its checkpoint: what it pushed later never was.

    Args:
        child: the application that is the system's own.
        pushed: the highest sequence that it pushed before.
        rollbacks: how often this has happened.
        keys: the tasks whose outcomes are delivered again, as 1, 2, …

    """

    child: int
    pushed: int
    rollbacks: int
    keys: list[int]


class TaskCheckpointed(Struct, array_like=True, tag=25, gc=False):
    """A task has a checkpoint from which its next attempt can go on."""

    key: int
    state: Payload


class Evidence(Struct, array_like=True, tag=26, gc=False):
    """What speaks against a worker, whole: whatever was told before is outdated.

    Or what spoke against one that is gone, for those that come after it on its machine.

    Args:
        worker: its number; 0 if it is gone.
        host: its machine.
        name: what people call it.
        streak: failures that speak against it; 0 if nothing does any longer.
        began: when the first of them was, in unix time.
        tasks: of which tasks they were.
        specs: of which kinds: the application, and the number it uses itself.
        last: what the last of them was, for people.
        interval: seconds that it waits for a trial; 0 if it is not quarantined.
        until: when the next trial is, in unix time.

    """

    worker: int
    host: str
    name: str
    streak: int
    began: float = 0.0
    tasks: tuple[int, ...] = ()
    specs: tuple[tuple[int, int], ...] = ()
    last: str = ""
    interval: float = 0.0
    until: float = 0.0


Fact = (
    Life
    | Application
    | Defined
    | Submitted
    | Ended
    | Finishing
    | Delivered
    | ApplicationOver
    | Cancelled
    | Lost
    | Handed
    | WorkerJoined
    | WorkerGone
    | SystemPushed
    | SystemStarted
    | SystemOver
    | Kept
    | KeptEnded
    | Failed
    | Unfailed
    | FailedCode
    | History
    | Checkpointed
    | RolledBack
    | TaskCheckpointed
    | Evidence
)
