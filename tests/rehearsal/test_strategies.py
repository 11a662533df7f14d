"""A strategy is visibly better on a workload that is made for it, and plug-ins are strategies, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from concurrent_framework.master import recording as rec
from concurrent_framework.model.errors import UsageError
from concurrent_framework.rehearsal.stage import Network
from tests.rehearsal.made import kind, ran, simulate, worker, workload

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.rehearsal.workload import Workload

MEGABYTE = 1 << 20

PLUGIN = """
from concurrent_framework.components import Component, implements
from concurrent_framework.scheduling.base import IScheduleStrategy, Placement

class {name}(Component):
    implements(IScheduleStrategy)
    def place(self, request, workers):
        {body}
"""


def uneven() -> Workload:
    """Return the work of two workers of which one is five times as fast, as it was recorded."""
    rows: list[rec.Row] = [worker(1, 1), worker(2, 1), kind()]
    rows += ran(1, [0.02] * 100, worker=1)
    rows += ran(101, [0.1] * 100, worker=2)
    return workload(*rows)


def test_workers_are_as_fast_as_they_were() -> None:
    slow, fast = sorted(uneven().helpers, key=lambda helper: helper.speed)
    assert fast.speed / slow.speed == pytest.approx(5.0)
    assert (fast.name, slow.name) == ("w1", "w2")


def test_chance_makes_no_worker_fast() -> None:
    varied = [0.01 * (1 + place % 7) for place in range(50)]
    rows = [*ran(1, varied, worker=1), *ran(51, varied[3:] + varied[:3], worker=2)]
    work = workload(worker(1), worker(2), kind(), *rows)
    assert [helper.speed for helper in work.helpers] == [1.0, 1.0]


def test_fastest_is_better_where_workers_differ() -> None:
    work = uneven()
    sparse = work._replace(jobs=[])
    for place, job in enumerate(work.jobs):  # one at a time, so that either worker would be free
        job.arrival = place * 0.2
        sparse.jobs.append(job)
    fastest, turns = simulate(sparse, "fastest"), simulate(sparse, "round-robin")
    assert fastest.utilisation < 0.7 * turns.utilisation
    assert fastest.idlest < turns.idlest


def by_data() -> Workload:
    """Return tasks that need one of four objects, each of which takes as long to send as ten tasks."""
    rows: list[rec.Row] = [worker(1, 1), worker(2, 1), worker(3, 1), worker(4, 1)]
    rows += [rec.Shared(1, f"{number:064}", 100 * MEGABYTE) for number in range(4)]
    rows += [kind(number + 1, shares=(f"{number:064}",)) for number in range(4)]
    for turn in range(20):
        for number in range(4):
            rows += ran(
                1 + turn * 4 + number,
                [0.01],
                kind=1 + (number + turn) % 4,
                at=turn * 0.3 + number / 1000,
            )
    return workload(*rows)


def test_locality_is_better_where_data_is_large() -> None:
    network = Network(0.0001, bandwidth=1000 * MEGABYTE)
    work = by_data()
    near, turns = (simulate(work, name, network=network) for name in ("locality", "round-robin"))
    assert near.moved is not None
    assert turns.moved is not None
    assert near.moved < turns.moved / 2
    assert near.waits.mean < turns.waits.mean / 2


@pytest.mark.parametrize("scheduler", ["push", "pull"])
@pytest.mark.parametrize(
    "strategy", ["least-loaded", "fastest", "locality", "random-of-two", "round-robin"]
)
def test_the_same_simulation_yields_the_same(strategy: str, scheduler: str) -> None:
    def once() -> object:
        rows = ran(1, [0.0007 * (1 + place * 37 % 11) for place in range(300)])
        work = workload(worker(1), worker(2, 3), worker(3, 1), kind(), *rows)
        return simulate(work, strategy, scheduler=scheduler, network=Network(0.0003))

    assert once() == once()


def plugged(folder: Path, name: str, body: str) -> Path:
    (folder / f"{name.lower()}_strategy.py").write_text(PLUGIN.format(name=name, body=body))
    return folder


def test_a_plug_in_strategy_is_tried(tmp_path: Path) -> None:
    body = "best = workers[0]; return [Placement(best.number, 1)]"
    folder = plugged(tmp_path, "Stubborn", body)
    work = workload(worker(1, 1), worker(2, 1), kind(), *ran(1, [0.1] * 4))
    assert simulate(work, "stubborn", plugins=folder).makespan == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("name", "body", "complaint"),
    [
        ("Raising", "return workers[99]", r"raising has raised IndexError: .*raising_strategy.py, line 8"),
        ("Greedy", "return [Placement(workers[0].number, 5)]", "places 5 tasks on worker 1, which has room for 1"),
        ("Lost", "return [Placement(7, 1)]", "places 1 tasks on worker 7, which has room for 0"),
        ("Lazy", "return []", "4 of 4 tasks were never handed to a worker"),
    ],
)  # fmt: skip
def test_mistakes_of_a_plug_in_are_told(
    tmp_path: Path, name: str, body: str, complaint: str
) -> None:
    folder = plugged(tmp_path, name, body)
    work = workload(worker(1, 1), kind(), *ran(1, [0.1] * 4))
    with pytest.raises(UsageError, match=complaint):
        simulate(work, name.lower(), plugins=folder)
