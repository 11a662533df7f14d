"""What there was to do, and what became of it: a recording put together. PURE."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from concurrent_framework.master import recording as rec
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.resources import Capacity, Resources

if TYPE_CHECKING:
    from collections.abc import Iterable

NOBODY = -1
"""The maker of a job that the application has pushed."""
LEAST_TASKS = 8
"""Of a kind at a worker, for its speed to be judged by them."""
SURE = 4.0
"""Standard errors by which a worker's run times must differ from those of the rest to count."""
SLOWEST, QUICKEST = 0.1, 10.0


class Job(Struct, gc=False):
    """A task that ran.

    Args:
        application: place of its application in the workload.
        kind: place of its kind.
        arrival: when it came, in seconds after the first one.
        work: how long it takes on a worker of average speed, in seconds.
        maker: place of the job that made it; `NOBODY` if it was pushed.
        helper: place of the worker that it ran on when it was recorded.
        seconds: how long it ran when it was recorded.
        ended: when the master learned of that, in seconds after the first arrival; None if unknown.

    """

    application: int
    kind: int
    arrival: float
    work: float
    maker: int
    helper: int
    seconds: float
    ended: float | None


class Kind(NamedTuple):
    """What jobs of one class have in common, `data` being digests of shared objects."""

    application: int
    name: str
    resources: Resources
    priority: int
    data: tuple[str, ...]


class Client(NamedTuple):
    """An application."""

    name: str
    weight: float


class Helper(NamedTuple):
    """A worker: what it offers, and how fast it is, 1 being the average."""

    name: str
    capacity: Capacity
    speed: float = 1.0

    def occupied_by(self, need: Resources) -> float:
        """Return how many of its executors a task with this need occupies, >= 1."""
        return max(self.capacity.share(need), 1.0)


class Workload(NamedTuple):
    """Everything that a simulation needs.

    Args:
        jobs: the tasks that ran, in the order in which they came.
        kinds: their kinds.
        clients: the applications.
        helpers: the workers.
        sizes: bytes of the shared objects, by digest.
        failed: how many jobs had no result.
        left_out: how many tasks came and did not run, or were not through when the recording ended.

    """

    jobs: list[Job]
    kinds: list[Kind]
    clients: list[Client]
    helpers: list[Helper]
    sizes: dict[str, int]
    failed: int
    left_out: int


def workload_of(rows: Iterable[rec.Row]) -> Workload:
    """Put a recording together.

    Raises:
        RecordingError: no task of it has run.

    """
    collector = _Collector()
    for row in rows:
        collector.take(row)
    return collector.workload()


class _Task(Struct, gc=False):
    application: int
    kind: int
    at: float
    maker: int


class _End(Struct, gc=False):
    seconds: float
    worker: int
    failed: bool
    at: float


class _Collector:
    def __init__(self) -> None:
        self._tasks: dict[int, _Task] = {}
        self._ends: dict[int, _End] = {}
        self._kinds: dict[tuple[int, int], rec.Kind] = {}
        self._clients: dict[int, rec.Client] = {}
        self._helpers: dict[int, rec.Helper] = {}
        self._sizes: dict[str, int] = {}

    def take(self, row: rec.Row) -> None:
        match row:
            case rec.Came():
                self._came(row)
            case rec.Went():
                self._went(row)
            case rec.Kind():
                self._kinds[row.application, row.number] = row
            case rec.Client():
                self._clients[row.number] = row
            case rec.Helper():
                self._helpers[row.number] = row
            case rec.Shared():
                self._sizes[row.digest] = row.size
            case rec.Undone():
                self._undo(row)

    def _came(self, row: rec.Came) -> None:
        kinds = [row.kinds] * row.count if isinstance(row.kinds, int) else row.kinds
        maker = task_key(row.application, row.maker) if row.maker else 0
        key = task_key(row.application, row.first)
        for kind in kinds:
            self._tasks[key] = _Task(row.application, kind, row.at, maker)
            key += 1

    def _went(self, row: rec.Went) -> None:
        count = len(row.sequences)
        workers = [row.workers] * count if isinstance(row.workers, int) else row.workers
        failed = set(row.failed)
        for place, (sequence, took, worker) in enumerate(
            zip(row.sequences, row.microseconds, workers, strict=True)
        ):
            key = task_key(row.application, sequence)
            # Of a task with `finished` this comes twice, the second time when that has returned.
            if key not in self._ends:
                seconds = took / rec.MICROSECONDS
                self._ends[key] = _End(seconds, worker, place in failed, row.at)

    def _undo(self, row: rec.Undone) -> None:
        first, last = task_key(row.application, row.pushed + 1), task_key(row.application + 1, 0)
        for key in [key for key in self._tasks if first <= key < last]:
            del self._tasks[key]
            self._ends.pop(key, None)

    def workload(self) -> Workload:
        ran = [key for key in self._tasks if key in self._ends and self._ends[key].worker]
        if not ran:
            message = (
                "no task that it tells of has run: record a whole run, with master.record set to the"
                " name of a file"
            )
            raise rec.RecordingError(message)
        known = [self._tasks[key].at for key in ran if self._tasks[key].at]
        begin = min(known, default=0.0)
        ran.sort(key=lambda key: (self._tasks[key].at, key))
        places = {key: place for place, key in enumerate(ran)}
        clients = {number: place for place, number in enumerate(sorted(self._numbers(ran)))}
        kinds = self._used_kinds(ran)
        numbers, helpers = self._workers(ran)
        jobs = []
        for key in ran:
            task, end = self._tasks[key], self._ends[key]
            place = numbers[end.worker]
            jobs.append(
                Job(
                    clients[task.application],
                    kinds[task.application, task.kind],
                    max(task.at - begin, 0.0),
                    end.seconds * helpers[place].speed,
                    places.get(task.maker, NOBODY),
                    place,
                    end.seconds,
                    end.at - begin if end.at and begin else None,
                )
            )
        return Workload(
            jobs,
            [self._kind(which, clients) for which in kinds],
            [self._client(number) for number in clients],
            helpers,
            self._sizes,
            sum(self._ends[key].failed for key in ran),
            len(self._tasks) - len(ran),
        )

    def _numbers(self, ran: list[int]) -> set[int]:
        return {self._tasks[key].application for key in ran}

    def _used_kinds(self, ran: list[int]) -> dict[tuple[int, int], int]:
        used = dict.fromkeys((self._tasks[key].application, self._tasks[key].kind) for key in ran)
        return {which: place for place, which in enumerate(used)}

    def _kind(self, which: tuple[int, int], clients: dict[int, int]) -> Kind:
        application = clients[which[0]]
        found = self._kinds.get(which)
        if found is None:
            return Kind(application, "?", Resources(), 0, ())
        data = tuple(digest for digest in found.shares if digest in self._sizes)
        return Kind(application, found.name, found.resources, found.priority, data)

    def _client(self, number: int) -> Client:
        found = self._clients.get(number)
        if found is None:
            return Client(f"application {number}", 1.0)
        return Client(found.name, found.weight)

    def _workers(self, ran: list[int]) -> tuple[dict[int, int], list[Helper]]:
        """Return the workers, and their places by number; one that came back under its name is one."""
        numbers = dict.fromkeys([*self._helpers, *(self._ends[key].worker for key in ran)])
        speeds = self._speeds(ran)
        places: dict[int, int] = {}
        named: dict[str, int] = {}
        helpers: list[Helper] = []
        for number in numbers:
            told = self._helpers.get(number)
            name = f"worker {number}" if told is None else told.name
            capacity = None if told is None else told.capacity
            helper = Helper(name, capacity or Capacity(), speeds.get(number, 1.0))
            place = named.setdefault(name, len(helpers))
            if place == len(helpers):
                helpers.append(helper)
            else:
                helpers[place] = helper
            places[number] = place
        return places, helpers

    def _speeds(self, ran: list[int]) -> dict[int, float]:
        """Return how fast workers are, as far as their run times differ beyond chance."""
        times: dict[tuple[int, int], dict[int, list[float]]] = {}
        for key in ran:
            task, end = self._tasks[key], self._ends[key]
            kind = times.setdefault((task.application, task.kind), {})
            kind.setdefault(end.worker, []).append(end.seconds)
        expected: dict[int, float] = {}
        spent: dict[int, float] = {}
        for by_worker in times.values():
            if len(by_worker) < 2:
                continue
            overall = sum(map(_mean, by_worker.values())) / len(by_worker)
            for worker, seconds in by_worker.items():
                rest = [one for other, more in by_worker.items() if other != worker for one in more]
                same = not _differ(seconds, rest)
                total = sum(seconds)
                spent[worker] = spent.get(worker, 0.0) + total
                expected[worker] = expected.get(worker, 0.0) + (
                    total if same else overall * len(seconds)
                )
        return {
            worker: min(max(expected[worker] / total, SLOWEST), QUICKEST)
            for worker, total in spent.items()
            if total > 0
        }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _differ(one: list[float], other: list[float]) -> bool:
    """Whether the means of two samples differ by more than chance would have it."""
    if min(len(one), len(other)) < LEAST_TASKS:
        return False
    first, second = _mean(one), _mean(other)
    error = sqrt(_variance(one, first) / len(one) + _variance(other, second) / len(other))
    return abs(first - second) > SURE * error


def _variance(values: list[float], mean: float) -> float:
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)
