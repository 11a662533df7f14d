"""The sample expensive, run on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework import run
from concurrent_framework.samples.expensive import Expensive

if TYPE_CHECKING:
    import pytest


def test_all_work_is_done_and_the_speed_up_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--tasks", "20", "--milliseconds", "10", "--serial", "0.2"]
    measured = run(Expensive, workers=2, arguments=arguments).measurement
    assert measured.executors == 2
    assert measured.work >= 0.25
    assert 0 < measured.speed_up < 2
    assert "Amdahl's law for 20.0% serial work" in capsys.readouterr().out
