"""Clusters on the fake clock whose hosts run real task systems, and whose workers run real tasks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from concurrent_framework.application.classes import ForeignClasses
from concurrent_framework.application.outcomes import error_of, result_of
from concurrent_framework.model.ids import nth_attempt, sequence_of
from concurrent_framework.model.spec import DATA
from concurrent_framework.protocol.session import ACKNOWLEDGE_SECONDS
from concurrent_framework.protocol.tasks import NewTask, Outcome
from concurrent_framework.tasks.current import CurrentTask, running
from concurrent_framework.tasks.failures import describe_failure
from concurrent_framework.tasks.payload import dump_result, load_task
from concurrent_framework.tasks.shared import resolving, unpack
from concurrent_framework.tasks.spawning import SpawnBook
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.host import SimHosts
from concurrent_framework.testing.manager import SimManager
from tests.simulation.orders import order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework import Task, TaskSystem
    from concurrent_framework.application.system_run import SystemRun
    from concurrent_framework.master.state import ApplicationRecord, SystemRecord
    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.protocol.application import SystemEnded
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry
    from concurrent_framework.testing.disk import SimDisk
    from concurrent_framework.testing.network import Faults


class Workshop(SimManager):
    """Calls each task when its time is over, which chance decides unless it has `seconds`."""

    chance: random.Random
    mean: float

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._classes = ForeignClasses(own_first=True)
        self._spawn = SpawnBook(self._classes.code)
        self._pushed: list[NewTask] = []
        self._shared: dict[str, Any] = {}

    def learn(self, specs: Sequence[SpecEntry], codes: Sequence[CodeBlob]) -> None:
        self._classes.learn(tuple(specs), tuple(one for one in codes if one.kind != DATA))
        self._shared.update(
            (one.digest, unpack(memoryview(one.data))) for one in codes if one.kind == DATA
        )
        self._spawn.learn(specs)

    def object(self, digest: str) -> Any:
        """Return a shared object that has come."""
        return self._shared[digest]

    def stop(self) -> None:
        super().stop()
        self._classes.close()

    def begin(self, task: Assigned) -> float:
        seconds = getattr(self._rebuilt(task), "seconds", None)
        return self.chance.expovariate(1 / self.mean) if seconds is None else float(seconds)

    def _rebuilt(self, task: Assigned) -> Any:
        return load_task(self._classes.task_class(task.spec), task.payload)  # type: ignore[arg-type]

    def outcome_of(self, task: Assigned, seconds: float) -> Outcome:
        try:
            with running(CurrentTask(self)), resolving(self):  # type: ignore[arg-type]
                result = dump_result(self._rebuilt(task)())
        except Exception as error:
            return Outcome(task.key, task.attempt, failure=describe_failure(error))
        outcome = Outcome(task.key, task.attempt, result, seconds=seconds)
        if self._pushed:
            outcome.spawned = tuple(self._pushed)
            outcome.specs, outcome.codes = self._spawn.definitions(self._pushed)
            self._pushed = []
        return outcome

    def push(self, task: Task) -> None:
        self._pushed.append(self._spawn.row(task))


class Stage:
    """A cluster with one application and one task system at work.

    Args:
        system: what the application pushes.
        pattern: ``push`` or ``pull``.
        seed: decides how long tasks take.
        faults: what the network does wrong.
        window: tasks of the system under way at most.
        mean: seconds that a task takes on average.
        disk: where the master keeps its journal; None for nowhere.

    """

    def __init__(
        self,
        system: TaskSystem,
        pattern: str = "push",
        seed: int = 0,
        faults: Faults | None = None,
        *,
        window: int = 12,
        mean: float = 0.3,
        disk: SimDisk | None = None,
    ) -> None:
        made = type("Chosen", (Workshop,), {"chance": random.Random(seed), "mean": mean})
        self.cluster = SimCluster(
            pattern,
            lease=4.0,
            faults=faults,
            disk=disk,
            window_tasks=window,
            linger=ACKNOWLEDGE_SECONDS,
        )
        self.cluster.make_manager = made
        self.hosts = SimHosts(self.cluster)
        self.workers = [self.cluster.add_worker(executors=3) for _ in range(2)]
        self.app = self.cluster.add_application()
        self.steps = 0
        self.retries = 0
        self.app.push_system(type(system).__name__, system)

    def step(self, count: int = 1) -> bool:
        """Do the next so many things; False if the system has ended."""
        for _ in range(count):
            if not self.cluster.busy() or not self.cluster.clock.step():
                return False
            self.steps += 1
        return True

    def finish(self, seconds: float = 600.0) -> Any:
        """Go on to the end and return the system's result; fail unless there is one, once."""
        end = self.cluster.clock.now + seconds
        while self.cluster.clock.now < end and self.step():
            pass
        result, error = result_of(self.ended.result)
        if self.ended.failure is not None:
            error = error_of(self.ended.failure)
        if error is not None:
            raise error
        self.cluster.run_for(20)
        assert list(self.cluster.master.state.applications) == [1]
        assert self.cluster.master.state.tasks == {}
        assert self.cluster.master.state.hosts == {}
        assert all(worker.reactor.held == {} for worker in self.workers if worker.alive)
        return result

    @property
    def ended_systems(self) -> list[SystemEnded]:
        """What the application was told of systems."""
        return self.app.ended_systems

    @property
    def ended(self) -> SystemEnded:
        *earlier, ended = self.ended_systems
        assert len(earlier) == self.retries
        return ended

    @property
    def system(self) -> SystemRecord:
        """What the master knows of the system."""
        return self.cluster.master.state.applications[1].systems[1]

    @property
    def host(self) -> SystemRun:
        """The system in the host that runs now."""
        [host] = self.hosts.running.values()
        return host.system

    @property
    def tasks(self) -> ApplicationRecord:
        """What the master knows of its tasks."""
        return self.cluster.master.state.applications[self.system.application]

    def give_up(self) -> None:
        """Kill its hosts, as soon as they are there, until the system has failed, or is through first."""
        ended = len(self.ended_systems)
        self.hosts.kill()
        while len(self.ended_systems) == ended and self.step():
            self.hosts.kill()

    def retry(self) -> str:
        """Do what `concurrent retry` does with the system that failed last; returns what it is now."""
        [failed] = order(self.cluster, "failed")
        [made] = order(self.cluster, "retry", target=failed["task"])["tasks"]
        self.app.expecting += 1
        self.retries += 1
        return str(made)

    def change_workers(self) -> None:
        """Kill a worker and have another one."""
        self.workers.pop(0).kill()
        self.workers.append(self.cluster.add_worker(executors=3))

    def restart_master(self) -> None:
        """Kill the master, and with it its hosts, and start another one on its journal."""
        if self.cluster.alive:
            self.cluster.crash_master()
        self.cluster.start_master()

    def until(self, time: float) -> None:
        """Go on until a time."""
        self.cluster.clock.run_until(time)

    def starts(self) -> list[tuple[int, int]]:
        """Return the sequence and the attempt of every task that was started."""
        started = [one for worker in self.workers for one in worker.manager.started]
        return sorted((sequence_of(key), nth_attempt(attempt)) for key, attempt in started)

    def shown(self, level: str) -> list[str]:
        """Return what was logged at a level, as the application is shown it."""
        lines = [line for one in self.app.seen for line in getattr(one, "lines", ())]
        return [line.text for line in lines if line.stream == level]

    def log(self, text: str) -> list[str]:
        return [line for line in self.cluster.log if text in line]
