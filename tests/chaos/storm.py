"""What happens to a cluster by chance, the same for each seed as far as real processes allow."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.chaos.cluster import LEASE, Application, signal_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.cluster import Cluster

AT_ONCE = 3
"""Applications that run at the same time."""


class Storm:
    """Breaks a cluster in one place after the other.

    Args:
        cluster: the victim.
        seed: what decides.
        spare: names of disturbances to leave out.

    """

    def __init__(self, cluster: Cluster, seed: int, spare: tuple[str, ...] = ()) -> None:
        self.cluster = cluster
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._started = 0
        ways: dict[str, tuple[int, Callable[[], Any]]] = {
            "kill the master": (2, self._kill_master),
            "kill a worker": (3, self._kill_worker),
            "kill an executor": (3, lambda: self._kill_one("cc-executor")),
            "kill a host": (2, lambda: self._kill_one("cc-host")),
            "kill an application": (2, self._kill_application),
            "stop a worker": (2, lambda: self._stop(self._some_worker())),
            "stop the master": (1, lambda: self._stop(cluster.master.pid)),
            "stop an application": (1, lambda: self._stop(self._some_application().process.pid)),
            "cut the network": (3 if cluster.hosts else 0, self._cut),
        }
        self._ways = {name: way for name, way in ways.items() if name not in spare}

    def rage(self, seconds: float) -> None:
        """Go on for so long; whatever falls over is put up again."""
        end = time.monotonic() + seconds
        names = list(self._ways)
        weights = [weight for weight, _ in self._ways.values()]
        while time.monotonic() < end:
            self._start_applications()
            [name] = self.chance.choices(names, weights)
            self._ways[name][1]()
            self.done[name] += 1
            time.sleep(self.chance.uniform(0.05, 1.0))  # how long the victims have to recover
            self.cluster.mend()

    def _start_applications(self) -> None:
        running = [one for one in self.cluster.applications if not one.over]
        while len(running) < AT_ONCE:
            self._started += 1
            kind = "System" if self._started % 3 == 0 else "Plain"
            count = self.chance.randrange(100, 600)
            one = Application(self.cluster, kind, self._started, count)
            self.cluster.applications.append(one)
            running.append(one)

    def _kill_master(self) -> None:
        self.cluster.master.kill()
        self.cluster.master.ends()
        time.sleep(self.chance.uniform(0.0, LEASE / 2))  # how long there is no master

    def _some_worker(self) -> int:
        return self.cluster.workers[self.chance.choice(self.cluster.names)].pid

    def _some_application(self) -> Application:
        return self.chance.choice([one for one in self.cluster.applications if not one.over])

    def _kill_worker(self) -> None:
        self.cluster.workers[self.chance.choice(self.cluster.names)].kill()

    def _kill_one(self, name: str) -> None:
        if there := self.cluster.processes(name):
            signal_all([self.chance.choice(there)], signal.SIGKILL)

    def _kill_application(self) -> None:
        application = self._some_application()
        if application.ledger.session:
            application.kill()

    def _stop(self, pid: int) -> None:
        """Stop a process as a suspended laptop does, for less or more than a lease."""
        there = [one for one in self.cluster.place.processes() if one.pid == pid]
        signal_all(there, signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.1, 1.6 * LEASE))  # how long it is stopped
        signal_all(there, signal.SIGCONT)

    def _cut(self) -> None:
        host = self.cluster.hosts[self.chance.choice([*self.cluster.names, "laptop"])]
        host.cut()
        time.sleep(self.chance.uniform(0.1, 1.6 * LEASE))  # how long the cable is out
        host.restore()
