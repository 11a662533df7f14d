"""What is known beforehand comes out: makespans, waits and utilisation of made-up workloads."""

from __future__ import annotations

import pytest

from concurrent_framework.master import recording as rec
from concurrent_framework.model.errors import UsageError
from concurrent_framework.rehearsal.figures import recorded_figures
from concurrent_framework.rehearsal.stage import Network
from tests.rehearsal.made import kind, ran, simulate, worker, workload

TEN = workload(worker(1), kind(), *ran(1, [0.1] * 10))


@pytest.mark.parametrize("scheduler", ["push", "pull"])
@pytest.mark.parametrize(
    ("workers", "executors", "waves"), [(1, 1, 10), (1, 2, 5), (1, 4, 3), (5, 2, 1), (3, 1, 4)]
)
def test_equal_tasks_take_whole_waves(
    scheduler: str, workers: int, executors: int, waves: int
) -> None:
    found = simulate(TEN, scheduler=scheduler, workers=workers, executors=executors)
    assert found.makespan == pytest.approx(0.1 * waves)
    assert found.utilisation == pytest.approx(10 / (waves * workers * executors))
    assert found.throughput == pytest.approx(10 / (0.1 * waves))


def test_waits_are_those_of_the_waves() -> None:
    waits = simulate(TEN, workers=1, executors=2).waits
    assert waits.mean == pytest.approx(0.2)
    assert waits.p50 == pytest.approx(0.2)
    assert waits.longest == pytest.approx(0.4)


def test_each_wave_of_long_tasks_pays_the_latency_twice() -> None:
    work = workload(worker(1), kind(), *ran(1, [1.0] * 10))
    found = simulate(work, workers=1, executors=2, network=Network(latency=0.01))
    assert found.makespan == pytest.approx(5 * (1.0 + 0.02))


def test_brief_tasks_wait_behind_each_other_and_hide_the_latency() -> None:
    found = simulate(TEN, workers=1, executors=2, network=Network(latency=0.01))
    # Twice, until the first has been measured.
    assert found.makespan == pytest.approx(5 * 0.1 + 2 * 0.02)


def test_short_tasks_come_in_batches_and_hide_the_latency() -> None:
    work = workload(worker(1, 1), kind(), *ran(1, [0.0001] * 1000))
    found = simulate(work, network=Network(latency=0.001))
    assert 0.1 < found.makespan < 0.115


def test_tasks_come_when_they_came_or_all_at_the_start() -> None:
    work = workload(worker(1), kind(), *ran(1, [0.1]), *ran(2, [0.1], at=2.0))
    assert simulate(work).makespan == pytest.approx(2.1)
    assert simulate(work, at_start=True).makespan == pytest.approx(0.1)


def test_a_task_that_another_made_comes_when_that_has_ended() -> None:
    first_spawned = 1 << 39
    work = workload(
        worker(1),
        kind(),
        *ran(1, [0.5]),
        *ran(first_spawned, [0.25, 0.25], at=0.7, maker=1),
    )
    found = simulate(work)
    assert found.makespan == pytest.approx(0.75)
    assert found.waits.longest == pytest.approx(0.0)


def test_priority_goes_first_and_resources_are_kept() -> None:
    work = workload(
        worker(1, 4),
        kind(1, cpus=4.0),
        kind(2, priority=1),
        *ran(1, [1.0], kind=1),
        *ran(2, [1.0] * 4, kind=2),
    )
    found = simulate(work)
    assert found.makespan == pytest.approx(2.0)
    assert found.utilisation == pytest.approx(1.0)


def test_the_recorded_run_is_told_beside_it() -> None:
    work = workload(worker(1, 1), kind(), *ran(1, [1.0], ended=1.5), *ran(2, [1.0], ended=2.5))
    found = recorded_figures(work)
    assert found is not None
    assert found.makespan == pytest.approx(2.5)
    assert found.utilisation == pytest.approx(0.8)
    assert found.waits.longest == pytest.approx(1.5)
    assert recorded_figures(TEN) is None


def test_what_no_worker_can_run_is_told() -> None:
    work = workload(worker(1), kind(1, gpus=1.0), *ran(1, [1.0]))
    with pytest.raises(
        UsageError, match=r"no simulated worker can run Kind1, which needs 1 cpus, 1 gpus"
    ):
        simulate(work)


def test_tasks_that_did_not_run_are_left_out() -> None:
    work = workload(
        worker(1), kind(), *ran(1, [0.1] * 2), *ran(3, [0.0], worker=0), rec.Came(1, 4, 2, 1, 0.0)
    )
    assert (len(work.jobs), work.left_out) == (2, 3)


def test_what_a_system_has_undone_never_was() -> None:
    work = workload(worker(1), kind(), *ran(1, [0.1] * 4), rec.Undone(1, 2), *ran(3, [0.3]))
    assert [job.seconds for job in work.jobs] == [0.1, 0.1, 0.3]


def test_a_recording_without_tasks_is_refused() -> None:
    with pytest.raises(rec.RecordingError, match="no task that it tells of has run"):
        workload(worker(1), kind())
