"""The report of a run."""

from __future__ import annotations

import pytest

from concurrent_framework.samples.expensive.measurement import Measurement, report


def test_a_run_is_reported_next_to_amdahls_law_and_the_original() -> None:
    run = Measurement(executors=8, serial=0.02, work=70.2, wall=10.0)
    assert run.speed_up == pytest.approx(7.02)
    assert run.implied == pytest.approx(0.02, abs=1e-4)
    lines = [line.rsplit("  ", 1) for line in report(run).splitlines()]
    assert report(run).splitlines()[:6] == [
        "                                   this run  the original",
        "─────────────────────────────────────────────────────────",
        "executors                                 8             8",
        "work in processor time              70.20 s",
        "time it took                        10.00 s",
        "speed-up                               7.02          7.02",
    ]
    assert lines[-1] == ["speed-up it allows  1.96  3.77  7.02  12.32  28.36", "42.07"]


@pytest.mark.parametrize("wall", [1.0, 100.0])
def test_a_measurement_beyond_the_possible_implies_a_possible_fraction(wall: float) -> None:
    assert 0.0 <= Measurement(executors=2, serial=0.0, work=10.0, wall=wall).implied <= 1.0


def test_one_executor_tells_nothing_about_the_serial_fraction() -> None:
    run = Measurement(executors=1, serial=0.25, work=1.0, wall=1.1)
    assert run.implied == 0.25
    assert "90.9%" in report(run)
