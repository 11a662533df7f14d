"""A cluster in a storm: everything that can go wrong does, by chance, but the same for each seed."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from concurrent_framework.application.commands import Begin
from concurrent_framework.application.events import CancelAsked
from concurrent_framework.model.ids import FIRST_SPAWNED, task_key
from concurrent_framework.protocol.session import ACKNOWLEDGE_SECONDS
from concurrent_framework.testing.disk import SimDisk
from concurrent_framework.testing.network import Faults
from concurrent_framework.testing.nodes import SimApplication, SimWorker
from tests.simulation.witness import WatchedCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.testing.cluster import SimCluster
    from concurrent_framework.testing.nodes import SimNode

SEEDS = 500
"""Seeds that the tests try, under each pattern."""
LEASE = 4.0
SPARE = 300
"""Bytes of a journal that is short enough: so few that it is always being shortened."""
STEP = 200
ENDURED = frozenset(
    {
        "message lost", "message repeated", "message late", "message overtaken",
        "cut both ways", "cut to the master", "cut from the master",
        "master killed", "master killed in the middle of a round", "master killed before it has written",
        "master killed when it had written", "master started again",
        "worker killed", "worker started", "application killed", "application started again",
        "host killed", "host started again", "disk full", "disk slow",
        "master's clock jumped", "worker's clock jumped", "application's clock jumped",
        "machine's clock set",
    }
)  # fmt: skip
"""Everything that goes wrong in storms, as it is counted."""


KINDS = (b"0.001", b"0.3", b"2", b"5", b"0.3:>2", b"0.1:?3:fine", b"4/0.5:fine", b"7/3")
"""Payloads of the tasks that are pushed; see `SimManager`."""


class Person:
    """Whoever has an application: ends its process and attaches another now and then."""

    def __init__(self, cluster: SimCluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.processes: list[SimApplication] = []
        self.systems: set[int] = set()
        self.attach()

    @property
    def app(self) -> SimApplication:
        return self.processes[-1]

    def attach(self) -> None:
        """Start a process for the application, in place of the one before."""
        if self.processes:
            self.app.kill()
            self.app.expecting = 0
            self.cluster.happened["application started again"] += 1
        name = f"{self.name}{len(self.processes)}"
        hello = {"session": self.name, "connect_timeout": 1e9, "pid": len(self.processes) + 1}
        self.processes.append(SimApplication(self.cluster, name, hello))

    def told(self) -> Counter[int]:
        """Count the processes that were told of each task and system."""
        told: Counter[int] = Counter()
        for process in self.processes:
            ended = [one.sequence for one in process.ended_systems]
            mine = Counter([*process.sequences, *ended])
            assert not mine or max(mine.values()) == 1, f"{process.name} was told twice"
            told.update(mine.keys())
        return told

    def once_only(self, accepted: int) -> list[int]:
        """Return the keys of the accepted tasks that may run at most once."""
        keys: list[int] = []
        for process in reversed(self.processes):
            for begun in (one for one in process.seen if isinstance(one, Begin)):
                for first, count in process.once_only:
                    through = min(first + count - 1, accepted)
                    keys += [
                        task_key(begun.welcome.number, sequence)
                        for sequence in range(first, through + 1)
                    ]
                accepted = begun.welcome.accepted
        return keys


class Storm:
    """Does something to a cluster now and then until it is told to stop.

    Args:
        seed: what decides; an odd one stands for a network on which messages overtake each other.
        pattern: how work reaches the workers.
        kinds: payloads of the tasks.

    """

    def __init__(self, seed: int, pattern: str = "push", kinds: Sequence[bytes] = KINDS) -> None:
        self.seed = seed
        self.kinds = kinds
        self.chance = random.Random(seed)
        late, busy = 0.001 if seed % 2 else 0.0, 0.05 if seed % 3 else 0.0
        faults = Faults(seed, loss=0.02, duplication=0.02, jitter=late, gathering=busy)
        self.disk = SimDisk(SPARE, STEP)
        self.cluster = WatchedCluster(
            pattern,
            lease=LEASE,
            faults=faults,
            disk=self.disk,
            hosts=True,
            linger=ACKNOWLEDGE_SECONDS,
        )
        self.workers: list[SimWorker] = [self._worker() for _ in range(2)]
        self.people = [Person(self.cluster, name) for name in ("ann", "bob")]

    def _worker(self) -> SimWorker:
        return self.cluster.add_worker(executors=self.chance.choice([1, 2, 4]))

    @property
    def nodes(self) -> list[SimNode]:
        return [*self.workers, *(person.app for person in self.people)]

    def rage(self, acts: int) -> None:
        """Do so many things."""
        choices: list[Callable[[], None]] = [
            *([self.push] * 8), self.push_system, self.cut, self.cut_one_way, self.mend, self.mend, self.mend,
            self.kill, self.join, self.join, self.leave, self.cancel, self.attach, self.kill_host,
            self.crash, self.crash_soon, *([self.restart] * 4), self.fill, *([self.empty] * 3),
            self.slow_down, self.jump, self.jump_wall,
        ]  # fmt: skip
        for _ in range(acts):
            self.chance.choice(choices)()
            self.cluster.run_for(self.chance.expovariate(2.0))

    def calm(self) -> None:
        """Heal everything, have at least one worker, and let all that is left finish."""
        faults = self.cluster.server.faults
        faults.loss = faults.duplication = faults.jitter = 0.0
        self.disk.full = False
        self.disk.slow = 0.0
        self.disk.countdown = 0
        if not self.cluster.alive:
            self.cluster.start_master()
        self.workers.append(self._worker())
        for node in self.nodes:
            if node.alive and not whole(node):
                node.mend()
        for _ in range(1000):
            self.cluster.run_for(LEASE / 2)
            for person in self.people:
                if person.app.session.over:
                    person.attach()  # it was refused: its predecessor seemed to be alive
            if self.settled() and self.at_rest():
                break
        self.cluster.run_for(LEASE)  # what is late must change nothing

    def settled(self) -> bool:
        """Whether nothing is left to be done, and everybody is back and has been heard."""
        state = self.cluster.master.state
        sessions = [person.app.session for person in self.people]
        if not all(session.online and session.outbox.settled for session in sessions):
            return False
        return not state.tasks and not any(one.unfinished for one in state.applications.values())

    def at_rest(self) -> bool:
        """Whether no worker still has anything, and the journal has been shortened."""
        there = [one.reactor for one in self.workers if one.alive and whole(one)]
        if any(reactor.held or reactor.unsafe for reactor in there):
            return False
        return self.disk.contents.bytes < 100 * SPARE

    # What may happen.

    def push(self) -> None:
        person = self.chance.choice(self.people)
        if person.app.session.welcome is None:
            return
        count = self.chance.choice([1, 3, 12])
        took = self.chance.choice(self.kinds)
        backoff = self.chance.choice([0.0, 0.0, 0.5])
        person.app.push(
            [took] * count,
            priority=self.chance.choice([0, 0, 5]),
            idempotent=self.chance.random() < 0.7,
            max_attempts=self.chance.choice([1, 3, 50]),
            notifies=self.chance.random() < 0.2,
            retry_on=("OSError",),
            backoff=backoff,
            max_backoff=4 * backoff,
            deadline=self.chance.choice([0.0, 0.0, 0.0, 8.0]),
        )

    def push_system(self) -> None:
        person = self.chance.choice(self.people)
        if person.app.session.welcome is not None:
            person.app.push_system()

    def cut(self) -> None:
        self.chance.choice(self.nodes).cut()

    def cut_one_way(self) -> None:
        self.chance.choice(self.nodes).cut_one_way(incoming=self.chance.random() < 0.5)

    def mend(self) -> None:
        for node in self.nodes:
            if node.alive and not whole(node):
                node.mend()
                return

    def kill(self) -> None:
        self.chance.choice(self.workers).kill()

    def leave(self) -> None:
        worker = self.chance.choice(self.workers)
        if worker.alive:
            worker.leave()

    def join(self) -> None:
        if sum(worker.alive for worker in self.workers) < 3:
            self.workers.append(self._worker())

    def cancel(self) -> None:
        person = self.chance.choice(self.people)
        last = person.app.session.outbox.next_sequence - 1
        if last:
            person.app.feed([CancelAsked((self.chance.randint(1, last),))])

    def attach(self) -> None:
        self.chance.choice(self.people).attach()

    def kill_host(self) -> None:
        if self.cluster.hosts:
            self.chance.choice(list(self.cluster.hosts.values())).kill()

    def crash(self) -> None:
        if self.cluster.alive:
            self.cluster.crash_master()

    def crash_soon(self) -> None:
        """Let the master die in the middle of something."""
        if self.cluster.alive:
            self.disk.crash_in(self.chance.randint(1, 12))

    def restart(self) -> None:
        if not self.cluster.alive:
            self.cluster.start_master()

    def fill(self) -> None:
        self.disk.full = True

    def empty(self) -> None:
        self.disk.full = False
        self.disk.slow = 0.0

    def slow_down(self) -> None:
        """Let each write take a while, at the worst longer than a lease."""
        self.disk.slow = self.chance.choice([0.01, 0.2, 1.0, 1.5 * LEASE])

    def jump(self) -> None:
        """Let a clock go forward, as that of a machine does that was asleep."""
        seconds = self.chance.choice([0.5 * LEASE, 2 * LEASE, 600.0])
        jumps = [self.cluster.jump, *(node.jump for node in self.nodes)]
        self.chance.choice(jumps)(seconds)

    def jump_wall(self) -> None:
        """Set the machine's clock; whoever reads it later may find himself in the past."""
        self.cluster.jump_wall(self.chance.choice([-86_400.0, -10.0, 10.0, 86_400.0]))


def whole(node: SimNode) -> bool:
    """Whether a node's connection carries messages both ways."""
    return node.link.up and node.link.hears and node.link.speaks


def check_promises(storm: Storm) -> None:
    """Raise AssertionError if a promise was broken."""
    assert storm.settled(), "something was forgotten"
    state = storm.cluster.master.state
    for person in storm.people:
        told = person.told()
        record = state.applications[state.sessions[person.name]]
        accepted = record.accepted
        missing = [number for number in range(1, accepted + 1) if not told[number]]
        assert not missing, f"{person.name} was never told of {missing}"
        spawned = range(FIRST_SPAWNED, record.next_spawned)
        missing = [number for number in spawned if not told[number]]
        assert not missing, f"{person.name} was never told of the spawned {missing}"
        assert set(told) == {*range(1, accepted + 1), *spawned}
        if len(person.processes) == 1:
            assert accepted == person.app.session.outbox.next_sequence - 1
            assert sum(one.children for one in person.app.outcomes) == len(spawned)
    starts = Counter(key for worker in storm.workers for key, _ in worker.manager.started)
    for person in storm.people:
        for key in person.once_only(state.applications[state.sessions[person.name]].accepted):
            assert starts[key] <= 1, f"{person.name}'s {key:x} ran {starts[key]} times, not once"
    for worker in storm.workers:
        if worker.alive and whole(worker):
            assert not worker.reactor.held, f"{worker.name} still has tasks"
            assert not worker.reactor.unsafe, f"{worker.name} still has outcomes"
    assert not state.queue.live
    assert not any(one.undelivered for one in state.applications.values())
    size = storm.disk.contents.bytes
    assert size < 100 * SPARE, f"the journal has {size} bytes though nothing is pending"


def run(seed: int, pattern: str, kinds: Sequence[bytes] = KINDS) -> Storm:
    """Run a storm and check what is promised; the storm, for whoever wants to know more."""
    storm = Storm(seed, pattern, kinds)
    storm.rage(40)
    storm.calm()
    check_promises(storm)
    return storm
