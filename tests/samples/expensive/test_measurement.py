"""The report of a run."""

from __future__ import annotations

import pytest

from concurrent_framework.samples.expensive.measurement import DISTURBED, Measurement, report


def run_of(executors: int, serial: float, work: float, wall: float) -> Measurement:
    """Make a run in which the executors always had a task and a processor."""
    part = serial * work
    return Measurement(executors, serial, work, wall, running=work - part, shared=wall - part)


def test_a_run_is_reported_next_to_amdahls_law_and_the_original() -> None:
    run = run_of(executors=8, serial=0.02, work=70.2, wall=10.0)
    assert run.speed_up == pytest.approx(7.02)
    assert run.implied == pytest.approx(0.02, abs=1e-4)
    assert report(run).splitlines() == [
        "                                     this run  the original",
        "───────────────────────────────────────────────────────────",
        "executors                                   8             8",
        "work, in processor time               70.20 s",
        "time it took                          10.00 s",
        "speed-up                                 7.02          7.02",
        "Amdahl's law for 2.0% serial work        7.02",
        "reached of it                          100.0%",
        "speed-up per executor                   87.8%         87.8%",
        "serial fraction it implies               2.0%          2.0%",
        "time in which executors had a task     100.0%",
        "time in which tasks had a processor    100.0%",
        "",
        "executors              2     4     8     16     64    256",
        "─────────────────────────────────────────────────────────",
        "speed-up it allows  1.96  3.77  7.02  12.32  28.36  42.07",
    ]


def test_idle_executors_and_a_busy_machine_are_told_apart() -> None:
    idle = Measurement(executors=2, serial=0.0, work=10.0, wall=10.0, running=10.0, shared=10.0)
    assert (idle.busy, idle.obtained) == (0.5, 1.0)
    assert DISTURBED not in report(idle)
    slow = Measurement(executors=2, serial=0.0, work=10.0, wall=10.0, running=20.0, shared=10.0)
    assert (slow.busy, slow.obtained) == (1.0, 0.5)
    assert DISTURBED in report(slow)


@pytest.mark.parametrize("wall", [1.0, 100.0])
def test_a_measurement_beyond_the_possible_implies_a_possible_fraction(wall: float) -> None:
    assert 0.0 <= run_of(executors=2, serial=0.0, work=10.0, wall=wall).implied <= 1.0


def test_one_executor_tells_nothing_about_the_serial_fraction() -> None:
    run = run_of(executors=1, serial=0.25, work=1.0, wall=1.1)
    assert run.implied == 0.25
    assert "90.9%" in report(run)
