"""Messages that every edge shares: introduction, liveness and farewell.

A node opens each connection with `Hello`. The master answers `Welcome` or `Refused`. To anything that
comes over a connection without a `Hello`, and to a gap in the numbering, the answer is `Resync`: say
`Hello` again. Everything a node holds is then reconciled from the two greetings.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from concurrent_framework.model.resources import Capacity

ACKNOWLEDGE_SECONDS = 0.01
"""How long the master's acknowledgement may wait for something else to travel with."""
HANDLED_SECONDS = 0.25
"""How long an application's may, if it is about little: nobody waits for it, and each costs a round."""
HANDLED_SOON = 0.02
"""How long it may otherwise: the master keeps what has not been handled."""
HANDLED_OUTCOMES = 8
HANDLED_BYTES = 64 * 1024
"""So many outcomes are little, if their results together are not larger than this."""
Role = Literal["submit", "execute", "observe", "admin", "host"]
"""What a peer may do. ``host`` is given only to processes that the master itself started."""


class Hello(Struct, array_like=True, tag=1, gc=False):
    """Who is calling.

    Args:
        role: what the peer wants to be.
        token: proof that it may; empty on a private ipc endpoint.
        session: the node's id (hex), the same over all its connections.
        name: how people call it.
        host: machine name.
        pid: process id on that machine.
        version: distribution version, for messages only; the protocol's is in the envelope.
        delivered: applications: number of the last outcome handled, -1 from a new process.
        capacity: workers: what they offer.
        holding: workers: (key, attempt) of each task they have and have not reported.
        weight: applications: share of the swarm relative to others, > 0.
        greeting: counts this process's greetings, so that an overtaken one is recognised.
        cached: workers: digests of the shared objects they have.

    """

    role: Role
    session: str
    token: str = ""
    name: str = ""
    host: str = ""
    pid: int = 0
    version: str = ""
    delivered: int = -1
    capacity: Capacity = Capacity()
    holding: tuple[tuple[int, int], ...] = ()
    weight: float = 1.0
    greeting: int = 0
    cached: tuple[str, ...] = ()


class Welcome(Struct, array_like=True, tag=2, gc=False):
    """The master took the peer in.

    Args:
        master: the master's session id; another one means that it was restarted.
        name: the master's name.
        number: the application's or worker's number at this master.
        lease: seconds without a sign of life after which the peer counts as lost.
        accepted: applications: the highest sequence the master has accepted.
        unfinished: applications: tasks and systems whose outcome has not been handled.
        window_tasks: applications: tasks submitted and unfinished at most.
        window_bytes: applications: the same in payload bytes.
        pattern: workers: ``push`` (wait for work) or ``pull`` (ask for it).
        drop: workers: (key, attempt) of held tasks that are no longer theirs.
        added: applications: tasks they have got, all in all, that nobody pushed or spawned.
        greeting: workers: which of their greetings this answers.

    """

    master: str
    name: str
    number: int
    lease: float
    accepted: int = 0
    window_tasks: int = 0
    window_bytes: int = 0
    pattern: Literal["push", "pull"] = "push"
    drop: tuple[tuple[int, int], ...] = ()
    unfinished: int = 0
    added: int = 0
    greeting: int = 0


class Refused(Struct, array_like=True, tag=3, gc=False):
    """The master did not take the peer in; `reason` is a sentence for people."""

    code: Literal["token", "role", "version", "limit", "unknown"]
    reason: str


class Resync(Struct, array_like=True, tag=4, gc=False):
    """The sender lost track of the receiver: say `Hello` again."""


class Heartbeat(Struct, array_like=True, tag=5, gc=False):
    """A sign of life, sent when nothing else was for a third of the lease."""


class Goodbye(Struct, array_like=True, tag=6, gc=False):
    """The sender leaves on purpose.

    Args:
        reason: for people.
        detach: applications: keep my systems and outcomes; somebody will attach later.

    """

    reason: str = ""
    detach: bool = False
